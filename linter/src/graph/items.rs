//! The items of an image as rows of numbers: what a file of the cache holds needs no decoding.

use crate::lex::{Item, ItemKind, Sym};
use crate::rows::{Lent, Rows};

/// Items by their number.
#[derive(Default)]
pub(crate) struct Items(Rows<[u32; NUMBERS]>);

/// Numbers of one item.
const NUMBERS: usize = 12;

impl Items {
    /// Of no more than so many items.
    pub(crate) fn of(count: usize, fill: impl FnOnce(&mut dyn FnMut(&Item))) -> Self {
        let mut items = Vec::with_capacity(count);
        fill(&mut |it| items.push(numbers_of(it)));
        Self(items.into())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Item {
        item_of(&self.0[number as usize])
    }

    /// Those from a number up to another.
    pub(crate) fn between(&self, start: u32, end: u32) -> impl Iterator<Item = Item> {
        self.0[start as usize..end as usize].iter().map(item_of)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Item> {
        self.0.iter().map(item_of)
    }

    /// A section, for [`Items::read`].
    pub(crate) fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    /// Takes what [`Items::write`] wrote; `None` unless it is whole items.
    pub(crate) fn read(lent: Lent) -> Option<Self> {
        Rows::read(lent).map(Self)
    }
}

fn numbers_of(item: &Item) -> [u32; NUMBERS] {
    let low = |it: Sym| it.0 as u32;
    let high = |it: Sym| (it.0 >> 32) as u32;
    [
        low(item.name),
        high(item.name),
        low(item.tag),
        high(item.tag),
        item.start,
        item.end,
        item.body,
        item.refs_end,
        item.pairs_end,
        item.head_hash,
        item.rest_hash,
        u32::from(item.kind as u8) | u32::from(item.flags) << 8,
    ]
}

#[inline]
fn item_of(numbers: &[u32; NUMBERS]) -> Item {
    let sym = |low: u32, high: u32| Sym(u64::from(low) | u64::from(high) << 32);
    Item {
        name: sym(numbers[0], numbers[1]),
        tag: sym(numbers[2], numbers[3]),
        start: numbers[4],
        end: numbers[5],
        body: numbers[6],
        refs_end: numbers[7],
        pairs_end: numbers[8],
        head_hash: numbers[9],
        rest_hash: numbers[10],
        kind: KINDS[((numbers[11] & 0xff) as usize).min(KINDS.len() - 1)],
        flags: (numbers[11] >> 8) as u8,
    }
}

/// In the order of their numbers.
const KINDS: [ItemKind; 6] = [
    ItemKind::Function,
    ItemKind::Object,
    ItemKind::Type,
    ItemKind::Typedef,
    ItemKind::Macro,
    ItemKind::MacroUse,
];
