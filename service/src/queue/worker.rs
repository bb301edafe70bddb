//! A worker: claims a job, keeps its lease while it runs, and writes how it ended.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use crate::model::{Claim, JobKind, Timestamp};
use crate::store::{Store, StoreError};

/// How often a worker looks for jobs where nothing wakes it.
const POLL: Duration = Duration::from_secs(2);
/// The first retry comes after this; each further one after four times as long.
const FIRST_RETRY_SECONDS: i64 = 30;

/// What a worker needs besides the jobs themselves.
#[derive(Clone)]
pub struct Worker {
    /// Where the jobs are.
    pub store: Store,
    /// Unique among all workers of all processes.
    pub name: String,
    /// The kinds that it takes; one or two.
    pub kinds: Vec<JobKind>,
    /// How long it may be silent before its job is another's.
    pub lease: Duration,
    /// The present moment.
    pub clock: fn() -> Timestamp,
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Jobs that ended well.
    pub done: u64,
    /// Attempts that failed.
    pub failed: u64,
}

impl Worker {
    /// Runs jobs until none is due.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the queue cannot be read or written.
    pub async fn until_idle<F, R>(&self, run: F) -> Result<Worked, StoreError>
    where
        F: Fn(Claim) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut worked = Worked::default();
        while self.one(&run, &mut worked).await? {}
        Ok(worked)
    }

    /// Runs jobs until `stop` says so; failures of the database are logged and tried again.
    pub async fn until_stopped<F, R>(&self, run: F, mut stop: watch::Receiver<bool>) -> Worked
    where
        F: Fn(Claim) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut worked = Worked::default();
        while !*stop.borrow() {
            match self.one(&run, &mut worked).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => error!("the queue cannot be used: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
        worked
    }

    /// Runs one job; `false` when none is due.
    async fn one<F, R>(&self, run: &F, worked: &mut Worked) -> Result<bool, StoreError>
    where
        F: Fn(Claim) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let now = (self.clock)();
        let claim = self
            .store
            .claim_job(&self.name, &self.kinds, (now, self.lease_end()))
            .await?;
        let Some(claim) = claim else { return Ok(false) };
        let Claim {
            id,
            kind,
            subject,
            attempt,
        } = &claim;
        debug!(
            job.id = id.0,
            job.kind = kind,
            "claimed job {id}: {kind} {subject}"
        );
        // A task of its own: its panic is this job's failure, not the worker's end.
        let job = tokio::spawn(run(claim.clone()));
        match self.attend(&claim, job).await {
            Ok(()) => {
                worked.done += 1;
                if !self.store.complete_job(&claim, (self.clock)()).await? {
                    warn!(
                        job.id = id.0,
                        "job {id} ended, but its lease was another worker's by then"
                    );
                }
            }
            Err(reason) => {
                worked.failed += 1;
                let wait = FIRST_RETRY_SECONDS << (2 * attempt.saturating_sub(1).min(6));
                warn!(
                    job.id = id.0,
                    "job {id} ({kind} {subject}) failed, attempt {attempt}: {reason}"
                );
                let retry_at = (self.clock)().plus_seconds(wait);
                self.store.fail_job(&claim, &reason, retry_at).await?;
            }
        }
        Ok(true)
    }

    /// Waits for the job and keeps its lease meanwhile.
    async fn attend(
        &self,
        claim: &Claim,
        mut job: tokio::task::JoinHandle<anyhow::Result<()>>,
    ) -> Result<(), String> {
        let mut beat = tokio::time::interval(self.lease / 3);
        beat.tick().await;
        loop {
            tokio::select! {
                ended = &mut job => return match ended {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(format!("{error:#}")),
                    Err(error) if error.is_panic() => Err(panic_text(error.into_panic())),
                    Err(error) => Err(error.to_string()),
                },
                _ = beat.tick() => match self.store.heartbeat_job(claim, self.lease_end()).await {
                    Ok(true) => {}
                    Ok(false) => {
                        job.abort();
                        return Err("its lease ended and another worker has it".to_owned());
                    }
                    Err(error) => info!("job {}: the lease was not kept this time: {error}", claim.id),
                },
            }
        }
    }

    fn lease_end(&self) -> Timestamp {
        let seconds = i64::try_from(self.lease.as_secs()).unwrap_or(i64::MAX);
        (self.clock)().plus_seconds(seconds)
    }
}

fn panic_text(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|it| (*it).to_owned())
        .or_else(|| panic.downcast::<String>().ok().map(|it| *it));
    format!("it panicked: {}", text.as_deref().unwrap_or("no message"))
}
