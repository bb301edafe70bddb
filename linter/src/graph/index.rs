//! The lexical readings of a whole tree, joined by name.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::Gap;
use crate::lex::{self, Item, ItemKind, RefKind, Sym, flags};
use crate::tree::TreeSource;
use crate::warm::{ItemKey, Warm};

pub(crate) use super::reading::SourceFile;

/// An item of the tree: items are numbered file by file, in path order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ItemId(pub(crate) u32);

/// An implementation: a filesystem's directory, or a file that registers a filesystem. 0 is generic code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Domain(pub(crate) u16);

impl Domain {
    /// Code that serves all implementations.
    pub(crate) const GENERIC: Self = Self(0);
    /// A table in generic code that is nobody else's, such as the block device's own.
    pub(crate) const PRIVATE: Self = Self(u16::MAX);
}

/// All items of a tree by name.
pub(crate) struct Index<'t> {
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    pub(crate) files: Vec<SourceFile>,
    first_item: Vec<u32>,
    item_file: Vec<u32>,
    domains: FxHashMap<String, Domain>,
    functions: Names,
    macros: Names,
    types: Names,
    objects: Names,
    objects_by_tag: Names,
    /// (member, value, item), sorted.
    pairs: Vec<(u32, u32, ItemId)>,
    pub(crate) function_names: FxHashSet<u32>,
    texts: Vec<OnceLock<Arc<Vec<u8>>>>,
    pub(crate) gaps: Vec<Gap>,
}

impl<'t> Index<'t> {
    /// Joins the readings of a tree's files.
    pub(crate) fn join(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        mut files: Vec<SourceFile>,
        gaps: Vec<Gap>,
    ) -> Self {
        let domains = assign_domains(&mut files);
        let mut first_item = Vec::with_capacity(files.len() + 1);
        let mut count = 0u32;
        for file in &files {
            first_item.push(count);
            count += file.scan.items.len() as u32;
        }
        first_item.push(count);
        let item_file = files
            .iter()
            .enumerate()
            .flat_map(|(at, it)| std::iter::repeat_n(at as u32, it.scan.items.len()))
            .collect();
        let texts = (0..files.len()).map(|_| OnceLock::new()).collect();
        let mut index = Self {
            tree,
            warm,
            files,
            first_item,
            item_file,
            domains,
            functions: Names::default(),
            macros: Names::default(),
            types: Names::default(),
            objects: Names::default(),
            objects_by_tag: Names::default(),
            pairs: Vec::new(),
            function_names: FxHashSet::default(),
            texts,
            gaps,
        };
        index.fill();
        index
    }

    fn fill(&mut self) {
        for (file, source) in self.files.iter().enumerate() {
            let base = self.first_item[file];
            for (at, item) in source.scan.items.iter().enumerate() {
                let id = ItemId(base + at as u32);
                match item.kind {
                    ItemKind::Function => {
                        self.functions.list.push((item.name, id));
                        self.function_names.insert(item.name.short());
                    }
                    ItemKind::Macro => self.macros.list.push((item.name, id)),
                    ItemKind::Type | ItemKind::Typedef => {
                        if item.name != Sym::NONE {
                            self.types.list.push((item.name, id));
                        }
                    }
                    ItemKind::Object => {
                        self.objects.list.push((item.name, id));
                        if item.tag != Sym::NONE
                            && source
                                .scan
                                .refs(at)
                                .iter()
                                .any(|it| it.kind() == RefKind::Mention)
                        {
                            self.objects_by_tag.list.push((item.tag, id));
                        }
                    }
                    ItemKind::MacroUse => {}
                }
                for (member, value) in source.scan.pairs(at) {
                    self.pairs.push((*member, *value, id));
                }
            }
        }
        for list in [
            &mut self.functions,
            &mut self.macros,
            &mut self.types,
            &mut self.objects,
            &mut self.objects_by_tag,
        ] {
            list.seal();
        }
        self.pairs.par_sort_unstable();
        self.pairs.dedup();
    }

    pub(crate) fn item_count(&self) -> u32 {
        *self.first_item.last().expect("one more than files")
    }

    pub(crate) fn file_index(&self, id: ItemId) -> usize {
        self.item_file[id.0 as usize] as usize
    }

    pub(crate) fn file_of(&self, id: ItemId) -> &SourceFile {
        &self.files[self.file_index(id)]
    }

    pub(crate) fn item(&self, id: ItemId) -> &Item {
        let file = self.file_index(id);
        &self.files[file].scan.items[(id.0 - self.first_item[file]) as usize]
    }

    /// The item's identity in any tree.
    pub(crate) fn key(&self, id: ItemId) -> ItemKey {
        let file = self.file_index(id);
        (self.files[file].content, id.0 - self.first_item[file])
    }

    /// The items of a file, with their ids.
    pub(crate) fn items(&self, file: usize) -> impl Iterator<Item = (ItemId, &Item)> {
        let base = self.first_item[file];
        self.files[file]
            .scan
            .items
            .iter()
            .enumerate()
            .map(move |(at, it)| (ItemId(base + at as u32), it))
    }

    pub(crate) fn refs(&self, id: ItemId) -> &[lex::Ref] {
        let file = self.file_index(id);
        self.files[file]
            .scan
            .refs((id.0 - self.first_item[file]) as usize)
    }

    pub(crate) fn pairs_of(&self, id: ItemId) -> &[lex::Pair] {
        let file = self.file_index(id);
        self.files[file]
            .scan
            .pairs((id.0 - self.first_item[file]) as usize)
    }

    pub(crate) fn functions(&self, name: Sym) -> impl Iterator<Item = ItemId> + '_ {
        self.functions.get(name)
    }

    pub(crate) fn macros(&self, name: Sym) -> impl Iterator<Item = ItemId> + '_ {
        self.macros.get(name)
    }

    pub(crate) fn types(&self, name: Sym) -> impl Iterator<Item = ItemId> + '_ {
        self.types.get(name)
    }

    pub(crate) fn objects(&self, name: Sym) -> impl Iterator<Item = ItemId> + '_ {
        self.objects.get(name)
    }

    pub(crate) fn objects_of(&self, tag: Sym) -> impl Iterator<Item = ItemId> + '_ {
        self.objects_by_tag.get(tag)
    }

    pub(crate) fn function_ids(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.functions.list.iter().map(|it| it.1)
    }

    pub(crate) fn macro_ids(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.macros.list.iter().map(|it| it.1)
    }

    /// The (value, item) pairs that set `member`, both sorted.
    pub(crate) fn setters(&self, member: u32) -> &[(u32, u32, ItemId)] {
        let start = self.pairs.partition_point(|it| it.0 < member);
        let end = self.pairs.partition_point(|it| it.0 <= member);
        &self.pairs[start..end]
    }

    /// The implementation that a path belongs to, whether a file is there or not.
    pub(crate) fn domain_of_path(&self, path: &str) -> Domain {
        domain_in(&self.domains, path)
    }

    /// (value, member, item) of every pair whose value is a function.
    pub(crate) fn setters_of_functions(&self) -> impl Iterator<Item = (u32, u32, ItemId)> + '_ {
        self.pairs
            .iter()
            .filter(|it| self.function_names.contains(&it.1))
            .map(|it| (it.1, it.0, it.2))
    }

    /// The bytes of a file; empty where it cannot be read.
    pub(crate) fn text(&self, file: usize) -> &Arc<Vec<u8>> {
        let source = &self.files[file];
        if let Some(made) = &source.made {
            return &made.text;
        }
        self.texts[file].get_or_init(|| {
            self.warm.texts.get(source.content, || {
                self.tree
                    .read(&source.path)
                    .ok()
                    .flatten()
                    .unwrap_or_default()
            })
        })
    }

    /// The bytes of an item; empty where the file changed under us.
    pub(crate) fn item_text(&self, id: ItemId) -> &[u8] {
        let item = self.item(id);
        self.text(self.file_index(id))
            .get(item.start as usize..item.end as usize)
            .unwrap_or_default()
    }

    /// 1-based line and column of a byte of an item.
    pub(crate) fn position(&self, id: ItemId, offset: u32) -> (u32, u32) {
        let text = self.text(self.file_index(id));
        let at = self.item(id).start as usize + offset as usize;
        let at = self
            .file_of(id)
            .made
            .as_ref()
            .map_or(at, |it| it.origin(at))
            .min(text.len());
        let before = &text[..at];
        let line = memchr::memchr_iter(b'\n', before).count() as u32 + 1;
        let column = at - memchr::memrchr(b'\n', before).map_or(0, |it| it + 1);
        (line, column as u32 + 1)
    }

    /// The spelling of a function's, macro's or object's name.
    pub(crate) fn name_of(&self, id: ItemId) -> String {
        self.spell(id, self.item(id).name).unwrap_or_default()
    }

    /// The spelling of `name`, found among the words of an item.
    pub(crate) fn spell(&self, id: ItemId, name: Sym) -> Option<String> {
        self.item_text(id)
            .split(|it| !(it.is_ascii_alphanumeric() || *it == b'_' || *it >= 0x80))
            .find(|it| !it.is_empty() && Sym::of(it) == name)
            .map(|it| String::from_utf8_lossy(it).into_owned())
    }

    /// Offset, in the item, of the name in the head.
    pub(crate) fn name_offset(&self, id: ItemId) -> u32 {
        let item = self.item(id);
        let text = self.item_text(id);
        let mut at = 0;
        while at < text.len() {
            if text[at].is_ascii_alphabetic() || text[at] == b'_' {
                let end = text[at..]
                    .iter()
                    .position(|it| !(it.is_ascii_alphanumeric() || *it == b'_'))
                    .map_or(text.len(), |it| at + it);
                if Sym::of(&text[at..end]) == item.name {
                    return at as u32;
                }
                at = end;
            } else {
                at += 1;
            }
        }
        0
    }

    /// Whether a name defined by `id` can be meant in `file`.
    pub(crate) fn is_visible(&self, id: ItemId, file: usize) -> bool {
        let home = self.file_index(id);
        if !self.files[home].at_home {
            return false;
        }
        home == file || self.files[home].is_shared || self.item(id).flags & flags::STATIC == 0
    }
}

/// Items by name: equal names stand together, in item order.
#[derive(Default)]
struct Names {
    list: Vec<(Sym, ItemId)>,
    bounds: FxHashMap<Sym, (u32, u32)>,
}

impl Names {
    fn seal(&mut self) {
        self.list.par_sort_unstable();
        let mut start = 0;
        for run in self.list.chunk_by(|a, b| a.0 == b.0) {
            let end = start + run.len() as u32;
            self.bounds.insert(run[0].0, (start, end));
            start = end;
        }
    }

    fn get(&self, name: Sym) -> impl Iterator<Item = ItemId> + '_ {
        let (start, end) = self.bounds.get(&name).copied().unwrap_or_default();
        self.list[start as usize..end as usize]
            .iter()
            .map(|it| it.1)
    }
}

/// Finds the implementations: whoever defines a `struct file_system_type` is one.
fn assign_domains(files: &mut [SourceFile]) -> FxHashMap<String, Domain> {
    let tag = Sym::of("file_system_type");
    let mut domains: FxHashMap<String, Domain> = FxHashMap::default();
    for file in files.iter() {
        let registers = file
            .scan
            .items
            .iter()
            .any(|it| it.kind == ItemKind::Object && it.tag == tag && it.end > it.body + 1);
        if registers && !file.is_foreign {
            let key = filesystem_of(file.path.as_str())
                .unwrap_or(file.path.as_str())
                .to_owned();
            let next = Domain(domains.len() as u16 + 1);
            domains.entry(key).or_insert(next);
        }
    }
    for file in files.iter_mut() {
        file.domain = domain_in(&domains, file.path.as_str());
    }
    domains
}

fn domain_in(domains: &FxHashMap<String, Domain>, path: &str) -> Domain {
    // A filesystem's protocol code under net/ serves only that filesystem.
    let of_protocol = path
        .strip_prefix("net/")
        .and_then(|it| it.split_once('/'))
        .map(|it| format!("fs/{}", it.0));
    [
        Some(path.to_owned()),
        filesystem_of(path).map(str::to_owned),
        of_protocol,
    ]
    .into_iter()
    .flatten()
    .find_map(|it| domains.get(&it).copied())
    .unwrap_or_default()
}

/// `fs/x` of `fs/x/…`.
fn filesystem_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("fs/")?;
    let (name, _) = rest.split_once('/')?;
    Some(&path[..3 + name.len()])
}
