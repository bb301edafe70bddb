//! What may lead to a sink, from names alone: an over-approximation that only ever lets through too much.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bits::Bits;
use super::closure::{Changed, Closure, Passing};
use super::domains::Domain;
use super::index::{Index, ItemId};
use super::users::{NAME_SHIFT, Users};
use crate::lex::Sym;

/// The items that may lead to a sink, over all implementations and within each.
pub(crate) struct Sieve<'i, 't> {
    /// `None` lets everything through.
    closed: Option<Closed<'i, 't>>,
}

struct Closed<'i, 't> {
    users: Users<'i, 't>,
    found: Arc<Closures>,
    /// What was found in the tree that this one differs from.
    before: Option<Arc<Closures>>,
    /// What passes that did not pass in that tree.
    added: Vec<ItemId>,
    changed: Changed,
    /// What passes of generic code alone, which is the same for every implementation.
    generic: OnceLock<Passing>,
}

/// What a sieve found in a tree; good for the next sieve of a tree that differs in a few files.
#[derive(Serialize, Deserialize)]
pub(crate) struct Closures {
    pub(super) all: Passing,
    /// Names of what passes, and perhaps others: their upper bits.
    pub(super) names: Bits,
    /// Functions of an implementation that others call by name, with that implementation.
    crossing: Vec<(u32, Domain)>,
    /// One an implementation, computed when a chain is in it.
    #[serde(with = "slots")]
    within: Vec<OnceLock<Passing>>,
}

/// Values that are there or not.
mod slots {
    use super::{Deserialize, Deserializer, OnceLock, Passing, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        slots: &[OnceLock<Passing>],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let values: Vec<Option<&Passing>> = slots.iter().map(OnceLock::get).collect();
        values.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<OnceLock<Passing>>, D::Error> {
        let values = Vec::<Option<Passing>>::deserialize(from)?;
        Ok(values
            .into_iter()
            .map(|it| it.map_or_else(OnceLock::new, OnceLock::from))
            .collect())
    }
}

impl<'i, 't> Sieve<'i, 't> {
    /// Lets everything through.
    pub(crate) fn open() -> Self {
        Self { closed: None }
    }

    /// What may lead to functions of these names by any chain, front doors and machinery included; the functions
    /// themselves as well.
    pub(crate) fn leading_to(index: &'i Index<'t>, names: &[Sym]) -> Self {
        let users = Users {
            doors: FxHashSet::default(),
            owners: &[],
            ..Users::new(index, names, FxHashSet::default())
        };
        let mut closure = Closure::new(&users, None);
        let functions = names.iter().flat_map(|it| index.functions(*it));
        functions.for_each(|it| closure.add(it));
        let (all, _) = closure.close(&[]);
        let found = Closures {
            names: users.passing_names(&all),
            all,
            crossing: Vec::new(),
            within: Vec::new(),
        };
        Self {
            closed: Some(Closed {
                users,
                found: Arc::new(found),
                before: None,
                added: Vec::new(),
                changed: Changed::default(),
                generic: OnceLock::new(),
            }),
        }
    }

    /// Whether everything is let through.
    pub(crate) fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Whether all that it lets through may lead to a sink in this tree, and not in one before, or at all.
    pub(crate) fn is_exact(&self) -> bool {
        let closed = self.closed.as_ref();
        closed.is_some_and(|it| it.before.is_none())
    }

    /// Computes the closure: items that name a sink, items that name those, and so on; `stop` names
    /// are never led through.
    ///
    /// `before` is what was found in the tree that the index is a change of. What led to a sink there is let
    /// through here as well.
    pub(crate) fn build(
        index: &'i Index<'t>,
        sinks: &[Sym],
        stop: FxHashSet<u32>,
        before: Option<Arc<Closures>>,
    ) -> Self {
        let users = Users::new(index, sinks, stop);
        let changed = Changed::of(index);
        let (all, added) = match &before {
            Some(before) => {
                Closure::after(&users, None, &before.all).close_new(&changed, &|_| true)
            }
            None => Closure::new(&users, None).close(&[]),
        };
        let crossing = || {
            let mut crossing = match &before {
                Some(before) => {
                    let mut crossing = before.crossing.clone();
                    crossing.extend(users.crossing(added.iter().copied()));
                    // What passed all the time may be called from elsewhere now.
                    let may_lead = |name: u32| before.names.has(name >> NAME_SHIFT);
                    let named = changed.named(index, &may_lead);
                    let passing = named.filter(|it| all.has(index.number(*it)));
                    crossing.extend(users.crossing(passing));
                    crossing
                }
                None => users.crossing(users.passing_functions(&all)),
            };
            crossing.sort_unstable();
            crossing.dedup();
            crossing
        };
        let names = || match &before {
            Some(before) => {
                let mut names = before.names.clone();
                let new = added.iter().map(|it| index.item(*it).name.short());
                let new = new
                    .chain(index.pasting())
                    .chain(all.cleanups.iter().copied())
                    .chain(all.variables());
                new.for_each(|it| names.set(it >> NAME_SHIFT));
                names
            }
            None => users.passing_names(&all),
        };
        let (crossing, names) = rayon::join(crossing, names);
        let domains = index.domain_count();
        let within = (0..=domains).map(|_| OnceLock::new()).collect();
        let found = Closures {
            all,
            names,
            crossing,
            within,
        };
        let changed = changed.leading(index, &found);
        Self {
            closed: Some(Closed {
                users,
                found: Arc::new(found),
                before,
                added,
                changed,
                generic: OnceLock::new(),
            }),
        }
    }

    /// What it found, for the sieve of a similar tree; `None` where it lets everything through.
    pub(crate) fn closures(&self) -> Option<Arc<Closures>> {
        self.closed.as_ref().map(|it| Arc::clone(&it.found))
    }

    /// The items and members that pass and did not in the tree before, as [`Sym::short`] the members; `None` where
    /// there is no tree before.
    pub(crate) fn added(&self) -> Option<(&[ItemId], Vec<u32>)> {
        let closed = self.closed.as_ref()?;
        let before = &closed.before.as_ref()?.all;
        let (now, was) = (&closed.found.all, &before.members);
        let members = now.members.iter().filter(|it| !was.contains(*it));
        let given = now.given.iter();
        let given = given.filter(|it| before.given.get(it.0).map(Vec::len) != Some(it.1.len()));
        let new = members.chain(given.map(|it| it.0)).copied();
        Some((&closed.added, new.collect()))
    }

    /// Whether an item of the tree before passed there, by its [`Index::number`] in that tree.
    pub(crate) fn passed_before(&self, number: u32) -> bool {
        let before = self.closed.as_ref().and_then(|it| it.before.as_ref());
        before.is_some_and(|it| it.all.has(number))
    }

    /// The names of the macros without arguments that may lead to a sink, as [`Sym::short`]; `None` for all.
    pub(crate) fn bare_macros(&self) -> Option<&FxHashSet<u32>> {
        self.closed.as_ref().map(|it| &it.found.all.bare)
    }

    /// Whether an item may lead to a sink at all.
    pub(crate) fn passes(&self, id: ItemId) -> bool {
        self.closed
            .as_ref()
            .is_none_or(|it| it.found.all.has(it.users.index.number(id)))
    }

    /// Whether an item may lead to a sink for a chain that is in `domain` and stays on the filesystem side.
    pub(crate) fn passes_within(&self, id: ItemId, domain: Domain) -> bool {
        let Some(closed) = &self.closed else {
            return true;
        };
        let number = closed.users.index.number(id);
        if !closed.found.all.items.has(number) {
            return false;
        }
        match closed.found.within.get(domain.0 as usize) {
            Some(slot) if domain != Domain::GENERIC => {
                slot.get_or_init(|| closed.within(domain)).items.has(number)
            }
            _ => true,
        }
    }

    /// Whether something of this name, given as [`Sym::short`], may lead to a sink; sometimes true of others.
    pub(crate) fn passes_name(&self, short: u32) -> bool {
        let closed = self.closed.as_ref();
        closed.is_none_or(|it| it.found.names.has(short >> NAME_SHIFT))
    }

    /// Whether a call through a member of this name, given as [`Sym::short`], may lead to a sink.
    pub(crate) fn passes_member(&self, short: u32) -> bool {
        let closed = self.closed.as_ref();
        closed.is_none_or(|it| {
            let all = &it.found.all;
            all.members.contains(&short) || all.given.contains_key(&short)
        })
    }
}

impl Closed<'_, '_> {
    fn within(&self, domain: Domain) -> Passing {
        let users = &self.users;
        let before = self
            .before
            .as_ref()
            .and_then(|before| Some((before.within.get(domain.0 as usize)?.get()?, before)));
        let Some((passing, before)) = before else {
            return self.anew(domain);
        };
        let mut closure = Closure::after(users, Some(domain), passing);
        let entries = self.found.crossing.iter().filter(|it| it.1 != domain);
        for (name, _) in entries {
            if before
                .crossing
                .binary_search_by_key(name, |it| it.0)
                .is_err()
            {
                users.index.users(*name).for_each(|it| closure.add(it));
            }
        }
        closure.close_new(&self.changed, &|it| self.may_lead(it)).0
    }

    /// Whether something of this name passes for whatever chain; sometimes true of others.
    fn may_lead(&self, name: u32) -> bool {
        self.found.names.has(name >> NAME_SHIFT)
    }

    /// Generic code with the items of an implementation.
    fn anew(&self, domain: Domain) -> Passing {
        let users = &self.users;
        let crossing = &self.found.crossing;
        let generic = self.generic.get_or_init(|| {
            let names: FxHashSet<u32> = crossing.iter().map(|it| it.0).collect();
            // No file belongs to this one.
            let closure = Closure::new(users, Some(Domain::PRIVATE));
            closure.close(&names.into_iter().collect::<Vec<_>>()).0
        });
        let mut closure = Closure::after(users, Some(domain), generic);
        let is_entry = |name: u32| {
            let first = crossing.partition_point(|it| it.0 < name);
            let mut named = crossing[first..].iter().take_while(|it| it.0 == name);
            named.any(|it| it.1 != domain)
        };
        let may_lead = |name: u32| self.may_lead(name);
        for slot in users.index.slots_of(&FxHashSet::from_iter([domain])) {
            for (id, item) in users.index.items(slot) {
                // What passes for a chain in an implementation does so for whatever chain.
                let may_pass = self.found.all.items.has(users.index.number(id));
                closure.take_in((id, &item, may_pass), &may_lead, &is_entry);
            }
        }
        closure.close_new(&self.changed, &may_lead).0
    }
}
