//! An image as bytes: arrays of little-endian numbers, one a section.
//!
//! Whoever reads them has made sure that they are as they were written.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::image::Image;
use super::index::SourceFile;
use super::table::Table;
use crate::lex::{Item, ItemKind, Ref, Sym};

/// Numbers to bytes.
pub(super) fn bytes_of(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_le_bytes()).collect()
}

/// Bytes to numbers; `None` where they are not whole numbers.
pub(super) fn numbers_of(bytes: &[u8]) -> Option<Vec<u32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty()
        .then(|| numbers.iter().map(|it| u32::from_le_bytes(*it)).collect())
}

/// Numbers of one item.
const ITEM: usize = 12;

impl Image {
    /// The sections; `None` where something cannot be written.
    pub(crate) fn write(&self) -> Option<Vec<Vec<u8>>> {
        let items: Vec<u32> = self.items.iter().flat_map(numbers_of_item).collect();
        let refs: Vec<u32> = self.refs.iter().map(|it| it.bits()).collect();
        let pairs: Vec<u32> = self.pairs.iter().flat_map(|it| [it.0, it.1]).collect();
        Some(vec![
            postcard::to_stdvec(&self.files).ok()?,
            postcard::to_stdvec(&(&self.domains, &self.gaps)).ok()?,
            bytes_of(&items),
            bytes_of(&refs),
            bytes_of(&pairs),
            bytes_of(&self.first_item),
            bytes_of(&self.suspects),
            bytes_of(&self.own_members),
            bytes_of(&self.making),
            self.functions.write(),
            self.macros.write(),
            self.types.write(),
            self.objects.write(),
            self.tagged.write(),
            self.setters.write(),
            self.users.write(),
            self.callers.write(),
            self.values.write(),
        ])
    }

    /// Reads what [`Image::write`] wrote.
    pub(crate) fn read<'b>(section: impl Fn(usize) -> Option<&'b [u8]> + Sync) -> Option<Self> {
        let numbers = |index: usize| numbers_of(section(index)?);
        let slots: [OnceLock<Option<Section>>; 18] = Default::default();
        slots.par_iter().enumerate().for_each(|(at, slot)| {
            let read = || {
                Some(match at {
                    0 => Section::Files(postcard::from_bytes(section(0)?).ok()?),
                    2 => Section::Items(items_of(section(2)?)?),
                    9..=13 | 15 | 16 => Section::Pairs(Table::read(section(at)?)?),
                    14 | 17 => Section::Triples(Table::read(section(at)?)?),
                    1 => return None,
                    _ => Section::Numbers(numbers(at)?),
                })
            };
            drop(slot.set(read()));
        });
        let mut sections = slots.into_iter().map(|it| it.into_inner().flatten());
        let mut next = || sections.next().flatten();
        let files = next()?.files()?;
        next();
        let (domains, gaps) = postcard::from_bytes(section(1)?).ok()?;
        let items = next()?.items()?;
        let refs = next()?.numbers()?.into_iter().map(Ref::of_bits).collect();
        let pairs = next()?.numbers()?;
        let first_item = next()?.numbers()?;
        let bounds = first_item.windows(2).zip(0u32..);
        let item_file = bounds
            .flat_map(|(it, file)| std::iter::repeat_n(file, (it[1] - it[0]) as usize))
            .collect();
        Some(Self {
            files,
            domains,
            gaps,
            items,
            refs,
            pairs: pairs
                .as_chunks::<2>()
                .0
                .iter()
                .map(|it| (it[0], it[1]))
                .collect(),
            first_item,
            item_file,
            suspects: next()?.numbers()?,
            own_members: next()?.numbers()?,
            making: next()?.numbers()?,
            functions: next()?.pairs()?,
            macros: next()?.pairs()?,
            types: next()?.pairs()?,
            objects: next()?.pairs()?,
            tagged: next()?.pairs()?,
            setters: next()?.triples()?,
            users: next()?.pairs()?,
            callers: next()?.pairs()?,
            values: next()?.triples()?,
            homes: OnceLock::new(),
        })
    }
}

/// What a section holds.
enum Section {
    Files(Vec<SourceFile>),
    Items(Vec<Item>),
    Numbers(Vec<u32>),
    Pairs(Table<2>),
    Triples(Table<3>),
}

impl Section {
    fn files(self) -> Option<Vec<SourceFile>> {
        if let Self::Files(it) = self {
            Some(it)
        } else {
            None
        }
    }

    fn items(self) -> Option<Vec<Item>> {
        if let Self::Items(it) = self {
            Some(it)
        } else {
            None
        }
    }

    fn numbers(self) -> Option<Vec<u32>> {
        if let Self::Numbers(it) = self {
            Some(it)
        } else {
            None
        }
    }

    fn pairs(self) -> Option<Table<2>> {
        if let Self::Pairs(it) = self {
            Some(it)
        } else {
            None
        }
    }

    fn triples(self) -> Option<Table<3>> {
        if let Self::Triples(it) = self {
            Some(it)
        } else {
            None
        }
    }
}

fn numbers_of_item(item: &Item) -> [u32; ITEM] {
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

fn items_of(bytes: &[u8]) -> Option<Vec<Item>> {
    let sym = |low: u32, high: u32| Sym(u64::from(low) | u64::from(high) << 32);
    let (numbers, _) = bytes.as_chunks::<4>();
    let (items, _) = numbers.as_chunks::<ITEM>();
    items
        .iter()
        .map(|it| {
            let it = it.map(u32::from_le_bytes);
            let kind = KINDS.get((it[11] & 0xff) as usize)?;
            Some(Item {
                name: sym(it[0], it[1]),
                tag: sym(it[2], it[3]),
                start: it[4],
                end: it[5],
                body: it[6],
                refs_end: it[7],
                pairs_end: it[8],
                head_hash: it[9],
                rest_hash: it[10],
                kind: *kind,
                flags: (it[11] >> 8) as u8,
            })
        })
        .collect()
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
