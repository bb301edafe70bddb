//! All routes, and the limits that hold for every request.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::api;
use super::assets::asset;
use super::error::{ApiError, WebError, error_page};
use super::metrics;
use super::pages;
use super::state::App;

/// No page takes a body; what is larger is refused unread.
const MAX_BODY_BYTES: usize = 64 << 10;
/// A request that takes longer is answered with 503.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// No scripts, no inline styles, no frames, nothing from elsewhere. `data:` is the empty icon.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// The whole of the web role.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(page_routes())
        .merge(api_routes())
        .route("/healthz", get(metrics::healthz))
        .route("/readyz", get(metrics::readyz))
        .route("/metrics", get(metrics::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .layer(CatchPanicLayer::custom(|_| {
            error_page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This request failed; the log of the service says why.".to_owned(),
            )
        }))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(always(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "same-origin"))
        .layer(always(header::X_FRAME_OPTIONS, "DENY"))
        .with_state(app)
}

fn page_routes() -> Router<App> {
    Router::new()
        .route("/", get(pages::series_list::page))
        .route("/series/{id}", get(pages::series::page))
        .route("/message/{message_id}", get(pages::message::page))
        .route("/message/{message_id}/raw", get(pages::message::raw))
        .route("/findings", get(pages::findings::list))
        .route("/findings/{fingerprint}", get(pages::findings::one))
        .route("/rules", get(pages::rules::list))
        .route("/rules/{name}", get(pages::rules::one))
        .route("/outbox", get(pages::outbox::list))
        .route("/outbox/{id}", get(pages::outbox::one))
        .route("/lists", get(pages::lists::page))
        .route("/jobs", get(pages::jobs::page))
        .route("/assets/{name}", get(asset))
}

fn api_routes() -> Router<App> {
    Router::new()
        .route("/api/v1/series", get(api::series::list))
        .route("/api/v1/series/{id}", get(api::series::one))
        .route("/api/v1/findings", get(api::finding::list))
        .route("/api/v1/findings/{fingerprint}", get(api::finding::one))
        .route("/api/v1/rules", get(api::rules::list))
        .route("/api/v1/rules/{name}", get(api::rules::one))
        .route("/api/v1/outbox", get(api::outbox::list))
        .route("/api/v1/outbox/{id}", get(api::outbox::one))
        .route("/api/v1/lists", get(api::lists::list))
        .route("/api/v1/openapi.json", get(api::openapi::serve))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

async fn not_found(uri: Uri) -> Response {
    let message = format!("There is no page {}.", uri.path());
    if uri.path().starts_with("/api/") {
        return ApiError::from(WebError::NotFound(message)).into_response();
    }
    error_page(StatusCode::NOT_FOUND, message)
}

async fn not_allowed() -> Response {
    error_page(
        StatusCode::METHOD_NOT_ALLOWED,
        "Pages can be read only.".to_owned(),
    )
}
