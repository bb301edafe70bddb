//! Subjects.

use serde::{Deserialize, Serialize};

/// A subject line, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The whole line, decoded, unfolded, at most 2,000 bytes, without U+0000, CR and LF.
    pub raw: String,
    /// The line without reply prefixes and tags.
    pub title: String,
    /// Tags other than PATCH, RESEND, versions and numbers, as written, each once.
    pub prefixes: Vec<String>,
    /// `Re:` or one of its translations came first.
    pub reply: bool,
    /// `Fwd:` or one of its translations came first.
    pub forward: bool,
    /// A tag says PATCH.
    pub patch: bool,
    /// A tag says PULL.
    pub pull: bool,
    /// A tag says RFC.
    pub rfc: bool,
    /// A tag says RESEND or REPOST.
    pub resend: bool,
    /// The version, where one is written.
    pub version: Option<u32>,
    /// The `1` of `v5.1`.
    pub version_fraction: Option<u32>,
    /// The `n` of `n/m`; 0 is a cover letter.
    pub number: Option<u32>,
    /// The `m` of `n/m`; `None` with a number present means that `m` is no number.
    pub total: Option<u32>,
}
