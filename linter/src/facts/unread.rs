//! Calls that the grammar did not see.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;

use super::{Call, Callee, Expr, FunctionFacts};
use crate::lex::{Sym, word_length, words};

/// Arguments are looked for in this many bytes.
const MAX_ARGUMENT_BYTES: usize = 4096;

/// Adds the words before `(` in a body that the grammar did not read as calls: iterators, what stands behind
/// `KERN_ERR fmt`, and whatever else broke it, and what runs at the end of a variable's scope. Members and pasted names
/// are left out.
///
/// `clean` is the text that the grammar read, of the same offsets. A word that the cleaner overwrote was understood;
/// where the two readings of any other differ, [`FunctionFacts::unread`] says so.
pub(super) fn add_unread_calls(
    (text, clean): (&[u8], &[u8]),
    from: usize,
    facts: &mut FunctionFacts,
) {
    let not_done = not_done(text, from);
    let known: FxHashSet<u32> = facts.calls.iter().map(|it| it.offset).collect();
    let mut found = Vec::new();
    let mut unread = Vec::new();
    crate::lex::each_call(text, from, |start, end, member| {
        let word = &text[start..end];
        if words::is_cleanup(text, start, end) {
            found.extend(cleanup(text, end));
        } else if !member
            && !known.contains(&(start as u32))
            && !words::is_keyword(word)
            && !words::is_annotation(word)
            && !text[..start].trim_ascii_end().ends_with(b"##")
            && !is_pointer_declared(text, end)
            && !is_tag(text, start)
            && !is_within(&not_done, start)
        {
            if is_as_written((text, clean), start, end) {
                unread.push(start as u32);
            }
            found.push(Call {
                offset: start as u32,
                end: start as u32,
                callee: Callee::Name(Sym::of(word)),
                args: plain_arguments(text, end),
                may_cast: false,
            });
        }
    });
    facts.calls.append(&mut found);
    facts.unread = unread;
    let mut operands = FxHashSet::default();
    crate::lex::each_operand(text, from, |start| {
        operands.insert(start as u32);
    });
    if !operands.is_empty() {
        for call in &mut facts.calls {
            // Of other arms' calls at one place it is the first.
            call.may_cast |= operands.remove(&call.offset);
        }
    }
}

/// `struct tag (name);`: a variable, whose name stands in parentheses.
fn is_tag(text: &[u8], start: usize) -> bool {
    let before = crate::lex::last_word(&text[..start]);
    matches!(before, b"struct" | b"union" | b"enum")
}

/// `__cleanup(name)`: the call at the end of the variable's scope. What the variable holds then is not known.
fn cleanup(text: &[u8], end: usize) -> Option<Call> {
    let inside = text[end..].trim_ascii_start().strip_prefix(b"(")?;
    let inside = inside.trim_ascii_start();
    let start = text.len() - inside.len();
    let name = &inside[..word_length(inside)];
    let is_alone = inside[name.len()..].trim_ascii_start().starts_with(b")");
    (is_alone && !name.is_empty()).then(|| Call {
        offset: start as u32,
        end: start as u32,
        callee: Callee::Name(Sym::of(name)),
        args: vec![Expr::Unknown],
        may_cast: false,
    })
}

/// What stands in parentheses behind these words is not done.
const NOT_DONE: [&str; 4] = ["__attribute__", "sizeof", "typeof", "__typeof__"];

/// The bounds of attributes and of what only its size or type is asked for, from `from` on, in order: words before
/// parentheses in them are no calls.
pub(super) fn not_done(text: &[u8], from: usize) -> Vec<std::ops::Range<usize>> {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let kind = aho_corasick::MatchKind::LeftmostLongest;
        let words = AhoCorasick::builder().match_kind(kind).build(NOT_DONE);
        words.expect("a few words make an automaton")
    });
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for word in WORDS.find_iter(&text[from.min(text.len())..]) {
        let (start, end) = (from + word.start(), from + word.end());
        let is_inside = found.last().is_some_and(|it| it.contains(&start));
        let is_part = start > 0 && crate::lex::is_word_byte(text[start - 1]);
        let open = end + text[end..].len() - text[end..].trim_ascii_start().len();
        if is_inside || is_part || text.get(open) != Some(&b'(') {
            continue;
        }
        let mut depth = 0u32;
        let close = text[open..].iter().position(|it| {
            match it {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            *it == b')' && depth == 0
        });
        found.push(start..close.map_or(text.len(), |it| open + it));
    }
    found
}

/// Whether `at` is in one of `ranges`, which are in order.
pub(super) fn is_within(ranges: &[std::ops::Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|it| it.end <= at);
    ranges.get(next).is_some_and(|it| it.contains(&at))
}

/// Whether the cleaner left a word and the parenthesis behind it as they are.
fn is_as_written((text, clean): (&[u8], &[u8]), start: usize, end: usize) -> bool {
    let open = memchr::memchr(b'(', &text[end..]).map_or(end, |it| end + it + 1);
    clean.get(start..open) == text.get(start..open)
}

/// Whether a pointer to a function is declared where a word ends.
fn is_pointer_declared(text: &[u8], end: usize) -> bool {
    declared_pointer(text, end).is_some()
}

/// `type_t (*name)(…)`: what stands before the parenthesis is a type. The bounds of the name.
pub(super) fn declared_pointer(text: &[u8], end: usize) -> Option<std::ops::Range<usize>> {
    let is_blank = |it: &u8| it.is_ascii_whitespace();
    let is_name = |it: &u8| crate::lex::is_word_byte(*it);
    let skip = |from: usize, of: &dyn Fn(&u8) -> bool| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|it| of(it)).count()
    };
    let open = skip(end, &is_blank);
    let star = skip(open + 1, &is_blank);
    if text.get(open) != Some(&b'(') || text.get(star) != Some(&b'*') {
        return None;
    }
    let start = skip(star, &|it| matches!(it, b'*') || is_blank(it));
    let name_end = skip(start, &is_name);
    let close = skip(name_end, &is_blank);
    let next = skip(close + 1, &is_blank);
    let is_it = text.get(close) == Some(&b')') && text.get(next) == Some(&b'(');
    is_it.then_some(start..name_end)
}

/// The arguments of the call whose name ends at `end`, as far as they are single words.
fn plain_arguments(text: &[u8], end: usize) -> Vec<Expr> {
    let Some(open) = memchr::memchr(b'(', &text[end..]).map(|it| end + it) else {
        return Vec::new();
    };
    let (mut args, mut depth, mut start) = (Vec::new(), 0u32, open + 1);
    for (at, byte) in text.iter().enumerate().skip(open).take(MAX_ARGUMENT_BYTES) {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 || (depth == 1 && *byte == b',') {
            let word = text[start..at].trim_ascii();
            let word = word.strip_prefix(b"&").unwrap_or(word);
            let is_name = word.first().is_some_and(|it| !it.is_ascii_digit())
                && word.iter().all(|it| crate::lex::is_word_byte(*it))
                && !words::is_keyword(word);
            args.push(if is_name {
                Expr::Name(Sym::of(word))
            } else {
                Expr::Unknown
            });
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    args
}
