//! Lists, their sources and what was refused.

use super::{ListId, ListPolicy, Timestamp};

/// One list with its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSummary {
    /// The row.
    pub id: ListId,
    /// The posting address, lower case.
    pub address: String,
    /// Whom the bot may answer.
    pub policy: ListPolicy,
    /// Stored mails.
    pub mail_count: u64,
    /// Mails that could not be read.
    pub refused_count: u64,
    /// Series.
    pub series_count: u64,
    /// Of the newest mail.
    pub last_mail_at: Option<Timestamp>,
    /// Where its mails come from.
    pub sources: Vec<SourceState>,
}

/// How far a source has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// As configured, such as `public-inbox:/srv/inbox/x`.
    pub source: String,
    /// The source's own position, such as an epoch and a commit id.
    pub position: String,
    /// When the position last moved.
    pub moved_at: Timestamp,
}

/// A mail that was not stored as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The list that it came for.
    pub list: String,
    /// Where it came from.
    pub source: String,
    /// The place in the source.
    pub place: String,
    /// Why; one sentence.
    pub reason: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was refused.
    pub refused_at: Timestamp,
}

/// What one run of ingest did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// Mails read from the source.
    pub read: u64,
    /// Mails that were not known before.
    pub stored: u64,
    /// Known mails, on this list or on another.
    pub known: u64,
    /// Mails refused with a reason.
    pub refused: u64,
    /// Entries of the source without a mail, such as deletions.
    pub skipped: u64,
    /// Series that are new or changed.
    pub series: u64,
}
