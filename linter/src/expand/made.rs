//! What macros made of a file: text that stands behind the file's own, and what it stands for.

use serde::{Deserialize, Serialize};

use crate::warm::ContentKey;

/// What the macro uses of a file make: text that stands behind the file's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(super) text: Vec<u8>,
    /// Where the file's own text ends.
    pub(super) start: u32,
    pub(super) spans: Vec<Span>,
    /// Of the text: what is known of the items in it goes by that.
    pub(crate) key: ContentKey,
}

/// A part of what was made.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) at: u32,
    /// The byte of the file that it stands for.
    pub(super) origin: u32,
    /// Whether it is a copy of the file's text from there on.
    pub(super) is_copy: bool,
}

impl Made {
    /// Whether a byte of the whole stands behind the file's own text.
    pub(crate) fn holds(&self, at: u32) -> bool {
        at >= self.start
    }

    /// The text from `start` to `end`, both counted from the file's first byte; empty where nothing was made there.
    pub(crate) fn text(&self, start: u32, end: u32) -> &[u8] {
        let bounds = start
            .checked_sub(self.start)
            .zip(end.checked_sub(self.start));
        bounds
            .and_then(|it| self.text.get(it.0 as usize..it.1 as usize))
            .unwrap_or_default()
    }

    /// Whether a byte of the whole stands in no text of the file's own.
    pub(crate) fn is_expansion(&self, at: usize) -> bool {
        let index = self.spans.partition_point(|it| it.at as usize <= at);
        at >= self.start as usize
            && index
                .checked_sub(1)
                .and_then(|it| self.spans.get(it))
                .is_none_or(|it| !it.is_copy)
    }

    /// The byte of the file's own text that a byte of the whole stands for.
    pub(crate) fn origin(&self, at: usize) -> usize {
        if at < self.start as usize {
            return at;
        }
        let index = self.spans.partition_point(|it| it.at as usize <= at);
        let Some(span) = index.checked_sub(1).and_then(|it| self.spans.get(it)) else {
            return self.start as usize;
        };
        span.origin as usize
            + if span.is_copy {
                at - span.at as usize
            } else {
                0
            }
    }
}

/// A text under way that is to stand behind a file's own.
pub(super) struct Part {
    pub(super) text: Vec<u8>,
    /// Where it begins, counted from the file's first byte.
    pub(super) base: u32,
    spans: Vec<Span>,
}

impl Part {
    fn push(&mut self, origin: usize, text: &[u8], is_copy: bool) {
        self.spans.push(Span {
            at: self.base + self.text.len() as u32,
            origin: origin as u32,
            is_copy,
        });
        self.text.extend_from_slice(text);
    }

    /// Takes over the file's text at `origin`.
    pub(super) fn copy(&mut self, origin: usize, text: &[u8]) {
        self.push(origin, text, true);
    }

    /// Puts something else in the place of what stands at `origin`.
    pub(super) fn replace(&mut self, origin: usize, text: &[u8]) {
        self.push(origin, text, false);
    }
}

impl Made {
    /// Nothing yet, behind a file's own text.
    pub(super) fn behind(own: &[u8]) -> Self {
        Self {
            text: Vec::new(),
            start: own.len() as u32,
            spans: Vec::new(),
            key: ContentKey::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// An empty part, to stand behind all that was made so far.
    pub(super) fn part(&self) -> Part {
        Part {
            text: Vec::new(),
            base: self.start + self.text.len() as u32 + 1,
            spans: Vec::new(),
        }
    }

    /// Takes a part that was begun with [`Made::part`]; nothing was added since.
    pub(super) fn add(&mut self, part: Part) {
        self.text.push(b'\n');
        self.text.extend_from_slice(&part.text);
        self.spans.extend(part.spans);
        self.key = ContentKey::of_text(&self.text);
    }
}
