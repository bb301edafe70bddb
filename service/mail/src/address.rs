//! Addresses and address lists: RFC 5322 as it is met, never split at commas inside quotes.

use serde::{Deserialize, Serialize};

use crate::encoded_words;
use crate::subject::clean;

/// What lists that send under their own address put after the name.
pub(crate) const VIA: &str = " via ";
/// Addresses kept per header.
const MAX_ADDRESSES: usize = 1000;
/// Bytes read per header.
const MAX_HEADER_BYTES: usize = 128 << 10;
const MAX_NAME_BYTES: usize = 300;
const MAX_EMAIL_BYTES: usize = 320;

/// One mailbox. Neither field holds U+0000, CR or LF.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Display name, decoded; empty where there is none.
    pub name: String,
    /// `local@domain` as written; empty only where the header has none.
    pub email: String,
}

impl Address {
    /// Reads the first address of a decoded or encoded header text; `None` where there is none.
    pub fn parse(text: &str) -> Option<Self> {
        parse_list(text.as_bytes()).into_iter().next()
    }

    /// The address in lower case, which tells people apart; with the name where the address is a list's.
    pub(crate) fn key(&self) -> String {
        let email = self.email.to_ascii_lowercase();
        match self.name.rfind(VIA) {
            Some(_) => format!("{} <{email}>", self.name.to_lowercase()),
            None => email,
        }
    }

    /// The same for a full name, which one person has at several addresses; a single word is no full name.
    pub(crate) fn name_key(&self) -> Option<String> {
        let end = self.name.rfind(VIA).unwrap_or(self.name.len());
        let name = self.name[..end]
            .trim_matches(['\'', '"', ' '])
            .to_lowercase();
        name.contains(' ').then(|| format!("name {name}"))
    }
}

/// Reads a raw address header: comments, quotes, groups and encoded words; entries without `@` are dropped.
pub(crate) fn parse_list(raw: &[u8]) -> Vec<Address> {
    let text = crate::headers::lossy(&raw[..raw.len().min(MAX_HEADER_BYTES)]);
    let mut list = Vec::new();
    let mut entry = Entry::default();
    let mut chars = text.chars();
    let mut comment_depth = 0_u32;
    while let Some(it) = chars.next() {
        if list.len() >= MAX_ADDRESSES {
            break;
        }
        if comment_depth > 0 {
            match it {
                '(' => comment_depth += 1,
                ')' => comment_depth -= 1,
                _ => {}
            }
            if comment_depth > 0 {
                entry.comment.push(it);
            }
            continue;
        }
        match it {
            '"' if entry.angle.is_none() => read_quoted(&mut chars, &mut entry.words),
            '(' => comment_depth = 1,
            '<' => entry.angle = Some(read_angle(&mut chars)),
            // `group: a@b, c@d;` — the name of the group is no address.
            ':' if !entry.in_encoded_word() => entry = Entry::default(),
            ',' | ';' if !entry.in_encoded_word() => entry.finish(&mut list),
            _ => entry.words.push(it),
        }
    }
    entry.finish(&mut list);
    list
}

#[derive(Default)]
struct Entry {
    words: String,
    comment: String,
    angle: Option<String>,
}

impl Entry {
    /// Whether an encoded word began and has not ended: its text may hold what separates addresses.
    fn in_encoded_word(&self) -> bool {
        let Some(open) = self.words.rfind("=?") else {
            return false;
        };
        !self.words[open + 2..].contains("?=") && !self.words[open..].contains(' ')
    }

    fn finish(&mut self, list: &mut Vec<Address>) {
        let entry = std::mem::take(self);
        let words = entry.words.trim();
        let (name, email) = match &entry.angle {
            Some(email) => (words, email.as_str()),
            // `a@b (Name)`, the form before angle brackets.
            None => (entry.comment.trim(), words),
        };
        let email = email.trim();
        let valid = email.contains('@')
            && email.len() <= MAX_EMAIL_BYTES
            && !email.contains(|it: char| it.is_whitespace() || it.is_control());
        if valid {
            let name = encoded_words::decode(name.as_bytes());
            list.push(Address {
                name: clean(&name, MAX_NAME_BYTES),
                email: email.to_owned(),
            });
        }
    }
}

fn read_quoted(chars: &mut std::str::Chars<'_>, out: &mut String) {
    while let Some(it) = chars.next() {
        match it {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => out.push(it),
        }
    }
}

fn read_angle(chars: &mut std::str::Chars<'_>) -> String {
    chars.by_ref().take_while(|it| *it != '>').collect()
}

#[cfg(test)]
mod tests {
    use super::parse_list;

    #[track_caller]
    fn check(header: &str, expected: &[(&str, &str)]) {
        let list = parse_list(header.as_bytes());
        let actual: Vec<_> = list
            .iter()
            .map(|it| (it.name.as_str(), it.email.as_str()))
            .collect();
        assert_eq!(actual, expected, "input: {header:?}");
    }

    #[test]
    fn commas_inside_names_do_not_split() {
        check(
            "\"Doe, Jane\" <j@x.example>, b@y.example",
            &[("Doe, Jane", "j@x.example"), ("", "b@y.example")],
        );
        check(
            "=?utf-8?q?Doe=2C_Jane?= <j@x.example>",
            &[("Doe, Jane", "j@x.example")],
        );
        check(
            "\"O'Brien, Pat \\\"P\\\"\" <p@x.example>",
            &[("O'Brien, Pat \"P\"", "p@x.example")],
        );
        check("a.b@x.example (A. B.)", &[("A. B.", "a.b@x.example")]);
        check("J. R. Dev <j@x.example>", &[("J. R. Dev", "j@x.example")]);
    }

    #[test]
    fn nonsense_is_dropped_and_the_rest_kept() {
        check(
            "undisclosed: a@x.example, b@x.example;",
            &[("", "a@x.example"), ("", "b@x.example")],
        );
        check("<>, not an address, a@x.example", &[("", "a@x.example")]);
        check(
            "=?utf-8?q?a=0D=0ABcc:_v=40x?= <a@x.example>",
            &[("a Bcc: v@x", "a@x.example")],
        );
        check("", &[]);
    }
}
