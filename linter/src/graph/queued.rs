//! Work functions by the workqueue that runs them: one place sets an item up, another queues it.

use super::domains::Domain;
use super::index::ItemId;
use super::resolve::{Resolver, Scope, Through, named_values};
use super::roots::{RootAt, callers_of, passed_to};
use super::values::Entry;
use crate::facts::{Call, Callee, Expr, FunctionFacts, TypeRef};
use crate::finding::Confidence;
use crate::kernel::{self, Runner};
use crate::lex::Sym;

/// A work item: a member, with the type that holds it as far as that is known.
#[derive(Clone, Copy, PartialEq)]
struct Item {
    of: TypeRef,
    member: Sym,
}

impl Item {
    /// Whether two expressions can mean the same item; `None` where they cannot.
    fn matches(self, other: Self) -> Option<Confidence> {
        let is_known = self.of != TypeRef::Unknown && other.of != TypeRef::Unknown;
        match (self.member == other.member, is_known) {
            (false, _) => None,
            (true, false) => Some(Confidence::Medium),
            (true, true) => (self.of == other.of).then_some(Confidence::High),
        }
    }
}

/// The work functions of what code below `under` queues on a workqueue that it knows by this name.
pub(super) fn on(resolver: &Resolver<'_, '_>, queue: Sym, under: &str) -> Vec<RootAt> {
    let queued = queued_on(resolver, queue, under);
    if queued.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for it in kernel::DEFERRALS
        .iter()
        .filter(|it| matches!(it.runner, Runner::Work | Runner::OrderedWork))
    {
        let name = Sym::of(it.name);
        for caller in below(resolver, name, under) {
            let facts = resolver.facts(caller);
            for call in calls_of(&facts, name) {
                let item = call
                    .args
                    .first()
                    .and_then(|it| item_of(resolver, caller, it));
                let sure =
                    item.and_then(|item| queued.iter().filter_map(|it| it.matches(item)).max());
                if let (Some(sure), Some(callback)) = (sure, call.args.get(it.callback)) {
                    let to = (caller, call.offset, name);
                    found.extend(set_up(resolver, &facts, callback, to, sure));
                }
            }
        }
    }
    found.extend(stored(resolver, &queued, under));
    found
}

/// The work functions that code below `under` stores in one of the items itself: `item->func = name`.
fn stored(resolver: &Resolver<'_, '_>, queued: &[Item], under: &str) -> Vec<RootAt> {
    let index = resolver.index;
    let files = index.files_below(under);
    let runners = [Runner::Work, Runner::OrderedWork];
    let takes = |it: ItemId| files.holds(index.file_index(it));
    let mut found = Vec::new();
    for setter in super::deferred::setters(index, &runners, &takes) {
        let facts = resolver.facts(setter);
        let scope = Scope {
            file: index.file_index(setter),
            facts: &facts,
        };
        for store in &facts.stores {
            let Some((_, member)) = resolver.runner_of(store, scope) else {
                continue;
            };
            // A delayed item holds one that is not: `item.work.func = name`.
            let outer = match &store.object {
                Expr::Member(outer, _) => Some(&**outer),
                _ => None,
            };
            let items = std::iter::once(&store.object).chain(outer);
            let items = items.filter_map(|it| item_of(resolver, setter, it));
            let sure = items.flat_map(|item| queued.iter().filter_map(move |it| it.matches(item)));
            if let Some(sure) = sure.max() {
                let to = (setter, store.offset, member);
                found.extend(set_up(resolver, &facts, &store.value, to, sure));
            }
        }
    }
    found
}

/// The items that are put on the workqueue.
fn queued_on(resolver: &Resolver<'_, '_>, queue: Sym, under: &str) -> Vec<Item> {
    let mut found = Vec::new();
    for (name, at, item) in kernel::QUEUE_CALLS {
        let name = Sym::of(name);
        for caller in below(resolver, name, under) {
            let facts = resolver.facts(caller);
            let is_on = |it: &Expr| names(&facts, it).contains(&queue);
            let calls = calls_of(&facts, name).filter(|it| it.args.get(*at).is_some_and(is_on));
            found.extend(calls.filter_map(|it| item_of(resolver, caller, it.args.get(*item)?)));
        }
    }
    found
}

fn below(resolver: &Resolver<'_, '_>, name: Sym, under: &str) -> Vec<ItemId> {
    let index = resolver.index;
    let files = index.files_below(under);
    callers_of(index, name, &|it| files.holds(index.file_index(it)))
}

fn calls_of(facts: &FunctionFacts, name: Sym) -> impl Iterator<Item = &Call> {
    let calls = facts.calls.iter();
    calls.filter(move |it| it.callee == Callee::Name(name))
}

/// What an expression for a workqueue is called; a local variable by what it is given.
fn names(facts: &FunctionFacts, of: &Expr) -> Vec<Sym> {
    match of {
        Expr::Member(_, name) | Expr::Call(name, _) => vec![*name],
        Expr::Either(first, second) => [names(facts, first), names(facts, second)].concat(),
        Expr::Name(name) => {
            let given = facts.assigns.iter().filter(|it| it.0 == *name);
            let is_local = |it: &Expr| matches!(it, Expr::Name(name) if facts.declares(*name));
            let given = given.filter(|it| !is_local(&it.1));
            let given = given.flat_map(|it| names(facts, &it.1));
            std::iter::once(*name).chain(given).collect()
        }
        Expr::Unknown | Expr::Typed(_) | Expr::Const(_) => Vec::new(),
    }
}

/// The item that an expression means; a local variable means what it is given.
fn item_of(resolver: &Resolver<'_, '_>, caller: ItemId, of: &Expr) -> Option<Item> {
    let facts = resolver.facts(caller);
    let scope = Scope {
        file: resolver.index.file_index(caller),
        facts: &facts,
    };
    let member = |it: &Expr| match it {
        Expr::Member(object, member) => Some(Item {
            of: resolver.type_of(object, scope).of,
            member: *member,
        }),
        _ => None,
    };
    match of {
        Expr::Name(name) => {
            let mut given = facts.assigns.iter().filter(|it| it.0 == *name);
            given.find_map(|it| member(&it.1))
        }
        _ => member(of),
    }
}

/// The functions that an item is set up with: by name, or by a parameter that the callers fill.
fn set_up(
    resolver: &Resolver<'_, '_>,
    facts: &FunctionFacts,
    callback: &Expr,
    (caller, offset, through): (ItemId, u32, Sym),
    sure: Confidence,
) -> Vec<RootAt> {
    let index = resolver.index;
    let file = index.file_index(caller);
    let mut found = Vec::new();
    for name in named_values(callback) {
        if let Some(param) = facts.params.iter().position(|it| it.0 == name) {
            let own = index.item(caller).name;
            let passed = passed_to(resolver, own, param).into_iter();
            found.extend(passed.filter(|it| resolver.is_meant(caller, it.item)));
        } else if !facts.declares(name) {
            let functions = resolver.functions_in(name, file);
            found.extend(functions.iter().map(|it| RootAt {
                function: it.0,
                item: caller,
                offset,
                through: Through::Name(through),
                confidence: it.1,
                domain: Domain::PRIVATE,
                is_shared: false,
                entry: Entry::ANY,
            }));
        }
    }
    for it in &mut found {
        it.confidence = it.confidence.min(sure);
        it.domain = Domain::PRIVATE;
    }
    found
}
