//! The few figures that tell whether the service does its work, in the text format of Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::model::{ListSummary, PageRequest};
use crate::store::StoreError;

use super::state::App;

/// Requests answered, by the first digit of the status.
#[derive(Default)]
pub(crate) struct HttpCounters {
    by_class: [AtomicU64; 6],
}

pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100);
    if let Some(counter) = app.http.by_class.get(class) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    response
}

pub(crate) async fn metrics(State(app): State<App>) -> Response {
    match text(&app).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be read: {error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn text(app: &App) -> Result<String, StoreError> {
    let mut out = Families::default();
    let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    out.add(
        "lorelint_build_info",
        "gauge",
        "The running version.",
        [(version, 1)],
    );
    let series = app.store.series_counts().await?;
    let samples = series
        .iter()
        .map(|(state, count)| (format!("{{state=\"{}\"}}", state.as_str()), *count));
    out.add("lorelint_series", "gauge", "Series by state.", samples);
    let jobs = app.store.jobs_summary().await?;
    let samples = jobs.counts.iter().map(|it| {
        (
            format!(
                "{{kind=\"{}\",state=\"{}\"}}",
                label(&it.kind),
                it.state.as_str()
            ),
            it.count,
        )
    });
    out.add("lorelint_jobs", "gauge", "Jobs by kind and state.", samples);
    let now = app.now();
    let wait = jobs.oldest_due_at.map_or(0, |it| now.seconds_since(it));
    let wait = u64::try_from(wait).unwrap_or_default();
    out.add(
        "lorelint_job_wait_seconds",
        "gauge",
        "How long the oldest due job has waited.",
        [(String::new(), wait)],
    );
    let lists = app.store.lists().await?;
    let by_list =
        |it: &ListSummary, value: u64| (format!("{{list=\"{}\"}}", label(&it.address)), value);
    let samples = lists.iter().map(|it| by_list(it, it.mail_count));
    out.add("lorelint_mails", "gauge", "Stored mails.", samples);
    let samples = lists.iter().map(|it| by_list(it, it.refused_count));
    out.add(
        "lorelint_mails_refused",
        "gauge",
        "Mails that could not be read.",
        samples,
    );
    let http = app.http.by_class.iter().enumerate().skip(1);
    let samples = http.map(|(class, it)| {
        (
            format!("{{status=\"{class}xx\"}}"),
            it.load(Ordering::Relaxed),
        )
    });
    out.add(
        "lorelint_http_responses_total",
        "counter",
        "Requests answered.",
        samples,
    );
    Ok(out.text)
}

/// Metric families in the order in which they are added.
#[derive(Default)]
struct Families {
    text: String,
}

impl Families {
    fn add(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, u64)>,
    ) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', " ")
}

/// The process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers and the queue can be read.
pub(crate) async fn readyz(State(app): State<App>) -> (StatusCode, &'static str) {
    let is_ready = app.store.ping().await.is_ok()
        && app.store.jobs_summary().await.is_ok()
        && app
            .store
            .outbox_list(
                None,
                PageRequest {
                    after: None,
                    limit: 1,
                },
            )
            .await
            .is_ok();
    if is_ready {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
    }
}
