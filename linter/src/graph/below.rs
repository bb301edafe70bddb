//! Functions in objects on the stack: what the owner of the stack calls may call them, and nobody else.

use super::callbacks::called_back;
use super::given::Reach;
use super::index::ItemId;
use super::resolve::{Edge, Resolver, Scope, named_values};
use crate::facts::{Callee, Expr, FunctionFacts, Step, Store, TypeRef};
use crate::finding::Confidence;
use crate::lex::{ItemKind, Sym};

impl Resolver<'_, '_> {
    /// A function pointer in an object on the stack is called by what this function calls, or not at all.
    pub(super) fn stack_edges(&self, scope: Scope<'_>, out: &mut Vec<Edge>) {
        for store in scope.facts.stores.iter().filter(|it| it.on_stack) {
            let Some(Step::Member(member)) = store.path.last() else {
                continue;
            };
            let targets = self.functions_meant(&store.value, scope);
            let leads = targets.iter().any(|it| self.sieve.passes(it.0));
            if !leads || !self.is_called_below(store, scope) {
                continue;
            }
            out.extend(called_back(
                &targets,
                store.offset,
                (*member, Confidence::High),
            ));
        }
    }

    /// A function that is given to a helper which puts it into an object on this function's stack, likewise:
    /// `begin(&object, done); run(&object);`
    pub(super) fn stack_gifts(&self, scope: Scope<'_>, out: &mut Vec<Edge>) {
        let facts = scope.facts;
        if facts.on_stack.is_empty() {
            return;
        }
        for call in &facts.calls {
            let Callee::Name(name) = call.callee else {
                continue;
            };
            if !call.args.iter().any(|it| is_on_stack(it, facts)) {
                continue;
            }
            for (place, given) in call.args.iter().enumerate() {
                let targets = self.functions_meant(given, scope);
                if !targets.iter().any(|it| self.sieve.passes(it.0)) {
                    continue;
                }
                for (helper, sure) in self.functions_in(name, scope.file).iter() {
                    for member in self.members_put(*helper, place, (&call.args, facts)) {
                        out.extend(called_back(&targets, call.offset, (member, *sure)));
                    }
                }
            }
        }
    }

    /// The members into which a helper puts what it gets in a place, of objects on the stack of who calls it.
    fn members_put(
        &self,
        helper: ItemId,
        place: usize,
        (args, caller): (&[Expr], &FunctionFacts),
    ) -> Vec<Sym> {
        let facts = self.facts(helper);
        let Some((param, _)) = facts.params.get(place) else {
            return Vec::new();
        };
        let scope = Scope {
            file: self.index.file_index(helper),
            facts: &facts,
        };
        let stores = facts.stores.iter().filter(|it| {
            named_values(&it.value).contains(param)
                && puts_on_stack(it, &facts, (args, caller))
                && self.is_called_below(it, scope)
        });
        let member = |it: &Store| match it.path.last() {
            Some(Step::Member(member)) => Some(*member),
            _ => None,
        };
        stores.filter_map(member).collect()
    }

    /// Whether a store puts a parameter into an object on the stack, for what its function calls.
    pub(super) fn hands_below(&self, store: &Store, param: Sym, scope: Scope<'_>) -> bool {
        puts_below(store, param) && self.is_called_below(store, scope)
    }

    /// Whether somebody may call what was put into a member of an object on the stack, and does not run it later.
    fn is_called_below(&self, store: &Store, scope: Scope<'_>) -> bool {
        let Some(Step::Member(member)) = store.path.last() else {
            return false;
        };
        if self.runner_of(store, scope).is_some() {
            return false;
        }
        let start = self.type_of(&store.object, scope).of;
        match self.walk_path(start, false, &store.path, scope.file) {
            Some((of, _)) if of != TypeRef::Unknown => self.is_member_called(of, *member),
            _ => true,
        }
    }

    /// Whether somebody calls a member of a type, or takes what it holds for anything but another member.
    fn is_member_called(&self, of: TypeRef, member: Sym) -> bool {
        self.called_members.get((of, member), || {
            let index = self.index;
            let (TypeRef::Tag(name) | TypeRef::Name(name)) = of else {
                return true;
            };
            let known: Vec<Reach> = index.reaches_of(name).collect();
            let callers = index.member_callers(member.short());
            let mut callers = callers
                .filter(|it| matches!(index.item(*it).kind, ItemKind::Function | ItemKind::Macro))
                .filter(|it| {
                    let path = index.file_of(*it).path.as_str();
                    known.is_empty() || known.iter().any(|it| it.holds(path))
                });
            callers.any(|it| self.calls_member(it, (of, member)))
        })
    }

    fn calls_member(&self, caller: ItemId, (of, member): (TypeRef, Sym)) -> bool {
        let facts = self.facts(caller);
        let scope = Scope {
            file: self.index.file_index(caller),
            facts: &facts,
        };
        let mut read: Vec<(&Expr, Sym)> = Vec::new();
        for call in &facts.calls {
            match &call.callee {
                Callee::Member(object, name) => {
                    read.push((object, *name));
                    read.extend(members_in(object));
                }
                Callee::Value(value) => read.extend(members_in(value)),
                Callee::Name(_) => {}
            }
            read.extend(call.args.iter().flat_map(members_in));
        }
        read.extend(facts.assigns.iter().flat_map(|it| members_in(&it.1)));
        let mut kept = facts.stores.iter().flat_map(|it| members_in(&it.value));
        let mut of_name = read.iter().filter(|it| it.1 == member).peekable();
        if of_name.peek().is_none() {
            // What the facts do not show at all stands in a form that they do not know.
            return !kept.any(|it| it.1 == member);
        }
        of_name.any(|it| {
            let typed = self.type_of(it.0, scope).of;
            typed == of || typed == TypeRef::Unknown
        })
    }
}

/// The members that an expression reads, with their objects.
fn members_in(value: &Expr) -> Vec<(&Expr, Sym)> {
    match value {
        Expr::Member(object, member) => {
            let mut found = members_in(object);
            found.push((&**object, *member));
            found
        }
        Expr::Call(_, args) => args.iter().flat_map(members_in).collect(),
        Expr::Either(first, second) => [members_in(first), members_in(second)].concat(),
        Expr::Unknown | Expr::Name(_) | Expr::Typed(_) | Expr::Const(_) => Vec::new(),
    }
}

/// Whether an argument is an object on the caller's stack, or its address.
fn is_on_stack(argument: &Expr, caller: &FunctionFacts) -> bool {
    let root = argument.root();
    root.is_some_and(|it| caller.on_stack.contains(&it))
}

/// Whether a store of a helper goes into an object that lies on the stack of who calls it with these arguments.
pub(super) fn puts_on_stack(
    store: &Store,
    helper: &FunctionFacts,
    (args, caller): (&[Expr], &FunctionFacts),
) -> bool {
    let root = store.object.root();
    let place = root.and_then(|root| helper.params.iter().position(|it| it.0 == root));
    let object = place.and_then(|it| args.get(it));
    object.is_some_and(|it| is_on_stack(it, caller))
}

/// Whether a store puts a parameter into an object on the stack.
pub(super) fn puts_below(store: &Store, param: Sym) -> bool {
    store.on_stack
        && matches!(store.path.last(), Some(Step::Member(_)))
        && named_values(&store.value).contains(&param)
}
