//! The digest of a message that assembly needs.

use serde::{Deserialize, Serialize};

use crate::{Address, Declared, MessageId, Subject};

/// What a mail's own bytes say it could be; the thread decides the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Exactly one diff at the left margin, or one attached.
    Diff,
    /// Text of `git request-pull`.
    Pull,
    /// A shortlog or a diffstat and no diff, as a cover letter has.
    Summary,
    /// None of these.
    Text,
    /// Several attached patches.
    SeveralPatches,
    /// Not a mail at all.
    Broken,
}

/// Everything that [`crate::assemble`] needs of one message: small, and the same whenever it is made.
///
/// The service stores it as JSON beside the raw mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The first Message-ID, or a synthetic one.
    pub id: MessageId,
    /// Further Message-IDs of the same mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_ids: Vec<MessageId>,
    /// Ids of the mails that this one answers, nearest last; bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<MessageId>,
    /// The nearest parent.
    pub parent: Option<MessageId>,
    /// Seconds since the epoch: the header's date, capped by the archive time.
    pub date: i64,
    /// When the archive got it, where that is known: decides which of two copies is the duplicate.
    pub archived: Option<i64>,
    /// Who sent it, with munging by lists undone.
    pub submitter: Address,
    /// Who wrote the change.
    pub author: Address,
    /// The parsed subject.
    pub subject: Subject,
    /// The title that the body's own `Subject:` line gives.
    pub title: String,
    /// What the bytes say it could be.
    pub content: Content,
    /// Hash of the raw bytes: the last word in every ordering.
    pub raw_hash: String,
    /// Hash of what makes two copies the same mail: title, number, author, diff; not footers.
    pub content_hash: String,
    /// Titles that a cover letter's shortlog lists; bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed_titles: Vec<String>,
    /// Base, prerequisites and identity, as declared in the text.
    pub declared: Declared,
    /// Quotes another mail before the diff, as answers do and patches do not.
    #[serde(default)]
    pub quotes: bool,
    /// Sent by a program that is not a patch sender (robots, vacation notes, mail loops).
    pub robot: bool,
    /// `X-Patchwork-Hint: ignore`, or this project's own mail.
    pub ignore: bool,
}

impl Head {
    /// Keys that join a head to others: two heads with a common key may influence each other's placement.
    ///
    /// Load all heads that share a key with a new one, and so on until nothing is added, then assemble those.
    /// Keys are of threads, of mails sent without threading by one person within the hour, and of the titles
    /// that link versions. Bounded to some 100 keys of at most 400 bytes.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = vec![format!("id:{}", self.id)];
        keys.extend(self.other_ids.iter().map(|id| format!("id:{id}")));
        keys.extend(self.references.iter().map(|id| format!("id:{id}")));
        if self.could_be_part() {
            let people = [Some(self.submitter.key()), self.submitter.name_key()];
            let people: Vec<String> = people.into_iter().flatten().collect();
            if self.references.is_empty() && self.subject.is_numbered() {
                // Two neighbouring hours, so that a series sent over the full hour shares one of them.
                let hour = self.date.div_euclid(3600);
                for hour in [hour, hour + 1] {
                    keys.extend(people.iter().map(|who| format!("run:{who}:{hour}")));
                }
            }
            if let Some(change_id) = &self.declared.change_id {
                keys.push(format!("change:{change_id}"));
            }
            if let Some(id) = &self.declared.supersedes {
                keys.push(format!("id:{id}"));
            }
            let stable = self.subject.prefixes.iter().any(|it| is_stable_prefix(it));
            let title = title_key(&self.title);
            // Stable trees get the same titles again and again: their versions are linked by thread only.
            if !stable && !title.is_empty() {
                let hash = blake3::hash(title.as_bytes()).to_hex();
                keys.extend(
                    people
                        .iter()
                        .map(|who| format!("title:{who}:{}", &hash[..24])),
                );
            }
        }
        keys
    }

    /// Whether the mail by itself could be a patch or a cover letter, that of a series sent without a tag too.
    fn could_be_part(&self) -> bool {
        let is_cover = self.subject.patch || self.subject.rfc || self.content == Content::Summary;
        !self.subject.reply
            && !self.subject.forward
            && !self.ignore
            && (self.content == Content::Diff
                || self.subject.number == Some(0)
                || is_cover && !self.robot)
    }
}

/// `6.12`, `6.12.y`, `v6.12`, `AUTOSEL`: a tree that gets copies of patches.
pub(crate) fn is_stable_prefix(prefix: &str) -> bool {
    let bare = prefix.strip_prefix('v').unwrap_or(prefix);
    bare.starts_with(|it: char| it.is_ascii_digit()) || prefix.eq_ignore_ascii_case("AUTOSEL")
}

/// Titles are compared without case, doubled blanks and a final stop.
pub(crate) fn title_key(title: &str) -> String {
    title.trim_end_matches(['.', ' ']).to_lowercase()
}
