//! The implementations that a search is about, and who else may hand it one of their functions.

use rustc_hash::FxHashSet;

use super::domains::Domain;
use super::index::{Index, ItemId};
use crate::lex::{ItemKind, flags};

/// Some implementations of a tree.
pub(crate) struct Focused {
    domains: FxHashSet<Domain>,
    /// The items elsewhere that name one of their functions, or a macro that may stand for one.
    naming: FxHashSet<ItemId>,
    /// What chains of nobody's pass on their way into one of them.
    approaches: FxHashSet<ItemId>,
}

impl Focused {
    /// With what chains of nobody's pass on their way into one of them.
    pub(crate) fn new(
        index: &Index<'_>,
        domains: FxHashSet<Domain>,
        approaches: FxHashSet<ItemId>,
    ) -> Self {
        let mut names: Vec<u32> = Vec::new();
        for slot in index.slots_of(&domains) {
            let is_shared = index.file(slot).is_shared;
            let functions = index.items(slot).filter(|it| {
                let is_seen = is_shared || it.1.flags & flags::STATIC == 0;
                it.1.kind == ItemKind::Function && is_seen
            });
            names.extend(functions.map(|it| it.1.name.short()));
        }
        let mut seen: FxHashSet<u32> = names.iter().copied().collect();
        let mut naming = FxHashSet::default();
        while let Some(name) = names.pop() {
            for user in index.users(name) {
                let item = index.item(user);
                if item.kind == ItemKind::Macro && seen.insert(item.name.short()) {
                    names.push(item.name.short());
                }
                if !domains.contains(&index.file_of(user).domain) {
                    naming.insert(user);
                }
            }
        }
        Self {
            domains,
            naming,
            approaches,
        }
    }

    /// Whether an implementation is among them.
    pub(crate) fn holds(&self, domain: Domain) -> bool {
        self.domains.contains(&domain)
    }

    pub(crate) fn domains(&self) -> impl Iterator<Item = Domain> {
        self.domains.iter().copied()
    }

    /// Whether a function of nobody's leads into one of them.
    pub(super) fn is_approached_by(&self, function: ItemId) -> bool {
        self.approaches.contains(&function)
    }

    /// Whether an item that stores or passes functions may name one of theirs, or leads into one of them.
    pub(crate) fn may_name(&self, index: &Index<'_>, item: ItemId) -> bool {
        self.holds(index.file_of(item).domain)
            || self.naming.contains(&item)
            || self.approaches.contains(&item)
    }
}
