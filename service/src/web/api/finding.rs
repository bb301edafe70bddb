//! `/api/v1/findings`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Serialize;

use crate::model::{Finding, FindingRow};
use crate::web::error::WebError;
use crate::web::pages::findings::{FindingsQuery, load_one};
use crate::web::state::App;

use super::{ApiResult, ListJson};

/// One function of a call chain, as `lorelint check --format json` has it.
#[derive(Serialize)]
pub(crate) struct HopJson {
    function: String,
    file: String,
    line: u32,
    via: &'static str,
    through: String,
}

#[derive(Serialize)]
pub(crate) struct PlaceJson {
    file: String,
    line: u32,
    message: String,
}

#[derive(Serialize)]
pub(crate) struct AnchorJson {
    file: String,
    line: u32,
}

/// The fields of `lorelint`'s findings, and what the service knows beside them.
#[derive(Serialize)]
pub(crate) struct FindingJson {
    rule: String,
    severity: &'static str,
    confidence: &'static str,
    file: String,
    line: u32,
    column: u32,
    function: String,
    statement: String,
    contexts: Vec<String>,
    path: Vec<HopJson>,
    message: String,
    help: String,
    related: Vec<PlaceJson>,
    fingerprint: String,
    state: &'static str,
    anchor: Option<AnchorJson>,
    in_diff: bool,
    seen_in_versions: Vec<u32>,
}

impl FindingJson {
    pub(crate) fn of(finding: &Finding) -> Self {
        let detail = finding.detail.clone();
        Self {
            rule: detail.rule,
            severity: detail.severity.as_str(),
            confidence: detail.confidence.as_str(),
            file: detail.file,
            line: detail.line,
            column: detail.column,
            function: detail.function,
            statement: detail.statement,
            contexts: detail.contexts,
            path: detail
                .path
                .into_iter()
                .map(|it| HopJson {
                    function: it.function,
                    file: it.file,
                    line: it.line,
                    via: it.via.as_str(),
                    through: it.through,
                })
                .collect(),
            message: detail.message,
            help: detail.help,
            related: detail
                .related
                .into_iter()
                .map(|it| PlaceJson {
                    file: it.file,
                    line: it.line,
                    message: it.message,
                })
                .collect(),
            fingerprint: detail.fingerprint,
            state: detail.state.as_str(),
            anchor: detail.anchor.map(|it| AnchorJson {
                file: it.file,
                line: it.line,
            }),
            in_diff: detail.in_diff,
            seen_in_versions: finding.seen_in_versions.clone(),
        }
    }
}

/// A finding and the series that has it.
#[derive(Serialize)]
pub(crate) struct FindingRowJson {
    series: i64,
    series_title: String,
    series_version: u32,
    found_at: String,
    finding: FindingJson,
}

fn row(row: &FindingRow) -> FindingRowJson {
    FindingRowJson {
        series: row.finding.series.0,
        series_title: row.series_title.clone(),
        series_version: row.series_version,
        found_at: row.found_at.to_string(),
        finding: FindingJson::of(&row.finding),
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<FindingsQuery>, QueryRejection>,
) -> ApiResult<ListJson<FindingRowJson>> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let page = query.load(&app).await?;
    Ok(Json(ListJson {
        items: page.items.iter().map(row).collect(),
        next: page
            .next
            .map(|it| query.next("/api/v1/findings", &it.to_string())),
    }))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(fingerprint): Path<String>,
) -> ApiResult<ListJson<FindingRowJson>> {
    let rows = load_one(&app, &fingerprint).await?;
    Ok(Json(ListJson {
        items: rows.iter().map(row).collect(),
        next: None,
    }))
}
