//! What a function says where the other arms of those `#if`s are read that split its statements.

use super::conditions::Conditions;
use super::{Call, FunctionFacts};

/// Adds what only `other` says, a second reading of the same function.
///
/// Of what decides whether a call is made, only that is left which both readings say.
pub(super) fn add_other_arms(facts: &mut FunctionFacts, other: FunctionFacts) {
    keep_common(&mut facts.conditions, &other.conditions);
    let is_same =
        |a: &Call, b: &Call| a.offset == b.offset && a.callee == b.callee && a.args == b.args;
    let known = facts.calls.len();
    for call in other.calls {
        if !facts.calls[..known].iter().any(|it| is_same(it, &call)) {
            facts.calls.push(call);
        }
    }
    add(&mut facts.locals, other.locals);
    add(&mut facts.on_stack, other.on_stack);
    add(&mut facts.stores, other.stores);
    add(&mut facts.assigns, other.assigns);
    add(&mut facts.returned, other.returned);
}

/// Adds what is not there yet.
pub(super) fn add<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for it in more {
        if !all.contains(&it) {
            all.push(it);
        }
    }
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
        let of_twin = |it: &u32| &other.guards[*it as usize];
        site.guards.retain(|it| {
            let guard = &guards[*it as usize];
            let mut others = twin.guards.iter().map(of_twin);
            others.any(|it| it.test == guard.test && it.holds == guard.holds)
        });
        site.args.retain(|it| twin.args.contains(it));
        site.inside.retain(|it| twin.inside.contains(it));
        site.on_failure &= twin.on_failure;
    }
    for store in &other.stores {
        if !conditions.stores.contains(store) {
            conditions.stores.push(*store);
        }
    }
    conditions.returns.clear();
}
