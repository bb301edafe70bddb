//! The lexical readings of many files joined by name: sorted rows of numbers that never change.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::domains::Domain;
use super::files::Files;
use super::index::SourceFile;
use super::items::Items;
use super::table::Table;
use super::typing::directory;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{FileScan, Item, ItemKind, Pair, Ref, RefKind, Sym};
use crate::rows::Rows;
use crate::tree::TreePath;
use crate::warm::{ContentKey, Memo};

/// A file with its lexical reading, before it is joined with others.
pub(crate) struct ReadFile {
    pub(crate) source: SourceFile,
    pub(crate) scan: std::sync::Arc<FileScan>,
}

/// Files and their items. An item's number counts through all files, in their order.
#[derive(Default)]
pub(crate) struct Image {
    pub(crate) files: Files,
    /// Whoever registers a filesystem, with the implementation it is.
    pub(crate) domains: FxHashMap<String, Domain>,
    /// `refs_end` and `pairs_end` count through all files.
    pub(crate) items: Items,
    pub(crate) refs: Rows<Ref>,
    pub(crate) pairs: Rows<Pair>,
    /// Number of the first item of each file, and of the one after the last.
    pub(crate) first_item: Rows<u32>,
    pub(crate) item_file: Rows<u32>,
    /// (name, item)
    pub(crate) functions: Table<2>,
    pub(crate) macros: Table<2>,
    pub(crate) types: Table<2>,
    pub(crate) objects: Table<2>,
    /// (tag, item), for objects with values in them.
    pub(crate) tagged: Table<2>,
    /// (member, value, item)
    pub(crate) setters: Table<3>,
    /// (name, item): who calls or mentions it, in files that a chain may enter.
    pub(crate) users: Table<2>,
    /// (member, item): who calls through it, likewise.
    pub(crate) callers: Table<2>,
    /// (value, member, item): as `setters`, in files that a chain may enter.
    pub(crate) values: Table<3>,
    /// Macros on which depends what macros make, as [`Sym::short`], in order.
    pub(crate) making: Rows<u32>,
    /// Members of roots that few types declare.
    pub(crate) own_members: Rows<u32>,
    /// Functions and macros that call `iput()` or speak of `i_count`.
    pub(crate) suspects: Rows<u32>,
    pub(crate) gaps: Vec<Gap>,
    pub(super) homes: OnceLock<BTreeSet<String>>,
    /// What is named in files that include other sources, as [`Sym::short`].
    pub(super) lent: OnceLock<Arc<FxHashSet<u32>>>,
    /// The headers that files include, as far as somebody asked.
    pub(super) includes: Memo<u32, Vec<u32>>,
}

/// A name for these files with these contents, in path order: reports and trees in the cache go by it.
pub(super) fn name_of<'f>(files: impl Iterator<Item = (&'f TreePath, ContentKey)>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, content) in files {
        hasher.update(path.as_str().as_bytes());
        hasher.update(&[0]);
        hasher.update(&content.bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// What one file gives to the tables; item numbers count from its first.
#[derive(Default)]
struct Part {
    named: [Vec<[u32; 2]>; 5],
    setters: Vec<[u32; 3]>,
    users: Vec<[u32; 2]>,
    callers: Vec<[u32; 2]>,
    suspects: Vec<u32>,
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
        let parts: Vec<Part> = starts
            .par_chunks(256)
            .map(|files| {
                let mut part = Part::default();
                for (first, file) in files {
                    part.add(*first, file);
                }
                part
            })
            .collect();
        let (items, tables) = rayon::join(|| Self::of_items(&read), || Self::of_tables(&parts));
        let files: Vec<SourceFile> = read.into_par_iter().map(|it| it.source).collect();
        let mut this = Self {
            domains,
            first_item: first_item.into(),
            gaps,
            files: files.into(),
            items: items.items,
            refs: items.refs,
            pairs: items.pairs,
            item_file: items.item_file,
            ..tables
        };
        this.values = this.home_values();
        this
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

    /// The tables and the suspects, but for [`Image::values`].
    fn of_tables(parts: &[Part]) -> Self {
        fn table<const N: usize>(parts: &[Part], of: impl Fn(&Part) -> &Vec<[u32; N]>) -> Table<N>
        where
            [u32; N]: FromBytes + IntoBytes + Immutable + Ord + Send + Copy,
        {
            let count = parts.iter().map(|it| of(it).len()).sum();
            let mut rows = Vec::with_capacity(count);
            for it in parts {
                rows.extend(of(it));
            }
            Table::new(rows)
        }
        let named = |kind: usize| table(parts, |it| &it.named[kind]);
        let ((users, callers), (setters, (functions, macros))) = rayon::join(
            || {
                rayon::join(
                    || table(parts, |it| &it.users),
                    || table(parts, |it| &it.callers),
                )
            },
            || {
                let names = || rayon::join(|| named(0), || named(1));
                rayon::join(|| table(parts, |it| &it.setters), names)
            },
        );
        let suspects = parts.iter().flat_map(|it| &it.suspects);
        Self {
            functions,
            macros,
            types: named(2),
            objects: named(3),
            tagged: named(4),
            users,
            callers,
            setters,
            suspects: suspects.copied().collect::<Vec<_>>().into(),
            ..Self::default()
        }
    }

    fn home_values(&self) -> Table<3> {
        let rows = self.setters.rows().iter();
        let at_home = rows.filter(|it| self.files[self.item_file[it[2] as usize] as usize].at_home);
        Table::new(at_home.map(|it| [it[1], it[0], it[2]]).collect())
    }

    /// The directories that hold roots: chains may enter what lies in and below them.
    pub(super) fn homes(&self) -> &BTreeSet<String> {
        self.homes.get_or_init(|| {
            let roots = self.files.iter().filter(|it| it.is_root);
            roots
                .map(|it| directory(it.path.as_str()).to_owned())
                .collect()
        })
    }

    /// See [`name_of`].
    pub(crate) fn name(&self) -> String {
        name_of(self.files.iter().map(|it| (&it.path, it.content)))
    }

    /// How many items there are.
    pub(crate) fn item_count(&self) -> u32 {
        self.items.len() as u32
    }

    pub(crate) fn refs(&self, item: u32) -> &[Ref] {
        let start = self.before(item).map_or(0, |it| it.refs_end);
        &self.refs[start as usize..self.items.get(item).refs_end as usize]
    }

    pub(crate) fn pairs(&self, item: u32) -> &[Pair] {
        let start = self.before(item).map_or(0, |it| it.pairs_end);
        &self.pairs[start as usize..self.items.get(item).pairs_end as usize]
    }

    fn before(&self, item: u32) -> Option<Item> {
        item.checked_sub(1).map(|it| self.items.get(it))
    }
}

impl Part {
    fn add(&mut self, first: u32, file: &ReadFile) {
        let iput = Ref::new(RefKind::Call, Sym::of(kernel::IPUT));
        for (at, item) in file.scan.items.iter().enumerate() {
            let id = first + at as u32;
            let refs = file.scan.refs(at);
            let short = item.name.short();
            let is_code = matches!(
                item.kind,
                ItemKind::Function | ItemKind::Macro | ItemKind::MacroUse
            );
            let counts = file.scan.counting.binary_search(&(at as u32)).is_ok();
            if is_code && (counts || refs.binary_search(&iput).is_ok()) {
                self.suspects.push(id);
            }
            let [functions, macros, types, objects, tagged] = &mut self.named;
            match item.kind {
                ItemKind::Function => {
                    functions.push([short, id]);
                }
                ItemKind::Macro => macros.push([short, id]),
                ItemKind::Type | ItemKind::Typedef => {
                    if item.name != Sym::NONE {
                        types.push([short, id]);
                    }
                }
                ItemKind::Object => {
                    objects.push([short, id]);
                    let has_values = refs.iter().any(|it| it.kind() == RefKind::Mention);
                    if item.tag != Sym::NONE && has_values {
                        tagged.push([item.tag.short(), id]);
                    }
                }
                ItemKind::MacroUse => {}
            }
            for [member, value] in file.scan.pairs(at) {
                self.setters.push([*member, *value, id]);
            }
            if !file.source.at_home {
                continue;
            }
            for it in refs {
                match it.kind() {
                    RefKind::Call | RefKind::Mention => self.users.push([it.name(), id]),
                    RefKind::Member => self.callers.push([it.name(), id]),
                    RefKind::Declares => {}
                }
            }
        }
    }
}
