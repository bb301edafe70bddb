//! Names that only the full expansion of a macro shows: `a##b`, and macros that make or choose the name of what
//! they call.

use std::sync::Arc;

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Site, Target, Through};
use crate::expand::{Definition, Definitions, Expander};
use crate::facts::{Callee, Expr};
use crate::graph::domains::Domain;
use crate::lex::{self, Sym, flags};
use crate::warm::Memo;

/// Macros inside macros are looked at this deep.
const MAX_DEPTH: u32 = 8;
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
struct Made {
    called: Names,
    last: Option<Vec<u8>>,
}

/// What is known of macros that paste.
pub(crate) struct Pasting {
    pastes: Memo<ItemId, bool>,
    definitions: Memo<ItemId, Option<Arc<Definition>>>,
    /// The names that a macro makes for so many arguments in a file; `None` where they depend on the arguments.
    made: Memo<(ItemId, u32, u32), Option<Made>>,
}

impl Pasting {
    pub(crate) fn new() -> Self {
        Self {
            pastes: Memo::new(),
            definitions: Memo::new(),
            made: Memo::new(),
        }
    }
}

/// The macros of a tree as one file sees them.
struct View<'a, 'i, 't> {
    resolver: &'a Resolver<'i, 't>,
    file: usize,
}

impl Definitions for View<'_, '_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        let id = self.resolver.macro_in(Sym::of(name), self.file)?;
        (*self.resolver.definition(id)).clone()
    }

    fn makes(&self, _: &[u8]) -> bool {
        true
    }
}

impl Resolver<'_, '_> {
    fn definition(&self, id: ItemId) -> Arc<Option<Arc<Definition>>> {
        self.pasting.definitions.get(id, || {
            let item = self.index.item(id);
            Definition::read(self.index.item_text(id), (item.body - item.start) as usize)
                .map(Arc::new)
        })
    }

    /// Whether a macro, or one that it uses, makes names, or calls what a use of another stands for.
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
                    Callee::Value(Expr::Call(name, _)) => self.macro_in(name, file).is_some(),
                    _ => false,
                })
        })
    }

    /// The text that `name(args)` stands for in a file, where the name means one macro.
    pub(super) fn expanded(&self, (name, args): (&[u8], &[u8]), file: usize) -> Option<Vec<u8>> {
        let [definition] = self.macros_in(Sym::of(name), file)[..] else {
            return None;
        };
        let view = View {
            resolver: self,
            file,
        };
        let read = (*self.definition(definition)).clone()?;
        Expander::new(&view).expand_use(name, &read, args)
    }

    /// The names that a use of a macro calls, those in its arguments perhaps among them.
    ///
    /// Most macros make the same names whatever they are given: those are expanded once a file.
    fn made_names(&self, (definition, file): (ItemId, usize), name: &[u8], used: &[u8]) -> Made {
        let view = View {
            resolver: self,
            file,
        };
        let expand = |args: &[u8]| {
            let read = (*self.definition(definition)).clone()?;
            Expander::new(&view).expand_use(name, &read, args)
        };
        let count = crate::expand::split(used).len();
        let made = self
            .pasting
            .made
            .get((definition, file as u32, count as u32), || {
                let places: Names = (0..count).map(place_of).collect();
                let expanded = expand(&places.join(&b", "[..]))?;
                (!pastes_places(&expanded)).then(|| Made::of(&expanded))
            });
        match &*made {
            Some(names) => names.clone(),
            None => expand(used).map_or_else(Made::default, |it| Made::of(&it)),
        }
    }

    /// What a name is another word for: a macro may give a made name its meaning.
    fn unaliased(&self, name: Sym, file: usize) -> Sym {
        let definition = self.macro_in(name, file);
        let bare = definition.filter(|it| self.index.item(*it).flags & flags::FUNCTION_LIKE == 0);
        match bare.map(|it| self.facts(it).result.clone()) {
            Some(Expr::Name(other)) => other,
            _ => name,
        }
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
        let name_end = lex::word_length(rest);
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
        let mut made = self.made_names((definition, file), name, used);
        if rest[close..].trim_ascii_start().starts_with(b"(") {
            made.called.extend(made.last);
        }
        let through = Through::Name(Sym::of(name));
        for called in made.called {
            // What stands in the arguments is read there.
            if memchr::memmem::find(used, &called).is_some() {
                continue;
            }
            let name = self.unaliased(Sym::of(&called), file);
            for (target, confidence) in self.functions_in(name, file).iter() {
                out.push(Edge {
                    target: Target::Function(*target),
                    offset: at.offset,
                    kind: EdgeKind::Macro,
                    confidence: *confidence,
                    through,
                    domain: Domain::GENERIC,
                    enters: None,
                });
            }
        }
    }
}

/// What stands for an argument that has not been put in yet.
fn place_of(argument: usize) -> Vec<u8> {
    format!("{PLACE}{argument}_").into_bytes()
}

/// Whether a macro has pasted something to what stands for an argument.
fn pastes_places(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, PLACE.as_bytes()).any(|start| {
        let number = &text[start + PLACE.len()..];
        let digits = number.iter().take_while(|it| it.is_ascii_digit()).count();
        let is_joined = |it: Option<&u8>| it.is_some_and(|it| lex::is_word_byte(*it));
        is_joined(start.checked_sub(1).and_then(|it| text.get(it)))
            || is_joined(number.get(digits + 1))
    })
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

impl Made {
    fn of(text: &[u8]) -> Self {
        let end = text.trim_ascii_end();
        let start = end.iter().rposition(|it| !lex::is_word_byte(*it));
        let last = &end[start.map_or(0, |it| it + 1)..];
        Self {
            called: called_names(text),
            last: (!last.is_empty() && !last[0].is_ascii_digit()).then(|| last.to_vec()),
        }
    }
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
    let close = crate::expand::close_of(text, open);
    let is_called = text[close..].trim_ascii_start().starts_with(b"(");
    let inside = text
        .get(open + 1..close.saturating_sub(1))
        .unwrap_or_default();
    let choices = crate::expand::split(inside).into_iter().skip(1);
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
