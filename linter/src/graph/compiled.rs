//! Functions that the compiler knows by another name than their text: `#define find_entry box_find_entry` in a header
//! of theirs.
//!
//! Names are joined as they stand in the texts, so that the functions of other directories which really are called so
//! remain others. Chains and findings show what stands in the text, answers about the graph what is compiled.

use super::includes::NOT_INCLUDED;
use super::index::ItemId;
use super::resolve::Resolver;
use crate::expand::Definition;
use crate::lex::Sym;

/// How the names begin that are the compiler's own.
const BUILTIN: &[u8] = b"__builtin_";

impl Resolver<'_, '_> {
    /// The macro that gives a function its name, and this name; `None` for nearly all functions.
    ///
    /// Most macros that are called as a function stand for what takes its place in another configuration. One that
    /// renames it stands for what nothing else is called, and its file or implementation has it.
    pub(super) fn renaming(&self, function: ItemId) -> Option<(ItemId, Sym)> {
        let name = self.index.item(function).name;
        let file = self.index.file_index(function);
        let definition = self.macro_in(name, file)?;
        let item = self.index.item(definition);
        let text = self.index.item_text(definition);
        let read = Definition::read(text, (item.body - item.start) as usize)?;
        let other = read.other_name()?;
        if other == b"NULL" || other.starts_with(BUILTIN) {
            return None;
        }
        let other = Sym::of(other);
        let is_taken =
            self.index.functions(other).next().is_some() || self.index.is_macro_name(other.short());
        if is_taken || self.macros_in(name, file).len() > 1 {
            return None;
        }
        // What a file includes is asked last: it is dear.
        let home = self.index.file_index(definition);
        let is_seen = if home == file {
            definition < function
        } else {
            (self.distance(definition, file) <= 1
                || self.index.file(home).domain == self.index.file(file).domain)
                && self.include_depth(definition, file) < NOT_INCLUDED
        };
        is_seen.then_some((definition, other))
    }

    /// The name by which the compiler knows a function.
    pub(crate) fn compiled_name(&self, function: ItemId) -> String {
        let renaming = self.renaming(function);
        let other = renaming.and_then(|(definition, other)| self.index.spell(definition, other));
        other.unwrap_or_else(|| self.index.name_of(function))
    }

    /// The functions that the compiler knows by a name which is not that in their text.
    pub(crate) fn functions_compiled_as(&self, name: Sym) -> Vec<ItemId> {
        let macros = self.index.macros_using(name.short()).into_iter();
        let functions = macros.flat_map(|it| self.index.functions(self.index.item(it).name));
        let mut found: Vec<ItemId> = functions
            .filter(|it| self.renaming(*it).is_some_and(|it| it.1 == name))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
