//! What a function of the chain has set to the contrary of what a release needs.

use super::findings::Run;
use crate::facts::{Expr, MemberSetting, Text, TypeRef, expr};
use crate::graph::explore::Reached;
use crate::graph::{ItemId, Scope};
use crate::syntax::doubts::settings;
use crate::syntax::idioms::{Needed, Release};
use crate::syntax::nodes::Field;

impl Run<'_, '_, '_> {
    /// The function that sets a member to what excludes the release, before it calls the next one of the chain.
    ///
    /// Somebody in between may set it again, or the object may be another one: no proof, but a doubt.
    pub(super) fn contrary(
        &self,
        id: ItemId,
        release: &Release,
        chain: &Reached,
    ) -> Option<String> {
        let mut callers = chain.calls.iter().rev().filter(|it| it.0 != id);
        callers.find_map(|(caller, offset)| {
            let mut needs = release.needs.iter();
            needs.find_map(|it| self.set_otherwise(id, it, (*caller, *offset)))
        })
    }

    fn set_otherwise(
        &self,
        id: ItemId,
        needed: &Needed,
        (caller, offset): (ItemId, u32),
    ) -> Option<String> {
        let member = needed.member.as_str();
        memchr::memmem::find(self.index.item_text(caller), member.as_bytes())?;
        let key = self.index.key(caller);
        let settings = self.warm.settings.get(key, || self.settings(caller));
        let mut before = settings.iter().filter(|it| it.end <= offset);
        let MemberSetting { object, value, .. } = before
            .rfind(|it| it.member == member)
            .filter(|it| it.is_certain)?;
        let is_contrary = if needed.is_zero {
            is_never_zero(value)
        } else {
            matches!(value.as_str(), "0" | "false" | "NULL")
        };
        if !is_contrary {
            return None;
        }
        let own = self.parsed.get(id, || self.index.parse(id));
        let own = own.as_ref().as_ref()?;
        let tested = own.tree.as_ref()?.root_node();
        let tested = tested.innermost_at(needed.offset).parent()?;
        let tested = expr(self.text(id, &own.clean), tested.field(Field::Argument)?);
        let tested = self.type_of(id, &tested);
        let is_same = tested != TypeRef::Unknown && tested == self.type_of(caller, object);
        let name = self.index.name_of(caller);
        is_same.then(|| format!("{name}() sets {member} to {value} before it calls on"))
    }

    /// What a function gives to members; nothing where it could not be parsed.
    fn settings(&self, function: ItemId) -> Vec<MemberSetting> {
        let Some(parsed) = self.index.parse(function) else {
            return Vec::new();
        };
        let text = self.text(function, &parsed.clean);
        let found = parsed
            .tree
            .as_ref()
            .map(|it| settings(it.root_node(), &parsed.clean));
        let found = found
            .unwrap_or_default()
            .into_iter()
            .map(|it| MemberSetting {
                object: expr(text, it.object),
                member: it.member,
                value: it.value,
                end: u32::try_from(it.end).unwrap_or(u32::MAX),
                is_certain: it.is_certain,
            });
        found.collect()
    }

    fn text<'a>(&'a self, function: ItemId, clean: &'a [u8]) -> Text<'a> {
        Text {
            original: self.index.item_text(function),
            clean,
            shift: 0,
        }
    }

    fn type_of(&self, function: ItemId, object: &Expr) -> TypeRef {
        let scope = Scope {
            file: self.index.file_index(function),
            facts: &self.resolver.facts(function),
        };
        self.resolver.type_of(object, scope).of
    }
}

/// Whether a value is an error or a number that is not 0.
fn is_never_zero(value: &str) -> bool {
    let number: Option<u64> = value.trim_start_matches('-').parse().ok();
    let error = value.strip_prefix("-E").unwrap_or_default();
    let is_error = !error.is_empty() && error.bytes().all(|it| it.is_ascii_alphanumeric());
    value == "true" || is_error || number.is_some_and(|it| it != 0)
}
