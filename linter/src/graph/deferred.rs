//! Functions that are stored to run later, without any of the calls that set such an item up: `item->func = name`.

use super::index::{Index, ItemId};
use super::resolve::{Edge, EdgeKind, Resolver, Scope, Target, Through};
use crate::facts::{Step, Store, TypeRef};
use crate::kernel::{self, Runner};
use crate::lex::Sym;

impl Resolver<'_, '_> {
    /// Who runs what a store puts into its member, with the member; `None` where it is called like any other.
    pub(super) fn runner_of(&self, store: &Store, scope: Scope<'_>) -> Option<(Runner, Sym)> {
        let Some(Step::Member(member)) = store.path.last() else {
            return None;
        };
        let of_member = |it: &&(Sym, Sym, Runner)| it.1 == *member;
        if !self.deferring.iter().any(|it| of_member(&it)) {
            return None;
        }
        let start = self.type_of(&store.object, scope).of;
        let (holder, _) = self.walk_path(start, false, &store.path, scope.file)?;
        let fields = self.deferring.iter().filter(of_member);
        let mut fields = fields.filter(|it| TypeRef::Tag(it.0) == holder);
        fields.next().map(|it| (it.2, *member))
    }

    /// What a function stores to run later.
    pub(super) fn deferred_edges(&self, scope: Scope<'_>, out: &mut Vec<Edge>) {
        for store in &scope.facts.stores {
            if let Some((runner, member)) = self.runner_of(store, scope) {
                let functions = self.functions_meant(&store.value, scope).into_iter();
                out.extend(functions.map(|(target, confidence)| {
                    Edge::new(
                        (Target::Function(target), confidence),
                        store.offset,
                        (EdgeKind::Deferred(runner), Through::Name(member)),
                    )
                }));
            }
        }
    }
}

/// The members that [`kernel::DEFERRED_FIELDS`] names, with the tags of their structs.
pub(super) fn fields() -> Vec<(Sym, Sym, Runner)> {
    let fields = kernel::DEFERRED_FIELDS.iter();
    fields
        .map(|it| (Sym::of(it.0), Sym::of(it.1), it.2))
        .collect()
}

/// The functions that store something to be run by `runner`, of those that `takes` takes.
pub(super) fn setters(
    index: &Index<'_>,
    runners: &[Runner],
    takes: &dyn Fn(ItemId) -> bool,
) -> Vec<ItemId> {
    let fields = kernel::DEFERRED_FIELDS.iter();
    let fields = fields.filter(|it| runners.contains(&it.2));
    let set = fields.flat_map(|it| index.functions_setting(Sym::of(it.1).short()));
    let set = set.filter(|it| takes(it.1) && index.may_name_function(it.0));
    let mut found: Vec<ItemId> = set.map(|it| it.1).collect();
    found.sort_unstable();
    found.dedup();
    found
}
