//! `/api/v1/lists`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::web::state::App;

use super::{ApiResult, ListJson};

#[derive(Serialize)]
pub(crate) struct ListSummaryJson {
    address: String,
    policy: &'static str,
    mail_count: u64,
    refused_count: u64,
    series_count: u64,
    last_mail_at: Option<String>,
}

pub(crate) async fn list(State(app): State<App>) -> ApiResult<ListJson<ListSummaryJson>> {
    let lists = app.store.lists().await?;
    let items = lists
        .into_iter()
        .map(|it| ListSummaryJson {
            address: it.address,
            policy: it.policy.as_str(),
            mail_count: it.mail_count,
            refused_count: it.refused_count,
            series_count: it.series_count,
            last_mail_at: it.last_mail_at.map(|it| it.to_string()),
        })
        .collect();
    Ok(Json(ListJson { items, next: None }))
}
