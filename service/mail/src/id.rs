//! Message ids: the one form in which they are compared, stored and sent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id kept as it is: index rows and header lines stay short.
const MAX_ID_BYTES: usize = 300;

/// A Message-ID without angle brackets: `<a@b>` in the header is `a@b` here, in URLs and in SQL.
///
/// Never empty, never longer than 300 bytes, printable without white space or brackets, so it can go into a
/// header as it is. An id that is longer keeps its beginning and a hash of the whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Reads one id, bracketed or bare; `None` unless it is one printable token.
    ///
    /// Encoded words are no ids: a reader that decodes them would find line ends. An id that is not ASCII is
    /// replaced by its hash, so that it still joins what refers to it.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        let valid = !bare.is_empty()
            && !bare.contains("=?")
            && !bare.contains(|it: char| {
                it.is_whitespace() || it.is_control() || matches!(it, '<' | '>')
            });
        if !valid {
            return None;
        }
        if !bare.is_ascii() {
            let hash = blake3::hash(bare.as_bytes()).to_hex();
            return Some(Self(format!("{}@not-ascii.invalid", &hash[..32])));
        }
        Some(Self::bounded(bare))
    }

    /// An id for a mail that came without one: the same for the same content.
    pub fn synthetic(content_hash: &str) -> Self {
        Self(format!(
            "{}@no-message-id.invalid",
            &content_hash[..content_hash.len().min(40)]
        ))
    }

    fn bounded(bare: &str) -> Self {
        if bare.len() <= MAX_ID_BYTES {
            return Self(bare.to_owned());
        }
        let cut = MAX_ID_BYTES - 64;
        let hash = blake3::hash(bare.as_bytes()).to_hex();
        Self(format!("{}~{}", &bare[..cut], &hash[..32]))
    }

    /// The id without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that `git send-email` and quilt share among the mails of one run, if the id looks like theirs:
    /// everything before the running number.
    pub(crate) fn stem(&self) -> &str {
        let left = self.0.split('@').next().unwrap_or(&self.0);
        left.find(['.', '-']).map_or(left, |at| &left[..at])
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
