//! The lexical readings of many files joined by name: sorted rows of numbers that never change.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::index::SourceFile;
use super::table::Table;
use super::typing::directory;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{FileScan, Item, ItemKind, Pair, Ref, RefKind, Sym};
use crate::tree::TreePath;
use crate::warm::ContentKey;

/// A file with its lexical reading, before it is joined with others.
pub(crate) struct ReadFile {
    pub(crate) source: SourceFile,
    pub(crate) scan: std::sync::Arc<FileScan>,
}

/// Files and their items. An item's number counts through all files, in their order.
#[derive(Default)]
pub(crate) struct Image {
    pub(crate) files: Vec<SourceFile>,
    /// Whoever registers a filesystem, with the implementation it is.
    pub(crate) domains: FxHashMap<String, Domain>,
    /// `refs_end` and `pairs_end` count through all files.
    pub(crate) items: Vec<Item>,
    pub(crate) refs: Vec<Ref>,
    pub(crate) pairs: Vec<Pair>,
    /// Number of the first item of each file, and of the one after the last.
    pub(crate) first_item: Vec<u32>,
    pub(crate) item_file: Vec<u32>,
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
    pub(crate) making: Vec<u32>,
    /// Members of roots that few types declare.
    pub(crate) own_members: Vec<u32>,
    /// Functions and macros that call `iput()` or speak of `i_count`.
    pub(crate) suspects: Vec<u32>,
    pub(crate) gaps: Vec<Gap>,
    pub(super) homes: OnceLock<FxHashSet<String>>,
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
        let mut this = Self {
            domains,
            first_item,
            gaps,
            ..Self::default()
        };
        this.fill_items(&read);
        this.files = read.into_iter().map(|it| it.source).collect();
        this.fill_tables(parts);
        this
    }

    fn fill_items(&mut self, read: &[ReadFile]) {
        let total = |of: fn(&FileScan) -> usize| read.iter().map(|it| of(&it.scan)).sum::<usize>();
        self.items.reserve(total(|it| it.items.len()));
        self.refs.reserve(total(|it| it.refs.len()));
        self.pairs.reserve(total(|it| it.pairs.len()));
        for (file, it) in read.iter().enumerate() {
            let (refs, pairs) = (self.refs.len() as u32, self.pairs.len() as u32);
            self.refs.extend_from_slice(&it.scan.refs);
            self.pairs.extend_from_slice(&it.scan.pairs);
            self.items.extend(it.scan.items.iter().map(|it| Item {
                refs_end: refs + it.refs_end,
                pairs_end: pairs + it.pairs_end,
                ..*it
            }));
            self.item_file
                .extend(std::iter::repeat_n(file as u32, it.scan.items.len()));
        }
    }

    fn fill_tables(&mut self, parts: Vec<Part>) {
        let mut all = Part::default();
        for part in parts {
            for (to, from) in all.named.iter_mut().zip(part.named) {
                to.extend(from);
            }
            all.setters.extend(part.setters);
            all.users.extend(part.users);
            all.callers.extend(part.callers);
            all.suspects.extend(part.suspects);
        }
        self.set_tables(all);
    }

    fn set_tables(&mut self, all: Part) {
        let [functions, macros, types, objects, tagged] = all.named.map(Table::new);
        self.functions = functions;
        self.macros = macros;
        self.types = types;
        self.objects = objects;
        self.tagged = tagged;
        self.users = Table::new(all.users);
        self.callers = Table::new(all.callers);
        self.setters = Table::new(all.setters);
        self.suspects = all.suspects;
        self.values = self.home_values();
    }

    fn home_values(&self) -> Table<3> {
        let rows = self.setters.rows().iter();
        let at_home = rows.filter(|it| self.files[self.item_file[it[2] as usize] as usize].at_home);
        Table::new(at_home.map(|it| [it[1], it[0], it[2]]).collect())
    }

    /// The directories that hold roots: chains may enter what lies in and below them.
    pub(super) fn homes(&self) -> &FxHashSet<String> {
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
        &self.refs[start as usize..self.items[item as usize].refs_end as usize]
    }

    pub(crate) fn pairs(&self, item: u32) -> &[Pair] {
        let start = self.before(item).map_or(0, |it| it.pairs_end);
        &self.pairs[start as usize..self.items[item as usize].pairs_end as usize]
    }

    fn before(&self, item: u32) -> Option<&Item> {
        (item as usize).checked_sub(1).map(|it| &self.items[it])
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
            for (member, value) in file.scan.pairs(at) {
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
