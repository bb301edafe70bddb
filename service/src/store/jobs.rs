//! The job table: one column says when a job may be claimed, the number of attempts fences what workers write.

use sqlx::{Sqlite, Transaction};

use super::sql::{Columns, clean, failed, statements};
use super::{Result, Store};
use crate::model::{
    Claim, JobFailure, JobId, JobKind, JobKindCount, JobState, JobsSummary, Timestamp,
};

statements! {
    // A job that waits takes the earlier time; one that a worker has runs again afterwards; one that is done starts anew.
    ENQUEUE = "INSERT INTO job (kind, subject, state, priority, attempts, max_attempts, due_at) \
        VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (kind, subject) DO UPDATE SET \
        is_again = CASE WHEN job.state = $7 THEN 1 ELSE 0 END, \
        due_at = CASE WHEN job.state = $7 THEN job.due_at WHEN job.state = $3 AND job.due_at < excluded.due_at \
            THEN job.due_at ELSE excluded.due_at END, \
        attempts = CASE WHEN job.state = $7 THEN job.attempts ELSE 0 END, \
        state = CASE WHEN job.state = $7 THEN job.state ELSE excluded.state END \
        RETURNING id";
    BURY = "UPDATE job SET state = $1, last_error = COALESCE(last_error, $2) \
        WHERE state = $3 AND due_at <= $4 AND attempts >= max_attempts";
    // PostgreSQL adds FOR UPDATE SKIP LOCKED after LIMIT; here the write lock is held already.
    CLAIM = "UPDATE job SET state = $1, attempts = attempts + 1, worker = $2, due_at = $3 \
        WHERE id IN (SELECT id FROM job WHERE state IN ($4, $5) AND due_at <= $6 AND attempts < max_attempts \
        AND kind IN ($7, $8) ORDER BY priority DESC, due_at, id LIMIT 1) RETURNING id, kind, subject, attempts";
    HEARTBEAT = "UPDATE job SET due_at = $1 WHERE id = $2 AND attempts = $3 AND state = $4";
    COMPLETE = "UPDATE job SET state = CASE WHEN is_again = 1 THEN $1 ELSE $2 END, due_at = $3, is_again = 0, \
        attempts = CASE WHEN is_again = 1 THEN 0 ELSE attempts END, worker = NULL, last_error = NULL \
        WHERE id = $4 AND attempts = $5 AND state = $6";
    FAIL = "UPDATE job SET state = CASE WHEN attempts >= max_attempts AND is_again = 0 THEN $1 ELSE $2 END, \
        attempts = CASE WHEN is_again = 1 THEN 0 ELSE attempts END, is_again = 0, \
        due_at = $3, worker = NULL, last_error = $4 WHERE id = $5 AND attempts = $6 AND state = $7";
    COUNTS = "SELECT kind, state, COUNT(*) FROM job GROUP BY kind, state ORDER BY kind, state";
    OLDEST_DUE = "SELECT MIN(due_at) FROM job WHERE state = $1";
    FAILURES = "SELECT id, kind, subject, state, attempts, last_error, due_at FROM job \
        WHERE last_error IS NOT NULL ORDER BY id DESC LIMIT 50";
    UNFINISHED = "SELECT COUNT(*), MIN(due_at) FROM job WHERE state IN ($1, $2)";
}

/// A job is given up after this many attempts.
const MAX_ATTEMPTS: i64 = 5;

pub(super) async fn enqueue_in(
    transaction: &mut Transaction<'static, Sqlite>,
    kind: JobKind,
    subject: &str,
    due_at: Timestamp,
) -> Result<JobId> {
    // A reply that was approved goes before lints that may take minutes.
    let priority = match kind {
        JobKind::SendReply => 10_i64,
        JobKind::LintSeries => 0,
    };
    sqlx::query_scalar(ENQUEUE)
        .bind(kind.as_str())
        .bind(clean(subject))
        .bind(JobState::Queued.as_str())
        .bind(priority)
        .bind(MAX_ATTEMPTS)
        .bind(due_at.0)
        .bind(JobState::Leased.as_str())
        .fetch_one(&mut **transaction)
        .await
        .map(JobId)
        .map_err(failed("enqueueing a job"))
}

impl Store {
    /// Puts a job into the queue; one of the same kind and subject that waits already is that job.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn enqueue(&self, kind: JobKind, subject: &str, due_at: Timestamp) -> Result<JobId> {
        let mut transaction = self.write().await?;
        let id = enqueue_in(&mut transaction, kind, subject, due_at).await?;
        transaction
            .commit()
            .await
            .map_err(failed("enqueueing a job"))?;
        Ok(id)
    }

    /// Hands the most urgent due job of these kinds (one or two) to `worker` until the lease ends; `None` when none is due.
    ///
    /// A job whose worker died on the last attempt is buried first, so that it cannot kill workers for ever.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn claim_job(
        &self,
        worker: &str,
        kinds: &[JobKind],
        (now, lease_end): (Timestamp, Timestamp),
    ) -> Result<Option<Claim>> {
        let (Some(first), Some(last)) = (kinds.first(), kinds.last()) else {
            return Ok(None);
        };
        let mut transaction = self.write().await?;
        sqlx::query(BURY)
            .bind(JobState::Dead.as_str())
            .bind("the worker was lost on the last attempt")
            .bind(JobState::Leased.as_str())
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(failed("burying lost jobs"))?;
        let row = sqlx::query(CLAIM)
            .bind(JobState::Leased.as_str())
            .bind(worker.to_owned())
            .bind(lease_end.0)
            .bind(JobState::Queued.as_str())
            .bind(JobState::Leased.as_str())
            .bind(now.0)
            .bind(first.as_str())
            .bind(last.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed("claiming a job"))?;
        transaction
            .commit()
            .await
            .map_err(failed("claiming a job"))?;
        row.map(|row| {
            let mut columns = Columns::new(&row);
            Ok(Claim {
                id: JobId(columns.take()?),
                kind: columns.take()?,
                subject: columns.take()?,
                attempt: columns.number()?,
            })
        })
        .transpose()
    }

    /// Keeps a lease; `false` when the job is another worker's by now.
    pub async fn heartbeat_job(&self, claim: &Claim, lease_end: Timestamp) -> Result<bool> {
        let done = sqlx::query(HEARTBEAT)
            .bind(lease_end.0)
            .bind(claim.id.0)
            .bind(i64::from(claim.attempt))
            .bind(JobState::Leased.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("keeping a lease"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a job well; `false` when it is another worker's by now.
    pub async fn complete_job(&self, claim: &Claim, now: Timestamp) -> Result<bool> {
        let done = sqlx::query(COMPLETE)
            .bind(JobState::Queued.as_str())
            .bind(JobState::Done.as_str())
            .bind(now.0)
            .bind(claim.id.0)
            .bind(i64::from(claim.attempt))
            .bind(JobState::Leased.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("completing a job"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends an attempt badly: the job is tried again at `retry_at`, or buried after its last attempt.
    pub async fn fail_job(&self, claim: &Claim, error: &str, retry_at: Timestamp) -> Result<bool> {
        let done = sqlx::query(FAIL)
            .bind(JobState::Dead.as_str())
            .bind(JobState::Queued.as_str())
            .bind(retry_at.0)
            .bind(clean(error))
            .bind(claim.id.0)
            .bind(i64::from(claim.attempt))
            .bind(JobState::Leased.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("failing a job"))?;
        Ok(done.rows_affected() == 1)
    }

    /// How many jobs are not finished, and when the first of them is due.
    pub async fn unfinished_jobs(&self) -> Result<(u64, Option<Timestamp>)> {
        let row = sqlx::query(UNFINISHED)
            .bind(JobState::Queued.as_str())
            .bind(JobState::Leased.as_str())
            .fetch_one(&self.readers)
            .await
            .map_err(failed("counting jobs"))?;
        let mut columns = Columns::new(&row);
        Ok((
            columns.number()?,
            columns.take::<Option<i64>>()?.map(Timestamp),
        ))
    }

    /// The queue at this moment.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn jobs_summary(&self) -> Result<JobsSummary> {
        let doing = "reading the queue";
        let counts = sqlx::query(COUNTS)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        let oldest: Option<i64> = sqlx::query_scalar(OLDEST_DUE)
            .bind(JobState::Queued.as_str())
            .fetch_one(&self.readers)
            .await
            .map_err(failed(doing))?;
        let failures = sqlx::query(FAILURES)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        Ok(JobsSummary {
            counts: counts
                .iter()
                .map(|row| {
                    let mut columns = Columns::new(row);
                    Ok(JobKindCount {
                        kind: columns.take()?,
                        state: columns.state("job.state", JobState::parse)?,
                        count: columns.number()?,
                    })
                })
                .collect::<Result<_>>()?,
            oldest_due_at: oldest.map(Timestamp),
            failures: failures
                .iter()
                .map(|row| {
                    let mut columns = Columns::new(row);
                    Ok(JobFailure {
                        id: JobId(columns.take()?),
                        kind: columns.take()?,
                        subject: columns.take()?,
                        state: columns.state("job.state", JobState::parse)?,
                        attempts: columns.number()?,
                        error: columns.take()?,
                        due_at: columns.time()?,
                    })
                })
                .collect::<Result<_>>()?,
        })
    }
}
