//! What an expanded use of a macro calls, and whether that depends on what the macro was given.

use super::text::{close_of, is_single_word, split};
use super::ways::Ways;
use crate::lex;

/// Uses whose arguments are longer are not expanded: they hold code, which is read where it stands.
const MAX_USE_BYTES: usize = 2048;
/// How what stands for an argument begins; its number and an underscore follow.
const PLACE: &str = "lorelint_argument_";
/// Times that more arguments are put in before all are.
const MAX_STEPS: usize = 4;

/// Names as they are spelled.
type Names = Vec<Vec<u8>>;

/// What a use of a macro calls, and the names that it may end with: arguments may follow them.
#[derive(Clone, Default)]
pub(crate) struct Called {
    pub(crate) names: Names,
    pub(crate) last: Names,
}

impl Called {
    pub(crate) fn of(expanded: &[u8]) -> Self {
        let end = expanded.trim_ascii_end();
        let start = end.iter().rposition(|it| !lex::is_word_byte(*it));
        let last = &end[start.map_or(0, |it| it + 1)..];
        Self {
            names: called_names(expanded),
            last: if last.is_empty() || last[0].is_ascii_digit() {
                Names::new()
            } else {
                vec![last.to_vec()]
            },
        }
    }

    /// What all ways call that `expanded` may go; nothing for one that cannot be expanded.
    pub(crate) fn of_ways(ways: &Ways, mut expanded: impl FnMut() -> Option<Vec<u8>>) -> Self {
        let mut all = Self::default();
        ways.each(|| {
            let called = expanded().map_or_else(Self::default, |it| Self::of(&it));
            all.names.extend(called.names);
            all.last.extend(called.last);
        });
        for names in [&mut all.names, &mut all.last] {
            names.sort_unstable();
            names.dedup();
        }
        all
    }

    /// The numbers of the arguments with which names are joined, of those that have not been put in.
    pub(super) fn joined(&self) -> Vec<usize> {
        let names = self.names.iter().chain(&self.last);
        names.flat_map(|it| joined(it)).collect()
    }

    /// What a use with these arguments calls. `expanded` says so of arguments: it is asked for as few of them as
    /// decide, so that its answers serve other uses. `is_macro` says of a word whether it is one.
    pub(crate) fn of_use(
        args: &[Vec<u8>],
        is_macro: impl Fn(&[u8]) -> bool,
        mut expanded: impl FnMut(&[u8]) -> Self,
    ) -> Self {
        let decides = |it: &Vec<u8>| is_single_word(it) && is_macro(it);
        let mut kept: Vec<bool> = args.iter().map(decides).collect();
        for _ in 0..MAX_STEPS {
            let known = args.iter().zip(&kept).enumerate();
            let known = known.map(
                |(at, (it, is_kept))| {
                    if *is_kept { it.clone() } else { place(at) }
                },
            );
            let made = expanded(&known.collect::<Names>().join(&b", "[..]));
            let mut joined = made.joined();
            joined.retain(|it| kept.get(*it) == Some(&false));
            if joined.is_empty() {
                return made;
            }
            for it in joined {
                kept[it] = true;
            }
        }
        expanded(&args.join(&b", "[..]))
    }
}

/// The arguments of a use and where it ends; `name_end` is where the name of the macro does. `None` where it has
/// none, or too much of them.
pub(crate) fn arguments(text: &[u8], name_end: usize) -> Option<(&[u8], usize)> {
    let rest = text.get(name_end..)?;
    let open = name_end + rest.len() - rest.trim_ascii_start().len();
    if text.get(open) != Some(&b'(') {
        return None;
    }
    let window = &text[..text.len().min(open + MAX_USE_BYTES)];
    let close = close_of(window, open);
    let is_closed = window.get(close - 1) == Some(&b')');
    is_closed.then(|| (&text[open + 1..close - 1], close))
}

/// What stands for so many arguments that have not been put in yet.
pub(super) fn places(count: usize) -> Vec<u8> {
    (0..count).map(place).collect::<Names>().join(&b", "[..])
}

pub(super) fn place(argument: usize) -> Vec<u8> {
    let mut place = Vec::with_capacity(PLACE.len() + 4);
    place.extend_from_slice(PLACE.as_bytes());
    // Nearly all: to write a number the long way takes longer than all the rest.
    match u8::try_from(argument) {
        Ok(digit @ 0..10) => place.push(b'0' + digit),
        _ => place.extend(argument.to_string().bytes()),
    }
    place.push(b'_');
    place
}

/// The numbers of the arguments to whose places a macro has pasted something.
fn joined(text: &[u8]) -> Vec<usize> {
    let places = memchr::memmem::find_iter(text, PLACE.as_bytes());
    let joined = places.filter_map(|start| {
        let number = &text[start + PLACE.len()..];
        let digits = number.iter().take_while(|it| it.is_ascii_digit()).count();
        let is_joined = |it: Option<&u8>| it.is_some_and(|it| lex::is_word_byte(*it));
        let before = start.checked_sub(1).and_then(|it| text.get(it));
        let at = std::str::from_utf8(&number[..digits]).ok()?.parse().ok()?;
        (is_joined(before) || is_joined(number.get(digits + 1))).then_some(at)
    });
    joined.collect()
}

/// The words before `(`, what cleans up, and what is chosen by a type and followed by arguments.
fn called_names(text: &[u8]) -> Names {
    let mut found = Names::new();
    lex::each_call(text, 0, |start, end, member| {
        let word = &text[start..end];
        if lex::words::is_cleanup(text, start, end) {
            let rest = text[end..].trim_ascii_start();
            let argument = rest.strip_prefix(b"(").unwrap_or(rest).trim_ascii_start();
            found.push(argument[..lex::word_length(argument)].to_vec());
        } else if word == b"_Generic" {
            found.extend(chosen_names(&text[end..]));
        } else if !member {
            found.push(word.to_vec());
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// The names among which `_Generic` chooses; `text` begins behind that word.
fn chosen_names(text: &[u8]) -> Names {
    let open = text.len() - text.trim_ascii_start().len();
    let close = close_of(text, open);
    let is_called = text[close..].trim_ascii_start().starts_with(b"(");
    let inside = text
        .get(open + 1..close.saturating_sub(1))
        .unwrap_or_default();
    let choices = split(inside).into_iter().skip(1);
    choices
        .filter(|_| is_called)
        .filter_map(|it| {
            let colon = it.iter().rposition(|it| *it == b':')?;
            let name = it[colon + 1..].trim_ascii();
            let is_name = !name.is_empty() && name.iter().all(|it| lex::is_word_byte(*it));
            is_name.then(|| name.to_vec())
        })
        .collect()
}
