//! Text to [`Patch`]: finds the sections in whatever stands around them, as `git apply` does.

use super::binary;
use super::headers::GitHeaders;
use super::names::{RawNames, git_names, has_epoch_stamp, header_name};
use super::{
    Body, DiffError, FileKind, FilePatch, Hunk, HunkLine, LineKind, MAX_BINARY_BYTES,
    MAX_DIFF_BYTES, MAX_FILES, Patch,
};

/// Parses every section of a git or plain unified diff; text before, between and after them is skipped.
///
/// The number of leading directories to take off is what the names say (`a/x` and `b/x`: one; the same name
/// twice: none); [`super::apply()`] looks at the tree when that finds nothing.
///
/// # Errors
///
/// [`DiffError`] when there is no section, or one is damaged. Nothing is left out silently.
pub fn parse(text: &[u8]) -> Result<Patch, DiffError> {
    if text.len() > MAX_DIFF_BYTES {
        let what = format!("{} bytes, more than {MAX_DIFF_BYTES}", text.len());
        return Err(DiffError::TooLarge { line: 1, what });
    }
    let mut lines: Vec<&[u8]> = text.split_inclusive(|&it| it == b'\n').collect();
    let crlf_transport = has_crlf_headers(&lines);
    let unwrapped;
    if crlf_transport {
        unwrapped = without_transport_cr(&lines);
        lines = unwrapped.split_inclusive(|&it| it == b'\n').collect();
    }
    let mut parser = Parser {
        lines,
        at: 0,
        binary_bytes: 0,
    };
    let mut files = Vec::new();
    while let Some(file) = parser.next_file(!files.is_empty())? {
        if files.len() == MAX_FILES {
            let what = format!("more than {MAX_FILES} files");
            let line = file.line;
            return Err(DiffError::TooLarge { line, what });
        }
        files.push(file);
    }
    if files.is_empty() {
        return Err(DiffError::Empty);
    }
    let votes: Vec<u32> = files
        .iter()
        .filter_map(|it| it.names.strip_vote())
        .collect();
    let strip = u32::from(votes.contains(&1) || !votes.contains(&0));
    for file in &mut files {
        file.resolve(strip)?;
    }
    Ok(Patch {
        files,
        strip,
        crlf_transport,
    })
}

/// Whether every header ends in CR LF: then the transport did that, not the patched file.
fn has_crlf_headers(lines: &[&[u8]]) -> bool {
    let mut headers = lines
        .iter()
        .filter(|it| it.starts_with(b"diff --git ") || it.starts_with(b"@@ -"))
        .peekable();
    headers.peek().is_some() && headers.all(|it| it.ends_with(b"\r\n"))
}

fn without_transport_cr(lines: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        match line.strip_suffix(b"\r\n") {
            Some(rest) => {
                text.extend_from_slice(rest);
                text.push(b'\n');
            }
            None => text.extend_from_slice(line),
        }
    }
    text
}

struct Parser<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
    binary_bytes: usize,
}

impl<'a> Parser<'a> {
    /// The line at `self.at + ahead` without its LF.
    fn peek(&self, ahead: usize) -> Option<&'a [u8]> {
        let line = self.lines.get(self.at + ahead)?;
        Some(line.strip_suffix(b"\n").unwrap_or(line))
    }

    fn number(&self) -> u32 {
        u32::try_from(self.at + 1).unwrap_or(u32::MAX)
    }

    /// The next section, or `None` at the end of the text.
    fn next_file(&mut self, is_inside: bool) -> Result<Option<FilePatch>, DiffError> {
        while let Some(line) = self.peek(0) {
            let number = self.number();
            if let Some(rest) = line.strip_prefix(b"diff --git ") {
                self.at += 1;
                // A line of prose may start like a header: without any header under it, it is prose.
                if let Some(file) = self.git_file(rest, number)? {
                    return Ok(Some(file));
                }
                continue;
            }
            if is_traditional_start(line, self.peek(1), self.peek(2)) {
                return self.traditional_file(number).map(Some);
            }
            if is_inside && line.starts_with(b"@@ -") && parse_hunk_header(line).is_some() {
                let what = "a hunk without a file: the lines above it are damaged".to_owned();
                return Err(DiffError::Header { line: number, what });
            }
            self.at += 1;
        }
        Ok(None)
    }

    fn git_file(&mut self, rest: &[u8], line: u32) -> Result<Option<FilePatch>, DiffError> {
        let mut headers = GitHeaders::default();
        headers.names.is_git = true;
        let start = self.at;
        while let Some(text) = self.peek(0) {
            let number = self.number();
            if !headers.read(text, number)? {
                break;
            }
            self.at += 1;
        }
        headers.names.git = git_names(rest);
        if self.at == start && headers.names.git.is_none() {
            return Ok(None);
        }
        let kind = headers.kind(line)?;
        let names = headers.names;
        let shown = names.shown();
        let body = self.body(&shown)?;
        let mode_changes =
            matches!((headers.old_mode, headers.new_mode), (Some(old), Some(new)) if old != new);
        if matches!(body, Body::None) && kind == FileKind::Modify && !mode_changes {
            if self.at == start {
                return Ok(None);
            }
            let what = format!("{shown}: the section changes nothing: its hunks are missing");
            return Err(DiffError::Header { line, what });
        }
        let mut file = FilePatch {
            kind,
            old_path: None,
            new_path: None,
            old_mode: headers.old_mode,
            new_mode: headers.new_mode,
            old_blob: headers.old_blob,
            new_blob: headers.new_blob,
            body,
            line,
            names,
        };
        check_sides(&mut file, &shown)?;
        Ok(Some(file))
    }

    fn traditional_file(&mut self, line: u32) -> Result<FilePatch, DiffError> {
        let (first, second) = (self.lines[self.at], self.lines[self.at + 1]);
        let first = first[4..].trim_ascii_end();
        let second = second[4..].trim_ascii_end();
        self.at += 2;
        let mut names = RawNames {
            old: header_name(first),
            new: header_name(second),
            ..RawNames::default()
        };
        let kind = match (&names.old, &names.new) {
            (None, None) => return Err(DiffError::NoName { line }),
            (None, Some(_)) => FileKind::Create,
            (Some(_), None) => FileKind::Delete,
            (Some(_), Some(_)) if has_epoch_stamp(first) => FileKind::Create,
            (Some(_), Some(_)) if has_epoch_stamp(second) => FileKind::Delete,
            (Some(_), Some(_)) => FileKind::ModifyOrCreate,
        };
        match kind {
            FileKind::Create => names.old = None,
            FileKind::Delete => names.new = None,
            _ => {}
        }
        let shown = names.shown();
        let body = self.body(&shown)?;
        let mut file = FilePatch {
            kind,
            old_path: None,
            new_path: None,
            old_mode: None,
            new_mode: None,
            old_blob: None,
            new_blob: None,
            body,
            line,
            names,
        };
        check_sides(&mut file, &shown)?;
        Ok(file)
    }

    fn body(&mut self, file: &str) -> Result<Body, DiffError> {
        let Some(line) = self.peek(0) else {
            return Ok(Body::None);
        };
        if line.trim_ascii_end() == b"GIT binary patch" {
            return self.binary(file);
        }
        let differs = line.starts_with(b"Binary files ") || line.starts_with(b"Files ");
        if differs && line.trim_ascii_end().ends_with(b" differ") {
            self.at += 1;
            return Ok(Body::BinaryAbsent);
        }
        let mut hunks = Vec::new();
        while self.peek(0).is_some_and(|it| it.starts_with(b"@@ -")) {
            let line = self.number();
            let hunk = self.hunk().map_err(|what| DiffError::Hunk {
                line,
                file: file.to_owned(),
                hunk: hunks.len() + 1,
                what,
            })?;
            hunks.push(hunk);
        }
        Ok(if hunks.is_empty() {
            Body::None
        } else {
            Body::Text(hunks)
        })
    }

    fn binary(&mut self, file: &str) -> Result<Body, DiffError> {
        let line = self.number();
        let corrupt = |what: String| DiffError::Binary {
            line,
            file: file.to_owned(),
            what,
        };
        self.at += 1;
        let (forward, used) = binary::parse_block(&self.lines[self.at..])
            .map_err(corrupt)?
            .ok_or_else(|| corrupt("neither literal nor delta".to_owned()))?;
        self.at += used;
        let reverse = binary::parse_block(&self.lines[self.at..]).map_err(corrupt)?;
        self.at += reverse.map_or(0, |(_, used)| used);
        let size = match &forward {
            super::BinaryChange::Literal(data) | super::BinaryChange::Delta(data) => data.len(),
        };
        self.binary_bytes += size;
        if self.binary_bytes > MAX_BINARY_BYTES {
            let what = format!("more than {MAX_BINARY_BYTES} bytes of binary files");
            return Err(DiffError::TooLarge { line, what });
        }
        Ok(Body::Binary(forward))
    }

    fn hunk(&mut self) -> Result<Hunk, String> {
        let line = self.number();
        let header = self.peek(0).and_then(parse_hunk_header);
        let (old_start, old_len, new_start, new_len) =
            header.ok_or("its header is no `@@ -line,count +line,count @@`")?;
        self.at += 1;
        let (mut old_left, mut new_left) = (old_len, new_len);
        // Counts come from the mail: nothing is reserved by them.
        let mut lines: Vec<HunkLine> = Vec::new();
        while old_left > 0 || new_left > 0 {
            let Some(text) = self.peek(0) else {
                return Err(ends_early(old_left, new_left));
            };
            let kind = match text.first() {
                // Mailers drop the blank of an empty context line.
                None | Some(b' ') => LineKind::Context,
                Some(b'-') => LineKind::Removed,
                Some(b'+') => LineKind::Added,
                Some(b'\\') if is_no_newline(text) => {
                    without_last_newline(&mut lines);
                    self.at += 1;
                    continue;
                }
                Some(_) => return Err(ends_early(old_left, new_left)),
            };
            if kind != LineKind::Added {
                old_left = old_left
                    .checked_sub(1)
                    .ok_or("it has more old lines than it says")?;
            }
            if kind != LineKind::Removed {
                new_left = new_left
                    .checked_sub(1)
                    .ok_or("it has more new lines than it says")?;
            }
            let mut text = text.get(1..).unwrap_or_default().to_vec();
            text.push(b'\n');
            lines.push(HunkLine { kind, text });
            self.at += 1;
        }
        if self.peek(0).is_some_and(is_no_newline) {
            without_last_newline(&mut lines);
            self.at += 1;
        }
        if lines.iter().all(|it| it.kind == LineKind::Context) {
            return Err("it changes nothing".to_owned());
        }
        Ok(Hunk {
            old_start,
            old_len,
            new_start,
            new_len,
            lines,
            line,
        })
    }
}

fn ends_early(old_left: u32, new_left: u32) -> String {
    format!("it ends early: {old_left} old and {new_left} new lines are missing")
}

/// `\ No newline at end of file`, in whatever language the sender's diff speaks.
fn is_no_newline(text: &[u8]) -> bool {
    text.starts_with(b"\\ ") && text.len() >= 12
}

fn without_last_newline(lines: &mut [HunkLine]) {
    if let Some(last) = lines.last_mut()
        && last.text.last() == Some(&b'\n')
    {
        last.text.pop();
    }
}

fn is_traditional_start(first: &[u8], second: Option<&[u8]>, third: Option<&[u8]>) -> bool {
    first.starts_with(b"--- ")
        && second.is_some_and(|it| it.starts_with(b"+++ "))
        && third.is_some_and(|it| it.starts_with(b"@@ -"))
}

/// `@@ -a[,b] +c[,d] @@`; a missing count is 1.
fn parse_hunk_header(line: &[u8]) -> Option<(u32, u32, u32, u32)> {
    fn number(rest: &mut &[u8]) -> Option<u32> {
        let count = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        let (digits, after) = rest.split_at(count);
        *rest = after;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
    fn range(rest: &mut &[u8]) -> Option<(u32, u32)> {
        let start = number(rest)?;
        let Some(after) = rest.strip_prefix(b",") else {
            return Some((start, 1));
        };
        *rest = after;
        Some((start, number(rest)?))
    }
    let mut rest = line.strip_prefix(b"@@ -")?;
    let (old_start, old_len) = range(&mut rest)?;
    rest = rest.strip_prefix(b" +")?;
    let (new_start, new_len) = range(&mut rest)?;
    rest.starts_with(b" @@").then_some(())?;
    // A start plus a count must stay a line number.
    let fits = |start: u32, len: u32| start.checked_add(len).is_some_and(|it| it < u32::MAX / 4);
    (fits(old_start, old_len) && fits(new_start, new_len))
        .then_some((old_start, old_len, new_start, new_len))
}

/// Holds the hunks against what the headers say, and decides what a plain diff cannot be.
fn check_sides(file: &mut FilePatch, shown: &str) -> Result<(), DiffError> {
    let Body::Text(hunks) = &file.body else {
        return Ok(());
    };
    let refuse = |what: &str| DiffError::Header {
        line: file.line,
        what: format!("{shown}: {what}"),
    };
    let has_old = hunks.iter().any(|it| it.old_len > 0);
    let has_new = hunks.iter().any(|it| it.new_len > 0);
    match file.kind {
        FileKind::Create if has_old => Err(refuse("a new file depends on old content")),
        FileKind::Delete if has_new => Err(refuse("a removed file still has content")),
        FileKind::ModifyOrCreate if has_old || hunks.len() > 1 => {
            file.kind = FileKind::Modify;
            Ok(())
        }
        _ => Ok(()),
    }
}
