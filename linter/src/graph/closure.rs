//! What leads to what leads to a sink, and so on.

use std::cell::LazyCell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::domains::Domain;
use super::given::Reached;
use super::index::{Index, ItemId, SourceFile};
use super::sieve::Closures;
use super::users::{NAME_SHIFT, Users};
use crate::expand;
use crate::kernel;
use crate::lex::{Given, Item, ItemKind, RefKind, Sym, flags, variable};

/// Items and members that may lead to a sink.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Passing {
    pub(super) items: Bits,
    pub(super) members: FxHashSet<u32>,
    /// Members that hold what somebody passed to a helper, and who may call that.
    pub(super) given: FxHashMap<u32, Vec<Reached>>,
    /// The words by which variables name functions that clean up.
    pub(super) cleanups: FxHashSet<u32>,
    /// Macros of headers that lead to what a file has that uses them, by [`Index::number`]: their users elsewhere do
    /// not lead there.
    lent: FxHashSet<u32>,
    /// The names of macros without arguments, as [`Sym::short`].
    pub(super) bare: FxHashSet<u32>,
}

impl Passing {
    pub(super) fn has(&self, number: u32) -> bool {
        self.items.has(number) || self.lent.contains(&number)
    }

    /// The names of variables whose call may lead to a sink, and others that nobody has.
    pub(super) fn variables(&self) -> impl Iterator<Item = u32> {
        let members = self.members.iter().chain(self.given.keys());
        members.map(|it| variable(*it))
    }

    /// Whether a call through a member may lead to a sink where it stands in `file`.
    fn has_member(&self, member: u32, file: &SourceFile) -> bool {
        let is_called = |it: &Reached| it.holds(file.domain, file.path.as_str());
        let given = || self.given.get(&member);
        self.members.contains(&member) || given().is_some_and(|it| it.iter().any(is_called))
    }
}

/// What a change may let through.
#[derive(Default)]
pub(super) struct Changed {
    /// The items of the changed files.
    items: Vec<ItemId>,
    /// Who may have passed a function all the time to one that stores it now.
    passers: Vec<ItemId>,
}

impl Changed {
    pub(super) fn of(index: &Index<'_>) -> Self {
        let mut helpers = index.new_givers();
        let items = index.changed_items();
        let is_helper = |(id, item): &(ItemId, Item)| {
            matches!(item.kind, ItemKind::Function | ItemKind::Macro)
                && !index.members_behind(*id).is_empty()
        };
        helpers.extend(items.filter(is_helper).map(|it| it.1.name.short()));
        // A variable that others can see now was set by them all the time.
        let variables = index.changed_items().map(|it| it.1);
        let variables =
            variables.filter(|it| it.kind == ItemKind::Object && it.is_called_by_name());
        for of in variables.map(|it| variable(it.name.short())) {
            let given = index
                .setters(of)
                .filter(|it| Given::of([of, it.0]).is_some());
            helpers.extend(given.map(|it| index.item(it.1).name.short()));
        }
        let mut passers = Vec::from_iter(index.users_of_helpers(helpers));
        passers.sort_unstable();
        Self {
            items: index.changed_items().map(|it| it.0).collect(),
            passers,
        }
    }

    /// The functions that items of changed files name, of those names that `may_lead`.
    pub(super) fn named<'n>(
        &'n self,
        index: &'n Index<'_>,
        may_lead: &'n dyn Fn(u32) -> bool,
    ) -> impl Iterator<Item = ItemId> + 'n {
        let items = self.items.iter();
        let names = items.flat_map(|it| expand::named(index.refs(*it)));
        let names = names.filter(|it| may_lead(*it));
        names.flat_map(|it| index.functions_of(it))
    }

    /// Of these what may lead to a sink for a chain in some implementation: what does for whatever chain.
    pub(super) fn leading(mut self, index: &Index<'_>, found: &Closures) -> Self {
        let passes = |it: &ItemId| found.all.has(index.number(*it));
        let may_lead = |name: u32| found.names.has(name >> NAME_SHIFT);
        self.items.retain(|it| {
            let mut pairs = index.pairs_of(*it).iter();
            passes(it)
                || index.item(*it).kind == ItemKind::Type
                || pairs.any(|it| Given::of(*it).is_none() && may_lead(it[1]))
        });
        self.passers.retain(passes);
        self
    }
}

/// The closure under way.
pub(super) struct Closure<'u, 'i, 't> {
    users: &'u Users<'i, 't>,
    domain: Option<Domain>,
    passing: Passing,
    queue: Vec<ItemId>,
    added: Vec<ItemId>,
    /// The macros that were lent, each with the file that has what they lead to.
    lent: FxHashSet<(ItemId, usize)>,
    /// By name: the macros of headers that use it, and what does so where sources are included.
    lenders: FxHashMap<u32, Arc<[ItemId]>>,
}

impl<'u, 'i, 't> Closure<'u, 'i, 't> {
    pub(super) fn new(users: &'u Users<'i, 't>, domain: Option<Domain>) -> Self {
        Self::after(users, domain, &Passing::default())
    }

    /// Goes on from what was found before some files changed.
    pub(super) fn after(
        users: &'u Users<'i, 't>,
        domain: Option<Domain>,
        before: &Passing,
    ) -> Self {
        let mut passing = before.clone();
        // The numbers of changed items were other items' in the tree before.
        let first_changed = users.index.first_changed();
        passing.items.keep_below(first_changed);
        passing.lent.retain(|it| *it < first_changed);
        passing.items.resize(users.index.item_count() as usize);
        Self {
            users,
            domain,
            passing,
            queue: Vec::new(),
            added: Vec::new(),
            lent: FxHashSet::default(),
            lenders: FxHashMap::default(),
        }
    }

    /// Closes over the sinks and the names of `entries`; returns what was added as well.
    pub(super) fn close(mut self, entries: &[u32]) -> (Passing, Vec<ItemId>) {
        let users = self.users;
        for sink in &users.sinks {
            let named = users.index.users(*sink);
            named
                .filter(|it| !self.is_owned(*it))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|it| self.add(it));
        }
        for name in entries {
            users.index.users(*name).for_each(|it| self.add(it));
        }
        self.run()
    }

    /// What the VFS does with its own `iput()` is not reported.
    fn is_owned(&self, id: ItemId) -> bool {
        let index = self.users.index;
        let path = index.file_of(id).path.as_str();
        self.users.owners.contains(&path) && index.cleanup_word(id).is_none()
    }

    fn run(mut self) -> (Passing, Vec<ItemId>) {
        while let Some(id) = self.queue.pop() {
            self.follow(id);
        }
        (self.passing, self.added)
    }

    /// Closes over what has changed, whatever it now leads to of the names that `may_lead`.
    pub(super) fn close_new(
        mut self,
        changed: &Changed,
        may_lead: &dyn Fn(u32) -> bool,
    ) -> (Passing, Vec<ItemId>) {
        let index = self.users.index;
        for id in &changed.items {
            let item = index.item(*id);
            self.take_in((*id, &item, true), may_lead, &|_| false);
            if self.users.is_lent(*id) {
                self.take_in_lent(*id);
            }
            if item.kind == ItemKind::Type && item.name != Sym::NONE {
                self.add_reach(*id, item.name);
            }
            let is_used = |it: ItemId| self.passing.items.has(index.number(it));
            if item.kind == ItemKind::Type && index.objects_of(item.name).any(is_used) {
                for it in index.pointer_members(item.name) {
                    self.add_member(it);
                }
            }
        }
        for user in &changed.passers {
            self.take_in_passed(*user, may_lead);
        }
        self.run()
    }

    /// Adds an item that leads to what passes, or names an entry, if it `may_pass`, and the members that it sets to what
    /// passes.
    pub(super) fn take_in(
        &mut self,
        (id, item, may_pass): (ItemId, &Item, bool),
        may_lead: &dyn Fn(u32) -> bool,
        is_entry: &dyn Fn(u32) -> bool,
    ) {
        let index = self.users.index;
        let file = index.file_of(id);
        let mut refs = index.refs(id).iter();
        let leads = may_pass
            && self.takes_part(file)
            && refs.any(|it| match it.kind() {
                RefKind::Call | RefKind::Mention => {
                    let name = it.name();
                    // A variable that holds a pointer stands as a member of no type.
                    let is_variable = || {
                        index.is_object_name(name) && self.passing.has_member(variable(name), file)
                    };
                    may_lead(name)
                        && ((self.users.sinks.contains(&name) && !self.is_owned(id))
                            || is_entry(name)
                            || it.kind() == RefKind::Mention
                                && self.passing.cleanups.contains(&name)
                            || self.names_what_leads(name, id)
                            || is_variable())
                }
                RefKind::Member => self.passing.has_member(it.name(), file),
                RefKind::Declares => false,
            });
        if leads {
            self.add(id);
        }
        if !self.users.doors.contains(&item.tag) {
            for [member, value] in index.pairs_of(id) {
                let is_named = Given::of([*member, *value]).is_none();
                if is_named
                    && may_lead(*value)
                    && self.values_that_lead(*value, id).next().is_some()
                {
                    self.add_member(*member);
                }
            }
        }
        self.take_in_passed(id, may_lead);
    }

    /// Lets a macro of a header through for the files that have what it leads to.
    fn take_in_lent(&mut self, id: ItemId) {
        let users = self.users;
        let names = expand::named(users.index.refs(id));
        let meant = names.flat_map(|it| users.index.items_named(it));
        let owned = meant.filter(|it| self.leads_on(*it));
        let files: Vec<usize> = owned.filter_map(|it| users.own_file(it)).collect();
        for file in files {
            self.lend(id, file);
        }
    }

    /// Adds the members that hold what an item passes to those who store it.
    fn take_in_passed(&mut self, id: ItemId, may_lead: &dyn Fn(u32) -> bool) {
        let index = self.users.index;
        if index.item(id).kind != ItemKind::Function {
            return;
        }
        for it in index.refs(id) {
            let name = it.name();
            match it.kind() {
                RefKind::Mention if may_lead(name) => {
                    for function in self.values_that_lead(name, id).collect::<Vec<_>>() {
                        self.add_members_given(id, function);
                    }
                }
                RefKind::Member if self.passing.members.contains(&name) => {
                    self.add_passed_on(id, name);
                }
                _ => {}
            }
        }
    }

    /// Adds the members that hold a function because `user` passes it to one that stores its parameter.
    fn add_members_given(&mut self, user: ItemId, function: ItemId) {
        let index = self.users.index;
        let domain = match index.file_of(function).domain {
            Domain::GENERIC => index.file_of(user).domain,
            own => own,
        };
        let members = index.members_given(user, (index.item(function).name.short(), false));
        for it in members {
            self.add_given(it, domain);
        }
    }

    /// Whether something passes that `name` can mean in the file of `user`, as [`Closure::follow`] goes from there.
    fn names_what_leads(&self, name: u32, user: ItemId) -> bool {
        let index = self.users.index;
        let mut meant = index.items_named(name);
        meant.any(|it| {
            let item = index.item(it);
            let is_used_by_name = match item.kind {
                ItemKind::Function | ItemKind::Macro => self.users.sees(user, it),
                ItemKind::Object => item.is_called_by_name() && self.users.sees(user, it),
                ItemKind::MacroUse | ItemKind::Type | ItemKind::Typedef => false,
            };
            is_used_by_name && self.leads_on(it)
        })
    }

    /// The functions that pass, or macros that stand for such, that `name` can mean as a value in the file of `user`.
    fn values_that_lead(&self, name: u32, user: ItemId) -> impl Iterator<Item = ItemId> {
        let index = self.users.index;
        let aliases = index.macros_of(name).filter(|it| index.is_alias(*it));
        let values = index.functions_of(name).chain(aliases);
        values.filter(move |it| self.leads_on(*it) && self.users.sees(user, *it))
    }

    fn leads_on(&self, id: ItemId) -> bool {
        self.passing.has(self.users.index.number(id))
            && !self
                .users
                .stop
                .contains(&self.users.index.item(id).name.short())
    }

    /// Whether a chain that is in the closure's implementation may enter a file.
    fn takes_part(&self, file: &SourceFile) -> bool {
        let is_side = || kernel::is_filesystem_side(file.path.as_str());
        self.domain.is_none_or(|domain| {
            file.domain == domain || file.domain == Domain::GENERIC && is_side()
        })
    }

    pub(super) fn add(&mut self, id: ItemId) {
        let number = self.users.index.number(id);
        if self.passing.items.has(number) {
            return;
        }
        if self.takes_part(self.users.index.file_of(id)) {
            self.passing.items.set(number);
            self.queue.push(id);
            self.added.push(id);
        }
    }

    fn follow(&mut self, id: ItemId) {
        let users = self.users;
        let item = users.index.item(id);
        let name = item.name.short();
        if users.stop.contains(&name) {
            return;
        }
        match item.kind {
            ItemKind::Function => {
                let own = users.own_file(id);
                self.add_users(name, own, Some(id));
                let word = users.index.cleanup_word(id);
                if let Some(word) = word.filter(|it| self.passing.cleanups.insert(*it)) {
                    let named = users.index.users(word);
                    let named = named.filter(|it| users.index.mentions(*it, word));
                    named.for_each(|it| self.add(it));
                }
                self.add_members_set(id, own);
            }
            ItemKind::Macro => {
                self.note_bare(&item);
                let own = users.own_file(id);
                let is_alias = users.index.is_alias(id);
                self.add_users(name, own, is_alias.then_some(id));
                if is_alias {
                    self.add_members_set(id, own);
                }
            }
            ItemKind::Object => self.add_object(id),
            ItemKind::MacroUse | ItemKind::Type | ItemKind::Typedef => {}
        }
    }

    /// Adds the members that are set to a function, or to a macro that stands for one, that `only` one file has, or all.
    fn add_members_set(&mut self, id: ItemId, only: Option<usize>) {
        let users = self.users;
        let name = users.index.item(id).name.short();
        for (member, setter) in users.index.settings(name) {
            if users.is_in(setter, only) && !users.doors.contains(&users.index.item(setter).tag) {
                self.add_member(member);
            }
        }
    }

    /// Adds who names something that `only` one file has, or all; a `function` may be given on by who mentions it.
    fn add_users(&mut self, name: u32, only: Option<usize>, function: Option<ItemId>) {
        let users = self.users;
        // A header that has a macro of this name means that.
        let is_lent = LazyCell::new(|| {
            let mut named = users.index.items_named(name);
            !named.any(|it| users.is_lent(it))
        });
        for user in users.index.users(name) {
            if users.is_in(user, only) {
                self.add(user);
                if let Some(function) = function
                    && users.index.mentions(user, name)
                {
                    self.add_members_given(user, function);
                }
            } else if let Some(file) = only
                && users.is_lent(user)
                && *is_lent
            {
                self.lend(user, file);
            }
        }
    }

    fn note_bare(&mut self, item: &Item) {
        if item.flags & flags::FUNCTION_LIKE == 0 {
            self.passing.bare.insert(item.name.short());
        }
    }

    /// Lets a macro of a header through for what a file has.
    fn lend(&mut self, id: ItemId, file: usize) {
        let users = self.users;
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            let name = users.index.item(id).name.short();
            if users.stop.contains(&name) || !self.lent.insert((id, file)) {
                continue;
            }
            if self.passing.lent.insert(users.index.number(id)) {
                self.added.push(id);
                self.note_bare(&users.index.item(id));
            }
            let is_alias = users.index.is_alias(id);
            for user in users.users_in(name, file) {
                self.add(user);
                if is_alias && users.index.mentions(user, name) {
                    self.add_members_given(user, id);
                }
            }
            if is_alias {
                self.add_members_set(id, Some(file));
            }
            let lenders = self.lenders.entry(name);
            let lenders = lenders.or_insert_with(|| {
                let all = users.index.users(name);
                all.filter(|it| users.is_lent(*it) || users.includes_unit(*it))
                    .collect()
            });
            for it in lenders.clone().iter() {
                if users.is_lent(*it) {
                    pending.push(*it);
                } else {
                    self.add(*it);
                }
            }
        }
    }

    fn add_member(&mut self, member: u32) {
        if self.passing.members.insert(member) {
            let index = self.users.index;
            index.member_callers(member).for_each(|it| self.add(it));
            for caller in index.member_callers(member) {
                self.add_passed_on(caller, member);
            }
        }
    }

    /// Adds the members that hold what `user` passes from a member of this name to one that stores it.
    fn add_passed_on(&mut self, user: ItemId, name: u32) {
        if self.users.index.item(user).kind == ItemKind::Function {
            for it in self.users.index.members_given(user, (name, true)) {
                self.add_given(it, Domain::GENERIC);
            }
        }
    }

    /// As [`Closure::add_member`], of what `helper` puts there for somebody of `domain`.
    fn add_given(&mut self, (helper, member): (ItemId, u32), domain: Domain) {
        let reached = self.users.index.reached(helper, member, domain);
        for it in reached {
            self.add_reached(member, it);
        }
    }

    fn add_reached(&mut self, member: u32, reached: Reached) {
        let known = self.passing.given.entry(member).or_default();
        if known.contains(&reached) {
            return;
        }
        known.push(reached);
        let index = self.users.index;
        let callers = index.member_callers(member).filter(|it| {
            let file = index.file_of(*it);
            reached.holds(file.domain, file.path.as_str())
        });
        callers.for_each(|it| self.add(it));
    }

    /// Where a type is known now, others may call what its members were given all the time.
    fn add_reach(&mut self, definition: ItemId, name: Sym) {
        let reach = Some(self.users.index.reach(definition));
        let given = self.passing.given.iter();
        let of_type = given.flat_map(|it| it.1.iter().map(|reached| (*it.0, *reached)));
        let of_type: Vec<(u32, Reached)> = of_type.filter(|it| it.1.of == name).collect();
        for (member, reached) in of_type {
            self.add_reached(member, Reached { reach, ..reached });
        }
    }

    /// A table with values by position may set any pointer member of its type; an array of pointers is
    /// called by its own name.
    fn add_object(&mut self, id: ItemId) {
        let users = self.users;
        let item = users.index.item(id);
        if item.is_called_by_name() {
            self.add_users(item.name.short(), users.own_file(id), None);
            return;
        }
        if users.doors.contains(&item.tag) {
            return;
        }
        let paired: FxHashSet<u32> = users.index.pairs_of(id).iter().map(|it| it[1]).collect();
        let is_function =
            |name: u32| users.index.may_name_function(name) && !paired.contains(&name);
        let positional = users
            .index
            .refs(id)
            .iter()
            .any(|it| it.kind() == RefKind::Mention && is_function(it.name()));
        if positional {
            for member in users.index.pointer_members(item.tag) {
                self.add_member(member);
            }
        }
    }
}
