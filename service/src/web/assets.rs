//! The style sheet, under a name that changes with its content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::{PageError, WebError};

const STYLE: &str = include_str!("assets/style.css");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| {
    let hash = blake3::hash(STYLE.as_bytes()).to_hex();
    format!("style-{}.css", &hash[..12])
});

/// Where the style sheet is.
pub(crate) fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, PageError> {
    if name != *STYLE_NAME {
        return Err(WebError::NotFound(format!("There is no asset {name}.")).into());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((StatusCode::OK, headers, STYLE).into_response())
}
