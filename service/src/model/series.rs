//! Series as lists and pages show them.

use super::{
    BaseHow, Finding, ListPolicy, MailSummary, MailView, OutboxEntry, PatchState, Person,
    ReviewState, SeriesId, SeriesState, Timestamp,
};

/// Which series a list shows; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesFilter {
    /// The exact address of a list.
    pub list: Option<String>,
    /// The state of the series.
    pub state: Option<SeriesState>,
    /// The state of its review.
    pub review: Option<ReviewState>,
    /// Part of the author's name or address, case ignored (ASCII).
    pub author: Option<String>,
    /// Part of the title, case ignored (ASCII).
    pub text: Option<String>,
    /// Only series that bring new findings.
    pub has_new: bool,
    /// Only series that fix findings.
    pub has_fixed: bool,
    /// Only series with a new or fixed finding of this rule.
    pub rule: Option<String>,
}

/// One line of the series list. Newest activity first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesSummary {
    /// Stable while mails of the series arrive.
    pub id: SeriesId,
    /// Cover's or first patch's subject without the `[PATCH …]` part.
    pub title: String,
    /// Who sent it.
    pub author: Person,
    /// From 1.
    pub version: u32,
    /// The `1` of `v5.1`.
    pub fraction: Option<u32>,
    /// As the subjects say.
    pub total: u32,
    /// How many of them are here.
    pub received: u32,
    /// Of the assembly.
    pub state: SeriesState,
    /// Of the linter.
    pub review: ReviewState,
    /// Of the first mail.
    pub sent_at: Timestamp,
    /// Of the last mail that belongs to it; the list is sorted by this.
    pub active_at: Timestamp,
    /// Addresses of the lists that carried it, sorted.
    pub lists: Vec<String>,
    /// Net new findings against the base.
    pub new_count: u32,
    /// Those of them with severity `error`.
    pub new_error_count: u32,
    /// Net fixed findings against the base.
    pub fixed_count: u32,
    /// Mails that answer it.
    pub reply_count: u32,
}

/// A version as people write it, without the `v`: `5`, `5.1`.
pub fn version_label(version: u32, fraction: Option<u32>) -> String {
    fraction.map_or_else(|| version.to_string(), |it| format!("{version}.{it}"))
}

/// Another version of the same series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLink {
    /// The row.
    pub id: SeriesId,
    /// From 1.
    pub version: u32,
    /// The `1` of `v5.1`.
    pub fraction: Option<u32>,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: SeriesState,
    /// Of its review.
    pub review: ReviewState,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Net new findings.
    pub new_count: u32,
    /// Net fixed findings.
    pub fixed_count: u32,
}

/// What a series was linted against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The configured name of the repository.
    pub tree: String,
    /// Hex commit id.
    pub rev: String,
    /// How it was chosen.
    pub how: BaseHow,
    /// Why, for a person; one sentence.
    pub why: String,
}

/// Something in the touched files that the linter did not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Path in the tree.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// What was given up.
    pub what: String,
}

/// A remark of the linter on its own run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that speaks.
    pub rule: String,
    /// One sentence.
    pub message: String,
}

/// The latest run of the linter on a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// How it ended.
    pub state: ReviewState,
    /// Why it did not end as [`ReviewState::Linted`]; one sentence.
    pub reason: Option<String>,
    /// `None` where none was found.
    pub base: Option<Base>,
    /// Hex id of the tree after the last patch that applied.
    pub final_tree: Option<String>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// Findings of the base that are still there.
    pub unchanged_count: u64,
    /// Sorted by file and line.
    pub gaps: Vec<Gap>,
    /// In the linter's order.
    pub warnings: Vec<Warning>,
}

/// One place of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchView {
    /// From 1.
    pub index: u32,
    /// `None` while it is missing.
    pub mail: Option<MailView>,
    /// Subject without the `[PATCH …]` part; empty while it is missing.
    pub subject: String,
    /// What is known of it.
    pub state: PatchState,
    /// Why it does not apply or was skipped; one sentence.
    pub reason: Option<String>,
    /// Unified diff as sent, transfer encoding undone; empty where there is none.
    pub diff: Vec<u8>,
    /// What it brings against the tree before it. Order: file, line, column, rule.
    pub new: Vec<Finding>,
    /// What it removes from the tree before it.
    pub fixed: Vec<Finding>,
}

/// Everything that the page of one series shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesPage {
    /// The line of it.
    pub summary: SeriesSummary,
    /// The cover letter.
    pub cover: Option<MailView>,
    /// One entry a place, from 1 to `total`.
    pub patches: Vec<PatchView>,
    /// All versions, this one among them, oldest first.
    pub versions: Vec<VersionLink>,
    /// Mails that answer it, oldest first.
    pub replies: Vec<MailSummary>,
    /// `None` before the first run.
    pub review: Option<Review>,
    /// Net of the series.
    pub new: Vec<Finding>,
    /// Net of the series.
    pub fixed: Vec<Finding>,
    /// The version before this one that was linted, where there is one: what [`SeriesPage::addressed`] and
    /// `seen_in_versions` of the findings compare with.
    pub since: Option<u32>,
    /// What that version brought and this one does not. Empty until this one is linted to its end.
    pub addressed: Vec<Finding>,
    /// Why it was put together so; one sentence each.
    pub reasons: Vec<String>,
    /// The replies composed for it.
    pub outbox: Vec<OutboxEntry>,
    /// The quietest policy of its lists.
    pub policy: ListPolicy,
}

impl SeriesPage {
    /// What became of the findings of the version before: `since v1: 2 addressed, 1 persists, 3 new`; `None` where
    /// there is none to compare with.
    pub fn progress(&self) -> Option<String> {
        let since = self.since?;
        let old = self.new.iter().filter(|it| !it.seen_in_versions.is_empty());
        let old = old.count();
        let counts = [
            (self.addressed.len(), "addressed".to_owned()),
            (
                old,
                if old == 1 { "persists" } else { "persist" }.to_owned(),
            ),
            (self.new.len() - old, "new".to_owned()),
        ];
        let said = counts.iter().filter(|it| it.0 > 0);
        let said: Vec<String> = said
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!said.is_empty()).then(|| format!("since v{since}: {}", said.join(", ")))
    }
}

/// One line of `lorelintd export series`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesExport {
    /// The row.
    pub id: SeriesId,
    /// Addresses, sorted.
    pub lists: Vec<String>,
    /// As in [`SeriesSummary`].
    pub title: String,
    /// `Name <address>`.
    pub author: Person,
    /// From 1.
    pub version: u32,
    /// As the subjects say.
    pub total: u32,
    /// Whether every place is filled.
    pub complete: bool,
    /// Message id.
    pub cover: Option<String>,
    /// Message id for each place.
    pub patches: Vec<Option<String>>,
    /// The series that this one replaces.
    pub supersedes: Option<SeriesId>,
    /// Of the assembly.
    pub state: SeriesState,
}
