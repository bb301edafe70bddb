//! What assembly says about messages and series.

use serde::{Deserialize, Serialize};

use crate::{Address, MessageId};

/// What a message is to its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageClass {
    /// A part of a series that changes the tree.
    Patch,
    /// The letter before a series.
    Cover,
    /// Any reply.
    Comment,
    /// A request to pull a branch.
    PullRequest,
    /// No part of a series.
    Other,
    /// The same mail seen before, mostly through another list.
    Duplicate,
    /// Bytes that are not a mail.
    Error,
}

impl MessageClass {
    /// The name used in every output and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Cover => "cover",
            Self::Comment => "comment",
            Self::PullRequest => "pull-request",
            Self::Other => "other",
            Self::Duplicate => "duplicate",
            Self::Error => "error",
        }
    }

    /// Reads [`MessageClass::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Patch,
            Self::Cover,
            Self::Comment,
            Self::PullRequest,
            Self::Other,
            Self::Duplicate,
            Self::Error,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }
}

/// Where one message belongs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The message's first id; two different mails may share it, so the position in the list is the identity.
    pub message: MessageId,
    /// What it is.
    pub class: MessageClass,
    /// [`Series::key`] of the series it is part of, or comments on, or whose copy it is.
    pub series: Option<String>,
    /// 0 for a cover letter, 1.. for a patch; `None` for everything else.
    pub number: Option<u32>,
    /// One sentence that says why.
    pub reason: String,
}

/// One message inside a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Position in the heads that were assembled.
    pub head: usize,
    /// The message's first id.
    pub id: MessageId,
    /// The version the mail was sent as: lower than the series' own where a partial reroll keeps it.
    pub version: u32,
    /// The title without tags.
    pub title: String,
    /// Who wrote the change.
    pub author: Address,
}

/// How far a series has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesState {
    /// Every number from 1 to the total is there.
    Complete,
    /// Some are missing in this version, and the older version's parts stand in for all of them.
    PartialReroll,
    /// Parts are missing.
    Incomplete,
    /// The mails do not say how many there are.
    Open,
}

impl SeriesState {
    /// The name used in every output and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::PartialReroll => "partial-reroll",
            Self::Incomplete => "incomplete",
            Self::Open => "open",
        }
    }

    /// Reads [`SeriesState::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Complete,
            Self::PartialReroll,
            Self::Incomplete,
            Self::Open,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }
}

/// The identity that `b4` gives a series over all its versions.
pub type ChangeId = String;

/// One version of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The cover's id, else that of the lowest part, with a suffix where two mails share the id. It changes
    /// when a lower part arrives late: match by parts to recognise a series that grew.
    pub key: String,
    /// 1 where the mails do not say.
    pub version: u32,
    /// The `1` of `v5.1`.
    pub version_fraction: Option<u32>,
    /// How many patches were announced; `None` where the mails say `n/m` without a number.
    pub total: Option<u32>,
    /// The cover's title, else the lowest patch's, without tags.
    pub name: String,
    /// Tags of the subject other than PATCH, RESEND, version and number, as written, each once.
    pub prefixes: Vec<String>,
    /// Whether the mails say RESEND.
    pub resend: bool,
    /// Whether the mails say RFC.
    pub rfc: bool,
    /// Who sent it.
    pub submitter: Address,
    /// When the first of its mails was sent, in seconds since the epoch.
    pub date: i64,
    /// The cover letter.
    pub cover: Option<Part>,
    /// Index 0 is patch 1; as long as the total, or as the highest number seen. In a partial reroll the kept
    /// parts of the older version stand in their places.
    pub patches: Vec<Option<Part>>,
    /// Numbers that this version did not send, ascending.
    pub missing: Vec<u32>,
    /// `Some(true)` when this version itself sent every number; `None` when the total is not known.
    pub complete: Option<bool>,
    /// The same, told apart.
    pub state: SeriesState,
    /// [`Series::key`] of the version that this one replaces.
    pub supersedes: Option<String>,
    /// `base-commit:` of the cover or of the first patch that has one: 7 to 64 lower-case hex digits.
    pub base_commit: Option<String>,
    /// `prerequisite-patch-id:` lines, in order, bounded.
    pub prerequisite_patch_ids: Vec<String>,
    /// Messages named by `Depends-on:` or `prerequisite-message-id:`, in order, each once, bounded; none of its own.
    pub depends_on: Vec<MessageId>,
    /// The `change-id:`.
    pub change_id: Option<ChangeId>,
    /// One sentence each: why this version, this total, this predecessor; what is ambiguous.
    pub reasons: Vec<String>,
}

impl Series {
    /// What this version itself sent, the cover first: not what a reroll of some parts keeps of an older version.
    pub fn own_parts(&self) -> impl Iterator<Item = &Part> {
        let own = self.patches.iter().zip(1..);
        // `missing` is ascending, as the numbers are.
        let mut missing = self.missing.iter().peekable();
        let own = own.filter(move |(_, number)| missing.next_if_eq(&number).is_none());
        self.cover.iter().chain(own.filter_map(|it| it.0.as_ref()))
    }
}

/// The result of [`crate::assemble`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assembly {
    /// One per head, in the order of the heads.
    pub placements: Vec<Placement>,
    /// Sorted by date, then by key.
    pub series: Vec<Series>,
}
