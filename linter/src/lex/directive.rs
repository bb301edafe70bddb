//! Preprocessor lines: macros become items, conditionals keep the braces balanced.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::Sym;
use super::body::{Reading, is_word};
use super::item::{Item, ItemKind, Ref, RefKind, flags};
use super::scan::Scanner;

/// The brace depth around one `#if`.
pub(super) struct Conditional {
    depth_at_if: u32,
    depth_after_first_arm: Option<u32>,
    /// What follows an `#else` is for programs in user space.
    is_kernel: bool,
    /// Where the text before it leaves off, inside of an item: each arm goes on from there.
    reading: Option<Reading>,
}

/// What a directive is to an `#if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its first arm begins.
    Begins,
    /// Another arm does.
    NextArm,
    Ends,
}

impl Turn {
    fn of(word: &[u8]) -> Option<Self> {
        match word {
            b"if" | b"ifdef" | b"ifndef" => Some(Self::Begins),
            b"else" | b"elif" => Some(Self::NextArm),
            b"endif" => Some(Self::Ends),
            _ => None,
        }
    }
}

/// The parameters of a macro, as [`Sym::short`]; `head` begins with its parenthesis.
fn params(head: &[u8]) -> Vec<u32> {
    let head = uncommented(head);
    let words = head.split(|it| !is_word(*it));
    let words = words.filter(|it| !it.is_empty());
    words.map(|it| Sym::of(it).short()).collect()
}

/// A text with blanks in the place of its comments.
pub(crate) fn uncommented(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memmem::find(text, b"/*") else {
        return Cow::Borrowed(text);
    };
    let scanner = Scanner::over(text);
    let (mut blanked, mut at) = (text.to_vec(), first);
    while at < text.len() {
        let end = scanner.comment_end(at).min(text.len());
        blanked[at..end].fill(b' ');
        let next = memchr::memmem::find(&text[end..], b"/*");
        at = next.map_or(text.len(), |it| end + it);
    }
    Cow::Owned(blanked)
}

/// What stands behind each `#define` of a text, wherever that is, up to the end of its line; a backslash carries it on.
pub(crate) fn define_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'#', text).filter_map(|hash| {
        let rest = text[hash + 1..]
            .trim_ascii_start()
            .strip_prefix(b"define")?;
        let is_carried = |newline: &usize| rest[..*newline].trim_ascii_end().ends_with(b"\\");
        let end = memchr::memchr_iter(b'\n', rest).find(|it| !is_carried(it));
        Some(&rest[..end.unwrap_or(rest.len())])
    })
}

/// The names in a text's `#include` lines, wherever they stand, each with a line feed behind it.
pub(crate) fn include_lines(text: &[u8]) -> String {
    const WORD: &[u8] = b"include";
    // There are far fewer of these than of `#`.
    static SEARCH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(WORD));
    SEARCH
        .find_iter(text)
        .filter(|it| text[..*it].trim_ascii_end().ends_with(b"#"))
        .filter_map(|it| quoted_name(&text[it + WORD.len()..]))
        .flat_map(|it| [it, "\n"])
        .collect()
}

/// What stands between the quotes or brackets behind `include`; comments are not looked for.
fn quoted_name(rest: &[u8]) -> Option<&str> {
    let (open, rest) = rest.trim_ascii_start().split_first()?;
    let close = match open {
        b'"' => b'"',
        b'<' => b'>',
        _ => return None,
    };
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    let end = memchr::memchr(close, line)?;
    std::str::from_utf8(&line[..end]).ok()
}

/// What a name in an `#include` says of the path that it means: its last two parts, or the last one where what stands
/// before says nothing. As [`Sym::short`].
pub(crate) fn include_key(name: &str) -> u32 {
    let name = name.as_bytes();
    let mut slashes = memchr::memrchr_iter(b'/', name);
    let start = slashes.next().map_or(0, |last| {
        let before = slashes.next().map_or(0, |it| it + 1);
        match &name[before..last] {
            b"." | b".." | b"" => last + 1,
            _ => before,
        }
    });
    Sym::of(&name[start..]).short()
}

/// Whether a condition holds in the kernel, where it asks only whether this is the kernel; `line` begins with the
/// directive's name.
fn asks_for_kernel(line: &[u8]) -> Option<bool> {
    const NAME: &[u8] = b"__KERNEL__";
    memchr::memmem::find(line, NAME)?;
    let comment = memchr::memchr(b'/', line);
    let words: Vec<u8> = line[..comment.unwrap_or(line.len())]
        .iter()
        .filter(|it| !it.is_ascii_whitespace() && !matches!(it, b'(' | b')'))
        .copied()
        .collect();
    let rest = words.strip_suffix(NAME)?;
    match rest {
        b"ifdef" | b"ifdefined" => Some(true),
        b"ifndef" | b"if!defined" => Some(false),
        _ => None,
    }
}

impl Scanner<'_> {
    /// As [`Scanner::directive`], for one that stands between items: there, what is for programs in user space is
    /// left out. Inside of items all is kept, as it is when they are parsed.
    pub(super) fn directive_between_items(&mut self, at: usize) -> usize {
        let word = self.skip_blank(at + 1);
        let word_end = self.word_end(word);
        let end = self.directive_end(word_end);
        match asks_for_kernel(&self.src[word..end]) {
            Some(false) => self.skip_dead_arm(end, 0),
            Some(true) => {
                self.conditionals.push(Conditional {
                    depth_at_if: 0,
                    depth_after_first_arm: None,
                    is_kernel: true,
                    reading: None,
                });
                end
            }
            None => self.directive(at, &mut 0),
        }
    }

    fn skip_blank(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t') {
            at += 1;
        }
        at
    }

    /// As [`Scanner::directive`], for one inside of an item.
    pub(super) fn directive_inside(
        &mut self,
        at: usize,
        depth: &mut u32,
        reading: &mut Reading,
    ) -> usize {
        let before = self.conditionals.len();
        let word = self.skip_blank(at + 1);
        let turn = Turn::of(&self.src[word..self.word_end(word)]);
        let end = self.directive(at, depth);
        let is_new = self.conditionals.len() > before;
        if let Some(frame) = self.conditionals.last_mut() {
            if is_new {
                frame.reading = Some(*reading);
            } else if turn == Some(Turn::NextArm)
                && let Some(kept) = frame.reading
            {
                *reading = kept;
            }
        }
        end
    }

    /// Reads the directive whose `#` is at `at`; returns the end of its line. `depth` is the brace depth.
    pub(super) fn directive(&mut self, at: usize, depth: &mut u32) -> usize {
        let word = self.skip_blank(at + 1);
        let word_end = self.word_end(word);
        let end = self.directive_end(word_end);
        match &self.src[word..word_end] {
            b"define" => {
                // What follows the line is no part of the replacement.
                let whole = self.src;
                self.src = &whole[..end];
                self.define(at, word_end, end);
                self.src = whole;
            }
            b"include" => self.include(word_end, end),
            b"if" | b"ifdef" | b"ifndef" => {
                if &self.src[word..word_end] == b"if" && self.is_zero(word_end, end) {
                    return self.skip_dead_arm(end, *depth);
                }
                self.conditionals.push(Conditional {
                    depth_at_if: *depth,
                    depth_after_first_arm: None,
                    is_kernel: false,
                    reading: None,
                });
            }
            b"else" | b"elif" => {
                if self.conditionals.pop_if(|it| it.is_kernel).is_some() {
                    return self.skip_rest(end);
                }
                if let Some(frame) = self.conditionals.last_mut() {
                    frame.depth_after_first_arm.get_or_insert(*depth);
                    *depth = frame.depth_at_if;
                }
            }
            b"endif" => {
                if let Some(after) = self
                    .conditionals
                    .pop()
                    .and_then(|it| it.depth_after_first_arm)
                {
                    *depth = after;
                }
            }
            _ => {}
        }
        end
    }

    /// The end of a directive's line: a block comment that starts on it may carry it further.
    fn directive_end(&self, from: usize) -> usize {
        let rest = self.src.get(from..).unwrap_or_default();
        if let Some(first) = memchr::memchr2(b'\n', b'/', rest)
            && rest[first] == b'\n'
            && !rest[..first].ends_with(b"\\")
            && !rest[..first].ends_with(b"\\\r")
        {
            // Most lines hold no comment.
            return from + first;
        }
        let mut end = self.line_end(from);
        let mut at = from;
        while let Some(slash) = memchr::memchr(b'/', &self.src[at.min(end)..end]).map(|it| at + it)
        {
            match self.byte(slash + 1) {
                b'/' => return end,
                b'*' => {
                    at = self.comment_end(slash);
                    if at > end {
                        end = self.line_end(at);
                    }
                }
                _ => at = slash + 1,
            }
        }
        end
    }

    fn is_zero(&self, from: usize, end: usize) -> bool {
        let at = self.skip_space(from);
        at < end
            && self.src[at] == b'0'
            && !is_word(self.byte(at + 1))
            && matches!(
                self.byte(self.skip_space(at + 1).min(end)),
                b'\n' | b'\r' | 0
            )
    }

    /// Skips the text under `#if 0`; stops behind the `#else` that makes the rest live, or behind the `#endif`.
    fn skip_dead_arm(&mut self, from: usize, depth: u32) -> usize {
        let (end, is_else) = self.arm_end(from);
        if is_else {
            self.conditionals.push(Conditional {
                depth_at_if: depth,
                depth_after_first_arm: None,
                is_kernel: false,
                reading: None,
            });
        }
        end
    }

    /// Where the text goes on behind the directive at `at`, and what that is to an `#if`: what `#if 0` leaves out is
    /// passed over.
    pub(super) fn directive_past(&self, at: usize) -> (usize, Option<Turn>) {
        let word = self.skip_blank(at + 1);
        let word_end = self.word_end(word);
        let end = self.line_end(at);
        if &self.src[word..word_end] == b"if" && self.is_zero(word_end, end) {
            let (end, is_else) = self.arm_end(end);
            (end, is_else.then_some(Turn::Begins))
        } else {
            (end, Turn::of(&self.src[word..word_end]))
        }
    }

    /// Skips all arms up to the `#endif`.
    fn skip_rest(&self, from: usize) -> usize {
        let (mut end, mut is_else) = self.arm_end(from);
        while is_else {
            (end, is_else) = self.arm_end(end);
        }
        end
    }

    /// The end of the line that ends an arm, and whether another arm follows.
    fn arm_end(&self, from: usize) -> (usize, bool) {
        let mut nested = 0u32;
        let mut at = from;
        while at < self.src.len() {
            let hash = self.skip_blank(at + 1);
            let end = self.line_end(hash.min(self.src.len()));
            if self.byte(hash) == b'#' {
                let word = self.skip_blank(hash + 1);
                match Turn::of(&self.src[word..self.word_end(word)]) {
                    Some(Turn::Begins) => nested += 1,
                    Some(Turn::Ends) if nested == 0 => return (end, false),
                    Some(Turn::Ends) => nested -= 1,
                    Some(Turn::NextArm) if nested == 0 => return (end, true),
                    Some(Turn::NextArm) | None => {}
                }
            }
            at = end;
        }
        (self.src.len(), false)
    }

    fn include(&mut self, from: usize, end: usize) {
        let at = self.skip_space(from);
        let close = match self.byte(at) {
            b'"' => b'"',
            b'<' => b'>',
            _ => return,
        };
        if let Some(length) = memchr::memchr(close, &self.src[(at + 1).min(end)..end]) {
            let name = &self.src[at + 1..at + 1 + length];
            self.out.includes_unit |= name.ends_with(b".c");
            if let Ok(name) = std::str::from_utf8(name) {
                self.out.named.extend([name, "\n"]);
            }
            self.out
                .includes
                .push((at as u32 + 1, (at + 1 + length) as u32));
        }
    }

    /// One past the parenthesis that closes the parameters, which begin at `open`; `end` where none does.
    fn params_end(&self, open: usize, end: usize) -> usize {
        let text = &self.src[open..end];
        let close = memchr::memchr(b')', text);
        let is_plain = close.is_some_and(|it| memchr::memchr(b'/', &text[..it]).is_none());
        let close = if is_plain {
            close
        } else {
            memchr::memchr(b')', &uncommented(text))
        };
        close.map_or(end, |it| open + it + 1)
    }

    fn define(&mut self, start: usize, after_word: usize, end: usize) {
        let mut name = after_word;
        while matches!(self.byte(name), b' ' | b'\t') {
            name += 1;
        }
        let name_end = self.word_end(name);
        if name_end == name {
            return;
        }
        let function_like = self.byte(name_end) == b'(';
        let body = if function_like {
            self.params_end(name_end, end)
        } else {
            name_end
        };
        if !function_like && !self.may_alias(body, end) {
            return;
        }
        let outer_refs = std::mem::take(&mut self.refs);
        let outer_pairs = std::mem::take(&mut self.pairs);
        let outer_calls = self.calls;
        let mut reading = Reading {
            prev: b'=',
            ..Reading::default()
        };
        let (mut at, mut reaches_member, mut pastes) = (body, false, false);
        let (mut depth, mut makes, mut fills) = (0u32, false, false);
        // `{ .member = value }` makes a table where it is used; a block of statements makes nothing.
        let (first, mut is_block) = (self.skip_space(body), false);
        loop {
            at = self.skip_space(at);
            if at >= end {
                break;
            }
            reaches_member |=
                self.src[at] == b'-' && self.byte(at + 1) == b'>' || self.src[at] == b'.';
            pastes |= self.src[at] == b'#' && self.byte(at + 1) == b'#';
            fills |= self.names_member(at, reading.prev);
            match self.src[at] {
                b'{' => {
                    makes |= depth == 0 && at > first && matches!(reading.prev, b')' | b'=');
                    depth += 1;
                }
                b'(' => depth += 1,
                b'}' | b')' => depth = depth.saturating_sub(1),
                b';' => is_block |= depth == 1,
                byte => {
                    makes |= depth == 0
                        && reading.prev == b'='
                        && at > body + 8
                        && is_word(byte)
                        && self.byte(self.word_end(at)) == b'(';
                }
            }
            at = self.token(at, &mut reading);
        }
        makes |= self.byte(first) == b'{' && first < end && !is_block;
        self.calls = outer_calls;
        let params: Vec<u32> = if function_like {
            params(&self.src[name_end..body])
        } else {
            Vec::new()
        };
        self.mark_applied(&params, &self.src[body..end]);
        self.add_alias(body, end);
        let is_open = function_like && self.src[..body].trim_ascii_end().ends_with(b"...)");
        let applies = self.forget_params((&params, is_open), &self.src[body..end]);
        // Without a body that names code it still hides a function of its name.
        if !self.refs.is_empty() || reaches_member || pastes || function_like {
            let bits = [
                (function_like, flags::FUNCTION_LIKE),
                (pastes, flags::PASTES),
                (makes, flags::MAKES),
                (fills, flags::FILLS),
                (applies, flags::APPLIES),
                (pastes && self.calls_pasted(body, end), flags::CALLS_MADE),
            ];
            let bits = bits.iter().filter(|it| it.0).fold(0, |all, it| all | it.1);
            let name = Sym::of(&self.src[name..name_end]);
            self.push_item(Item::new(ItemKind::Macro, name, (start, body, end), bits));
        }
        self.refs = outer_refs;
        self.pairs = outer_pairs;
    }

    /// A macro that is one bare word is an alias; the rules for values do not see its end.
    fn add_alias(&mut self, body: usize, end: usize) {
        let alias = self.skip_space(body);
        let alias_end = self.word_end(alias);
        if alias_end > alias && self.skip_space(alias_end) >= end {
            let target = Sym::of(&self.src[alias..alias_end]);
            self.refs.push(Ref::new(RefKind::Call, target));
            self.refs.push(Ref::new(RefKind::Mention, target));
        }
    }

    /// Whether `.member` stands where an initialiser may begin.
    fn names_member(&self, at: usize, prev: u8) -> bool {
        let is_first = matches!(prev, b'=' | b',' | b'{');
        self.src[at] == b'.' && is_first && is_word(self.byte(at + 1))
    }

    /// Adds pairs for the parameters of a macro that its body calls, or whose name is that of a member which it calls.
    fn mark_applied(&mut self, params: &[u32], body: &[u8]) {
        for (place, name) in (0..).zip(params) {
            let is_one = |kind| self.refs.contains(&Ref::of_short(kind, *name));
            let is_called = is_one(RefKind::Call)
                || is_one(RefKind::Mention) && super::given::is_called_in_parens(*name, body);
            for (holds, is_member) in [(is_called, false), (is_one(RefKind::Declares), true)] {
                if holds {
                    self.pairs.push(super::given::applied(place, is_member));
                }
            }
        }
    }

    /// In a macro's body its parameters stand for what is passed, whatever else bears their names.
    ///
    /// Whether one of them is called.
    fn forget_params(&mut self, (params, is_open): (&[u32], bool), body: &[u8]) -> bool {
        if params.is_empty() && !is_open {
            return false;
        }
        let (mut applies, mut is_mentioned) = (false, false);
        self.refs.retain(|it| {
            let is_kept = it.kind() == RefKind::Member || !params.contains(&it.name());
            applies |= !is_kept && it.kind() == RefKind::Call;
            is_mentioned |= !is_kept && it.kind() == RefKind::Mention;
            is_kept
        });
        for pair in &mut self.pairs {
            if let Some(place) = params.iter().position(|it| *it == pair[1]) {
                *pair = super::given::stored(pair[0], place as u32);
            }
        }
        if is_mentioned || is_open {
            super::given::mark_macro((params, is_open), body, &mut self.pairs);
        }
        applies
    }

    /// Whether an object-like macro's body can name code: numbers and strings cannot.
    fn may_alias(&self, body: usize, end: usize) -> bool {
        let mut at = body;
        while at < end
            && matches!(
                self.src[at],
                b' ' | b'\t' | b'(' | b'-' | b'\\' | b'\n' | b'~'
            )
        {
            at += 1;
        }
        at < end && !self.src[at].is_ascii_digit() && self.src[at] != b'"'
    }

    /// Whether what `##` makes in a macro's body stands before arguments, among them or at the end.
    fn calls_pasted(&self, body: usize, end: usize) -> bool {
        let makes_name = |at: usize| {
            let joined = self.skip_space(at + 2);
            let next = self.skip_space(self.word_end(joined));
            // `, ##__VA_ARGS__` drops a comma.
            let is_rest = self.src[body..at].trim_ascii_end().ends_with(b",");
            !is_rest && (next >= end || matches!(self.src[next], b'(' | b')' | b','))
        };
        memchr::memmem::find_iter(&self.src[body..end], b"##").any(|it| makes_name(body + it))
    }
}
