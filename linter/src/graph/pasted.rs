//! Names that only the full expansion of a macro shows: `a##b`, and macros that make the name of what they call.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Site, Target, Through};
use crate::expand::{Definition, Definitions, Expander};
use crate::facts::Callee;
use crate::graph::domains::Domain;
use crate::lex::{self, Sym, flags};
use crate::warm::Memo;

/// Macros inside macros are looked at this deep.
const MAX_DEPTH: u32 = 8;
/// Uses whose arguments are longer are not expanded: they hold code, which is read where it stands.
const MAX_USE_BYTES: usize = 2048;
/// Attributes whose argument is called when a variable goes out of scope.
const CLEANUP: &[&[u8]] = &[b"__cleanup__", b"__cleanup"];

/// What is known of macros that paste.
pub(crate) struct Pasting {
    pastes: Memo<ItemId, bool>,
    definitions: Memo<ItemId, Option<Definition>>,
}

impl Pasting {
    pub(crate) fn new() -> Self {
        Self {
            pastes: Memo::new(),
            definitions: Memo::new(),
        }
    }
}

/// The macros of a tree as one file sees them.
struct View<'a, 'i, 't> {
    resolver: &'a Resolver<'i, 't>,
    file: usize,
}

impl Definitions for View<'_, '_, '_> {
    fn find(&self, name: &[u8]) -> Option<Definition> {
        let id = self.resolver.macro_in(Sym::of(name), self.file)?;
        (*self.resolver.definition(id)).clone()
    }

    fn makes(&self, _: &[u8]) -> bool {
        true
    }
}

impl Resolver<'_, '_> {
    fn definition(&self, id: ItemId) -> std::sync::Arc<Option<Definition>> {
        self.pasting.definitions.get(id, || {
            let item = self.index.item(id);
            Definition::read(self.index.item_text(id), (item.body - item.start) as usize)
        })
    }

    /// Whether a macro, or one that it uses, makes names.
    fn pastes(&self, id: ItemId, file: usize, depth: u32) -> bool {
        *self.pasting.pastes.get(id, || {
            let item = self.index.item(id);
            if item.flags & flags::PASTES != 0 && pastes_names(self.index.item_text(id)) {
                return true;
            }
            depth < MAX_DEPTH
                && self.facts(id).calls.iter().any(|it| match it.callee {
                    Callee::Name(name) if name != item.name => self
                        .macro_in(name, file)
                        .is_some_and(|it| self.pastes(it, file, depth + 1)),
                    _ => false,
                })
        })
    }

    /// The functions whose names the use of a macro in a function's text makes.
    pub(crate) fn pasted_edges(
        &self,
        caller: ItemId,
        definition: ItemId,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        let file = at.scope.file;
        if !self.pastes(definition, file, 0) {
            return;
        }
        let text = self.index.item_text(caller);
        let Some(rest) = text.get(at.offset as usize..) else {
            return;
        };
        let name_end = rest
            .iter()
            .position(|it| !lex::is_word_byte(*it))
            .unwrap_or(rest.len());
        let open = name_end + rest[name_end..].len() - rest[name_end..].trim_ascii_start().len();
        if rest.get(open) != Some(&b'(') {
            return;
        }
        let window = &rest[..rest.len().min(open + MAX_USE_BYTES)];
        let close = crate::expand::close_of(window, open);
        if window.get(close - 1) != Some(&b')') {
            return;
        }
        let (name, used) = (&rest[..name_end], &window[open + 1..close - 1]);
        let view = View {
            resolver: self,
            file,
        };
        let expanded = (*self.definition(definition))
            .as_ref()
            .and_then(|it| Expander::new(&view).expand_use(name, it, used));
        let Some(expanded) = expanded else { return };
        let through = Through::Name(Sym::of(name));
        for called in called_names(&expanded) {
            // What stands in the arguments is read there.
            if memchr::memmem::find(used, called).is_some() {
                continue;
            }
            for (target, confidence) in self.functions_in(Sym::of(called), file) {
                out.push(Edge {
                    target: Target::Function(target),
                    offset: at.offset,
                    kind: EdgeKind::Macro,
                    confidence,
                    through,
                    domain: Domain::GENERIC,
                });
            }
        }
    }
}

/// `, ##__VA_ARGS__` drops a comma and makes no name; neither does what only a name for a variable is made of.
fn pastes_names(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"##").any(|at| {
        !text[at + 2..]
            .trim_ascii_start()
            .starts_with(b"__VA_ARGS__")
            && !text[..at].trim_ascii_end().ends_with(b",")
    })
}

/// The words before `(`, and what cleans up.
fn called_names(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    lex::each_call(text, 0, |start, end, member| {
        let word = &text[start..end];
        if CLEANUP.contains(&word) {
            let rest = text[end..].trim_ascii_start();
            let argument = rest.strip_prefix(b"(").unwrap_or(rest).trim_ascii_start();
            let length = argument
                .iter()
                .position(|it| !lex::is_word_byte(*it))
                .unwrap_or(argument.len());
            found.push(&argument[..length]);
        } else if !member {
            found.push(word);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}
