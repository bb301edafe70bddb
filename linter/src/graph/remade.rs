//! What macros make in files that take others' places.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::image::{Image, ReadFile};
use super::index::SourceFile;
use super::may_paste::MayPaste;
use crate::expand;
use crate::lex::{FileScan, Item, ItemKind, Ref};
use crate::tree::{TreePath, TreeSource};
use crate::warm::Warm;

/// What macros with pasted names make may call for the definitions of others: so many times they are read.
const MAX_ROUNDS: usize = 12;

/// Expands the macro uses of changed files, with the definitions that the rest of the tree has.
///
/// The macros on which that depends; `None` where one of those changed on which depends what other files make:
/// everything has to be read again.
pub(super) fn grow(
    tree: &dyn TreeSource,
    warm: &Warm,
    base: &Image,
    files: &mut Vec<ReadFile>,
    removed: &[TreePath],
) -> Option<expand::Deciding> {
    let mut pastes = MayPaste::new(base);
    let mut hidden: FxHashSet<u32> = FxHashSet::default();
    // Whether macros of a file may be meant in others.
    let is_seen_elsewhere = |it: &SourceFile| it.is_shared || base.lent().has_source(&it.path);
    for file in files.iter().filter(|it| !it.source.is_shared) {
        pastes.take_source(&file.scan, base.file_at(&file.source.path));
    }
    for file in files.iter() {
        let old = base.file_at(&file.source.path);
        hidden.extend(old);
        if !is_seen_elsewhere(&file.source) {
            continue;
        }
        let of_old = old.map_or(Vec::new(), |it| base.deciding(it, &mut pastes));
        let items = file.scan.items.iter().enumerate();
        let of_new = deciding(
            (base, &mut pastes),
            items.map(|(at, it)| (*it, file.scan.refs(at))),
        );
        if of_old != of_new {
            return None;
        }
    }
    for path in removed {
        if let Some(old) = base.file_at(path) {
            hidden.insert(old);
            let is_seen = is_seen_elsewhere(&base.files[old as usize]);
            if is_seen && !base.deciding(old, &mut pastes).is_empty() {
                return None;
            }
        }
    }
    let is_same = |ReadFile { source, .. }: &ReadFile| {
        let old = base.file_at(&source.path);
        let old = old.map(|it| &base.files[it as usize]);
        old.is_some_and(|it| source.has_defines_of(it) && source.includes == it.includes)
    };
    let has_same_macros = removed.is_empty() && files.iter().all(is_same);
    let changed: FxHashSet<TreePath> = files.iter().map(|it| it.source.path.clone()).collect();
    let wanted = wanted(&mut pastes, files);
    let appliers = base.handing().appliers(None);
    let beside = expand::Beside {
        appliers,
        has_function: &|it| !base.functions.of(it).is_empty(),
        pastes: &|it| base.pastes(it).filter(|_| has_same_macros),
    };
    let deciding = with_definers((base, &hidden), files, wanted, &|read| {
        expand::grow(tree, warm, read, (None, &beside), &|it| {
            it.at_home && changed.contains(&it.path)
        })
    })?;
    let is_used = |name: u32| {
        let mut users = base.users.of(name).iter();
        users.any(|it| !hidden.contains(&base.item_file[it[1] as usize]))
    };
    if deciding.applying.iter().any(|it| is_used(*it)) {
        return None;
    }
    Some(deciding)
}

/// The macros to which the uses in some files lead, as [`Sym::short`](crate::lex::Sym::short), as far as these name them.
fn wanted(pastes: &mut MayPaste<'_>, files: &[ReadFile]) -> Vec<u32> {
    let all = files.iter().flat_map(|it| &it.scan.items);
    let uses = all.filter(|it| expand::is_use(it));
    let mut wanted: Vec<u32> = uses.map(|it| it.name.short()).collect();
    for file in files {
        wanted.extend(pastes.named_in(&file.scan));
    }
    // What is handed to a use may be applied by it.
    for file in files {
        let uses = (0..file.scan.items.len()).filter(|it| expand::is_use(&file.scan.items[*it]));
        wanted.extend(uses.flat_map(|it| expand::mentioned(file.scan.refs(it))));
    }
    wanted.extend(files.iter().flat_map(|it| expand::used_in_tables(&it.scan)));
    // The macros of the changed files may be used by those of others.
    for file in files {
        for (at, item) in file.scan.items.iter().enumerate() {
            if item.kind == ItemKind::Macro {
                wanted.extend(expand::called(file.scan.refs(at)));
            }
        }
    }
    wanted
}

/// Expands the files beside those of the base with the wanted definitions, and with what turns out to be wanted;
/// `None` where that does not come to an end.
fn with_definers(
    base: (&Image, &FxHashSet<u32>),
    files: &mut Vec<ReadFile>,
    wanted: Vec<u32>,
    grow: &dyn Fn(&mut Vec<ReadFile>) -> expand::Deciding,
) -> Option<expand::Deciding> {
    let mut seen = Seen::default();
    seen.add(base, wanted);
    for _ in 0..MAX_ROUNDS {
        let mut read = files.clone();
        read.extend(seen.files.iter().map(|it| base.0.as_read(*it)));
        let deciding = grow(&mut read);
        if !seen.add(base, deciding.chosen.clone()) {
            read.truncate(files.len());
            *files = read;
            return Some(deciding);
        }
    }
    None
}

/// What of a base is read beside changed files.
#[derive(Default)]
struct Seen {
    names: FxHashSet<u32>,
    /// The files that define macros of these names.
    files: BTreeSet<u32>,
}

impl Seen {
    /// Adds macros, those that they call, and so on; whether that adds files.
    fn add(&mut self, (base, hidden): (&Image, &FxHashSet<u32>), mut wanted: Vec<u32>) -> bool {
        let before = self.files.len();
        while let Some(name) = wanted.pop() {
            if !self.names.insert(name) {
                continue;
            }
            for row in base.macros.of(name) {
                let file = base.item_file[row[1] as usize];
                if !hidden.contains(&file) {
                    self.files.insert(file);
                    wanted.extend(expand::called(base.refs(row[1])));
                }
            }
        }
        self.files.len() > before
    }
}

/// The macros on which depends what other files make, with their texts.
fn deciding<'r>(
    (base, pastes): (&Image, &mut MayPaste<'_>),
    items: impl Iterator<Item = (Item, &'r [Ref])>,
) -> Vec<(u32, u32, u32)> {
    let macros = items.filter(|it| it.0.kind == ItemKind::Macro);
    let is_known = |it: &Item| base.making.binary_search(&it.name.short()).is_ok();
    let found = macros.filter(|(it, refs)| is_known(it) || pastes.by(it.flags, refs));
    let found = found.map(|(it, _)| (it.name.short(), it.head_hash, it.rest_hash));
    let mut found: Vec<_> = found.collect();
    found.sort_unstable();
    found
}

impl Image {
    pub(super) fn file_at(&self, path: &TreePath) -> Option<u32> {
        self.files.place(path).ok().map(|it| it as u32)
    }

    fn deciding(&self, file: u32, pastes: &mut MayPaste<'_>) -> Vec<(u32, u32, u32)> {
        let (start, end) = self.bounds(file);
        let items = (start..end).zip(self.items.between(start, end));
        deciding(
            (self, pastes),
            items.map(|(number, it)| (it, self.refs(number))),
        )
    }

    pub(super) fn bounds(&self, file: u32) -> (u32, u32) {
        let file = file as usize;
        (self.first_item[file], self.first_item[file + 1])
    }

    /// The macros of a file, as they were before it was joined with others.
    fn as_read(&self, file: u32) -> ReadFile {
        let (start, end) = self.bounds(file);
        let mut scan = FileScan::default();
        for number in (start..end).filter(|it| self.items.get(*it).kind == ItemKind::Macro) {
            scan.refs.extend_from_slice(self.refs(number));
            scan.items.push(Item {
                refs_end: scan.refs.len() as u32,
                pairs_end: scan.pairs.len() as u32,
                ..self.items.get(number)
            });
        }
        let mut source = self.files[file as usize].clone();
        source.made = None;
        ReadFile {
            source,
            scan: Arc::new(scan),
        }
    }
}
