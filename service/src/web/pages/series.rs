//! `/series/{id}`: one version of a series, its patches, and each finding at its line.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::model::{
    Finding, MailView, OutboxEntry, PatchState, PatchView, Review, ReviewState, SeriesId,
    SeriesPage, version_label,
};
use crate::web::diff_view::{FileView, diff_view};
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::remark_view::{RemarkView, seen, severity_class};
use crate::web::state::App;
use crate::web::{links, time};

use super::series_list::title;
use super::{mail_text, outbox_class, patch_class, person};

struct MailHead {
    from: String,
    sent_at: String,
    subject: String,
    path: String,
    message_id: String,
    text: String,
}

struct VersionView {
    version: String,
    path: String,
    is_here: bool,
    review: &'static str,
    new_count: u32,
    fixed_count: u32,
}

struct BaseView {
    tree: String,
    rev: String,
    how: &'static str,
    why: String,
}

struct NetView {
    class: &'static str,
    label: &'static str,
    rule: String,
    rule_path: String,
    place: String,
    function: String,
    statement: String,
    finding_path: String,
    seen: String,
}

struct PatchRow {
    index: u32,
    place: String,
    subject: String,
    is_missing: bool,
    state: &'static str,
    state_class: &'static str,
    reason: Option<String>,
    new_count: usize,
    new_class: &'static str,
    fixed_count: usize,
    mail: Option<MailHead>,
    loose: Vec<RemarkView>,
    fixed: Vec<RemarkView>,
    files: Vec<FileView>,
    hidden_lines: usize,
}

struct GapView {
    place: String,
    what: String,
}

struct OutboxView {
    class: &'static str,
    state: &'static str,
    path: String,
    subject: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "series.html")]
struct SeriesView {
    frame: Frame,
    title: String,
    version: String,
    alert: Option<String>,
    new_count: u32,
    new_class: &'static str,
    fixed_count: u32,
    is_linted: bool,
    unchanged: String,
    author: String,
    lists: String,
    policy: &'static str,
    sent_at: String,
    age: String,
    state: &'static str,
    received: String,
    review: &'static str,
    run: String,
    base: Option<BaseView>,
    versions: Vec<VersionView>,
    reasons: Vec<String>,
    net_new: Vec<NetView>,
    net_fixed: Vec<NetView>,
    since: u32,
    addressed: Vec<NetView>,
    progress: Option<String>,
    cover: Option<MailHead>,
    patches: Vec<PatchRow>,
    gaps: Vec<GapView>,
    warnings: Vec<crate::model::Warning>,
    outbox: Vec<OutboxView>,
    replies: Vec<MailHead>,
}

/// Loads a series or says that there is none.
pub(crate) async fn load(app: &App, id: &str) -> Result<SeriesPage, WebError> {
    let missing = || WebError::NotFound(format!("There is no series {id}."));
    let id = SeriesId::parse(id).ok_or_else(missing)?;
    app.store.series_page(id).await?.ok_or_else(missing)
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let page = load(&app, &id).await?;
    if page.summary.id.to_string() != id {
        return Ok(Redirect::permanent(&links::series(page.summary.id)).into_response());
    }
    // Laying out a large series takes long enough to hold up other requests of this thread.
    let view = tokio::task::spawn_blocking(move || render(&view(&app, &page)))
        .await
        .map_err(|it| WebError::Render(askama::Error::Custom(Box::new(it))))?;
    Ok(view?.into_response())
}

fn view(app: &App, page: &SeriesPage) -> SeriesView {
    let summary = &page.summary;
    let review = page.review.as_ref();
    let is_linted = matches!(summary.review, ReviewState::Linted | ReviewState::Partial);
    SeriesView {
        frame: Frame::new("/"),
        title: title(&summary.title),
        version: version_label(summary.version, summary.fraction),
        alert: review.and_then(|it| it.reason.clone()),
        new_count: summary.new_count,
        new_class: if summary.new_error_count > 0 {
            "error"
        } else {
            "note"
        },
        fixed_count: summary.fixed_count,
        is_linted,
        unchanged: review.filter(|_| is_linted).map_or_else(String::new, |it| {
            format!("{} unchanged", it.unchanged_count)
        }),
        author: person(&summary.author),
        lists: summary.lists.join(", "),
        policy: page.policy.as_str(),
        sent_at: time::minute(summary.sent_at),
        age: time::age(app.now(), summary.sent_at),
        state: summary.state.as_str(),
        received: format!("{} of {} patches here", summary.received, summary.total),
        review: summary.review.as_str(),
        run: review.map_or_else(String::new, run),
        base: review.and_then(base),
        versions: versions(page),
        reasons: page.reasons.clone(),
        net_new: page.new.iter().map(net).collect(),
        net_fixed: page.fixed.iter().map(net).collect(),
        since: page.since.unwrap_or_default(),
        addressed: page.addressed.iter().map(net).collect(),
        progress: page.progress().filter(|_| is_linted),
        cover: page.cover.as_ref().map(mail_head),
        patches: page
            .patches
            .iter()
            .map(|it| patch_row(it, summary.total))
            .collect(),
        gaps: review.map_or_else(Vec::new, gaps),
        warnings: review.map_or_else(Vec::new, |it| it.warnings.clone()),
        outbox: page.outbox.iter().map(outbox).collect(),
        replies: page.replies.iter().map(reply).collect(),
    }
}

fn run(review: &Review) -> String {
    let Review {
        duration_ms,
        finished_at,
        ..
    } = review;
    format!(
        "in {}.{:01} s at {}",
        duration_ms / 1000,
        duration_ms % 1000 / 100,
        time::minute(*finished_at)
    )
}

fn base(review: &Review) -> Option<BaseView> {
    let base = review.base.as_ref()?;
    Some(BaseView {
        tree: base.tree.clone(),
        rev: base.rev.get(..12).unwrap_or(&base.rev).to_owned(),
        how: base.how.as_str(),
        why: base.why.clone(),
    })
}

fn versions(page: &SeriesPage) -> Vec<VersionView> {
    page.versions
        .iter()
        .map(|it| VersionView {
            version: version_label(it.version, it.fraction),
            path: links::series(it.id),
            is_here: it.id == page.summary.id,
            review: it.review.as_str(),
            new_count: it.new_count,
            fixed_count: it.fixed_count,
        })
        .collect()
}

fn net(finding: &Finding) -> NetView {
    let detail = &finding.detail;
    let severity = severity_class(detail.severity);
    NetView {
        class: severity,
        label: severity,
        rule: detail.rule.clone(),
        rule_path: links::rule(&detail.rule),
        place: format!("{}:{}", detail.file, detail.line),
        function: detail.function.clone(),
        statement: detail.statement.clone(),
        finding_path: links::finding(&detail.fingerprint),
        seen: seen(&finding.seen_in_versions),
    }
}

fn mail_head(mail: &MailView) -> MailHead {
    MailHead {
        text: mail_text(&mail.text),
        ..reply(&mail.summary)
    }
}

fn reply(mail: &crate::model::MailSummary) -> MailHead {
    MailHead {
        from: person(&mail.from),
        sent_at: time::minute(mail.sent_at),
        subject: title(&mail.subject),
        path: links::message(&mail.message_id),
        message_id: mail.message_id.clone(),
        text: String::new(),
    }
}

fn patch_row(patch: &PatchView, total: u32) -> PatchRow {
    let diff = diff_view(&patch.diff, &patch.new, &patch.fixed);
    PatchRow {
        index: patch.index,
        place: format!("{}/{total}", patch.index),
        subject: title(&patch.subject),
        is_missing: patch.state == PatchState::Missing,
        state: patch.state.as_str(),
        state_class: patch_class(patch.state),
        reason: patch.reason.clone(),
        new_count: patch.new.len(),
        new_class: patch
            .new
            .iter()
            .map(|it| it.detail.severity)
            .max()
            .map_or("", severity_class),
        fixed_count: patch.fixed.len(),
        mail: patch.mail.as_ref().map(mail_head),
        loose: diff.loose,
        fixed: patch.fixed.iter().map(RemarkView::of).collect(),
        files: diff.files,
        hidden_lines: diff.hidden_lines,
    }
}

fn gaps(review: &Review) -> Vec<GapView> {
    review
        .gaps
        .iter()
        .map(|it| GapView {
            place: format!("{}:{}", it.file, it.line),
            what: it.what.clone(),
        })
        .collect()
}

fn outbox(entry: &OutboxEntry) -> OutboxView {
    OutboxView {
        class: outbox_class(entry.state),
        state: entry.state.as_str(),
        path: links::outbox(entry.id),
        subject: title(&entry.subject),
        reason: entry.reason.clone(),
    }
}
