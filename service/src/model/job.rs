//! The queue as the pages and the metrics show it.

use super::{JobId, JobState, Timestamp};

/// A job in a worker's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The row.
    pub id: JobId,
    /// As stored: a newer version may have kinds that this one does not know.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// From 1; fences everything that this worker writes about the job.
    pub attempt: u32,
}

/// Jobs of one kind in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKindCount {
    /// As stored: a newer version may have kinds that this one does not know.
    pub kind: String,
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: u64,
}

/// A job that failed at least once and is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFailure {
    /// The row.
    pub id: JobId,
    /// As stored.
    pub kind: String,
    /// What it is about: the id of a series or of an outbox row.
    pub subject: String,
    /// Queued (will be tried again) or dead.
    pub state: JobState,
    /// Attempts so far.
    pub attempts: u32,
    /// Of the last attempt.
    pub error: String,
    /// When it is tried again.
    pub due_at: Timestamp,
}

/// The queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsSummary {
    /// Sorted by kind and state.
    pub counts: Vec<JobKindCount>,
    /// When the oldest job that is due became due.
    pub oldest_due_at: Option<Timestamp>,
    /// At most 50, newest first.
    pub failures: Vec<JobFailure>,
}
