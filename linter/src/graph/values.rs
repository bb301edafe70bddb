//! What callers pass decides which branches run: constants, and what the caller has just tested.
//!
//! A function is entered with what is known of its parameters. Its guards are weighed against that, in three values:
//! only a guard that certainly fails excludes a call. What nobody stores in between is taken to stay as it was tested,
//! although another task could change it.

use std::cell::OnceCell;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Target};
use super::weigh::{Flag, Weigh, flag_in};
use crate::facts::{Callee, Conditions, FunctionFacts, Site, Value};
use crate::kernel;
use crate::lex::Sym;

/// Parameters are followed through this many functions that only pass them on.
pub(super) const MAX_PASSES: u32 = 3;
/// More than this about one call is not kept.
const MAX_KNOWN: usize = 6;

/// What is known of the parameters of a function on one way into it: the hash of that knowledge, 0 for nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Entry(u64);

impl Entry {
    /// Nothing is known.
    pub(crate) const ANY: Self = Self(0);
}

/// A value of a parameter, or of something inside what it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(super) param: u16,
    pub(super) members: Vec<Sym>,
    pub(super) value: Fact,
    /// Whoever gets the object may change it: it is one on a caller's stack, and this its initial value.
    pub(super) is_initial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Fact {
    Number(i64),
    Constant(Sym),
    NotZero,
}

impl Resolver<'_, '_> {
    /// Whether what is known at the entry, or a constant alone, excludes the call at `offset` of a function.
    pub(crate) fn is_excluded(
        &self,
        (function, offset): (ItemId, u32),
        facts: &FunctionFacts,
        entry: Entry,
    ) -> bool {
        let conditions = &facts.conditions;
        let Some(site) = conditions.site(offset) else {
            return false;
        };
        if entry == Entry::ANY && !conditions.hangs_on_constant(site) {
            return false;
        }
        let known = self.known_at(function, offset, entry);
        let weigh = self.weigh(function, &facts.conditions, &known);
        weigh.fails(&site.guards)
    }

    /// Whether the call's argument is certainly `NULL`.
    pub(crate) fn is_null(
        &self,
        function: ItemId,
        offset: u32,
        argument: u16,
        entry: Entry,
    ) -> bool {
        let facts = self.facts(function);
        let Some(site) = facts.conditions.site(offset) else {
            return false;
        };
        let given = site.args.iter().find(|it| it.0 == argument);
        given.is_some_and(|it| {
            let known = self.known_at(function, offset, entry);
            let weigh = self.weigh(function, &facts.conditions, &known);
            let tested = weigh.tested(site);
            weigh.with(&tested).value(&it.1, offset) == Some(Fact::Number(0))
        })
    }

    /// The test of a member without which the call at `offset` of a function does not run, unless the entry says
    /// that it holds.
    ///
    /// Whoever set the member, mostly where the object was made, decides; a chain of calls says nothing of that.
    pub(crate) fn flag_of(&self, function: ItemId, offset: u32, entry: Entry) -> Option<Flag> {
        let facts = self.facts(function);
        let site = facts.conditions.site(offset)?;
        let known = self.known_at(function, offset, entry);
        let weigh = self.weigh(function, &facts.conditions, &known);
        let guards = site.guards.iter();
        guards
            .map(|it| &facts.conditions.guards[*it as usize])
            .filter(|it| weigh.truth(&it.test, it.offset) != Some(it.holds))
            .find_map(|it| flag_in(&it.test, it.holds))
    }

    /// What is known of the callee's parameters when this edge enters it.
    pub(crate) fn entry(
        &self,
        (caller, edge): (ItemId, &Edge),
        facts: &FunctionFacts,
        entry: Entry,
    ) -> Entry {
        let site = facts.conditions.site(edge.offset);
        let site = site.filter(|it| edge.may_tell() && it.tells());
        let (Some(site), Target::Function(callee)) = (site, edge.target) else {
            return Entry::ANY;
        };
        let key = (caller, edge.offset, callee, entry);
        self.entries_of.get(key, || {
            let handed = self.handed(caller, site, edge);
            let site = handed.as_ref().unwrap_or(site);
            self.entry_of((caller, facts), site, callee, entry)
        })
    }

    fn entry_of(
        &self,
        (caller, facts): (ItemId, &FunctionFacts),
        site: &Site,
        callee: ItemId,
        entry: Entry,
    ) -> Entry {
        let offset = site.offset;
        let known = self.known_at(caller, offset, entry);
        let weigh = self.weigh(caller, &facts.conditions, &known);
        let tested = weigh.tested(site);
        let weigh = weigh.with(&tested);
        let mut found = self.inside(caller, callee, site);
        for (index, value) in &site.args {
            if !may_be_known(value, weigh.known)
                || !(self.decides(callee, *index, 0) || self.decides_by_ops(callee, *index))
            {
                continue;
            }
            if let Value::Place(param, members) = value {
                let inside = weigh.known.iter().filter(|it| {
                    it.param == *param
                        && it.members.len() > members.len()
                        && it.members.starts_with(members)
                });
                found.extend(inside.map(|it| Known {
                    param: *index,
                    members: it.members[members.len()..].to_vec(),
                    ..it.clone()
                }));
            }
            if let Some(value) = weigh.value(value, offset) {
                found.push(Known {
                    param: *index,
                    members: Vec::new(),
                    value,
                    is_initial: false,
                });
            }
        }
        self.keep(found)
    }

    pub(super) fn keep(&self, mut known: Vec<Known>) -> Entry {
        known.sort();
        known.dedup();
        known.truncate(MAX_KNOWN);
        if known.is_empty() {
            return Entry::ANY;
        }
        let key = Entry(FxBuildHasher.hash_one(&known) | 1);
        self.entered.get(key, || known);
        key
    }

    /// What is known at an entry.
    pub(super) fn knowledge(&self, entry: Entry) -> Arc<Vec<Known>> {
        let before = || self.reuse.as_ref()?.entered(entry);
        let known = self.entered.known(entry).or_else(before);
        known.unwrap_or_default()
    }

    /// The edges with what they enter their callees with, as far as somebody asked.
    pub(super) fn with_entries(&self, caller: ItemId, edges: Arc<Vec<Edge>>) -> Arc<Vec<Edge>> {
        let facts = OnceCell::new();
        let entered = |edge: &Edge| {
            let (Target::Function(callee), true) = (edge.target, edge.may_tell()) else {
                return None;
            };
            if self.asked_ops.known(callee).is_some() {
                // What stands in tables may change where neither function does.
                return None;
            }
            let known = edge.enters.filter(|_| self.is_steady(caller, callee));
            let facts = || facts.get_or_init(|| self.facts(caller));
            known.or_else(|| match facts().conditions.site(edge.offset) {
                Some(site) if site.tells() => {
                    let key = (caller, edge.offset, callee, Entry::ANY);
                    self.entries_of.known(key)
                }
                _ => Some(Entry::ANY),
            })
        };
        let entries: Vec<Option<Entry>> = edges.iter().map(entered).collect();
        if edges.iter().map(|it| it.enters).eq(entries.iter().copied()) {
            return edges;
        }
        let mut edges = Arc::unwrap_or_clone(edges);
        let both = edges.iter_mut().zip(entries);
        both.for_each(|(edge, entry)| edge.enters = entry);
        Arc::new(edges)
    }

    /// Whether what a call was known to enter its callee with is as it was in the tree before.
    pub(super) fn is_steady(&self, caller: ItemId, callee: ItemId) -> bool {
        let reuse = self.reuse.as_ref();
        reuse.is_none_or(|it| it.is_steady(caller) && it.is_steady(callee))
    }

    /// What is known at a call of what was known at the function's entry.
    fn known_at(&self, function: ItemId, offset: u32, entry: Entry) -> Arc<Vec<Known>> {
        let known = self.knowledge(entry);
        if known.iter().all(|it| !it.is_initial) {
            return known;
        }
        let kept = known
            .iter()
            .filter(|it| !it.is_initial || !self.is_changed(function, it, offset));
        Arc::new(kept.cloned().collect())
    }

    fn weigh<'a>(
        &'a self,
        function: ItemId,
        conditions: &'a Conditions,
        known: &'a [Known],
    ) -> Weigh<'a> {
        self.weigh_at((function, 0), conditions, known)
    }

    /// As [`Self::weigh`], so many calls of predicates below a guard.
    pub(super) fn weigh_at<'a>(
        &'a self,
        (function, depth): (ItemId, u32),
        conditions: &'a Conditions,
        known: &'a [Known],
    ) -> Weigh<'a> {
        let file = self.index.file_index(function);
        Weigh {
            meaning: Box::new(super::results::Here {
                resolver: self,
                file,
                depth,
            }),
            conditions,
            known,
            is_of_entry: true,
        }
    }

    /// Whether a parameter decides about a call in the function, or in one that it is passed on to.
    fn decides(&self, function: ItemId, param: u16, depth: u32) -> bool {
        // What drops an inode decides whether there is one.
        let leads_on = || {
            self.deciding.passes(function)
                || self.index.item(function).name == Sym::of(kernel::IPUT)
        };
        if depth > MAX_PASSES || !leads_on() {
            return false;
        }
        self.decides.get((function, param, depth), || {
            let reuse = self.reuse.as_ref().filter(|_| depth == 0);
            if let Some(known) = reuse.and_then(|it| it.decides(function, param)) {
                return known;
            }
            let facts = self.facts(function);
            let told = facts.conditions.told();
            told.guarding.binary_search(&param).is_ok()
                || (told.asked.iter())
                    .any(|it| it.0 == param && self.is_asked(function, (it.1, it.2)))
                || told.passed_on.iter().any(|(passed, offset, argument)| {
                    *passed == param && self.is_passed_on(function, *offset, *argument, depth)
                })
        })
    }

    /// Whether a parameter that the function hands on through a pointer decides about a call there.
    fn decides_by_ops(&self, function: ItemId, param: u16) -> bool {
        if !self.deciding.passes(function) {
            return false;
        }
        let facts = self.facts(function);
        let is_through_pointer = |offset: u32| {
            let mut calls = facts.calls.iter().filter(|it| it.offset == offset);
            calls.any(|it| matches!(it.callee, Callee::Member(..)))
        };
        let passed_on = facts.conditions.told().passed_on.iter();
        let mut passed_on = passed_on
            .filter(|it| it.0 == param && is_through_pointer(it.1))
            .peekable();
        if passed_on.peek().is_none() {
            return false;
        }
        self.asked_ops.get(function, || ());
        let edges = self.edges(function);
        passed_on.any(|(_, offset, argument)| {
            let called = edges.iter().filter(|it| it.offset == *offset);
            let mut called = called.filter(|it| it.kind == EdgeKind::Ops);
            called.any(|it| match it.target {
                Target::Function(callee) => self.decides(callee, *argument, 1),
                Target::External(_) => false,
            })
        })
    }

    /// Whether a call's argument decides something in the callee.
    fn is_passed_on(&self, caller: ItemId, offset: u32, to: u16, depth: u32) -> bool {
        let callees = self.callees(caller, offset).into_iter();
        callees
            .filter(|it| *it != caller)
            .any(|it| self.decides(it, to, depth + 1))
    }
}

/// Whether a value is a constant, or something about a parameter of which something is known.
fn may_be_known(value: &Value, known: &[Known]) -> bool {
    match value {
        Value::Number(_) | Value::Constant(_) => true,
        Value::Union(a, b) => may_be_known(a, known) && may_be_known(b, known),
        other => known.iter().any(|it| other.mentions(it.param)),
    }
}
