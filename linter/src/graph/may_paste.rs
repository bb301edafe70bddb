//! What changed files do with macros that make the names of what they call.

use rustc_hash::{FxHashMap, FxHashSet};

use super::image::Image;
use crate::expand;
use crate::lex::{FileScan, ItemKind, Ref, flags};

/// Macros that call macros are followed through this many.
const MAX_DEPTH: u32 = 12;

/// The macros of a base, as [`Sym::short`](crate::lex::Sym::short), as far as somebody asked.
pub(super) struct MayPaste<'b> {
    base: &'b Image,
    known: FxHashMap<u32, bool>,
}

impl<'b> MayPaste<'b> {
    pub(super) fn new(base: &'b Image) -> Self {
        Self {
            base,
            known: FxHashMap::default(),
        }
    }

    /// Whether a macro of the base makes names of what it is given, or may do so: what no function used was not
    /// looked at.
    pub(super) fn name(&mut self, name: u32) -> bool {
        self.follow(name, 0)
    }

    fn follow(&mut self, name: u32, depth: u32) -> bool {
        let base = self.base;
        let known = base.pastes(name).or_else(|| self.known.get(&name).copied());
        if let Some(known) = known {
            return known;
        }
        self.known.insert(name, false);
        let pastes = base.macros.of(name).iter().any(|it| {
            base.items.get(it[1]).flags & flags::CALLS_MADE != 0
                || depth < MAX_DEPTH
                    && expand::called(base.refs(it[1])).any(|it| self.follow(it, depth + 1))
        });
        self.known.insert(name, pastes);
        pastes
    }

    /// Whether a macro does so that has these flags and names.
    pub(super) fn by(&mut self, flags: u8, refs: &[Ref]) -> bool {
        flags & flags::CALLS_MADE != 0 || expand::called(refs).any(|it| self.name(it))
    }

    /// What the functions of a changed file name that use such macros, of the base or of the file.
    pub(super) fn named_in(&mut self, scan: &FileScan) -> Vec<u32> {
        let of_kind = |kind| (0..scan.items.len()).filter(move |it| scan.items[*it].kind == kind);
        let mut own: FxHashSet<u32> = FxHashSet::default();
        loop {
            let before = own.len();
            for at in of_kind(ItemKind::Macro) {
                let (item, refs) = (&scan.items[at], scan.refs(at));
                if self.by(item.flags, refs) || expand::called(refs).any(|it| own.contains(&it)) {
                    own.insert(item.name.short());
                }
            }
            if own.len() == before {
                break;
            }
        }
        let functions = of_kind(ItemKind::Function).map(|it| scan.refs(it));
        let using =
            functions.filter(|it| expand::called(it).any(|it| own.contains(&it) || self.name(it)));
        using
            .flat_map(|it| expand::called(it).chain(expand::mentioned(it)))
            .collect()
    }
}
