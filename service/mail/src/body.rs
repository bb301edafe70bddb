//! The text of a mail: commit message, in-body headers, notes and diff.

use std::borrow::Cow;

use crate::diffscan::{self, DiffRange};
use crate::headers::{Headers, line_end, trim_line_end};
use crate::mime::{Leaf, Role};
use crate::subject::{Subject, clean};
use crate::trailers::Lines;
use crate::{Address, codec, encoded_words};

/// What the leaves of a mail hold together.
#[derive(Default)]
pub(crate) struct Body {
    /// All text that was read, decoded, U+0000 replaced.
    pub(crate) text: String,
    /// Up to `---` or the diff, without in-body headers.
    pub(crate) commit_message: String,
    /// In-body `From:`.
    pub(crate) author: Option<Address>,
    /// In-body `Subject:` without tags.
    pub(crate) title: Option<String>,
    pub(crate) diff: Option<Vec<u8>>,
    /// More than one attached patch, and none in the text.
    pub(crate) several_patches: bool,
    /// Trailers and declarations of the text outside of the diff.
    pub(crate) lines: Lines,
}

/// Reads the leaves; what was repaired or left out is said in `problems`.
pub(crate) fn read(leaves: &[Leaf<'_>], problems: &mut Vec<String>) -> Body {
    let texts: Vec<&Leaf<'_>> = leaves.iter().filter(|it| it.role == Role::Text).collect();
    let files: Vec<&Leaf<'_>> = leaves
        .iter()
        .filter(|it| it.role == Role::PatchFile)
        .collect();
    let charset = texts
        .first()
        .or(files.first())
        .map_or("", |it| it.charset.as_str());
    let joined = join(&texts);
    let plain = clear_signed(&joined, problems);
    let plain = without_transport_cr(&plain);
    let plain = plain.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&plain);
    if texts.is_empty() && files.is_empty() && leaves.iter().any(|it| it.role == Role::Html) {
        problems.push("the mail is HTML only: its text was not read".to_owned());
    }
    if leaves.iter().any(|it| it.forwarded) {
        problems.push("a mail forwarded inside this one was not read".to_owned());
    }
    if let Some(range) = diffscan::find(plain, 0) {
        // Undoing it would be a guess: where a line was wrapped cannot be told from where it ended.
        if texts.iter().any(|it| it.flowed) {
            problems.push(
                "the diff was sent as format=flowed, which may have changed its lines".to_owned(),
            );
        }
        return with_diff(plain, range, charset, problems);
    }
    let patches: Vec<(Vec<u8>, DiffRange)> = files
        .iter()
        .filter_map(|it| {
            let bytes = without_transport_cr(&it.bytes).into_owned();
            diffscan::find(&bytes, 0).map(|range| (bytes, range))
        })
        .collect();
    match patches.as_slice() {
        [(file, range)] => attached(plain, file, *range, charset, problems),
        several => {
            let text = decode(plain, charset).into_owned();
            let mut lines = Lines::default();
            lines.read(&text);
            Body {
                lines,
                text,
                several_patches: !several.is_empty(),
                ..Body::default()
            }
        }
    }
}

fn with_diff(plain: &[u8], range: DiffRange, charset: &str, problems: &mut Vec<String>) -> Body {
    if range.damaged {
        problems.push(
            "the diff is damaged: a hunk does not have the lines that its header counts".to_owned(),
        );
    }
    let message_end = commit_message_end(plain, range.start);
    let message = decode(&plain[..message_end], charset);
    let (headers, rest) = in_body_headers(&message);
    let mut lines = Lines::default();
    lines.read(&decode(&plain[..range.start], charset));
    lines.read(&decode(&plain[range.end..], charset));
    Body {
        text: decode(plain, charset).into_owned(),
        commit_message: rest.trim_end().to_owned(),
        author: headers.author,
        title: headers.title,
        diff: Some(plain[range.start..range.end].to_vec()),
        several_patches: false,
        lines,
    }
}

/// The patch is a file beside the text: `git format-patch --attach`, or a file made by it and attached by hand.
fn attached(
    text: &[u8],
    file: &[u8],
    range: DiffRange,
    charset: &str,
    problems: &mut Vec<String>,
) -> Body {
    let headers = Headers::read(file);
    let is_mail = headers.body <= range.start && headers.first("Subject").is_some();
    if is_mail {
        let inner = &file[headers.body..];
        let inner_range = DiffRange {
            start: range.start - headers.body,
            end: range.end - headers.body,
            ..range
        };
        let mut body = with_diff(inner, inner_range, charset, problems);
        let from = headers.first("From").map(crate::address::parse_list);
        body.author = body
            .author
            .or_else(|| from.and_then(|it| it.into_iter().next()));
        let subject = headers.first("Subject").map(encoded_words::decode);
        body.title = body
            .title
            .or_else(|| subject.map(|it| Subject::parse(&it).title));
        body.text.insert_str(0, &decode(text, charset));
        return body;
    }
    let mut body = with_diff(file, range, charset, problems);
    let message_end = commit_message_end(text, text.len());
    let message = decode(&text[..message_end], charset);
    let (in_body, rest) = in_body_headers(&message);
    let text = decode(text, charset);
    body.author = in_body.author;
    body.title = in_body.title;
    rest.trim_end().clone_into(&mut body.commit_message);
    body.lines.read(&text);
    body.text.insert_str(0, &text);
    body
}

fn join<'a>(leaves: &[&'a Leaf<'_>]) -> Cow<'a, [u8]> {
    match leaves {
        [] => Cow::Borrowed(&[]),
        [only] => Cow::Borrowed(&only.bytes),
        several => {
            let mut all = Vec::new();
            for leaf in several {
                all.extend_from_slice(&leaf.bytes);
                if !all.ends_with(b"\n") {
                    all.push(b'\n');
                }
            }
            Cow::Owned(all)
        }
    }
}

/// Undoes clear-signing: armour, signature, and the `- ` before lines that begin with a dash.
fn clear_signed<'a>(text: &'a Cow<'a, [u8]>, problems: &mut Vec<String>) -> Cow<'a, [u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
    let head = &text[..text.len().min(2000)];
    let Some(begin) = memchr::memmem::find(head, BEGIN) else {
        return Cow::Borrowed(text);
    };
    if !head[..begin].trim_ascii().is_empty() {
        return Cow::Borrowed(text);
    }
    problems.push("the text is clear-signed: dash escapes were undone".to_owned());
    let mut out = Vec::with_capacity(text.len());
    let mut in_armour = true;
    let mut at = line_end(text, begin);
    while at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        if line.starts_with(b"-----BEGIN PGP SIGNATURE-----") {
            break;
        }
        if in_armour {
            in_armour = !trim_line_end(line).is_empty();
        } else {
            out.extend_from_slice(line.strip_prefix(b"- ").unwrap_or(line));
        }
        at = end;
    }
    Cow::Owned(out)
}

/// Removes the CR that the transport added: one per line, if the lines that a diff tool writes end in one.
///
/// A file with DOS line ends has CRs in its hunk lines only; those belong to the file.
fn without_transport_cr(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\r', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut structural = None;
    let mut first = None;
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        first = first.or(Some(line));
        if line.starts_with(b"@@ -") || line.starts_with(b"diff --git ") {
            structural = Some(line);
            break;
        }
        at = end;
    }
    let sample = structural.or(first).unwrap_or_default();
    if !sample.ends_with(b"\r\n") {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        out.extend_from_slice(trim_line_end(line));
        if line.ends_with(b"\n") {
            out.push(b'\n');
        }
        at = end;
    }
    Cow::Owned(out)
}

/// `git mailinfo` ends the commit message at the first `---` or diff line, wherever the real diff is.
fn commit_message_end(text: &[u8], limit: usize) -> usize {
    let mut at = 0;
    while at < limit {
        let end = line_end(text, at);
        let line = trim_line_end(&text[at..end]);
        let separator = line
            .strip_prefix(b"---")
            .is_some_and(|it| it.trim_ascii().is_empty());
        if separator || diffscan::is_diff_start(line) {
            return at;
        }
        at = end;
    }
    limit
}

#[derive(Default)]
struct InBody {
    author: Option<Address>,
    title: Option<String>,
}

/// Reads `From:`, `Subject:` and `Date:` lines at the top of the message; returns what follows them.
fn in_body_headers(message: &str) -> (InBody, &str) {
    let start = message.len() - message.trim_start_matches(['\n', '\r', ' ', '\t']).len();
    let mut found = InBody::default();
    let mut rest = &message[start..];
    let mut any = false;
    while let Some((name, value, after)) = in_body_field(rest) {
        match name {
            "from" => {
                let Some(author) = Address::parse(&value) else {
                    break;
                };
                found.author = Some(author);
            }
            "subject" => {
                found.title = Some(Subject::parse(&encoded_words::decode(value.as_bytes())).title);
            }
            _ => {}
        }
        any = true;
        rest = after;
    }
    let blank_follows = rest.is_empty() || rest.starts_with('\n');
    if any && (blank_follows || found.author.is_some()) {
        (found, rest.trim_start_matches('\n'))
    } else {
        (InBody::default(), &message[start..])
    }
}

fn in_body_field(text: &str) -> Option<(&'static str, String, &str)> {
    let (line, mut rest) = text.split_once('\n').unwrap_or((text, ""));
    let (name, value) = line.split_once(':')?;
    let name = ["from", "subject", "date"]
        .into_iter()
        .find(|it| it.eq_ignore_ascii_case(name.trim_start_matches('>')))?;
    let mut value = value.trim().to_owned();
    while rest.starts_with([' ', '\t']) && value.len() < 2000 {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        value.push(' ');
        value.push_str(line.trim());
        rest = after;
    }
    Some((name, clean(&value, 2000), rest))
}

fn decode<'a>(bytes: &'a [u8], charset: &str) -> Cow<'a, str> {
    let text = codec::decode_text(bytes, charset);
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    text
}
