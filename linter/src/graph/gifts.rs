//! What a member may call because somebody passed it to a helper that stores its parameter there.

use rustc_hash::FxHashSet;

use super::below::puts_on_stack;
use super::callbacks::functions_named;
use super::copies::members_read;
use super::domains::Domain;
use super::focused::Focused;
use super::given::{MAX_HELPERS, Reach};
use super::index::ItemId;
use super::resolve::{FEW, Resolver, Scope, named_values};
use super::roots::callers_of;
use super::tables::Entry;
use super::typing::{directories, substitute};
use crate::facts::{Call, Callee, FunctionFacts, Step, TypeRef};
use crate::finding::Confidence;
use crate::kernel::Runner;
use crate::lex::{Argument, Given, ItemKind, Ref, RefKind, Sym, variable};

/// How a function came to a helper that stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gift {
    /// Who stores it.
    helper: ItemId,
    /// Whether others may as well be meant.
    is_vague: bool,
    /// Whether code of several implementations gives to the same member.
    is_shared: bool,
}

/// A function that stores a parameter.
struct Helper {
    function: ItemId,
    place: u32,
    /// Those who pass something to it, or to those that hand it on.
    givers: Vec<Giver>,
    /// Whether one that hands it on is called through pointers.
    is_open: bool,
}

/// Who passes functions to a helper.
struct Giver {
    helper: ItemId,
    caller: ItemId,
    /// Whom it calls, and with which argument.
    callee: Sym,
    place: u32,
}

impl Resolver<'_, '_> {
    /// What callers give to functions that store their parameter in `member` of `of`, whose type has to be known.
    pub(super) fn entries_given(
        &self,
        of: TypeRef,
        member: Sym,
        focus: Option<&Focused>,
    ) -> Vec<Entry> {
        if of == TypeRef::Unknown || !self.index.is_called(member.short()) {
            return Vec::new();
        }
        let mut helpers = self.helpers_of(member.short());
        let all = helpers.iter().flat_map(|it| &it.givers);
        if !all.into_iter().any(|it| self.gives_what_passes(it)) {
            return Vec::new();
        }
        helpers.retain(|it| self.stores_param(it, (of, member)));
        if helpers.iter().any(|it| it.is_open) {
            // What comes through the pointer is unknown, and as likely meant as what is known.
            return Vec::new();
        }
        let givers: Vec<&Giver> = helpers.iter().flat_map(|it| &it.givers).collect();
        // Counted from names alone, so that what the sieve leaves out counts as well.
        let mut named: Vec<(Domain, u32)> = Vec::new();
        let mut places: FxHashSet<(Domain, &str)> = FxHashSet::default();
        for giver in &givers {
            let file = self.index.file_of(giver.caller);
            let names = self.passed_by(giver).into_iter();
            let names = names.filter(|it| !it.is_member && self.index.may_name_function(it.name));
            for it in names {
                named.push((file.domain, it.name));
                let place = directories(file.path.as_str()).1;
                let is_generic = file.domain == Domain::GENERIC;
                places.insert((file.domain, if is_generic { place } else { "" }));
            }
        }
        named.sort_unstable();
        named.dedup();
        let count = |domain: Domain| named.iter().filter(|it| it.0 == domain).count();
        let mut found = Vec::new();
        for giver in givers {
            let domain = self.index.file_of(giver.caller).domain;
            let is_vague = count(domain) > FEW;
            let gift = Gift {
                helper: giver.helper,
                is_vague,
                is_shared: places.len() > 1,
            };
            // Of many in generic code nothing keeps a chain to those that are meant.
            let is_anybodys = is_vague && domain == Domain::GENERIC;
            let reads = || self.passed_by(giver).into_iter().any(|it| it.is_member);
            let matters = focus.is_none_or(|it| it.may_name(self.index, giver.caller) || reads());
            if matters && !is_anybodys && self.gives_what_passes(giver) {
                self.entries_of_giver(giver, (of, gift), focus, &mut found);
            }
        }
        found
    }

    /// What callers give to functions that assign their parameter to one of `variables`, which are of this name.
    pub(super) fn given_to(&self, name: Sym, variables: &[ItemId]) -> Vec<Entry> {
        let mut found = Vec::new();
        for helper in self.helpers_of(variable(name.short())) {
            let function = helper.function;
            let file = self.index.file_index(function);
            // A macro means what its user does.
            let is_macro = self.index.item(function).kind == ItemKind::Macro;
            let is_one = |file: usize| {
                let meant = self.variables_in(name, file);
                meant.iter().any(|it| variables.contains(it))
            };
            let facts = self.facts(function);
            let param = facts.params.get(helper.place as usize);
            let assigns = param.is_some_and(|(param, _)| {
                let mut given = facts.assigns.iter().filter(|it| it.0 == name);
                given.any(|it| named_values(&it.1).contains(param))
            });
            // What comes through a pointer to the helper is unknown.
            let is_meant = is_macro || is_one(file);
            if !is_meant || !assigns || facts.declares(name) || helper.is_open {
                continue;
            }
            let gift = Gift {
                helper: function,
                is_vague: false,
                is_shared: false,
            };
            let givers = helper.givers.iter();
            for giver in givers.filter(|it| !is_macro || is_one(self.index.file_index(it.caller))) {
                self.entries_of_giver(giver, (TypeRef::Unknown, gift), None, &mut found);
            }
        }
        found
    }

    /// Who may store a parameter in a member of this name, as [`Sym::short`], whatever its type.
    fn helpers_of(&self, member: u32) -> Vec<Helper> {
        let index = self.index;
        let stored = index.setters(member).filter_map(|(value, helper)| {
            let given = Given::of([member, value])?;
            matches!(given, Given::Stored { .. }).then(|| (helper, given.place()))
        });
        let mut helpers: Vec<(ItemId, u32)> = stored
            .filter(|it| index.file_of(it.0).at_home && !index.file_of(it.0).is_foreign)
            // What those are given runs later, elsewhere.
            .filter(|it| !self.deferrals.contains_key(&index.item(it.0).name))
            .collect();
        helpers.sort_unstable();
        helpers.dedup();
        helpers.into_iter().map(|it| self.helper(it)).collect()
    }

    fn helper(&self, (function, place): (ItemId, u32)) -> Helper {
        let index = self.index;
        let mut helper = Helper {
            function,
            place,
            givers: Vec::new(),
            is_open: false,
        };
        let mut passed = vec![(function, place)];
        for depth in 0..=MAX_HELPERS {
            let mut on = Vec::new();
            for (to, place) in passed {
                let callee = index.item(to).name;
                let callers = callers_of(index, callee, &|it| it != to).into_iter();
                let meant = callers.filter(|it| self.means(*it, to));
                helper.givers.extend(meant.map(|caller| Giver {
                    helper: function,
                    caller,
                    callee,
                    place,
                }));
                helper.is_open |= depth > 0 && self.is_called_by_pointer(to);
                if depth < MAX_HELPERS {
                    on.extend(self.handed_on(to, place));
                }
            }
            on.sort_unstable();
            on.dedup();
            passed = on;
        }
        helper
    }

    fn gives_what_passes(&self, giver: &Giver) -> bool {
        let mut passed = self.passed_by(giver).into_iter();
        passed.any(|it| {
            if it.is_member {
                self.sieve.passes_member(it.name)
            } else {
                self.may_pass(it.name)
            }
        })
    }

    /// Who hands a parameter on as that argument of a function, and which.
    fn handed_on(&self, function: ItemId, place: u32) -> Vec<(ItemId, u32)> {
        let name = self.index.item(function).name.short();
        let rows =
            self.index
                .setters(name)
                .filter_map(|(value, id)| match Given::of([name, value])? {
                    Given::Handed { place: own, to, .. } if to == place => Some((id, own)),
                    _ => None,
                });
        let others = rows.filter(|it| it.0 != function && self.index.file_of(it.0).at_home);
        others.filter(|it| self.means(it.0, function)).collect()
    }

    /// Whether the name of a function or macro means it where `user` stands.
    fn means(&self, user: ItemId, callee: ItemId) -> bool {
        let item = self.index.item(callee);
        if item.kind != ItemKind::Macro {
            return self.is_meant(callee, user);
        }
        let file = self.index.file_index(user);
        self.macros_in(item.name, file).contains(&callee)
    }

    /// Whether a function's name stands where it is not called: others may call it without naming it. What a macro
    /// is given outside of functions, such as `EXPORT_SYMBOL`, is not called for that.
    fn is_called_by_pointer(&self, function: ItemId) -> bool {
        let index = self.index;
        let name = index.item(function).name.short();
        let mention = Ref::of_short(RefKind::Mention, name);
        let names = |it: ItemId| {
            let is_use = index.item(it).kind == ItemKind::MacroUse;
            !is_use && index.refs(it).binary_search(&mention).is_ok()
        };
        let mut users = self.index.users(name);
        users.any(|it| names(it) && self.is_meant(function, it))
    }

    /// Whether a function stores the parameter in the member of the type, to be called like any other.
    fn stores_param(&self, helper: &Helper, member: (TypeRef, Sym)) -> bool {
        let facts = self.facts(helper.function);
        let file = self.index.file_index(helper.function);
        let scope = Scope {
            file,
            facts: &facts,
        };
        let Some((param, _)) = facts.params.get(helper.place as usize) else {
            return false;
        };
        let stores = facts.stores.iter().filter(|it| !it.on_stack);
        // A local pointer may stand for the parameter.
        let is_param = |it: &Sym| {
            let mut given = facts.assigns.iter().filter(|given| given.0 == *it);
            it == param || given.any(|given| named_values(&given.1).contains(param))
        };
        let mut stores = stores.filter(|it| named_values(&it.value).iter().any(is_param));
        if self.index.item(helper.function).kind == ItemKind::Macro {
            // Of what type the object is, those say who use it.
            let runs_later = |it: &(Sym, Sym, Runner)| (TypeRef::Tag(it.0), it.1) == member;
            return !self.deferring.iter().any(runs_later)
                && stores.any(|it| it.path.last() == Some(&Step::Member(member.1)));
        }
        stores.any(|it| {
            let start = self.type_of(&it.object, scope).of;
            self.walk_path(start, false, &it.path, file) == Some(member)
                && self.runner_of(it, scope).is_none()
        })
    }

    /// What a giver passes.
    fn passed_by(&self, giver: &Giver) -> Vec<Argument> {
        let (callee, place) = (giver.callee.short(), giver.place);
        let Some(all) = self.index.arguments_of(giver.caller) else {
            return Vec::new();
        };
        let passed = |it: &&Argument| it.callee == callee && it.place == place;
        all.iter().filter(passed).copied().collect()
    }

    fn entries_of_giver(
        &self,
        giver: &Giver,
        (of, gift): (TypeRef, Gift),
        focus: Option<&Focused>,
        out: &mut Vec<Entry>,
    ) {
        let passed = self.passed_by(giver);
        let passes = |name: Sym, is_member: bool| {
            let mut passed = passed.iter();
            passed.any(|it| (it.name, it.is_member) == (name.short(), is_member))
        };
        let facts = self.facts(giver.caller);
        let file = self.index.file_index(giver.caller);
        let scope = Scope {
            file,
            facts: &facts,
        };
        let calls = facts.calls.iter();
        let helper = self.facts(giver.helper);
        let is_direct = self.index.item(giver.helper).name == giver.callee;
        for call in calls.filter(|it| it.callee == Callee::Name(giver.callee)) {
            // What lies on the giver's stack is called by what the giver calls, and by nobody else.
            let mut stores = helper.stores.iter();
            if is_direct && stores.any(|it| puts_on_stack(it, &helper, (&call.args, &facts))) {
                continue;
            }
            let Some(value) = call.args.get(giver.place as usize) else {
                continue;
            };
            let is_macro = self.index.item(giver.helper).kind == ItemKind::Macro;
            let is_variable = of == TypeRef::Unknown;
            let sets = || is_variable || self.sets_of((&helper, giver.place), call, scope, of);
            if is_macro && !(is_direct && sets()) {
                continue;
            }
            let mut read = members_read(value);
            read.retain(|it| passes(it.1, true));
            let read = self.entries_read(read, scope, focus).into_iter();
            out.extend(read.map(|it| Entry {
                of,
                item: giver.caller,
                offset: call.offset,
                gift: Some(gift),
                ..it
            }));
            let known = functions_named(value, &facts).into_iter();
            let known = known.filter(|it| passes(*it, false));
            for name in known {
                let functions = self.functions_valued(name, file);
                out.extend(functions.iter().map(|(function, sure)| Entry {
                    function: *function,
                    of,
                    item: giver.caller,
                    offset: call.offset,
                    confidence: Confidence::Medium.min(*sure),
                    domain: self.index.file(file).domain,
                    gift: Some(gift),
                }));
            }
        }
    }

    /// Whether a macro puts its argument at `place` into an object that is of a type where it is used.
    fn sets_of(
        &self,
        (helper, place): (&FunctionFacts, u32),
        call: &Call,
        scope: Scope<'_>,
        of: TypeRef,
    ) -> bool {
        let Some((param, _)) = helper.params.get(place as usize) else {
            return false;
        };
        let mut stores = helper.stores.iter();
        stores.any(|it| {
            let object = substitute(&it.object, helper, &call.args, 0);
            let start = self.type_of(&object, scope).of;
            let holder = self.walk_path(start, false, &it.path, scope.file);
            named_values(&it.value).contains(param) && holder.is_some_and(|it| it.0 == of)
        })
    }

    /// How sure a call in a file leads to what was given to the member that it calls; `None` where the file knows
    /// another type of that name.
    pub(super) fn sure_of_gift(
        &self,
        entry: &Entry,
        gift: Gift,
        file: usize,
    ) -> Option<Confidence> {
        let (TypeRef::Tag(of) | TypeRef::Name(of)) = entry.of else {
            return None;
        };
        let path = self.index.file(file).path.as_str();
        let known = self.index.reaches(of, gift.helper);
        if !known.into_iter().any(|it: Reach| it.holds(path)) {
            return None;
        }
        let giver = self.index.file_of(entry.item).path.as_str();
        let is_elsewhere = || directories(giver).1 != directories(path).1;
        let is_apart = gift.is_shared && entry.domain == Domain::GENERIC && is_elsewhere();
        Some(if gift.is_vague || is_apart {
            Confidence::Low
        } else {
            entry.confidence
        })
    }
}
