//! Where a context begins: members of ops tables, named functions, workers, callbacks.

use super::callbacks::functions_named;
use super::domains::Domain;
use super::focused::Focused;
use super::given::MAX_HELPERS;
use super::index::{Index, ItemId};
use super::resolve::{EdgeKind, Resolver, Target, Through, named_values};
use super::values::Entry;
use crate::contexts::{Context, RootKind};
use crate::facts::{Callee, TypeRef};
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::{ItemKind, RefKind, Sym};

/// An entry point with where it is registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct RootAt {
    pub(super) function: ItemId,
    pub(super) item: ItemId,
    pub(super) offset: u32,
    pub(super) through: Through,
    pub(super) confidence: Confidence,
    pub(super) domain: Domain,
    pub(super) is_shared: bool,
    /// What it is called with, where it is called.
    pub(super) entry: Entry,
}

/// The entry points of a context in this tree, each function once.
///
/// With a focus, hardly more than those that matter to one of its implementations.
pub(super) fn roots(
    resolver: &Resolver<'_, '_>,
    context: &Context,
    focus: Option<&Focused>,
) -> Vec<RootAt> {
    // With the place of what they come from among the context's roots.
    let mut found: Vec<(usize, RootAt)> = Vec::new();
    for (rank, root) in context.roots.iter().enumerate() {
        let is_here = |it: &RootAt| {
            let other = root.elsewhere;
            !other.is_some_and(|other| is_elsewhere(resolver, it.item, other))
        };
        let of_kind = of_kind(resolver, root.kind, focus).into_iter();
        let of_kind = of_kind.filter(is_here).map(|it| RootAt {
            is_shared: root.is_shared,
            ..it
        });
        found.extend(of_kind.map(|it| (rank, it)));
    }
    found.retain(|(_, it)| {
        let file = resolver.index.file_of(it.item);
        resolver.sieve.passes(it.function) && !file.is_foreign && !file.is_test
    });
    found.sort_by_key(|(_, it)| {
        (
            it.function,
            it.domain,
            it.entry,
            it.is_shared,
            std::cmp::Reverse(it.confidence),
            it.item,
            it.offset,
        )
    });
    found.dedup_by_key(|(_, it)| (it.function, it.domain, it.entry));
    // Of equal chains the one from what the documentation names first is shown.
    found.sort_by_key(|it| it.0);
    found.into_iter().map(|it| it.1).collect()
}

fn of_kind(resolver: &Resolver<'_, '_>, kind: RootKind, focus: Option<&Focused>) -> Vec<RootAt> {
    match kind {
        RootKind::Member { structure, member } => {
            let (tag, name) = (TypeRef::Tag(Sym::of(structure)), Sym::of(member));
            let entries = resolver.entries_in(tag, name, focus);
            let all = entries.iter().map(|it| RootAt {
                function: it.function,
                item: it.item,
                offset: it.offset,
                through: Through::Member(tag, name),
                confidence: it.confidence,
                domain: it.domain.or_private(),
                is_shared: false,
                entry: Entry::ANY,
            });
            all.collect()
        }
        RootKind::Function { name, under } => {
            named(resolver, (name, under), Domain::GENERIC, focus)
        }
        // A worker of generic code works for whoever queued: that one's tables are entry points of their own.
        RootKind::Work { name, under } => named(resolver, (name, under), Domain::PRIVATE, focus),
        RootKind::Queued { queue, under } => super::queued::on(resolver, Sym::of(queue), under),
        RootKind::Argument { function, index } => {
            let function = Sym::of(function);
            let matters = |it| is_generic_or(resolver.index, focus, it);
            let callers = callers_of(resolver.index, function, &matters).into_iter();
            callers
                .flat_map(|it| passed_in(resolver, it, function, index))
                .collect()
        }
        // What lies within functions `check` asks each of them for.
        RootKind::NoSleep => super::held::called_under_locks(resolver),
        RootKind::Deferred(runner) => deferred_to(resolver, runner, focus),
    }
}

/// The functions of a name in files whose paths start with `under`.
fn named(
    resolver: &Resolver<'_, '_>,
    (name, under): (&str, &str),
    domain: Domain,
    focus: Option<&Focused>,
) -> Vec<RootAt> {
    let index = resolver.index;
    let functions = index.functions(Sym::of(name));
    functions
        .filter(|it| {
            let of = index.file_of(*it).domain;
            of == Domain::GENERIC || focus.is_none_or(|focus| focus.holds(of))
        })
        .filter(|it| index.file_of(*it).path.as_str().starts_with(under))
        .map(|it| RootAt {
            function: it,
            item: it,
            offset: index.name_offset(it),
            through: Through::Nothing,
            confidence: Confidence::High,
            domain,
            is_shared: false,
            entry: Entry::ANY,
        })
        .collect()
}

/// Whether what an item names may matter to the focus: a function of it, or generic code by generic code.
fn is_generic_or(index: &Index<'_>, focus: Option<&Focused>, item: ItemId) -> bool {
    let is_generic = || index.file_of(item).domain == Domain::GENERIC;
    focus.is_none_or(|focus| focus.may_name(index, item) || is_generic())
}

/// Whether all functions that name a table name `other` too, such as the workqueue that its callbacks run on.
fn is_elsewhere(resolver: &Resolver<'_, '_>, table: ItemId, other: &str) -> bool {
    let index = resolver.index;
    let item = index.item(table);
    let names = |it: ItemId| memchr::memmem::find(index.item_text(it), other.as_bytes()).is_some();
    let mut users = index
        .users(item.name.short())
        .filter(|it| *it != table && index.item(*it).kind == ItemKind::Function)
        .peekable();
    item.kind != ItemKind::Function && users.peek().is_some() && users.all(names)
}

/// The functions that call a name, of those that `takes` takes.
pub(super) fn callers_of(
    index: &Index<'_>,
    name: Sym,
    takes: &dyn Fn(ItemId) -> bool,
) -> Vec<ItemId> {
    let users = index.users(name.short()).filter(|it| takes(*it));
    calling(index, name, users)
}

/// Those of some items that are functions and call a name, in order.
pub(super) fn calling(
    index: &Index<'_>,
    name: Sym,
    items: impl Iterator<Item = ItemId>,
) -> Vec<ItemId> {
    let wanted = crate::lex::Ref::new(RefKind::Call, name);
    let calls = |it: &ItemId| index.refs(*it).binary_search(&wanted).is_ok();
    let functions = items.filter(|it| index.item(*it).kind == ItemKind::Function);
    let mut found: Vec<ItemId> = functions.filter(calls).collect();
    found.sort_unstable();
    found.dedup();
    found
}

pub(super) fn passed_to(
    resolver: &Resolver<'_, '_>,
    function: Sym,
    argument: usize,
) -> Vec<RootAt> {
    callers_of(resolver.index, function, &|_| true)
        .into_iter()
        .flat_map(|it| passed_in(resolver, it, function, argument))
        .collect()
}

/// What one caller of a function passes as that argument, also in a local pointer, or for its own callers.
pub(super) fn passed_in(
    resolver: &Resolver<'_, '_>,
    caller: ItemId,
    function: Sym,
    argument: usize,
) -> Vec<RootAt> {
    let mut found = Vec::new();
    let through = Through::Name(function);
    passed_along(
        resolver,
        (caller, 0),
        (function, argument),
        through,
        &mut found,
    );
    found
}

/// As [`passed_in`], so many functions above what it goes `through`.
fn passed_along(
    resolver: &Resolver<'_, '_>,
    (caller, depth): (ItemId, usize),
    (function, argument): (Sym, usize),
    through: Through,
    out: &mut Vec<RootAt>,
) {
    let index = resolver.index;
    let facts = resolver.facts(caller);
    let file = index.file_index(caller);
    let calls = facts.calls.iter();
    for call in calls.filter(|it| it.callee == Callee::Name(function)) {
        let Some(value) = call.args.get(argument) else {
            continue;
        };
        for name in functions_named(value, &facts) {
            for (target, confidence) in resolver.functions_valued(name, file).iter() {
                out.push(RootAt {
                    function: *target,
                    item: caller,
                    offset: call.offset,
                    through,
                    confidence: *confidence,
                    domain: index.file_of(caller).domain,
                    is_shared: false,
                    entry: Entry::ANY,
                });
            }
        }
        let handed = named_values(value).into_iter();
        let handed = handed.filter_map(|it| facts.params.iter().position(|param| param.0 == it));
        for param in handed.filter(|_| depth < MAX_HELPERS) {
            let own = index.item(caller).name;
            let callers = callers_of(index, own, &|it| it != caller).into_iter();
            for it in callers.filter(|it| resolver.is_meant(caller, *it)) {
                passed_along(resolver, (it, depth + 1), (own, param), through, out);
            }
        }
    }
}

fn deferred_to(
    resolver: &Resolver<'_, '_>,
    runner: kernel::Runner,
    focus: Option<&Focused>,
) -> Vec<RootAt> {
    let matters = |it| is_generic_or(resolver.index, focus, it);
    let mut names: Vec<&str> = kernel::DEFERRALS
        .iter()
        .filter(|it| it.runner == runner)
        .map(|it| it.name)
        .collect();
    names.dedup();
    let mut callers: Vec<ItemId> = names
        .iter()
        .flat_map(|it| callers_of(resolver.index, Sym::of(it), &matters))
        .collect();
    callers.extend(super::deferred::setters(
        resolver.index,
        &[runner],
        &matters,
    ));
    callers.sort_unstable();
    callers.dedup();
    let mut found = Vec::new();
    for caller in callers {
        for edge in resolver
            .edges(caller)
            .iter()
            .filter(|it| it.kind == EdgeKind::Deferred(runner))
        {
            if let Target::Function(target) = edge.target {
                found.push(RootAt {
                    function: target,
                    item: caller,
                    offset: edge.offset,
                    through: edge.through,
                    confidence: edge.confidence,
                    domain: resolver.index.file_of(caller).domain,
                    is_shared: false,
                    entry: Entry::ANY,
                });
            }
        }
    }
    found
}
