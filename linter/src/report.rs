//! The results of a check and of a review, as every output and the service read them.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Gap, Warning};
use crate::tree::TreePath;

/// Figures of one linted tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeStats {
    /// C sources and headers read.
    pub files: u64,
    /// Function definitions seen.
    pub functions: u64,
    /// Call sites seen.
    pub call_sites: u64,
    /// Edges of the resolved call graph.
    pub edges: u64,
    /// Calls through members of which nothing that was read shows a function, so that no chain goes on there: in
    /// code that a chain may enter, each member once a function.
    ///
    /// A name that some type's member is set under counts as known for all types, a member that is only set to
    /// `NULL` as known too; calls through parameters and local pointers are not counted, their callers say what
    /// they are.
    pub unbound_calls: u64,
}

/// An amount of source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Files that hold it.
    pub files: u64,
    /// Functions in it.
    pub functions: u64,
    /// Bytes of the items, comments between them left out.
    pub bytes: u64,
}

/// What one stage of a run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageCost {
    /// What it did.
    pub name: &'static str,
    /// Wall time.
    pub seconds: f64,
    /// What it worked on.
    pub work: Work,
}

/// What a [`Site`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SiteKind {
    /// A direct call of `iput()`.
    Iput,
    /// An access of `struct inode`'s `i_count`.
    ICount,
}

impl SiteKind {
    /// The name used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iput => "iput",
            Self::ICount => "i_count",
        }
    }
}

/// A place that the rules looked at, whether they report it or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// Where it stands.
    pub file: TreePath,
    /// 1-based.
    pub line: u32,
    /// 1-based.
    pub column: u32,
    /// What stands there.
    pub kind: SiteKind,
    /// The function or macro that holds it.
    pub function: String,
    /// How it is written: `iput`, `atomic_read`, `++`, `.counter`.
    pub form: String,
}

/// What `check` found in one tree.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// In the order in which they ran.
    #[serde(skip)]
    pub stages: Vec<StageCost>,
    /// Figures of the tree.
    pub stats: TreeStats,
    /// Sorted by file, line, column, rule.
    pub findings: Vec<Finding>,
    /// Sorted by file and line.
    pub gaps: Vec<Gap>,
    /// All direct `iput()` calls and `i_count` accesses, sorted by file and line.
    pub sites: Vec<Site>,
    /// Remarks on the run.
    pub warnings: Vec<Warning>,
}

impl CheckReport {
    /// What lies under one of some paths; everything where there are none.
    #[must_use]
    pub fn under(&self, paths: &[String]) -> Self {
        let holds =
            |it: &TreePath| paths.is_empty() || paths.iter().any(|under| it.is_under(under));
        let mut part = self.clone();
        part.findings.retain(|it| holds(&it.file));
        part.gaps.retain(|it| holds(&it.file));
        part.sites.retain(|it| holds(&it.file));
        part
    }

    /// How many sites there are of one kind.
    #[must_use]
    pub fn site_count(&self, kind: SiteKind) -> u64 {
        self.sites.iter().filter(|it| it.kind == kind).count() as u64
    }
}

/// How the base of a review was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseHow {
    /// The user named it.
    Given,
    /// The series says `base-commit:`.
    BaseCommit,
    /// The blob ids of the `index` lines are found in it.
    BlobMatch,
    /// The list's configured branch.
    Branch,
    /// The tree as it is.
    Tree,
}

impl BaseHow {
    /// The name used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::BaseCommit => "base-commit",
            Self::BlobMatch => "blob-match",
            Self::Branch => "branch",
            Self::Tree => "tree",
        }
    }

    /// Reads [`BaseHow::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Given,
            Self::BaseCommit,
            Self::BlobMatch,
            Self::Branch,
            Self::Tree,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }
}

/// A line of the diff to which a person would attach the remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// A file that the patch touches.
    pub file: TreePath,
    /// 1-based, in the patched file.
    pub line: u32,
}

/// A finding that a patch brings.
#[derive(Clone, Debug)]
pub struct NewFinding {
    /// The finding in the patched tree.
    pub finding: Finding,
    /// Its own line when that is in the diff, else the changed line that made the path exist.
    pub anchor: Anchor,
    /// Whether the finding's own line is in the diff.
    pub in_diff: bool,
}

/// One patch handed to [`crate::review`].
#[derive(Clone, Debug)]
pub struct PatchInput {
    /// Place in the series, from 1.
    pub index: u32,
    /// Subject without `[PATCH …]`.
    pub subject: String,
    /// Without angle brackets; `None` for patches that did not come by mail.
    pub message_id: Option<String>,
    /// Hex commit id; `None` for patches that are no commit.
    pub commit: Option<String>,
    /// A git or plain unified diff, mail text around it allowed.
    pub diff: Vec<u8>,
}

/// What one patch of a series changes.
#[derive(Clone, Debug)]
pub struct PatchReport {
    /// Place in the series, from 1.
    pub index: u32,
    /// As in [`PatchInput`].
    pub subject: String,
    /// As in [`PatchInput`].
    pub message_id: Option<String>,
    /// As in [`PatchInput`].
    pub commit: Option<String>,
    /// Why it does not apply; `None` when it does.
    pub reason: Option<String>,
    /// Findings that the tree after this patch has and the tree before it has not.
    pub new: Vec<NewFinding>,
    /// Findings that the tree before this patch has and the tree after it has not.
    pub fixed: Vec<Finding>,
}

/// What a series changes: each patch against the one before, and the end against the base.
#[derive(Clone, Debug, Default)]
pub struct ReviewReport {
    /// One entry a patch, in series order; patches after one that does not apply carry that reason.
    pub patches: Vec<PatchReport>,
    /// Net of the series.
    pub new: Vec<NewFinding>,
    /// Net of the series.
    pub fixed: Vec<Finding>,
    /// How many findings of the base are still there.
    pub unchanged: u64,
    /// Sorted by file and line; only of the files that the series touches or that decide its findings.
    pub gaps: Vec<Gap>,
    /// Remarks on the run.
    pub warnings: Vec<Warning>,
    /// Hex id of the git tree after the last patch that applied; `None` where the base is no git tree.
    pub final_tree: Option<String>,
}
