//! Chains that leave one implementation for another: what is found there depends on both.

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
    pub(super) hops: u32,
    pub(super) confidence: Confidence,
}

impl Resolver<'_, '_> {
    /// Whether implementations that are not `inside` name functions of those that are, which may lead to a sink now
    /// and did not in the tree before.
    pub(crate) fn is_newly_crossed(&self, inside: &dyn Fn(Domain) -> bool) -> bool {
        let index = self.index;
        let all = || self.sieve.added().map_or(&[][..], |it| it.0);
        let newly = self.reuse.as_ref().map_or_else(all, |it| &it.newly);
        newly.iter().any(|id| {
            let item = index.item(*id);
            let is_outside = |user: ItemId| {
                let file = index.file_index(user);
                let of = index.file(file).domain;
                of != Domain::GENERIC && !inside(of) && index.is_visible(*id, file)
            };
            item.kind == ItemKind::Function
                && inside(index.file_of(*id).domain)
                && index.users(item.name.short()).any(is_outside)
        })
    }
}
