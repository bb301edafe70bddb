//! `work`: the queue without the rest of the service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::watch;

use super::{FAILED, Io, OK, Setup, follow, now};
use crate::jobs::{self, Context};
use crate::model::{JobKind, JobState};
use crate::queue::{Worked, Worker};

pub(super) async fn run(setup: &Setup, until_idle: bool, io: &mut Io) -> Result<u8> {
    let store = setup.open().await?;
    let context = Arc::new(Context::new(store.clone(), setup.config.clone(), now));
    prepare(&context).await?;
    let kinds = JobKind::ALL.to_vec();
    let stop = follow::stop_signal();
    let workers = futures(&context, &kinds, (!until_idle).then(|| stop.clone()));
    let mut worked = Worked::default();
    tokio::select! {
        ended = workers => for one in ended {
            let one = one?;
            worked.done += one.done;
            worked.failed += one.failed;
        },
        // The job at hand is another worker's when its lease ends; a second signal is not needed.
        () = follow::stopped(stop), if until_idle => bail!("stopped before the queue was empty"),
    }
    let (left, next) = store.unfinished_jobs().await?;
    write!(
        io.output,
        "jobs done {}, attempts failed {}, jobs left {left}",
        worked.done, worked.failed
    )?;
    match next.filter(|_| left > 0) {
        Some(next) => writeln!(io.output, ", the next is due {next}")?,
        None => writeln!(io.output)?,
    }
    for failure in store
        .jobs_summary()
        .await?
        .failures
        .iter()
        .filter(|it| it.state == JobState::Dead)
    {
        writeln!(
            io.errors,
            "job {} ({} {}) was given up: {}",
            failure.id, failure.kind, failure.subject, failure.error
        )?;
    }
    store.close().await;
    Ok(if until_idle && worked.failed > 0 {
        FAILED
    } else {
        OK
    })
}

/// Writes the configured policies and enqueues what the configuration makes due.
pub(super) async fn prepare(context: &Context) -> Result<()> {
    let policies: Vec<_> = context
        .config
        .lists
        .iter()
        .map(|it| (it.address.clone(), it.rules.policy))
        .collect();
    context.store.set_policies(&policies).await?;
    let stale = context.enqueue_stale().await?;
    if stale > 0 {
        tracing::info!("{stale} series are to be linted: their mails or the trees changed");
    }
    if context.sender.is_some() {
        context.enqueue_approved().await?;
    }
    Ok(())
}

/// Runs the configured number of workers; without `stop` until no job is due.
async fn futures(
    context: &Arc<Context>,
    kinds: &[JobKind],
    stop: Option<watch::Receiver<bool>>,
) -> Vec<Result<Worked>> {
    let mut workers = Vec::new();
    for number in 0..context.config.workers {
        let worker = worker(context, kinds, number);
        let context = Arc::clone(context);
        let stop = stop.clone();
        workers.push(tokio::spawn(async move {
            let run = |claim| jobs::run(Arc::clone(&context), claim);
            match stop {
                None => Ok(worker.until_idle(run).await?),
                Some(stop) => Ok(worker.until_stopped(run, stop).await),
            }
        }));
    }
    let mut ended = Vec::new();
    for worker in workers {
        ended.push(worker.await.unwrap_or_else(|error| Err(error.into())));
    }
    ended
}

/// A worker with a name that no other process uses.
pub(super) fn worker(context: &Context, kinds: &[JobKind], number: usize) -> Worker {
    Worker {
        store: context.store.clone(),
        name: format!("{}-{}-{number}", std::process::id(), now().0),
        kinds: kinds.to_vec(),
        lease: context.config.lease.max(Duration::from_secs(15)),
        clock: now,
    }
}
