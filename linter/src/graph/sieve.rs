//! What may lead to a sink, from names alone: an over-approximation that only ever lets through too much.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::index::{Index, ItemId};
use crate::lex::{ItemKind, RefKind, Sym, flags};

/// The items that may lead to a sink, and the names by which they are led to.
pub(crate) struct Sieve {
    /// One bit an item.
    items: Vec<u64>,
    /// Whether everything passes.
    open: bool,
    /// Names that lead on wherever they are visible, as [`Sym::short`].
    pub(crate) names: FxHashSet<u32>,
    /// Members through which something is called that leads on.
    pub(crate) members: FxHashSet<u32>,
    pub(crate) passed: u32,
}

/// A set of 30-bit names that answers "no" from 2 MiB of bits.
struct NameSet {
    bits: Vec<u64>,
    exact: FxHashSet<u32>,
}

impl NameSet {
    fn new() -> Self {
        Self { bits: vec![0; 1 << 18], exact: FxHashSet::default() }
    }

    fn insert(&mut self, name: u32) -> bool {
        let slot = (name & 0x00ff_ffff) as usize;
        self.bits[slot >> 6] |= 1 << (slot & 63);
        self.exact.insert(name)
    }

    fn contains(&self, name: u32) -> bool {
        let slot = (name & 0x00ff_ffff) as usize;
        self.bits[slot >> 6] & (1 << (slot & 63)) != 0 && self.exact.contains(&name)
    }
}

impl Sieve {
    /// Lets everything through.
    pub(crate) fn open() -> Self {
        Self { items: Vec::new(), open: true, names: FxHashSet::default(), members: FxHashSet::default(), passed: 0 }
    }

    /// Computes the closure: items that name a sink, items that name those, and so on; `stop` names
    /// are never led through.
    pub(crate) fn build(index: &Index<'_>, sinks: &[Sym], stop: &FxHashSet<u32>) -> Self {
        let mut closure = Closure {
            index,
            stop,
            doors: crate::kernel::FRONT_DOORS.iter().map(Sym::of).collect(),
            global: NameSet::new(),
            members: NameSet::new(),
            local: vec![Vec::new(); index.files.len()],
            items: vec![0; index.item_count() as usize / 64 + 1],
            values: values_index(index),
        };
        for sink in sinks {
            closure.global.insert(sink.short());
        }
        while closure.round() {}
        let passed = closure.items.iter().map(|it| it.count_ones()).sum();
        Self { items: closure.items, open: false, names: closure.global.exact, members: closure.members.exact, passed }
    }

    pub(crate) fn passes(&self, id: ItemId) -> bool {
        self.open || self.items[id.0 as usize / 64] & (1 << (id.0 % 64)) != 0
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
}

/// (value, member, item) of every pair, sorted.
fn values_index(index: &Index<'_>) -> Vec<(u32, u32, ItemId)> {
    let mut values: Vec<(u32, u32, ItemId)> = (0..index.files.len())
        .into_par_iter()
        .flat_map_iter(|file| {
            index.items(file).flat_map(|(id, _)| index.pairs_of(id).iter().map(move |pair| (pair.1, pair.0, id)).collect::<Vec<_>>())
        })
        .filter(|it| index.function_names.contains(&it.0))
        .collect();
    values.par_sort_unstable();
    values
}

struct Closure<'i, 't> {
    index: &'i Index<'t>,
    stop: &'i FxHashSet<u32>,
    doors: FxHashSet<Sym>,
    global: NameSet,
    members: NameSet,
    /// Static names of each file, sorted.
    local: Vec<Vec<u32>>,
    items: Vec<u64>,
    values: Vec<(u32, u32, ItemId)>,
}

impl Closure<'_, '_> {
    fn has(&self, id: ItemId) -> bool {
        self.items[id.0 as usize / 64] & (1 << (id.0 % 64)) != 0
    }

    /// One pass over all refs; true while something was added.
    fn round(&mut self) -> bool {
        let this = &*self;
        let found: Vec<Vec<ItemId>> = (0..this.index.files.len())
            .into_par_iter()
            .map(|file| {
                // Callers mostly stand below their callees in a file, so one walk settles most of it.
                let mut local = this.local[file].clone();
                let mut found = Vec::new();
                if !this.index.files[file].at_home {
                    return found;
                }
                for (id, item) in this.index.items(file) {
                    if this.has(id) || !this.is_hit(id, &local) {
                        continue;
                    }
                    found.push(id);
                    if item.flags & flags::STATIC != 0 && !local.contains(&item.name.short()) {
                        local.push(item.name.short());
                        local.sort_unstable();
                    }
                }
                found
            })
            .collect();
        let mut grew = false;
        for (file, ids) in found.into_iter().enumerate() {
            for id in ids {
                grew = true;
                self.add(file, id);
            }
        }
        grew
    }

    fn is_hit(&self, id: ItemId, local: &[u32]) -> bool {
        self.index.refs(id).iter().any(|it| {
            let name = it.name();
            match it.kind() {
                RefKind::Call | RefKind::Mention => {
                    (self.global.contains(name) || (!local.is_empty() && local.binary_search(&name).is_ok())) && !self.stop.contains(&name)
                }
                RefKind::Member => self.members.contains(name),
                RefKind::Declares => false,
            }
        })
    }

    fn add(&mut self, file: usize, id: ItemId) {
        self.items[id.0 as usize / 64] |= 1 << (id.0 % 64);
        let item = *self.index.item(id);
        let name = item.name.short();
        if self.stop.contains(&name) {
            return;
        }
        let is_static = item.flags & flags::STATIC != 0 && !self.index.files[file].is_shared;
        match item.kind {
            ItemKind::Function => {
                if is_static {
                    if let Err(at) = self.local[file].binary_search(&name) {
                        self.local[file].insert(at, name);
                    }
                } else {
                    self.global.insert(name);
                }
                let start = self.values.partition_point(|it| it.0 < name);
                let mut at = start;
                while let Some((value, member, setter)) = self.values.get(at).copied().filter(|it| it.0 == name) {
                    let _ = value;
                    if (!is_static || self.index.file_index(setter) == file) && !self.doors.contains(&self.index.item(setter).tag) {
                        self.members.insert(member);
                    }
                    at += 1;
                }
            }
            ItemKind::Macro => {
                self.global.insert(name);
            }
            ItemKind::Object => self.add_object(file, id, is_static),
            ItemKind::MacroUse | ItemKind::Type | ItemKind::Typedef => {}
        }
    }

    /// A table with values by position may set any pointer member of its type; an array of pointers is
    /// called by its own name.
    fn add_object(&mut self, file: usize, id: ItemId, is_static: bool) {
        let item = *self.index.item(id);
        if item.tag == Sym::NONE || item.flags & flags::POINTER != 0 {
            let name = item.name.short();
            if is_static {
                if let Err(at) = self.local[file].binary_search(&name) {
                    self.local[file].insert(at, name);
                }
            } else {
                self.global.insert(name);
            }
            return;
        }
        let paired: FxHashSet<u32> = self.index.pairs_of(id).iter().map(|it| it.1).collect();
        let positional = self.index.refs(id).iter().any(|it| it.kind() == RefKind::Mention && self.index.function_names.contains(&it.name()) && !paired.contains(&it.name()));
        if positional {
            for of in self.index.types(item.tag).collect::<Vec<_>>() {
                for member in self.index.refs(of) {
                    if member.kind() == RefKind::Declares {
                        self.members.insert(member.name());
                    }
                }
            }
        }
    }
}
