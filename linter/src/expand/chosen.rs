//! Macros that make functions or tables and whose names others paste: `#define MAKE(kind, n) MAKE_##kind(n)`.
//!
//! Who follows the names that a macro calls does not come across them: they are looked for where an expansion has
//! made such a name, outside of braces and before arguments.

use rustc_hash::FxHashSet;

use super::definition::Definition;
use super::makers::{Macros, Place};
use super::pasting::MakingNames;
use crate::graph::image::ReadFile;
use crate::lex::{Sym, flags};
use crate::warm::Copies;

/// The names that were made, as far as somebody asked.
pub(super) struct Chosen {
    makers: MakingNames,
    /// Those on which the answers depend, as [`Sym::short`].
    seen: Copies<u32, ()>,
}

impl Chosen {
    pub(super) fn new() -> Self {
        Self {
            makers: MakingNames::of(flags::MAKES),
            seen: Copies::new(),
        }
    }

    /// Notes that what is made depends on what macros of this name, as [`Sym::short`], there are, or that there are none.
    pub(super) fn note(&self, name: u32) {
        self.seen.get(name, || ());
    }

    /// All names on which what was made depends, as [`Sym::short`].
    pub(super) fn seen(&self) -> Vec<u32> {
        self.seen.pairs().into_iter().map(|it| it.0).collect()
    }
}

impl Macros<'_> {
    /// Whether a name that nobody gathered is that of a macro that may make something, or use one that does.
    pub(super) fn is_chosen(&self, files: &[ReadFile], name: Sym) -> bool {
        if self.by_name.contains_key(&name) {
            return false;
        }
        self.chosen.makers.ask(name.short(), &|it| {
            self.chosen.note(it);
            self.flags_and_refs(files, it)
        })
    }

    /// Where a name is defined, whether somebody gathered it or not.
    pub(super) fn all_places(&self, files: &[ReadFile], name: Sym) -> Vec<Place> {
        let is_named = |it: &Place| files[it.0 as usize].scan.items[it.1 as usize].name == name;
        self.all.of_name(name.short()).filter(is_named).collect()
    }

    /// The macros that use a macro outside of braces whose name they paste, and those that use one of these.
    pub(super) fn choosers(&self, files: &[ReadFile]) -> FxHashSet<Sym> {
        self.flagged(
            files,
            flags::CALLS_MADE,
            Definition::pastes_outside_of_braces,
        )
    }
}
