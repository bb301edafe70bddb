//! `/api/v1/series`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Serialize;

use crate::model::{
    MailSummary, PatchView, Person, Review, SeriesPage, SeriesSummary, VersionLink,
};
use crate::web::error::WebError;
use crate::web::pages::series::load;
use crate::web::pages::series_list::SeriesQuery;
use crate::web::state::App;

use super::finding::FindingJson;
use super::outbox::OutboxEntryJson;
use super::{ApiResult, ListJson};

#[derive(Serialize)]
struct PersonJson {
    name: String,
    address: String,
}

impl PersonJson {
    fn of(person: &Person) -> Self {
        Self {
            name: person.name.clone(),
            address: person.address.clone(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SeriesJson {
    id: i64,
    title: String,
    author: PersonJson,
    version: u32,
    version_fraction: Option<u32>,
    total: u32,
    received: u32,
    state: &'static str,
    review: &'static str,
    sent_at: String,
    active_at: String,
    lists: Vec<String>,
    new_count: u32,
    new_error_count: u32,
    fixed_count: u32,
    reply_count: u32,
}

impl SeriesJson {
    fn of(series: &SeriesSummary) -> Self {
        Self {
            id: series.id.0,
            title: series.title.clone(),
            author: PersonJson::of(&series.author),
            version: series.version,
            version_fraction: series.fraction,
            total: series.total,
            received: series.received,
            state: series.state.as_str(),
            review: series.review.as_str(),
            sent_at: series.sent_at.to_string(),
            active_at: series.active_at.to_string(),
            lists: series.lists.clone(),
            new_count: series.new_count,
            new_error_count: series.new_error_count,
            fixed_count: series.fixed_count,
            reply_count: series.reply_count,
        }
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<SeriesQuery>, QueryRejection>,
) -> ApiResult<ListJson<SeriesJson>> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let page = query.load(&app).await?;
    Ok(Json(ListJson {
        items: page.items.iter().map(SeriesJson::of).collect(),
        next: page
            .next
            .map(|it| query.next("/api/v1/series", &it.to_string())),
    }))
}

#[derive(Serialize)]
struct VersionJson {
    id: i64,
    version: u32,
    version_fraction: Option<u32>,
    state: &'static str,
    review: &'static str,
    sent_at: String,
    new_count: u32,
    fixed_count: u32,
}

fn version(it: &VersionLink) -> VersionJson {
    VersionJson {
        id: it.id.0,
        version: it.version,
        version_fraction: it.fraction,
        state: it.state.as_str(),
        review: it.review.as_str(),
        sent_at: it.sent_at.to_string(),
        new_count: it.new_count,
        fixed_count: it.fixed_count,
    }
}

#[derive(Serialize)]
struct BaseJson {
    tree: String,
    rev: String,
    how: &'static str,
    why: String,
}

#[derive(Serialize)]
struct GapJson {
    file: String,
    line: u32,
    what: String,
}

#[derive(Serialize)]
struct WarningJson {
    rule: String,
    message: String,
}

#[derive(Serialize)]
struct ReviewJson {
    state: &'static str,
    reason: Option<String>,
    base: Option<BaseJson>,
    final_tree: Option<String>,
    finished_at: String,
    duration_ms: u64,
    unchanged: u64,
    gaps: Vec<GapJson>,
    warnings: Vec<WarningJson>,
}

fn review(review: &Review) -> ReviewJson {
    let review = review.clone();
    ReviewJson {
        state: review.state.as_str(),
        reason: review.reason,
        base: review.base.map(|it| BaseJson {
            tree: it.tree,
            rev: it.rev,
            how: it.how.as_str(),
            why: it.why,
        }),
        final_tree: review.final_tree,
        finished_at: review.finished_at.to_string(),
        duration_ms: review.duration_ms,
        unchanged: review.unchanged_count,
        gaps: review
            .gaps
            .into_iter()
            .map(|it| GapJson {
                file: it.file,
                line: it.line,
                what: it.what,
            })
            .collect(),
        warnings: review
            .warnings
            .into_iter()
            .map(|it| WarningJson {
                rule: it.rule,
                message: it.message,
            })
            .collect(),
    }
}

#[derive(Serialize)]
struct PatchJson {
    index: u32,
    subject: String,
    message_id: Option<String>,
    state: &'static str,
    reason: Option<String>,
    new: Vec<FindingJson>,
    fixed: Vec<FindingJson>,
}

fn patch(it: &PatchView) -> PatchJson {
    PatchJson {
        index: it.index,
        subject: it.subject.clone(),
        message_id: it.mail.as_ref().map(|it| it.summary.message_id.clone()),
        state: it.state.as_str(),
        reason: it.reason.clone(),
        new: it.new.iter().map(FindingJson::of).collect(),
        fixed: it.fixed.iter().map(FindingJson::of).collect(),
    }
}

#[derive(Serialize)]
struct MailJson {
    message_id: String,
    from: PersonJson,
    subject: String,
    sent_at: String,
    in_reply_to: Option<String>,
}

fn mail(it: &MailSummary) -> MailJson {
    MailJson {
        message_id: it.message_id.clone(),
        from: PersonJson::of(&it.from),
        subject: it.subject.clone(),
        sent_at: it.sent_at.to_string(),
        in_reply_to: it.in_reply_to.clone(),
    }
}

/// Everything that the page of the series shows, without the diffs.
#[derive(Serialize)]
pub(crate) struct SeriesPageJson {
    series: SeriesJson,
    cover: Option<MailJson>,
    versions: Vec<VersionJson>,
    reasons: Vec<String>,
    review: Option<ReviewJson>,
    patches: Vec<PatchJson>,
    new: Vec<FindingJson>,
    fixed: Vec<FindingJson>,
    since: Option<u32>,
    addressed: Vec<FindingJson>,
    replies: Vec<MailJson>,
    outbox: Vec<OutboxEntryJson>,
    policy: &'static str,
}

fn series_page(page: &SeriesPage) -> SeriesPageJson {
    SeriesPageJson {
        series: SeriesJson::of(&page.summary),
        cover: page.cover.as_ref().map(|it| mail(&it.summary)),
        versions: page.versions.iter().map(version).collect(),
        reasons: page.reasons.clone(),
        review: page.review.as_ref().map(review),
        patches: page.patches.iter().map(patch).collect(),
        new: page.new.iter().map(FindingJson::of).collect(),
        fixed: page.fixed.iter().map(FindingJson::of).collect(),
        since: page.since,
        addressed: page.addressed.iter().map(FindingJson::of).collect(),
        replies: page.replies.iter().map(mail).collect(),
        outbox: page.outbox.iter().map(OutboxEntryJson::of).collect(),
        policy: page.policy.as_str(),
    }
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<SeriesPageJson> {
    let page = load(&app, &id).await?;
    Ok(Json(series_page(&page)))
}
