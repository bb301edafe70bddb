//! The jobs: one file each, one line each in [`run`]. Every job may run twice and does its work once.

mod below;
mod convert;
mod lint_series;
mod send_reply;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use lorelint::Linter;

use crate::config::Config;
use crate::model::{Claim, JobKind, OutboxId, SeriesId, Timestamp};
use crate::outbox::Sender;
use crate::store::{Store, StoreError};
use crate::trees::Trees;

/// What jobs work with; shared by all workers of a process.
pub struct Context {
    /// The database.
    pub store: Store,
    /// What is configured.
    pub config: Config,
    /// Kept warm between jobs.
    pub linter: Linter,
    /// Kept open between jobs.
    pub trees: Trees,
    /// The way out; `None` where replies stay here.
    pub sender: Option<Box<dyn Sender>>,
    /// The present moment.
    pub clock: fn() -> Timestamp,
}

impl Context {
    /// The context for a configuration, with nothing warm yet.
    pub fn new(store: Store, config: Config, clock: fn() -> Timestamp) -> Self {
        Self {
            sender: crate::outbox::sender(&config.transport),
            linter: Linter::new(lorelint::Options::default()),
            trees: Trees::default(),
            store,
            config,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Enqueues every series whose review does not fit its mails or the trees as they are now; returns how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be used.
    pub async fn enqueue_stale(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let stale = self.store.stale_series(&self.trees_digests()).await?;
        for series in &stale {
            self.store
                .enqueue(JobKind::LintSeries, &series.to_string(), now)
                .await?;
        }
        Ok(stale.len())
    }

    /// Enqueues every reply that may go out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub async fn enqueue_approved(&self) -> Result<(), StoreError> {
        self.store.enqueue_approved(self.now()).await
    }

    /// The digests that a review may have now: one for each list, and one for lists without configuration.
    fn trees_digests(&self) -> Vec<String> {
        let mut digests: Vec<String> = self
            .config
            .lists
            .iter()
            .map(|it| {
                self.trees
                    .digest(&self.config.trees_for(std::slice::from_ref(&it.address)))
            })
            .collect();
        digests.push(self.trees.digest(&self.config.trees_for(&[])));
        digests
    }
}

/// Runs one job.
///
/// # Errors
///
/// Why this attempt failed; the queue tries again.
pub async fn run(context: Arc<Context>, claim: Claim) -> anyhow::Result<()> {
    let subject = &claim.subject;
    match JobKind::parse(&claim.kind) {
        Some(JobKind::LintSeries) => {
            let id = SeriesId::parse(subject).context("the subject is no series id")?;
            lint_series::run(&context, id).await
        }
        Some(JobKind::SendReply) => {
            let id = OutboxId::parse(subject).context("the subject is no outbox id")?;
            send_reply::run(&context, id).await
        }
        None => bail!("this program knows no job {:?}", claim.kind),
    }
}
