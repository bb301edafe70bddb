//! Mails as the pages show them.

use super::{MailId, MailKind, Timestamp};

/// A sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Decoded; empty where the mail gives none.
    pub name: String,
    /// As the mail gives it.
    pub address: String,
}

/// One line of a list of mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSummary {
    /// The row.
    pub id: MailId,
    /// Without angle brackets; may be long and odd, but holds no NUL and no line break.
    pub message_id: String,
    /// The sender.
    pub from: Person,
    /// Decoded, one line.
    pub subject: String,
    /// `Date:`, never later than the archive's time.
    pub sent_at: Timestamp,
    /// What it is to the assembly.
    pub kind: MailKind,
    /// The parent's message id, where the mail names one.
    pub in_reply_to: Option<String>,
}

/// A mail with what can be read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailView {
    /// The line of it.
    pub summary: MailSummary,
    /// Decoded text without the diff; for a patch the commit message and the notes.
    pub text: String,
    /// Addresses of the lists that carried it, sorted.
    pub lists: Vec<String>,
}
