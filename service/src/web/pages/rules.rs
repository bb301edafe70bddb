//! `/rules` and `/rules/{name}`.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;

use crate::report::rules::{self, RuleDoc};
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::links;
use crate::web::rule_docs::to_html;
use crate::web::state::App;

struct Row {
    name: String,
    path: String,
    severity: &'static str,
    summary: String,
    new_count: u64,
    new_path: String,
    fixed_count: u64,
    fixed_path: String,
    series_count: u64,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    frame: Frame,
    rows: Vec<Row>,
}

pub(crate) async fn list(State(app): State<App>) -> Result<Html<String>, PageError> {
    let counts = app.store.rule_counts().await?;
    let rows = rules::all().into_iter().map(|rule| {
        let count = counts.iter().find(|it| it.rule == rule.name);
        let query =
            |state| links::with_query("/findings", &[("rule", rule.name), ("state", state)]);
        Row {
            name: rule.name.to_owned(),
            path: links::rule(rule.name),
            severity: rule.severity.as_str(),
            summary: rule.summary.to_owned(),
            new_count: count.map_or(0, |it| it.new_count),
            new_path: query("new"),
            fixed_count: count.map_or(0, |it| it.fixed_count),
            fixed_path: query("fixed"),
            series_count: count.map_or(0, |it| it.series_count),
        }
    });
    Ok(render(&RulesPage {
        frame: Frame::new("/rules"),
        rows: rows.collect(),
    })?)
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    frame: Frame,
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    findings_path: String,
    docs: String,
}

/// The rule of that name, or an error that names the page of all.
pub(crate) fn find(name: &str) -> Result<RuleDoc, WebError> {
    rules::all()
        .into_iter()
        .find(|it| it.name == name)
        .ok_or_else(|| WebError::NotFound(format!("There is no rule {name}; /rules lists them.")))
}

pub(crate) async fn one(Path(name): Path<String>) -> Result<Html<String>, PageError> {
    let rule = find(&name)?;
    let view = RulePage {
        frame: Frame::new("/rules"),
        name: rule.name,
        severity: rule.severity.as_str(),
        summary: rule.summary,
        findings_path: links::with_query("/findings", &[("rule", rule.name)]),
        docs: to_html(rule.docs),
    };
    Ok(render(&view)?)
}
