//! Tokens and the names that a region of code refers to.

use super::directive::Turn;
use super::given::last_word;
use super::item::{Ref, RefKind};
use super::runs::{space_length, word_length};
use super::scan::Scanner;
use super::{Sym, variables, words};

/// What stands between the brackets of a call through an array is searched this far.
const MAX_SUBSCRIPT_BYTES: usize = 128;
/// What is read by a macro and called at once has at most so many.
const MAX_READ_BYTES: usize = 512;

/// What the last significant token was, as far as it decides how a name is used.
pub(super) const ARROW: u8 = 1;
/// What stands behind the last byte of a text.
const END: u8 = 0;
/// An identifier or a number.
pub(super) const WORD: u8 = 2;

const WORD_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        table[byte] = it.is_ascii_alphanumeric() || it == b'_' || it == b'$' || it >= 0x80;
        byte += 1;
    }
    table
};

/// Before anything else, a name that is no member's is neither called nor used as a value by itself.
const ENDS_NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    let all = *b"(=[,;)}?#:";
    while at < all.len() {
        table[all[at] as usize] = true;
        at += 1;
    }
    table[END as usize] = true;
    table
};

const NO_SPACE: u8 = 0;
const SPACE: u8 = 1;
/// What may begin a comment or a continuation.
const MAYBE_SPACE: u8 = 2;

const SPACING: [u8; 256] = {
    let mut table = [NO_SPACE; 256];
    table[b' ' as usize] = SPACE;
    table[b'\t' as usize] = SPACE;
    table[b'\n' as usize] = SPACE;
    table[b'\r' as usize] = SPACE;
    table[0x0b] = SPACE;
    table[0x0c] = SPACE;
    table[b'\\' as usize] = MAYBE_SPACE;
    table[b'/' as usize] = MAYBE_SPACE;
    table
};

#[inline]
pub(crate) const fn is_word(byte: u8) -> bool {
    WORD_BYTE[byte as usize]
}

/// The reading state inside braces, parentheses or an initialiser.
#[derive(Clone, Copy, Default)]
pub(super) struct Reading {
    /// Last significant byte, [`ARROW`] or [`WORD`].
    pub(super) prev: u8,
    /// The member, or the variable, that `=` was seen behind, until `,` or `;`.
    pub(super) pending_member: Option<u32>,
    /// Whether an `=` stands since the last `;`, `{` or `}`.
    pub(super) after_equals: bool,
    /// Between the parentheses of what gives its first argument a value, see [`words::value_written`].
    pub(super) gives: bool,
    /// The parentheses that are open inside of those.
    pub(super) inside: u8,
    /// What is given the same value: `object->other = object->member = value`.
    pub(super) outer_member: Option<u32>,
    /// The variable that `(*name)(…)` declares, where that calls nothing.
    pub(super) declared: Option<u32>,
}

impl Reading {
    /// Whether what stands before a comma is what is given a value.
    fn is_first_given(&self) -> bool {
        self.gives && self.pending_member.is_none()
    }

    /// What follows is given to no member.
    fn forget_members(&mut self) {
        self.pending_member = None;
        self.outer_member = None;
    }

    /// What stands behind a comma is given to no member, unless it is what gives one a value.
    fn pass_comma(&mut self) {
        if !self.gives {
            self.forget_members();
        }
    }

    /// A byte of the kind that the last significant token was.
    pub(super) fn prev_byte(&self) -> u8 {
        if self.prev == WORD { b'a' } else { self.prev }
    }
}

impl Scanner<'_> {
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.src.get(at).copied().unwrap_or(0)
    }

    /// The end of the word that starts at `start`.
    #[inline]
    pub(super) fn word_end(&self, start: usize) -> usize {
        start + word_length(self.src.get(start..).unwrap_or_default())
    }

    /// The first byte at or after `at` that is no white space, continuation or comment.
    #[expect(
        clippy::inline_always,
        reason = "left to itself the compiler calls it: 4 % of the instructions of a check"
    )]
    #[inline(always)]
    pub(super) fn skip_space(&self, at: usize) -> usize {
        let is_none = |at: usize| {
            let byte = self.src.get(at);
            byte.is_some_and(|it| SPACING[*it as usize] == NO_SPACE)
        };
        if is_none(at) {
            at
        } else if self.src.get(at) == Some(&b' ') && is_none(at + 1) {
            at + 1
        } else {
            self.skip_spaces(at)
        }
    }

    fn skip_spaces(&self, mut at: usize) -> usize {
        loop {
            at += space_length(self.src.get(at..).unwrap_or_default());
            match self.src.get(at) {
                None => return self.src.len(),
                Some(byte) if SPACING[*byte as usize] == NO_SPACE => return at,
                Some(_) => {}
            }
            match self.skip_more(at) {
                Some(next) => at = next,
                None => return at,
            }
        }
    }

    /// The end of the continuation or comment that may begin at `at`.
    fn skip_more(&self, at: usize) -> Option<usize> {
        match (self.src[at], self.byte(at + 1)) {
            (b'\\', b'\n' | b'\r') => Some(at + 2),
            (b'/', b'*') => Some(self.comment_end(at)),
            (b'/', b'/') => Some(self.line_end(at)),
            _ => None,
        }
    }

    /// Whether a `#` begins a preprocessor line: inside a macro's replacement it never does.
    fn begins_directive(&self, at: usize) -> bool {
        let before = &self.src[..at];
        let newline = before.iter().rposition(|it| !matches!(it, b' ' | b'\t'));
        newline
            .is_none_or(|it| before[it] == b'\n' && !before[..it].trim_ascii_end().ends_with(b"\\"))
    }

    pub(super) fn comment_end(&self, at: usize) -> usize {
        let mut from = at + 3;
        while let Some(slash) = memchr::memchr(b'/', self.src.get(from..).unwrap_or_default()) {
            from += slash + 1;
            if self.src[from - 2] == b'*' {
                return from;
            }
        }
        self.src.len()
    }

    /// The newline that ends the logical line at `at`, continuations included.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let mut from = at;
        loop {
            let Some(newline) = memchr::memchr(b'\n', &self.src[from..]).map(|it| from + it) else {
                return self.src.len();
            };
            let before = if newline > 0 && self.src[newline - 1] == b'\r' {
                newline.wrapping_sub(2)
            } else {
                newline.wrapping_sub(1)
            };
            if newline == 0 || self.byte(before) != b'\\' || before < at {
                return newline;
            }
            from = newline + 1;
        }
    }

    /// One past the string or character literal that starts at `at`; a newline ends a broken one.
    pub(super) fn literal_end(&self, at: usize) -> usize {
        let quote = self.src[at];
        let mut from = at + 1;
        while let Some(found) =
            memchr::memchr3(quote, b'\\', b'\n', &self.src[from.min(self.src.len())..])
        {
            let hit = from + found;
            match self.src[hit] {
                b'\\' => from = hit + 2,
                byte if byte == quote => return hit + 1,
                _ => return hit,
            }
        }
        self.src.len()
    }

    /// Reads the word at `start` as a use of a name; returns where the next token may start.
    #[inline(never)]
    fn use_word(
        &mut self,
        (start, end): (usize, usize),
        next_at: usize,
        reading: &mut Reading,
    ) -> usize {
        let first = self.src[start];
        let prev = std::mem::replace(&mut reading.prev, WORD);
        let next = self.byte(next_at);
        if self.returns && &self.src[start..end] == b"return" {
            reading.prev = b';';
            reading.after_equals = true;
            return next_at;
        }
        let member = matches!(prev, ARROW | b'.');
        if member {
            self.use_member(&self.src[start..end], next_at, reading);
        } else if next == b'(' {
            let word = &self.src[start..end];
            if !words::is_control(word) {
                self.refs.push(Ref::new(RefKind::Call, Sym::of(word)));
                self.calls += 1;
                if words::value_written(word).is_some() {
                    reading.gives = true;
                    reading.forget_members();
                }
                if words::is_read(word) {
                    self.use_result(next_at);
                }
            }
        } else if self.is_set(prev, next_at, reading) {
            let name = Sym::of(&self.src[start..end]).short();
            if prev == b'=' {
                // `object->member = hook = name`
                reading.outer_member = reading.pending_member;
            }
            reading.pending_member = Some(variables::unsettled(name));
        } else if (matches!(
            prev,
            b'=' | b',' | b'(' | b'&' | b'?' | b':' | b'{' | b'[' | b')' | b'|' | b';' | b'}'
        ) || prev == b'*'
            && (reading.pending_member.is_some() || self.is_read_through(start, next_at)))
            && (matches!(next, b',' | b';' | b')' | b'}' | b'[' | b'?' | b'#' | END)
                || (next == b':' && matches!(prev, b'?' | b'&' | b')')))
        {
            self.mention(start, end, reading);
        } else if prev == WORD && next == b';' && first.is_ascii_uppercase() {
            // `return CALL_IT;`
            let before = last_word(&self.src[..start]);
            if matches!(before, b"return" | b"else" | b"do") && &self.src[start..end] != b"NULL" {
                self.mention(start, end, reading);
            }
        } else if next == b':' && matches!(prev, b'{' | b',') {
            // `{ member: value }`
            reading.pending_member = Some(Sym::of(&self.src[start..end]).short());
        } else if (next == b'[' || (next == b')' && prev == b'*'))
            && self.is_called_behind(prev, next_at)
        {
            let name = Sym::of(&self.src[start..end]);
            self.refs.push(Ref::new(RefKind::Call, name));
            reading.declared = Some(name.short());
        }
        next_at
    }

    /// Whether the `*` before the name at `start` stands before a value, as in `f(*name)` and `{ *name }`: it is the
    /// first thing behind a bracket or a comma.
    fn is_read_through(&self, start: usize, next_at: usize) -> bool {
        let before = self.src[..start].trim_ascii_end();
        let before = before.strip_suffix(b"*").map(<[u8]>::trim_ascii_end);
        before.is_some_and(|it| matches!(it.last(), Some(b'(' | b',' | b'{')))
            && !self.is_called_behind(b'*', next_at)
    }

    /// Whether a variable, or an element of it, is given a value where the text behind its name goes on at `next_at`.
    fn is_set(&self, prev: u8, next_at: usize, reading: &Reading) -> bool {
        let begins = matches!(prev, b';' | b'{' | b'}' | b')' | b':');
        let may_be = match self.byte(next_at) {
            // `else hook = name`, `hook_t hook = name`, `other = hook = name`
            b'=' => begins || matches!(prev, b'*' | b'=' | WORD),
            // `WRITE_ONCE(hooks[i], name)` as well.
            b'[' => begins || matches!(prev, b'*' | b'=' | b'(' | b'&' | WORD),
            b',' => matches!(prev, b'(' | b'&'),
            _ => false,
        };
        may_be && self.is_given_behind(next_at, reading)
    }

    /// Whether what stands at `next_at`, behind a name, makes a call through a variable of it: `name[i](…)`,
    /// `(*name)(…)`.
    fn is_called_behind(&self, prev: u8, next_at: usize) -> bool {
        let Some(at) = self.behind_subscripts(next_at) else {
            return false;
        };
        let is_behind = match self.byte(at) {
            b'(' => return at > next_at,
            b')' => at > next_at || prev == b'*',
            _ => false,
        };
        is_behind && self.byte(self.skip_space(at + 1)) == b'('
    }

    /// Whether what a text names is given a value behind the subscripts that may begin at `next_at`.
    fn is_given_behind(&self, next_at: usize, reading: &Reading) -> bool {
        self.behind_subscripts(next_at)
            .is_some_and(|at| match self.byte(at) {
                b'=' => self.byte(at + 1) != b'=',
                b',' => reading.is_first_given(),
                _ => false,
            })
    }

    /// Where the text goes on behind the parentheses that close at `at`.
    fn behind_parens(&self, mut at: usize) -> usize {
        while self.byte(at) == b')' {
            at = self.skip_space(at + 1);
        }
        at
    }

    /// Where the text goes on behind the subscripts that may begin at `at`.
    pub(super) fn behind_subscripts(&self, mut at: usize) -> Option<usize> {
        while self.byte(at) == b'[' {
            at = self.skip_space(self.subscript_end(at)?);
        }
        Some(at)
    }

    /// One past the bracket that closes the one at `open`, where that is near.
    fn subscript_end(&self, open: usize) -> Option<usize> {
        let mut depth = 0u32;
        let text = &self.src[open..self.src.len().min(open + MAX_SUBSCRIPT_BYTES)];
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'[' => depth += 1,
                b']' if depth == 1 => return Some(open + at + 1),
                b']' => depth -= 1,
                b';' | b'{' => return None,
                _ => {}
            }
        }
        None
    }

    fn mention(&mut self, start: usize, end: usize, reading: &Reading) {
        let name = Sym::of(&self.src[start..end]);
        self.refs.push(Ref::new(RefKind::Mention, name));
        if let Some(member) = reading.pending_member {
            self.pairs.push([member, name.short()]);
            if let Some(outer) = reading.outer_member {
                self.pairs.push([outer, name.short()]);
            }
        }
    }

    fn use_member(&mut self, word: &[u8], next_at: usize, reading: &mut Reading) {
        let next = self.byte(next_at);
        if self.is_given_behind(next_at, reading) {
            reading.outer_member = reading.pending_member;
            reading.pending_member = Some(Sym::of(word).short());
            return;
        }
        let name = Sym::of(word).short();
        if reading.pending_member == Some(name) && matches!(next, b';' | b'}' | b',' | b')' | b':')
        {
            self.pairs.push([name, variables::copied(name)]);
        }
        let through_parens = match next {
            // What is called may stand behind the other arm.
            b'#' => self.begins_directive(next_at),
            b')' => self.byte(self.behind_parens(next_at)) == b'(',
            _ => false,
        };
        let taken = reading.after_equals && matches!(next, b';' | b')' | b'?' | b',' | b'}');
        let is_used = matches!(next, b'(' | b'[' | b':') || through_parens || taken;
        if is_used || self.is_result(next_at) {
            let name = Sym::of(word);
            if next == b'(' {
                self.calls += 1;
            }
            if next == b'(' || through_parens {
                self.refs.push(Ref::new(RefKind::Declares, name));
            }
            self.refs.push(Ref::new(RefKind::Member, name));
        }
    }

    /// Reads the use of what is called at once, as in `rcu_dereference_protected(object->member, condition)(…)`; `open`
    /// is its first parenthesis.
    fn use_result(&mut self, open: usize) {
        let (mut depth, mut comma) = (0u32, None);
        let text = &self.src[open..self.src.len().min(open + MAX_READ_BYTES)];
        let mut close = text.iter().enumerate().filter_map(|(at, byte)| {
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b',' if depth == 1 => comma = comma.or(Some(at)),
                _ => {}
            }
            (depth == 0).then_some(open + at)
        });
        let (Some(close), Some(comma)) = (close.next(), comma) else {
            return;
        };
        if self.byte(self.skip_space(close + 1)) != b'(' {
            return;
        }
        let value = text[..comma].trim_ascii_end();
        let word = last_word(value);
        let name = Sym::of(word);
        let before = value[..value.len() - word.len()].trim_ascii_end();
        if before.ends_with(b"->") || before.ends_with(b".") {
            self.refs.push(Ref::new(RefKind::Declares, name));
            self.refs.push(Ref::new(RefKind::Member, name));
        } else {
            self.refs.push(Ref::new(RefKind::Call, name));
        }
    }

    /// Whether what stands before `at` is the first choice of `?:`, or the value of `({ … })`.
    fn is_result(&self, at: usize) -> bool {
        let follows = |at: usize, byte: u8| {
            let next = self.skip_space(at + 1);
            (self.byte(next) == byte).then_some(next)
        };
        match self.byte(at) {
            b'?' => follows(at, b':').is_some(),
            b';' => follows(at, b'}').is_some_and(|it| follows(it, b')').is_some()),
            _ => false,
        }
    }

    /// Reads one token of code at `at`, which is no white space; returns where the next may start.
    ///
    /// Braces, parentheses and directives are the caller's.
    #[expect(
        clippy::inline_always,
        reason = "words and punctuation are functions of their own: one call for a token, not two"
    )]
    #[inline(always)]
    pub(super) fn token(&mut self, at: usize, reading: &mut Reading) -> usize {
        let byte = self.src[at];
        if is_word(byte) {
            let end = self.word_end(at);
            if byte.is_ascii_digit() {
                reading.prev = WORD;
                return end;
            }
            let next_at = self.skip_space(end);
            let names_nothing = !ENDS_NAMES[self.byte(next_at) as usize]
                && !matches!(reading.prev, ARROW | b'.')
                && !self.returns;
            if !names_nothing {
                return self.use_word((at, end), next_at, reading);
            }
            reading.prev = WORD;
            return next_at;
        }
        let is_plain = match byte {
            b'"' | b'\'' | b'-' | b'=' | b',' | b';' | b'{' | b'}' => false,
            b'(' | b')' => !reading.gives && reading.inside == 0,
            _ => true,
        };
        if !is_plain {
            return self.punctuation(at, reading);
        }
        reading.prev = byte;
        at + 1
    }

    /// As [`Self::token`], of a number, and of those that follow it behind commas, as in a table; returns where the
    /// next token starts.
    pub(super) fn numbers(&self, mut at: usize, reading: &mut Reading) -> usize {
        loop {
            let comma = self.skip_space(self.word_end(at));
            if self.byte(comma) != b',' {
                reading.prev = WORD;
                return comma;
            }
            reading.pass_comma();
            at = self.skip_space(comma + 1);
            if !self.byte(at).is_ascii_digit() || self.is_column_0(at) {
                reading.prev = b',';
                return at;
            }
        }
    }

    /// As [`Self::token`], of what is no word.
    #[inline(never)]
    fn punctuation(&self, at: usize, reading: &mut Reading) -> usize {
        let byte = self.src[at];
        match byte {
            b'"' | b'\'' => {
                reading.prev = WORD;
                return self.literal_end(at);
            }
            b'-' if self.byte(at + 1) == b'>' => {
                reading.prev = ARROW;
                return at + 2;
            }
            b'=' => {
                if self.byte(at + 1) == b'=' {
                    reading.prev = b'<';
                    return at + 2;
                }
                reading.after_equals = true;
                if let Some(name) = reading.declared.take() {
                    reading.pending_member = Some(variables::unsettled(name));
                }
            }
            b',' => reading.pass_comma(),
            // `rcu_assign_pointer(x->member, (type)value)`
            b'(' if reading.gives && reading.pending_member.is_some() => {
                reading.inside = reading.inside.saturating_add(1);
            }
            b')' if reading.inside > 0 => reading.inside -= 1,
            // `WRITE_ONCE((x)->member, value)`
            b')' if reading.gives && reading.pending_member.is_some() => {
                reading.gives = false;
                reading.forget_members();
            }
            b';' | b'{' | b'}' => {
                if byte != b'{' {
                    reading.pending_member = None;
                }
                reading.outer_member = None;
                reading.inside = 0;
                // What stands in the braces of a value is taken as well.
                reading.after_equals = byte == b'{' && reading.prev == b'=';
                reading.gives = false;
                reading.declared = None;
            }
            _ => {}
        }
        reading.prev = byte;
        at + 1
    }
}

/// How often a member of this name stands in the text from `from` on.
pub(crate) fn count_members(text: &[u8], from: usize, name: &[u8]) -> u32 {
    if memchr::memmem::find(text, name).is_none() {
        return 0;
    }
    let scanner = Scanner::over(text);
    let (mut at, mut prev, mut count) = (scanner.skip_space(from), 0u8, 0);
    while at < text.len() {
        let byte = text[at];
        let end = match byte {
            _ if is_word(byte) => scanner.word_end(at),
            b'"' | b'\'' => scanner.literal_end(at),
            b'-' if scanner.byte(at + 1) == b'>' => at + 2,
            _ => at + 1,
        };
        count += u32::from(matches!(prev, ARROW | b'.') && &text[at..end] == name);
        prev = if byte == b'-' && end == at + 2 {
            ARROW
        } else {
            byte
        };
        at = scanner.skip_space(end);
    }
    count
}

/// Calls `found` with the bounds of every word before `(` from `from` on, and whether it is a member.
pub(crate) fn each_call(text: &[u8], from: usize, mut found: impl FnMut(usize, usize, bool)) {
    let scanner = Scanner::over(text);
    each_word(text, from, |start, end, member| {
        if scanner.byte(scanner.skip_space(end)) == b'(' {
            found(start, end, member);
        }
    });
}

/// Calls `found` with the bounds of every name from `from` on, and whether it is a member. What stands on
/// preprocessor lines is left out.
pub(crate) fn each_word(text: &[u8], from: usize, mut found: impl FnMut(usize, usize, bool)) {
    let scanner = Scanner::over(text);
    scanner.each_token(from, |token, prev| {
        if let Token::Word(start, end) = token
            && !text[start].is_ascii_digit()
            && !words::is_control(&text[start..end])
        {
            found(start, end, matches!(prev, ARROW | b'.'));
        }
    });
}

/// Calls `found` with the first byte of every word before `(` among the operands of an `asm`, from `from` on: what calls
/// nothing, but may be a macro that stands for a constraint, as in `asm("" : : IS_REGISTER (value))`, or for operands.
pub(crate) fn each_operand(text: &[u8], from: usize, mut found: impl FnMut(usize)) {
    if memchr::memmem::find(text.get(from..).unwrap_or_default(), b"asm").is_none() {
        return;
    }
    let scanner = Scanner::over(text);
    let (mut begins, mut depth, mut has_colon) = (false, 0u32, false);
    scanner.each_token(from, |token, _| match token {
        // Others may stand between, such as `volatile`.
        Token::Word(start, end) if depth == 0 => {
            begins |= matches!(&text[start..end], b"asm" | b"__asm" | b"__asm__");
        }
        Token::Word(start, end) => {
            let is_before = || scanner.byte(scanner.skip_space(end)) == b'(';
            if depth == 1 && has_colon && is_before() {
                found(start);
            }
        }
        Token::Byte(b'(') if begins => depth += 1,
        Token::Byte(b')') if depth > 1 => depth -= 1,
        Token::Byte(b':') if begins => has_colon |= depth == 1,
        Token::Literal | Token::Arrow | Token::Byte(_) if depth > 0 => {
            if matches!(token, Token::Byte(b')' | b';')) {
                (begins, depth, has_colon) = (false, 0, false);
            }
        }
        Token::Literal | Token::Arrow | Token::Byte(_) => begins = false,
        Token::Turn(_) => {}
    });
}

/// What a text is made of, where only words and brackets matter.
pub(super) enum Token {
    /// A name, a keyword or a number, by its bounds.
    Word(usize, usize),
    /// A string or a character.
    Literal,
    /// `->`
    Arrow,
    Byte(u8),
    /// A preprocessor line that belongs to an `#if`.
    Turn(Turn),
}

impl Scanner<'_> {
    /// Calls `found` with each token from `from` on, and with what stood before it: [`ARROW`], [`WORD`] for a literal
    /// as well, a byte, or 0. What stands on preprocessor lines is left out.
    #[inline]
    pub(super) fn each_token(&self, from: usize, mut found: impl FnMut(Token, u8)) {
        let (mut at, mut prev) = (self.skip_space(from), 0u8);
        while let Some(byte) = self.src.get(at).copied() {
            let (token, now, end) = if is_word(byte) {
                let end = self.word_end(at);
                (Token::Word(at, end), WORD, end)
            } else if byte == b'"' || byte == b'\'' {
                (Token::Literal, WORD, self.literal_end(at))
            } else if byte == b'-' && self.byte(at + 1) == b'>' {
                (Token::Arrow, ARROW, at + 2)
            } else if byte == b'#' && self.begins_directive(at) {
                let (past, turn) = self.directive_past(at);
                let Some(turn) = turn else {
                    at = self.skip_space(past);
                    continue;
                };
                (Token::Turn(turn), prev, past)
            } else {
                (Token::Byte(byte), byte, at + 1)
            };
            found(token, prev);
            prev = now;
            at = self.skip_space(end);
        }
    }
}
