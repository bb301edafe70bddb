//! What an expanded use of a macro calls, and whether that depends on what the macro was given.

use super::text::{close_of, split};
use crate::lex;

/// Uses whose arguments are longer are not expanded: they hold code, which is read where it stands.
const MAX_USE_BYTES: usize = 2048;
/// How what stands for an argument begins; its number and an underscore follow.
const PLACE: &str = "lorelint_argument_";
/// Attributes whose argument is called when a variable goes out of scope.
const CLEANUP: &[&[u8]] = &[b"__cleanup__", b"__cleanup"];

/// Names as they are spelled.
type Names = Vec<Vec<u8>>;

/// What a use of a macro calls, and the name that it ends with: arguments may follow it.
#[derive(Clone, Default)]
pub(crate) struct Called {
    pub(crate) names: Names,
    pub(crate) last: Option<Vec<u8>>,
}

impl Called {
    pub(crate) fn of(expanded: &[u8]) -> Self {
        let end = expanded.trim_ascii_end();
        let start = end.iter().rposition(|it| !lex::is_word_byte(*it));
        let last = &end[start.map_or(0, |it| it + 1)..];
        Self {
            names: called_names(expanded),
            last: (!last.is_empty() && !last[0].is_ascii_digit()).then(|| last.to_vec()),
        }
    }

    /// Whether a name is joined with what stands for an argument.
    pub(super) fn depends(&self) -> bool {
        let mut names = self.names.iter().chain(&self.last);
        names.any(|it| pastes_places(it))
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
pub(crate) fn places(count: usize) -> Vec<u8> {
    let places = (0..count).map(|it| format!("{PLACE}{it}_").into_bytes());
    places.collect::<Names>().join(&b", "[..])
}

/// Whether a macro has pasted something to what stands for an argument.
pub(crate) fn pastes_places(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, PLACE.as_bytes()).any(|start| {
        let number = &text[start + PLACE.len()..];
        let digits = number.iter().take_while(|it| it.is_ascii_digit()).count();
        let is_joined = |it: Option<&u8>| it.is_some_and(|it| lex::is_word_byte(*it));
        is_joined(start.checked_sub(1).and_then(|it| text.get(it)))
            || is_joined(number.get(digits + 1))
    })
}

/// The words before `(`, what cleans up, and what is chosen by a type and followed by arguments.
fn called_names(text: &[u8]) -> Names {
    let mut found = Names::new();
    lex::each_call(text, 0, |start, end, member| {
        let word = &text[start..end];
        if CLEANUP.contains(&word) {
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
