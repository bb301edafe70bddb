//! What constants in a caller's struct decide in the functions that get its address.
//!
//! Such a struct is often there to be filled in: what it holds is known only as long as nobody who got the address
//! stores to the member.

use super::index::ItemId;
use super::resolve::Resolver;
use super::values::{Fact, Known, MAX_PASSES};
use crate::facts::{Callee, Inside, Site, TypeRef, Value};
use crate::lex::Sym;

impl Resolver<'_, '_> {
    /// What an object on the stack holds when a call gets its address.
    pub(super) fn inside(&self, caller: ItemId, callee: ItemId, site: &Site) -> Vec<Known> {
        let decides = |it: &&Inside| self.decides_by_member((callee, it.arg), it.member, 0);
        let is_kept = |it: &&Inside| {
            let mut passed = it.passed.iter();
            !passed.any(|(offset, arg)| self.may_store((caller, *offset), *arg, it.member, 0))
        };
        let inside = site.inside.iter();
        inside
            .filter(decides)
            .filter(is_kept)
            .filter_map(|it| {
                let value = match &it.value {
                    Value::Number(it) => Fact::Number(*it),
                    Value::Constant(it) => Fact::Constant(*it),
                    _ => return None,
                };
                Some(Known {
                    param: it.arg,
                    members: vec![it.member],
                    value,
                    is_initial: true,
                })
            })
            .collect()
    }

    /// Whether a member of what the parameter points to decides about a call, as [`Self::decides`] has it.
    fn decides_by_member(&self, (function, param): (ItemId, u16), member: Sym, depth: u32) -> bool {
        if depth > MAX_PASSES || !self.deciding.passes(function) {
            return false;
        }
        let facts = self.facts(function);
        let conditions = &facts.conditions;
        let tests = |it: &u32| {
            let test = &conditions.guards[*it as usize].test;
            mentions_member(test, param, member)
        };
        let passes_on = |site: &Site| {
            let mut args = site.args.iter();
            args.any(|it| {
                is_place(&it.1, param)
                    && self.callees(function, site.offset).iter().any(|callee| {
                        *callee != function
                            && self.decides_by_member((*callee, it.0), member, depth + 1)
                    })
            })
        };
        let mut sites = conditions.sites.iter();
        sites.any(|it| it.guards.iter().any(tests) || passes_on(it))
    }

    /// Whether a call may store to the member of the object whose address is that argument.
    fn may_store(
        &self,
        (caller, offset): (ItemId, u32),
        arg: u16,
        member: Sym,
        depth: u32,
    ) -> bool {
        let callees = self.callees(caller, offset);
        let stores = |callee: &ItemId| {
            let facts = self.facts(*callee);
            let conditions = &facts.conditions;
            let mut stored = conditions.stores.iter();
            // A parameter that is looked at byte by byte, as memset() does, shows no members.
            let is_struct = facts
                .params
                .get(usize::from(arg))
                .is_some_and(|it| it.1 != TypeRef::Unknown);
            !is_struct
                || stored.any(|it| it.0 == member || it.0 == Sym::NONE)
                || conditions.sites.iter().any(|site| {
                    let mut args = site.args.iter().filter(|it| is_place(&it.1, arg));
                    args.any(|it| self.may_store((*callee, site.offset), it.0, member, depth + 1))
                })
        };
        depth > MAX_PASSES || callees.is_empty() || callees.iter().any(stores)
    }

    /// Whether somebody in the function may have changed what was known at its entry before the call at `offset`.
    pub(super) fn is_changed(&self, function: ItemId, known: &Known, offset: u32) -> bool {
        let facts = self.facts(function);
        let Some(member) = known.members.last() else {
            return true;
        };
        let before = facts
            .conditions
            .sites
            .iter()
            .filter(|it| it.offset < offset);
        before.into_iter().any(|site| {
            let mut args = site.args.iter().filter(|it| is_place(&it.1, known.param));
            args.any(|it| self.may_store((function, site.offset), it.0, *member, 0))
        })
    }

    /// The functions that a call by name may mean.
    pub(super) fn callees(&self, caller: ItemId, offset: u32) -> Vec<ItemId> {
        let file = self.index.file_index(caller);
        let facts = self.facts(caller);
        let calls = facts.calls.iter().filter(|it| it.offset == offset);
        calls
            .filter_map(|it| match it.callee {
                Callee::Name(name) => Some(name),
                _ => None,
            })
            .flat_map(|it| self.functions_in(it, file).to_vec())
            .map(|it| it.0)
            .collect()
    }
}

fn is_place(value: &Value, param: u16) -> bool {
    matches!(value, Value::Place(it, members) if *it == param && members.is_empty())
}

fn mentions_member(value: &Value, param: u16, member: Sym) -> bool {
    let inner = |it: &Value| mentions_member(it, param, member);
    match value {
        Value::Place(it, members) => *it == param && members.first() == Some(&member),
        Value::Not(it) => inner(it),
        Value::AnyOf(it, values) => inner(it) || values.iter().any(inner),
        other => other.sides().into_iter().flatten().any(inner),
    }
}
