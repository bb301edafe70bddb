//! Functions in tables: which member of which struct is set to them, and where.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::Graph;
use crate::graph::sieve::Sieve;
use crate::graph::{ItemId, Resolver, hops};
use crate::lex::ItemKind;
use crate::tree::TreePath;

/// A function that an initialiser or an assignment puts into a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableEntry {
    /// Where it is put there.
    pub file: TreePath,
    /// The table, or the function that assigns.
    pub table: String,
    /// The struct's tag; empty where its type is not known, or where it is an array of pointers.
    pub structure: String,
    /// The member's name; empty in an array of pointers.
    pub member: String,
    /// The function's name.
    pub function: String,
    /// 1-based line in `file`.
    pub line: u32,
}

impl Graph<'_> {
    /// The table entries below a directory, sorted; an empty path is the whole tree.
    pub fn tables(&self, under: &str) -> Vec<TableEntry> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm);
        let live = self.index.live();
        let items: Vec<ItemId> = live
            .filter(|it| self.index.file(*it).path.is_under(under))
            .flat_map(|it| {
                let items = self.index.items(it);
                let may_store = |kind| matches!(kind, ItemKind::Object | ItemKind::Function);
                items
                    .filter(move |it| may_store(it.1.kind))
                    .map(|it| it.0)
                    .collect::<Vec<_>>()
            })
            .collect();
        let found: BTreeSet<TableEntry> = items
            .par_iter()
            .flat_map_iter(|it| self.tables_of(&resolver, *it))
            .collect();
        found.into_iter().collect()
    }

    fn tables_of(&self, resolver: &Resolver<'_, '_>, item: ItemId) -> Vec<TableEntry> {
        let rows = resolver.stored_functions(item);
        rows.into_iter()
            .map(|it| {
                let through = hops::spell(resolver, item, it.through);
                let (structure, member) = through
                    .split_once('.')
                    .map_or((String::new(), through.clone()), |it| {
                        (it.0.to_owned(), it.1.to_owned())
                    });
                TableEntry {
                    file: self.index.file_of(item).path.clone(),
                    table: self.index.name_of(item),
                    structure,
                    member,
                    function: resolver.compiled_name(it.function),
                    line: self.index.position(item, it.offset).0,
                }
            })
            .collect()
    }
}
