//! Macros that stand for functions where these are values: `#define PUT example_put`, and then `.cb = PUT`.

use std::sync::Arc;

use super::index::{Index, ItemId};
use super::meaning::Functions;
use super::resolve::{Resolver, named_values};
use crate::lex::{ItemKind, RefKind, Sym, flags};

/// Macros that stand for each other in a row.
const MAX_ALIASES: usize = 4;

impl Index<'_> {
    /// What a macro without arguments stands for, as [`Sym::short`], if that is one name.
    fn stands_for(&self, id: ItemId) -> Option<u32> {
        let item = self.item(id);
        if item.kind != ItemKind::Macro || item.flags & flags::FUNCTION_LIKE != 0 {
            return None;
        }
        // The name may be called where the macro is.
        let (last, rest) = self.refs(id).split_last()?;
        let is_one = rest.iter().all(|it| it.name() == last.name());
        (is_one && last.kind() == RefKind::Mention).then(|| last.name())
    }

    /// Whether a macro stands for one name.
    pub(super) fn is_alias(&self, id: ItemId) -> bool {
        self.stands_for(id).is_some()
    }

    /// Whether a name, given as [`Sym::short`], may be a function's where it is a value: its own, or that of one for
    /// which a macro stands.
    pub(super) fn may_name_function(&self, short: u32) -> bool {
        self.is_function_name(short) || self.is_alias_name(short, 0)
    }

    fn is_alias_name(&self, short: u32, depth: usize) -> bool {
        let mut meant = self.macros_of(short).filter_map(|it| self.stands_for(it));
        depth < MAX_ALIASES
            && meant.any(|it| {
                it != short && (self.is_function_name(it) || self.is_alias_name(it, depth + 1))
            })
    }
}

impl Resolver<'_, '_> {
    /// As [`Resolver::functions_in`], of a name that is a value: a macro may stand for them.
    pub(super) fn functions_valued(&self, name: Sym, file: usize) -> Arc<Functions> {
        let functions = self.functions_in(name, file);
        let is_other_arm = || {
            let home = |it: ItemId| self.index.file_index(it);
            let all = self.macros_in(name, file);
            let mut pairs = all.iter().zip(functions.first());
            pairs.any(|it| home(*it.0) == home(it.1.0))
        };
        if !self.index.is_macro_name(name.short()) || !functions.is_empty() && !is_other_arm() {
            return functions;
        }
        let (mut found, mut names) = (functions.to_vec(), vec![name]);
        for _ in 0..MAX_ALIASES {
            let macros = names.iter().flat_map(|it| self.macros_in(*it, file));
            let aliases = macros.filter(|it| self.index.is_alias(*it));
            names = aliases
                .flat_map(|it| named_values(&self.facts(it).result))
                .collect();
            let meant = names.iter().map(|it| self.functions_in(*it, file));
            found.extend(meant.flat_map(Arc::unwrap_or_clone));
        }
        found.sort_unstable();
        found.dedup();
        Arc::new(found)
    }
}
