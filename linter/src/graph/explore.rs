//! What a context reaches: a search over functions that stays inside the implementation it entered.

use std::cell::OnceCell;
use std::collections::hash_map::Entry::Vacant;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::crossings::{Approach, Crossing, Crossings};
use super::domains::Domain;
use super::hops::{hop, root_hop, start_hop, weakest};
use super::index::ItemId;
use super::limits::{Cut, Limits, cut};
use super::resolve::{Edge, EdgeKind, Resolver, Target};
use super::roots::{RootAt, roots};
use super::sieve::Sieve;
use super::values::Entry;
use crate::contexts::{Context, RootKind};
use crate::facts::FunctionFacts;
use crate::finding::{Confidence, Hop};
use crate::kernel;
use crate::lex::Sym;
use crate::turns::InTurns as _;

/// Chains longer than this are not looked for.
const MAX_HOPS: u32 = 24;
/// Ways to one function that are compared.
const MAX_WAYS: usize = 8;

/// Where a search stands: the function, and the implementation that the chain is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct State {
    pub(crate) function: ItemId,
    pub(super) domain: Domain,
    /// The file of a root outside the kernel's filesystem side; its directory may be entered.
    pub(super) home: u32,
    /// What the caller passed.
    pub(crate) entry: Entry,
    /// Whether one of the calls that led here is made only where something failed.
    pub(super) fails: bool,
}

impl State {
    /// The states of which this one is a case: who comes in with anything comes in with this as well, and where
    /// nothing has failed so far, something may fail.
    fn likelier(self) -> impl Iterator<Item = Self> {
        let any = (self.entry != Entry::ANY).then_some(Entry::ANY);
        let sound = self.fails.then_some(false);
        let with = move |entry, fails| Self {
            entry,
            fails,
            ..self
        };
        let entered = any.map(|it| with(it, self.fails)).into_iter();
        let failed = sound.map(|it| with(self.entry, it)).into_iter();
        let both = any.zip(sound).map(|it| with(it.0, it.1));
        entered.chain(failed).chain(both)
    }
}

/// How a context reaches one function.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) confidence: Confidence,
    pub(crate) path: Vec<Hop>,
    pub(crate) root_count: u32,
    /// The first function of the chain that makes its call only where something failed.
    pub(crate) failing: Option<String>,
    /// Why the chain is not sure, where it is not.
    pub(crate) weakest: Option<String>,
    /// A function that the chain enters again from below itself.
    pub(crate) again: Option<String>,
    /// The functions of the chain that call the next one, with the offset of the call.
    pub(crate) calls: Vec<(ItemId, u32)>,
    /// What its last function is entered with.
    pub(crate) entry: Entry,
}

/// What one context reaches.
#[derive(Default)]
pub(crate) struct Reach {
    /// As they were found.
    found: Vec<Found>,
    /// Where each state stands in `found`.
    places: FxHashMap<State, u32>,
    roots: FxHashMap<u32, RootAt>,
    /// The first and the last state of a function in `found`.
    functions: FxHashMap<ItemId, (u32, u32)>,
    /// Where it was left for another implementation, each once.
    crossed: Vec<Crossed>,
    known_crossed: FxHashSet<(Domain, State)>,
}

/// A step from one implementation into another one, whoever came there first.
struct Crossed {
    /// The place in `found` from where.
    from: u32,
    to: State,
    confidence: Confidence,
}

/// A state that a search came to.
struct Found {
    state: State,
    /// From which one, by the n-th edge of its function.
    from: Option<(u32, u32)>,
    hops: u32,
    /// That of the search which got there.
    confidence: Confidence,
    /// Whether hops are left that were not sure enough so far.
    has_more: bool,
    /// The next state of the same function.
    next: Option<u32>,
}

/// Searches from all roots of a context.
///
/// Sure hops come first, and roots that run nowhere else: a function keeps the first chain that is found.
/// Each further search goes on from where the ones before it stopped.
pub(crate) fn explore(resolver: &Resolver<'_, '_>, context: &Context, limits: &Limits) -> Reach {
    let roots = roots(resolver, context, limits.focus.as_ref());
    // Who gives back the lock under which it was called may sleep.
    let is_under_locks = context.roots.iter().any(|it| it.kind == RootKind::NoSleep);
    let is_entered = |it: ItemId| !is_under_locks || !super::held::gives_back(resolver, it);
    let max_hops = context.max_hops.unwrap_or(MAX_HOPS);
    let mut reach = Reach::default();
    let mut before: Option<Confidence> = None;
    for (least, shared) in [
        (Confidence::High, false),
        (Confidence::High, true),
        (Confidence::Medium, true),
        (Confidence::Low, true),
    ] {
        let searched = reach.found.len();
        for root in roots
            .iter()
            .filter(|it| it.confidence >= least && (shared || !it.is_shared))
        {
            let state = first_state(resolver, root);
            let matters = limits.is_in_focus(state)
                && (limits.focus.is_none() || limits.may_matter(resolver.sieve, state));
            if matters && let Some(place) = reach.add(state, None, 0, least) {
                reach.roots.insert(place, *root);
            }
        }
        // The hops that were sure enough before have been taken from there.
        let known = |at: usize| before.filter(|_| at < searched);
        let mut from: Vec<(u32, Option<Confidence>)> = (0..reach.found.len())
            .map(|at| (at as u32, known(at)))
            .filter(|it| {
                let has_more = reach.found[it.0 as usize].has_more;
                it.1.is_none_or(|known| known > least && has_more)
            })
            .collect();
        while !from.is_empty() {
            let steps: Vec<(Vec<(State, u32)>, bool)> = from
                .par_iter()
                .in_turns()
                .map(|(at, taken)| {
                    let found = &reach.found[*at as usize];
                    // What lies behind a crossing is another focus's.
                    if found.hops >= max_hops || !limits.is_in_focus(found.state) {
                        return (Vec::new(), false);
                    }
                    let caller = Caller::new(resolver, found.state);
                    let edges = resolver.edges(found.state.function);
                    let confidence = limits.confidence(resolver.index, found.state.function);
                    let sure = (0..).zip(edges.iter()).filter(|(_, it)| {
                        let confidence = confidence(it);
                        confidence >= least && taken.is_none_or(|taken| confidence < taken)
                    });
                    let steps = sure.filter_map(|(at, it)| Some((step(&caller, it, limits)?, at)));
                    let steps = steps.filter(|it| is_entered(it.0.function)).collect();
                    (steps, edges.iter().any(|it| confidence(it) < least))
                })
                .collect();
            let mut next = Vec::new();
            for ((at, _), (steps, has_more)) in from.into_iter().zip(steps) {
                reach.found[at as usize].has_more = has_more;
                let hops = reach.found[at as usize].hops + 1;
                for (to, edge) in steps {
                    reach.cross(at, to, least);
                    let place = reach.add(to, Some((at, edge)), hops, least);
                    next.extend(place.map(|it| (it, None)));
                }
            }
            from = next;
        }
        before = Some(least);
    }
    reach
}

impl Reach {
    /// The place of the state, if it is new.
    fn add(
        &mut self,
        state: State,
        from: Option<(u32, u32)>,
        hops: u32,
        confidence: Confidence,
    ) -> Option<u32> {
        if state.likelier().any(|it| self.places.contains_key(&it)) {
            return None;
        }
        let Vacant(slot) = self.places.entry(state) else {
            return None;
        };
        let place = self.found.len() as u32;
        slot.insert(place);
        let ends = self.functions.entry(state.function);
        let ends = ends.or_insert((place, place));
        if ends.1 != place {
            self.found[ends.1 as usize].next = Some(place);
            ends.1 = place;
        }
        self.found.push(Found {
            state,
            from,
            hops,
            confidence,
            has_more: false,
            next: None,
        });
        Some(place)
    }

    /// The states by which a function is reached, first found first.
    fn ways(&self, function: ItemId) -> impl Iterator<Item = &Found> {
        let first = self.functions.get(&function).map(|it| it.0);
        let found = |at: u32| &self.found[at as usize];
        std::iter::successors(first.map(found), move |it| it.next.map(found))
    }

    /// Remembers a step where it is one into another implementation.
    fn cross(&mut self, from: u32, to: State, confidence: Confidence) {
        let domain = self.found[from as usize].state.domain;
        if crosses(domain, to.domain) && self.known_crossed.insert((domain, to)) {
            self.crossed.push(Crossed {
                from,
                to,
                confidence,
            });
        }
    }

    /// Where chains of this context leave an implementation for another one.
    fn crossings(&self, context: &Context) -> impl Iterator<Item = Crossing> {
        let context = Sym::of(context.name);
        self.crossed.iter().map(move |it| {
            let from = &self.found[it.from as usize];
            Crossing {
                from: from.state.domain,
                to: it.to.domain,
                context,
                function: it.to.function,
                entry: it.to.entry,
                fails: it.to.fails,
                hops: from.hops + 1,
                confidence: it.confidence,
            }
        })
    }

    /// What chains of nobody's pass where they come into an implementation.
    fn approaches(&self) -> impl Iterator<Item = Approach> {
        let of_place = |at: &u32| self.found[*at as usize].from.map(|it| it.0);
        let is_nobodys = |it: &&Crossed| {
            let from = self.found[it.from as usize].state;
            from.domain == Domain::PRIVATE
        };
        let nobodys = self.crossed.iter().filter(is_nobodys);
        nobodys.flat_map(move |it| {
            let places = std::iter::successors(Some(it.from), of_place);
            let items = places.flat_map(|at| {
                let root = self.roots.get(&at).map(|it| it.item);
                std::iter::once(self.found[at as usize].state.function).chain(root)
            });
            items.map(|item| Approach {
                into: it.to.domain,
                item,
            })
        })
    }

    /// Whether the context reaches a function.
    pub(crate) fn reaches(&self, function: ItemId) -> bool {
        self.functions.contains_key(&function)
    }

    /// All functions that are reached, in order.
    pub(crate) fn functions(&self) -> Vec<ItemId> {
        let mut all: Vec<ItemId> = self.functions.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Those of them that may lead to a sink from where the search met them, some more than once.
    pub(crate) fn functions_that_matter<'r>(
        &'r self,
        limits: &'r Limits,
        sieve: &'r Sieve<'_, '_>,
    ) -> impl Iterator<Item = ItemId> + 'r {
        let states = self.found.iter().map(|it| it.state);
        states
            .filter(move |it| sieve.passes(it.function) && limits.may_matter(sieve, *it))
            .map(|it| it.function)
    }

    /// The chain to a function, from its root, among those whose entry is `wanted`.
    ///
    /// Of the surest ways it is the first, if possible one without a call that only a failure makes, and that enters no
    /// function twice.
    pub(crate) fn chain(
        &self,
        resolver: &Resolver<'_, '_>,
        function: ItemId,
        wanted: &dyn Fn(Entry) -> bool,
    ) -> Option<Reached> {
        let mut ways = self
            .ways(function)
            .filter(|it| wanted(it.state.entry))
            .peekable();
        let surest = ways.peek()?.confidence;
        let as_sure = ways.filter(|it| it.confidence >= surest);
        let (failing, others): (Vec<_>, Vec<_>) = as_sure.partition(|it| it.state.fails);
        let mut chains = others
            .into_iter()
            .chain(failing)
            .take(MAX_WAYS)
            .filter_map(|it| self.chain_of(resolver, it));
        let doubts = |it: &Reached| (it.again.is_some(), it.failing.is_some());
        // The first of those that are equal.
        let mut best = chains.next()?;
        while doubts(&best) != (false, false)
            && let Some(it) = chains.next()
        {
            if doubts(&it) < doubts(&best) {
                best = it;
            }
        }
        Some(best)
    }

    fn chain_of(&self, resolver: &Resolver<'_, '_>, way: &Found) -> Option<Reached> {
        let mut steps: Vec<(ItemId, Edge, ItemId)> = Vec::new();
        let mut at = way;
        while let Some((from, edge)) = at.from {
            let to = at.state.function;
            at = &self.found[from as usize];
            let edges = resolver.edges(at.state.function);
            steps.push((at.state.function, edges[edge as usize], to));
            if steps.len() > MAX_HOPS as usize {
                return None;
            }
        }
        steps.reverse();
        let root = self.roots.get(self.places.get(&at.state)?)?;
        let mut path = vec![root_hop(resolver, root)];
        let hops = steps.iter();
        path.extend(hops.map(|(from, edge, to)| hop(resolver, *from, edge, *to)));
        let failing = steps.iter().find(|it| it.1.fails);
        let enters_again = |at: usize| steps[..=at].iter().any(|it| it.0 == steps[at].2);
        let again = (0..steps.len()).find(|at| enters_again(*at));
        let again = again.map(|at| resolver.index.name_of(steps[at].2));
        let edges: Vec<Edge> = steps.iter().map(|it| it.1).collect();
        Some(Reached {
            confidence: way.confidence,
            weakest: weakest(&path, root, &edges),
            path,
            root_count: 1,
            failing: failing.map(|it| resolver.index.name_of(it.0)),
            again,
            calls: steps.iter().map(|it| (it.0, it.1.offset)).collect(),
            entry: way.state.entry,
        })
    }
}

/// Where chains come from one implementation into another one.
pub(crate) fn crossings<'r>(reaches: impl Iterator<Item = (&'r Context, &'r Reach)>) -> Crossings {
    let (mut calls, mut approaches) = (Vec::new(), Vec::new());
    for (context, reach) in reaches {
        calls.extend(reach.crossings(context));
        approaches.extend(reach.approaches());
    }
    Crossings::new(calls, approaches)
}

/// Where the search of a context starts.
pub(crate) fn first_states(resolver: &Resolver<'_, '_>, context: &Context) -> Vec<State> {
    roots(resolver, context, None)
        .iter()
        .map(|it| first_state(resolver, it))
        .collect()
}

/// The hop of the root that a search started at.
pub(crate) fn root_hop_of(resolver: &Resolver<'_, '_>, context: &Context, state: State) -> Hop {
    let all = roots(resolver, context, None);
    all.iter()
        .find(|it| first_state(resolver, it) == state)
        .map_or_else(
            || start_hop(resolver, state.function),
            |it| root_hop(resolver, it),
        )
}

fn first_state(resolver: &Resolver<'_, '_>, root: &RootAt) -> State {
    let file = resolver.index.file_index(root.function);
    let source = resolver.index.file(file);
    let home = if kernel::is_filesystem_side(source.path.as_str()) {
        u32::MAX
    } else {
        file as u32
    };
    let domain = if source.domain == Domain::GENERIC {
        root.domain
    } else {
        source.domain
    };
    State {
        function: root.function,
        domain,
        home,
        entry: root.entry,
        fails: false,
    }
}

/// A state that is left, with what its function says.
pub(super) struct Caller<'r, 'i, 't> {
    pub(super) resolver: &'r Resolver<'i, 't>,
    pub(super) state: State,
    facts: OnceCell<Arc<FunctionFacts>>,
}

impl<'r, 'i, 't> Caller<'r, 'i, 't> {
    fn new(resolver: &'r Resolver<'i, 't>, state: State) -> Self {
        Self {
            resolver,
            state,
            facts: OnceCell::new(),
        }
    }

    pub(super) fn facts(&self) -> &FunctionFacts {
        self.facts
            .get_or_init(|| self.resolver.facts(self.state.function))
    }
}

fn step(from: &Caller<'_, '_, '_>, edge: &Edge, limits: &Limits) -> Option<State> {
    let (state, cut) = target_of(from, edge, limits)?;
    // A crossing is one whatever else leads on from there.
    let is_taken = cut.is_none()
        && (crosses(from.state.domain, state.domain)
            || limits.is_in_focus(state) && limits.may_matter(from.resolver.sieve, state));
    is_taken.then(|| entered(from, edge, state))
}

/// Whether a step from one implementation comes into another one.
fn crosses(from: Domain, to: Domain) -> bool {
    from != to && from != Domain::GENERIC && to != Domain::GENERIC
}

/// Where an edge leads, and what keeps the search from following it; `None` where it leads nowhere in sight.
pub(crate) fn step_over(
    resolver: &Resolver<'_, '_>,
    from: State,
    edge: &Edge,
    limits: &Limits,
) -> Option<(State, Option<Cut>)> {
    let from = Caller::new(resolver, from);
    let (state, cut) = target_of(&from, edge, limits)?;
    let state = if cut.is_none() {
        entered(&from, edge, state)
    } else {
        state
    };
    Some((state, cut))
}

/// The state with what the caller passes.
fn entered(from: &Caller<'_, '_, '_>, edge: &Edge, to: State) -> State {
    if !edge.may_tell() {
        return to;
    }
    let known = edge.enters.filter(|_| {
        let is_any = from.state.entry == Entry::ANY;
        is_any && (from.resolver).is_steady(from.state.function, to.function)
    });
    if let Some(entry) = known {
        return State { entry, ..to };
    }
    let call = (from.state.function, edge);
    let entry = (from.resolver).entry(call, from.facts(), from.state.entry);
    State { entry, ..to }
}

/// As [`step_over`], with nothing known of what the caller passes.
fn target_of(
    from: &Caller<'_, '_, '_>,
    edge: &Edge,
    limits: &Limits,
) -> Option<(State, Option<Cut>)> {
    let resolver = from.resolver;
    let Target::Function(target) = edge.target else {
        return None;
    };
    if !resolver.sieve.passes(target) {
        return None;
    }
    let index = resolver.index;
    let there = index.file_of(target);
    let entered = if edge.kind == EdgeKind::Ops && there.domain == Domain::GENERIC {
        edge.domain
    } else {
        there.domain
    };
    let domain = if entered == Domain::GENERIC {
        from.state.domain
    } else {
        entered
    };
    let state = State {
        function: target,
        domain,
        home: from.state.home,
        entry: Entry::ANY,
        fails: from.state.fails || edge.fails,
    };
    Some((state, cut(from, edge, (target, entered), limits)))
}
