//! Calls through variables that are no local ones: pointers to functions, and arrays of them.

use super::domains::Domain;
use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, FEW, Resolver, Scope, Target, Through};
use super::site::Site;
use crate::facts::{Expr, FunctionFacts, Step};
use crate::finding::Confidence;
use crate::lex::{Given, ItemKind, Sym, flags, variable};

/// Values that one function gives to a variable are followed up to so many.
const MAX_VALUES: usize = 256;

impl Resolver<'_, '_> {
    /// What a call through a local pointer, or through a local array of them, leads to.
    pub(super) fn local_edges(&self, name: Sym, at: &Site<'_>, out: &mut Vec<Edge>) {
        let facts = at.scope.facts;
        for (_, value) in facts.assigns.iter().filter(|it| it.0 == name) {
            self.value_edges(value, at, out);
        }
        let object = Expr::Name(name);
        let elements = facts.stores.iter().filter(|it| it.object == object);
        for store in elements.filter(|it| is_in_array(&it.path)) {
            self.value_edges(&store.value, at, out);
        }
    }

    /// The variables of a name that a call by that name can mean in a file: its own, or those that others share
    /// with it.
    pub(super) fn variables_in(&self, name: Sym, file: usize) -> Vec<ItemId> {
        let all: Vec<ItemId> = self.visible(self.index.objects(name), file).collect();
        let is_own = |it: &ItemId| {
            let home = self.index.file_index(*it);
            home == file || self.includes_unit(home, file)
        };
        let own: Vec<ItemId> = all.iter().copied().filter(is_own).collect();
        let is_static = |it: &ItemId| self.index.item(*it).flags & flags::STATIC != 0;
        if own.iter().any(is_static) { own } else { all }
    }

    /// Whether a file has a variable of its own that hides what others call so.
    pub(super) fn has_pointer(&self, name: Sym, file: usize) -> bool {
        self.index.is_object_name(name.short())
            && self.variables_in(name, file).iter().any(|it| {
                let is_own = self.index.file_index(*it) == file;
                is_own && self.may_be_called(*it)
            })
    }

    fn may_be_called(&self, object: ItemId) -> bool {
        let item = self.index.item(object);
        // The type's name may be that of a pointer: what functions put there tells.
        let is_set = || {
            let member = variable(item.name.short());
            let mut values = self.index.setters(member).map(|it| it.0);
            values.any(|it| self.index.may_name_function(it) || Given::of([member, it]).is_some())
        };
        item.flags & flags::POINTER != 0
            || !self.functions_in_variable(object).is_empty()
            || item.is_called_by_name() && is_set()
    }

    /// What a call of `name` leads to where that is a variable; false where it is none.
    ///
    /// That is what an initialiser puts into it, and what functions assign to it by its name.
    pub(super) fn variable_edges(&self, name: Sym, at: &Site<'_>, out: &mut Vec<Edge>) -> bool {
        if !self.index.is_object_name(name.short()) {
            return false;
        }
        let variables = self.variables_in(name, at.scope.file);
        if !variables.iter().any(|it| self.may_be_called(*it)) {
            return false;
        }
        let mut found: Vec<(ItemId, Confidence, Domain)> = Vec::new();
        for object in &variables {
            let domain = self.index.file_of(*object).domain;
            let held = self.functions_in_variable(*object).into_iter();
            found.extend(held.map(|it| (it.0, it.1, domain)));
        }
        self.assigned(name, &variables, &mut found);
        let given = self.given_to(name, &variables).into_iter();
        found.extend(given.map(|it| (it.function, it.confidence, it.domain)));
        found.sort_unstable_by_key(|it| (it.0, std::cmp::Reverse(it.1)));
        found.dedup_by_key(|it| it.0);
        let choice = match found.len() {
            0 | 1 => Confidence::High,
            2..=FEW => Confidence::Medium,
            _ => Confidence::Low,
        };
        out.extend(found.into_iter().map(|(target, sure, domain)| Edge {
            domain,
            ..Edge::new(
                (Target::Function(target), sure.min(choice)),
                at.offset,
                (EdgeKind::Ops, Through::Name(name)),
            )
        }));
        true
    }

    /// The functions that a variable's initialiser names, or one of its elements.
    fn functions_in_variable(&self, object: ItemId) -> Vec<(ItemId, Confidence)> {
        let file = self.index.file_index(object);
        let facts = self.object(object);
        let empty = FunctionFacts::default();
        let scope = Scope {
            file,
            facts: &empty,
        };
        let mut found = Vec::new();
        let own = facts.stores.iter();
        let own = own.filter(|it| matches!(it.object, Expr::Name(_)) && is_in_array(&it.path));
        for store in own {
            found.extend(self.functions_meant(&store.value, scope));
            let handed = self.functions_handed(&store.value, scope).into_iter();
            found.extend(handed.map(|it| (it, Confidence::Low)));
        }
        found
    }

    /// The functions that others assign to one of `variables` by its name.
    fn assigned(
        &self,
        name: Sym,
        variables: &[ItemId],
        found: &mut Vec<(ItemId, Confidence, Domain)>,
    ) {
        let mut setters: Vec<ItemId> = self
            .index
            .setters(variable(name.short()))
            .filter(|it| self.index.may_name_function(it.0))
            .map(|it| it.1)
            .filter(|it| self.index.item(*it).kind == ItemKind::Function)
            .collect();
        setters.sort_unstable();
        setters.dedup();
        for setter in setters {
            let file = self.index.file_index(setter);
            let meant = self.variables_in(name, file);
            if !meant.iter().any(|it| variables.contains(it)) {
                continue;
            }
            let facts = self.facts(setter);
            if facts.declares(name) {
                continue;
            }
            let domain = self.index.file(file).domain;
            let scope = Scope {
                file,
                facts: &facts,
            };
            let values = facts.assigns.iter().filter(|it| it.0 == name);
            for (_, value) in values.take(MAX_VALUES) {
                let functions = self.functions_meant(value, scope).into_iter();
                found.extend(functions.map(|it| (it.0, it.1, domain)));
                let handed = self.functions_handed(value, scope).into_iter();
                found.extend(handed.map(|it| (it, Confidence::Low, domain)));
            }
        }
    }
}

/// Whether a path leads to a variable itself, or to an element of an array of one or two dimensions.
fn is_in_array(path: &[Step]) -> bool {
    path.len() <= 2 && !path.iter().any(|it| matches!(it, Step::Member(_)))
}
