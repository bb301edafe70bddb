//! References that are dropped without a call: where they go out of scope (`struct inode *dir __free(iput) = …`, or
//! `__cleanup(put)`), and by macros without arguments.

use super::findings::Run;
use crate::graph::{Edge, EdgeKind, ItemId};
use crate::lex;
use crate::syntax::idioms::Release;
use crate::syntax::taken;
use crate::syntax::text::{fold_bytes, start_around};

/// A declaration that is longer is shown up to here.
const MAX_DECLARATION_BYTES: usize = 256;

impl Run<'_, '_, '_> {
    /// The declarations of a function whose attribute makes another name for `iput()` run at the end of the scope, and
    /// the macros without arguments that stand for a call of one.
    ///
    /// A declaration out of which the pointer is taken on every way (`no_free_ptr()`) releases nothing.
    pub(super) fn cleanups(&self, id: ItemId, text: &[u8]) -> Vec<Release> {
        let edges = self.resolver.edges(id);
        // With the place of the attribute that names what is called.
        let may_be = |it: &'_ Edge| {
            let attribute = attribute_at(text, it.offset as usize);
            let is_read = it.kind == EdgeKind::Direct && attribute.is_some();
            (it.kind == EdgeKind::Macro || is_read).then_some((*it, attribute))
        };
        let places: Vec<(Edge, Option<usize>)> = edges.iter().filter_map(may_be).collect();
        let is_any = (places.iter()).any(|it| self.alias_at(id, &it.0).is_some());
        let Some(parsed) = is_any.then(|| self.index.parse(id)).flatten() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (edge, attribute) in &places {
            let offset = attribute.unwrap_or(edge.offset as usize);
            // What the grammar cannot read in this place was blanked: an attribute of a variable.
            let is_attribute = attribute.is_some() || parsed.clean.get(offset) == Some(&b' ');
            let is_bare = !is_attribute && is_bare(text, offset);
            let alias = (is_attribute || is_bare)
                .then(|| self.alias_at(id, edge))
                .flatten();
            if let Some((callee, argument)) = alias {
                if is_bare {
                    found.push(release_at(text, offset, (callee, argument), ""));
                    continue;
                }
                let release = at_end_of_scope(text, offset, (callee, argument));
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

fn at_end_of_scope(text: &[u8], offset: usize, callee: (String, usize)) -> Release {
    let before = text.get(..offset).unwrap_or_default();
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    let name = before.trim_ascii_end();
    let first = name
        .iter()
        .rposition(|it| !is_word(it))
        .map_or(0, |it| it + 1);
    let variable = String::from_utf8_lossy(&name[first..]);
    release_at(text, offset, callee, &variable)
}

/// Where the attribute begins whose argument stands at `offset`: `__cleanup(name)`, `__attribute__((cleanup(name)))`.
fn attribute_at(text: &[u8], offset: usize) -> Option<usize> {
    let before = text.get(..offset)?.trim_ascii_end();
    let before = before.strip_suffix(b"(")?.trim_ascii_end();
    let start = before.len() - lex::last_word(before).len();
    if !lex::words::is_cleanup(text, start, before.len()) {
        return None;
    }
    let outer = text[..start].trim_ascii_end();
    let is_inside = outer.ends_with(b"(") || outer.ends_with(b",");
    let found = is_inside.then(|| memchr::memmem::rfind(outer, b"__attribute"));
    Some(found.flatten().unwrap_or(start))
}

/// Whether a name stands there without arguments.
fn is_bare(text: &[u8], offset: usize) -> bool {
    let rest = text.get(offset..).unwrap_or_default();
    let behind = rest[lex::word_length(rest)..].trim_ascii_start();
    behind.len() < rest.len() && !behind.starts_with(b"(")
}

/// Of a macro without arguments it is not known what it drops.
fn release_at(
    text: &[u8],
    offset: usize,
    (callee, argument): (String, usize),
    variable: &str,
) -> Release {
    let start = start_around(text, offset);
    let rest = &text[start..text.len().min(start + MAX_DECLARATION_BYTES)];
    let end = memchr::memchr(b';', rest).map_or(rest.len(), |it| it + 1);
    Release {
        callee,
        offset,
        argument,
        statement: fold_bytes(&rest[..end]),
        pointer: variable.to_owned(),
        inode: variable.to_owned(),
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
