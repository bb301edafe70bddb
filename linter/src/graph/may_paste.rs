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
    /// Whether a file has its own definition now of a word on which depends what macros make.
    has_new_words: bool,
}

impl<'b> MayPaste<'b> {
    pub(super) fn new(base: &'b Image) -> Self {
        Self {
            base,
            known: FxHashMap::default(),
            has_new_words: false,
        }
    }

    /// Takes a source that is not in the base, or differs there: macros of headers may make other names of words that
    /// it defines.
    pub(super) fn take_source(&mut self, scan: &FileScan, old: Option<u32>) {
        let is_old = |name: u32| {
            let named = self.base.macros.of(name).iter();
            let mut files = named.map(|it| self.base.item_file[it[1] as usize]);
            files.any(|it| Some(it) == old)
        };
        let macros = scan.items.iter().filter(|it| it.kind == ItemKind::Macro);
        let mut words = macros.map(|it| it.name.short());
        let is_deciding = |it: &u32| self.base.making.binary_search(it).is_ok();
        self.has_new_words |= words.any(|it| is_deciding(&it) && !is_old(it));
    }

    /// Whether a macro of the base makes names of what it is given, or may do so: what no function used was not
    /// looked at.
    pub(super) fn name(&mut self, name: u32) -> bool {
        self.follow(name, 0)
    }

    fn follow(&mut self, name: u32, depth: u32) -> bool {
        let base = self.base;
        let known = base.pastes(name).filter(|it| *it || !self.has_new_words);
        let known = known.or_else(|| self.known.get(&name).copied());
        if let Some(known) = known {
            return known;
        }
        self.known.insert(name, false);
        let pastes = base.macros.of(name).iter().any(|it| {
            base.items.get(it[1]).flags & flags::CALLS_MADE != 0
                || depth < MAX_DEPTH
                    && expand::named(base.refs(it[1])).any(|it| self.follow(it, depth + 1))
        });
        self.known.insert(name, pastes);
        pastes
    }

    /// Whether a macro does so that has these flags and names.
    pub(super) fn by(&mut self, flags: u8, refs: &[Ref]) -> bool {
        flags & flags::CALLS_MADE != 0 || expand::named(refs).any(|it| self.name(it))
    }

    /// What the functions of a changed file name that use such macros, of the base or of the file.
    pub(super) fn named_in(&mut self, scan: &FileScan) -> Vec<u32> {
        let of_kind = |kind| (0..scan.items.len()).filter(move |it| scan.items[*it].kind == kind);
        let mut own: FxHashSet<u32> = FxHashSet::default();
        loop {
            let before = own.len();
            for at in of_kind(ItemKind::Macro) {
                let (item, refs) = (&scan.items[at], scan.refs(at));
                if self.by(item.flags, refs) || expand::named(refs).any(|it| own.contains(&it)) {
                    own.insert(item.name.short());
                }
            }
            if own.len() == before {
                break;
            }
        }
        let functions = of_kind(ItemKind::Function).map(|it| scan.refs(it));
        let using = functions.filter(|it| {
            let mut named = expand::named(it);
            named.any(|it| own.contains(&it) || self.name(it))
        });
        using.flat_map(expand::named).collect()
    }
}
