//! The one mapping from what went wrong to a status and a page or a JSON body. The database's words stay in the log.

use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use crate::store::StoreError;

use super::frame::{Frame, render};

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// The message is shown.
    #[error("{0}")]
    NotFound(String),
    /// The message is shown.
    #[error("{0}")]
    BadRequest(String),
    /// Only that it failed is shown.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// Only that it failed is shown.
    #[error("a page could not be rendered: {0}")]
    Render(#[source] askama::Error),
}

impl WebError {
    fn answer(&self) -> (StatusCode, String) {
        match self {
            Self::NotFound(message) => (StatusCode::NOT_FOUND, message.clone()),
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, message.clone()),
            Self::Store(StoreError::Locked) => {
                let message = "The database is busy: try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
            }
            Self::Store(_) | Self::Render(_) => {
                tracing::error!(error = %self, "a request failed: {self}");
                let message = "This request failed; the log of the service says why.";
                (StatusCode::INTERNAL_SERVER_ERROR, message.to_owned())
            }
        }
    }
}

/// Shown as a page.
#[derive(Debug)]
pub(crate) struct PageError(WebError);

impl<E: Into<WebError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Shown as `{"detail": …}`.
#[derive(Debug)]
pub(crate) struct ApiError(WebError);

impl<E: Into<WebError>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    status: String,
    message: String,
}

/// The page of a status.
pub(crate) fn error_page(status: StatusCode, message: String) -> Response {
    let page = ErrorPage {
        frame: Frame::new(""),
        status: status.to_string(),
        message,
    };
    let html = render(&page).unwrap_or_else(|_| Html(String::from("The page failed.")));
    (status, html).into_response()
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, message) = self.0.answer();
        error_page(status, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, message) = self.0.answer();
        (status, Json(json!({ "detail": message }))).into_response()
    }
}
