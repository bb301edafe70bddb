//! What a context reaches: a search over functions that stays inside the implementation it entered.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::index::{Domain, Index, ItemId};
use super::sieve::Sieve;
use super::resolve::{Edge, EdgeKind, Resolver, Target, Through};
use super::typing::directory;
use crate::contexts::{Context, RootKind};
use crate::facts::{Callee, TypeRef};
use crate::finding::{Confidence, Hop, Via};
use crate::kernel;
use crate::lex::{ItemKind, RefKind, Sym};
use crate::syntax::idioms::Wrapper;

/// Chains longer than this are not looked for.
const MAX_HOPS: u32 = 24;

/// Where a search stands: the function, and the implementation that the chain is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    function: ItemId,
    domain: Domain,
    /// The file of a root outside the kernel's filesystem side; its directory may be entered.
    home: u32,
}

/// An entry point with where it is registered.
#[derive(Clone, Copy, Debug)]
struct RootAt {
    function: ItemId,
    item: ItemId,
    offset: u32,
    through: Through,
    confidence: Confidence,
    domain: Domain,
}

/// How a context reaches one function.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) confidence: Confidence,
    pub(crate) path: Vec<Hop>,
    pub(crate) root_count: u32,
}

/// What one context reaches.
pub(crate) struct Reach {
    states: FxHashMap<State, (Option<State>, Option<Edge>, u32)>,
    roots: FxHashMap<State, RootAt>,
    /// The state by which a function is reached first, with the confidence of the search that got there.
    best: FxHashMap<ItemId, (State, Confidence)>,
}

/// Searches from all roots of a context; chains of sure hops first, then of less sure ones.
pub(crate) fn explore(resolver: &Resolver<'_, '_>, context: &Context, limits: &Limits) -> Reach {
    let roots = roots(resolver, context);
    let mut reach = Reach { states: FxHashMap::default(), roots: FxHashMap::default(), best: FxHashMap::default() };
    for least in [Confidence::High, Confidence::Medium, Confidence::Low] {
        let mut wave: Vec<State> = Vec::new();
        let mut seen: FxHashMap<State, (Option<State>, Option<Edge>, u32)> = FxHashMap::default();
        for root in roots.iter().filter(|it| it.confidence >= least) {
            let state = first_state(resolver, root);
            reach.roots.entry(state).or_insert(*root);
            if seen.insert(state, (None, None, 0)).is_none() {
                wave.push(state);
            }
        }
        let mut hops = 0;
        while !wave.is_empty() && hops < context.max_hops.unwrap_or(MAX_HOPS) {
            hops += 1;
            wave.par_iter().with_min_len(4).for_each(|state| drop(resolver.edges(state.function)));
            let mut next = Vec::new();
            for state in wave {
                for edge in resolver.edges(state.function).iter().filter(|it| it.confidence >= least) {
                    if let Some(to) = step(resolver, state, edge, limits)
                        && let std::collections::hash_map::Entry::Vacant(slot) = seen.entry(to)
                    {
                        slot.insert((Some(state), Some(*edge), hops));
                        next.push(to);
                    }
                }
            }
            wave = next;
        }
        reach.keep(seen, least);
    }
    reach
}

impl Reach {
    fn keep(&mut self, seen: FxHashMap<State, (Option<State>, Option<Edge>, u32)>, confidence: Confidence) {
        let mut order: Vec<_> = seen.iter().map(|(state, it)| (it.2, *state)).collect();
        order.sort_unstable();
        for (_, state) in order {
            // A function keeps the surest, then shortest chain; its states are those of that search.
            self.best.entry(state.function).or_insert((state, confidence));
        }
        for (state, how) in seen {
            self.states.entry(state).or_insert(how);
        }
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

    /// The chain to a function, from its root.
    pub(crate) fn chain(&self, resolver: &Resolver<'_, '_>, function: ItemId) -> Option<Reached> {
        let (state, confidence) = *self.best.get(&function)?;
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
        path.extend(steps.iter().rev().map(|(from, edge, to)| hop(resolver, from.function, edge, *to)));
        Some(Reached { confidence, path, root_count: 1 })
    }
}

fn root_hop(resolver: &Resolver<'_, '_>, root: &RootAt) -> Hop {
    Hop {
        function: resolver.index.name_of(root.function),
        file: resolver.index.file_of(root.item).path.clone(),
        line: resolver.index.position(root.item, root.offset).0,
        via: Via::Root,
        through: spell(resolver, root.item, root.through),
    }
}

fn hop(resolver: &Resolver<'_, '_>, from: ItemId, edge: &Edge, to: ItemId) -> Hop {
    let via = match edge.kind {
        EdgeKind::Direct | EdgeKind::Deferred(_) => Via::Direct,
        EdgeKind::Ops => Via::Ops,
        EdgeKind::Callback => Via::Callback,
        EdgeKind::Macro => Via::Macro,
    };
    Hop {
        function: resolver.index.name_of(to),
        file: resolver.index.file_of(from).path.clone(),
        line: resolver.index.position(from, edge.offset).0,
        via,
        through: spell(resolver, from, edge.through),
    }
}

/// The text of what an edge goes through, as the sources spell it.
pub(crate) fn spell(resolver: &Resolver<'_, '_>, near: ItemId, through: Through) -> String {
    match through {
        Through::Nothing => String::new(),
        Through::Name(name) => resolver.index.spell(near, name).or_else(|| spell_defined(resolver, name)).unwrap_or_default(),
        Through::Member(of, member) => {
            let (TypeRef::Tag(tag) | TypeRef::Name(tag)) = of else {
                return resolver.index.spell(near, member).unwrap_or_default();
            };
            let mut definitions = resolver.index.types(tag);
            definitions
                .find_map(|it| Some(format!("{}.{}", resolver.index.spell(it, tag)?, resolver.index.spell(it, member)?)))
                .unwrap_or_default()
        }
    }
}

fn spell_defined(resolver: &Resolver<'_, '_>, name: Sym) -> Option<String> {
    resolver.index.functions(name).chain(resolver.index.macros(name)).find_map(|it| resolver.index.spell(it, name))
}

fn first_state(resolver: &Resolver<'_, '_>, root: &RootAt) -> State {
    let file = resolver.index.file_index(root.function);
    let source = &resolver.index.files[file];
    let home = if kernel::is_filesystem_side(source.path.as_str()) { u32::MAX } else { file as u32 };
    let domain = if source.domain == Domain::GENERIC { root.domain } else { source.domain };
    State { function: root.function, domain, home }
}

/// Where every search stops, whatever the context.
pub(crate) struct Limits {
    /// Names that are not entered.
    names: FxHashSet<Sym>,
    /// Functions that are not entered: they never drop the last reference.
    safe: FxHashSet<ItemId>,
    /// Tables that are not followed.
    doors: FxHashSet<Sym>,
}

impl Limits {
    pub(crate) fn of(wrappers: &FxHashMap<ItemId, Wrapper>) -> Self {
        let safe = wrappers.iter().filter(|it| *it.1 == Wrapper::Safe).map(|it| *it.0).collect();
        Self {
            names: kernel::NOT_ENTERED.iter().map(|it| it.0).chain(kernel::QUEUEING.iter().copied()).chain(kernel::SYSTEM_CALL_HELPERS.iter().copied()).map(Sym::of).collect(),
            safe,
            doors: kernel::FRONT_DOORS.iter().map(Sym::of).collect(),
        }
    }

    /// What may lead to `iput()` within these limits.
    pub(crate) fn sieve<'i, 't>(&self, index: &'i Index<'t>) -> Sieve<'i, 't> {
        let iput = Sym::of(kernel::IPUT);
        let stop = self.names.iter().filter(|it| **it != iput).map(|it| it.short()).collect();
        Sieve::build(index, &[iput], stop)
    }
}

fn step(resolver: &Resolver<'_, '_>, from: State, edge: &Edge, limits: &Limits) -> Option<State> {
    let Target::Function(target) = edge.target else { return None };
    if matches!(edge.kind, EdgeKind::Deferred(_)) || !resolver.sieve.passes(target) {
        return None;
    }
    let index = resolver.index;
    if limits.names.contains(&index.item(target).name) || limits.safe.contains(&target) {
        return None;
    }
    let there = index.file_of(target);
    let path = there.path.as_str();
    if there.is_foreign {
        return None;
    }
    if !there.at_home {
        return None;
    }
    let in_home = from.home != u32::MAX && directory(path).starts_with(directory(index.files[from.home as usize].path.as_str()));
    if !in_home && !kernel::is_filesystem_side(path) {
        return None;
    }
    let entered = if edge.kind == EdgeKind::Ops && there.domain == Domain::GENERIC { edge.domain } else { there.domain };
    if entered != Domain::GENERIC && from.domain != Domain::GENERIC && entered != from.domain && edge.kind != EdgeKind::Direct {
        return None;
    }
    if let Through::Member(TypeRef::Tag(tag), _) = edge.through
        && limits.doors.contains(&tag)
    {
        return None;
    }
    let domain = if entered == Domain::GENERIC { from.domain } else { entered };
    if from.home == u32::MAX && !resolver.sieve.passes_within(target, domain) {
        return None;
    }
    Some(State { function: target, domain, home: from.home })
}

/// The entry points of a context in this tree, each function once.
fn roots(resolver: &Resolver<'_, '_>, context: &Context) -> Vec<RootAt> {
    let mut found: Vec<RootAt> = Vec::new();
    for root in context.roots {
        match root.kind {
            RootKind::Member { structure, member } => {
                let (tag, name) = (TypeRef::Tag(Sym::of(structure)), Sym::of(member));
                found.extend(resolver.entries(tag, name).iter().map(|it| RootAt {
                    function: it.function,
                    item: it.item,
                    offset: it.offset,
                    through: Through::Member(tag, name),
                    confidence: it.confidence,
                    domain: if it.domain == Domain::GENERIC { Domain::PRIVATE } else { it.domain },
                }));
            }
            RootKind::Function { name, under } | RootKind::Work { name, under } => {
                let named = resolver.index.functions(Sym::of(name));
                found.extend(named.filter(|it| resolver.index.file_of(*it).path.as_str().starts_with(under)).map(|it| RootAt {
                    function: it,
                    item: it,
                    offset: resolver.index.name_offset(it),
                    through: Through::Nothing,
                    confidence: Confidence::High,
                    domain: Domain::GENERIC,
                }));
            }
            RootKind::Argument { function, index } => found.extend(passed_to(resolver, Sym::of(function), index)),
            RootKind::Deferred(runner) => found.extend(deferred_to(resolver, runner)),
        }
    }
    found.retain(|it| resolver.sieve.passes(it.function) && !resolver.index.file_of(it.item).is_foreign);
    found.sort_by_key(|it| (it.function, it.domain, std::cmp::Reverse(it.confidence), it.item, it.offset));
    found.dedup_by_key(|it| (it.function, it.domain));
    found
}

fn callers_of(resolver: &Resolver<'_, '_>, name: Sym) -> Vec<ItemId> {
    let wanted = crate::lex::Ref::new(RefKind::Call, name);
    let index = resolver.index;
    (0..index.files.len())
        .into_par_iter()
        .flat_map_iter(|file| {
            index
                .items(file)
                .filter(|(id, item)| item.kind == crate::lex::ItemKind::Function && index.refs(*id).binary_search(&wanted).is_ok())
                .map(|it| it.0)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn passed_to(resolver: &Resolver<'_, '_>, function: Sym, argument: usize) -> Vec<RootAt> {
    let mut found = Vec::new();
    for caller in callers_of(resolver, function) {
        let facts = resolver.facts(caller);
        let file = resolver.index.file_index(caller);
        for call in facts.calls.iter().filter(|it| it.callee == Callee::Name(function)) {
            let names = call.args.get(argument).map(super::resolve::named_values).unwrap_or_default();
            for name in names.into_iter().filter(|it| !facts.declares(*it)) {
                for (target, confidence) in resolver.functions_in(name, file) {
                    found.push(RootAt { function: target, item: caller, offset: call.offset, through: Through::Name(function), confidence, domain: resolver.index.file_of(caller).domain });
                }
            }
        }
    }
    found
}

fn deferred_to(resolver: &Resolver<'_, '_>, runner: kernel::Runner) -> Vec<RootAt> {
    let mut names: Vec<&str> = kernel::DEFERRALS.iter().filter(|it| it.runner == runner).map(|it| it.name).collect();
    names.dedup();
    let mut callers: Vec<ItemId> = names.iter().flat_map(|it| callers_of(resolver, Sym::of(it))).collect();
    callers.sort_unstable();
    callers.dedup();
    let mut found = Vec::new();
    for caller in callers {
        for edge in resolver.edges(caller).iter().filter(|it| it.kind == EdgeKind::Deferred(runner)) {
            if let Target::Function(target) = edge.target {
                found.push(RootAt { function: target, item: caller, offset: edge.offset, through: edge.through, confidence: edge.confidence, domain: resolver.index.file_of(caller).domain });
            }
        }
    }
    found
}
