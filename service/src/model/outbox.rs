//! Replies before, while and after they are sent.

use super::{OutboxId, OutboxState, SeriesId, Timestamp};

/// A reply that has no row yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDraft {
    /// The series that it speaks of.
    pub series: SeriesId,
    /// The address of the list whose policy decides.
    pub list: String,
    /// Own message id without brackets: the same for the same (series, patch, findings), so a retry is no second mail.
    pub message_id: String,
    /// The message id that it answers.
    pub in_reply_to: String,
    /// Recipients, `Name <address>` or bare.
    pub to: Vec<String>,
    /// Further recipients.
    pub cc: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The whole mail as it would go out: headers, empty line, body, LF.
    pub raw: String,
    /// [`OutboxState::Approved`] where the policy allows it, else [`OutboxState::Pending`].
    pub state: OutboxState,
    /// Why it has that state; one sentence.
    pub reason: String,
}

/// One line of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The row.
    pub id: OutboxId,
    /// The series that it speaks of.
    pub series: SeriesId,
    /// The list whose policy decided.
    pub list: String,
    /// Where it stands.
    pub state: OutboxState,
    /// Why; one sentence.
    pub reason: String,
    /// The subject.
    pub subject: String,
    /// Recipients.
    pub to: Vec<String>,
    /// When it was composed.
    pub created_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// The line of it.
    pub entry: OutboxEntry,
    /// Own message id without brackets.
    pub message_id: String,
    /// The message id that it answers.
    pub in_reply_to: String,
    /// Further recipients.
    pub cc: Vec<String>,
    /// The whole mail as it would go out: headers, empty line, body, LF.
    pub raw: String,
}
