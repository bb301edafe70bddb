//! `/message/{message-id}`: a mail as it came, shown as text.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::bot::text::visible;
use crate::model::MailView;
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::state::App;
use crate::web::{links, time};

use super::person;
use super::series_list::title;

/// Bytes of a mail that the page shows.
const MAX_SHOWN_BYTES: usize = 512 << 10;

struct Link {
    path: String,
    name: String,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    frame: Frame,
    subject: String,
    from: String,
    sent_at: String,
    message_id: String,
    parent: Option<Link>,
    lists: String,
    series_path: Option<String>,
    raw_path: String,
    size: String,
    raw: String,
    is_cut: bool,
}

async fn load(app: &App, message_id: &str) -> Result<(MailView, Vec<u8>), WebError> {
    let missing = || WebError::NotFound(format!("There is no mail with the id <{message_id}>."));
    let bare = message_id.trim_start_matches('<').trim_end_matches('>');
    let id = app
        .store
        .mail_by_message_id(bare)
        .await?
        .ok_or_else(missing)?;
    let (mail, _) = app.store.mail_view(id).await?.ok_or_else(missing)?;
    let raw = app.store.raw_mail(id).await?.ok_or_else(missing)?;
    Ok((mail, raw))
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(message_id): Path<String>,
) -> Result<Html<String>, PageError> {
    let (mail, raw) = load(&app, &message_id).await?;
    let summary = &mail.summary;
    let series = app.store.series_by_message_id(&summary.message_id).await?;
    let shown = &raw[..raw.len().min(MAX_SHOWN_BYTES)];
    let text: Vec<String> = String::from_utf8_lossy(shown)
        .lines()
        .map(visible)
        .collect();
    let view = MessagePage {
        frame: Frame::new(""),
        subject: title(&summary.subject),
        from: person(&summary.from),
        sent_at: time::minute(summary.sent_at),
        message_id: summary.message_id.clone(),
        parent: summary.in_reply_to.as_ref().map(|it| Link {
            path: links::message(it),
            name: it.clone(),
        }),
        lists: mail.lists.join(", "),
        series_path: series.map(links::series),
        raw_path: links::message_raw(&summary.message_id),
        size: format!("{} bytes", raw.len()),
        raw: text.join("\n"),
        is_cut: raw.len() > MAX_SHOWN_BYTES,
    };
    Ok(render(&view)?)
}

/// The bytes as they came, as text: the browser must not guess another type.
pub(crate) async fn raw(
    State(app): State<App>,
    Path(message_id): Path<String>,
) -> Result<Response, PageError> {
    let (_, raw) = load(&app, &message_id).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], raw).into_response())
}
