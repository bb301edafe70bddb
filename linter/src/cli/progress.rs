//! Tells a person who watches that a long run is alive.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::Io;
use super::args::Common;
use super::settings::on_threads;

/// A run that is over sooner is not spoken of.
const PATIENCE: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(200);

/// Runs `work` as [`on_threads`] does; while it lasts, a line on standard error counts the seconds, where that is a
/// terminal.
///
/// # Errors
///
/// Those of [`on_threads`].
pub(super) fn watched<T: Send>(
    common: &Common,
    io: &mut Io<'_>,
    work: impl FnOnce() -> T + Send,
) -> anyhow::Result<T> {
    if !io.is_watched || common.quiet {
        return on_threads(common, work);
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        let (done, is_done) = channel::<()>();
        let worker = scope.spawn(move || {
            let result = on_threads(common, work);
            drop(done);
            result
        });
        let mut wait = PATIENCE;
        let mut is_shown = false;
        while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = STEP;
            is_shown = true;
            let seconds = start.elapsed().as_secs_f64();
            // Whoever cannot be told is not watching.
            drop(write!(
                io.stderr,
                "\rlorelint: reading the tree, {seconds:.1} s"
            ));
            drop(io.stderr.flush());
        }
        if is_shown {
            drop(write!(io.stderr, "\r\x1b[K"));
        }
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
