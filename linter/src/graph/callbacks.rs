//! Functions that are handed on as arguments, or in local pointers.

use super::copies::members_read;
use super::index::ItemId;
use super::resolve::{
    Edge, EdgeKind, MAX_PASS_DEPTH, Resolver, Scope, Target, Through, named_values,
};
use super::sieve::Sieve;
use super::site::Site;
use crate::facts::{Call, Callee, Expr, FunctionFacts};
use crate::finding::Confidence;
use crate::lex::{Sym, variable};

impl Resolver<'_, '_> {
    /// The functions that a value may be: those that it names, and what a local pointer was given.
    pub(super) fn functions_meant(
        &self,
        value: &Expr,
        scope: Scope<'_>,
    ) -> Vec<(ItemId, Confidence)> {
        let mut found = Vec::new();
        for name in functions_named(value, scope.facts) {
            found.extend(self.functions_valued(name, scope.file).iter().copied());
        }
        found
    }

    /// Whether an argument is a local pointer that was given a function which the sieve lets through.
    pub(super) fn hands_local(value: &Expr, facts: &FunctionFacts, sieve: &Sieve<'_, '_>) -> bool {
        let mut names = named_values(value).into_iter();
        names.any(|local| {
            let mut given = facts.assigns.iter().filter(|it| it.0 == local);
            given.any(|it| {
                let mut names = named_values(&it.1).into_iter();
                let mut members = members_read(&it.1).into_iter();
                names.any(|it| sieve.passes_name(it.short()))
                    || members.any(|it| sieve.passes_member(it.1.short()))
            })
        })
    }

    /// Functions among the arguments are called by a callee that calls its parameter.
    pub(super) fn callback_edges(
        &self,
        (callees, name): (&[(ItemId, Confidence)], Sym),
        call: &Call,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        for (index, arg) in call.args.iter().enumerate() {
            let targets = self.functions_meant(arg, at.scope);
            let mut held = Vec::new();
            if self.index.may_call_param(name.short(), index as u32) {
                self.held_edges(arg, at, &mut held);
            }
            if targets.is_empty() && held.is_empty() {
                continue;
            }
            for (callee, sure) in callees {
                if self.is_param_called(*callee, index as u32, 0) {
                    out.extend(called_back(&targets, at.offset, (name, *sure)));
                    out.extend(held.iter().map(|it| Edge {
                        confidence: it.confidence.min(*sure),
                        ..*it
                    }));
                }
            }
        }
    }

    /// A call of what a value is read from: of members, and of variables that are no local ones.
    pub(super) fn held_edges(&self, value: &Expr, at: &Site<'_>, out: &mut Vec<Edge>) {
        for (object, member) in self.members_meant(value, at.scope.facts) {
            self.member_call(object, member, at, out);
        }
        let names = functions_named(value, at.scope.facts).into_iter();
        for name in names.filter(|it| self.sieve.passes_member(variable(it.short()))) {
            self.variable_edges(name, at, out);
        }
    }

    /// The members that a value may be read from, as far as the sieve lets them through: `object->member`, and what a
    /// local pointer was given.
    fn members_meant<'v>(&self, value: &'v Expr, facts: &'v FunctionFacts) -> Vec<(&'v Expr, Sym)> {
        let locals = named_values(value).into_iter();
        let given = locals.flat_map(|local| facts.assigns.iter().filter(move |it| it.0 == local));
        let given = given.map(|it| &it.1);
        let given = given.filter(|it| matches!(it, Expr::Member(..)));
        let read = std::iter::once(value).chain(given).flat_map(members_read);
        read.filter(|it| self.sieve.passes_member(it.1.short()))
            .collect()
    }

    /// As [`Resolver::callback_edges`], of a call through a member: what stands there may lead nowhere by itself.
    pub(super) fn callbacks_through(
        &self,
        (object, member): (&Expr, Sym),
        call: &Call,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        let hands_on = |it: &Expr| {
            let targets = self.functions_meant(it, at.scope);
            targets.iter().any(|it| self.sieve.passes(it.0))
        };
        if !call.args.iter().any(hands_on) {
            return;
        }
        let typed = self.type_of(object, at.scope);
        for entry in self.entries_of_all(typed.of, member) {
            let choice = self.choice(typed.of, member, entry.domain);
            let sure = typed.confidence.min(entry.confidence).min(choice);
            let first = out.len();
            self.callback_edges((&[(entry.function, sure)], member), call, at, out);
            for edge in &mut out[first..] {
                edge.domain = entry.domain;
            }
        }
    }

    /// Whether a function calls its parameter, or passes it to one that does.
    fn is_param_called(&self, function: ItemId, param: u32, depth: u32) -> bool {
        if depth > MAX_PASS_DEPTH {
            return false;
        }
        self.calls_param.get((function, param), || {
            let facts = self.facts(function);
            let Some((name, _)) = facts.params.get(param as usize) else {
                return false;
            };
            let file = self.index.file_index(function);
            let scope = Scope {
                file,
                facts: &facts,
            };
            // The parameter, and local pointers that are given it.
            let given = facts.assigns.iter();
            let given = given.filter(|it| it.1 == Expr::Name(*name)).map(|it| it.0);
            let names: Vec<Sym> = std::iter::once(*name).chain(given).collect();
            let mut stores = facts.stores.iter();
            if stores.any(|it| self.hands_below(it, *name, scope)) {
                return true;
            }
            facts.calls.iter().any(|call| {
                let called = match &call.callee {
                    Callee::Name(callee) => names.contains(callee),
                    Callee::Value(value) => named_values(value).iter().any(|it| names.contains(it)),
                    Callee::Member(..) => false,
                };
                called
                    || call.args.iter().enumerate().any(|(at, arg)| {
                        matches!(arg, Expr::Name(it) if names.contains(it))
                            && match &call.callee {
                                Callee::Name(callee) if !self.deferrals.contains_key(callee) => {
                                    self.macro_calls_param(*callee, at, file)
                                        || self.functions_in(*callee, file).iter().any(|it| {
                                            it.0 != function
                                                && self.is_param_called(it.0, at as u32, depth + 1)
                                        })
                                }
                                _ => false,
                            }
                    })
            })
        })
    }

    fn macro_calls_param(&self, name: Sym, param: usize, file: usize) -> bool {
        self.macro_in(name, file).is_some_and(|it| {
            let facts = self.facts(it);
            facts.params.get(param).is_some_and(|param| {
                facts
                    .calls
                    .iter()
                    .any(|it| it.callee == Callee::Name(param.0))
            })
        })
    }
}

/// The edges to functions that are called through a name, as sure as that leads there at most.
pub(super) fn called_back(
    targets: &[(ItemId, Confidence)],
    offset: u32,
    (name, sure): (Sym, Confidence),
) -> impl Iterator<Item = Edge> {
    targets.iter().map(move |(target, confidence)| {
        Edge::new(
            (Target::Function(*target), (*confidence).min(sure)),
            offset,
            (EdgeKind::Callback, Through::Name(name)),
        )
    })
}

/// The names of the functions that a value may be; a local variable stands for what it was given.
pub(super) fn functions_named(value: &Expr, facts: &FunctionFacts) -> Vec<Sym> {
    let mut found = Vec::new();
    for name in named_values(value) {
        if facts.declares(name) {
            let given = facts.assigns.iter().filter(|it| it.0 == name);
            let names = given.flat_map(|it| named_values(&it.1));
            found.extend(names.filter(|it| !facts.declares(*it)));
        } else {
            found.push(name);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
