//! Readings of files made one image: rows are counted first, so that they are written where they stay.

use std::slice::IterMut;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::domains::Domain;
use super::image::{Image, ReadFile};
use super::index::SourceFile;
use super::items::Items;
use super::table::Table;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{FileScan, Given, Item, ItemKind, Pair, Ref, RefKind, Sym};

/// Files that are joined at a time.
const FILES: usize = 256;

/// The tables of names with items, by their place among the others.
const FUNCTIONS: usize = 0;
const MACROS: usize = 1;
const TYPES: usize = 2;
const OBJECTS: usize = 3;
const TAGGED: usize = 4;
const USERS: usize = 5;
const CALLERS: usize = 6;
const TABLES: usize = 7;

/// Takes the rows that files give to the tables.
trait Sink {
    fn pair(&mut self, table: usize, row: [u32; 2]);
    fn setter(&mut self, row: [u32; 3], at_home: bool);
    fn suspect(&mut self, item: u32, is_one: impl FnOnce() -> bool);
}

/// How many there will be.
#[derive(Default)]
struct Counts {
    pairs: [usize; TABLES],
    setters: usize,
    values: usize,
}

impl Sink for Counts {
    fn pair(&mut self, table: usize, _: [u32; 2]) {
        self.pairs[table] += 1;
    }

    fn setter(&mut self, row: [u32; 3], at_home: bool) {
        self.setters += 1;
        self.values += usize::from(is_value(row, at_home));
    }

    fn suspect(&mut self, _: u32, _: impl FnOnce() -> bool) {}
}

/// Where those of some files belong.
struct Slots<'r> {
    pairs: [IterMut<'r, [u32; 2]>; TABLES],
    setters: IterMut<'r, [u32; 3]>,
    values: IterMut<'r, [u32; 3]>,
    suspects: Vec<u32>,
}

impl Sink for Slots<'_> {
    fn pair(&mut self, table: usize, row: [u32; 2]) {
        *self.pairs[table].next().expect("they were counted") = row;
    }

    fn setter(&mut self, row: [u32; 3], at_home: bool) {
        *self.setters.next().expect("they were counted") = row;
        if is_value(row, at_home) {
            let [member, value, item] = row;
            *self.values.next().expect("they were counted") = [value, member, item];
        }
    }

    fn suspect(&mut self, item: u32, is_one: impl FnOnce() -> bool) {
        if is_one() {
            self.suspects.push(item);
        }
    }
}

/// Whether a row of [`Image::setters`] is one of [`Image::values`] as well.
fn is_value([member, value, _]: [u32; 3], at_home: bool) -> bool {
    at_home && Given::of([member, value]).is_none()
}

/// What one file gives to the tables; its items are numbered from `first`.
fn rows_of(first: u32, file: &ReadFile, to: &mut impl Sink) {
    let iput = Ref::new(RefKind::Call, Sym::of(kernel::IPUT));
    for (at, item) in file.scan.items.iter().enumerate() {
        let id = first + at as u32;
        let refs = file.scan.refs(at);
        let name = [item.name.short(), id];
        let counts = || file.scan.counting.binary_search(&(at as u32)).is_ok();
        let is_suspect = || counts() || refs.binary_search(&iput).is_ok();
        match item.kind {
            ItemKind::Function => {
                to.suspect(id, is_suspect);
                to.pair(FUNCTIONS, name);
            }
            ItemKind::Macro => {
                to.suspect(id, is_suspect);
                to.pair(MACROS, name);
            }
            ItemKind::MacroUse => to.suspect(id, is_suspect),
            ItemKind::Type | ItemKind::Typedef => {
                if item.name != Sym::NONE {
                    to.pair(TYPES, name);
                }
            }
            ItemKind::Object => {
                to.pair(OBJECTS, name);
                let has_values = refs.iter().any(|it| it.kind() == RefKind::Mention);
                if item.tag != Sym::NONE && has_values {
                    to.pair(TAGGED, [item.tag.short(), id]);
                }
            }
        }
        for [member, value] in file.scan.pairs(at) {
            to.setter([*member, *value, id], file.source.at_home);
        }
        if !file.source.at_home {
            continue;
        }
        for it in refs {
            match it.kind() {
                RefKind::Call | RefKind::Mention => to.pair(USERS, [it.name(), id]),
                RefKind::Member => to.pair(CALLERS, [it.name(), id]),
                RefKind::Declares => {}
            }
        }
    }
}

impl Image {
    /// Joins files, which are in path order.
    pub(crate) fn join(
        read: Vec<ReadFile>,
        domains: FxHashMap<String, Domain>,
        gaps: Vec<Gap>,
    ) -> Self {
        let mut first_item = Vec::with_capacity(read.len() + 1);
        let mut count = 0u32;
        for it in &read {
            first_item.push(count);
            count += it.scan.items.len() as u32;
        }
        first_item.push(count);
        let starts: Vec<(u32, &ReadFile)> = first_item.iter().copied().zip(&read).collect();
        let (items, tables) = rayon::join(|| Self::of_items(&read), || Self::of_tables(&starts));
        let files: Vec<SourceFile> = read.into_par_iter().map(|it| it.source).collect();
        Self {
            domains,
            first_item: first_item.into(),
            gaps,
            files: files.into(),
            items: items.items,
            refs: items.refs,
            pairs: items.pairs,
            item_file: items.item_file,
            ..tables
        }
    }

    /// The items one after the other.
    fn of_items(read: &[ReadFile]) -> Self {
        let total = |of: fn(&FileScan) -> usize| read.iter().map(|it| of(&it.scan)).sum::<usize>();
        let items = || {
            Items::of(total(|it| it.items.len()), |add| {
                let (mut refs, mut pairs) = (0, 0);
                for it in read {
                    for item in &it.scan.items {
                        add(&Item {
                            refs_end: refs + item.refs_end,
                            pairs_end: pairs + item.pairs_end,
                            ..*item
                        });
                    }
                    refs += it.scan.refs.len() as u32;
                    pairs += it.scan.pairs.len() as u32;
                }
            })
        };
        let refs = || {
            let mut refs: Vec<Ref> = Vec::with_capacity(total(|it| it.refs.len()));
            for it in read {
                refs.extend(&it.scan.refs);
            }
            refs
        };
        let pairs = || {
            let mut pairs: Vec<Pair> = Vec::with_capacity(total(|it| it.pairs.len()));
            for it in read {
                pairs.extend(&it.scan.pairs);
            }
            pairs
        };
        let item_file = || {
            let mut files: Vec<u32> = Vec::with_capacity(total(|it| it.items.len()));
            for (file, it) in (0..).zip(read) {
                files.extend(std::iter::repeat_n(file, it.scan.items.len()));
            }
            files
        };
        let ((items, item_file), (refs, pairs)) = rayon::join(
            || rayon::join(items, item_file),
            || rayon::join(refs, pairs),
        );
        Self {
            items,
            refs: refs.into(),
            pairs: pairs.into(),
            item_file: item_file.into(),
            ..Self::default()
        }
    }

    /// The tables and the suspects.
    fn of_tables(starts: &[(u32, &ReadFile)]) -> Self {
        let parts: Vec<&[(u32, &ReadFile)]> = starts.chunks(FILES).collect();
        let count = |files: &&[(u32, &ReadFile)]| {
            let mut counts = Counts::default();
            for (first, file) in *files {
                rows_of(*first, file, &mut counts);
            }
            counts
        };
        let counts: Vec<Counts> = parts.par_iter().map(count).collect();
        let of_table = |table: usize| counts.iter().map(|it| it.pairs[table]).sum();
        let mut pairs: [Vec<[u32; 2]>; TABLES] =
            std::array::from_fn(|it| vec![[0; 2]; of_table(it)]);
        let mut setters = vec![[0; 3]; counts.iter().map(|it| it.setters).sum()];
        let mut values = vec![[0; 3]; counts.iter().map(|it| it.values).sum()];
        let suspects: Vec<Vec<u32>> = slots(&counts, &mut pairs, [&mut setters, &mut values])
            .into_par_iter()
            .zip(&parts)
            .map(|(mut slots, files)| {
                for (first, file) in *files {
                    rows_of(*first, file, &mut slots);
                }
                slots.suspects
            })
            .collect();
        let tables = || pairs.into_par_iter().map(Table::new).collect::<Vec<_>>();
        let triples = || rayon::join(|| Table::new(setters), || Table::new(values));
        let (tables, (setters, values)) = rayon::join(tables, triples);
        let Ok([functions, macros, types, objects, tagged, users, callers]) =
            <[Table<2>; TABLES]>::try_from(tables)
        else {
            unreachable!("as many came out as went in");
        };
        Self {
            functions,
            macros,
            types,
            objects,
            tagged,
            users,
            callers,
            setters,
            values,
            suspects: suspects.concat().into(),
            ..Self::default()
        }
    }
}

/// For each count the rows that it counted.
fn slots<'r>(
    counts: &[Counts],
    pairs: &'r mut [Vec<[u32; 2]>; TABLES],
    [setters, values]: [&'r mut [[u32; 3]]; 2],
) -> Vec<Slots<'r>> {
    let mut pairs = pairs.each_mut().map(Vec::as_mut_slice);
    let (mut setters, mut values) = (setters, values);
    counts
        .iter()
        .map(|count| {
            let mut rows = |it: usize| pairs[it].split_off_mut(..count.pairs[it]);
            Slots {
                pairs: std::array::from_fn(|it| rows(it).unwrap_or_default().iter_mut()),
                setters: setters
                    .split_off_mut(..count.setters)
                    .unwrap_or_default()
                    .iter_mut(),
                values: values
                    .split_off_mut(..count.values)
                    .unwrap_or_default()
                    .iter_mut(),
                suspects: Vec::new(),
            }
        })
        .collect()
}
