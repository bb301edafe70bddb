//! One mail, understood as far as it goes.

use serde::{Deserialize, Serialize};

use crate::series::{Content, Head};
use crate::{Address, Declared, Flags, MessageId, Subject, Trailer};

/// Largest mail that is read whole; of a larger one the beginning is read, and `problems` says so.
pub const MAX_MAIL_BYTES: usize = 8 << 20;

/// One mail. Reading never fails: what was not understood is named in `problems`.
///
/// No string that comes from a header holds U+0000, CR or LF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// All Message-IDs, the first first; never empty.
    pub ids: Vec<MessageId>,
    /// Whether the id was made from the content because the mail has none.
    pub synthetic_id: bool,
    /// Ids of `In-Reply-To:`.
    pub in_reply_to: Vec<MessageId>,
    /// Ids of `References:` in order: the first and the last ones where there are too many.
    pub references: Vec<MessageId>,
    /// Who sent it, with munging by lists undone.
    pub from: Address,
    /// The in-body `From:` or the sender.
    pub author: Address,
    /// `To:`.
    pub to: Vec<Address>,
    /// `Cc:`.
    pub cc: Vec<Address>,
    /// `Reply-To:`.
    pub reply_to: Vec<Address>,
    /// `List-Id:` values without brackets, lower case.
    pub list_ids: Vec<String>,
    /// The subject.
    pub subject: Subject,
    /// `Date:` in seconds since the epoch, where it can be read.
    pub date: Option<i64>,
    /// `Date:` as written.
    pub date_raw: String,
    /// The time of the topmost `Received:`.
    pub received: Option<i64>,
    /// All plain text, decoded, U+0000 replaced; attached patches follow.
    pub text: String,
    /// The commit's title: the in-body `Subject:` or the subject's.
    pub title: String,
    /// The text up to `---` or the diff, without in-body headers; empty for mails without a diff.
    pub commit_message: String,
    /// Trailers in order.
    pub trailers: Vec<Trailer>,
    /// What the text declares about its base.
    pub declared: Declared,
    /// The diff's exact bytes: only the transfer encoding and the transport's CR are undone.
    #[serde(skip)]
    pub diff: Option<Vec<u8>>,
    /// Headers that say who sent it.
    pub flags: Flags,
    /// What the bytes say it could be.
    pub content: Content,
    /// Titles listed in a cover letter's shortlog.
    pub listed_titles: Vec<String>,
    /// Hash of the raw bytes, 64 hex digits.
    pub raw_hash: String,
    /// One sentence for each thing that was cut, repaired or not understood.
    pub problems: Vec<String>,
}

impl Message {
    /// The first id.
    pub fn id(&self) -> &MessageId {
        &self.ids[0]
    }

    /// The digest that assembly needs; `archived` is when the archive got the mail, in seconds.
    pub fn head(&self, archived: Option<i64>) -> Head {
        let _ = archived;
        todo!()
    }
}

/// Reads one mail; never fails and never panics, whatever the bytes.
pub fn parse_message(raw: &[u8]) -> Message {
    let _ = raw;
    todo!()
}
