//! Which functions' edges a change leaves as they were.
//!
//! The items of the changed files are compared with those before. What has changed in them makes names and members
//! suspect; whoever uses one of these, by the lexical reading, is resolved again. Changed types and headers put
//! everything that may see them in doubt.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::index::{Index, ItemId, Snapshot, SourceFile};
use super::known::{Deciding, KnownEdges, Numbers};
use super::resolve::{Edge, MAX_PASS_DEPTH, Resolver, Target, named_values};
use super::sieve::Closures;
use super::values::{Entry, Known, MAX_PASSES};
use crate::facts::{Callee, Expr, FunctionFacts, Step, Store};
use crate::lex::{Argument, Item, ItemKind, Ref, RefKind, Sym, copied, flags};
use crate::warm::{ItemKey, Warm};

/// A tree that was searched before.
pub(crate) struct Before<'t> {
    index: Index<'t>,
    edges: Arc<KnownEdges>,
    /// What its sieve found.
    pub(crate) closures: Option<Arc<Closures>>,
}

impl<'t> Before<'t> {
    /// The tree of a reading. Its changed files cannot be read any more, only their items are known.
    pub(crate) fn new(
        now: &Index<'t>,
        warm: &'t Warm,
        reading: &Snapshot,
        edges: &Arc<KnownEdges>,
        closures: Option<&Arc<Closures>>,
    ) -> Self {
        let (image, over) = (Arc::clone(&reading.image), reading.over.clone());
        Self {
            index: Index::new(now.tree, warm, image, over),
            edges: Arc::clone(edges),
            closures: closures.cloned(),
        }
    }
}

/// The edges that are as before.
pub(crate) struct Reuse<'i> {
    known: &'i KnownEdges,
    /// The items of changed files that are there still, by what they were.
    moved: FxHashMap<ItemId, ItemId>,
    /// The same, by what they are.
    origin: FxHashMap<ItemId, ItemId>,
    /// The items of changed files, before and now.
    touched: FxHashSet<ItemId>,
    /// Functions that are resolved again.
    affected: FxHashSet<ItemId>,
    /// The items of changed files whose text is as before, by what they are.
    unchanged: FxHashMap<ItemId, ItemKey>,
    /// The slots that files which differ from the image had; `None` for new files.
    slots: FxHashMap<u32, Option<u32>>,
    /// How many slots the image has.
    unmoved: u32,
    /// Whether nothing changed that says what names stand for.
    has_numbers: bool,
    /// Functions that may decide otherwise than before with what they are entered with, or pass on something else.
    unsteady: FxHashSet<ItemId>,
    /// What the sieve lets through and did not let through before.
    pub(super) newly: Vec<ItemId>,
}

impl<'i> Reuse<'i> {
    /// `None` where too much is in doubt.
    pub(crate) fn of(before: &'i Before<'_>, now: &Resolver<'i, '_>) -> Option<Self> {
        let mut change = Change {
            now,
            before: &before.index,
            names: Vec::new(),
            members: Vec::new(),
            callbacks: Vec::new(),
            changed: Vec::new(),
            beside: Vec::new(),
            wide: FxHashSet::default(),
            reuse: Self {
                known: &before.edges,
                moved: FxHashMap::default(),
                origin: FxHashMap::default(),
                touched: FxHashSet::default(),
                affected: FxHashSet::default(),
                unchanged: FxHashMap::default(),
                slots: FxHashMap::default(),
                unmoved: before.index.snapshot().image.files.len() as u32,
                has_numbers: true,
                unsteady: FxHashSet::default(),
                newly: Vec::new(),
            },
        };
        change.compare()?;
        change.sieved()?;
        change.spread();
        let mut reuse = change.reuse;
        if reuse.has_numbers {
            let beside = reuse.affected.difference(&reuse.touched);
            let names = beside.map(|it| now.index.item(*it).name.short());
            let names = names.chain(change.changed).collect();
            reuse.unsteady = with_callers(now.index, names);
            reuse.unsteady.extend(&reuse.affected);
        }
        Some(reuse)
    }

    /// Whether a function makes of what is known at its entry what it made of it before.
    pub(crate) fn is_steady(&self, function: ItemId) -> bool {
        self.has_numbers && !self.unsteady.contains(&function)
    }

    /// Whether a parameter decides something, where that is as before.
    pub(crate) fn decides(&self, function: ItemId, param: u16) -> Option<bool> {
        let is_known = self.is_steady(function) && !self.touched.contains(&function);
        let known = self.known.deciding().get(&(function, param));
        known.copied().filter(|_| is_known)
    }

    /// All parameters of which it is known whether they decide something.
    pub(crate) fn deciding(&self) -> Deciding {
        let known = self.known.deciding().iter();
        let now = known.filter(|((function, param), _)| self.decides(*function, *param).is_some());
        now.map(|it| (*it.0, *it.1)).collect()
    }

    /// What is known at an entry of an edge that is as before.
    pub(crate) fn entered(&self, entry: Entry) -> Option<Arc<Vec<Known>>> {
        self.known.entered(entry)
    }

    /// The edges of a function; `None` where they have to be resolved again.
    pub(crate) fn edges(&self, id: ItemId) -> Option<Arc<Vec<Edge>>> {
        if self.affected.contains(&id) {
            return None;
        }
        let old = if self.touched.contains(&id) {
            *self.origin.get(&id)?
        } else {
            id
        };
        self.translated(self.known.get(old)?)
    }

    /// The same item in the tree before, where its text is as it was in a file that is not.
    pub(crate) fn same_text(&self, id: ItemId) -> Option<ItemKey> {
        self.unchanged.get(&id).copied()
    }

    /// The number that a name stands for in a file, by its slot; looked up where it may be another than before.
    pub(crate) fn number(
        &self,
        (name, slot): (Sym, u32),
        look_up: impl FnOnce() -> Option<i64>,
    ) -> Option<i64> {
        let old = self.slots.get(&slot).copied().unwrap_or(Some(slot));
        let known = old.filter(|_| self.has_numbers);
        let known = known.and_then(|old| self.known.numbers().get(&(name, old)));
        known.copied().unwrap_or_else(look_up)
    }

    /// All numbers that are as before.
    pub(crate) fn numbers(&self) -> Numbers {
        if !self.has_numbers {
            return Numbers::default();
        }
        let slots = self.slots.iter();
        let now: FxHashMap<u32, u32> = slots.filter_map(|it| Some(((*it.1)?, *it.0))).collect();
        let known = self.known.numbers().iter();
        known
            .filter_map(|((name, old), value)| {
                let is_as_it_was = *old < self.unmoved && !self.slots.contains_key(old);
                let slot = now.get(old).copied().or(is_as_it_was.then_some(*old))?;
                Some(((*name, slot), *value))
            })
            .collect()
    }

    fn translated(&self, edges: Arc<Vec<Edge>>) -> Option<Arc<Vec<Edge>>> {
        let is_moved = |it: &Edge| match it.target {
            Target::Function(target) => self.touched.contains(&target),
            Target::External(_) => false,
        };
        if !edges.iter().any(is_moved) {
            return Some(edges);
        }
        let mut edges = Arc::unwrap_or_clone(edges);
        for edge in edges.iter_mut().filter(|it| is_moved(it)) {
            if let Target::Function(target) = &mut edge.target {
                *target = *self.moved.get(target)?;
            }
        }
        edges.sort_by_key(|it| (it.offset, it.kind, it.target));
        Some(Arc::new(edges))
    }

    /// All edges that are as before.
    pub(crate) fn all(&self) -> FxHashMap<ItemId, Arc<Vec<Edge>>> {
        let functions = self.known.functions();
        let now = functions.filter_map(|old| {
            if self.touched.contains(&old) {
                self.moved.get(&old).copied()
            } else {
                Some(old)
            }
        });
        now.filter_map(|id| Some((id, self.steady_edges(id)?)))
            .collect()
    }

    /// The edges of a function without the entries that may be others now.
    fn steady_edges(&self, id: ItemId) -> Option<Arc<Vec<Edge>>> {
        let edges = self.edges(id)?;
        let is_unsteady = |it: &Edge| match it.target {
            Target::Function(callee) => {
                it.enters.is_some() && !(self.is_steady(id) && self.is_steady(callee))
            }
            Target::External(_) => false,
        };
        if !edges.iter().any(is_unsteady) {
            return Some(edges);
        }
        let mut edges = Arc::unwrap_or_clone(edges);
        for edge in &mut edges {
            edge.enters = edge.enters.filter(|_| !is_unsteady(edge));
        }
        Some(Arc::new(edges))
    }
}

/// Who leads to functions of these names in as many calls by name as what is known at an entry is followed.
fn with_callers(index: &Index<'_>, mut names: FxHashSet<u32>) -> FxHashSet<ItemId> {
    let mut found = FxHashSet::default();
    let name = |it: &ItemId| index.item(*it).name.short();
    for _ in 0..=MAX_PASSES {
        let users = names.iter().flat_map(|it| index.users(*it));
        let functions = users.filter(|it| index.item(*it).kind == ItemKind::Function);
        let new: Vec<ItemId> = functions.filter(|it| found.insert(*it)).collect();
        names = new.iter().map(name).collect();
    }
    found
}

/// A change under examination.
struct Change<'c, 'i, 't, 'b> {
    now: &'c Resolver<'i, 't>,
    before: &'c Index<'b>,
    /// Names and members, as [`Sym::short`], whose users are in doubt.
    names: Vec<u32>,
    members: Vec<u32>,
    /// Functions that may call a parameter now and did not, or the other way round.
    callbacks: Vec<Sym>,
    /// Names of functions that are not as they were.
    changed: Vec<u32>,
    /// The items of the file that is being compared.
    beside: Vec<ItemId>,
    /// Implementations that are resolved again as a whole.
    wide: FxHashSet<Domain>,
    reuse: Reuse<'i>,
}

impl Change<'_, '_, '_, '_> {
    /// Compares the items of the changed files.
    fn compare(&mut self) -> Option<()> {
        let (before, index) = (self.before, self.now.index);
        let mut paths = before.snapshot().changed;
        paths.extend(index.snapshot().changed);
        paths.sort_unstable();
        paths.dedup();
        for path in &paths {
            let (old, new) = (before.slot_of(path), index.slot_of(path));
            if let Some(new) = new {
                let slots = &mut self.reuse.slots;
                slots.insert(new as u32, old.map(|it| it as u32));
            }
            let is_same = |(old, new): (usize, usize)| {
                let made = |it: &SourceFile| it.made.as_ref().map(|it| it.key);
                let (was, is) = (before.file(old), index.file(new));
                (was.content, was.at_home, made(was)) == (is.content, is.at_home, made(is))
                    && before
                        .items(old)
                        .map(|it| it.0)
                        .eq(index.items(new).map(|it| it.0))
            };
            if old.zip(new).is_some_and(is_same) {
                continue;
            }
            let both = old.zip(new);
            let includes_differ = both.is_some_and(|it| self.includes_differ(it));
            let same_defines = both.is_some_and(|it| self.same_defines(it));
            self.reuse.has_numbers &= same_defines && !includes_differ;
            let items = |index: &'_ Index<'_>, slot: Option<usize>| -> Vec<(ItemId, Item)> {
                let items = slot.into_iter().flat_map(|it| index.items(it));
                items.collect()
            };
            let (mut old_items, mut new_items) = (items(before, old), items(index, new));
            let all = old_items.iter().chain(&new_items);
            self.reuse.touched.extend(all.map(|it| it.0));
            let file = new
                .map(|it| index.file(it))
                .or(old.map(|it| before.file(it)))?;
            let (domain, is_shared) = (file.domain, file.is_shared);
            self.beside = new_items.iter().map(|it| it.0).collect();
            if includes_differ {
                if is_shared {
                    self.widen(domain)?;
                }
                self.reuse.affected.extend(&self.beside);
            }
            // What a chain may enter now, or no more, has come or gone.
            match both.map(|(old, new)| (before.file(old).at_home, index.file(new).at_home)) {
                Some((true, false)) => new_items.clear(),
                Some((false, true)) => old_items.clear(),
                _ => {}
            }
            self.compare_items(&old_items, &new_items, domain)?;
        }
        // Of these it counts now what helpers put there, or no more.
        self.members.extend(index.called_beside(before));
        self.members.extend(before.called_beside(index));
        Some(())
    }

    /// What names stand for depends on these, on enumerators, and on the headers that are included.
    fn same_defines(&self, (old, new): (usize, usize)) -> bool {
        let (was, is) = (self.before.file(old), self.now.index.file(new));
        is.has_defines_of(was)
    }

    fn includes_differ(&self, (old, new): (usize, usize)) -> bool {
        self.before.file(old).includes != self.now.index.file(new).includes
    }

    fn compare_items(
        &mut self,
        old: &[(ItemId, Item)],
        new: &[(ItemId, Item)],
        domain: Domain,
    ) -> Option<()> {
        let group = |items: &[(ItemId, Item)]| {
            let mut groups: BTreeMap<(u8, Sym), Vec<(ItemId, Item)>> = BTreeMap::new();
            for it in items {
                groups
                    .entry((it.1.kind as u8, it.1.name))
                    .or_default()
                    .push(*it);
            }
            groups
        };
        let (mut old, new) = (group(old), group(new));
        for (key, now) in new {
            let was = old.remove(&key).unwrap_or_default();
            if was.len() == now.len() {
                for (was, now) in was.into_iter().zip(now) {
                    self.reuse.moved.insert(was.0, now.0);
                    self.reuse.origin.insert(now.0, was.0);
                    self.pair(was, now, domain)?;
                }
            } else {
                was.iter()
                    .try_for_each(|it| self.gone((it.0, true), &it.1, domain))?;
                now.iter()
                    .try_for_each(|it| self.gone((it.0, false), &it.1, domain))?;
            }
        }
        let rest: Vec<(ItemId, Item)> = old.into_values().flatten().collect();
        rest.iter()
            .try_for_each(|it| self.gone((it.0, true), &it.1, domain))
    }

    /// An item that is there before and now.
    fn pair(&mut self, was: (ItemId, Item), now: (ItemId, Item), domain: Domain) -> Option<()> {
        let same_head = was.1.head_hash == now.1.head_hash && was.1.flags == now.1.flags;
        if same_head && was.1.rest_hash == now.1.rest_hash && was.1.tag == now.1.tag {
            let key = self.before.key(was.0);
            self.reuse.unchanged.insert(now.0, key);
            return Some(());
        }
        if now.1.kind != ItemKind::Function {
            self.gone((was.0, true), &was.1, domain)?;
            return self.gone((now.0, false), &now.1, domain);
        }
        self.reuse.affected.insert(now.0);
        self.changed.push(now.1.name.short());
        let old = self.now.warm.functions.peek(self.before.key(was.0));
        if !(same_head && self.stores_as_before((was.0, old.as_deref()), now.0)) {
            self.set_members(was.0, true);
            self.set_members(now.0, false);
        }
        self.called_otherwise(was.0, now.0);
        self.given_otherwise((was.0, old.as_deref()), now.0);
        if (was.1.flags | now.1.flags) & flags::RETURNS != 0 {
            self.names.push(now.1.name.short());
        }
        if same_head {
            let (new, none) = (self.now.facts(now.0), FunctionFacts::default());
            let old = old.as_deref().unwrap_or(&none);
            if passes(old) != passes(&new) {
                self.callbacks.push(now.1.name);
            }
        } else {
            self.names.push(now.1.name.short());
        }
        Some(())
    }

    /// Whether a function puts into members what it put there before, into the same objects.
    fn stores_as_before(&self, (was, old): (ItemId, Option<&FunctionFacts>), now: ItemId) -> bool {
        let (before, index) = (self.before.pairs_of(was), self.now.index.pairs_of(now));
        if before != index {
            return false;
        }
        if index.is_empty() {
            return true;
        }
        let new = self.now.facts(now);
        old.is_some_and(|old| {
            (&old.locals, &old.assigns) == (&new.locals, &new.assigns)
                && (old.stores.iter().map(stored)).eq(new.stores.iter().map(stored))
        })
    }

    /// What one item calls, or takes, of members, and the other does not.
    fn called_otherwise(&mut self, was: ItemId, now: ItemId) {
        let (before, index) = (self.before.refs(was), self.now.index.refs(now));
        let of_one = |one: &[Ref], other: &[Ref]| {
            let members = one.iter().filter(|it| it.kind() == RefKind::Member);
            let new = members.filter(|it| other.binary_search(it).is_err());
            new.map(|it| it.name()).collect::<Vec<u32>>()
        };
        let changed = [of_one(before, index), of_one(index, before)].concat();
        for it in changed {
            self.put_below(it);
        }
    }

    /// Who puts something into a member that others call now, or no more: on the stack that is called by who is called.
    fn put_below(&mut self, member: u32) {
        let index = self.now.index;
        let setters = index.setters(member).map(|it| it.1);
        for setter in setters {
            let item = index.item(setter);
            if item.kind == ItemKind::Function {
                self.reuse.affected.insert(setter);
                self.callbacks.push(item.name);
            }
        }
    }

    /// An item that is there only before or only now.
    fn gone(&mut self, id: (ItemId, bool), item: &Item, domain: Domain) -> Option<()> {
        if item.flags & flags::UNBALANCED != 0 {
            return self.widen(domain);
        }
        let index = if id.1 { self.before } else { self.now.index };
        self.givers_named((index, id.0), &[]);
        let members = index.refs(id.0).iter();
        let members = members.filter(|it| it.kind() == RefKind::Member);
        let members: Vec<u32> = members.map(|it| it.name()).collect();
        for it in members {
            self.put_below(it);
        }
        match item.kind {
            ItemKind::Function => {
                self.names.push(item.name.short());
                self.changed.push(item.name.short());
                self.reuse.affected.insert(id.0);
                self.set_members(id.0, id.1);
                self.members.extend(index.members_perhaps_given(id.0));
            }
            ItemKind::Macro => {
                self.reuse.has_numbers = false;
                self.names.push(item.name.short());
                self.set_members(id.0, id.1);
                // An alias of something that is no call leaves no trace where it is used.
                if item.flags & flags::FUNCTION_LIKE == 0 && !index.refs(id.0).is_empty() {
                    self.widen(domain)?;
                }
            }
            ItemKind::Object => {
                self.names.push(item.name.short());
                self.set_members(id.0, id.1);
                self.declared_members(item.tag);
                self.reuse.affected.extend(&self.beside);
            }
            ItemKind::Type | ItemKind::Typedef => {
                self.reuse.has_numbers = false;
                let name = item.name;
                let mut types = self.now.index.types(name);
                let is_inside = |it: ItemId| self.now.index.file_of(it).domain == domain;
                let all_inside = types.all(is_inside);
                if !all_inside {
                    return None;
                }
                self.widen(domain)?;
            }
            ItemKind::MacroUse => {}
        }
        Some(())
    }

    /// Puts all of an implementation in doubt; `None` for what serves all.
    fn widen(&mut self, domain: Domain) -> Option<()> {
        if domain == Domain::GENERIC {
            return None;
        }
        self.wide.insert(domain);
        Some(())
    }

    fn set_members(&mut self, id: ItemId, is_old: bool) {
        let index = if is_old { self.before } else { self.now.index };
        let set = index.pairs_of(id).iter();
        let members: Vec<u32> = set
            .filter(|it| self.may_name_function(it[1]) || it[1] == copied(it[0]))
            .map(|it| it[0])
            .collect();
        self.members.extend(members);
        if matches!(index.item(id).kind, ItemKind::Function | ItemKind::Macro) {
            self.behind(index, id);
        }
    }

    /// Whether this may have been the name of a function, or is.
    fn may_name_function(&self, name: u32) -> bool {
        self.before.may_name_function(name) || self.now.index.may_name_function(name)
    }

    /// The members that hold what a function is given.
    fn behind(&mut self, index: &Index<'_>, function: ItemId) {
        let behind = index.members_behind(function).into_iter();
        self.members.extend(behind.map(|it| it.1));
    }

    /// A function that may pass something else, or names those that store it otherwise, than before.
    fn given_otherwise(&mut self, (was, old): (ItemId, Option<&FunctionFacts>), now: ItemId) {
        let (before, index) = (self.before, self.now.index);
        self.givers_named((before, was), &index.givers_named(now));
        self.givers_named((index, now), &before.givers_named(was));
        let new = index.passed(&self.now.facts(now));
        let Some(old) = old.map(|it| index.passed(it)) else {
            self.members.extend(before.members_perhaps_given(was));
            return self.passed((index, now), &new, &[]);
        };
        self.passed((before, was), &old, &new);
        self.passed((index, now), &new, &old);
    }

    /// What a function passes that it does not pass in the other tree as well; a member may be that of another type.
    fn passed(&mut self, (index, id): (&Index<'_>, ItemId), all: &[Argument], there: &[Argument]) {
        let is_same = |it: &Argument| !it.is_member && there.contains(it);
        for it in all.iter().filter(|it| !is_same(it)) {
            let members = index.members_for(id, (it.callee, it.place));
            self.members.extend(members);
        }
    }

    /// Whom an item names, without a call, that stores its parameters, and does not name `there`.
    fn givers_named(&mut self, (index, id): (&Index<'_>, ItemId), there: &[u32]) {
        let named = index.givers_named(id).into_iter();
        for name in named.filter(|it| !there.contains(it)) {
            for function in index.functions_of(name) {
                self.behind(index, function);
            }
        }
    }

    /// The members of an object that hold `value`.
    fn members_with(&mut self, id: ItemId, value: u32) {
        let index = self.now.index;
        let pairs = index.pairs_of(id);
        let is_value = |it: &&[u32; 2]| it[1] == value;
        self.members
            .extend(pairs.iter().filter(is_value).map(|it| it[0]));
        let mention = Ref::of_short(RefKind::Mention, value);
        let is_placed = !pairs.iter().any(|it| it[1] == value);
        if is_placed && index.refs(id).binary_search(&mention).is_ok() {
            self.declared_members(index.item(id).tag);
        }
    }

    /// A table with values by position sets whatever its type declares.
    fn declared_members(&mut self, tag: Sym) {
        if tag != Sym::NONE {
            self.members.extend(self.now.index.declared_members(tag));
        }
    }

    /// What the sieve lets through that it did not let through before.
    fn sieved(&mut self) -> Option<()> {
        let (items, members) = self.now.sieve.added()?;
        let is_new = |it: &&ItemId| {
            let old = self.reuse.origin.get(*it);
            !old.is_some_and(|it| self.now.sieve.passed_before(self.before.number(*it)))
        };
        let newly: Vec<ItemId> = items.iter().filter(is_new).copied().collect();
        let names = newly.iter().map(|it| self.now.index.item(*it).name.short());
        self.names.extend(names);
        self.reuse.newly = newly;
        self.members.extend(members);
        Some(())
    }

    /// Follows what is in doubt to those whose edges depend on it.
    fn spread(&mut self) {
        let index = self.now.index;
        let domains = std::mem::take(&mut self.wide);
        if !domains.is_empty() {
            let all = index.function_ids();
            let inside = all.filter(|it| domains.contains(&index.file_of(*it).domain));
            self.reuse.affected.extend(inside);
        }
        let mut seen: FxHashSet<(bool, u32)> = FxHashSet::default();
        self.spread_callbacks();
        loop {
            if let Some(name) = self.names.pop() {
                if seen.insert((false, name)) {
                    for user in index.users(name) {
                        self.doubt(user, name);
                        if index.mentions(user, name) {
                            let given = index.members_given(user, (name, false)).into_iter();
                            self.members.extend(given.map(|it| it.1));
                        }
                    }
                    if self.may_name_function(name) {
                        self.members.extend(index.settings(name).map(|it| it.0));
                    }
                }
            } else if let Some(member) = self.members.pop() {
                // Nobody is led on through the others, and nobody was.
                let is_followed = self.now.sieve.passes_member(member);
                if is_followed && seen.insert((true, member)) {
                    // A name among the arguments of a macro that puts it behind an arrow.
                    let passed = index.users(member);
                    let passed = passed.filter(|it| index.item(*it).kind == ItemKind::Function);
                    let users = index.member_callers(member).chain(passed);
                    users.for_each(|it| self.doubt(it, member));
                    for caller in index.member_callers(member) {
                        if index.item(caller).kind == ItemKind::Function {
                            let given = index.members_given(caller, (member, true));
                            self.members.extend(given.into_iter().map(|it| it.1));
                        }
                    }
                }
            } else {
                return;
            }
        }
    }

    fn doubt(&mut self, user: ItemId, name: u32) {
        let item = self.now.index.item(user);
        match item.kind {
            ItemKind::Function => {
                self.reuse.affected.insert(user);
                // Whoever calls what it returns depends on that as well.
                if item.flags & flags::RETURNS != 0 {
                    self.names.push(item.name.short());
                }
            }
            ItemKind::Macro => self.names.push(item.name.short()),
            ItemKind::Object => {
                self.members_with(user, name);
                if item.is_called_by_name() {
                    self.names.push(item.name.short());
                }
            }
            ItemKind::Type | ItemKind::Typedef | ItemKind::MacroUse => {}
        }
    }

    /// Who passes a function to one that may call it, and who passes a parameter on to one.
    fn spread_callbacks(&mut self) {
        let mut names = std::mem::take(&mut self.callbacks);
        for _ in 0..=MAX_PASS_DEPTH {
            let mut next = Vec::new();
            for name in names {
                for user in self.now.index.users(name.short()) {
                    let item = self.now.index.item(user);
                    self.doubt(user, name.short());
                    if item.kind == ItemKind::Function {
                        let facts = self.now.facts(user);
                        let on = passes(&facts);
                        if on.iter().any(|it| it.1 == Some(name)) {
                            next.push(item.name);
                        }
                    }
                }
            }
            names = next;
        }
    }
}

/// What is stored in what, wherever that stands.
fn stored(it: &Store) -> (&Expr, &[Step], &Expr, bool) {
    (&it.object, &it.path, &it.value, it.on_stack)
}

/// The parameters that a function calls, or passes on, with whom it passes them to and where; those in objects on
/// the stack as if they were called.
fn passes(facts: &FunctionFacts) -> Vec<(usize, Option<Sym>, usize)> {
    let mut found = Vec::new();
    let param = |it: &Sym| facts.params.iter().position(|param| param.0 == *it);
    for call in &facts.calls {
        let called = match &call.callee {
            Callee::Name(name) => vec![*name],
            Callee::Value(value) => named_values(value),
            Callee::Member(..) => Vec::new(),
        };
        found.extend(called.iter().filter_map(param).map(|it| (it, None, 0)));
        if let Callee::Name(callee) = &call.callee {
            for (at, arg) in call.args.iter().enumerate() {
                if let Expr::Name(name) = arg
                    && let Some(it) = param(name)
                {
                    found.push((it, Some(*callee), at));
                }
            }
        }
    }
    for store in &facts.stores {
        let below = (0..).zip(&facts.params);
        let below = below.filter(|it| super::below::puts_below(store, it.1.0));
        found.extend(below.map(|it| (it.0, None, 1)));
    }
    found.sort_unstable();
    found.dedup();
    found
}
