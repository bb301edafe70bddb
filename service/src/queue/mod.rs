//! The job queue: enqueue, and the loop of a worker.

mod worker;

pub use worker::{Worked, Worker};

use crate::model::{JobId, JobKind, Timestamp};
use crate::store::{Store, StoreError};

/// Puts a job into the queue; one of the same kind and subject that waits already is that job.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub async fn enqueue(
    store: &Store,
    kind: JobKind,
    subject: &str,
    now: Timestamp,
) -> Result<JobId, StoreError> {
    store.enqueue(kind, subject, now).await
}
