//! A run over one source: a thread reads and parses ahead while the database takes the step before.

use std::path::Path;
use std::time::Instant;

use super::assembly::assemble_threads;
use super::net::Access;
use super::read::Incoming;
use super::source::{RawMail, RawStep, SourceError, SourceSpec};
use crate::model::{IngestCounts, ListPolicy, MailId, RefusalDraft, Timestamp};
use crate::store::{AcceptedToken, Store, StoreError};

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

/// One list, read from one source.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Posting address of the list.
    pub list: &'a str,
    /// Where its mails are.
    pub source: &'a SourceSpec,
    /// Logins and waiting.
    pub access: &'a Access,
    /// Gives the present moment.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
}

impl Run<'_> {
    /// Reads the source from where the last run ended to its end, and waits there for more if that is wanted.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; everything up to the last whole step is stored, with its position.
    pub async fn run(
        &self,
        store: &Store,
        mut progress: impl FnMut(&Progress),
    ) -> Result<IngestCounts, IngestError> {
        let start = Instant::now();
        let name = self.source.to_string();
        let mut batch = store.batch().await?;
        let list = batch.ensure_list(self.list, ListPolicy::Silent).await?;
        let position = batch.position(list, &name).await?;
        batch.commit().await?;
        let (sender, mut steps) = tokio::sync::mpsc::channel(1);
        let spec = self.source.clone();
        let access = self.access.clone();
        let mirrors = store.path().with_extension("mirrors");
        let reader = std::thread::spawn(move || {
            let place = (mirrors.as_path(), &access);
            read_ahead((&spec, place), position.as_deref(), &sender)
        });
        let mut counts = IngestCounts::default();
        while let Some((incoming, remaining)) = steps.recv().await {
            let done = store_step(store, list, &name, &incoming, (self.clock)()).await?;
            add(&mut counts, &done);
            progress(&Progress {
                counts,
                seconds: start.elapsed().as_secs_f64(),
                remaining,
            });
        }
        reader.join().map_err(|_| SourceError::Broken { name })??;
        Ok(counts)
    }
}

/// Reads `source` to its end as [`Run::run`] does, without logins, at the time `now`.
///
/// # Errors
///
/// [`IngestError`]; everything up to the last whole step is stored, with its position.
pub async fn ingest(
    store: &Store,
    list: &str,
    source: &SourceSpec,
    now: Timestamp,
    progress: impl FnMut(&Progress),
) -> Result<IngestCounts, IngestError> {
    let run = Run {
        list,
        source,
        access: &Access::default(),
        clock: &|| now,
    };
    run.run(store, progress).await
}

fn read_ahead(
    (spec, place): (&SourceSpec, (&Path, &Access)),
    position: Option<&str>,
    sender: &tokio::sync::mpsc::Sender<(Incoming, Option<u64>)>,
) -> Result<(), SourceError> {
    let mut source = spec.open(position, place)?;
    let end = place.1.wait.map(|it| Instant::now() + it);
    loop {
        while let Some(raw) = source.next_step(STEP_MAILS)? {
            let remaining = source.remaining();
            // Nobody listens any more when the database failed: that error is the one to report.
            if sender
                .blocking_send((Incoming::of(raw), remaining))
                .is_err()
            {
                return Ok(());
            }
        }
        let left = end.map(|it| it.saturating_duration_since(Instant::now()));
        let Some(left) = left.filter(|it| !it.is_zero()) else {
            return Ok(());
        };
        if !source.wait(left)? {
            return Ok(());
        }
    }
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
    let mut raw = RawStep::default();
    raw.mails.push(RawMail {
        bytes: without_from_line(bytes),
        place: now.to_string(),
        archived: Some(now.seconds()),
    });
    let incoming = Incoming::of(raw);
    let mut batch = store.batch().await?;
    let list = batch.ensure_list(list, ListPolicy::Silent).await?;
    let stored = batch
        .store_step(list, "deliver", &incoming.step, now)
        .await?;
    assemble_threads(&mut batch, &stored.threads, now).await?;
    batch.commit().await?;
    match incoming.step.refusals.into_iter().next() {
        Some(refusal) => Err(IngestError::Refused {
            reason: refusal.reason,
        }),
        None => Ok(stored.threads),
    }
}

/// Mail servers that deliver as into a mailbox put a `From ` line first; it is no part of the mail.
fn without_from_line(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(b"From ") {
        return bytes;
    }
    match bytes.iter().position(|it| *it == b'\n') {
        Some(end) => bytes[end + 1..].to_vec(),
        None => bytes,
    }
}

/// Stores what a program handed over with a token, and says what was refused.
pub(super) async fn hand_over(
    store: &Store,
    token: &AcceptedToken,
    raw: RawStep,
    now: Timestamp,
) -> Result<(IngestCounts, Vec<RefusalDraft>), StoreError> {
    let reading = tokio::task::spawn_blocking(move || Incoming::of(raw));
    let incoming = reading
        .await
        .expect("reading a mail catches its own panics");
    let mut batch = store.batch().await?;
    batch.use_token(token.id, now).await?;
    let source = format!("token {}", token.id);
    let stored = batch
        .store_step(token.list, &source, &incoming.step, now)
        .await?;
    let mut counts = stored.counts;
    counts.series = assemble_threads(&mut batch, &stored.threads, now).await?;
    batch.commit().await?;
    Ok((counts, incoming.step.refusals))
}
