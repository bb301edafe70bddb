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
use super::resolve::{Edge, Resolver, Target};
use crate::facts::{Conditions, FunctionFacts, Site, Value};
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
pub(super) enum Fact {
    Number(i64),
    Constant(Sym),
    NotZero,
}

impl Resolver<'_, '_> {
    /// Whether what is known at the entry excludes the call at `offset` of a function.
    pub(crate) fn is_excluded(
        &self,
        (function, offset): (ItemId, u32),
        facts: &FunctionFacts,
        entry: Entry,
    ) -> bool {
        if entry == Entry::ANY {
            return false;
        }
        let Some(site) = facts.conditions.site(offset) else {
            return false;
        };
        let known = self.known_at(function, offset, entry);
        let weigh = self.weigh(function, &facts.conditions, &known);
        site.guards.iter().any(|it| {
            let guard = &facts.conditions.guards[*it as usize];
            weigh.truth(&guard.test, guard.offset) == Some(!guard.holds)
        })
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

    /// The member and the flag in it without which the call at `offset` of a function does not run.
    ///
    /// Whoever set the flag, mostly where the object was made, decides; a chain of calls says nothing of that.
    pub(crate) fn flag_of(&self, function: ItemId, offset: u32) -> Option<(Sym, Sym)> {
        let facts = self.facts(function);
        let site = facts.conditions.site(offset)?;
        let guards = site.guards.iter();
        guards
            .map(|it| &facts.conditions.guards[*it as usize])
            .find_map(|it| flag_in(&it.test, it.holds))
    }

    /// What is known of the callee's parameters when this call enters it.
    pub(crate) fn entry(
        &self,
        (caller, offset): (ItemId, u32),
        facts: &FunctionFacts,
        callee: ItemId,
        entry: Entry,
    ) -> Entry {
        let site = facts.conditions.site(offset);
        let Some(site) = site.filter(|it| it.tells()) else {
            return Entry::ANY;
        };
        self.entries_of.get((caller, offset, callee, entry), || {
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
            if !may_be_known(value, weigh.known) || !self.decides(callee, *index, 0) {
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

    fn keep(&self, mut known: Vec<Known>) -> Entry {
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
        Weigh {
            number_of: Box::new(move |name| self.number_of(name, self.index.file_index(function))),
            conditions,
            known,
            is_of_entry: true,
        }
    }

    /// Whether a parameter decides about a call in the function, or in one that it is passed on to.
    fn decides(&self, function: ItemId, param: u16, depth: u32) -> bool {
        if depth > MAX_PASSES || !self.sieve.passes(function) {
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
                || told.passed_on.iter().any(|(passed, offset, argument)| {
                    *passed == param && self.is_passed_on(function, *offset, *argument, depth)
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

/// The member and the constant of a test that holds only with that flag or value in the member.
fn flag_in(test: &Value, holds: bool) -> Option<(Sym, Sym)> {
    match test {
        Value::Not(it) => flag_in(it, !holds),
        Value::And(a, b) if holds => flag_in(a, true).or_else(|| flag_in(b, true)),
        Value::Bits(a, b) | Value::Equal(a, b) if holds => match (&**a, &**b) {
            (Value::Place(_, members), Value::Constant(flag))
            | (Value::Constant(flag), Value::Place(_, members)) => Some((*members.last()?, *flag)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value is a constant, or something about a parameter of which something is known.
fn may_be_known(value: &Value, known: &[Known]) -> bool {
    match value {
        Value::Number(_) | Value::Constant(_) => true,
        other => known.iter().any(|it| other.mentions(it.param)),
    }
}

fn asks_for_calls(value: &Value) -> bool {
    match value {
        Value::NullUnless(_) => true,
        Value::Not(it) => asks_for_calls(it),
        Value::And(a, b) | Value::Or(a, b) | Value::Equal(a, b) | Value::Bits(a, b) => {
            asks_for_calls(a) || asks_for_calls(b)
        }
        Value::AnyOf(it, values) => asks_for_calls(it) || values.iter().any(asks_for_calls),
        _ => false,
    }
}

/// Weighs values of one function against what is known of its parameters.
struct Weigh<'a> {
    number_of: Box<dyn Fn(Sym) -> Option<i64> + 'a>,
    conditions: &'a Conditions,
    known: &'a [Known],
    /// Whether it was known at the function's entry, and may have changed since.
    is_of_entry: bool,
}

impl<'a> Weigh<'a> {
    /// The same with what holds where the values stand.
    fn with<'b>(self, known: &'b [Known]) -> Weigh<'b>
    where
        'a: 'b,
    {
        Weigh {
            number_of: self.number_of,
            conditions: self.conditions,
            known,
            is_of_entry: false,
        }
    }

    /// What is still known of the entry at a call, and what the guards of a call say in addition.
    fn tested(&self, site: &Site) -> Vec<Known> {
        let mut all = self.known.to_vec();
        all.retain(|it| self.is_stable(&it.members, 0, site.offset));
        for guard in site
            .guards
            .iter()
            .map(|it| &self.conditions.guards[*it as usize])
        {
            let mut told = Vec::new();
            tell(&guard.test, guard.holds, &mut told);
            told.retain(|it: &Known| self.is_stable(&it.members, guard.offset, site.offset));
            told.retain(|new| {
                !all.iter()
                    .any(|it| it.param == new.param && it.members == new.members)
            });
            all.extend(told);
        }
        all
    }

    /// Whether nothing between two places of the function sets one of the members.
    fn is_stable(&self, members: &[Sym], from: u32, to: u32) -> bool {
        let mut stores = self.conditions.stores.iter();
        !stores.any(|it| members.contains(&it.0) && (from..to).contains(&it.1))
    }

    /// Whether a guard of the call at `offset` certainly fails.
    fn is_ruled_out(&self, offset: u32) -> bool {
        let site = self.conditions.site(offset);
        site.is_some_and(|site| {
            site.guards.iter().any(|it| {
                let guard = &self.conditions.guards[*it as usize];
                // A guard on such a variable would ask for this again.
                !asks_for_calls(&guard.test)
                    && self.truth(&guard.test, guard.offset) == Some(!guard.holds)
            })
        })
    }

    fn truth(&self, value: &Value, at: u32) -> Option<bool> {
        match self.value(value, at)? {
            Fact::Number(it) => Some(it != 0),
            Fact::NotZero => Some(true),
            Fact::Constant(name) => (self.number_of)(name).map(|it| it != 0),
        }
    }

    fn value(&self, value: &Value, at: u32) -> Option<Fact> {
        let of_bool = |it: bool| Fact::Number(i64::from(it));
        match value {
            Value::Unknown | Value::Variable(..) => None,
            Value::Number(it) => Some(Fact::Number(*it)),
            Value::Constant(it) => Some(Fact::Constant(*it)),
            Value::Place(param, members) => {
                let mut known = self.known.iter();
                known
                    .find(|it| it.param == *param && it.members == *members)
                    .filter(|_| !self.is_of_entry || self.is_stable(members, 0, at))
                    .map(|it| it.value)
            }
            Value::NullUnless(calls) => calls
                .iter()
                .all(|it| self.is_ruled_out(*it))
                .then_some(Fact::Number(0)),
            Value::Not(it) => self.truth(it, at).map(|it| of_bool(!it)),
            Value::And(a, b) => match (self.truth(a, at), self.truth(b, at)) {
                (Some(false), _) | (_, Some(false)) => Some(of_bool(false)),
                (Some(true), Some(true)) => Some(of_bool(true)),
                _ => None,
            },
            Value::Or(a, b) => match (self.truth(a, at), self.truth(b, at)) {
                (Some(true), _) | (_, Some(true)) => Some(of_bool(true)),
                (Some(false), Some(false)) => Some(of_bool(false)),
                _ => None,
            },
            Value::Equal(a, b) => self.equal(a, b, at).map(of_bool),
            Value::Bits(a, b) => self.bits(a, b, at),
            Value::AnyOf(it, values) => {
                let equal: Vec<Option<bool>> = values
                    .iter()
                    .map(|other| self.equal(it, other, at))
                    .collect();
                if equal.contains(&Some(true)) {
                    Some(of_bool(true))
                } else if equal.iter().all(|it| *it == Some(false)) {
                    Some(of_bool(false))
                } else {
                    None
                }
            }
        }
    }

    fn equal(&self, a: &Value, b: &Value, at: u32) -> Option<bool> {
        match (self.value(a, at)?, self.value(b, at)?) {
            (Fact::Number(a), Fact::Number(b)) => Some(a == b),
            (Fact::NotZero, Fact::Number(0)) | (Fact::Number(0), Fact::NotZero) => Some(false),
            (Fact::NotZero, _) | (_, Fact::NotZero) => None,
            (Fact::Constant(a), Fact::Constant(b)) if a == b => Some(true),
            // Two names may well stand for one number.
            (Fact::Constant(a), Fact::Constant(b)) => {
                Some((self.number_of)(a)? == (self.number_of)(b)?)
            }
            (Fact::Constant(name), Fact::Number(number))
            | (Fact::Number(number), Fact::Constant(name)) => {
                Some((self.number_of)(name)? == number)
            }
        }
    }

    fn bits(&self, a: &Value, b: &Value, at: u32) -> Option<Fact> {
        let number = |it: &Value| match self.value(it, at)? {
            Fact::Number(it) => Some(it),
            Fact::Constant(name) => (self.number_of)(name),
            Fact::NotZero => None,
        };
        match (number(a), number(b)) {
            (Some(0), _) | (_, Some(0)) => Some(Fact::Number(0)),
            (Some(a), Some(b)) => Some(Fact::Number(a & b)),
            _ => None,
        }
    }
}

/// What the outcome of a test says about parameters.
fn tell(test: &Value, holds: bool, out: &mut Vec<Known>) {
    match test {
        Value::Place(param, members) => out.push(Known {
            param: *param,
            members: members.clone(),
            value: if holds {
                Fact::NotZero
            } else {
                Fact::Number(0)
            },
            is_initial: false,
        }),
        Value::Not(it) => tell(it, !holds, out),
        Value::And(a, b) if holds => {
            tell(a, true, out);
            tell(b, true, out);
        }
        Value::Or(a, b) if !holds => {
            tell(a, false, out);
            tell(b, false, out);
        }
        Value::Equal(a, b) => tell_equal(a, b, holds, out),
        Value::AnyOf(it, values) if holds => {
            if let [value] = &values[..] {
                tell_equal(it, value, true, out);
            }
        }
        _ => {}
    }
}

fn tell_equal(a: &Value, b: &Value, holds: bool, out: &mut Vec<Known>) {
    let (place, other) = match (a, b) {
        (Value::Place(param, members), other) | (other, Value::Place(param, members)) => {
            ((param, members), other)
        }
        _ => return,
    };
    let value = match (other, holds) {
        (Value::Number(it), true) => Fact::Number(*it),
        (Value::Constant(it), true) => Fact::Constant(*it),
        (Value::Number(0), false) => Fact::NotZero,
        _ => return,
    };
    out.push(Known {
        param: *place.0,
        members: place.1.clone(),
        value,
        is_initial: false,
    });
}
