//! References that go out of scope: `struct inode *dir __free(iput) = …` calls no function by name, and no more does
//! `CLASS(inode, dir)(…)`.

use super::findings::Run;
use super::parse;
use crate::expand::{close_of, split};
use crate::graph::{EdgeKind, ItemId};
use crate::lex::{space_length, word_length};
use crate::syntax::idioms::Release;
use crate::syntax::taken;
use crate::syntax::text::{fold_bytes, start_around};

/// A declaration that is longer is shown up to here.
const MAX_DECLARATION_BYTES: usize = 256;

impl Run<'_, '_, '_> {
    /// The declarations of a function whose attribute makes another name for `iput()` run at the end of the scope.
    ///
    /// One out of which the pointer is taken on every way (`no_free_ptr()`) releases nothing.
    pub(super) fn cleanups(&self, id: ItemId, text: &[u8]) -> Vec<Release> {
        let edges = self.resolver.edges(id);
        let mut macros = edges.iter().filter(|it| it.kind == EdgeKind::Macro);
        let is_any = macros.any(|it| self.alias_at(id, it).is_some());
        let Some(parsed) = is_any.then(|| parse(self.index, id)).flatten() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for edge in edges.iter().filter(|it| it.kind == EdgeKind::Macro) {
            let offset = edge.offset as usize;
            // What the grammar cannot read in this place was blanked: an attribute of a variable.
            let is_attribute = parsed.clean.get(offset) == Some(&b' ');
            let variable = if is_attribute {
                variable_before(text, offset)
            } else {
                variable_of_class(text, offset)
            };
            let alias = || self.alias_at(id, edge);
            if let Some(variable) = variable
                && let Some((callee, argument)) = alias()
            {
                let release = at_end_of_scope((text, offset), variable, callee, argument);
                let root = parsed.tree.as_ref().map(|it| it.root_node());
                let is_taken = root.is_some_and(|it| {
                    taken::is_always_taken(it, &parsed.clean, &release.inode, offset)
                });
                if !is_taken {
                    found.push(release);
                }
            }
        }
        found.sort_by_key(|it| it.offset);
        found.dedup_by_key(|it| it.offset);
        found
    }
}

/// The variable whose attribute stands at `offset`.
fn variable_before(text: &[u8], offset: usize) -> Option<String> {
    let name = text.get(..offset)?.trim_ascii_end();
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    let first = name
        .iter()
        .rposition(|it| !is_word(it))
        .map_or(0, |it| it + 1);
    Some(String::from_utf8_lossy(&name[first..]).into_owned())
}

/// The variable that `CLASS(class, variable)(…)` at `offset` declares; of `guard(class)(object)` the object.
fn variable_of_class(text: &[u8], offset: usize) -> Option<String> {
    let text = text.get(offset..)?;
    let text = &text[..text.len().min(MAX_DECLARATION_BYTES)];
    let inside = |from: usize| {
        let open = from + space_length(&text[from..]);
        let close = (text.get(open) == Some(&b'(')).then(|| close_of(text, open))?;
        Some((text.get(open + 1..close.checked_sub(1)?)?, close))
    };
    let (class, end) = inside(word_length(text))?;
    let (given, _) = inside(end)?;
    let mut names = split(class).into_iter().skip(1);
    let name = names.next().or_else(|| split(given).into_iter().next())?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

fn at_end_of_scope(
    (text, offset): (&[u8], usize),
    variable: String,
    callee: String,
    argument: usize,
) -> Release {
    let start = start_around(text, offset);
    let rest = &text[start..text.len().min(start + MAX_DECLARATION_BYTES)];
    let end = memchr::memchr(b';', rest).map_or(rest.len(), |it| it + 1);
    Release {
        callee,
        offset,
        argument,
        statement: fold_bytes(&rest[..end]),
        pointer: variable.clone(),
        inode: variable,
        under_i_lock: false,
        atomic: None,
        not_last: None,
        from: None,
        other: None,
        needs: Vec::new(),
        doubt: None,
        error_label: None,
    }
}
