//! Findings as stored: the linter's data with plain text instead of its static names.

use super::{Confidence, FindingId, FindingState, SeriesId, Severity, Timestamp, Via};

/// A place in the tree with what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path in the tree.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// One sentence without final stop.
    pub message: String,
}

/// One function on a call chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The function that runs.
    pub function: String,
    /// Where it is called; for a root, where it is registered.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// The kind of the edge that leads here.
    pub via: Via,
    /// The `struct.member`, iterator or macro of the edge; empty for direct calls.
    pub through: String,
}

/// The line of the diff to which a person would attach the remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingAnchor {
    /// A file that the patch touches.
    pub file: String,
    /// 1-based, in the patched file.
    pub line: u32,
}

/// What the linter says of one place, before it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingDraft {
    /// Against the base (net) or against the tree before the patch.
    pub state: FindingState,
    /// The patch that it belongs to, from 1; `None` for the net of the series.
    pub patch: Option<u32>,
    /// The rule's name.
    pub rule: String,
    /// After the rule's modifiers.
    pub severity: Severity,
    /// That of the weakest hop.
    pub confidence: Confidence,
    /// Path in the tree.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in bytes.
    pub column: u32,
    /// The function that holds the statement.
    pub function: String,
    /// The statement on one line.
    pub statement: String,
    /// Sorted; empty for rules without a context.
    pub contexts: Vec<String>,
    /// From the context's root to `function`; empty for rules without a context.
    pub path: Vec<Hop>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: String,
    /// Other places that the message speaks of.
    pub related: Vec<Place>,
    /// 32 lower-case hex digits; the same for the same flaw in every version.
    pub fingerprint: String,
    /// Where to attach the remark; `None` for fixed findings.
    pub anchor: Option<FindingAnchor>,
    /// Whether the finding's own line is in the diff.
    pub in_diff: bool,
}

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The row.
    pub id: FindingId,
    /// The series that it was found in.
    pub series: SeriesId,
    /// What the linter says.
    pub detail: FindingDraft,
    /// Versions before this one that had the same finding new, oldest first.
    pub seen_in_versions: Vec<u32>,
}

/// Which findings a list shows; every field narrows. Only nets of series are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// The rule's name.
    pub rule: Option<String>,
    /// Against the base.
    pub state: Option<FindingState>,
    /// The severity.
    pub severity: Option<Severity>,
    /// The exact address of a list.
    pub list: Option<String>,
    /// A path prefix.
    pub under: Option<String>,
    /// The identity across versions.
    pub fingerprint: Option<String>,
    /// Also findings of series that a newer version replaces.
    pub with_superseded: bool,
}

/// One line of the findings list. Newest review first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// The finding.
    pub finding: Finding,
    /// Of its series.
    pub series_title: String,
    /// Of its series.
    pub series_version: u32,
    /// When it was found.
    pub found_at: Timestamp,
}

/// How often a rule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCount {
    /// The rule's name.
    pub rule: String,
    /// Net new findings of series that no newer version replaces.
    pub new_count: u64,
    /// Net fixed findings of such series.
    pub fixed_count: u64,
    /// Such series with at least one of either.
    pub series_count: u64,
}
