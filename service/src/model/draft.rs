//! What the adapters hand to the store and what they read back to decide: no page reads these.

use super::{
    Base, FindingDraft, Gap, MailId, MailKind, PatchState, Person, ReviewState, SeriesId,
    SeriesState, Timestamp, Warning,
};

/// A mail that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDraft {
    /// Hash of the raw bytes, hex: one row a content.
    pub raw_hash: String,
    /// As it came.
    pub raw: Vec<u8>,
    /// The first message id.
    pub message_id: String,
    /// The nearest parent's message id.
    pub parent: Option<String>,
    /// Decoded, one line.
    pub subject: String,
    /// The sender.
    pub from: Person,
    /// `Date:`, never later than the archive's time.
    pub sent_at: Timestamp,
    /// The digest that assembly reads, as JSON.
    pub head: String,
    /// Hashes of what joins it to other mails.
    pub keys: Vec<[u8; 16]>,
    /// Decoded text without the diff.
    pub text: String,
    /// The diff's exact bytes.
    pub diff: Option<Vec<u8>>,
    /// Where in its source it was.
    pub place: String,
}

/// A mail that cannot be stored as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalDraft {
    /// Hash of the bytes, hex.
    pub raw_hash: String,
    /// The bytes, cut where they are too many.
    pub raw: Vec<u8>,
    /// How many there were.
    pub size_bytes: u64,
    /// Where in its source it was.
    pub place: String,
    /// Why; one sentence.
    pub reason: String,
}

/// One step of a source: what is stored in one transaction together with the position after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStep {
    /// New and known mails, oldest first.
    pub mails: Vec<MailDraft>,
    /// Mails that cannot be stored.
    pub refusals: Vec<RefusalDraft>,
    /// Hashes of mails that the source took back.
    pub removals: Vec<String>,
    /// Where the next run goes on; `None` leaves the position as it is.
    pub position: Option<String>,
}

/// A mail as assembly needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHead {
    /// The row.
    pub mail: MailId,
    /// The digest as JSON.
    pub head: String,
    /// Changes when the lists that carry it change; means nothing else.
    pub lists_mark: i64,
    /// As stored now.
    pub placed: Placed,
}

/// Where a mail belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What it is.
    pub kind: MailKind,
    /// The series that it is part of or answers.
    pub series: Option<SeriesId>,
    /// Why; one sentence.
    pub reason: String,
}

/// A series as stored, to recognise it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSeries {
    /// The row.
    pub id: SeriesId,
    /// The mails of its cover and patches that were sent as its own version, sorted.
    pub mails: Vec<MailId>,
    /// See [`SeriesDraft::assembly_digest`].
    pub assembly_digest: String,
    /// See [`SeriesDraft::input_digest`].
    pub input_digest: String,
}

/// One place of a series that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartDraft {
    /// 0 is the cover letter.
    pub number: u32,
    /// `None` where it has not arrived.
    pub mail: Option<MailId>,
    /// The version that the mail was sent as.
    pub version: u32,
    /// Whether this version sent it, and did not keep it of an older one.
    pub is_own: bool,
    /// Without tags.
    pub title: String,
}

/// A series that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesDraft {
    /// The row, which may exist already.
    pub id: SeriesId,
    /// The connected component that it came from.
    pub thread: MailId,
    /// Of the assembly, or superseded.
    pub state: SeriesState,
    /// Cover's or first patch's subject without tags.
    pub title: String,
    /// Who sent it.
    pub author: Person,
    /// From 1.
    pub version: u32,
    /// The `1` of `v5.1`.
    pub fraction: Option<u32>,
    /// As announced, or as far as seen.
    pub total: u32,
    /// Whether every place is filled.
    pub is_complete: bool,
    /// Of the first mail.
    pub sent_at: Timestamp,
    /// Of the last mail that belongs to it.
    pub active_at: Timestamp,
    /// Places in order; the cover first where there is one.
    pub parts: Vec<PartDraft>,
    /// The version that this one replaces.
    pub supersedes: Option<SeriesId>,
    /// Hex.
    pub base_commit: Option<String>,
    /// Tags of the subject.
    pub prefixes: Vec<String>,
    /// Why it was put together so.
    pub reasons: Vec<String>,
    /// Mails that answer it.
    pub reply_count: u32,
    /// All mails whose lists are the lists of the series.
    pub carriers: Vec<MailId>,
    /// Over everything above: an unchanged series is not written again.
    pub assembly_digest: String,
    /// Over what the linter reads: only a changed one is linted again.
    pub input_digest: String,
}

/// One patch that is to be linted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintPart {
    /// From 1.
    pub index: u32,
    /// `None` while it is missing.
    pub mail: Option<MailId>,
    /// `None` while it is missing.
    pub message_id: Option<String>,
    /// Without tags.
    pub subject: String,
    /// The diff's exact bytes; empty where there is none.
    pub diff: Vec<u8>,
}

/// What a series brings that others may wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedPatches {
    /// Each mail with the `git patch-id --stable` of its diff.
    pub patches: Vec<(MailId, String)>,
    /// Ids of its mails; empty where nothing changed since they were named.
    pub message_ids: Vec<String>,
}

/// What the linter needs of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintInput {
    /// The row.
    pub id: SeriesId,
    /// Addresses, sorted.
    pub lists: Vec<String>,
    /// Hex.
    pub base_commit: Option<String>,
    /// Tags of the subject.
    pub prefixes: Vec<String>,
    /// The digests of its mails that assembly reads, as JSON, the cover's first.
    pub heads: Vec<String>,
    /// One entry a place.
    pub parts: Vec<LintPart>,
    /// See [`SeriesDraft::input_digest`].
    pub input_digest: String,
    /// `None` before the first run.
    pub reviewed: Option<Reviewed>,
}

/// What a series was linted against the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// See [`SeriesDraft::input_digest`].
    pub input_digest: String,
    /// Of the trees as they were; empty where something else changed since.
    pub trees_digest: String,
    /// Name of the tree, hex commit id, and the sentence that says why; `None` where there was none.
    pub base: Option<(String, String, String)>,
}

/// What became of one patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchOutcome {
    /// From 1.
    pub index: u32,
    /// Of the run.
    pub state: PatchState,
    /// Why it does not apply or was skipped.
    pub reason: Option<String>,
}

/// The result of one run of the linter that is to be stored; replaces the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewDraft {
    /// The series.
    pub series: SeriesId,
    /// How it ended.
    pub state: ReviewState,
    /// Why it did not end as linted.
    pub reason: Option<String>,
    /// What it was linted against.
    pub base: Option<Base>,
    /// Hex id of the tree after the last patch that applied.
    pub final_tree: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// Findings of the base that are still there.
    pub unchanged_count: u64,
    /// Sorted by file and line.
    pub gaps: Vec<Gap>,
    /// In the linter's order.
    pub warnings: Vec<Warning>,
    /// One entry a place.
    pub patches: Vec<PatchOutcome>,
    /// Per patch and net.
    pub findings: Vec<FindingDraft>,
    /// Of the series as it was linted.
    pub input_digest: String,
    /// Of the trees as they were.
    pub trees_digest: String,
}
