//! Where in a text calls are followed, through the macros around them.

use std::cell::RefCell;
use std::hash::BuildHasher as _;

use rustc_hash::FxHashSet;

use super::index::ItemId;
use super::resolve::{MAX_MACRO_DEPTH, MAX_MACRO_USES, Scope};
use crate::facts::Expr;
use crate::lex::Sym;

/// Where in a caller's text an edge arises.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) offset: u32,
    /// The outermost macro whose body the call stands in.
    pub(super) via_macro: Option<Sym>,
    /// Macros inside macros so far.
    pub(super) depth: u32,
    /// The macros that may call a local pointer, as [`Sym::short`].
    loose: &'a FxHashSet<u32>,
    /// The uses of macros that were followed for this call, by definition and arguments.
    seen: &'a RefCell<Seen>,
}

/// Uses that may lead to a sink, and others: how many of these there are must not decide about those.
#[derive(Default)]
pub(super) struct Seen {
    leading: FxHashSet<(ItemId, u64)>,
    others: FxHashSet<(ItemId, u64)>,
}

impl<'a> Site<'a> {
    /// A place in a function's own text; `loose` macros may call its locals, see [`super::resolve::Resolver::loose_macros`].
    pub(super) fn new(
        scope: Scope<'a>,
        (offset, loose): (u32, &'a FxHashSet<u32>),
        seen: &'a RefCell<Seen>,
    ) -> Self {
        Self {
            scope,
            offset,
            via_macro: None,
            depth: 0,
            loose,
            seen,
        }
    }

    /// The same place for what another function says.
    pub(super) fn within(self, scope: Scope<'a>) -> Self {
        Self { scope, ..self }
    }

    /// The same place in the body of the macro `name`, which is used there.
    pub(super) fn below(&self, name: Sym) -> Self {
        Self {
            via_macro: Some(self.via_macro.unwrap_or(name)),
            depth: self.depth + 1,
            ..*self
        }
    }

    /// As [`Site::below`], for a macro without arguments; `None` where it is not to be followed.
    pub(super) fn inside(&self, definition: ItemId, name: Sym, leads: bool) -> Option<Self> {
        let is_near = self.depth < MAX_MACRO_DEPTH && self.via_macro != Some(name);
        (is_near && self.is_first_use(definition, &[], leads)).then(|| self.below(name))
    }

    /// Whether a macro of this name may call a local pointer.
    pub(super) fn is_loose(&self, name: Sym) -> bool {
        !self.loose.is_empty() && self.loose.contains(&name.short())
    }

    /// Whether a use is to be followed: each once, and not without end.
    pub(super) fn is_first_use(&self, definition: ItemId, args: &[Expr], leads: bool) -> bool {
        let mut seen = self.seen.borrow_mut();
        let seen = if leads {
            &mut seen.leading
        } else {
            &mut seen.others
        };
        seen.len() < MAX_MACRO_USES
            && seen.insert((definition, rustc_hash::FxBuildHasher.hash_one(args)))
    }
}
