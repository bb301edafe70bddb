//! Members that are given what the member of the same name holds elsewhere: `stream->issue = ops->issue`.
//!
//! The sieve knows members by their names alone, so what is copied like that passes with what it is copied from.

use super::focused::Focused;
use super::index::ItemId;
use super::resolve::{Resolver, Scope};
use super::tables::Entry;
use crate::facts::{Expr, Step, Store, TypeRef};
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::{ItemKind, Sym, copied};

impl Resolver<'_, '_> {
    /// What functions copy into `member` of `of`, of what the same member of another type holds by name. Both types
    /// have to be known.
    pub(super) fn entries_copied(
        &self,
        of: TypeRef,
        member: Sym,
        focus: Option<&Focused>,
    ) -> Vec<Entry> {
        let mut found = Vec::new();
        if of == TypeRef::Unknown {
            return found;
        }
        for copier in self.copiers(member) {
            let facts = self.facts(copier);
            let file = self.index.file_index(copier);
            let scope = Scope {
                file,
                facts: &facts,
            };
            for store in facts.stores.iter().filter(|it| sets(it, member)) {
                let start = self.type_of(&store.object, scope).of;
                let set = self.walk_path(start, false, &store.path, file);
                if set != Some((of, member)) || self.runner_of(store, scope).is_some() {
                    continue;
                }
                let mut read = members_read(&store.value);
                read.retain(|it| it.1 == member);
                let entries = self.entries_read(read, scope, focus).into_iter();
                found.extend(entries.filter(|it| it.of != of).map(|it| Entry {
                    of,
                    item: copier,
                    offset: store.offset,
                    ..it
                }));
            }
        }
        found
    }

    /// What members hold by name, where the types of those that they are read from are known.
    pub(super) fn entries_read(
        &self,
        members: Vec<(&Expr, Sym)>,
        scope: Scope<'_>,
        focus: Option<&Focused>,
    ) -> Vec<Entry> {
        let mut found = Vec::new();
        for (object, member) in members {
            let of = self.type_of(object, scope).of;
            if of == TypeRef::Unknown || is_door(of) {
                continue;
            }
            let stored = self.entries_stored(of, member, focus).into_iter();
            found.extend(stored.map(|it| {
                let choice = self.choice(of, member, it.domain);
                let confidence = it.confidence.min(choice).min(Confidence::Medium);
                Entry { confidence, ..it }
            }));
        }
        found
    }

    /// The functions that copy into a member of this name from one of the same name.
    fn copiers(&self, member: Sym) -> Vec<ItemId> {
        let index = self.index;
        let value = copied(member.short());
        let copying = index.setters(member.short()).filter(|it| it.0 == value);
        let mut found: Vec<ItemId> = copying
            .map(|it| it.1)
            .filter(|it| index.item(*it).kind == ItemKind::Function)
            .filter(|it| index.file_of(*it).at_home && !index.file_of(*it).is_foreign)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn sets(store: &Store, member: Sym) -> bool {
    !store.on_stack && store.path.last() == Some(&Step::Member(member))
}

/// Whether functions of this type are called by system calls: the sieve does not know their members.
fn is_door(of: TypeRef) -> bool {
    let mut doors = kernel::FRONT_DOORS.iter();
    doors.any(|it| of == TypeRef::Tag(Sym::of(it)))
}

/// The members that a value may be read from, with what holds them.
pub(super) fn members_read(value: &Expr) -> Vec<(&Expr, Sym)> {
    match value {
        Expr::Member(object, member) => vec![(object, *member)],
        Expr::Either(first, second) => {
            let mut found = members_read(first);
            found.extend(members_read(second));
            found
        }
        _ => Vec::new(),
    }
}
