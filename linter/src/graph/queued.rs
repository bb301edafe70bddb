//! Work functions by the workqueue that runs them: one place sets an item up, another queues it.

use super::callbacks::functions_named;
use super::domains::Domain;
use super::index::{FilesBelow, Index, ItemId};
use super::resolve::{Resolver, Scope, Through, named_values};
use super::roots::{RootAt, calling, passed_to};
use super::typing::substitute;
use super::values::Entry;
use crate::facts::{Call, Callee, Expr, FunctionFacts, TypeRef};
use crate::finding::Confidence;
use crate::kernel::{self, Runner};
use crate::lex::{ItemKind, RefKind, Sym, flags};

/// A workqueue or an item is handed down through this many functions.
const MAX_HANDED: u32 = 2;

/// A work item.
#[derive(Clone, Copy, PartialEq)]
enum Item {
    /// A member, with the type that holds it as far as that is known.
    Member(TypeRef, Sym),
    /// A variable, with the file that it is static in.
    Variable(Sym, Option<usize>),
}

impl Item {
    /// Whether two expressions can mean the same item; `None` where they cannot.
    fn matches(self, other: Self) -> Option<Confidence> {
        match (self, other) {
            (Self::Member(of, member), Self::Member(other_of, other_member)) => {
                let is_known = of != TypeRef::Unknown && other_of != TypeRef::Unknown;
                match (member == other_member, is_known) {
                    (false, _) => None,
                    (true, false) => Some(Confidence::Medium),
                    (true, true) => (of == other_of).then_some(Confidence::High),
                }
            }
            (Self::Variable(..), Self::Variable(..)) => (self == other).then_some(Confidence::High),
            _ => None,
        }
    }
}

/// The work functions of what code in files whose paths start with `under` queues on a workqueue that it knows by this name.
pub(super) fn on(resolver: &Resolver<'_, '_>, queue: Sym, under: &str) -> Vec<RootAt> {
    let under = &resolver.index.files_below(under);
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
        for (caller, call) in sites(resolver, name, under) {
            let item = call
                .args
                .first()
                .and_then(|it| item_of(resolver, caller, it));
            let sure = item.and_then(|item| queued.iter().filter_map(|it| it.matches(item)).max());
            if let (Some(sure), Some(callback)) = (sure, call.args.get(it.callback)) {
                let facts = resolver.facts(caller);
                let to = (caller, call.offset, name);
                found.extend(set_up(resolver, &facts, callback, to, sure));
            }
        }
    }
    found.extend(declared(resolver, &queued, under));
    found.extend(stored(resolver, &queued, under));
    found
}

/// The work functions of items that are variables and declared with them: `static DECLARE_WORK(item, function)`.
fn declared(resolver: &Resolver<'_, '_>, queued: &[Item], under: &FilesBelow) -> Vec<RootAt> {
    let index = resolver.index;
    let homes = queued.iter().filter_map(|it| match it {
        Item::Variable(_, home) => Some(*home),
        Item::Member(..) => None,
    });
    let mut files: Vec<usize> = Vec::new();
    for home in homes {
        match home {
            Some(file) if under.holds(file) => files.push(file),
            Some(_) => {}
            None => files.extend(index.live_of(under)),
        }
    }
    files.sort_unstable();
    files.dedup();
    let mut found = Vec::new();
    for file in files {
        for it in declarations(index, file) {
            let item = Item::Variable(it.variable, it.is_static.then_some(file));
            if let (true, Some(callback)) = (queued.contains(&item), it.callback) {
                let facts = FunctionFacts::default();
                let callback = Expr::Name(callback);
                let to = (it.at, 0, it.by);
                found.extend(set_up(resolver, &facts, &callback, to, Confidence::High));
            }
        }
    }
    found
}

/// A variable that a macro declares with its work function.
struct Declaration {
    at: ItemId,
    /// The macro's name.
    by: Sym,
    variable: Sym,
    callback: Option<Sym>,
    is_static: bool,
}

/// Those of a file.
fn declarations(index: &Index<'_>, file: usize) -> impl Iterator<Item = Declaration> {
    let items = index.items(file);
    let uses = items.filter(|it| it.1.kind == ItemKind::MacroUse);
    uses.filter_map(|(at, item)| {
        let mut all = kernel::DEFERRALS.iter();
        let deferral = all.find(|it| Sym::of(it.name) == item.name)?;
        let text = index.item_text(at);
        let open = (item.body - item.start) as usize;
        let close = crate::expand::close_of(text, open);
        let inside = text.get(open + 1..close.saturating_sub(1))?;
        let args = crate::expand::split(inside);
        let word = |at: usize| args.get(at).map(Sym::of);
        Some(Declaration {
            at,
            by: item.name,
            variable: word(0)?,
            callback: word(deferral.callback),
            is_static: item.flags & flags::STATIC != 0,
        })
    })
}

/// The work functions that code below `under` stores in one of the items itself: `item->func = name`.
fn stored(resolver: &Resolver<'_, '_>, queued: &[Item], under: &FilesBelow) -> Vec<RootAt> {
    let index = resolver.index;
    let runners = [Runner::Work, Runner::OrderedWork];
    let takes = |it: ItemId| under.holds(index.file_index(it));
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
fn queued_on(resolver: &Resolver<'_, '_>, queue: Sym, under: &FilesBelow) -> Vec<Item> {
    let search = Search {
        resolver,
        queue,
        under,
    };
    let mut found = Vec::new();
    for (name, at, item) in kernel::QUEUE_CALLS {
        for (caller, call) in sites(resolver, Sym::of(name), under) {
            if let (Some(queue), Some(item)) = (call.args.get(*at), call.args.get(*item)) {
                let queue = Handed::Here(queue.clone());
                let item = Handed::Here(item.clone());
                search.items(caller, (&queue, &item), 0, &mut found);
            }
        }
    }
    found
}

/// What is asked of the places that queue.
struct Search<'r, 'i, 't> {
    resolver: &'r Resolver<'i, 't>,
    queue: Sym,
    under: &'r FilesBelow,
}

/// The workqueue or the item of a place that queues.
#[derive(Clone)]
enum Handed<T> {
    /// An expression of the function that is looked at.
    Here(Expr),
    /// It was known further down.
    Below(T),
}

impl Search<'_, '_, '_> {
    /// The item, where the workqueue is the one; what is a parameter is looked for in the callers.
    fn items(
        &self,
        function: ItemId,
        (queue, item): (&Handed<()>, &Handed<Item>),
        depth: u32,
        found: &mut Vec<Item>,
    ) {
        let facts = self.resolver.facts(function);
        let param = |it: &Expr| match it {
            Expr::Name(name) => facts.params.iter().position(|it| it.0 == *name),
            _ => None,
        };
        let (queue, queue_param) = match queue {
            Handed::Below(()) => (Some(()), None),
            Handed::Here(it) if names(&facts, it).contains(&self.queue) => (Some(()), None),
            Handed::Here(it) => (None, param(it)),
        };
        let (item, item_param) = match item {
            Handed::Below(it) => (Some(*it), None),
            Handed::Here(it) => (item_of(self.resolver, function, it), param(it)),
        };
        if let (Some(()), Some(item)) = (queue, item) {
            found.push(item);
            return;
        }
        let is_handed =
            (queue.is_some() || queue_param.is_some()) && (item.is_some() || item_param.is_some());
        if !is_handed || depth >= MAX_HANDED {
            return;
        }
        let name = self.resolver.index.item(function).name;
        for (caller, call) in sites(self.resolver, name, self.under) {
            if !self.resolver.is_meant(function, caller) {
                continue;
            }
            let arg = |at: Option<usize>| call.args.get(at?).cloned();
            let of_queue = queue.map(Handed::Below);
            let of_queue = of_queue.or_else(|| arg(queue_param).map(Handed::Here));
            let of_item = item.map(Handed::Below);
            let of_item = of_item.or_else(|| arg(item_param).map(Handed::Here));
            if let (Some(queue), Some(item)) = (of_queue, of_item) {
                self.items(caller, (&queue, &item), depth + 1, found);
            }
        }
    }
}

/// The calls of a name in functions below `under`, with those that a macro of the tree makes for them.
fn sites(resolver: &Resolver<'_, '_>, name: Sym, under: &FilesBelow) -> Vec<(ItemId, Call)> {
    let index = resolver.index;
    let mut found = Vec::new();
    for caller in below(resolver, name, under) {
        let facts = resolver.facts(caller);
        found.extend(calls_of(&facts, name).map(|it| (caller, it.clone())));
    }
    let wanted = crate::lex::Ref::new(RefKind::Call, name);
    let mut macros: Vec<ItemId> = index
        .macros_using(name.short())
        .into_iter()
        .filter(|it| {
            let item = index.item(*it);
            item.flags & flags::FUNCTION_LIKE != 0
                && !is_known(item.name)
                && index.refs(*it).binary_search(&wanted).is_ok()
        })
        .collect();
    macros.sort_unstable();
    for definition in macros {
        let facts = resolver.facts(definition);
        let of_macro = index.item(definition).name;
        for caller in below(resolver, of_macro, under) {
            let file = index.file_index(caller);
            if !resolver.macros_in(of_macro, file).contains(&definition) {
                continue;
            }
            let of_caller = resolver.facts(caller);
            for used in calls_of(&of_caller, of_macro) {
                let value = |it: &Expr| substitute(it, &facts, &used.args, 0);
                found.extend(calls_of(&facts, name).map(|it| {
                    let args = it.args.iter().map(value).collect();
                    let call = Call {
                        args,
                        ..used.clone()
                    };
                    (caller, call)
                }));
            }
        }
    }
    found
}

/// Whether what a name does with a work item is known without its body.
fn is_known(name: Sym) -> bool {
    kernel::DEFERRALS.iter().any(|it| Sym::of(it.name) == name)
        || kernel::QUEUE_CALLS.iter().any(|it| Sym::of(it.0) == name)
}

fn below(resolver: &Resolver<'_, '_>, name: Sym, under: &FilesBelow) -> Vec<ItemId> {
    let index = resolver.index;
    calling(index, name, index.users_below(name.short(), under))
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
        Expr::Member(object, member) => {
            Some(Item::Member(resolver.type_of(object, scope).of, *member))
        }
        _ => None,
    };
    match of {
        Expr::Name(name) if facts.declares(*name) => {
            let mut given = facts.assigns.iter().filter(|it| it.0 == *name);
            given.find_map(|it| member(&it.1))
        }
        Expr::Name(name) => Some(variable(resolver.index, *name, scope.file)),
        _ => member(of),
    }
}

/// The item that is a variable of this name in a file.
fn variable(index: &Index<'_>, name: Sym, file: usize) -> Item {
    let mut objects = index.objects(name);
    let is_static = objects
        .any(|it| index.item(it).flags & flags::STATIC != 0 && index.file_index(it) == file)
        || declarations(index, file).any(|it| it.is_static && it.variable == name);
    Item::Variable(name, is_static.then_some(file))
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
        }
    }
    for name in functions_named(callback, facts) {
        let functions = resolver.functions_valued(name, file);
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
    for it in &mut found {
        it.confidence = it.confidence.min(sure);
        it.domain = Domain::PRIVATE;
    }
    found
}
