//! Mailboxes in mboxrd form, cut at their `From ` lines.
//!
//! `Content-Length:` is not trusted, blank lines before a separator are not required, and a `From ` line
//! without a date is text: that is how mailboxes go wrong in practice.

use std::borrow::Cow;

use crate::headers::{line_end, trim_line_end};

/// One mail of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of its `From ` line.
    pub offset: usize,
    /// The mail, without the `From ` line and with mboxrd quoting undone.
    pub mail: Cow<'a, [u8]>,
}

/// The mails of a mailbox, one after the other; see [`split`].
#[derive(Clone, Debug)]
pub struct Split<'a> {
    mailbox: &'a [u8],
    /// Offset of the next `From ` line, or the end.
    next: usize,
    /// Bytes before the first `From ` line, which are no mail: report them.
    pub leading_garbage: usize,
}

/// Cuts a mailbox into mails, lazily; nothing is copied but mails with quoted `From ` lines.
///
/// Bytes without any `From ` line are all `leading_garbage`: they may be one bare mail.
pub fn split(mailbox: &[u8]) -> Split<'_> {
    let next = find_separator(mailbox, 0);
    Split {
        mailbox,
        next,
        leading_garbage: next,
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        while self.next < self.mailbox.len() {
            let offset = self.next;
            let start = line_end(self.mailbox, offset);
            self.next = find_separator(self.mailbox, start);
            let mut mail = &self.mailbox[start..self.next];
            // The blank line before the next separator belongs to the mailbox.
            if self.next < self.mailbox.len() || mail.ends_with(b"\n\n") {
                mail = strip_blank_line(mail);
            }
            if !mail.trim_ascii().is_empty() {
                return Some(Entry {
                    offset,
                    mail: unquote(mail),
                });
            }
        }
        None
    }
}

fn strip_blank_line(mail: &[u8]) -> &[u8] {
    if mail.ends_with(b"\r\n\r\n") {
        &mail[..mail.len() - 2]
    } else if mail.ends_with(b"\n\n") {
        &mail[..mail.len() - 1]
    } else {
        mail
    }
}

/// Offset of the first separator line at or after `from`, which is at the start of a line; the end if none.
fn find_separator(mailbox: &[u8], from: usize) -> usize {
    let mut at = from;
    if is_separator(mailbox, at) {
        return at;
    }
    while let Some(found) = memchr::memmem::find(&mailbox[at..], b"\nFrom ") {
        at += found + 1;
        if is_separator(mailbox, at) {
            return at;
        }
    }
    mailbox.len()
}

/// `From someone Thu Jan  1 00:00:00 1970`: a time of day and a year are what prose does not have.
fn is_separator(mailbox: &[u8], at: usize) -> bool {
    if !mailbox[at..].starts_with(b"From ") {
        return false;
    }
    let line = trim_line_end(&mailbox[at..line_end(mailbox, at)]);
    if line.len() > 400 {
        return false;
    }
    let mut time = false;
    let mut year = false;
    for word in line[5..].split(|it| *it == b' ') {
        let digits = word.iter().filter(|it| it.is_ascii_digit()).count();
        time |= word.contains(&b':')
            && digits >= 3
            && word.iter().all(|it| it.is_ascii_digit() || *it == b':');
        year |= word.len() == 4 && digits == 4;
    }
    time && year
}

/// Takes one `>` from lines of `>` followed by `From `.
fn unquote(mail: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(mail, b">From ").is_none() {
        return Cow::Borrowed(mail);
    }
    let mut out = Vec::with_capacity(mail.len());
    let mut at = 0;
    while at < mail.len() {
        let end = line_end(mail, at);
        let line = &mail[at..end];
        let quotes = line.iter().take_while(|it| **it == b'>').count();
        let quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        out.extend_from_slice(&line[usize::from(quoted)..]);
        at = end;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn check(mailbox: &str, garbage: usize, expected: &[&str]) {
        let it = split(mailbox.as_bytes());
        assert_eq!(it.leading_garbage, garbage);
        let mails: Vec<_> = it
            .map(|it| String::from_utf8_lossy(&it.mail).into_owned())
            .collect();
        assert_eq!(mails, expected);
    }

    #[test]
    fn separators_need_a_date() {
        let from = "From mboxrd@z Thu Jan  1 00:00:00 1970\n";
        check(
            &format!("{from}A: b\n\nFrom the start\n>From x\n>>From y\n\n{from}C: d\n\ne\n"),
            0,
            &["A: b\n\nFrom the start\nFrom x\n>From y\n", "C: d\n\ne\n"],
        );
        check(
            &format!("garbage\n\n{from}A: b\n{from}C: d\n"),
            9,
            &["A: b\n", "C: d\n"],
        );
        check(from, 0, &[]);
        check("A: b\n\nc\n", 8, &[]);
        check("", 0, &[]);
    }
}
