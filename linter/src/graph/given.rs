//! Functions that are given to helpers which store them: `begin(object, done)`, where that sets `object->member`.
//!
//! Who gives what to whom is read from the text alone, the same for the sieve and for the entries of a member.

use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::callbacks::functions_named;
use super::copies::members_read;
use super::domains::Domain;
use super::image::Image;
use super::index::{Index, ItemId};
use super::resolve::named_values;
use super::typing::directories;
use crate::contexts::{CONTEXTS, RootKind};
use crate::expand::Appliers;
use crate::facts::{Callee, Expr, FunctionFacts, Step, TypeRef};
use crate::kernel;
use crate::lex::{self, Argument, Given, ItemKind, Ref, RefKind, Sym, flags};

/// A parameter is followed through this many helpers that hand it on.
pub(super) const MAX_HELPERS: usize = 2;

/// Where a type is known: everywhere for [`Sym::NONE`], else in the file, or below the directory, of this path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Reach(Sym);

impl Reach {
    pub(super) const EVERYWHERE: Self = Self(Sym::NONE);

    /// Where a definition in this file is known.
    fn of(path: &str, is_shared: bool) -> Self {
        if !is_shared {
            return Self(Sym::of(path));
        }
        if path.starts_with("include/") || path.contains("/include/") {
            return Self::EVERYWHERE;
        }
        Self(Sym::of(directories(path).1))
    }

    pub(super) fn holds(self, path: &str) -> bool {
        let (outer, inner) = directories(path);
        self == Self::EVERYWHERE || [path, outer, inner].map(Sym::of).contains(&self.0)
    }
}

/// Callers of a member that may call what somebody passed to a helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reached {
    /// The implementation whose function it is, or that passes it; generic code stands for all.
    pub(super) domain: Domain,
    /// The type that holds the member, if it is known.
    pub(super) of: Sym,
    /// Where that is known; nowhere if nothing is.
    pub(super) reach: Option<Reach>,
}

impl Reached {
    /// Whether code of this file may call it: a chain stays in the implementation that it is in.
    pub(super) fn holds(&self, domain: Domain, path: &str) -> bool {
        let generic = Domain::GENERIC;
        let may_call = self.domain == generic || domain == generic || self.domain == domain;
        may_call && self.reach.is_some_and(|it| it.holds(path))
    }
}

/// Who passes something, to functions of which name, as which argument.
type Passed = (ItemId, u32, u32);

impl Index<'_> {
    /// Whether a function of this name, given as [`Sym::short`], may call what it gets in a place, from the text alone.
    pub(super) fn may_call_param(&self, name: u32, place: u32) -> bool {
        let (base, over) = self.handing();
        base.appliers(None).calls((name, place))
            || over.is_some_and(|it| it.appliers(Some(base)).calls((name, place)))
    }

    /// Whether what a function of this name, given as [`Sym::short`], gets passed may end in a member; sometimes true
    /// of others.
    fn is_giver(&self, name: u32) -> bool {
        self.givers().contains(&name)
    }

    /// What a function does with the parameters that it gets functions in, as far as somebody calls them then.
    fn given_by(&self, id: ItemId) -> impl Iterator<Item = Given> {
        let given = self.pairs_of(id).iter().filter_map(|it| Given::of(*it));
        given.filter(|it| match it {
            Given::Stored { member, .. } => self.is_called(*member),
            Given::Handed { .. } => true,
            Given::Applied { .. } => false,
        })
    }

    /// Whether an item names functions of this name, given as [`Sym::short`], without calling them.
    pub(super) fn mentions(&self, id: ItemId, name: u32) -> bool {
        let mention = Ref::of_short(RefKind::Mention, name);
        self.refs(id).binary_search(&mention).is_ok() && self.item(id).kind == ItemKind::Function
    }

    /// What a function passes to its callees, of the names and members that the lexical reading has of it; `None`
    /// where none of them may store it.
    pub(super) fn arguments_of(&self, caller: ItemId) -> Option<Arc<Vec<Argument>>> {
        let refs = self.refs(caller);
        // Calls come first.
        let mut calls = refs.iter().take_while(|it| it.kind() == RefKind::Call);
        if !calls.any(|it| self.is_giver(it.name())) {
            return None;
        }
        let has = |kind, name| refs.binary_search(&Ref::of_short(kind, name)).is_ok();
        Some(self.warm.arguments.get(self.key(caller), || {
            let mut found = Vec::new();
            let item = self.item(caller);
            let (text, body) = (self.item_text(caller), item.body - item.start);
            lex::each_argument(text, body as usize, |it| {
                let kind = if it.is_member {
                    RefKind::Member
                } else {
                    RefKind::Mention
                };
                if has(kind, it.name) {
                    found.push(it);
                }
            });
            // A local pointer stands for the functions that it was given.
            let pairs = self.pairs_of(caller);
            let given = |it: &Argument| {
                let argument = *it;
                let held = pairs.iter();
                let held = held.filter(move |it| it[0] == lex::variable(argument.name));
                held.map(move |it| Argument {
                    name: it[1],
                    ..argument
                })
            };
            let locals = found.iter().filter(|it| !it.is_member);
            let given: Vec<Argument> = locals.flat_map(given).collect();
            found.extend(given);
            found
        }))
    }

    /// The members, as [`Sym::short`], that hold what `caller` passes by this name, or from a member of this name,
    /// with those who set them.
    pub(crate) fn members_given(
        &self,
        caller: ItemId,
        (name, is_member): (u32, bool),
    ) -> Vec<(ItemId, u32)> {
        let Some(arguments) = self.arguments_of(caller) else {
            return Vec::new();
        };
        let is_one = |it: &&Argument| {
            (it.name, it.is_member) == (name, is_member) && self.is_giver(it.callee)
        };
        let passed = arguments.iter().filter(is_one);
        let passed = passed.map(|it| (caller, it.callee, it.place));
        self.members_of(passed.collect(), MAX_HELPERS)
    }

    /// The members that may hold what some caller of this function passes, likewise.
    pub(super) fn members_behind(&self, function: ItemId) -> Vec<(ItemId, u32)> {
        let (mut found, mut to) = (Vec::new(), Vec::new());
        if !self.is_giver(self.item(function).name.short()) {
            return found;
        }
        for given in self.given_by(function) {
            match given {
                Given::Stored { member, .. } => found.push((function, member)),
                Given::Handed { callee, to: at, .. } => to.push((function, callee, at)),
                Given::Applied { .. } => {}
            }
        }
        if !to.is_empty() {
            found.extend(self.members_of(to, MAX_HELPERS - 1));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The members, as [`Sym::short`], that may hold what `caller` passes to functions of this name as this argument.
    pub(super) fn members_for(&self, caller: ItemId, (callee, place): (u32, u32)) -> Vec<u32> {
        let found = self.members_of(vec![(caller, callee, place)], MAX_HELPERS);
        found.into_iter().map(|it| it.1).collect()
    }

    /// As [`Index::members_for`], of all that a function may pass, from the names of its callees alone: its text may
    /// be gone.
    pub(super) fn members_perhaps_given(&self, caller: ItemId) -> Vec<u32> {
        let calls = self.refs(caller).iter();
        let calls = calls.filter(|it| it.kind() == RefKind::Call && self.is_giver(it.name()));
        let helpers = calls.flat_map(|it| self.helpers(it.name()));
        let helpers = helpers.filter(|it| self.may_be_meant(*it, caller));
        let members = helpers.flat_map(|it| self.members_behind(it));
        let mut found: Vec<u32> = members.map(|it| it.1).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What a function passes to those of its callees that may store it, as the grammar has it.
    pub(super) fn passed(&self, facts: &FunctionFacts) -> Vec<Argument> {
        let mut found = Vec::new();
        for call in &facts.calls {
            let Callee::Name(callee) = call.callee else {
                continue;
            };
            let callee = callee.short();
            if !self.is_giver(callee) {
                continue;
            }
            for (place, value) in (0..).zip(&call.args) {
                let argument = |name, is_member| Argument {
                    callee,
                    place,
                    name,
                    is_member,
                };
                let mut names = functions_named(value, facts);
                names.extend(named_values(value));
                found.extend(names.iter().map(|it| argument(it.short(), false)));
                let members = members_read(value).into_iter();
                found.extend(members.map(|it| argument(it.1.short(), true)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The functions whose parameters may end in members that an item names without calling them, as [`Sym::short`].
    pub(super) fn givers_named(&self, id: ItemId) -> Vec<u32> {
        let mentions = self.refs(id).iter();
        let mentions = mentions.filter(|it| it.kind() == RefKind::Mention);
        let names = mentions.map(|it| it.name());
        names.filter(|it| self.is_giver(*it)).collect()
    }

    /// Who passes something to functions of these names, given as [`Sym::short`], or to those who hand it on to them.
    pub(super) fn users_of_helpers(&self, helpers: Vec<u32>) -> FxHashSet<ItemId> {
        let (mut found, mut seen) = (FxHashSet::default(), FxHashSet::default());
        let mut names = helpers;
        for _ in 0..=MAX_HELPERS {
            names.retain(|it| seen.insert(*it));
            let users = names.iter().flat_map(|it| self.users(*it));
            let new: Vec<ItemId> = users.filter(|it| found.insert(*it)).collect();
            let on = new.iter().map(|it| self.item(*it).name.short());
            names = on.filter(|it| self.is_giver(*it)).collect();
        }
        found
    }

    /// Where those who are passed something put it, and those whom they hand it on to.
    fn members_of(&self, passed: Vec<Passed>, helpers: usize) -> Vec<(ItemId, u32)> {
        let (mut found, mut passed) = (Vec::new(), passed);
        for _ in 0..=helpers {
            let mut on = Vec::new();
            for (user, callee, place) in passed {
                let meant = self.helpers(callee);
                for helper in meant.filter(|it| self.may_be_meant(*it, user)) {
                    for given in self.given_by(helper).filter(|it| it.place() == place) {
                        match given {
                            Given::Stored { member, .. } => found.push((helper, member)),
                            Given::Handed { callee, to, .. } => on.push((helper, callee, to)),
                            Given::Applied { .. } => {}
                        }
                    }
                }
            }
            on.sort_unstable();
            on.dedup();
            passed = on;
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The functions and macros of a name, given as [`Sym::short`], that may put what they get into a member.
    fn helpers(&self, name: u32) -> impl Iterator<Item = ItemId> {
        let named = self.functions_of(name).chain(self.macros_of(name));
        named.filter(|it| self.file_of(*it).at_home)
    }

    /// Whether the name of a function or macro may mean it where `user` stands.
    fn may_be_meant(&self, function: ItemId, user: ItemId) -> bool {
        let item = self.item(function);
        item.kind == ItemKind::Function && item.flags & flags::STATIC == 0
            || self.file_of(function).is_shared
            || self.file_index(function) == self.file_index(user)
            || self.file_of(user).includes_unit
    }

    /// Who may call what `helper` puts into a member, given as [`Sym::short`], for somebody of `domain`.
    pub(super) fn reached(&self, helper: ItemId, member: u32, domain: Domain) -> Vec<Reached> {
        let anywhere = Some(Reach::EVERYWHERE);
        let facts = self.function_facts(helper);
        let variable = lex::variable(member);
        let mut objects = self.objects_named(variable);
        if let Some(object) = objects.find(|it| self.file_of(*it).at_home) {
            let is_local = facts.declares(self.item(object).name);
            let of = Sym::NONE;
            let reach = anywhere;
            let of_variable = (!is_local && self.sees_variable(helper, variable))
                .then_some(Reached { domain, of, reach });
            return of_variable.into_iter().collect();
        }
        let mut found = Vec::new();
        for of in holders(&facts, member) {
            let reached = |reach| Reached { domain, of, reach };
            if of == Sym::NONE {
                found.push(reached(anywhere));
                continue;
            }
            let all = self.reaches(of, helper);
            if all.is_empty() {
                found.push(reached(None));
            }
            found.extend(all.into_iter().map(|it| reached(Some(it))));
        }
        found
    }

    /// Whether a variable of this name, given as [`Sym::short`], can be meant where an item stands, or where that is
    /// used.
    fn sees_variable(&self, user: ItemId, name: u32) -> bool {
        let file = self.file_index(user);
        let means_users = self.item(user).kind == ItemKind::Macro;
        means_users
            || self.file(file).includes_unit
            || self.objects_named(name).any(|it| self.is_visible(it, file))
    }

    /// Where the type of this name is known that a function knows by it.
    pub(super) fn reaches(&self, of: Sym, function: ItemId) -> Vec<Reach> {
        let path = self.file_of(function).path.as_str();
        let known = self.reaches_of(of);
        let mut known: Vec<Reach> = known.filter(|it| it.holds(path)).collect();
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Where the types of this name are known.
    pub(super) fn reaches_of(&self, of: Sym) -> impl Iterator<Item = Reach> {
        let known = self.types(of).filter(|it| self.file_of(*it).at_home);
        known.map(|it| self.reach(it))
    }

    /// Where a type is known that is defined here.
    pub(super) fn reach(&self, definition: ItemId) -> Reach {
        let file = self.file_of(definition);
        Reach::of(file.path.as_str(), file.is_shared)
    }
}

/// The tags of the structs in which a function puts a parameter into this member; [`Sym::NONE`] where that takes more
/// than a look at what is declared.
fn holders(facts: &FunctionFacts, member: u32) -> Vec<Sym> {
    let stores = facts.stores.iter().filter(|it| {
        let last = it.path.last();
        !it.on_stack && matches!(last, Some(Step::Member(it)) if it.short() == member)
    });
    let tag = |object: &Expr, path: &[Step]| {
        let Expr::Name(name) = object else {
            return Sym::NONE;
        };
        let mut declared = facts.locals.iter().chain(&facts.params);
        let of = declared.find(|it| it.0 == *name && it.1 != TypeRef::Unknown);
        match of {
            Some((_, TypeRef::Tag(tag))) if path.len() == 1 => *tag,
            _ => Sym::NONE,
        }
    };
    let mut found: Vec<Sym> = stores.map(|it| tag(&it.object, &it.path)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What the functions of an image do with parameters that may be pointers to functions. Names are as [`Sym::short`].
#[derive(Default)]
pub(super) struct Handing {
    /// With the name of the function.
    rows: Vec<(Given, u32)>,
    /// Members that are called, that a type declares as pointers to functions, or at which contexts begin, with how
    /// often.
    called: FxHashMap<u32, u32>,
    /// The names of those whose parameters may end in a member that is called.
    givers: Arc<FxHashSet<u32>>,
    appliers: OnceLock<Appliers>,
}

impl Handing {
    pub(super) fn of(image: &Image) -> Self {
        let setters = image.setters.rows().iter();
        let given = setters.filter_map(|it| Some((Given::of([it[0], it[1]])?, it[2])));
        let rows = given.map(|it| (it.0, image.items.get(it.1).name.short()));
        let rows: Vec<(Given, u32)> = rows.collect();
        let mut called = counted(image.refs.iter());
        // So are the variables that a file has for pointers to functions.
        called.extend(rows.iter().filter_map(|it| match it.0 {
            Given::Stored { member, .. } => {
                let is_object = !image.objects.of(lex::variable(member)).is_empty();
                is_object.then_some((member, u32::MAX))
            }
            _ => None,
        }));
        called.extend(root_members().map(|it| (it, u32::MAX)));
        let mut this = Self {
            rows,
            called,
            givers: Arc::default(),
            appliers: OnceLock::new(),
        };
        this.givers = Arc::new(givers(&[&this], &|it| this.called.contains_key(&it)));
        this
    }

    /// Who calls what it gets; `base` is what this is put over.
    pub(super) fn appliers(&self, base: Option<&Self>) -> &Appliers {
        self.appliers.get_or_init(|| match base {
            Some(base) => Appliers::of(&self.rows, base.appliers(None)),
            None => Appliers::of(&self.rows, &Appliers::default()),
        })
    }

    /// Whether there may be more givers with these than there are in a base.
    fn adds_to(&self, base: &Self) -> bool {
        let is_new = |(given, name): &(Given, u32)| {
            let leads = match given {
                Given::Stored { member, .. } => base.called.contains_key(member),
                Given::Handed { callee, .. } => base.givers.contains(callee),
                Given::Applied { .. } => false,
            };
            leads && !base.givers.contains(name)
        };
        self.calls_beside(base) || self.rows.iter().any(is_new)
    }

    /// Whether members are called here that are not in a base.
    fn calls_beside(&self, base: &Self) -> bool {
        self.called.keys().any(|it| !base.called.contains_key(it))
    }
}

/// The members that are called or declared, with how often.
fn counted<'r>(refs: impl Iterator<Item = &'r Ref>) -> FxHashMap<u32, u32> {
    let mut called = FxHashMap::default();
    for it in refs.filter(|it| it.kind() == RefKind::Declares) {
        *called.entry(it.name()).or_default() += 1;
    }
    called
}

/// The members through which somebody outside of the tree's sight calls.
fn root_members() -> impl Iterator<Item = u32> {
    let roots = CONTEXTS.iter().flat_map(|it| it.roots);
    roots.filter_map(|it| match it.kind {
        RootKind::Member { member, .. } => Some(Sym::of(member).short()),
        _ => None,
    })
}

/// The functions that may store a parameter in a member that is called, or hand it on to one that does.
fn givers(all: &[&Handing], is_called: &dyn Fn(u32) -> bool) -> FxHashSet<u32> {
    // What these are given runs later, elsewhere.
    let deferrals = kernel::DEFERRALS.iter();
    let deferrals: FxHashSet<u32> = deferrals.map(|it| Sym::of(it.name).short()).collect();
    let rows = || all.iter().flat_map(|it| &it.rows);
    let mut found = FxHashSet::default();
    for depth in 0..=MAX_HELPERS {
        let leads = |it: &Given| match it {
            Given::Stored { member, .. } => depth == 0 && is_called(*member),
            Given::Handed { callee, .. } => depth > 0 && found.contains(callee),
            Given::Applied { .. } => false,
        };
        let new = rows().filter(|it| leads(&it.0) && !deferrals.contains(&it.1));
        let new: Vec<u32> = new.map(|it| it.1).collect();
        found.extend(new);
    }
    found
}

impl Index<'_> {
    /// The givers that are none in the base alone, or whose parameters may end in members that nobody calls there, as
    /// [`Sym::short`]: what they get was passed to them all the time.
    pub(super) fn new_givers(&self) -> Vec<u32> {
        let (base, over) = self.handing();
        let mut new: FxHashSet<u32> = self.givers().difference(&base.givers).copied().collect();
        if let Some(over) = over.filter(|it| it.calls_beside(base)) {
            let is_new = |it| over.called.contains_key(&it) && !base.called.contains_key(&it);
            new.extend(givers(&[base, over], &is_new));
        }
        new.into_iter().collect()
    }

    /// Whether somebody calls a member of this name, given as [`Sym::short`], or declares it as a pointer to a
    /// function.
    pub(super) fn is_called(&self, member: u32) -> bool {
        let (base, over) = self.handing();
        over.is_some_and(|it| it.called.contains_key(&member))
            || base.called.contains_key(&member) && !self.called_no_more().contains(&member)
    }

    /// The members that only files call which others have taken the place of.
    fn called_no_more(&self) -> &FxHashSet<u32> {
        self.called_no_more.get_or_init(|| {
            let all = &self.handing().0.called;
            let gone = counted(self.hidden_refs()).into_iter();
            let gone = gone.filter(|it| all.get(&it.0) == Some(&it.1));
            gone.map(|it| it.0).collect()
        })
    }

    /// The members that are called here and not in another tree, as [`Sym::short`].
    pub(super) fn called_beside(&self, other: &Index<'_>) -> Vec<u32> {
        let (base, over) = self.handing();
        let is_same = std::ptr::eq(base, other.handing().0);
        let new = over.into_iter().chain((!is_same).then_some(base));
        let new = new.flat_map(|it| it.called.keys()).copied();
        // What is called no more there is called here, or nowhere.
        let called = new.chain(other.called_no_more().iter().copied());
        called
            .filter(|it| self.is_called(*it) && !other.is_called(*it))
            .collect()
    }

    /// The names of functions whose parameters may end in a member that is called, as [`Sym::short`].
    fn givers(&self) -> &FxHashSet<u32> {
        self.givers.get_or_init(|| {
            let (base, over) = self.handing();
            match over.filter(|it| it.adds_to(base)) {
                None => Arc::clone(&base.givers),
                Some(over) => Arc::new(givers(&[base, over], &|it| self.is_called(it))),
            }
        })
    }
}
