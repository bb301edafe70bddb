//! Who names what, as far as files see each other's names.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::bits::Bits;
use super::closure::Passing;
use super::domains::Domain;
use super::image::Image;
use super::includes::beside;
use super::index::{Index, ItemId};
use super::reading::is_unit;
use crate::kernel;
use crate::lex::{ItemKind, Ref, RefKind, Sym, flags};
use crate::tree::TreePath;

/// Of the 30 bits of a name, the upper ones that tell names apart well enough.
pub(super) const NAME_BITS: u32 = 22;
pub(super) const NAME_SHIFT: u32 = 30 - NAME_BITS;

/// Who names what, and what is not led through.
pub(super) struct Users<'i, 't> {
    pub(super) index: &'i Index<'t>,
    pub(super) stop: FxHashSet<u32>,
    pub(super) sinks: Vec<u32>,
    pub(super) doors: FxHashSet<Sym>,
    /// Files whose own uses of a sink do not count.
    pub(super) owners: &'static [&'static str],
    /// In the base, and in what stands in for its files.
    pub(super) lent: [Arc<Lent>; 2],
}

/// What files lend to each other that include other sources.
#[derive(Default)]
pub(super) struct Lent {
    /// What is named in them, as [`Sym::short`].
    names: FxHashSet<u32>,
    /// The paths of what they include.
    sources: FxHashSet<Sym>,
}

impl Lent {
    pub(super) fn of(image: &Image) -> Self {
        let includers = (0..).zip(image.files.iter());
        let includers = includers.filter(|it| it.1.includes_unit && it.1.at_home);
        let mut lent = Self::default();
        for (slot, file) in includers {
            let (start, end) = image.bounds(slot);
            let refs = (start..end).flat_map(|it| image.refs(it));
            lent.names.extend(refs.map(|it| it.name()));
            let named = file.includes.as_deref().unwrap_or_default().lines();
            let sources = named.filter(|it| is_unit(it));
            let paths = sources.map(|it| beside(file.path.as_str(), it));
            lent.sources.extend(paths.map(Sym::of));
        }
        lent
    }

    /// Whether a source of this path may be included by another one.
    pub(super) fn has_source(&self, path: &TreePath) -> bool {
        !self.sources.is_empty() && self.sources.contains(&Sym::of(path.as_str()))
    }
}

impl<'i, 't> Users<'i, 't> {
    pub(super) fn new(index: &'i Index<'t>, sinks: &[Sym], stop: FxHashSet<u32>) -> Self {
        let doors = kernel::FRONT_DOORS.iter().map(Sym::of).collect();
        Self {
            index,
            stop,
            sinks: sinks.iter().map(|it| it.short()).collect(),
            doors,
            owners: kernel::I_COUNT_OWNERS,
            lent: index.lent(),
        }
    }

    /// The file that an item is seen in, where no other sees it.
    pub(super) fn own_file(&self, id: ItemId) -> Option<usize> {
        let item = self.index.item(id);
        let is_own = item.kind == ItemKind::Macro || item.flags & flags::STATIC != 0;
        let file = self.index.file_index(id);
        (is_own && !self.index.file(file).is_shared).then_some(file)
    }

    pub(super) fn sees(&self, user: ItemId, id: ItemId) -> bool {
        self.is_in(user, self.own_file(id))
    }

    /// Whether an item stands in a file, or where that file may be included.
    pub(super) fn is_in(&self, user: ItemId, only: Option<usize>) -> bool {
        let file = self.index.file_index(user);
        only.is_none_or(|it| it == file || self.includes_unit(user))
    }

    pub(super) fn includes_unit(&self, user: ItemId) -> bool {
        self.index.file_of(user).includes_unit
    }

    /// The items of a file that call or mention a name.
    pub(super) fn users_in(
        &self,
        name: u32,
        file: usize,
    ) -> impl Iterator<Item = ItemId> + use<'i, 't, '_> {
        let kinds = [RefKind::Call, RefKind::Mention];
        let refs = kinds.map(|it| Ref::of_short(it, name));
        let items = self.index.items(file).map(|it| it.0);
        items.filter(move |id| {
            let own = self.index.refs(*id);
            refs.iter().any(|it| own.binary_search(it).is_ok())
        })
    }

    /// Whether what an item names is looked for where the item is used: a macro of a header, or of a source that
    /// another one includes.
    pub(super) fn is_lent(&self, user: ItemId) -> bool {
        let file = || self.index.file_of(user);
        self.index.item(user).kind == ItemKind::Macro
            && (file().is_shared || self.lent.iter().any(|it| it.has_source(&file().path)))
    }

    pub(super) fn passing_names(&self, passing: &Passing) -> Bits {
        let mut names = Bits::none(1 << NAME_BITS);
        let others = self.sinks.iter().chain(&passing.cleanups).copied();
        // What these call is known of who uses them.
        let others = others.chain(self.index.pasting());
        let others = others.chain(passing.variables());
        others.for_each(|it| names.set(it >> NAME_SHIFT));
        self.index.numbered_names(|number, name| {
            if passing.has(number) {
                names.set(name.short() >> NAME_SHIFT);
            }
        });
        names
    }

    pub(super) fn passing_functions(&self, passing: &Passing) -> impl Iterator<Item = ItemId> {
        let functions = self.index.function_ids();
        functions.filter(|it| passing.has(self.index.number(*it)))
    }

    /// Those of some items that are functions named outside their own implementation.
    pub(super) fn crossing(&self, items: impl Iterator<Item = ItemId>) -> Vec<(u32, Domain)> {
        let index = self.index;
        let is_crossed = |name: u32, home: Domain| {
            let mut users = index.users(name);
            users.any(|it| index.file_of(it).domain != home)
        };
        items
            .map(|it| (index.item(it), index.file_of(it)))
            .filter(|(item, file)| {
                item.kind == ItemKind::Function
                    && file.domain != Domain::GENERIC
                    && (file.is_shared
                        || item.flags & flags::STATIC == 0
                        || self
                            .lent
                            .iter()
                            .any(|it| it.names.contains(&item.name.short())))
            })
            .map(|(item, file)| (item.name.short(), file.domain))
            .filter(|it| !self.stop.contains(&it.0) && is_crossed(it.0, it.1))
            .collect()
    }
}
