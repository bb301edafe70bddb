//! Preprocessor lines inside of an item, and which arms of an `#if` the grammar reads.

use super::clean::{blank, literal_end};
use crate::lex::is_word_byte as is_word;

/// What stands before an `#if` is searched this far.
const MAX_BEFORE_BYTES: usize = 4096;
/// Of `#if`s that nest deeper, all arms are kept.
const MAX_NESTING: usize = 64;

/// Of an `#if` with more arms that cannot stand beside each other, the last one is read and as many less one before it.
const MAX_ARMS: usize = 8;

/// One `#if … #endif` under way: where its arms start, and the line of its last directive.
struct Group {
    arms: Vec<(usize, usize)>,
    arm_start: usize,
    dead_first: bool,
}

/// Blanks preprocessor lines, and of arms that cannot stand beside each other all but one, which is the `read`-th from
/// 0, or the last one of fewer; how many such arms there are at most, 1 for none.
pub(super) fn blank_directives(out: &mut [u8], read: usize) -> usize {
    let mut count = 1;
    if memchr::memchr(b'#', out).is_none() {
        return count;
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while at < out.len() {
        let mut hash = at;
        while matches!(out.get(hash), Some(b' ' | b'\t')) {
            hash += 1;
        }
        let mut end = memchr::memchr(b'\n', &out[at..]).map_or(out.len(), |it| at + it);
        if out.get(hash) == Some(&b'#') {
            while end < out.len() && end > 0 && out[end - 1] == b'\\' {
                end = memchr::memchr(b'\n', &out[end + 1..]).map_or(out.len(), |it| end + 1 + it);
            }
            let rest = &out[hash + 1..end];
            let word_start = rest
                .iter()
                .position(|it| is_word(*it))
                .unwrap_or(rest.len());
            let word_end = rest[word_start..]
                .iter()
                .position(|it| !is_word(*it))
                .map_or(rest.len(), |it| word_start + it);
            let word = rest[word_start..word_end].to_vec();
            let argument = rest[word_end..].trim_ascii();
            let dead_first = word == b"if" && argument == b"0";
            blank(&mut out[at..end]);
            match word.as_slice() {
                b"if" | b"ifdef" | b"ifndef" => groups.push(Group {
                    arms: Vec::new(),
                    arm_start: end,
                    dead_first,
                }),
                b"else" | b"elif" => {
                    if let Some(group) = groups.last_mut() {
                        group.arms.push((group.arm_start, at));
                        group.arm_start = end;
                    }
                }
                b"endif" => {
                    if let Some(mut group) = groups.pop() {
                        group.arms.push((group.arm_start, at));
                        if groups.len() < MAX_NESTING {
                            count = count.max(choose_arm(out, &group, read));
                        }
                    }
                }
                _ => {}
            }
        }
        at = end + 1;
    }
    count
}

/// Blanks all arms but the `read`-th where they cannot stand beside each other; as how many are read then, else 1.
fn choose_arm(out: &mut [u8], group: &Group, read: usize) -> usize {
    let mut arms = group.arms.as_slice();
    if group.dead_first {
        blank(&mut out[arms[0].0..arms[0].1]);
        arms = &arms[1..];
    }
    let is_listed = |arm: &(usize, usize)| out[arm.0..arm.1].trim_ascii().ends_with(b",");
    let stands = |arm: &(usize, usize)| is_whole(&out[arm.0..arm.1]);
    let start = arms.first().map_or(0, |it| it.0);
    let before = &out[start.saturating_sub(MAX_BEFORE_BYTES)..start];
    let is_part = |arms: &[(usize, usize)]| {
        ends_in_operator(before) || arms.iter().any(is_listed) && is_in_parens(before)
    };
    if arms.len() < 2 || arms.iter().all(stands) && !is_part(arms) {
        return 1;
    }
    let last = arms.len() - 1;
    let read = if read + 1 < MAX_ARMS {
        read.min(last)
    } else {
        last
    };
    for (_, arm) in arms.iter().enumerate().filter(|it| it.0 != read) {
        blank(&mut out[arm.0..arm.1]);
    }
    arms.len().min(MAX_ARMS)
}

/// Whether a text ends where a value has to follow: one arm has it, and another.
fn ends_in_operator(text: &[u8]) -> bool {
    let last = text.trim_ascii_end().last();
    last.is_some_and(|it| b"=?|&+-!<>".contains(it))
}

/// Whether a text ends between parentheses: what is listed there has a place, and one arm takes that of another.
fn is_in_parens(text: &[u8]) -> bool {
    let mut closed = 0u32;
    for byte in text.iter().rev() {
        match byte {
            b')' => closed += 1,
            b'(' if closed == 0 => return true,
            b'(' => closed -= 1,
            b'{' | b'}' | b';' => return false,
            _ => {}
        }
    }
    false
}

/// Whether an arm is balanced and ends as a statement does, so that it may stand beside its twin.
fn is_whole(arm: &[u8]) -> bool {
    let mut depth = 0i32;
    let mut at = 0;
    while at < arm.len() {
        match arm[at] {
            b'"' | b'\'' => {
                at = literal_end(arm, at, arm[at]);
                continue;
            }
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
        at += 1;
    }
    let trimmed = arm.trim_ascii();
    depth == 0 && matches!(trimmed.last(), None | Some(b';' | b'}' | b':' | b','))
}
