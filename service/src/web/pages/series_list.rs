//! `/`: all series, newest activity first.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

use crate::bot::text::visible;
use crate::model::{
    Page, ReviewState, SeriesFilter, SeriesState, SeriesSummary, Timestamp, version_label,
};
use crate::web::error::{PageError, WebError};
use crate::web::frame::{Frame, render};
use crate::web::query::{self, Choice, choices};
use crate::web::state::App;
use crate::web::{links, time};

use super::review_class;

/// The query of the page and of the API's list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SeriesQuery {
    list: Option<String>,
    state: Option<String>,
    review: Option<String>,
    author: Option<String>,
    q: Option<String>,
    rule: Option<String>,
    new: Option<String>,
    fixed: Option<String>,
    after: Option<String>,
    per_page: Option<String>,
}

impl SeriesQuery {
    pub(crate) fn filter(&self) -> Result<SeriesFilter, WebError> {
        Ok(SeriesFilter {
            list: query::text("list", self.list.as_deref())?,
            state: query::one_of(
                "state",
                self.state.as_deref(),
                SeriesState::ALL,
                SeriesState::as_str,
            )?,
            review: query::one_of(
                "review",
                self.review.as_deref(),
                ReviewState::ALL,
                ReviewState::as_str,
            )?,
            author: query::text("author", self.author.as_deref())?,
            text: query::text("q", self.q.as_deref())?,
            has_new: query::flag("new", self.new.as_deref())?,
            has_fixed: query::flag("fixed", self.fixed.as_deref())?,
            rule: query::text("rule", self.rule.as_deref())?,
        })
    }

    /// This query from the given row on; used by the page and by the API.
    pub(crate) fn next(&self, path: &str, after: &str) -> String {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        links::with_query(
            path,
            &[
                ("list", &text(&self.list)),
                ("state", &text(&self.state)),
                ("review", &text(&self.review)),
                ("author", &text(&self.author)),
                ("q", &text(&self.q)),
                ("rule", &text(&self.rule)),
                ("new", &text(&self.new)),
                ("fixed", &text(&self.fixed)),
                ("per_page", &text(&self.per_page)),
                ("after", after),
            ],
        )
    }

    /// The page that is asked for.
    pub(crate) async fn load(&self, app: &App) -> Result<Page<SeriesSummary>, WebError> {
        let request = query::page(self.after.as_deref(), self.per_page.as_deref())?;
        Ok(app.store.series_list(&self.filter()?, request).await?)
    }
}

struct Row {
    path: String,
    title: String,
    version: String,
    state: &'static str,
    is_old: bool,
    review: &'static str,
    review_class: &'static str,
    new_count: u32,
    new_class: &'static str,
    fixed_count: u32,
    patches: String,
    author: String,
    author_path: String,
    lists: String,
    active_at: String,
    age: String,
}

struct Count {
    name: &'static str,
    path: String,
    series: u64,
}

#[derive(Template)]
#[template(path = "series_list.html")]
struct SeriesListPage {
    frame: Frame,
    counts: Vec<Count>,
    lists: Vec<Choice>,
    states: Vec<Choice>,
    reviews: Vec<Choice>,
    author: String,
    text: String,
    has_new: bool,
    has_fixed: bool,
    is_filtered: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

pub(crate) async fn page(
    State(app): State<App>,
    query: Result<Query<SeriesQuery>, QueryRejection>,
) -> Result<Html<String>, PageError> {
    let Query(query) = query.map_err(|it| WebError::BadRequest(it.body_text()))?;
    let filter = query.filter()?;
    let page = query.load(&app).await?;
    let lists = app.store.lists().await?;
    let counts = app.store.series_counts().await?;
    let now = app.now();
    let view = SeriesListPage {
        frame: Frame::new("/"),
        counts: counts
            .into_iter()
            .map(|(state, count)| Count {
                name: state.as_str(),
                path: links::with_query("/", &[("state", state.as_str())]),
                series: count,
            })
            .collect(),
        lists: choices(
            lists.into_iter().map(|it| it.address),
            filter.list.as_deref(),
        ),
        states: choices(
            SeriesState::ALL.iter().map(|it| it.as_str()),
            filter.state.map(SeriesState::as_str),
        ),
        reviews: choices(
            ReviewState::ALL.iter().map(|it| it.as_str()),
            filter.review.map(ReviewState::as_str),
        ),
        author: filter.author.clone().unwrap_or_default(),
        text: filter.text.clone().unwrap_or_default(),
        has_new: filter.has_new,
        has_fixed: filter.has_fixed,
        is_filtered: filter != SeriesFilter::default(),
        rows: page.items.iter().map(|it| row(it, now)).collect(),
        next: page.next.map(|it| query.next("/", &it.to_string())),
    };
    Ok(render(&view)?)
}

fn row(series: &SeriesSummary, now: Timestamp) -> Row {
    let author = if series.author.name.is_empty() {
        &series.author.address
    } else {
        &series.author.name
    };
    let state = match series.state {
        SeriesState::Complete => "",
        other => other.as_str(),
    };
    Row {
        path: links::series(series.id),
        title: title(&series.title),
        version: version_label(series.version, series.fraction),
        state,
        is_old: series.state == SeriesState::Superseded,
        review: series.review.as_str(),
        review_class: review_class(series.review),
        new_count: series.new_count,
        new_class: if series.new_error_count > 0 {
            "error"
        } else {
            "note"
        },
        fixed_count: series.fixed_count,
        patches: if series.received == series.total {
            series.total.to_string()
        } else {
            format!("{}/{}", series.received, series.total)
        },
        author: visible(author),
        author_path: links::with_query("/", &[("author", &series.author.address)]),
        lists: short_lists(&series.lists),
        active_at: series.active_at.to_string(),
        age: time::age(now, series.active_at),
    }
}

/// A title is never empty on a page: it is what one clicks on.
pub(crate) fn title(title: &str) -> String {
    if title.trim().is_empty() {
        "(no subject)".to_owned()
    } else {
        visible(title)
    }
}

/// The local parts: the domain is the same for nearly all.
fn short_lists(lists: &[String]) -> String {
    let names: Vec<&str> = lists
        .iter()
        .map(|it| it.split('@').next().unwrap_or(it))
        .collect();
    names.join(", ")
}
