//! The demo's list: mails whose dates lie a fixed time before now.

use crate::model::Timestamp;

macro_rules! mails {
    ($($name:literal,)*) => { &[$(include_str!(concat!("mails/", $name)),)*] };
}

/// Oldest first; `Date: @-98h+1s` means 98 hours before now, and a second.
static MAILS: &[&str] = mails![
    "01-20260301-async-v1-0.eml",
    "02-20260301-async-v1-1.eml",
    "03-20260301-async-v1-2.eml",
    "04-20260301-review-1.eml",
    "05-20260301-review-2.eml",
    "06-20260302-attributes.eml",
    "07-20260302-robot.eml",
    "08-20260302-batches.eml",
    "09-20260303-readahead-1.eml",
    "10-20260303-readahead-2.eml",
    "11-20260304-async-v2-0.eml",
    "12-20260304-async-v2-1.eml",
    "13-20260304-async-v2-2.eml",
    "14-20260304-review-3.eml",
    "15-20260305-forget.eml",
    "16-20260305-comment.eml",
    "17-20260305-cleanup-1.eml",
    "18-20260305-cleanup-3.eml",
];

/// All mails as an mbox, with `now` as the present moment.
pub(super) fn mailbox(now: Timestamp) -> String {
    let mut out = String::new();
    for mail in MAILS {
        out.push_str("From demo@example.org Thu Jan  1 00:00:00 1970\n");
        for line in mail.lines() {
            if let Some(offset) = line.strip_prefix("Date: @-") {
                out.push_str("Date: ");
                out.push_str(&date(now, offset));
                out.push('\n');
                continue;
            }
            // mboxrd: a line that looks like the next mail is quoted.
            if line.trim_start_matches('>').starts_with("From ") {
                out.push('>');
            }
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

/// `98h+1s` before `now`, as RFC 5322 writes it.
fn date(now: Timestamp, offset: &str) -> String {
    let (hours, seconds) = offset.split_once('+').unwrap_or((offset, "0s"));
    let number = |text: &str, unit: char| {
        text.trim_end_matches(unit)
            .parse::<i64>()
            .expect("the mails are ours")
    };
    let at = now.plus_seconds(number(seconds, 's') - 3_600 * number(hours, 'h'));
    at.to_jiff()
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}
