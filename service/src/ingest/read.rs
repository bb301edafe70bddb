//! Raw bytes to what the store keeps: on all cores, one bad mail at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lorelint_mail::{Content, Message, parse_message};

use super::source::{MAX_MAIL_BYTES, RawMail, RawStep};
use crate::model::{MailDraft, Person, RefusalDraft, SourceStep, Timestamp};

/// A refused mail is kept up to this size.
const MAX_REFUSED_BYTES: usize = 1 << 20;

/// A mail that can be stored, or the reason why it cannot.
pub type Reading = Result<MailDraft, RefusalDraft>;

/// What has come in, ready for one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// For the store.
    pub step: SourceStep,
    /// Entries of the source without a mail.
    pub skipped: u64,
}

impl Incoming {
    /// Reads all mails of a step.
    pub(super) fn of(raw: RawStep) -> Self {
        let RawStep {
            mails,
            removed,
            unreadable,
            skipped,
            position,
        } = raw;
        let mut step = SourceStep {
            position,
            ..SourceStep::default()
        };
        for reading in read_all(mails) {
            match reading {
                Ok(mail) => step.mails.push(mail),
                Err(refusal) => step.refusals.push(refusal),
            }
        }
        step.refusals
            .extend(unreadable.into_iter().map(|(place, reason)| RefusalDraft {
                raw_hash: hash(format!("{place} {reason}").as_bytes()),
                raw: Vec::new(),
                size_bytes: 0,
                place,
                reason,
            }));
        step.removals = removed.iter().map(|it| hash(it)).collect();
        Self { step, skipped }
    }
}

fn read_all(mails: Vec<RawMail>) -> Vec<Reading> {
    // The database has a core of its own meanwhile.
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .saturating_sub(1)
        .clamp(1, 8);
    if threads == 1 || mails.len() < 2 * threads {
        return mails.into_iter().map(read_mail).collect();
    }
    let share = mails.len().div_ceil(threads);
    let mut mails = mails.into_iter();
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        loop {
            let chunk: Vec<RawMail> = mails.by_ref().take(share).collect();
            if chunk.is_empty() {
                break;
            }
            workers.push(scope.spawn(move || chunk.into_iter().map(read_mail).collect::<Vec<_>>()));
        }
        workers
            .into_iter()
            .flat_map(|it| it.join().expect("reading a mail catches its own panics"))
            .collect()
    })
}

/// Reads one mail; what is no mail, or breaks the reader, is refused with the reason.
///
/// # Errors
///
/// The refusal, with the bytes as far as they are kept.
pub fn read_mail(mail: RawMail) -> Reading {
    let refusal = |mail: RawMail, reason: String| RefusalDraft {
        raw_hash: hash(&mail.bytes),
        size_bytes: mail.bytes.len() as u64,
        place: mail.place,
        raw: mail.bytes[..mail.bytes.len().min(MAX_REFUSED_BYTES)].to_vec(),
        reason,
    };
    if mail.bytes.trim_ascii().is_empty() {
        return Err(refusal(mail, "it is empty".to_owned()));
    }
    if mail.bytes.len() > MAX_MAIL_BYTES {
        let reason = format!("{} bytes are more than {MAX_MAIL_BYTES}", mail.bytes.len());
        return Err(refusal(mail, reason));
    }
    // The reader promises not to panic; a mail that proves it wrong must not stop the list.
    match catch_unwind(AssertUnwindSafe(|| parse_message(&mail.bytes))) {
        Ok(message) if message.content == Content::Broken => {
            Err(refusal(mail, "it has no header of a mail".to_owned()))
        }
        Ok(message) => Ok(draft(message, mail)),
        Err(_) => Err(refusal(
            mail,
            "the reader failed on it; this is a bug of lorelint".to_owned(),
        )),
    }
}

fn draft(message: Message, mail: RawMail) -> MailDraft {
    let head = message.head(mail.archived);
    let keys = head
        .keys()
        .iter()
        .map(|key| {
            let mut short = [0; 16];
            short.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
            short
        })
        .collect();
    let head_json = serde_json::to_string(&head).expect("a head is plain data");
    MailDraft {
        raw_hash: message.raw_hash,
        raw: mail.bytes,
        message_id: head.id.as_str().to_owned(),
        parent: head.parent.map(|it| it.as_str().to_owned()),
        subject: message.subject.raw,
        from: Person {
            name: message.from.name,
            address: message.from.email,
        },
        sent_at: Timestamp::from_seconds(head.date),
        head: head_json,
        keys,
        text: if message.diff.is_some() {
            before_diff(&message.text)
        } else {
            message.text
        },
        diff: message.diff,
        place: mail.place,
    }
}

/// The text up to the first line of the diff.
fn before_diff(text: &str) -> String {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let rest = &text[at..];
        let is_start = line.starts_with("diff --git ")
            || line.starts_with("Index: ")
            || (line.starts_with("--- ")
                && rest
                    .lines()
                    .nth(1)
                    .is_some_and(|next| next.starts_with("+++ ")));
        if is_start {
            break;
        }
        at += line.len();
    }
    text[..at].trim_end().to_owned()
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
