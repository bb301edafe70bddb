//! One `#define`, taken apart.

use std::sync::Arc;

use super::replacement::{Part, parts};
use super::text::{is_apart, is_single_word};
use crate::lex::{Sym, is_word_byte, uncommented, word_length};

/// More parameters than this and the macro is not expanded.
const MAX_PARAMS: usize = 128;

/// A macro's parameters and replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// `None` for an object-like macro.
    pub(super) params: Option<Vec<Vec<u8>>>,
    /// The name that stands for the remaining arguments.
    pub(super) rest: Option<Vec<u8>>,
    /// The replacement without comments and line breaks.
    pub(super) body: Vec<u8>,
    /// The same, taken apart.
    pub(super) parts: Box<[Part]>,
}

impl Definition {
    fn new(params: Option<Vec<Vec<u8>>>, rest: Option<Vec<u8>>, body: Vec<u8>) -> Self {
        let parts = parts((params.as_deref(), rest.as_deref()), &body);
        Self {
            params,
            rest,
            body,
            parts,
        }
    }

    /// Reads `#define …`; `body` is the offset of the replacement.
    pub(crate) fn read(item: &[u8], body: usize) -> Option<Self> {
        let head = uncommented(item.get(..body)?);
        let params = match head.iter().position(|it| *it == b'(') {
            None => None,
            Some(open) => {
                let close = head.iter().rposition(|it| *it == b')')?;
                Some(
                    head.get(open + 1..close)?
                        .split(|it| *it == b',')
                        .map(clean_word)
                        .filter(|it| !it.is_empty())
                        .collect::<Vec<_>>(),
                )
            }
        };
        let (params, rest) = match params {
            Some(list) if list.len() > MAX_PARAMS => return None,
            Some(mut list) => {
                let rest = list
                    .last()
                    .and_then(|it| it.strip_suffix(b"..."))
                    .map(|it| {
                        if it.is_empty() {
                            b"__VA_ARGS__".to_vec()
                        } else {
                            it.to_vec()
                        }
                    });
                if rest.is_some() {
                    list.pop();
                }
                (Some(list), rest)
            }
            None => (None, None),
        };
        Some(Self::new(params, rest, flatten(&item[body..])))
    }

    /// The ways in which a name goes that has these definitions: one for each, but one together for those that stand
    /// for whole statements. What these call is called whichever is meant.
    pub(crate) fn ways(all: impl Iterator<Item = Arc<Self>>) -> Vec<Arc<Self>> {
        let mut found: Vec<Arc<Self>> = Vec::new();
        for it in all {
            let is_alike = |other: &&mut Arc<Self>| {
                (&it.params, &it.rest) == (&other.params, &other.rest)
                    && (it.body == other.body || it.is_whole() && other.is_whole())
            };
            match found.iter_mut().find(is_alike) {
                Some(other) if it.body != other.body => {
                    let body = [&other.body[..], b"; ", &it.body].concat();
                    *other = Arc::new(Self::new(other.params.clone(), other.rest.clone(), body));
                }
                Some(_) => {}
                None => found.push(it),
            }
        }
        found
    }

    /// Whether nothing that may follow a use becomes a part of what it stands for.
    fn is_whole(&self) -> bool {
        self.params.is_some()
            && matches!(
                self.body.trim_ascii_end().last(),
                None | Some(b')' | b'}' | b';')
            )
    }

    /// Of a name that stands for a text, with whatever arguments unless it is bare.
    pub(super) fn constant(body: Vec<u8>, is_bare: bool) -> Self {
        let rest = (!is_bare).then(|| b"__VA_ARGS__".to_vec());
        Self::new((!is_bare).then(Vec::new), rest, body)
    }

    /// How many arguments a use of it has, those that the last name stands for counted as one.
    pub(super) fn arity(&self) -> usize {
        self.params.as_ref().map_or(0, Vec::len) + usize::from(self.rest.is_some())
    }

    pub(super) fn is_variadic(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether a parameter stands before arguments, outside of braces; what declares a pointer is none.
    pub(super) fn applies_outside_of_braces(&self) -> bool {
        let params: Vec<&[u8]> = self.params.iter().flatten().map(Vec::as_slice).collect();
        let mut uses = self.heads_outside_of_braces().into_iter();
        uses.any(|(name, args)| params.contains(&name) && args.first() != Some(&b'*'))
    }

    /// Whether a name stands there that is pasted, and that no type declares.
    pub(super) fn pastes_outside_of_braces(&self) -> bool {
        let mut uses = self.heads_outside_of_braces().into_iter();
        uses.any(|(name, args)| {
            let rest = self.body[..self.body.len() - args.len()].trim_ascii_end();
            let head = rest.strip_suffix(b"(").unwrap_or(rest).trim_ascii_end();
            let (mut before, mut is_pasted) = (head.strip_suffix(name).unwrap_or(head), false);
            while let Some(joined) = before.trim_ascii_end().strip_suffix(b"##") {
                let joined = joined.trim_ascii_end();
                let word = joined.iter().rposition(|it| !is_word_byte(*it));
                before = &joined[..word.map_or(0, |it| it + 1)];
                is_pasted = true;
            }
            is_pasted && is_apart(before)
        })
    }

    /// The other name of what a macro without arguments stands for, where it is nothing else.
    pub(crate) fn other_name(&self) -> Option<&[u8]> {
        (self.params.is_none() && is_single_word(&self.body)).then(|| self.body.trim_ascii())
    }

    /// The names before a parenthesis that stand in no brace and in no parenthesis of the replacement; another name
    /// stands before those of its uses.
    pub(super) fn uses_outside_of_braces(&self) -> Vec<Sym> {
        if let Some(other) = self.other_name() {
            return vec![Sym::of(other)];
        }
        let heads = self.heads_outside_of_braces().into_iter();
        heads.map(|it| Sym::of(it.0)).collect()
    }

    /// These names, each with the text behind its parenthesis.
    fn heads_outside_of_braces(&self) -> Vec<(&[u8], &[u8])> {
        let (mut found, mut depth, mut at) = (Vec::new(), 0u32, 0);
        while at < self.body.len() {
            let byte = self.body[at];
            if is_word_byte(byte) {
                let end = at + word_length(&self.body[at..]);
                let rest = self.body[end..].trim_ascii_start();
                if let (0, Some(args)) = (depth, rest.strip_prefix(b"(")) {
                    found.push((&self.body[at..end], args.trim_ascii_start()));
                }
                at = end;
                continue;
            }
            match byte {
                b'"' | b'\'' => {
                    at = literal_end(&self.body, at);
                    continue;
                }
                b'{' | b'(' => depth += 1,
                b'}' | b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        found
    }
}

fn clean_word(word: &[u8]) -> Vec<u8> {
    word.iter()
        .copied()
        .filter(|it| is_word_byte(*it) || *it == b'.')
        .collect()
}

/// The text on one line, without comments.
pub(super) fn flatten(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' | b'\'' => {
                let end = literal_end(text, at);
                out.extend_from_slice(&text[at..end]);
                at = end;
            }
            b'/' => {
                let end = comment_end(text, at);
                out.push(if end.is_some() { b' ' } else { b'/' });
                at = end.unwrap_or(at + 1);
            }
            b'\\' | b'\n' | b'\r' | b'\t' | b' ' => {
                if out.last() != Some(&b' ') {
                    out.push(b' ');
                }
                at += 1;
            }
            _ => {
                let end = at + 1 + word_length(&text[at + 1..]);
                out.extend_from_slice(&text[at..end]);
                at = end;
            }
        }
    }
    out
}

/// One past the comment that starts at the `/` at `at`; `None` where it is an operator.
pub(super) fn comment_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1)? {
        b'*' => {
            let end = memchr::memmem::find(&text[at + 2..], b"*/");
            Some(end.map_or(text.len(), |it| at + it + 4))
        }
        b'/' => {
            let end = memchr::memchr(b'\n', &text[at..]);
            Some(end.map_or(text.len(), |it| at + it))
        }
        _ => None,
    }
}

/// One past the literal that starts at `at`.
pub(super) fn literal_end(text: &[u8], at: usize) -> usize {
    let quote = text[at];
    let mut end = at + 1;
    while end < text.len() {
        match text[end] {
            b'\\' => end += 2,
            byte if byte == quote => return end + 1,
            _ => end += 1,
        }
    }
    text.len()
}
