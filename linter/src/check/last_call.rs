//! Whether a call that drops a reference does so on one way into its function, by what is passed.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::facts::{Callee, FunctionFacts};
use crate::graph::limits::Cut;
use crate::graph::values::Entry;
use crate::graph::{Edge, ItemId, Resolver, Target};
use crate::kernel;
use crate::lex::Sym;
use crate::syntax::idioms::{Release, Wrapper};

/// A call of `iput()`, or of another name for it, with what its function says of it.
pub(crate) struct LastCall<'a, 'i, 't> {
    resolver: &'a Resolver<'i, 't>,
    function: ItemId,
    facts: Arc<FunctionFacts>,
    release: &'a Release,
    /// What it enters; none where it is `iput()` itself.
    aliases: Vec<Alias>,
}

struct Alias {
    edge: Edge,
    function: ItemId,
    /// Where the `iput()` stands in it.
    put: u32,
    may_replace: bool,
}

impl<'a, 'i, 't> LastCall<'a, 'i, 't> {
    pub(crate) fn of(
        resolver: &'a Resolver<'i, 't>,
        wrappers: &FxHashMap<ItemId, Wrapper>,
        function: ItemId,
        release: &'a Release,
    ) -> Self {
        let alias = |edge: &Edge| {
            let Target::Function(function) = edge.target else {
                return None;
            };
            let Some(Wrapper::Alias { may_replace, .. }) = wrappers.get(&function) else {
                return None;
            };
            Some(Alias {
                edge: *edge,
                function,
                put: put_in(resolver, function)?,
                may_replace: *may_replace,
            })
        };
        let aliases = if release.callee == kernel::IPUT {
            Vec::new()
        } else {
            let edges = resolver.edges(function);
            let here = |it: &&Edge| it.offset as usize == release.offset;
            edges.iter().filter(here).filter_map(alias).collect()
        };
        Self {
            resolver,
            function,
            facts: resolver.facts(function),
            release,
            aliases,
        }
    }

    /// What keeps it from dropping anything where its function is entered in this way.
    ///
    /// An alias that decides by what it is told, as `put(inode, is_async)` does, is one for some callers only.
    pub(crate) fn cut(&self, entry: Entry) -> Option<Cut> {
        let (function, offset) = (self.function, self.release.offset as u32);
        let resolver = self.resolver;
        if resolver.is_excluded((function, offset), &self.facts, entry) {
            return Some(Cut::Excluded);
        }
        let argument = self.release.argument as u16;
        let hands_on = self.aliases.iter().all(|it| !it.may_replace);
        if hands_on && resolver.is_null(function, offset, argument, entry) {
            return Some(Cut::NoObject);
        }
        let is_cut = |it: &Alias| {
            let within = resolver.entry((function, &it.edge), &self.facts, entry);
            let facts = resolver.facts(it.function);
            resolver.is_excluded((it.function, it.put), &facts, within)
        };
        let all_cut = !self.aliases.is_empty() && self.aliases.iter().all(is_cut);
        all_cut.then_some(Cut::Excluded)
    }
}

fn put_in(resolver: &Resolver<'_, '_>, alias: ItemId) -> Option<u32> {
    let iput = Callee::Name(Sym::of(kernel::IPUT));
    let facts = resolver.facts(alias);
    let mut calls = facts.calls.iter();
    calls.find(|it| it.callee == iput).map(|it| it.offset)
}
