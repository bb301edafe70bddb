//! What the comparison reads in a file's text: where a function begins and ends, and which words stand in it.

use std::collections::BTreeSet;

/// A word of C that names something: a member is another thing than a variable of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<'a> {
    pub(super) text: &'a [u8],
    pub(super) is_member: bool,
}

/// A piece of C in pieces: names, numbers and signs, with literals as one sign each and without comments.
pub(super) fn tokens(text: &[u8]) -> Vec<(usize, Name<'_>)> {
    let mut found: Vec<(usize, Name<'_>)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word = rest.iter().take_while(|it| is_word(**it)).count();
        let length = if word == 0 { skipped(rest) } else { word };
        let token = match rest[0] {
            b'"' => Some(&rest[..1]),
            b'/' if length > 1 => None,
            it if it.is_ascii_whitespace() => None,
            _ => Some(&rest[..length.min(rest.len())]),
        };
        if let Some(token) = token {
            let before = |back: usize| found.iter().rev().nth(back).map(|it| it.1.text);
            let is_member = match before(0) {
                Some(b".") => true,
                Some(b">") => before(1) == Some(b"-"),
                _ => false,
            };
            let name = Name {
                text: token,
                is_member: is_member && word > 0,
            };
            found.push((at, name));
        }
        at += length;
    }
    found
}

/// The names in a piece of C, without those of structs and without what stands in comments and strings.
pub(super) fn names(text: &[u8]) -> BTreeSet<Name<'_>> {
    let mut found = BTreeSet::new();
    let mut is_tag = false;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let end = rest
            .iter()
            .position(|it| !is_word(*it))
            .unwrap_or(rest.len());
        if end == 0 {
            at += skipped(rest);
            continue;
        }
        let word = &rest[..end];
        let before = text[..at].trim_ascii_end();
        let is_member = before.ends_with(b"->") || before.ends_with(b".");
        if !is_tag {
            found.insert(Name {
                text: word,
                is_member,
            });
        }
        is_tag = matches!(word, b"struct" | b"union" | b"enum");
        at += end;
    }
    found
}

/// How many bytes a comment, a literal or a sign at the start of `text` takes.
fn skipped(text: &[u8]) -> usize {
    let after = |from: usize, end: &[u8]| {
        let rest = text.get(from..).unwrap_or_default();
        memchr::memmem::find(rest, end).map_or(text.len(), |it| from + it + end.len())
    };
    match text {
        [b'/', b'*', ..] => after(2, b"*/"),
        [b'/', b'/', ..] => after(2, b"\n"),
        [quote @ (b'"' | b'\''), ..] => {
            let mut at = 1;
            while at < text.len() && text[at] != *quote && text[at] != b'\n' {
                at += 1 + usize::from(text[at] == b'\\');
            }
            (at + 1).min(text.len())
        }
        _ => 1,
    }
}

/// The 1-based lines of the top-level item around `line`: kernel style closes functions with `}` in column one.
pub(super) fn body_around(text: &[&[u8]], line: u32) -> (u32, u32) {
    let at = (line as usize).clamp(1, text.len().max(1)) - 1;
    let closes = |it: &&[u8]| it.starts_with(b"}");
    let above = text.get(..at).unwrap_or_default();
    let start = above.iter().rposition(closes).map_or(0, |it| it + 1);
    let below = text.get(at..).unwrap_or_default();
    let end = below
        .iter()
        .position(closes)
        .map_or(text.len(), |it| at + it + 1);
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    (count(start) + 1, count(end))
}

/// The text of a top-level item, and where a place in it stands.
pub(super) struct ItemText {
    pub(super) text: Vec<u8>,
    pub(super) at: usize,
}

impl ItemText {
    /// The rest of it from a name on; `None` where the place stands before that.
    pub(super) fn rest_from(&self, name: &[u8]) -> Option<Self> {
        let start = tokens(&self.text)
            .iter()
            .find(|it| it.1.text == name)
            .map(|it| it.0)?;
        Some(Self {
            at: self.at.checked_sub(start)?,
            text: self.text[start..].to_vec(),
        })
    }
}

/// The text of the top-level item around a place, both from 1.
pub(super) fn item_around(text: &[u8], (line, column): (u32, u32)) -> ItemText {
    let lines: Vec<&[u8]> = text.split(|&it| it == b'\n').collect();
    let (start, end) = body_around(&lines, line);
    let wanted = lines
        .get(start as usize - 1..end as usize)
        .unwrap_or_default();
    let above = wanted.iter().take(line.saturating_sub(start) as usize);
    let above: usize = above.map(|it| it.len() + 1).sum();
    ItemText {
        text: wanted.join(&b'\n'),
        at: above + column.saturating_sub(1) as usize,
    }
}

/// Whether `name` stands in `line` as a whole C identifier.
pub(super) fn has_word(line: &[u8], name: &str) -> bool {
    memchr::memmem::find_iter(line, name).any(|at| {
        let before = at.checked_sub(1).and_then(|it| line.get(it));
        let after = line.get(at + name.len());
        !before.is_some_and(|it| is_word(*it)) && !after.is_some_and(|it| is_word(*it))
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
