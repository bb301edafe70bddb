//! `/findings` and `/findings/{fingerprint}`.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use serde::Deserialize;

use crate::model::{FindingFilter, FindingRow, FindingState, Page, PageRequest, Severity};
use crate::report::rules;
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::query::{self, Choice, choices};
use crate::web::remark_view::{RemarkView, severity_class};
use crate::web::state::App;
use crate::web::{links, time};

use super::series_list::title;

const SEVERITIES: &[Severity] = &[Severity::Error, Severity::Warning, Severity::Note];

/// The query of the page and of the API's list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FindingsQuery {
    rule: Option<String>,
    state: Option<String>,
    severity: Option<String>,
    list: Option<String>,
    under: Option<String>,
    superseded: Option<String>,
    after: Option<String>,
    per_page: Option<String>,
}

impl FindingsQuery {
    fn filter(&self) -> Result<FindingFilter, WebError> {
        Ok(FindingFilter {
            rule: query::text("rule", self.rule.as_deref())?,
            state: query::one_of(
                "state",
                self.state.as_deref(),
                FindingState::ALL,
                FindingState::as_str,
            )?,
            severity: query::one_of(
                "severity",
                self.severity.as_deref(),
                SEVERITIES,
                Severity::as_str,
            )?,
            list: query::text("list", self.list.as_deref())?,
            under: query::text("under", self.under.as_deref())?,
            fingerprint: None,
            with_superseded: query::flag("superseded", self.superseded.as_deref())?,
        })
    }

    pub(crate) fn next(&self, path: &str, after: &str) -> String {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        links::with_query(
            path,
            &[
                ("rule", &text(&self.rule)),
                ("state", &text(&self.state)),
                ("severity", &text(&self.severity)),
                ("list", &text(&self.list)),
                ("under", &text(&self.under)),
                ("superseded", &text(&self.superseded)),
                ("per_page", &text(&self.per_page)),
                ("after", after),
            ],
        )
    }

    pub(crate) async fn load(&self, app: &App) -> Result<Page<FindingRow>, WebError> {
        let request = query::page(self.after.as_deref(), self.per_page.as_deref())?;
        Ok(app.store.findings(&self.filter()?, request).await?)
    }
}

struct Row {
    state: &'static str,
    state_class: &'static str,
    severity: &'static str,
    class: &'static str,
    rule: String,
    rule_path: String,
    statement: String,
    path: String,
    function: String,
    place: String,
    series: String,
    series_path: String,
    version: u32,
    found_at: String,
}

#[derive(Template)]
#[template(path = "findings.html")]
struct FindingsPage {
    frame: Frame,
    states: Vec<Choice>,
    rules: Vec<Choice>,
    severities: Vec<Choice>,
    lists: Vec<Choice>,
    under: String,
    with_superseded: bool,
    is_filtered: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<FindingsQuery>, QueryRejection>,
) -> Result<Html<String>, PageError> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let filter = query.filter()?;
    let page = query.load(&app).await?;
    let lists = app.store.lists().await?;
    let states = [FindingState::New, FindingState::Fixed].map(FindingState::as_str);
    let view = FindingsPage {
        frame: Frame::new("/findings"),
        states: choices(states, filter.state.map(FindingState::as_str)),
        rules: choices(
            rules::all().into_iter().map(|it| it.name),
            filter.rule.as_deref(),
        ),
        severities: choices(
            SEVERITIES.iter().map(|it| it.as_str()),
            filter.severity.map(Severity::as_str),
        ),
        lists: choices(
            lists.into_iter().map(|it| it.address),
            filter.list.as_deref(),
        ),
        under: filter.under.clone().unwrap_or_default(),
        with_superseded: filter.with_superseded,
        is_filtered: filter != FindingFilter::default(),
        rows: page.items.iter().map(row).collect(),
        next: page.next.map(|it| query.next("/findings", &it.to_string())),
    };
    Ok(render(&view)?)
}

fn row(row: &FindingRow) -> Row {
    let detail = &row.finding.detail;
    Row {
        state: detail.state.as_str(),
        state_class: detail.state.as_str(),
        severity: detail.severity.as_str(),
        class: severity_class(detail.severity),
        rule: detail.rule.clone(),
        rule_path: links::rule(&detail.rule),
        statement: detail.statement.clone(),
        path: links::finding(&detail.fingerprint),
        function: detail.function.clone(),
        place: format!("{}:{}", detail.file, detail.line),
        series: title(&row.series_title),
        series_path: links::series(row.finding.series),
        version: row.series_version,
        found_at: time::minute(row.found_at),
    }
}

#[derive(Template)]
#[template(path = "finding.html")]
struct FindingPage {
    frame: Frame,
    statement: String,
    function: String,
    severity: &'static str,
    confidence: &'static str,
    contexts: String,
    fingerprint: String,
    remark: RemarkView,
    seen: Vec<Row>,
}

/// All nets of series that hold the finding, newest first; an error where none does.
pub(crate) async fn load_one(app: &App, fingerprint: &str) -> Result<Vec<FindingRow>, WebError> {
    let missing = || WebError::NotFound(format!("There is no finding {fingerprint}."));
    let is_fingerprint =
        fingerprint.len() == 32 && fingerprint.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_fingerprint {
        return Err(missing());
    }
    let filter = FindingFilter {
        fingerprint: Some(fingerprint.to_owned()),
        with_superseded: true,
        ..FindingFilter::default()
    };
    let rows = app
        .store
        .findings(
            &filter,
            PageRequest {
                after: None,
                limit: 100,
            },
        )
        .await?
        .items;
    if rows.is_empty() {
        Err(missing())
    } else {
        Ok(rows)
    }
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(fingerprint): Path<String>,
) -> Result<Html<String>, PageError> {
    let rows = load_one(&app, &fingerprint).await?;
    let newest = &rows[0].finding;
    let view = FindingPage {
        frame: Frame::new("/findings"),
        statement: newest.detail.statement.clone(),
        function: newest.detail.function.clone(),
        severity: newest.detail.severity.as_str(),
        confidence: newest.detail.confidence.as_str(),
        contexts: newest.detail.contexts.join(", "),
        fingerprint,
        remark: RemarkView::of(newest),
        seen: rows.iter().map(row).collect(),
    };
    Ok(render(&view)?)
}
