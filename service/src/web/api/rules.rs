//! `/api/v1/rules`.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use crate::model::RuleCount;
use crate::report::rules::{self, RuleDoc};
use crate::web::pages::rules::find;
use crate::web::state::App;

use super::{ApiResult, ListJson};

#[derive(Serialize)]
pub(crate) struct RuleJson {
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    new_count: u64,
    fixed_count: u64,
    series_count: u64,
    /// Markdown; only where one rule is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    docs: Option<&'static str>,
}

fn rule(rule: &RuleDoc, counts: &[RuleCount]) -> RuleJson {
    let count = counts.iter().find(|it| it.rule == rule.name);
    RuleJson {
        name: rule.name,
        severity: rule.severity.as_str(),
        summary: rule.summary,
        new_count: count.map_or(0, |it| it.new_count),
        fixed_count: count.map_or(0, |it| it.fixed_count),
        series_count: count.map_or(0, |it| it.series_count),
        docs: None,
    }
}

pub(crate) async fn list(State(app): State<App>) -> ApiResult<ListJson<RuleJson>> {
    let counts = app.store.rule_counts().await?;
    let items = rules::all().iter().map(|it| rule(it, &counts)).collect();
    Ok(Json(ListJson { items, next: None }))
}

pub(crate) async fn one(State(app): State<App>, Path(name): Path<String>) -> ApiResult<RuleJson> {
    let found = find(&name)?;
    let counts = app.store.rule_counts().await?;
    Ok(Json(RuleJson {
        docs: Some(found.docs),
        ..rule(&found, &counts)
    }))
}
