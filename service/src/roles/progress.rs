//! How far a first import is: a bar where a person watches, a line now and then where a log does.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::ingest::Progress;

/// Between two drawings of the bar.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// Between two lines of a log.
const LOG_EVERY: Duration = Duration::from_secs(10);
const BAR_WIDTH: u64 = 30;

/// Writes progress while a source is read.
pub(super) struct Meter<'a> {
    list: &'a str,
    is_watched: bool,
    last: Option<Instant>,
    is_drawn: bool,
}

impl<'a> Meter<'a> {
    /// `is_watched`: the output is a terminal.
    pub(super) fn new(list: &'a str, is_watched: bool) -> Self {
        Self {
            list,
            is_watched,
            last: None,
            is_drawn: false,
        }
    }

    /// Shows a state if the last one is old enough. Nobody is left to tell when writing fails.
    pub(super) fn show(&mut self, progress: &Progress, output: &mut dyn Write) {
        let every = if self.is_watched {
            DRAW_EVERY
        } else {
            LOG_EVERY
        };
        // A log gets nothing of a run that ends soon.
        let last = *self.last.get_or_insert_with(|| {
            if self.is_watched {
                Instant::now()
                    .checked_sub(every)
                    .unwrap_or_else(Instant::now)
            } else {
                Instant::now()
            }
        });
        if last.elapsed() < every {
            return;
        }
        self.last = Some(Instant::now());
        let text = describe(self.list, progress, self.is_watched);
        if self.is_watched {
            self.is_drawn = true;
            // Back to the start of the line, and away with what is longer than the new text.
            write!(output, "\r{text}\x1b[K").ok();
            output.flush().ok();
        } else {
            writeln!(output, "{text}").ok();
        }
    }

    /// Removes the bar, so that what follows stands alone.
    pub(super) fn end(&mut self, output: &mut dyn Write) {
        if std::mem::take(&mut self.is_drawn) {
            write!(output, "\r\x1b[K").ok();
            output.flush().ok();
        }
    }
}

fn describe(list: &str, progress: &Progress, with_bar: bool) -> String {
    let read = progress.counts.read + progress.counts.skipped;
    let rate = progress.rate();
    let Some(left) = progress.remaining else {
        return format!("{list}: {read} mails, {rate:.0}/s");
    };
    let total = read + left;
    let bar = if with_bar {
        let done = (read * BAR_WIDTH).checked_div(total).unwrap_or(BAR_WIDTH);
        let full = "#".repeat(usize::try_from(done).unwrap_or(0));
        let rest = "-".repeat(usize::try_from(BAR_WIDTH - done).unwrap_or(0));
        format!("[{full}{rest}] ")
    } else {
        String::new()
    };
    #[expect(clippy::cast_precision_loss, reason = "a time to come is a guess")]
    let seconds = left as f64 / rate.max(1.0);
    format!("{list}: {bar}{read} of {total} mails, {rate:.0}/s, {seconds:.0} s to go")
}

#[cfg(test)]
mod tests {
    use super::{Meter, describe};
    use crate::ingest::Progress;
    use crate::model::IngestCounts;

    fn progress(read: u64, remaining: Option<u64>) -> Progress {
        Progress {
            counts: IngestCounts {
                read,
                ..IngestCounts::default()
            },
            seconds: 2.0,
            remaining,
        }
    }

    #[test]
    fn the_bar_has_its_width_at_every_state() {
        assert_eq!(
            describe("a@b", &progress(5000, Some(15000)), true),
            "a@b: [#######-----------------------] 5000 of 20000 mails, 2500/s, 6 s to go"
        );
        assert_eq!(
            describe("a@b", &progress(0, Some(0)), true)
                .matches('#')
                .count(),
            30
        );
        assert_eq!(
            describe("a@b", &progress(9, None), true),
            "a@b: 9 mails, 4/s"
        );
    }

    #[test]
    fn only_a_terminal_gets_a_bar_and_it_goes_away() {
        let mut output = Vec::new();
        let mut meter = Meter::new("a@b", true);
        meter.show(&progress(5, None), &mut output);
        meter.end(&mut output);
        assert_eq!(output, b"\ra@b: 5 mails, 2/s\x1b[K\r\x1b[K");
        let mut output = Vec::new();
        let mut meter = Meter::new("a@b", false);
        meter.show(&progress(5, None), &mut output);
        meter.end(&mut output);
        assert_eq!(output, b"");
    }
}
