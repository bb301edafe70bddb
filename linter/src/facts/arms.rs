//! What a function says where the other arms of those `#if`s are read that split its statements.

use std::hash::Hash;

use rustc_hash::FxHashSet;

use super::conditions::Conditions;
use super::{Call, Callee, Expr, FunctionFacts};

/// Adds what only `other` says, a second reading of the same function.
///
/// Of what decides whether a call is made, only that is left which both readings say.
pub(super) fn add_other_arms(facts: &mut FunctionFacts, other: FunctionFacts) {
    keep_common(&mut facts.conditions, &other.conditions);
    add(&mut facts.conditions.stores, other.conditions.stores);
    let known: FxHashSet<_> = facts.calls.iter().map(said).collect();
    let mut calls = other.calls;
    calls.retain(|it| !known.contains(&said(it)));
    facts.calls.append(&mut calls);
    add(&mut facts.locals, other.locals);
    add(&mut facts.on_stack, other.on_stack);
    add(&mut facts.stores, other.stores);
    add(&mut facts.assigns, other.assigns);
    add(&mut facts.returned, other.returned);
}

/// What is called where and with what; where the call ends is up to the arm that is read.
fn said(call: &Call) -> (u32, &Callee, &[Expr]) {
    (call.offset, &call.callee, &call.args)
}

/// Adds what is not there yet.
pub(super) fn add<T: Eq + Hash>(all: &mut Vec<T>, mut more: Vec<T>) {
    let known: FxHashSet<&T> = all.iter().collect();
    more.retain(|it| !known.contains(it));
    all.append(&mut more);
}

/// Leaves of what is said of each call what `other` says as well.
fn keep_common(conditions: &mut Conditions, other: &Conditions) {
    let Conditions { sites, guards, .. } = conditions;
    for site in sites {
        let Some(twin) = other.site(site.offset) else {
            site.guards.clear();
            site.args.clear();
            site.inside.clear();
            continue;
        };
        let held = twin.guards.iter().map(|it| &other.guards[*it as usize]);
        let held: FxHashSet<_> = held.map(|it| (&it.test, it.holds)).collect();
        site.guards.retain(|it| {
            let guard = &guards[*it as usize];
            held.contains(&(&guard.test, guard.holds))
        });
        keep(&mut site.args, &twin.args);
        keep(&mut site.inside, &twin.inside);
        site.on_failure &= twin.on_failure;
    }
    conditions.returns.clear();
}

/// Leaves what `other` has as well.
fn keep<T: Eq + Hash>(all: &mut Vec<T>, other: &[T]) {
    let other: FxHashSet<&T> = other.iter().collect();
    all.retain(|it| other.contains(it));
}
