//! `/api/v1/outbox`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Serialize;

use crate::model::OutboxEntry;
use crate::web::error::WebError;
use crate::web::pages::outbox::{OutboxQuery, load_one};
use crate::web::state::App;

use super::{ApiResult, ListJson};

#[derive(Serialize)]
pub(crate) struct OutboxEntryJson {
    id: i64,
    series: i64,
    list: String,
    state: &'static str,
    reason: String,
    subject: String,
    to: Vec<String>,
    created_at: String,
    sent_at: Option<String>,
}

impl OutboxEntryJson {
    pub(crate) fn of(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.id.0,
            series: entry.series.0,
            list: entry.list.clone(),
            state: entry.state.as_str(),
            reason: entry.reason.clone(),
            subject: entry.subject.clone(),
            to: entry.to.clone(),
            created_at: entry.created_at.to_string(),
            sent_at: entry.sent_at.map(|it| it.to_string()),
        }
    }
}

/// One reply with the whole mail.
#[derive(Serialize)]
pub(crate) struct OutboxItemJson {
    entry: OutboxEntryJson,
    message_id: String,
    in_reply_to: String,
    cc: Vec<String>,
    raw: String,
}

pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<OutboxQuery>, QueryRejection>,
) -> ApiResult<ListJson<OutboxEntryJson>> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let page = query.load(&app).await?;
    Ok(Json(ListJson {
        items: page.items.iter().map(OutboxEntryJson::of).collect(),
        next: page
            .next
            .map(|it| query.next("/api/v1/outbox", &it.to_string())),
    }))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<OutboxItemJson> {
    let item = load_one(&app, &id).await?;
    Ok(Json(OutboxItemJson {
        entry: OutboxEntryJson::of(&item.entry),
        message_id: item.message_id,
        in_reply_to: item.in_reply_to,
        cc: item.cc,
        raw: item.raw,
    }))
}
