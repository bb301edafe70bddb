//! Chains that leave one implementation for another: what is found there depends on both.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::domains::Domain;
use super::index::ItemId;
use super::resolve::Resolver;
use super::values::Entry;
use crate::finding::Confidence;
use crate::lex::{ItemKind, Sym};

/// A plain call by which a chain of one implementation comes into another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Crossing {
    pub(crate) from: Domain,
    pub(crate) to: Domain,
    /// The name of the context whose chain it is.
    pub(super) context: Sym,
    pub(super) function: ItemId,
    pub(super) entry: Entry,
    pub(super) fails: bool,
    pub(super) hops: u32,
    pub(super) confidence: Confidence,
}

/// What a chain of nobody's passes on its way into an implementation: a function, or what makes it an entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Approach {
    pub(super) into: Domain,
    pub(super) item: ItemId,
}

/// All of a tree.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Crossings {
    /// Sorted.
    calls: Vec<Crossing>,
    /// Sorted, each once.
    approaches: Vec<Approach>,
}

impl Crossings {
    pub(super) fn new(mut calls: Vec<Crossing>, mut approaches: Vec<Approach>) -> Self {
        calls.sort_unstable();
        approaches.sort_unstable();
        approaches.dedup();
        Self { calls, approaches }
    }

    /// With whoever leads into one of some implementations.
    pub(crate) fn with_callers(&self, domains: &mut FxHashSet<Domain>) {
        // What is nobody's is followed from its entry points to where it comes in, and is nobody's still.
        let known = self.calls.iter().filter(|it| it.from != Domain::PRIVATE);
        loop {
            let into = known.clone().filter(|it| domains.contains(&it.to));
            let from: Vec<Domain> = into.map(|it| it.from).collect();
            let before = domains.len();
            domains.extend(from);
            if domains.len() == before {
                return;
            }
        }
    }

    /// What chains of nobody's pass on their way into one of some implementations.
    pub(crate) fn approaches(&self, domains: &FxHashSet<Domain>) -> FxHashSet<ItemId> {
        let into = self
            .approaches
            .iter()
            .filter(|it| domains.contains(&it.into));
        into.map(|it| it.item).collect()
    }

    /// Those of a tree, from those of the one before and those that were met when some implementations were looked
    /// at; `None` where others are called than were there, or nobody calls them otherwise: what is found elsewhere may
    /// have changed as well.
    pub(crate) fn after(&self, met: &Self, domains: &FxHashSet<Domain>) -> Option<Self> {
        let own = |it: &&Crossing| domains.contains(&it.from);
        let decides = |it: &&Crossing| {
            let is_met = own(it) || it.from == Domain::PRIVATE;
            is_met && own(it) != domains.contains(&it.to)
        };
        let before = self.calls.iter().filter(decides);
        if !before.eq(met.calls.iter().filter(decides)) {
            return None;
        }
        let others = self.calls.iter().filter(|it| !own(it));
        let calls = others.chain(met.calls.iter().filter(own)).copied();
        Some(Self::new(calls.collect(), self.approaches.clone()))
    }
}

impl Resolver<'_, '_> {
    /// Whether implementations that are not `inside`, or chains of nobody's, name functions of those that are, which
    /// may lead to a sink now and did not in the tree before.
    pub(crate) fn is_newly_crossed(&self, inside: &dyn Fn(Domain) -> bool) -> bool {
        let index = self.index;
        let all = || self.sieve.added().map_or(&[][..], |it| it.0);
        let newly = self.reuse.as_ref().map_or_else(all, |it| &it.newly);
        newly.iter().any(|id| {
            let item = index.item(*id);
            let is_outside = |user: ItemId| {
                let file = index.file_index(user);
                let of = index.file(file).domain;
                let is_nobodys = || self.sieve.passes_within(user, Domain::PRIVATE);
                !inside(of)
                    && index.is_visible(*id, file)
                    && (of != Domain::GENERIC || is_nobodys())
            };
            item.kind == ItemKind::Function
                && inside(index.file_of(*id).domain)
                && index.users(item.name.short()).any(is_outside)
        })
    }
}
