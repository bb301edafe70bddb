//! Uses of macros outside of functions: `TRACE_EVENT(name, …)` holds code, and is a function to whoever reads a finding.

use std::borrow::Cow;

use crate::finding::is_word;
use crate::graph::{Index, ItemId};
use crate::lex::ItemKind;
use crate::syntax::counts::CountAccess;
use crate::syntax::text::{fold_bytes, start_around};

/// What a finding calls the item, and its accesses of `i_count`.
///
/// A use of a macro goes by the name that it defines, its first argument, and an access in it by its own line: the
/// whole use is one statement to the grammar, and a finding would be another one after any change to it.
pub(super) fn named<'a>(
    index: &Index<'_>,
    id: ItemId,
    accesses: &'a [CountAccess],
) -> (String, Cow<'a, [CountAccess]>) {
    let name = index.name_of(id);
    if index.item(id).kind != ItemKind::MacroUse {
        return (name, Cow::Borrowed(accesses));
    }
    let text = index.item_text(id);
    let mut own = accesses.to_vec();
    for access in &mut own {
        access.statement = fold_bytes(line_around(text, access.offset));
    }
    (first_argument(text).unwrap_or(name), Cow::Owned(own))
}

fn first_argument(text: &[u8]) -> Option<String> {
    let open = memchr::memchr(b'(', text)? + 1;
    let end = open
        + text[open..]
            .iter()
            .position(|it| matches!(it, b',' | b')'))?;
    let argument = String::from_utf8_lossy(text[open..end].trim_ascii()).into_owned();
    (!argument.is_empty() && argument.chars().all(is_word)).then_some(argument)
}

fn line_around(text: &[u8], offset: usize) -> &[u8] {
    let rest = &text[start_around(text, offset)..];
    let end = rest.iter().position(|it| matches!(it, b';' | b'\n'));
    let taken = end.map_or(rest.len(), |it| it + usize::from(rest[it] == b';'));
    &rest[..taken]
}
