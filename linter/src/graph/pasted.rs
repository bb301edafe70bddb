//! Names that only the full expansion of a macro shows: `a##b`, and macros that make or choose the name of what
//! they call.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Target, Through};
use super::site::Site;
use crate::expand::names::{self, Called};
use crate::expand::{self, Definition, Definitions, Expander, MakingNames, Ways};
use crate::facts::{Call, Callee, Expr};
use crate::lex::{self, ItemKind, Sym, flags};
use crate::warm::Memo;

/// Macros inside macros are looked at this deep.
const MAX_DEPTH: u32 = 8;

/// What is known of macros that paste.
pub(crate) struct Pasting {
    pastes: Memo<ItemId, bool>,
    making: MakingNames,
    definitions: Memo<ItemId, Option<Arc<Definition>>>,
    /// What names stand for, by the file where they do.
    meant: Memo<(Sym, u32), Vec<Arc<Definition>>>,
    /// The names that a macro makes of some arguments in a file.
    made: Memo<(ItemId, u32, Sym), Called>,
    /// Those that it makes in the first file where it was asked.
    made_first: Memo<(ItemId, Sym), Made>,
}

/// The names that a macro makes wherever the names that it uses mean this.
struct Made {
    called: Arc<Called>,
    meant: Vec<(Sym, Meant)>,
}

/// What a name can stand for in a file.
type Meant = Arc<Vec<Arc<Definition>>>;

impl Pasting {
    pub(crate) fn new() -> Self {
        Self {
            pastes: Memo::new(),
            making: MakingNames::new(),
            definitions: Memo::new(),
            meant: Memo::new(),
            made: Memo::new(),
            made_first: Memo::new(),
        }
    }
}

/// The macros of a tree as one file sees them.
struct View<'a, 'i, 't> {
    resolver: &'a Resolver<'i, 't>,
    file: usize,
    /// Where only the names matter that are called, of all that a name may mean.
    asked: Option<&'a Asked>,
}

/// What names were looked for, and in which of their meanings.
#[derive(Default)]
struct Asked {
    ways: Ways,
    meant: RefCell<FxHashMap<Sym, Meant>>,
}

impl Definitions for View<'_, '_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        let name = Sym::of(name);
        if let Some(asked) = self.asked {
            let mut meant = asked.meant.borrow_mut();
            let all = meant
                .entry(name)
                .or_insert_with(|| self.resolver.definitions_in(name, self.file));
            return all.get(asked.ways.choose(name, all.len())).cloned();
        }
        let meant = self.resolver.macro_in(name, self.file)?;
        (*self.resolver.definition(meant)).clone()
    }

    fn makes(&self, _: &[u8]) -> bool {
        true
    }

    fn matters(&self, name: &[u8]) -> bool {
        self.asked.is_none() || self.resolver.makes_names(Sym::of(name))
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
            asked: None,
        };
        let read = (*self.definition(definition)).clone()?;
        Expander::new(&view).expand_use(name, &read, args)
    }

    /// The names that a use of a macro calls, those in its arguments perhaps among them.
    fn made_names(&self, (definition, file): (ItemId, usize), name: &[u8], used: &[u8]) -> Called {
        let is_macro = |word: &[u8]| self.macro_in(Sym::of(word), file).is_some();
        Called::of_use(&crate::expand::split(used), is_macro, |args| {
            let key = Sym::of(args);
            let called = self
                .pasting
                .made
                .get_shared((definition, file as u32, key), || {
                    let means =
                        |(name, meant): &(Sym, Meant)| self.definitions_in(*name, file) == *meant;
                    let first = self.pasting.made_first.get((definition, key), || {
                        self.made((definition, file), name, args)
                    });
                    if first.meant.iter().all(means) {
                        return Arc::clone(&first.called);
                    }
                    self.made((definition, file), name, args).called
                });
            (*called).clone()
        })
    }

    fn made(&self, (definition, file): (ItemId, usize), name: &[u8], args: &[u8]) -> Made {
        let asked = Asked::default();
        let view = View {
            resolver: self,
            file,
            asked: Some(&asked),
        };
        let read = self.definition(definition);
        let called = (*read).as_ref().map_or_else(Called::default, |read| {
            Called::of_ways(&asked.ways, || {
                Expander::new(&view).expand_use(name, read, args)
            })
        });
        Made {
            called: Arc::new(called),
            meant: asked.meant.into_inner().into_iter().collect(),
        }
    }

    /// What a name can stand for in a file: what it means first, and what else makes names.
    fn definitions_in(&self, name: Sym, file: usize) -> Meant {
        self.pasting.meant.get((name, file as u32), || {
            let Some(first) = self.macro_in(name, file) else {
                return Vec::new();
            };
            let makes_names = |it: &ItemId| {
                let flags = self.index.item(*it).flags;
                expand::makes_names((flags, self.index.refs(*it)), |it| self.makes_named(it))
            };
            let others = if self.index.macros(name).nth(1).is_some() {
                self.macros_in(name, file)
            } else {
                Vec::new()
            };
            let others = others.into_iter();
            let others = others.filter(|it| *it != first && makes_names(it));
            let all = std::iter::once(first).chain(others);
            Definition::ways(all.filter_map(|it| (*self.definition(it)).clone()))
        })
    }

    /// Whether macros of a name make names, or call what they are given.
    fn makes_names(&self, name: Sym) -> bool {
        self.makes_named(name.short())
    }

    /// As [`Resolver::makes_names`], of a name given as [`Sym::short`].
    fn makes_named(&self, name: u32) -> bool {
        let index = self.index;
        let defined = |name: u32| {
            let named = index.items_named(name);
            let macros = named.map(|it| (index.item(it), index.refs(it)));
            let macros = macros.filter(|it| it.0.kind == ItemKind::Macro);
            macros.map(|it| (it.0.flags, it.1)).collect()
        };
        self.pasting.making.ask(name, &defined)
    }

    /// Whether one of the arguments is a macro that pastes.
    fn hands_on_pasting(&self, args: &[u8], file: usize) -> bool {
        let words = args.split(|it| *it == b',').map(<[u8]>::trim_ascii);
        let mut words = words.filter(|it| lex::word_length(it) == it.len());
        words.any(|it| {
            let handed = self.macro_in(Sym::of(it), file);
            handed.is_some_and(|it| self.pastes(it, file, 0))
        })
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
        let pastes = self.pastes(definition, file, 0);
        if !pastes && !self.makes_names(self.index.item(definition).name) {
            return;
        }
        let text = self.index.item_text(caller);
        let Some(rest) = text.get(at.offset as usize..) else {
            return;
        };
        let name = &rest[..lex::word_length(rest)];
        let Some((used, end)) = names::arguments(rest, name.len()) else {
            return;
        };
        if !pastes && !self.hands_on_pasting(used, file) {
            return;
        }
        let mut made = self.made_names((definition, file), name, used);
        if rest[end..].trim_ascii_start().starts_with(b"(") {
            made.names.extend(made.last);
        }
        let through = Through::Name(Sym::of(name));
        for called in made.names {
            let name = Sym::of(&called);
            // What stands in the arguments is read there.
            if !self.sieve.passes_name(name.short())
                || memchr::memmem::find(used, &called).is_some()
            {
                continue;
            }
            let name = self.unaliased(name, file);
            for (target, confidence) in self.functions_in(name, file).iter() {
                out.push(Edge::new(
                    (Target::Function(*target), *confidence),
                    at.offset,
                    (EdgeKind::Macro, through),
                ));
            }
            // What is given to a macro of a made name stands among the arguments.
            let call = Call {
                offset: at.offset,
                end: at.offset + end as u32,
                callee: Callee::Name(name),
                args: Vec::new(),
                may_cast: false,
            };
            for definition in self.macros_in(name, file) {
                self.macro_edges(definition, &call, at, out);
            }
        }
    }
}

/// `, ##__VA_ARGS__` drops a comma and makes no name; neither does what only a name for a variable is made of.
fn pastes_names(text: &[u8]) -> bool {
    let mut all = memchr::memmem::find_iter(text, b"##");
    all.any(|at| !text[..at].trim_ascii_end().ends_with(b","))
}
