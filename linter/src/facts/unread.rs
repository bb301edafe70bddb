//! Calls that the grammar did not see.

use rustc_hash::FxHashSet;

use super::{Call, Callee, Expr, FunctionFacts};
use crate::lex::{Sym, words};

/// Arguments are looked for in this many bytes.
const MAX_ARGUMENT_BYTES: usize = 4096;

/// Adds the words before `(` in a body that the grammar did not read as calls: iterators, what stands behind
/// `KERN_ERR fmt`, and whatever else broke it. Members and pasted names are left out.
pub(super) fn add_unread_calls(text: &[u8], from: usize, facts: &mut FunctionFacts) {
    let known: FxHashSet<u32> = facts.calls.iter().map(|it| it.offset).collect();
    let mut found = Vec::new();
    crate::lex::each_call(text, from, |start, end, member| {
        let word = &text[start..end];
        if !member
            && !known.contains(&(start as u32))
            && !words::is_type_word(word)
            && !words::is_annotation(word)
            && !text[..start].trim_ascii_end().ends_with(b"##")
        {
            found.push(Call {
                offset: start as u32,
                end: start as u32,
                callee: Callee::Name(Sym::of(word)),
                args: plain_arguments(text, end),
            });
        }
    });
    facts.calls.append(&mut found);
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
                && word.iter().all(|it| crate::lex::is_word_byte(*it));
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
