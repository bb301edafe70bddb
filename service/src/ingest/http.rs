//! Mails that a program hands over by HTTP: `POST /api/v1/lists/{address}/mails` with a token of that list.
//!
//! The body is one mail, or an mbox. It is answered when everything is stored, so that the sender may forget it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::Semaphore;

use super::run::hand_over;
use super::source::{RawMail, RawStep};
use super::token::token_hash;
use crate::model::Timestamp;
use crate::store::{AcceptedToken, Store, StoreError};

/// Of one request: larger archives are what `lorelintd ingest` is for.
const MAX_BODY_BYTES: usize = 32 << 20;
/// Bodies in memory at once.
const MAX_REQUESTS: usize = 2;
/// For the whole body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// For a turn, before the sender is told to come back.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone)]
struct Inbox {
    store: Store,
    clock: fn() -> Timestamp,
    turns: Arc<Semaphore>,
}

/// The route, to be merged with the pages of the web role.
pub fn router(store: Store, clock: fn() -> Timestamp) -> Router {
    Router::new()
        .route("/api/v1/lists/{address}/mails", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Inbox {
            store,
            clock,
            turns: Arc::new(Semaphore::new(MAX_REQUESTS)),
        })
}

/// Why nothing was stored.
enum Refusal {
    NoToken,
    OtherList,
    Empty,
    Slow,
    Body(StatusCode, String),
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let answer = |status: StatusCode, detail: String| {
            (status, Json(json!({ "detail": detail }))).into_response()
        };
        let busy = |detail: &str| {
            let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, detail.to_owned());
            let seconds = header::HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        };
        match self {
            Self::NoToken => {
                let detail = "This needs the header \"Authorization: Bearer TOKEN\" with a token that \
                    `lorelintd token create` made and nobody revoked.";
                let mut response = answer(StatusCode::UNAUTHORIZED, detail.to_owned());
                let scheme = header::HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, scheme);
                response
            }
            Self::OtherList => answer(
                StatusCode::FORBIDDEN,
                "The token is for another list.".to_owned(),
            ),
            Self::Empty => answer(
                StatusCode::BAD_REQUEST,
                "The body holds no mail.".to_owned(),
            ),
            Self::Slow => answer(
                StatusCode::REQUEST_TIMEOUT,
                format!("The body did not arrive in {} s.", BODY_TIMEOUT.as_secs()),
            ),
            Self::Body(StatusCode::PAYLOAD_TOO_LARGE, _) => answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The body has more than {MAX_BODY_BYTES} bytes: send less at once, or use `lorelintd ingest`."
                ),
            ),
            Self::Body(status, detail) => answer(status, detail),
            Self::Store(StoreError::Locked) => busy("The database is busy: try again in a moment."),
            Self::Store(error) => {
                tracing::error!("mails that were handed over could not be stored: {error}");
                busy(
                    "The mails could not be stored; the log of the service says why. Try again later.",
                )
            }
        }
    }
}

async fn receive(
    State(inbox): State<Inbox>,
    Path(address): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let token = accepted(&inbox.store, request.headers()).await?;
    if !token.address.eq_ignore_ascii_case(&address) {
        return Err(Refusal::OtherList);
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|it| it > MAX_BODY_BYTES as u64) {
        return Err(Refusal::Body(StatusCode::PAYLOAD_TOO_LARGE, String::new()));
    }
    // Before the body is read: whoever waits costs no memory.
    let turn = tokio::time::timeout(TURN_TIMEOUT, inbox.turns.acquire());
    let Ok(Ok(_turn)) = turn.await else {
        return Err(StoreError::Locked.into());
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Refusal::Slow)?
        .map_err(|it| Refusal::Body(it.status(), it.body_text()))?;
    let raw = split(&body);
    drop(body);
    if raw.mails.is_empty() {
        return Err(Refusal::Empty);
    }
    let (counts, refusals) = hand_over(&inbox.store, &token, raw, (inbox.clock)()).await?;
    let refusals: Vec<_> = refusals
        .into_iter()
        .map(|it| json!({"place": it.place, "reason": it.reason}))
        .collect();
    let answer = json!({
        "read": counts.read,
        "stored": counts.stored,
        "known": counts.known,
        "refused": counts.refused,
        "series": counts.series,
        "refusals": refusals,
    });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

async fn accepted(store: &Store, headers: &HeaderMap) -> Result<AcceptedToken, Refusal> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok());
    let token = value
        .and_then(|it| it.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return Err(Refusal::NoToken);
    };
    let accepted = store.accept_token(token_hash(token)).await?;
    accepted.ok_or(Refusal::NoToken)
}

/// An mbox is known by its first line; anything else is one mail.
fn split(body: &[u8]) -> RawStep {
    let mut step = RawStep::default();
    let split = lorelint_mail::mbox::split(body);
    if split.leading_garbage > 0 {
        step.mails
            .extend((!body.trim_ascii().is_empty()).then(|| RawMail {
                bytes: body.to_vec(),
                place: "0".to_owned(),
                archived: None,
            }));
        return step;
    }
    step.mails.extend(split.map(|it| RawMail {
        bytes: it.mail.into_owned(),
        place: it.offset.to_string(),
        archived: None,
    }));
    step
}
