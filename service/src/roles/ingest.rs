//! `ingest` and `deliver`.

use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Io, OK, Setup, follow, now};
use crate::bot::header::Mailbox;
use crate::ingest::{IngestError, Progress, SourceSpec, ingest};

/// How often progress is written.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// More than this on the pipe is not read: no list carries such a mail.
const MAX_DELIVERY_BYTES: u64 = 65 << 20;

fn check_address(list: &str) -> Result<()> {
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
    let can_grow = matches!(
        source,
        SourceSpec::PublicInbox(_) | SourceSpec::Remote(_) | SourceSpec::Maildir(_)
    );
    loop {
        let start = Instant::now();
        let mut last = start;
        let errors = &mut io.errors;
        let counts = ingest(&store, list, &source, now(), |progress: &Progress| {
            if last.elapsed() >= PROGRESS_EVERY {
                last = Instant::now();
                let left = progress
                    .remaining
                    .map_or(String::new(), |it| format!(", {it} to come"));
                writeln!(
                    errors,
                    "{list}: {} mails, {:.0}/s{left}",
                    progress.counts.read,
                    progress.rate()
                )
                .ok();
            }
        })
        .await?;
        let progress = Progress {
            counts,
            seconds: start.elapsed().as_secs_f64(),
            remaining: None,
        };
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
        if once || !can_grow {
            break;
        }
        io.output.flush()?;
        if follow::pause(setup.config.ingest_interval).await {
            break;
        }
    }
    store.close().await;
    Ok(OK)
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
