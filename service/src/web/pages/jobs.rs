//! `/jobs`: the queue at this moment.

use askama::Template;
use axum::extract::State;
use axum::response::Html;

use crate::model::{JobFailure, JobKind, JobKindCount, JobState};
use crate::web::error::PageError;
use crate::web::frame::{Frame, render};
use crate::web::state::App;
use crate::web::time;

struct CountRow {
    kind: String,
    state: &'static str,
    class: &'static str,
    count: u64,
}

struct FailureRow {
    id: i64,
    kind: String,
    subject: String,
    path: Option<String>,
    state: &'static str,
    class: &'static str,
    attempts: u32,
    error: String,
    next: String,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    frame: Frame,
    counts: Vec<CountRow>,
    oldest: Option<String>,
    failures: Vec<FailureRow>,
}

pub(crate) async fn page(State(app): State<App>) -> Result<Html<String>, PageError> {
    let summary = app.store.jobs_summary().await?;
    let now = app.now();
    let view = JobsPage {
        frame: Frame::new("/jobs"),
        counts: summary.counts.iter().map(count_row).collect(),
        oldest: summary.oldest_due_at.map(|it| time::age(now, it)),
        failures: summary.failures.iter().map(failure_row).collect(),
    };
    Ok(render(&view)?)
}

const fn class(state: JobState) -> &'static str {
    match state {
        JobState::Done => "good",
        JobState::Dead => "bad",
        JobState::Leased => "note",
        JobState::Queued => "plain",
    }
}

fn count_row(it: &JobKindCount) -> CountRow {
    CountRow {
        kind: it.kind.clone(),
        state: it.state.as_str(),
        class: class(it.state),
        count: it.count,
    }
}

fn failure_row(it: &JobFailure) -> FailureRow {
    let path = match JobKind::parse(&it.kind) {
        Some(JobKind::LintSeries) => Some(format!("/series/{}", it.subject)),
        Some(JobKind::SendReply) => Some(format!("/outbox/{}", it.subject)),
        None => None,
    };
    FailureRow {
        id: it.id.0,
        kind: it.kind.clone(),
        subject: it.subject.clone(),
        path: path.filter(|_| it.subject.bytes().all(|it| it.is_ascii_digit())),
        state: it.state.as_str(),
        class: class(it.state),
        attempts: it.attempts,
        error: it.error.clone(),
        next: if it.state == JobState::Dead {
            String::new()
        } else {
            time::minute(it.due_at)
        },
    }
}
