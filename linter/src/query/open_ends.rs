//! Where a chain to a function may come through unseen: its address is taken, and no call of it is found there.

use rustc_hash::FxHashSet;

use super::Graph;
use crate::facts::{Call, Callee, Expr, FunctionFacts, Step, Store, TypeRef};
use crate::graph::resolve::named_values;
use crate::graph::typing::directory;
use crate::graph::{EdgeKind, Index, ItemId, Resolver, Scope, Target, Through, hops};
use crate::lex::{self, ItemKind, RefKind, Sym};
use crate::tree::TreePath;

/// Callers are looked at up to this far above the function.
const MAX_DEPTH: u32 = 4;
/// Functions whose addresses are looked for at most.
const MAX_LOOKED_AT: usize = 200;
/// Callers of one member that are looked at.
const MAX_CALLERS: usize = 400;

/// A place that takes a function's address and from which no call of it is seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenEnd {
    /// The function: the one that was asked about, or one that leads to it.
    pub function: String,
    /// Where its address is taken.
    pub file: TreePath,
    /// 1-based.
    pub line: u32,
    /// What is done with it.
    pub how: Taken,
    /// The calls through the member that it is put in which lead to no known function, sorted; none where
    /// it is put in none, or where that is not called.
    pub unbound: Vec<(TreePath, u32)>,
}

/// What is done with a function's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    /// It is put in this `struct.member`.
    Stored(String),
    /// It is handed to this function, and by that perhaps put in a `struct.member`.
    Passed(String, Option<String>),
    /// Something else, such as being returned.
    Other,
}

/// Where an address goes.
struct Place {
    item: ItemId,
    offset: u32,
    how: How,
}

enum How {
    Stored(Through),
    Passed(Sym, Option<(ItemId, Through)>),
    Other,
}

/// What was found of one function.
#[derive(Default)]
struct Found {
    ends: Vec<OpenEnd>,
    callers: Vec<ItemId>,
}

impl Graph<'_> {
    /// The places nearest to a function, among it and its callers in the same implementation, where a chain may
    /// come through unseen.
    pub(super) fn open_ends(&self, resolver: &Resolver<'_, '_>, to: ItemId) -> Vec<OpenEnd> {
        let index = &self.index;
        let (home, own) = (index.file_of(to).domain, index.file_of(to).path.as_str());
        let is_near = |it: &ItemId| {
            let file = index.file_of(*it);
            file.domain == home && (home.0 != 0 || directory(file.path.as_str()) == directory(own))
        };
        let mut seen = FxHashSet::from_iter([to]);
        let mut level = vec![to];
        for _ in 0..MAX_DEPTH {
            let mut found = Found::default();
            for function in &level {
                self.ends_of(resolver, *function, &mut found);
            }
            if !found.ends.is_empty() {
                found.ends.sort();
                found.ends.dedup();
                return found.ends;
            }
            found.callers.sort_unstable();
            found.callers.retain(|it| is_near(it) && seen.insert(*it));
            level = found.callers;
            if level.is_empty() || seen.len() > MAX_LOOKED_AT {
                break;
            }
        }
        Vec::new()
    }

    fn ends_of(&self, resolver: &Resolver<'_, '_>, function: ItemId, found: &mut Found) {
        let index = &self.index;
        let name = index.item(function).name;
        let mut users: Vec<ItemId> = index.users(name.short()).collect();
        users.sort_unstable();
        users.dedup();
        for user in users.into_iter().filter(|it| *it != function) {
            if !resolver.is_meant(function, user) {
                continue;
            }
            let places = match index.item(user).kind {
                ItemKind::Function => {
                    let kinds = kinds_to(resolver, user, function);
                    if !kinds.is_empty() {
                        let calls = |it: &EdgeKind| !matches!(it, EdgeKind::Deferred(_));
                        found
                            .callers
                            .extend(kinds.iter().any(calls).then_some(user));
                        continue;
                    }
                    places_in(resolver, user, name)
                }
                ItemKind::Object => stored_in(resolver, user, function),
                ItemKind::Macro => {
                    let users = index.users(index.item(user).name.short());
                    let calls = |it: &ItemId| !kinds_to(resolver, *it, function).is_empty();
                    found
                        .callers
                        .extend(functions_of(index, users).filter(calls));
                    Vec::new()
                }
                ItemKind::MacroUse | ItemKind::Type | ItemKind::Typedef => Vec::new(),
            };
            for place in places {
                self.follow(resolver, function, &place, found);
            }
        }
    }

    /// Whoever calls through the member that a function was put in calls it; without such a call it is an open end.
    fn follow(
        &self,
        resolver: &Resolver<'_, '_>,
        function: ItemId,
        place: &Place,
        found: &mut Found,
    ) {
        let through = match &place.how {
            How::Stored(through) | How::Passed(_, Some((_, through))) => *through,
            How::Passed(_, None) | How::Other => Through::Nothing,
        };
        let mut unbound = Vec::new();
        if let Through::Member(of, member) = through {
            let callers = self.index.member_callers(member.short());
            let mut callers: Vec<ItemId> = functions_of(&self.index, callers).collect();
            callers.sort_unstable();
            callers.dedup();
            callers.truncate(MAX_CALLERS);
            let bound = |it: &&ItemId| !kinds_to(resolver, **it, function).is_empty();
            let bound: Vec<ItemId> = callers.iter().filter(bound).copied().collect();
            if !bound.is_empty() {
                found.callers.extend(bound);
                return;
            }
            for caller in callers {
                let lines = unbound_calls(resolver, caller, (of, member));
                let file = &self.index.file_of(caller).path;
                unbound.extend(lines.into_iter().map(|it| (file.clone(), it)));
            }
            unbound.sort();
        }
        let spell = |near, through| hops::spell(resolver, near, through);
        let how = match &place.how {
            How::Stored(through) => Taken::Stored(spell(place.item, *through)),
            How::Passed(callee, stored) => Taken::Passed(
                spell(place.item, Through::Name(*callee)),
                stored.map(|(item, through)| spell(item, through)),
            ),
            How::Other => Taken::Other,
        };
        found.ends.push(OpenEnd {
            function: self.index.name_of(function),
            file: self.index.file_of(place.item).path.clone(),
            line: self.index.position(place.item, place.offset).0,
            how,
            unbound,
        });
    }
}

fn functions_of(
    index: &Index<'_>,
    items: impl Iterator<Item = ItemId>,
) -> impl Iterator<Item = ItemId> {
    items.filter(|it| index.item(*it).kind == ItemKind::Function)
}

/// The kinds of the edges from one function to another.
fn kinds_to(resolver: &Resolver<'_, '_>, from: ItemId, to: ItemId) -> Vec<EdgeKind> {
    let edges = resolver.edges(from);
    let to_it = edges.iter().filter(|it| it.target == Target::Function(to));
    to_it.map(|it| it.kind).collect()
}

fn scope<'a>(resolver: &Resolver<'_, '_>, of: ItemId, facts: &'a FunctionFacts) -> Scope<'a> {
    Scope {
        file: resolver.index.file_index(of),
        facts,
    }
}

/// Where a table puts a function.
fn stored_in(resolver: &Resolver<'_, '_>, object: ItemId, function: ItemId) -> Vec<Place> {
    let stored = resolver.stored_functions(object).into_iter();
    let of_function = stored.filter(|it| it.function == function);
    of_function
        .map(|it| Place {
            item: object,
            offset: it.offset,
            how: match it.through {
                Through::Nothing => How::Other,
                through => How::Stored(through),
            },
        })
        .collect()
}

/// What a function does with an address that it names and does not call.
fn places_in(resolver: &Resolver<'_, '_>, user: ItemId, name: Sym) -> Vec<Place> {
    let facts = resolver.facts(user);
    let scope = scope(resolver, user, &facts);
    if facts.declares(name) {
        return Vec::new();
    }
    let means = |it: &Expr| named_values(it).contains(&name);
    let mut found = Vec::new();
    for store in facts.stores.iter().filter(|it| means(&it.value)) {
        found.push(Place {
            item: user,
            offset: store.offset,
            how: member_of(resolver, store, scope).map_or(How::Other, How::Stored),
        });
    }
    for call in &facts.calls {
        let Some(at) = call.args.iter().position(means) else {
            continue;
        };
        let (Callee::Name(callee) | Callee::Member(_, callee)) = call.callee else {
            continue;
        };
        found.push(Place {
            item: user,
            offset: call.offset,
            how: How::Passed(callee, stored_by(resolver, call, at, scope)),
        });
    }
    if found.is_empty() {
        let mut other = None;
        let (item, text) = (resolver.index.item(user), resolver.index.item_text(user));
        let from = (item.body - item.start) as usize;
        lex::each_word(text, from, |start, end, member| {
            if !member && other.is_none() && Sym::of(&text[start..end]) == name {
                other = Some(start as u32);
            }
        });
        found.extend(other.map(|offset| Place {
            item: user,
            offset,
            how: How::Other,
        }));
    }
    found
}

/// The member that a store sets, with its type as far as that is known.
fn member_of(resolver: &Resolver<'_, '_>, store: &Store, scope: Scope<'_>) -> Option<Through> {
    if !matches!(store.path.last(), Some(Step::Member(_))) {
        return None;
    }
    let start = resolver.type_of(&store.object, scope).of;
    let (of, member) = resolver.walk_path(start, false, &store.path, scope.file)?;
    Some(Through::Member(of, member))
}

/// The member that the callee of a call puts an argument in.
fn stored_by(
    resolver: &Resolver<'_, '_>,
    call: &Call,
    argument: usize,
    at: Scope<'_>,
) -> Option<(ItemId, Through)> {
    let Callee::Name(name) = call.callee else {
        return None;
    };
    let callees = resolver.functions_in(name, at.file);
    callees.iter().find_map(|(callee, _)| {
        let facts = resolver.facts(*callee);
        let (param, _) = facts.params.get(argument)?;
        let stores = facts.stores.iter();
        let mut stores = stores.filter(|it| named_values(&it.value).contains(param));
        let through =
            stores.find_map(|it| member_of(resolver, it, scope(resolver, *callee, &facts)));
        through.map(|it| (*callee, it))
    })
}

/// The lines of a function's calls through a member that lead nowhere; those of another type's are none.
fn unbound_calls(
    resolver: &Resolver<'_, '_>,
    caller: ItemId,
    (of, member): (TypeRef, Sym),
) -> Vec<u32> {
    let is_called = |it: &lex::Ref| it.kind() == RefKind::Declares && it.name() == member.short();
    if !resolver.index.refs(caller).iter().any(is_called) {
        return Vec::new();
    }
    let facts = resolver.facts(caller);
    let edges = resolver.edges(caller);
    let scope = scope(resolver, caller, &facts);
    let is_meant = |it: &Expr| {
        let typed = resolver.type_of(it, scope).of;
        typed == of || typed == TypeRef::Unknown || of == TypeRef::Unknown
    };
    let calls = facts.calls.iter().filter(|it| match &it.callee {
        Callee::Member(object, name) => *name == member && is_meant(object),
        _ => false,
    });
    calls
        .filter(|call| edges.iter().all(|it| it.offset != call.offset))
        .map(|it| resolver.index.position(caller, it.offset).0)
        .collect()
}
