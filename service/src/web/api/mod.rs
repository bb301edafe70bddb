//! `/api/v1`: the same as the pages, as JSON with response types of its own.

pub(crate) mod finding;
pub(crate) mod lists;
pub(crate) mod openapi;
pub(crate) mod outbox;
pub(crate) mod rules;
pub(crate) mod series;

use axum::Json;
use serde::Serialize;

use super::error::ApiError;

/// What every handler of the API gives.
pub(crate) type ApiResult<T> = Result<Json<T>, ApiError>;

/// One page of a list.
#[derive(Serialize)]
pub(crate) struct ListJson<T> {
    pub items: Vec<T>,
    /// Path and query of the next page; null on the last.
    pub next: Option<String>,
}
