//! What may lead to a sink, from names alone: an over-approximation that only ever lets through too much.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::index::{Domain, Index, ItemId};
use crate::kernel;
use crate::lex::{ItemKind, RefKind, Sym, flags};

/// The items that may lead to a sink, over all implementations and within each.
pub(crate) struct Sieve<'i, 't> {
    /// `None` lets everything through.
    closed: Option<Closed<'i, 't>>,
}

struct Closed<'i, 't> {
    users: Users<'i, 't>,
    all: Bits,
    /// Functions of an implementation that others call by name, with that implementation.
    crossing: Vec<(u32, Domain)>,
    /// One an implementation, computed when a chain is in it.
    within: Vec<OnceLock<Bits>>,
}

/// One bit an item.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] & (1 << (number % 64)) != 0
    }

    fn set(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }
}

impl<'i, 't> Sieve<'i, 't> {
    /// Lets everything through.
    pub(crate) fn open() -> Self {
        Self { closed: None }
    }

    /// What may lead to functions of these names by any chain, front doors and machinery included.
    pub(crate) fn leading_to(index: &'i Index<'t>, names: &[Sym]) -> Self {
        let users = Users {
            doors: FxHashSet::default(),
            owners: &[],
            ..Users::new(index, names, FxHashSet::default())
        };
        let all = Closure::new(&users, None).close(&[]);
        Self {
            closed: Some(Closed {
                users,
                all,
                crossing: Vec::new(),
                within: Vec::new(),
            }),
        }
    }

    /// Computes the closure: items that name a sink, items that name those, and so on; `stop` names
    /// are never led through.
    pub(crate) fn build(index: &'i Index<'t>, sinks: &[Sym], stop: FxHashSet<u32>) -> Self {
        let users = Users::new(index, sinks, stop);
        let all = Closure::new(&users, None).close(&[]);
        let crossing = users.crossing(&all);
        let domains = index
            .files()
            .map(|it| it.domain.0)
            .max()
            .unwrap_or_default();
        let within = (0..=domains).map(|_| OnceLock::new()).collect();
        Self {
            closed: Some(Closed {
                users,
                all,
                crossing,
                within,
            }),
        }
    }

    /// Whether an item may lead to a sink at all.
    pub(crate) fn passes(&self, id: ItemId) -> bool {
        self.closed.as_ref().is_none_or(|it| it.all.has(it.users.index.number(id)))
    }

    /// Whether an item may lead to a sink for a chain that is in `domain` and stays on the filesystem side.
    pub(crate) fn passes_within(&self, id: ItemId, domain: Domain) -> bool {
        let Some(closed) = &self.closed else {
            return true;
        };
        let number = closed.users.index.number(id);
        if !closed.all.has(number) {
            return false;
        }
        match closed.within.get(domain.0 as usize) {
            Some(slot) if domain != Domain::GENERIC => {
                slot.get_or_init(|| closed.within(domain)).has(number)
            }
            _ => true,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// How many items it lets through.
    pub(crate) fn passed(&self) -> usize {
        self.closed.as_ref().map_or(0, |it| {
            it.all.0.iter().map(|it| it.count_ones() as usize).sum()
        })
    }
}

impl Closed<'_, '_> {
    /// A call by name may lead into another implementation, and on from there.
    fn within(&self, domain: Domain) -> Bits {
        let entries: Vec<u32> = self
            .crossing
            .iter()
            .filter(|it| it.1 != domain)
            .map(|it| it.0)
            .collect();
        let mut bits = Closure::new(&self.users, Some(domain)).close(&entries);
        for id in self.users.index.function_ids() {
            let home = self.users.index.file_of(id).domain;
            let number = self.users.index.number(id);
            if home != Domain::GENERIC && home != domain && self.all.has(number) {
                bits.set(number);
            }
        }
        bits
    }
}

/// Who names what, and what is not led through.
struct Users<'i, 't> {
    index: &'i Index<'t>,
    stop: FxHashSet<u32>,
    sinks: Vec<u32>,
    doors: FxHashSet<Sym>,
    /// Files whose own uses of a sink do not count.
    owners: &'static [&'static str],
}

impl<'i, 't> Users<'i, 't> {
    fn new(index: &'i Index<'t>, sinks: &[Sym], stop: FxHashSet<u32>) -> Self {
        let doors = kernel::FRONT_DOORS.iter().map(Sym::of).collect();
        Self {
            index,
            stop,
            sinks: sinks.iter().map(|it| it.short()).collect(),
            doors,
            owners: kernel::I_COUNT_OWNERS,
        }
    }

    /// Functions that may lead to a sink and are named outside their own implementation.
    fn crossing(&self, all: &Bits) -> Vec<(u32, Domain)> {
        let index = self.index;
        let is_crossed = |name: u32, home: Domain| {
            index
                .users(name)
                .any(|it| index.file_of(it).domain != home)
        };
        let mut found: Vec<(u32, Domain)> = index
            .function_ids()
            .filter(|it| all.has(index.number(*it)))
            .map(|it| (index.item(it), index.file_of(it)))
            .filter(|(item, file)| {
                file.domain != Domain::GENERIC
                    && (file.is_shared || item.flags & flags::STATIC == 0)
            })
            .map(|(item, file)| (item.name.short(), file.domain))
            .filter(|it| !self.stop.contains(&it.0) && is_crossed(it.0, it.1))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The closure under way.
struct Closure<'u, 'i, 't> {
    users: &'u Users<'i, 't>,
    domain: Option<Domain>,
    items: Bits,
    members: FxHashSet<u32>,
    queue: Vec<ItemId>,
}

impl<'u, 'i, 't> Closure<'u, 'i, 't> {
    fn new(users: &'u Users<'i, 't>, domain: Option<Domain>) -> Self {
        let items = Bits(vec![0; users.index.item_count() as usize / 64 + 1]);
        Self {
            users,
            domain,
            items,
            members: FxHashSet::default(),
            queue: Vec::new(),
        }
    }

    /// Closes over the sinks and the names of `entries`.
    fn close(mut self, entries: &[u32]) -> Bits {
        let users = self.users;
        for sink in &users.sinks {
            // What the VFS does with its own `iput()` is not reported.
            let named = users.index.users(*sink).filter(|it| {
                !users
                    .owners
                    .contains(&users.index.file_of(*it).path.as_str())
            });
            named.for_each(|it| self.add(it));
        }
        for name in entries {
            users.index.users(*name).for_each(|it| self.add(it));
        }
        while let Some(id) = self.queue.pop() {
            self.follow(id);
        }
        self.items
    }

    fn add(&mut self, id: ItemId) {
        let number = self.users.index.number(id);
        if self.items.has(number) {
            return;
        }
        let file = self.users.index.file_of(id);
        let takes_part = match self.domain {
            None => true,
            Some(domain) => {
                file.domain == domain
                    || (file.domain == Domain::GENERIC
                        && kernel::is_filesystem_side(file.path.as_str()))
            }
        };
        if takes_part {
            self.items.set(number);
            self.queue.push(id);
        }
    }

    fn follow(&mut self, id: ItemId) {
        let users = self.users;
        let item = users.index.item(id);
        let name = item.name.short();
        if users.stop.contains(&name) {
            return;
        }
        let file = users.index.file_index(id);
        let is_static = item.flags & flags::STATIC != 0 && !users.index.file(file).is_shared;
        match item.kind {
            ItemKind::Function => {
                self.add_users(name, is_static.then_some(file));
                for (member, setter) in users.index.settings(name) {
                    if (!is_static || users.index.file_index(setter) == file)
                        && !users.doors.contains(&users.index.item(setter).tag)
                    {
                        self.add_member(member);
                    }
                }
            }
            ItemKind::Macro => self.add_users(name, None),
            ItemKind::Object => self.add_object(id, is_static.then_some(file)),
            ItemKind::MacroUse | ItemKind::Type | ItemKind::Typedef => {}
        }
    }

    fn add_users(&mut self, name: u32, only: Option<usize>) {
        let users = self.users;
        for user in users.index.users(name) {
            if only.is_none_or(|it| users.index.file_index(user) == it) {
                self.add(user);
            }
        }
    }

    fn add_member(&mut self, member: u32) {
        if self.members.insert(member) {
            self.users.index.member_callers(member).for_each(|it| self.add(it));
        }
    }

    /// A table with values by position may set any pointer member of its type; an array of pointers is
    /// called by its own name.
    fn add_object(&mut self, id: ItemId, only: Option<usize>) {
        let users = self.users;
        let item = users.index.item(id);
        if item.tag == Sym::NONE || item.flags & flags::POINTER != 0 {
            self.add_users(item.name.short(), only);
            return;
        }
        if users.doors.contains(&item.tag) {
            return;
        }
        let paired: FxHashSet<u32> = users.index.pairs_of(id).iter().map(|it| it.1).collect();
        let is_function =
            |name: u32| users.index.is_function_name(name) && !paired.contains(&name);
        let positional = users
            .index
            .refs(id)
            .iter()
            .any(|it| it.kind() == RefKind::Mention && is_function(it.name()));
        if positional {
            for of in users.index.types(item.tag) {
                for member in users
                    .index
                    .refs(of)
                    .iter()
                    .filter(|it| it.kind() == RefKind::Declares)
                {
                    self.add_member(member.name());
                }
            }
        }
    }
}
