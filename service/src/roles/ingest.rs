//! `ingest` and `deliver`.

use std::io::Read as _;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::progress::Meter;
use super::{Io, OK, Setup, follow, now};
use crate::bot::header::Mailbox;
use crate::ingest::{Access, IngestError, Progress, Run, SourceSpec};

/// More than this on the pipe is not read: no list carries such a mail.
const MAX_DELIVERY_BYTES: u64 = 65 << 20;

pub(super) fn check_address(list: &str) -> Result<()> {
    if Mailbox::new(None, list).is_none() {
        bail!("--list {list:?} is no address such as linux-fsdevel@vger.kernel.org");
    }
    Ok(())
}

pub(super) async fn run(
    setup: &Setup,
    source: &str,
    (list, once): (&str, bool),
    io: &mut Io,
) -> Result<u8> {
    check_address(list)?;
    let source = SourceSpec::parse(source)?;
    let store = setup.open().await?;
    let is_followed = !once && source.can_grow();
    let access = Access {
        wait: is_followed.then_some(setup.config.ingest_interval),
        ..setup.config.access.clone()
    };
    let run = Run {
        list,
        source: &source,
        access: &access,
        clock: &now,
    };
    let stop = is_followed.then(follow::stop_signal);
    loop {
        let start = Instant::now();
        let mut meter = Meter::new(list, io.is_watched);
        let reading = run.run(&store, |progress| meter.show(progress, &mut io.errors));
        // A run that is dropped loses the step at hand, which the next one reads again.
        let ended = tokio::select! {
            ended = reading => Some(ended),
            () = follow::stopped_if(stop.clone()) => None,
        };
        meter.end(&mut io.errors);
        let Some(ended) = ended else { break };
        let progress = Progress {
            counts: ended?,
            seconds: start.elapsed().as_secs_f64(),
            remaining: None,
        };
        report(list, &progress, io)?;
        if !is_followed {
            break;
        }
        io.output.flush()?;
        tokio::select! {
            () = tokio::time::sleep(setup.config.ingest_interval) => {}
            () = follow::stopped_if(stop.clone()) => break,
        }
    }
    store.close().await;
    Ok(OK)
}

fn report(list: &str, progress: &Progress, io: &mut Io) -> Result<()> {
    let counts = &progress.counts;
    writeln!(
        io.output,
        "{list}: read {}, stored {}, known {}, refused {}, skipped {}, series new or changed {}, {:.2} s, {:.0} mails/s",
        counts.read,
        counts.stored,
        counts.known,
        counts.refused,
        counts.skipped,
        counts.series,
        progress.seconds,
        progress.rate(),
    )?;
    Ok(())
}

pub(super) async fn deliver(setup: &Setup, list: &str, io: &mut Io) -> Result<u8> {
    check_address(list)?;
    let mut bytes = Vec::new();
    io.input
        .by_ref()
        .take(MAX_DELIVERY_BYTES)
        .read_to_end(&mut bytes)
        .context("reading standard input")?;
    let store = setup.open().await?;
    match crate::ingest::deliver(&store, list, bytes, now()).await {
        Ok(_) => {}
        // It is kept: a bounce would only tell the list's server about somebody else's mistake.
        Err(error @ IngestError::Refused { .. }) => writeln!(io.errors, "lorelintd: {error}")?,
        Err(error) => return Err(error.into()),
    }
    store.close().await;
    Ok(OK)
}
