//! Ops tables: which functions stand in a member of a type.

use rustc_hash::FxHashSet;
use std::sync::Arc;

use super::bodies::{Holder, holders};
use super::domains::Domain;
use super::focused::Focused;
use super::gifts::Gift;
use super::index::ItemId;
use super::resolve::{Resolver, Scope, Through, named_values};
use super::typing::substitute;
use crate::facts::{Call, Callee, Expr, FunctionFacts, ObjectFacts, Step, Store, TypeRef};
use crate::finding::Confidence;
use crate::lex::{ItemKind, RefKind, Sym, flags};

/// Macros inside macros are followed this deep to an object that one of them fills.
const MAX_STORING_DEPTH: u32 = 3;
/// Definitions of one macro that are looked at for such an object: both arms of an `#if`.
const MAX_STORING_TWINS: usize = 2;

/// A function in a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) function: ItemId,
    /// The type that holds the member.
    pub(crate) of: TypeRef,
    /// Where it is put there.
    pub(crate) item: ItemId,
    pub(crate) offset: u32,
    pub(crate) confidence: Confidence,
    /// Whose table it is.
    pub(crate) domain: Domain,
    /// How it came there, where somebody passed it to a helper.
    pub(super) gift: Option<Gift>,
}

/// A function that an item stores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) function: ItemId,
    /// The member; nothing in an array of pointers.
    pub(crate) through: Through,
    pub(crate) offset: u32,
}

impl Resolver<'_, '_> {
    /// What `member` of `of` may call; with an unknown type, whatever any member of that name may call.
    pub(crate) fn entries(&self, of: TypeRef, member: Sym) -> Arc<Vec<Entry>> {
        self.tables
            .get((of, member), || self.all_entries(of, member, None))
    }

    /// As [`Resolver::entries`], only of items that may name functions in focus.
    pub(super) fn entries_in(
        &self,
        of: TypeRef,
        member: Sym,
        focus: Option<&Focused>,
    ) -> Arc<Vec<Entry>> {
        let known = self.tables.known((of, member));
        if known.is_none() && focus.is_some() {
            return Arc::new(self.all_entries(of, member, focus));
        }
        known.unwrap_or_else(|| self.entries(of, member))
    }

    fn all_entries(&self, of: TypeRef, member: Sym, focus: Option<&Focused>) -> Vec<Entry> {
        let mut found = self.entries_stored(of, member, focus);
        found.extend(self.entries_given(of, member, focus));
        found.extend(self.entries_copied(of, member, focus));
        in_order(found)
    }

    /// As [`Resolver::entries_in`], only what is put there by its name: in tables and by assignment.
    pub(super) fn entries_stored(
        &self,
        of: TypeRef,
        member: Sym,
        focus: Option<&Focused>,
    ) -> Vec<Entry> {
        let takes = |it| focus.is_none_or(|focus| focus.may_name(self.index, it));
        self.entries_set(of, member, &takes, &|it| self.may_pass(it))
    }

    /// What is put into `member` of `of` by its name, whether the sieve lets it through or not.
    pub(super) fn entries_of_all(&self, of: TypeRef, member: Sym) -> Vec<Entry> {
        self.entries_set(of, member, &|_| true, &|_| true)
    }

    /// What items put into `member` by its name: functions whose name passes, of the items that `takes` takes.
    fn entries_set(
        &self,
        of: TypeRef,
        member: Sym,
        takes: &dyn Fn(ItemId) -> bool,
        passes: &dyn Fn(u32) -> bool,
    ) -> Vec<Entry> {
        let index = self.index;
        let wanted = |value: u32| index.may_name_function(value) && passes(value);
        let mut items: Vec<ItemId> = index
            .setters(member.short())
            .filter(|it| takes(it.1) && wanted(it.0))
            .map(|it| it.1)
            .collect();
        if let TypeRef::Tag(tag) = of {
            items.extend(index.objects_of(tag).filter(|it| {
                if !takes(*it) || !index.file_of(*it).at_home {
                    return false;
                }
                let paired: FxHashSet<u32> = index.pairs_of(*it).iter().map(|it| it[1]).collect();
                index.refs(*it).iter().any(|it| {
                    it.kind() == RefKind::Mention
                        && !paired.contains(&it.name())
                        && wanted(it.name())
                })
            }));
        }
        items.sort_unstable();
        items.dedup();
        let mut found = Vec::new();
        for item in items {
            self.entries_of_item(item, of, member, &mut found);
        }
        in_order(found)
    }

    pub(super) fn may_pass(&self, value: u32) -> bool {
        let mut named = (self.index.functions_of(value)).chain(self.index.macros_of(value));
        named.any(|it| self.sieve.passes(it))
    }

    fn entries_of_item(&self, item: ItemId, of: TypeRef, member: Sym, out: &mut Vec<Entry>) {
        let file = self.index.file_index(item);
        match self.index.item(item).kind {
            ItemKind::Object => {
                let object = self.object(item);
                let empty = FunctionFacts::default();
                let scope = Scope {
                    file,
                    facts: &empty,
                };
                for store in &object.stores {
                    let holder = self.holder(&object, store, file);
                    out.extend(self.entries_of_store((item, scope), store, holder, (of, member)));
                }
            }
            ItemKind::Function => {
                let facts = self.facts(item);
                let scope = Scope {
                    file,
                    facts: &facts,
                };
                for store in facts.stores.iter().filter(|it| !it.on_stack) {
                    if store.path.contains(&Step::Member(member))
                        || store.path.iter().any(|it| matches!(it, Step::Position(_)))
                    {
                        let start = self.type_of(&store.object, scope).of;
                        let holder = (start, false);
                        out.extend(self.entries_of_store(
                            (item, scope),
                            store,
                            holder,
                            (of, member),
                        ));
                    }
                }
            }
            ItemKind::Macro => out.extend(self.entries_of_body(item, of, member)),
            _ => {}
        }
    }

    /// What the body of a macro sets. Where that is used inside initialisers, only the member's name is known.
    fn entries_of_body(&self, item: ItemId, of: TypeRef, member: Sym) -> Vec<Entry> {
        let pairs = self.index.pairs_of(item).iter();
        let values: Vec<u32> = pairs
            .filter(|it| it[0] == member.short())
            .map(|it| it[1])
            .collect();
        if values.is_empty() {
            return Vec::new();
        }
        let holders = holders(self.index.item_text(item), member);
        let is_other =
            |it: &Holder| matches!((it, of), (Holder::Tag(it), TypeRef::Tag(of)) if *it != of);
        if !holders.is_empty() && holders.iter().all(is_other) {
            return Vec::new();
        }
        let functions = values
            .iter()
            .flat_map(|it| self.functions_by_short(item, *it));
        let entry = |function| Entry {
            function,
            of,
            item,
            offset: 0,
            confidence: Confidence::Low,
            domain: self.index.file_of(item).domain,
            gift: None,
        };
        functions.map(entry).collect()
    }

    /// All functions that an item puts into members or into arrays of pointers.
    pub(crate) fn stored_functions(&self, item: ItemId) -> Vec<Stored> {
        let file = self.index.file_index(item);
        let is_object = self.index.item(item).kind == ItemKind::Object;
        let object = is_object.then(|| self.object(item));
        let facts = (!is_object).then(|| self.facts(item));
        let facts = facts.unwrap_or_default();
        let stores = object.as_ref().map_or(&facts.stores, |it| &it.stores);
        let facts: &FunctionFacts = &facts;
        let scope = Scope { file, facts };
        let mut out = Vec::new();
        for store in stores {
            let (start, is_array) = match &object {
                Some(object) => self.holder(object, store, file),
                None => (self.type_of(&store.object, scope).of, false),
            };
            let through = match self.walk_path(start, is_array, &store.path, file) {
                Some((of, member)) => Through::Member(of, member),
                None => Through::Nothing,
            };
            let mut names = named_values(&store.value);
            if let Expr::Call(_, args) = &store.value {
                names.extend(args.iter().flat_map(named_values));
            }
            for name in names.into_iter().filter(|it| !facts.declares(*it)) {
                let functions = self.functions_valued(name, file).to_vec();
                out.extend(functions.into_iter().map(|it| Stored {
                    function: it.0,
                    through,
                    offset: store.offset,
                }));
            }
        }
        for call in &facts.calls {
            self.stored_by_macros(call, scope, (call.offset, 0), &mut out);
        }
        out
    }

    /// What macros put into members that a call uses: those of an object which they declare, as in
    /// `({ static struct watcher w = { .run = fn }; watch(&w); })`, or of one that they are given.
    fn stored_by_macros(
        &self,
        call: &Call,
        scope: Scope<'_>,
        (offset, depth): (u32, u32),
        out: &mut Vec<Stored>,
    ) {
        let Callee::Name(name) = call.callee else {
            return;
        };
        if depth >= MAX_STORING_DEPTH || scope.facts.declares(name) {
            return;
        }
        let macros = self.macros_in(name, scope.file);
        let is_used = |it: &ItemId| self.index.item(*it).flags & flags::FUNCTION_LIKE != 0;
        for definition in macros.into_iter().filter(is_used).take(MAX_STORING_TWINS) {
            let facts = self.facts(definition);
            let value = |it: &Expr| substitute(it, &facts, &call.args, 0);
            let home = self.index.file_index(definition);
            let inside = Scope {
                file: home,
                facts: &facts,
            };
            for store in &facts.stores {
                let object = value(&store.object);
                let of_user = object != store.object;
                let given = || self.type_of(&object, scope).of;
                let own = || self.type_of(&store.object, inside).of;
                let root = store.object.root();
                let declares = facts.locals.iter().any(|it| Some(it.0) == root);
                let start = if of_user && !declares { given() } else { own() };
                let through = match self.walk_path(start, false, &store.path, home) {
                    Some((of, member)) if of != TypeRef::Unknown => Through::Member(of, member),
                    _ => continue,
                };
                let names = named_values(&value(&store.value)).into_iter();
                let functions = names
                    .filter(|it| !scope.facts.declares(*it))
                    .flat_map(|it| self.functions_valued(it, scope.file).to_vec());
                out.extend(functions.map(|it| Stored {
                    function: it.0,
                    through,
                    offset,
                }));
            }
            for inner in facts.calls.iter().filter(|it| it.callee != call.callee) {
                let expanded = Call {
                    args: inner.args.iter().map(value).collect(),
                    ..inner.clone()
                };
                self.stored_by_macros(&expanded, scope, (offset, depth + 1), out);
            }
        }
    }

    /// The type of what an initialiser stores into, and whether it is an array: the variable, or a literal in it.
    fn holder(&self, variable: &ObjectFacts, store: &Store, file: usize) -> (TypeRef, bool) {
        match store.object {
            Expr::Typed(of) => (self.canonical(of, file), false),
            _ => (self.canonical(variable.of, file), variable.is_array),
        }
    }

    fn entries_of_store(
        &self,
        (item, scope): (ItemId, Scope<'_>),
        store: &Store,
        (start, is_array): (TypeRef, bool),
        (of, member): (TypeRef, Sym),
    ) -> Vec<Entry> {
        let mut out = Vec::new();
        let Some((holder, set)) = self.walk_path(start, is_array, &store.path, scope.file) else {
            return out;
        };
        if set != member {
            return out;
        }
        let confidence = match (holder, of) {
            (TypeRef::Unknown, _) | (_, TypeRef::Unknown) => Confidence::Low,
            (holder, of) if holder == of => Confidence::High,
            _ => return out,
        };
        for (function, sure) in self.functions_meant(&store.value, scope) {
            out.push(Entry {
                function,
                of: holder,
                item,
                offset: store.offset,
                confidence: confidence.min(sure),
                domain: self.index.file(scope.file).domain,
                gift: None,
            });
        }
        for function in self.functions_handed(&store.value, scope) {
            out.push(Entry {
                function,
                of: holder,
                item,
                offset: store.offset,
                confidence: Confidence::Low,
                domain: self.index.file(scope.file).domain,
                gift: None,
            });
        }
        out
    }

    /// `WRAP(function)`: the macro may hand the function on.
    pub(super) fn functions_handed(&self, value: &Expr, scope: Scope<'_>) -> Vec<ItemId> {
        let Expr::Call(_, args) = value else {
            return Vec::new();
        };
        let named = args.iter().flat_map(named_values);
        let functions = named.flat_map(|it| self.functions_valued(it, scope.file).to_vec());
        functions.map(|it| it.0).collect()
    }

    /// The type and the member that a path into an initialiser ends at.
    pub(crate) fn walk_path(
        &self,
        start: TypeRef,
        is_array: bool,
        path: &[Step],
        file: usize,
    ) -> Option<(TypeRef, Sym)> {
        let (mut of, mut is_array) = (start, is_array);
        let mut last = None;
        for step in path {
            let member = match step {
                Step::Element => {
                    is_array = false;
                    continue;
                }
                Step::Position(_) if is_array => {
                    is_array = false;
                    continue;
                }
                Step::Position(at) => self.member_at(of, *at, file)?,
                Step::Member(name) => {
                    self.member(of, *name, file)
                        .unwrap_or(crate::facts::Member {
                            name: *name,
                            of: TypeRef::Unknown,
                            is_array: false,
                            is_function: false,
                        })
                }
            };
            last = Some((of, member.name));
            is_array = member.is_array;
            // Members of an unnamed struct are the outer one's own.
            if member.of != TypeRef::Unknown || member.is_function {
                of = self.canonical(member.of, file);
            }
        }
        last
    }

    fn functions_by_short(&self, item: ItemId, value: u32) -> Vec<ItemId> {
        let text = self.index.item_text(item);
        let file = self.index.file_index(item);
        let mut found: Vec<ItemId> = text
            .split(|it| !(it.is_ascii_alphanumeric() || *it == b'_'))
            .filter(|it| !it.is_empty())
            .map(Sym::of)
            .filter(|it| it.short() == value)
            .flat_map(|it| self.functions_valued(it, file).to_vec())
            .map(|it| it.0)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Each function once for an implementation and a helper, as sure as it is.
fn in_order(mut found: Vec<Entry>) -> Vec<Entry> {
    found.sort_by_key(|it: &Entry| {
        (
            it.function,
            it.domain,
            it.gift,
            std::cmp::Reverse(it.confidence),
            it.item,
            it.offset,
        )
    });
    // What a table holds is not given as well; who was given it by whom decides who may call it.
    found.dedup_by(|it, before| {
        let is_same = (it.function, it.domain) == (before.function, before.domain);
        is_same && (before.gift.is_none() || it.gift == before.gift)
    });
    found
}
