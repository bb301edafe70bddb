//! Macros without arguments: who names one calls what its body calls.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::includes::NOT_INCLUDED;
use super::index::ItemId;
use super::resolve::{Edge, Resolver, Scope};
use super::site::Site;
use crate::lex::{self, Sym, flags};
use crate::warm::Memo;

/// The macros without arguments of a tree.
pub(crate) struct Bare {
    /// Their names, as [`Sym::short`].
    names: FxHashSet<u32>,
    /// Whether the texts of functions are searched for them that may name one only beside an operator.
    everywhere: bool,
    /// Those of the names that stand in the replacement of a macro.
    inside: Memo<ItemId, Vec<Sym>>,
    /// What a name means in a file.
    meant: Memo<(Sym, u32), Vec<ItemId>>,
}

impl Resolver<'_, '_> {
    /// Follows the macros without arguments too, as far as the sieve lets them through.
    pub(crate) fn with_bare_macros(mut self) -> Self {
        let all = || {
            let macros = self.index.macro_ids().map(|it| self.index.item(it));
            let bare = macros.filter(|it| it.flags & flags::FUNCTION_LIKE == 0);
            bare.map(|it| it.name.short()).collect()
        };
        self.bare = Some(Bare {
            names: self.sieve.bare_macros().cloned().unwrap_or_else(all),
            everywhere: false,
            inside: Memo::new(),
            meant: Memo::new(),
        });
        self
    }

    /// As [`Resolver::with_bare_macros`], also where one is an operand: `CURRENT->flags`, `limit + SIZE`. The lexical
    /// reading keeps no such names, so every word is looked at, which is for questions about the graph alone.
    pub(crate) fn with_every_bare_macro(self) -> Self {
        let mut all = self.with_bare_macros();
        if let Some(bare) = &mut all.bare {
            bare.everywhere = true;
        }
        all
    }

    /// What the macros without arguments that stand in an item's text call.
    pub(super) fn bare_edges(
        &self,
        id: ItemId,
        (scope, loose): (Scope<'_>, &FxHashSet<u32>),
        out: &mut Vec<Edge>,
    ) {
        let Some(bare) = &self.bare else {
            return;
        };
        let leads = |it: u32| bare.names.contains(&it) || loose.contains(&it);
        let mut refs = self.index.refs(id).iter();
        if !bare.everywhere && !refs.any(|it| leads(it.name())) {
            return;
        }
        let item = self.index.item(id);
        let text = self.index.item_text(id);
        lex::each_word(
            text,
            (item.body - item.start) as usize,
            |start, end, member| {
                let name = Sym::of(&text[start..end]);
                if !member && leads(name.short()) {
                    let seen = RefCell::default();
                    let site = Site::new(scope, (start as u32, loose), &seen);
                    self.bare_use(name, &site, out);
                }
            },
        );
    }

    /// What the macros without arguments in the replacement of a macro call.
    pub(super) fn bare_edges_inside(&self, id: ItemId, at: &Site<'_>, out: &mut Vec<Edge>) {
        let Some(bare) = &self.bare else {
            return;
        };
        let names = bare.inside.get(id, || {
            let item = self.index.item(id);
            let text = self.index.item_text(id);
            let mut found = Vec::new();
            lex::each_word(
                text,
                (item.body - item.start) as usize,
                |start, end, member| {
                    let name = Sym::of(&text[start..end]);
                    if !member && bare.names.contains(&name.short()) && name != item.name {
                        found.push(name);
                    }
                },
            );
            found.sort_unstable();
            found.dedup();
            found
        });
        for name in names.iter() {
            self.bare_use(*name, at, out);
        }
    }

    fn bare_use(&self, name: Sym, at: &Site<'_>, out: &mut Vec<Edge>) {
        if at.scope.facts.declares(name) {
            return;
        }
        for definition in self.bare_macros_in(name, at.scope.file).iter() {
            let leads = self.deciding.passes(*definition);
            let Some(inside) = at.inside(*definition, name, leads) else {
                continue;
            };
            for call in &self.facts(*definition).calls {
                self.call_edges(call, &inside, out);
            }
            self.bare_edges_inside(*definition, &inside, out);
        }
    }

    /// The macros without arguments that a name means in a file: any word may be such a name, so only what the
    /// file includes counts.
    fn bare_macros_in(&self, name: Sym, file: usize) -> Arc<Vec<ItemId>> {
        let Some(bare) = &self.bare else {
            return Arc::default();
        };
        bare.meant.get((name, file as u32), || {
            let is_seen = |it: &ItemId| {
                self.index.file_index(*it) == file || self.include_depth(*it, file) < NOT_INCLUDED
            };
            let is_bare = |it: &ItemId| self.index.item(*it).flags & flags::FUNCTION_LIKE == 0;
            let all = self.macros_in(name, file).into_iter();
            all.filter(|it| is_bare(it) && is_seen(it)).collect()
        })
    }
}
