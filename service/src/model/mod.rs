//! Plain data that every part of the service shares: ids, times, states and what the pages read.
//!
//! Nothing here does I/O, and no state is ever written as a literal elsewhere: each enum has one
//! `as_str`/`parse` pair.

mod draft;
mod finding;
mod ids;
mod job;
mod list;
mod mail;
mod outbox;
mod page;
mod series;
mod state;
mod time;
mod token;

pub use draft::{
    LintInput, LintPart, MailDraft, NamedPatches, PartDraft, PatchOutcome, Placed, RefusalDraft,
    ReviewDraft, Reviewed, SeriesDraft, SourceStep, StoredHead, StoredSeries,
};
pub use finding::{
    Finding, FindingAnchor, FindingDraft, FindingFilter, FindingRow, Hop, Place, RuleCount,
};
pub use ids::{FindingId, JobId, ListId, MailId, OutboxId, SeriesId, TokenId};
pub use job::{Claim, JobFailure, JobKindCount, JobsSummary};
pub use list::{IngestCounts, ListSummary, Refusal, SourceState};
pub use mail::{MailSummary, MailView, Person};
pub use outbox::{OutboxDraft, OutboxEntry, OutboxItem};
pub use page::{Cursor, Page, PageRequest};
pub use series::{
    Base, Gap, PatchView, Review, SeriesExport, SeriesFilter, SeriesPage, SeriesSummary,
    VersionLink, Warning, version_label,
};
pub use state::{
    FindingState, JobKind, JobState, ListPolicy, MailKind, OutboxState, PatchState, ReviewState,
    SeriesState,
};
pub use time::Timestamp;
pub use token::Token;

pub use lorelint::finding::{Confidence, Severity, Via};
pub use lorelint::report::BaseHow;
