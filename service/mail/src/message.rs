//! One mail, understood as far as it goes.

use serde::{Deserialize, Serialize};

use crate::headers::{Headers, bounded, lossy};
use crate::people::People;
use crate::series::{Content, Head};
use crate::subject::clean;
use crate::{
    Address, Declared, Flags, MessageId, Subject, Trailer, body, codec, encoded_words, mime,
};

/// Largest mail that is read whole; of a larger one the beginning is read, and `problems` says so.
pub const MAX_MAIL_BYTES: usize = 8 << 20;
/// References kept: the first and the last ones.
const MAX_REFERENCES: usize = 50;
/// A header date may be this much later than the archive's time: clocks differ, mail takes detours.
const MAX_CLOCK_SKEW_S: i64 = 86_400;

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
    /// Quotes another mail outside of the diff.
    pub quotes: bool,
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
    ///
    /// The archive's time caps the header's date: one fast clock would otherwise sort a mail after all later
    /// ones, for ever.
    pub fn head(&self, archived: Option<i64>) -> Head {
        let arrived = archived.or(self.received);
        let date = match (self.date, arrived) {
            (Some(date), Some(arrived)) if date > arrived + MAX_CLOCK_SKEW_S => arrived,
            (Some(date), _) => date,
            (None, arrived) => arrived.unwrap_or(0),
        };
        let mut references = self.references.clone();
        for id in &self.in_reply_to {
            if !references.contains(id) {
                references.push(id.clone());
            }
        }
        Head {
            id: self.id().clone(),
            other_ids: self.ids[1..].to_vec(),
            parent: self.parent().cloned(),
            references,
            date,
            archived,
            submitter: self.from.clone(),
            author: self.author.clone(),
            subject: self.subject.clone(),
            title: self.title.clone(),
            content: self.content,
            raw_hash: self.raw_hash.clone(),
            content_hash: self.content_hash(),
            listed_titles: self.listed_titles.clone(),
            declared: self.declared.clone(),
            quotes: self.quotes,
            robot: self.flags.is_automatic(),
            ignore: self.flags.hint_ignore || self.flags.own,
        }
    }

    /// The mail that this one answers: of several candidates the one that both headers name.
    fn parent(&self) -> Option<&MessageId> {
        self.in_reply_to
            .iter()
            .rev()
            .find(|it| self.references.contains(it))
            .or(self.in_reply_to.last())
            .or(self.references.last())
            .filter(|it| !self.ids.contains(it))
    }

    /// Equal for two copies of one mail, whatever lists added to it.
    fn content_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for field in [
            self.title.as_bytes(),
            &self.subject.number.unwrap_or(u32::MAX).to_le_bytes(),
            &self.subject.version.unwrap_or(1).to_le_bytes(),
            self.diff.as_deref().unwrap_or(self.date_raw.as_bytes()),
        ] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

/// Reads one mail; never fails and never panics, whatever the bytes.
///
/// Time and memory are linear in its size, and the size is bounded by [`MAX_MAIL_BYTES`].
pub fn parse_message(raw: &[u8]) -> Message {
    let mut problems = Vec::new();
    let raw_hash = blake3::hash(raw).to_hex().to_string();
    let whole = raw;
    let raw = &raw[..raw.len().min(MAX_MAIL_BYTES)];
    if raw.len() < whole.len() {
        problems.push(format!(
            "the mail has {} bytes: only the first {MAX_MAIL_BYTES} were read",
            whole.len()
        ));
    }
    let headers = Headers::read(raw);
    let (ids, synthetic_id) = own_ids(&headers, &raw_hash, &mut problems);
    let mut subject = Subject::parse(
        &headers
            .first("Subject")
            .map(encoded_words::decode)
            .unwrap_or_default(),
    );
    let people = People::read(&headers);
    if is_kernel_version(&subject) && people.has_stable_list() {
        subject.version_is_kernel();
    }
    let flags = Flags::read(&headers, &people.from);
    let leaves = mime::leaves(&headers, &raw[headers.body..], &mut problems);
    let body = body::read(&leaves, &mut problems);
    let lines = body.lines;
    let content = if headers.is_empty() {
        problems.push("there is no header: not a mail".to_owned());
        Content::Broken
    } else if body.diff.is_some() {
        Content::Diff
    } else if body.several_patches {
        Content::SeveralPatches
    } else if lines.pull {
        Content::Pull
    } else if lines.summary {
        Content::Summary
    } else {
        Content::Text
    };
    let date_raw = headers.first("Date").unwrap_or_default();
    Message {
        ids,
        synthetic_id,
        in_reply_to: ids_of(headers.all("In-Reply-To")),
        references: bounded_references(ids_of(headers.all("References"))),
        author: body.author.unwrap_or_else(|| people.from.clone()),
        from: people.from,
        to: people.to,
        cc: people.cc,
        reply_to: people.reply_to,
        list_ids: list_ids(&headers),
        title: body.title.unwrap_or_else(|| subject.title.clone()),
        subject,
        date: codec::date(date_raw),
        date_raw: clean(&lossy(bounded(date_raw, 200)), 200),
        received: received(&headers),
        text: body.text,
        commit_message: body.commit_message,
        trailers: lines.trailers,
        declared: lines.declared,
        diff: body.diff,
        flags,
        content,
        listed_titles: lines.titles,
        quotes: lines.quotes,
        raw_hash,
        problems,
    }
}

/// Longterm kernels whose number could be a repaired version: `v6.1`. Source: kernel.org/releases.html.
fn is_kernel_version(subject: &Subject) -> bool {
    const LONGTERM: [(u32, u32); 6] = [(3, 2), (4, 4), (4, 9), (5, 4), (6, 1), (6, 6)];
    let version = subject.version.zip(subject.version_fraction);
    version.is_some_and(|it| LONGTERM.contains(&it))
}

fn own_ids(
    headers: &Headers<'_>,
    raw_hash: &str,
    problems: &mut Vec<String>,
) -> (Vec<MessageId>, bool) {
    let mut ids = Vec::new();
    for value in headers.all("Message-ID").take(8) {
        for id in ids_of(std::iter::once(bounded(value, 4096)))
            .into_iter()
            .take(1)
        {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    if !ids.is_empty() {
        return (ids, false);
    }
    problems.push("the mail has no Message-ID: one was made from its content".to_owned());
    (vec![MessageId::synthetic(raw_hash)], true)
}

/// All `<…>` tokens, or the one bare token of a header without brackets; each once, in order.
fn ids_of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for value in values {
        let mut rest = value;
        let mut bracketed = false;
        while let Some(open) = memchr::memchr(b'<', rest) {
            let inner = &rest[open + 1..];
            let Some(close) = memchr::memchr(b'>', inner) else {
                break;
            };
            bracketed = true;
            // Long ids get folded; the blanks are not part of them.
            let token: Vec<u8> = inner[..close]
                .iter()
                .copied()
                .filter(|it| !it.is_ascii_whitespace())
                .collect();
            ids.extend(MessageId::parse(&lossy(&token)));
            rest = &inner[close + 1..];
        }
        if !bracketed {
            let text = lossy(bounded(value, 4096));
            ids.extend(
                text.split_whitespace()
                    .filter(|it| it.contains('@') && !it.contains(['"', '(', ')', ',', ';']))
                    .take(1)
                    .filter_map(MessageId::parse),
            );
        }
    }
    ids
}

/// The first reference names the thread, the last ones the place in it.
fn bounded_references(mut ids: Vec<MessageId>) -> Vec<MessageId> {
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..ids.len() - (MAX_REFERENCES - 1));
    }
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|it| seen.insert(it.clone()));
    ids
}

fn list_ids(headers: &Headers<'_>) -> Vec<String> {
    let mut ids: Vec<String> = headers
        .all("List-Id")
        .take(16)
        .filter_map(|it| {
            let text = encoded_words::decode(it);
            let inner = match (text.rfind('<'), text.rfind('>')) {
                (Some(open), Some(close)) if open < close => &text[open + 1..close],
                _ => text.trim(),
            };
            let id = clean(inner, 200).to_lowercase();
            (!id.is_empty() && !id.contains(' ')).then_some(id)
        })
        .collect();
    ids.dedup();
    ids
}

/// Time of the topmost `Received:`, which our own side wrote.
fn received(headers: &Headers<'_>) -> Option<i64> {
    let value = headers.first("Received")?;
    let at = memchr::memrchr(b';', value)?;
    codec::date(&value[at + 1..])
}
