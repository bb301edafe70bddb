//! `/lists`: how far each list has been read, and what was refused.

use askama::Template;
use axum::extract::State;
use axum::response::Html;

use crate::model::{ListSummary, Refusal, Timestamp};
use crate::web::error::PageError;
use crate::web::frame::{Frame, render};
use crate::web::state::App;
use crate::web::{links, time};

/// Refused mails that the page shows.
const MAX_REFUSALS: u32 = 100;

struct Row {
    address: String,
    path: String,
    policy: &'static str,
    mail_count: u64,
    refused_count: u64,
    series_count: u64,
    newest: String,
    sources: Vec<String>,
}

struct RefusalRow {
    list: String,
    source: String,
    place: String,
    reason: String,
    size: String,
    refused_at: String,
}

#[derive(Template)]
#[template(path = "lists.html")]
struct ListsPage {
    frame: Frame,
    rows: Vec<Row>,
    refusals: Vec<RefusalRow>,
}

pub(crate) async fn page(State(app): State<App>) -> Result<Html<String>, PageError> {
    let lists = app.store.lists().await?;
    let refusals = app.store.refusals(MAX_REFUSALS).await?;
    let now = app.now();
    let view = ListsPage {
        frame: Frame::new("/lists"),
        rows: lists.iter().map(|it| row(it, now)).collect(),
        refusals: refusals.iter().map(refusal).collect(),
    };
    Ok(render(&view)?)
}

fn row(list: &ListSummary, now: Timestamp) -> Row {
    Row {
        address: list.address.clone(),
        path: links::with_query("/", &[("list", &list.address)]),
        policy: list.policy.as_str(),
        mail_count: list.mail_count,
        refused_count: list.refused_count,
        series_count: list.series_count,
        newest: list
            .last_mail_at
            .map(|it| time::age(now, it))
            .unwrap_or_default(),
        sources: list
            .sources
            .iter()
            .map(|it| format!("{} at {}", it.source, short(&it.position)))
            .collect(),
    }
}

/// A position may be as long as a list of commit ids.
fn short(position: &str) -> String {
    if position.chars().count() <= 24 {
        return position.to_owned();
    }
    position.chars().take(24).chain("…".chars()).collect()
}

fn refusal(it: &Refusal) -> RefusalRow {
    RefusalRow {
        list: it.list.clone(),
        source: it.source.clone(),
        place: it.place.clone(),
        reason: it.reason.clone(),
        size: format!("{} bytes", it.size_bytes),
        refused_at: time::minute(it.refused_at),
    }
}
