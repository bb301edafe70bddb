//! What a macro hands from its use to the function that stands in its body: `put(x)` for `__put(x, 0)`.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Target, Through};
use crate::facts::{Callee, Expr, Site, Value};
use crate::lex::Sym;

/// Macros inside macros are followed this deep.
const MAX_DEPTH: u32 = 3;
/// Arguments beyond this many are not looked at.
const MAX_ARGUMENTS: u16 = 16;

impl Resolver<'_, '_> {
    /// The site as the callee of an edge sees it; `None` where it is the edge's own call.
    ///
    /// Nothing is known of an argument where the macro says more than one thing about it.
    pub(super) fn handed(&self, caller: ItemId, site: &Site, edge: &Edge) -> Option<Site> {
        let (EdgeKind::Macro, Through::Name(of), Target::Function(callee)) =
            (edge.kind, edge.through, edge.target)
        else {
            return None;
        };
        let given = |index: usize| {
            let index = u16::try_from(index).ok()?;
            let found = site.args.iter().find(|it| it.0 == index);
            found.map(|it| it.1.clone())
        };
        let callee = self.index.item(callee).name;
        let file = self.index.file_index(caller);
        let args = match self.handed_by((of, callee, file), &given, 0) {
            // A macro of the function's own name stands beside the function's own call.
            Handed::Once(args) if of != callee => args,
            _ => Vec::new(),
        };
        Some(Site {
            args,
            inside: Vec::new(),
            ..site.clone()
        })
    }

    /// What calls of a name get in a macro's body.
    fn handed_by(
        &self,
        (of, callee, file): (Sym, Sym, usize),
        given: &dyn Fn(usize) -> Option<Value>,
        depth: u32,
    ) -> Handed {
        let mut found = Handed::Nothing;
        let definitions = self.macros_in(of, file);
        if depth > MAX_DEPTH && !definitions.is_empty() {
            return Handed::Unclear;
        }
        for definition in &definitions {
            let facts = self.facts(*definition);
            if let (Expr::Name(other), true) = (&facts.result, facts.params.is_empty()) {
                // Another name for a function: the arguments are its own.
                let own = || (0..MAX_ARGUMENTS).filter_map(|it| Some((it, given(it.into())?)));
                found.add(if *other == callee {
                    Handed::Once(own().collect())
                } else if *other == of {
                    Handed::Nothing
                } else {
                    self.handed_by((*other, callee, file), given, depth + 1)
                });
                continue;
            }
            let value = |it: &Expr| match it {
                Expr::Const(it) => Some(Value::Number(*it)),
                Expr::Name(name) => {
                    let param = facts.params.iter().position(|it| it.0 == *name);
                    given(param?)
                }
                _ => None,
            };
            let rest = Expr::Name(Sym::of(b"__VA_ARGS__"));
            for call in &facts.calls {
                let Callee::Name(name) = call.callee else {
                    continue;
                };
                let is_open = call.args.contains(&rest);
                found.add(if name == callee && is_open {
                    Handed::Unclear
                } else if name == callee {
                    let args = (0..).zip(&call.args);
                    Handed::Once(args.filter_map(|(at, it)| Some((at, value(it)?))).collect())
                } else if name == of {
                    Handed::Nothing
                } else {
                    let inner = |at: usize| call.args.get(at).filter(|_| !is_open).and_then(value);
                    self.handed_by((name, callee, file), &inner, depth + 1)
                });
            }
        }
        found
    }
}

/// What is known of what a macro hands to a function.
enum Handed {
    /// It does not call it.
    Nothing,
    /// These arguments of its only call, by their index.
    Once(Vec<(u16, Value)>),
    /// There are several calls, or not all of the macro is understood.
    Unclear,
}

impl Handed {
    fn add(&mut self, other: Self) {
        let before = std::mem::replace(self, Self::Unclear);
        *self = match (before, other) {
            (it, Self::Nothing) | (Self::Nothing, it) => it,
            _ => Self::Unclear,
        };
    }
}
