//! Functions that are handed on: as arguments, in local pointers, in objects on the stack.

use super::copies::members_read;
use super::domains::Domain;
use super::index::ItemId;
use super::resolve::{
    Edge, EdgeKind, MAX_PASS_DEPTH, Resolver, Scope, Site, Target, Through, named_values,
};
use crate::facts::{Call, Callee, Expr, FunctionFacts, Step, Store};
use crate::finding::Confidence;
use crate::lex::Sym;

impl Resolver<'_, '_> {
    /// The functions that a value may be: those that it names, and what a local pointer was given.
    pub(super) fn functions_meant(
        &self,
        value: &Expr,
        scope: Scope<'_>,
    ) -> Vec<(ItemId, Confidence)> {
        let mut found = Vec::new();
        for name in functions_named(value, scope.facts) {
            found.extend(self.functions_in(name, scope.file).iter().copied());
        }
        found
    }

    /// Whether an argument is a local pointer that was given a function which the sieve lets through.
    pub(super) fn hands_local(&self, value: &Expr, facts: &FunctionFacts) -> bool {
        let mut names = named_values(value).into_iter();
        names.any(|local| {
            let mut given = facts.assigns.iter().filter(|it| it.0 == local);
            given.any(|it| {
                let mut names = named_values(&it.1).into_iter();
                let mut members = members_read(&it.1).into_iter();
                names.any(|it| self.sieve.passes_name(it.short()))
                    || members.any(|it| self.sieve.passes_member(it.1.short()))
            })
        })
    }

    /// A function pointer in an object on the stack is called by what this function calls, or not at all.
    pub(super) fn stack_edges(&self, scope: Scope<'_>, out: &mut Vec<Edge>) {
        for store in scope.facts.stores.iter().filter(|it| it.on_stack) {
            let Some(Step::Member(member)) = store.path.last() else {
                continue;
            };
            if self.runner_of(store, scope).is_some() {
                continue;
            }
            let targets = self.functions_meant(&store.value, scope);
            out.extend(called_back(
                &targets,
                store.offset,
                (*member, Confidence::High),
            ));
        }
    }

    /// A function that is given to a helper which puts it into an object on this function's stack, likewise:
    /// `begin(&object, done); run(&object);`
    pub(super) fn stack_gifts(&self, scope: Scope<'_>, out: &mut Vec<Edge>) {
        let facts = scope.facts;
        if facts.on_stack.is_empty() {
            return;
        }
        for call in &facts.calls {
            let Callee::Name(name) = call.callee else {
                continue;
            };
            if !call.args.iter().any(|it| is_on_stack(it, facts)) {
                continue;
            }
            for (place, given) in call.args.iter().enumerate() {
                let targets = self.functions_meant(given, scope);
                if !targets.iter().any(|it| self.sieve.passes(it.0)) {
                    continue;
                }
                for (helper, sure) in self.functions_in(name, scope.file).iter() {
                    for member in self.members_put(*helper, place, (&call.args, facts)) {
                        out.extend(called_back(&targets, call.offset, (member, *sure)));
                    }
                }
            }
        }
    }

    /// The members into which a helper puts what it gets in a place, of objects on the stack of who calls it.
    fn members_put(
        &self,
        helper: ItemId,
        place: usize,
        (args, caller): (&[Expr], &FunctionFacts),
    ) -> Vec<Sym> {
        let facts = self.facts(helper);
        let Some((param, _)) = facts.params.get(place) else {
            return Vec::new();
        };
        let scope = Scope {
            file: self.index.file_index(helper),
            facts: &facts,
        };
        let stores = facts.stores.iter().filter(|it| {
            named_values(&it.value).contains(param)
                && puts_on_stack(it, &facts, (args, caller))
                && self.runner_of(it, scope).is_none()
        });
        let member = |it: &Store| match it.path.last() {
            Some(Step::Member(member)) => Some(*member),
            _ => None,
        };
        stores.filter_map(member).collect()
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
            if targets.is_empty() {
                continue;
            }
            for (callee, sure) in callees {
                if self.is_param_called(*callee, index as u32, 0) {
                    out.extend(called_back(&targets, at.offset, (name, *sure)));
                }
            }
        }
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
            let mut below = facts.stores.iter().filter(|it| hands_below(it, *name));
            if below.any(|it| self.runner_of(it, scope).is_none()) {
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
fn called_back(
    targets: &[(ItemId, Confidence)],
    offset: u32,
    (name, sure): (Sym, Confidence),
) -> impl Iterator<Item = Edge> {
    targets.iter().map(move |(target, confidence)| Edge {
        target: Target::Function(*target),
        offset,
        kind: EdgeKind::Callback,
        confidence: (*confidence).min(sure),
        through: Through::Name(name),
        domain: Domain::GENERIC,
        enters: None,
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

/// Whether an argument is an object on the caller's stack, or its address.
fn is_on_stack(argument: &Expr, caller: &FunctionFacts) -> bool {
    let root = argument.root();
    root.is_some_and(|it| caller.on_stack.contains(&it))
}

/// Whether a store of a helper goes into an object that lies on the stack of who calls it with these arguments.
pub(super) fn puts_on_stack(
    store: &Store,
    helper: &FunctionFacts,
    (args, caller): (&[Expr], &FunctionFacts),
) -> bool {
    let root = store.object.root();
    let place = root.and_then(|root| helper.params.iter().position(|it| it.0 == root));
    let object = place.and_then(|it| args.get(it));
    object.is_some_and(|it| is_on_stack(it, caller))
}

/// Whether a store puts a parameter into an object on the stack, for what its function calls.
pub(super) fn hands_below(store: &Store, param: Sym) -> bool {
    store.on_stack
        && matches!(store.path.last(), Some(Step::Member(_)))
        && named_values(&store.value).contains(&param)
}
