//! Tokens with which programs hand mails over.

use super::{Timestamp, TokenId};

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The row.
    pub id: TokenId,
    /// Address of the list that it may hand mails over for.
    pub list: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last accepted; `None` before the first time.
    pub used_at: Option<Timestamp>,
    /// Since when it is not accepted any more.
    pub revoked_at: Option<Timestamp>,
}
