//! `/outbox` and `/outbox/{id}`: replies as they would be sent, and why they wait.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use serde::Deserialize;

use crate::bot::text::visible;
use crate::model::{OutboxEntry, OutboxId, OutboxItem, OutboxState, Page, Timestamp};
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::query::{self, Choice, choices};
use crate::web::state::App;
use crate::web::{links, time};

use super::outbox_class;
use super::series_list::title;

/// The query of the page and of the API's list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OutboxQuery {
    state: Option<String>,
    after: Option<String>,
    per_page: Option<String>,
}

impl OutboxQuery {
    fn state(&self) -> Result<Option<OutboxState>, WebError> {
        query::one_of(
            "state",
            self.state.as_deref(),
            OutboxState::ALL,
            OutboxState::as_str,
        )
    }

    pub(crate) fn next(&self, path: &str, after: &str) -> String {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let pairs = [
            ("state", text(&self.state)),
            ("per_page", text(&self.per_page)),
        ];
        let mut pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        pairs.push(("after", after));
        links::with_query(path, &pairs)
    }

    pub(crate) async fn load(&self, app: &App) -> Result<Page<OutboxEntry>, WebError> {
        let request = query::page(self.after.as_deref(), self.per_page.as_deref())?;
        Ok(app.store.outbox_list(self.state()?, request).await?)
    }
}

struct Row {
    class: &'static str,
    state: &'static str,
    path: String,
    subject: String,
    to: String,
    list: String,
    reason: String,
    created_at: String,
    age: String,
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage {
    frame: Frame,
    states: Vec<Choice>,
    rows: Vec<Row>,
    next: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<OutboxQuery>, QueryRejection>,
) -> Result<Html<String>, PageError> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let page = query.load(&app).await?;
    let now = app.now();
    let view = OutboxPage {
        frame: Frame::new("/outbox"),
        states: choices(
            OutboxState::ALL.iter().map(|it| it.as_str()),
            query.state()?.map(OutboxState::as_str),
        ),
        rows: page.items.iter().map(|it| row(it, now)).collect(),
        next: page.next.map(|it| query.next("/outbox", &it.to_string())),
    };
    Ok(render(&view)?)
}

fn row(entry: &OutboxEntry, now: Timestamp) -> Row {
    Row {
        class: outbox_class(entry.state),
        state: entry.state.as_str(),
        path: links::outbox(entry.id),
        subject: title(&entry.subject),
        to: entry.to.join(", "),
        list: entry.list.clone(),
        reason: entry.reason.clone(),
        created_at: entry.created_at.to_string(),
        age: time::age(now, entry.created_at),
    }
}

#[derive(Template)]
#[template(path = "outbox_item.html")]
struct OutboxItemPage {
    frame: Frame,
    id: OutboxId,
    class: &'static str,
    state: &'static str,
    reason: String,
    subject: String,
    to: String,
    cc: String,
    in_reply_to: String,
    parent_path: String,
    series: i64,
    series_path: String,
    created_at: String,
    sent_at: Option<String>,
    is_waiting: bool,
    raw: String,
}

/// Loads a reply or says that there is none.
pub(crate) async fn load_one(app: &App, id: &str) -> Result<OutboxItem, WebError> {
    let missing = || WebError::NotFound(format!("There is no reply {id} in the outbox."));
    let id = OutboxId::parse(id).ok_or_else(missing)?;
    app.store.outbox_item(id).await?.ok_or_else(missing)
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let item = load_one(&app, &id).await?;
    let raw: Vec<String> = item.raw.lines().map(visible).collect();
    let entry = &item.entry;
    let view = OutboxItemPage {
        frame: Frame::new("/outbox"),
        id: entry.id,
        class: outbox_class(entry.state),
        state: entry.state.as_str(),
        reason: entry.reason.clone(),
        subject: title(&entry.subject),
        to: entry.to.join(", "),
        cc: item.cc.join(", "),
        in_reply_to: item.in_reply_to.clone(),
        parent_path: links::message(&item.in_reply_to),
        series: entry.series.0,
        series_path: links::series(entry.series),
        created_at: time::minute(entry.created_at),
        sent_at: entry.sent_at.map(time::minute),
        is_waiting: entry.state == OutboxState::Pending,
        raw: raw.join("\n"),
    };
    Ok(render(&view)?)
}
