//! A run over one source: a thread reads and parses ahead while the database takes the step before.

use std::path::Path;
use std::time::Instant;

use super::assembly::assemble_threads;
use super::read::{Incoming, read_mail};
use super::source::{RawMail, SourceError, SourceSpec};
use crate::model::{IngestCounts, ListPolicy, MailId, SourceStep, Timestamp};
use crate::store::{Store, StoreError};

/// Mails of one transaction.
const STEP_MAILS: usize = 1_000;

/// Why a run ended early; everything before the failing step is stored.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database did not take a step.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A mail that was handed over was refused.
    #[error("the message was refused: {reason}; it is kept for inspection")]
    Refused {
        /// Why.
        reason: String,
    },
}

/// Where a run stands, after each step.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Of this run so far.
    pub counts: IngestCounts,
    /// Since the start of the run.
    pub seconds: f64,
    /// Entries still to come, where the source knows.
    pub remaining: Option<u64>,
}

impl Progress {
    /// Mails read in a second of this run.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no 52 bits")]
        let read = self.counts.read as f64;
        read / self.seconds.max(0.001)
    }
}

/// Reads `source` from where the last run ended to its end.
///
/// # Errors
///
/// [`IngestError`]; everything up to the last whole step is stored, with its position.
pub async fn ingest(
    store: &Store,
    list: &str,
    source: &SourceSpec,
    now: Timestamp,
    mut progress: impl FnMut(&Progress),
) -> Result<IngestCounts, IngestError> {
    let start = Instant::now();
    let name = source.to_string();
    let mut batch = store.batch().await?;
    let list = batch.ensure_list(list, ListPolicy::Silent).await?;
    let position = batch.position(list, &name).await?;
    batch.commit().await?;
    let (sender, mut steps) = tokio::sync::mpsc::channel(1);
    let spec = source.clone();
    let mirrors = store.path().with_extension("mirrors");
    let reader =
        std::thread::spawn(move || read_ahead((&spec, &mirrors), position.as_deref(), &sender));
    let mut counts = IngestCounts::default();
    while let Some((incoming, remaining)) = steps.recv().await {
        let done = store_step(store, list, &name, &incoming, now).await?;
        add(&mut counts, &done);
        progress(&Progress {
            counts,
            seconds: start.elapsed().as_secs_f64(),
            remaining,
        });
    }
    reader
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(counts)
}

fn read_ahead(
    (spec, mirrors): (&SourceSpec, &Path),
    position: Option<&str>,
    sender: &tokio::sync::mpsc::Sender<(Incoming, Option<u64>)>,
) -> Result<(), SourceError> {
    let mut source = spec.open(position, mirrors)?;
    while let Some(raw) = source.next_step(STEP_MAILS)? {
        let remaining = source.remaining();
        // Nobody listens any more when the database failed: that error is the one to report.
        if sender
            .blocking_send((Incoming::of(raw), remaining))
            .is_err()
        {
            break;
        }
    }
    Ok(())
}

async fn store_step(
    store: &Store,
    list: crate::model::ListId,
    source: &str,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<IngestCounts, StoreError> {
    let mut batch = store.batch().await?;
    let stored = batch.store_step(list, source, &incoming.step, now).await?;
    let mut counts = stored.counts;
    counts.skipped += incoming.skipped;
    counts.series = assemble_threads(&mut batch, &stored.threads, now).await?;
    batch.commit().await?;
    Ok(counts)
}

fn add(sum: &mut IngestCounts, step: &IngestCounts) {
    sum.read += step.read;
    sum.stored += step.stored;
    sum.known += step.known;
    sum.refused += step.refused;
    sum.skipped += step.skipped;
    sum.series += step.series;
}

/// Stores one mail that a mail server hands over.
///
/// # Errors
///
/// [`IngestError::Store`] when it could not be stored and should be handed over again;
/// [`IngestError::Refused`] when it was kept, but not as a mail.
pub async fn deliver(
    store: &Store,
    list: &str,
    bytes: Vec<u8>,
    now: Timestamp,
) -> Result<Vec<MailId>, IngestError> {
    let mail = RawMail {
        bytes,
        place: now.to_string(),
        archived: Some(now.seconds()),
    };
    let mut step = SourceStep::default();
    let mut refused = None;
    match read_mail(mail) {
        Ok(mail) => step.mails.push(mail),
        Err(refusal) => {
            refused = Some(refusal.reason.clone());
            step.refusals.push(refusal);
        }
    }
    let mut batch = store.batch().await?;
    let list = batch.ensure_list(list, ListPolicy::Silent).await?;
    let stored = batch.store_step(list, "deliver", &step, now).await?;
    assemble_threads(&mut batch, &stored.threads, now).await?;
    batch.commit().await?;
    match refused {
        Some(reason) => Err(IngestError::Refused { reason }),
        None => Ok(stored.threads),
    }
}
