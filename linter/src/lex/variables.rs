//! Plain variables that are given functions: `hook = name;` is kept as the pair of a member that no type has, and of
//! the members that are given the variable.

use rustc_hash::FxHashSet;

use super::given::Given;
use super::item::{FileScan, Item, ItemKind, Pair};

/// Pairs of one item with what its variables hand on are followed up to so many.
const MAX_THROUGH: usize = 1 << 16;

/// Marks a pair that a file's items have not been asked about; names have 30 bits.
const UNSETTLED: u32 = 1 << 31;
/// What tells a variable from a member of its name.
const VARIABLE: u32 = 0x2aaa_aaaa;

/// The member as which a variable stands in pairs; both as [`Sym::short`](super::Sym::short). Of such a member, the
/// variable.
pub(crate) fn variable(name: u32) -> u32 {
    name ^ VARIABLE
}

/// What tells a member that is copied from a function of its name.
const COPIED: u32 = 0x1555_5555;

/// The value of a pair whose member is given what the member of the same name holds elsewhere, as
/// [`Sym::short`](super::Sym::short).
pub(crate) fn copied(member: u32) -> u32 {
    member ^ COPIED
}

/// As [`variable`], until [`settle`] has seen the whole file.
pub(super) fn unsettled(name: u32) -> u32 {
    variable(name) | UNSETTLED
}

/// The variable that a pair of this member gives a value, until [`settle`] has seen the whole file.
pub(super) fn set(member: u32) -> Option<u32> {
    (member & UNSETTLED != 0).then(|| variable(member & !UNSETTLED))
}

/// Keeps the pairs of variables where the value is a function of the file, or one that is handed on, or the variable one
/// of its objects, and adds what locals hand on to members and objects: nearly all others are locals.
pub(super) fn settle(scan: &mut FileScan) {
    if !scan.pairs.iter().any(|it| it[0] & UNSETTLED != 0) {
        return;
    }
    let names = |takes: &dyn Fn(&Item) -> bool| -> FxHashSet<u32> {
        let items = scan.items.iter().filter(|it| takes(it));
        items.map(|it| it.name.short()).collect()
    };
    let functions = names(&|it| it.kind == ItemKind::Function);
    let variables = names(&|it| it.kind == ItemKind::Object && it.is_called_by_name());
    let is_global = |name: u32, value: u32| functions.contains(&value) || variables.contains(&name);
    let (mut kept, mut start) = (Vec::with_capacity(scan.pairs.len()), 0);
    let mut ends = Vec::with_capacity(scan.items.len());
    for item in &scan.items {
        let end = item.pairs_end as usize;
        let pairs = &scan.pairs[start..end];
        let mut by_value = ByValue::default();
        let first = kept.len();
        for [member, value] in pairs {
            let name = member & !UNSETTLED;
            let is_given = || Given::of([name, *value]).is_some();
            if name == *member || is_global(variable(name), *value) || is_given() {
                kept.push([name, *value]);
            }
            if name != *member {
                // `hook = name; object->member = hook;`
                let is_held = |it: &Pair| set(it[0]).is_none_or(|it| variables.contains(&it));
                by_value.fill(|| pairs.iter().copied().filter(is_held).collect());
                let room = MAX_THROUGH.saturating_sub(kept.len() - first);
                let through = by_value.members(variable(name)).take(room);
                kept.extend(through.map(|it| [it & !UNSETTLED, *value]));
            }
        }
        ends.push(kept.len() as u32);
        start = end;
    }
    for (item, end) in scan.items.iter_mut().zip(ends) {
        item.pairs_end = end;
    }
    scan.pairs = kept;
}

/// Different pairs in the order of their values, once somebody asks.
#[derive(Default)]
struct ByValue(Option<Vec<Pair>>);

impl ByValue {
    fn fill(&mut self, pairs: impl FnOnce() -> Vec<Pair>) {
        if self.0.is_none() {
            let mut pairs = pairs();
            pairs.sort_unstable_by_key(|it| (it[1], it[0]));
            pairs.dedup();
            self.0 = Some(pairs);
        }
    }

    /// What is given a value.
    fn members(&self, value: u32) -> impl Iterator<Item = u32> {
        let pairs = self.0.as_deref().unwrap_or_default();
        let first = pairs.partition_point(|it| it[1] < value);
        let same = pairs[first..].iter().take_while(move |it| it[1] == value);
        same.map(|it| it[0])
    }
}
