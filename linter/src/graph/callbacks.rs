//! Functions that are handed on: as arguments, in local pointers, in objects on the stack.

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
                let mut values = named_values(&it.1).into_iter();
                values.any(|it| self.sieve.passes_name(it.short()))
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
            for (target, confidence) in self.functions_meant(&store.value, scope) {
                out.push(Edge {
                    target: Target::Function(target),
                    offset: store.offset,
                    kind: EdgeKind::Callback,
                    confidence,
                    through: Through::Name(*member),
                    domain: Domain::GENERIC,
                    enters: None,
                });
            }
        }
    }

    /// Functions among the arguments are called by a callee that calls its parameter.
    pub(super) fn callback_edges(
        &self,
        callees: &[(ItemId, Confidence)],
        call: &Call,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        let Callee::Name(name) = call.callee else {
            return;
        };
        for (index, arg) in call.args.iter().enumerate() {
            let targets = self.functions_meant(arg, at.scope);
            if targets.is_empty() {
                continue;
            }
            for (callee, sure) in callees {
                if self.is_param_called(*callee, index as u32, 0) {
                    out.extend(targets.iter().map(|(target, confidence)| Edge {
                        target: Target::Function(*target),
                        offset: at.offset,
                        kind: EdgeKind::Callback,
                        confidence: (*confidence).min(*sure),
                        through: Through::Name(name),
                        domain: Domain::GENERIC,
                        enters: None,
                    }));
                }
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
            let mut below = facts.stores.iter().filter(|it| hands_below(it, *name));
            if below.any(|it| self.runner_of(it, scope).is_none()) {
                return true;
            }
            facts.calls.iter().any(|call| {
                let called = match &call.callee {
                    Callee::Name(callee) => callee == name,
                    Callee::Value(value) => named_values(value).contains(name),
                    Callee::Member(..) => false,
                };
                called
                    || call.args.iter().enumerate().any(|(at, arg)| {
                        *arg == Expr::Name(*name)
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

/// Whether a store puts a parameter into an object on the stack, for what its function calls.
pub(super) fn hands_below(store: &Store, param: Sym) -> bool {
    store.on_stack
        && matches!(store.path.last(), Some(Step::Member(_)))
        && named_values(&store.value).contains(&param)
}
