//! The record of one series, as exports and scores read it.

use serde::Serialize;

use crate::Series;

/// One line of `lorelintd export series --format jsonl` and of `lorelint series --format jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesRecord<'a> {
    /// [`Series::key`].
    pub key: &'a str,
    /// The version.
    pub version: u32,
    /// Patches announced.
    pub total: Option<u32>,
    /// Whether this version itself sent every patch.
    pub complete: Option<bool>,
    /// [`crate::SeriesState::as_str`].
    pub state: &'static str,
    /// The name.
    pub name: &'a str,
    /// Address of who sent it.
    pub submitter: &'a str,
    /// Message id of the cover letter.
    pub cover: Option<&'a str>,
    /// Message ids in order, `null` for what is missing.
    pub patches: Vec<Option<&'a str>>,
    /// Key of the series that this one replaces.
    pub supersedes: Option<&'a str>,
    /// Why, in sentences.
    pub reasons: &'a [String],
}

impl<'a> From<&'a Series> for SeriesRecord<'a> {
    fn from(series: &'a Series) -> Self {
        Self {
            key: &series.key,
            version: series.version,
            total: series.total,
            complete: series.complete,
            state: series.state.as_str(),
            name: &series.name,
            submitter: &series.submitter.email,
            cover: series.cover.as_ref().map(|it| it.id.as_str()),
            patches: series
                .patches
                .iter()
                .map(|it| it.as_ref().map(|it| it.id.as_str()))
                .collect(),
            supersedes: series.supersedes.as_deref(),
            reasons: &series.reasons,
        }
    }
}
