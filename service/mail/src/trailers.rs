//! Trailers, and what a mail declares about its base.

use serde::{Deserialize, Serialize};

use crate::MessageId;

/// One `Key: value` line of a commit message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// As written.
    pub key: String,
    /// As written, unfolded.
    pub value: String,
}

/// What a mail says about the tree that it applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// `base-commit:`, 7 to 64 lower-case hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
    /// `prerequisite-patch-id:`, hex, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisite_patch_ids: Vec<String>,
    /// `prerequisite-change-id:` as written, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisite_change_ids: Vec<String>,
    /// Message ids of `Depends-on:` and `prerequisite-message-id:`, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<MessageId>,
    /// `change-id:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
}
