//! What a context reaches: a search over functions that stays inside the implementation it entered.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::hops::{hop, root_hop, start_hop};
use super::index::{Index, ItemId};
use super::resolve::{Edge, EdgeKind, Resolver, Target, Through};
use super::roots::{RootAt, roots};
use super::sieve::{Closures, Sieve};
use super::typing::directory;
use super::values::Entry;
use crate::contexts::{Context, RootKind};
use crate::facts::TypeRef;
use crate::finding::{Confidence, Hop};
use crate::kernel;
use crate::lex::Sym;
use crate::syntax::idioms::Wrapper;

/// Chains longer than this are not looked for.
const MAX_HOPS: u32 = 24;

/// Where a search stands: the function, and the implementation that the chain is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct State {
    pub(crate) function: ItemId,
    domain: Domain,
    /// The file of a root outside the kernel's filesystem side; its directory may be entered.
    home: u32,
    /// What the caller passed.
    pub(crate) entry: Entry,
}

/// How a context reaches one function.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) confidence: Confidence,
    pub(crate) path: Vec<Hop>,
    pub(crate) root_count: u32,
    /// The first function of the chain that makes its call only where something failed.
    pub(crate) failing: Option<String>,
    /// What its function is entered with.
    pub(crate) entry: Entry,
}

/// What one context reaches.
pub(crate) struct Reach {
    states: FxHashMap<State, (Option<State>, Option<Edge>, u32)>,
    roots: FxHashMap<State, RootAt>,
    /// The states by which a function is reached, first found first, with the confidence of the search that got there.
    best: FxHashMap<ItemId, Vec<(State, Confidence)>>,
    /// All states, as they were found.
    order: Vec<State>,
}

/// Searches from all roots of a context.
///
/// Sure hops come first, and roots that run nowhere else: a function keeps the first chain that is found.
/// Each further search goes on from where the ones before it stopped.
pub(crate) fn explore(resolver: &Resolver<'_, '_>, context: &Context, limits: &Limits) -> Reach {
    let roots = roots(resolver, context);
    // Who gives back the lock under which it was called may sleep.
    let is_under_locks = context.roots.iter().any(|it| it.kind == RootKind::NoSleep);
    let is_entered = |it: ItemId| !is_under_locks || !super::held::gives_back(resolver, it);
    let max_hops = context.max_hops.unwrap_or(MAX_HOPS);
    let mut reach = Reach {
        states: FxHashMap::default(),
        roots: FxHashMap::default(),
        best: FxHashMap::default(),
        order: Vec::new(),
    };
    let mut before: Option<Confidence> = None;
    for (least, shared) in [
        (Confidence::High, false),
        (Confidence::High, true),
        (Confidence::Medium, true),
        (Confidence::Low, true),
    ] {
        let searched = reach.order.len();
        for root in roots
            .iter()
            .filter(|it| it.confidence >= least && (shared || !it.is_shared))
        {
            let state = first_state(resolver, root);
            let matters = limits.is_in_focus(state.domain)
                && (limits.focus.is_none() || limits.may_matter(resolver.sieve, state));
            if matters && reach.add(state, None, 0, least) {
                reach.roots.insert(state, *root);
            }
        }
        // The hops that were sure enough before have been taken from there.
        let known = |at: usize| before.filter(|_| at < searched);
        let states = reach.order.iter().copied().enumerate();
        let mut from: Vec<(State, Option<Confidence>)> = states
            .map(|(at, it)| (it, known(at)))
            .filter(|it| it.1.is_none_or(|it| it > least))
            .collect();
        while !from.is_empty() {
            let steps: Vec<Vec<(State, Edge)>> = from
                .par_iter()
                .map(|(state, taken)| {
                    if reach.states[state].2 >= max_hops {
                        return Vec::new();
                    }
                    let edges = resolver.edges(state.function);
                    let sure = edges.iter().filter(|it| {
                        let confidence = limits.confidence(resolver.index, state.function, it);
                        confidence >= least && taken.is_none_or(|taken| confidence < taken)
                    });
                    let steps =
                        sure.filter_map(|it| Some((step(resolver, *state, it, limits)?, *it)));
                    steps.filter(|it| is_entered(it.0.function)).collect()
                })
                .collect();
            let mut next = Vec::new();
            for ((state, _), steps) in from.into_iter().zip(steps) {
                let hops = reach.states[&state].2 + 1;
                for (to, edge) in steps {
                    if reach.add(to, Some((state, edge)), hops, least) {
                        next.push((to, None));
                    }
                }
            }
            from = next;
        }
        before = Some(least);
    }
    reach
}

impl Reach {
    /// Whether the state is new.
    fn add(
        &mut self,
        state: State,
        from: Option<(State, Edge)>,
        hops: u32,
        confidence: Confidence,
    ) -> bool {
        // Who comes in with anything comes in with this as well.
        let any = State {
            entry: Entry::ANY,
            ..state
        };
        if state.entry != Entry::ANY && self.states.contains_key(&any) {
            return false;
        }
        let std::collections::hash_map::Entry::Vacant(slot) = self.states.entry(state) else {
            return false;
        };
        slot.insert((from.map(|it| it.0), from.map(|it| it.1), hops));
        self.best
            .entry(state.function)
            .or_default()
            .push((state, confidence));
        self.order.push(state);
        true
    }

    /// Whether the context reaches a function.
    pub(crate) fn reaches(&self, function: ItemId) -> bool {
        self.best.contains_key(&function)
    }

    /// All functions that are reached, in order.
    pub(crate) fn functions(&self) -> Vec<ItemId> {
        let mut all: Vec<ItemId> = self.best.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Those of them that may lead to a sink from where the search met them, in no order.
    pub(crate) fn functions_that_matter<'r>(
        &'r self,
        limits: &'r Limits,
        sieve: &'r Sieve<'_, '_>,
    ) -> impl Iterator<Item = ItemId> + 'r {
        let matters = |it: &(State, Confidence)| {
            sieve.passes(it.0.function) && limits.may_matter(sieve, it.0)
        };
        let all = self.best.iter();
        all.filter(move |it| it.1.iter().any(matters))
            .map(|it| *it.0)
    }

    /// The chain to a function, from its root, among those whose entry is `wanted`.
    pub(crate) fn chain(
        &self,
        resolver: &Resolver<'_, '_>,
        function: ItemId,
        wanted: &dyn Fn(Entry) -> bool,
    ) -> Option<Reached> {
        let mut ways = self.best.get(&function)?.iter();
        let (state, confidence) = *ways.find(|it| wanted(it.0.entry))?;
        let mut steps = Vec::new();
        let mut at = state;
        while let Some((Some(from), Some(edge), _)) = self.states.get(&at).copied() {
            steps.push((from, edge, at.function));
            at = from;
            if steps.len() > MAX_HOPS as usize {
                return None;
            }
        }
        let root = self.roots.get(&at)?;
        let mut path = vec![root_hop(resolver, root)];
        path.extend(
            steps
                .iter()
                .rev()
                .map(|(from, edge, to)| hop(resolver, from.function, edge, *to)),
        );
        let mut failing = steps.iter().rev().filter(|(from, edge, _)| {
            let facts = resolver.facts(from.function);
            facts
                .conditions
                .site(edge.offset)
                .is_some_and(|it| it.on_failure)
        });
        let failing = failing
            .next()
            .map(|it| resolver.index.name_of(it.0.function));
        Some(Reached {
            confidence,
            path,
            root_count: 1,
            failing,
            entry: state.entry,
        })
    }
}

/// Where the search of a context starts.
pub(crate) fn first_states(resolver: &Resolver<'_, '_>, context: &Context) -> Vec<State> {
    roots(resolver, context)
        .iter()
        .map(|it| first_state(resolver, it))
        .collect()
}

/// The hop of the root that a search started at.
pub(crate) fn root_hop_of(resolver: &Resolver<'_, '_>, context: &Context, state: State) -> Hop {
    let all = roots(resolver, context);
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
    }
}

/// Where every search stops, whatever the context.
pub(crate) struct Limits {
    /// Names that are not entered.
    names: FxHashSet<Sym>,
    /// Functions that are not entered: they never drop the last reference.
    safe: FxHashSet<ItemId>,
    /// Tables that are not followed.
    doors: FxHashSet<Sym>,
    /// Calls that are taken only where there is no better way.
    vain: FxHashSet<(Sym, Sym)>,
    /// The implementations that matter, besides generic code; `None` for all.
    focus: Option<FxHashSet<Domain>>,
}

impl Limits {
    pub(crate) fn of(
        wrappers: &FxHashMap<ItemId, Wrapper>,
        focus: Option<FxHashSet<Domain>>,
    ) -> Self {
        let safe = wrappers
            .iter()
            .filter(|it| *it.1 == Wrapper::Safe)
            .map(|it| *it.0)
            .collect();
        Self {
            names: kernel::NOT_ENTERED
                .iter()
                .map(|it| it.0)
                .chain(kernel::QUEUEING.iter().copied())
                .chain(kernel::SYSTEM_CALL_HELPERS.iter().copied())
                .map(Sym::of)
                .collect(),
            safe,
            doors: kernel::FRONT_DOORS.iter().map(Sym::of).collect(),
            vain: kernel::VAIN_CALLS
                .iter()
                .map(|it| (Sym::of(it.0), Sym::of(it.1)))
                .collect(),
            focus,
        }
    }

    /// How sure a hop is.
    fn confidence(&self, index: &Index<'_>, from: ItemId, edge: &Edge) -> Confidence {
        let is_vain = match edge.target {
            Target::Function(to) if edge.kind == EdgeKind::Direct => {
                let pair = (index.item(from).name, index.item(to).name);
                self.vain.contains(&pair)
            }
            _ => false,
        };
        if is_vain {
            edge.confidence.min(Confidence::Medium)
        } else {
            edge.confidence
        }
    }

    fn is_in_focus(&self, domain: Domain) -> bool {
        self.focus
            .as_ref()
            .is_none_or(|it| domain == Domain::GENERIC || it.contains(&domain))
    }

    /// Whether a state may lead to a sink; where only some implementations matter, through one of them.
    fn may_matter(&self, sieve: &Sieve<'_, '_>, state: State) -> bool {
        if state.home != u32::MAX {
            return true;
        }
        match &self.focus {
            Some(focus) if state.domain == Domain::GENERIC => focus
                .iter()
                .any(|it| sieve.passes_within(state.function, *it)),
            _ => sieve.passes_within(state.function, state.domain),
        }
    }

    /// What may lead to `iput()` within these limits.
    pub(crate) fn sieve<'i, 't>(
        &self,
        index: &'i Index<'t>,
        before: Option<Arc<Closures>>,
    ) -> Sieve<'i, 't> {
        let iput = Sym::of(kernel::IPUT);
        let stop = self
            .names
            .iter()
            .filter(|it| **it != iput)
            .map(|it| it.short())
            .collect();
        Sieve::build(index, &[iput], stop, before)
    }
}

/// Why the search does not take a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The callee runs later, elsewhere.
    Deferred,
    /// The callee's name is among those that are never entered, with the reason.
    NotEntered(&'static str),
    /// The callee hands the last reference to a worker.
    SafeWrapper,
    /// The table by which system calls enter a filesystem.
    FrontDoor,
    /// The callee belongs to another implementation than the chain.
    OtherImplementation,
    /// The callee is machinery below the filesystems: allocator, scheduler, block layer, drivers.
    Machinery,
    /// The callee belongs to another program, such as one under tools.
    OtherProgram,
    /// What the callers pass or have tested excludes the branch.
    Excluded,
    /// What would be dropped is nothing, by what the callers pass or have tested.
    NoObject,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deferred => "runs later, elsewhere",
            Self::NotEntered(reason) => reason,
            Self::SafeWrapper => "hands the last reference to a worker",
            Self::FrontDoor => "the table by which system calls enter a filesystem",
            Self::OtherImplementation => "belongs to another implementation than the chain",
            Self::Machinery => "machinery below the filesystems is not entered",
            Self::OtherProgram => "belongs to another program",
            Self::Excluded => "what the callers pass excludes this branch",
            Self::NoObject => "there is nothing to drop, by what the callers pass",
        })
    }
}

fn step(resolver: &Resolver<'_, '_>, from: State, edge: &Edge, limits: &Limits) -> Option<State> {
    let (state, cut) = target_of(resolver, from, edge, limits)?;
    let is_taken = cut.is_none()
        && limits.is_in_focus(state.domain)
        && limits.may_matter(resolver.sieve, state);
    is_taken.then(|| entered(resolver, from, edge, state))
}

/// Where an edge leads, and what keeps the search from following it; `None` where it leads nowhere in sight.
pub(crate) fn step_over(
    resolver: &Resolver<'_, '_>,
    from: State,
    edge: &Edge,
    limits: &Limits,
) -> Option<(State, Option<Cut>)> {
    let (state, cut) = target_of(resolver, from, edge, limits)?;
    let state = if cut.is_none() {
        entered(resolver, from, edge, state)
    } else {
        state
    };
    Some((state, cut))
}

/// The state with what the caller passes.
fn entered(resolver: &Resolver<'_, '_>, from: State, edge: &Edge, to: State) -> State {
    if !matches!(edge.kind, EdgeKind::Direct | EdgeKind::Ops) {
        return to;
    }
    let entry = resolver.entry(from.function, edge.offset, to.function, from.entry);
    State { entry, ..to }
}

/// As [`step_over`], with nothing known of what the caller passes.
fn target_of(
    resolver: &Resolver<'_, '_>,
    from: State,
    edge: &Edge,
    limits: &Limits,
) -> Option<(State, Option<Cut>)> {
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
        from.domain
    } else {
        entered
    };
    let state = State {
        function: target,
        domain,
        home: from.home,
        entry: Entry::ANY,
    };
    Some((state, cut(resolver, from, edge, (target, entered), limits)))
}

fn cut(
    resolver: &Resolver<'_, '_>,
    from: State,
    edge: &Edge,
    (target, entered): (ItemId, Domain),
    limits: &Limits,
) -> Option<Cut> {
    let index = resolver.index;
    if matches!(edge.kind, EdgeKind::Deferred(_)) {
        return Some(Cut::Deferred);
    }
    let name = index.item(target).name;
    if limits.names.contains(&name) {
        return Some(Cut::NotEntered(not_entered_because(name)));
    }
    if limits.safe.contains(&target) {
        return Some(Cut::SafeWrapper);
    }
    if resolver.is_excluded(from.function, edge.offset, from.entry) {
        return Some(Cut::Excluded);
    }
    let there = index.file_of(target);
    if there.is_foreign {
        return Some(Cut::OtherProgram);
    }
    let path = there.path.as_str();
    let in_home = from.home != u32::MAX
        && directory(path).starts_with(directory(index.file(from.home as usize).path.as_str()));
    if !there.at_home || (!in_home && !kernel::is_filesystem_side(path)) {
        return Some(Cut::Machinery);
    }
    if entered != Domain::GENERIC
        && from.domain != Domain::GENERIC
        && entered != from.domain
        && edge.kind != EdgeKind::Direct
    {
        return Some(Cut::OtherImplementation);
    }
    match edge.through {
        Through::Member(TypeRef::Tag(tag), _) if limits.doors.contains(&tag) => {
            Some(Cut::FrontDoor)
        }
        _ => None,
    }
}

fn not_entered_because(name: Sym) -> &'static str {
    if let Some(it) = kernel::NOT_ENTERED.iter().find(|it| Sym::of(it.0) == name) {
        return it.1;
    }
    if kernel::QUEUEING.iter().any(|it| Sym::of(it) == name) {
        "only queues: what it queues runs elsewhere"
    } else {
        "enters the VFS as a system call does"
    }
}
