//! The lexical readings of a whole tree, joined by name.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::domains::{Domain, domain_in, places};
use super::given::Handing;
use super::image::Image;
use super::over::{Over, RANK_STEP};
use super::table::Table;
use super::texts::Texts;
use super::users::Lent;
use crate::expand::Made;
use crate::facts::{self, FunctionFacts, ParsedItem};
use crate::finding::Gap;
use crate::lex::{self, Item, ItemKind, Sym, flags};
use crate::tree::{TreePath, TreeSource};
use crate::warm::{ContentKey, ItemKey, Memo, Warm};

/// An item of the tree. The order is that of paths, and in a file that of the text; it is the same whether a file
/// was there from the start or took another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ItemId {
    rank: u32,
    at: u32,
}

/// Lines are counted from the last multiple of so many bytes.
const LINES_BLOCK: usize = 4096;

/// A source as the index keeps it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SourceFile {
    pub(crate) path: TreePath,
    pub(crate) content: ContentKey,
    pub(crate) domain: Domain,
    /// `name(` seen in function bodies, each time.
    pub(crate) call_sites: u32,
    /// A hash of all its `#define` lines, where it was read.
    pub(crate) defines: u32,
    /// The names in its `#include` lines, each with a line feed behind it, where they were read.
    pub(crate) includes: Option<Box<str>>,
    /// Whether it was read: beside the filesystem side most files hold nothing that matters.
    pub(crate) is_read: bool,
    /// Whether it makes its directory one that a chain may enter.
    pub(crate) is_root: bool,
    /// Whether it registers a filesystem.
    pub(crate) registers: bool,
    /// A header: its statics are seen elsewhere.
    pub(crate) is_shared: bool,
    /// Whether it includes another source, whose statics it sees.
    pub(crate) includes_unit: bool,
    /// Under tools, samples, scripts or Documentation: programs of their own.
    pub(crate) is_foreign: bool,
    /// Whether it is a test, whose tables nobody else uses.
    pub(crate) is_test: bool,
    /// Whether a chain may enter it: the filesystem side, and the directories of roots beside it.
    pub(crate) at_home: bool,
    /// What its macro uses make.
    pub(crate) made: Option<Box<Made>>,
}

impl SourceFile {
    /// What stands in these bounds of its text and what macros made behind that; `own` is the text.
    pub(crate) fn text_of<'s>(&'s self, (start, end): (u32, u32), own: &'s [u8]) -> &'s [u8] {
        match self.made.as_deref().filter(|it| it.holds(start)) {
            Some(made) => made.text(start, end),
            None => own.get(start as usize..end as usize).unwrap_or_default(),
        }
    }

    /// Whether the macros and enumerators of another reading of the file are the same.
    pub(super) fn has_defines_of(&self, other: &Self) -> bool {
        self.is_read && other.is_read && self.defines == other.defines
    }
}

/// All items of a tree by name: those of an image, and what some changed files put in their place.
pub(crate) struct Index<'t> {
    pub(crate) tree: &'t dyn TreeSource,
    pub(super) warm: &'t Warm,
    base: Arc<Image>,
    over: Option<Arc<Over>>,
    texts: Texts,
    pub(super) givers: OnceLock<Arc<FxHashSet<u32>>>,
    pub(super) called_no_more: OnceLock<FxHashSet<u32>>,
}

/// What an index was made of, to make that of a similar tree.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) image: Arc<Image>,
    /// The files that are not as in the image.
    pub(crate) changed: Vec<TreePath>,
    /// What stands in their place.
    pub(crate) over: Option<Arc<Over>>,
}

/// Some files of an index, by their slots.
pub(crate) struct FilesBelow {
    old: std::ops::Range<usize>,
    new: Vec<usize>,
}

impl FilesBelow {
    pub(crate) fn holds(&self, slot: usize) -> bool {
        self.old.contains(&slot) || self.new.contains(&slot)
    }
}

impl<'t> Index<'t> {
    /// What was read of a tree, with what has changed since.
    pub(crate) fn new(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        base: Arc<Image>,
        over: Option<Arc<Over>>,
    ) -> Self {
        let files = base.files.len() + over.as_ref().map_or(0, |it| it.image.files.len());
        Self {
            tree,
            warm,
            base,
            over,
            texts: Texts::of(files),
            givers: OnceLock::new(),
            called_no_more: OnceLock::new(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut changed: Vec<TreePath> = Vec::new();
        if let Some(over) = &self.over {
            let hidden = over.hidden.iter();
            changed.extend(hidden.map(|it| self.base.files[*it as usize].path.clone()));
            changed.extend(over.image.files.iter().map(|it| it.path.clone()));
            changed.sort_unstable();
            changed.dedup();
        }
        Snapshot {
            image: Arc::clone(&self.base),
            changed,
            over: self.over.clone(),
        }
    }

    /// How many items there are, those of hidden files included: one more than the largest [`Index::number`].
    pub(crate) fn item_count(&self) -> u32 {
        self.base.item_count() + self.over.as_deref().map_or(0, |it| it.image.item_count())
    }

    /// The files of the tree, as the numbers by which [`Index::file`] knows them.
    pub(crate) fn live(&self) -> impl Iterator<Item = usize> {
        (0..self.texts.len()).filter(|it| !self.hides(*it))
    }

    /// As [`Index::live`].
    pub(crate) fn slots(&self) -> impl IndexedParallelIterator<Item = usize> {
        self.live().collect::<Vec<usize>>().into_par_iter()
    }

    #[inline]
    pub(crate) fn file(&self, slot: usize) -> &SourceFile {
        let base = &self.base.files;
        match &self.over {
            Some(over) if slot >= base.len() => &over.image.files[slot - base.len()],
            _ => &base[slot],
        }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.live().map(|it| self.file(it))
    }

    /// The files of some implementations.
    pub(crate) fn slots_of(&self, domains: &FxHashSet<Domain>) -> Vec<usize> {
        let files = &self.base.files;
        let keys = self.base.domains.iter();
        let mut found = Vec::new();
        for (key, _) in keys.filter(|it| domains.contains(it.1)) {
            let below = places(key).into_iter().map(|it| self.files_below(&it).old);
            found.extend(below.flatten());
        }
        found.retain(|it| !self.hides(*it));
        found.extend(files.len()..self.texts.len());
        found.retain(|it| domains.contains(&self.file(*it).domain));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The files whose paths start so.
    pub(crate) fn files_below(&self, start: &str) -> FilesBelow {
        let files = &self.base.files;
        let first = files.partition_point(|it| it.path.as_str() < start);
        let end = files
            .partition_point(|it| it.path.as_str() < start || it.path.as_str().starts_with(start));
        let new = self.over.iter().flat_map(|it| it.image.files.iter());
        let new = (files.len()..).zip(new);
        FilesBelow {
            old: first..end,
            new: new
                .filter(|it| it.1.path.as_str().starts_with(start))
                .map(|it| it.0)
                .collect(),
        }
    }

    /// How many of some files are not hidden.
    pub(crate) fn count_live(&self, files: &FilesBelow) -> usize {
        self.live_of(files).count()
    }

    /// Those that are not hidden.
    pub(crate) fn live_of(&self, files: &FilesBelow) -> impl Iterator<Item = usize> {
        let old = files.old.clone().filter(|it| !self.hides(*it));
        old.chain(files.new.iter().copied())
    }

    /// The file at a path, where it was listed.
    pub(crate) fn slot_of(&self, path: &TreePath) -> Option<usize> {
        let at = |image: &Image| image.file_at(path).map(|it| it as usize);
        if let Some(found) = self.over.as_ref().and_then(|it| at(&it.image)) {
            return Some(self.base.files.len() + found);
        }
        at(&self.base).filter(|it| !self.hides(*it))
    }

    /// Whether a file of the base, by its slot, is gone or replaced.
    fn hides(&self, slot: usize) -> bool {
        let over = self.over.as_deref();
        over.is_some_and(|it| it.hides(slot as u32))
    }

    /// Files that could not be read.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = &Gap> {
        let over = self.over.as_deref();
        let hidden = move |path: &TreePath| {
            over.is_some_and(|over| {
                over.hidden
                    .iter()
                    .any(|it| self.base.files[*it as usize].path == *path)
            })
        };
        let old = self.base.gaps.iter().filter(move |it| !hidden(&it.file));
        old.chain(over.into_iter().flat_map(|it| &it.image.gaps))
    }

    /// The image that holds an item, with the item's number there and its file's slot.
    #[expect(
        clippy::inline_always,
        reason = "asked millions of times, of which one part or another is wanted: 1 % of the instructions of a check"
    )]
    #[inline(always)]
    fn place(&self, id: ItemId) -> (&Image, u32, usize) {
        if let Some(over) = &self.over
            && let Some(file) = over.file_at(id.rank)
        {
            let number = over.image.first_item[file as usize] + id.at;
            return (&over.image, number, self.base.files.len() + file as usize);
        }
        let base = (id.rank / RANK_STEP).saturating_sub(1) as usize;
        (&self.base, self.base.first_item[base] + id.at, base)
    }

    /// A number for each item, in no order.
    #[inline]
    pub(crate) fn number(&self, id: ItemId) -> u32 {
        let (image, number, _) = self.place(id);
        if std::ptr::eq(image, &raw const *self.base) {
            number
        } else {
            self.base.item_count() + number
        }
    }

    /// Hands out the [`Index::number`] and the name of each item, hidden ones included.
    pub(crate) fn numbered_names(&self, mut take: impl FnMut(u32, Sym)) {
        let over = self.over.iter().flat_map(|it| it.image.items.iter());
        for (number, item) in (0..).zip(self.base.items.iter().chain(over)) {
            take(number, item.name);
        }
    }

    fn base_id(&self, number: u32) -> ItemId {
        let file = self.base.item_file[number as usize];
        ItemId {
            rank: (file + 1) * RANK_STEP,
            at: number - self.base.first_item[file as usize],
        }
    }

    fn over_id(over: &Over, number: u32) -> ItemId {
        let file = over.image.item_file[number as usize] as usize;
        ItemId {
            rank: over.ranks[file],
            at: number - over.image.first_item[file],
        }
    }

    /// Rows of the base whose items are not hidden, and `new` ones in their place; the last number of a row is its
    /// item's in its image.
    fn live_rows<const N: usize>(
        &self,
        old: impl Iterator<Item = [u32; N]>,
        new: impl Iterator<Item = [u32; N]>,
    ) -> impl Iterator<Item = ([u32; N], ItemId)> {
        let over = self.over.as_deref();
        let is_hidden = |it: u32| self.hides(self.base.item_file[it as usize] as usize);
        let old = old.filter(move |it| !is_hidden(it[N - 1]));
        let old = old.map(|it| (it, self.base_id(it[N - 1])));
        old.chain(new.filter_map(move |it| Some((it, Self::over_id(over?, it[N - 1])))))
    }

    /// As [`Index::live_rows`], of what both images have.
    fn rows_of<const N: usize>(
        &self,
        rows: impl Fn(&Image) -> &[[u32; N]],
    ) -> impl Iterator<Item = ([u32; N], ItemId)> {
        let new = self.over.as_deref().map_or(&[][..], |it| rows(&it.image));
        self.live_rows(rows(&self.base).iter().copied(), new.iter().copied())
    }

    /// As [`Index::rows_of`], of the rows of a key.
    fn rows<const N: usize>(
        &self,
        table: impl Fn(&Image) -> &Table<N>,
        key: u32,
    ) -> impl Iterator<Item = ([u32; N], ItemId)> {
        self.rows_of(move |it| table(it).of(key))
    }

    /// The items of a name, in order.
    fn named(
        &self,
        table: impl Fn(&Image) -> &Table<2>,
        name: Sym,
        of: impl Fn(&Item) -> Sym,
    ) -> impl Iterator<Item = ItemId> {
        let mut found: Vec<ItemId> = self
            .rows(table, name.short())
            .map(|it| it.1)
            .filter(|it| of(&self.item(*it)) == name)
            .collect();
        if self.over.is_some() {
            found.sort_unstable();
        }
        found.into_iter()
    }

    #[inline]
    pub(crate) fn file_index(&self, id: ItemId) -> usize {
        self.place(id).2
    }

    #[inline]
    pub(crate) fn file_of(&self, id: ItemId) -> &SourceFile {
        self.file(self.file_index(id))
    }

    #[inline]
    pub(crate) fn item(&self, id: ItemId) -> Item {
        let (image, number, _) = self.place(id);
        image.items.get(number)
    }

    /// The item's identity in any tree.
    pub(crate) fn key(&self, id: ItemId) -> ItemKey {
        let (file, item) = (self.file_of(id), self.item(id));
        let made = file.made.as_ref().filter(|it| it.holds(item.start));
        (made.map_or(file.content, |it| it.key), id.at)
    }

    /// The items of a file, with their ids.
    pub(crate) fn items(&self, slot: usize) -> impl Iterator<Item = (ItemId, Item)> {
        let old = self.base.files.len();
        let (image, file, rank) = match &self.over {
            Some(over) if slot >= old => (&over.image, slot - old, over.ranks[slot - old]),
            _ => (&*self.base, slot, (slot as u32 + 1) * RANK_STEP),
        };
        let (start, end) = (image.first_item[file], image.first_item[file + 1]);
        let items = image.items.between(start, end);
        (0..)
            .zip(items)
            .map(move |(at, it)| (ItemId { rank, at }, it))
    }

    #[inline]
    pub(crate) fn refs(&self, id: ItemId) -> &[lex::Ref] {
        let (image, number, _) = self.place(id);
        image.refs(number)
    }

    #[inline]
    pub(crate) fn pairs_of(&self, id: ItemId) -> &[lex::Pair] {
        let (image, number, _) = self.place(id);
        image.pairs(number)
    }

    pub(crate) fn functions(&self, name: Sym) -> impl Iterator<Item = ItemId> {
        self.named(|it| &it.functions, name, |it| it.name)
    }

    pub(crate) fn macros(&self, name: Sym) -> impl Iterator<Item = ItemId> {
        self.named(|it| &it.macros, name, |it| it.name)
    }

    pub(crate) fn types(&self, name: Sym) -> impl Iterator<Item = ItemId> {
        self.named(|it| &it.types, name, |it| it.name)
    }

    /// The members that are pointers to functions in the types of a tag, as [`Sym::short`].
    pub(crate) fn declared_members(&self, tag: Sym) -> impl Iterator<Item = u32> {
        let declared = self.types(tag).flat_map(|it| self.refs(it));
        let members = declared.filter(|it| it.kind() == lex::RefKind::Declares);
        members.map(|it| it.name())
    }

    pub(crate) fn objects(&self, name: Sym) -> impl Iterator<Item = ItemId> {
        self.named(|it| &it.objects, name, |it| it.name)
    }

    pub(crate) fn objects_of(&self, tag: Sym) -> impl Iterator<Item = ItemId> {
        self.named(|it| &it.tagged, tag, |it| it.tag)
    }

    /// All functions, by name.
    pub(crate) fn function_ids(&self) -> impl Iterator<Item = ItemId> {
        self.all(|it| &it.functions)
    }

    pub(crate) fn macro_ids(&self) -> impl Iterator<Item = ItemId> {
        self.all(|it| &it.macros)
    }

    fn all(&self, table: impl Fn(&Image) -> &Table<2>) -> impl Iterator<Item = ItemId> {
        self.rows_of(move |it| table(it).rows()).map(|it| it.1)
    }

    /// The functions, macros and objects of a name, given as [`Sym::short`].
    pub(crate) fn items_named(&self, short: u32) -> impl Iterator<Item = ItemId> {
        let functions = self.rows(|it| &it.functions, short);
        let macros = self.rows(|it| &it.macros, short);
        let objects = self.rows(|it| &it.objects, short);
        functions.chain(macros).chain(objects).map(|it| it.1)
    }

    /// Items of changed files have this [`Index::number`] or a larger one.
    pub(crate) fn first_changed(&self) -> u32 {
        self.base.item_count()
    }

    /// The items of the files that take others' places.
    pub(crate) fn changed_items(&self) -> impl Iterator<Item = (ItemId, Item)> {
        (self.base.files.len()..self.texts.len()).flat_map(|it| self.items(it))
    }

    /// The number of the last implementation.
    pub(crate) fn domain_count(&self) -> u16 {
        let domains = self.base.domains.values();
        domains.map(|it| it.0).max().unwrap_or_default()
    }

    /// Whether some function has this name, given as [`Sym::short`].
    pub(crate) fn is_function_name(&self, short: u32) -> bool {
        self.functions_of(short).any(|it| self.file_of(it).at_home)
    }

    /// Whether some variable of a file that a chain may enter has this name, given as [`Sym::short`].
    pub(crate) fn is_object_name(&self, short: u32) -> bool {
        self.objects_named(short).any(|it| self.file_of(it).at_home)
    }

    /// The variables of a name, given as [`Sym::short`]; in no order.
    pub(super) fn objects_named(&self, short: u32) -> impl Iterator<Item = ItemId> {
        self.rows(|it| &it.objects, short).map(|it| it.1)
    }

    /// Whether some macro has this name, given as [`Sym::short`].
    pub(crate) fn is_macro_name(&self, short: u32) -> bool {
        self.rows(|it| &it.macros, short).next().is_some()
    }

    /// The functions of a name, given as [`Sym::short`]; in no order.
    pub(crate) fn functions_of(&self, short: u32) -> impl Iterator<Item = ItemId> {
        self.rows(|it| &it.functions, short).map(|it| it.1)
    }

    /// The macros of a name, given as [`Sym::short`]; in no order.
    pub(super) fn macros_of(&self, short: u32) -> impl Iterator<Item = ItemId> {
        self.rows(|it| &it.macros, short).map(|it| it.1)
    }

    /// The (value, item) pairs that set `member`, in files that a chain may enter; in no order.
    pub(crate) fn setters(&self, member: u32) -> impl Iterator<Item = (u32, ItemId)> {
        self.rows(|it| &it.setters, member)
            .map(|(row, id)| (row[1], id))
            .filter(|it| self.file_of(it.1).at_home)
    }

    /// The (member, item) pairs that set a member to `value`, in files that a chain may enter; in no order.
    pub(crate) fn settings(&self, value: u32) -> impl Iterator<Item = (u32, ItemId)> {
        self.rows(|it| &it.values, value)
            .map(|(row, id)| (row[1], id))
    }

    /// Who calls or mentions a name, in files that a chain may enter; in no order.
    pub(crate) fn users(&self, name: u32) -> impl Iterator<Item = ItemId> {
        self.rows(|it| &it.users, name).map(|it| it.1)
    }

    /// The [`users`](Index::users) of a name in some files.
    pub(super) fn users_below(
        &self,
        name: u32,
        files: &FilesBelow,
    ) -> impl Iterator<Item = ItemId> {
        let [first, end] = [files.old.start, files.old.end].map(|it| self.base.first_item[it]);
        let old = self.base.users.of(name);
        let old = &old[old.partition_point(|it| it[1] < first)..];
        let old = &old[..old.partition_point(|it| it[1] < end)];
        let new = self.over.iter().flat_map(move |over| {
            let slot = |it: u32| self.base.files.len() + over.image.item_file[it as usize] as usize;
            let rows = over.image.users.of(name).iter();
            rows.filter(move |it| files.holds(slot(it[1])))
        });
        let rows = self.live_rows(old.iter().copied(), new.copied());
        rows.map(|it| it.1)
    }

    /// The macros among the [`users`](Index::users) of a name, in no order.
    pub(super) fn macros_using(&self, name: u32) -> Vec<ItemId> {
        let found = self.kept_rows(|image| {
            image.macros_using.get(name, || {
                let is_macro = |it: &&[u32; 2]| image.items.get(it[1]).kind == ItemKind::Macro;
                image
                    .users
                    .of(name)
                    .iter()
                    .filter(is_macro)
                    .copied()
                    .collect()
            })
        });
        found.into_iter().map(|it| it.1).collect()
    }

    /// The functions among the [`setters`](Index::setters) of a member, with the values.
    pub(super) fn functions_setting(&self, member: u32) -> Vec<(u32, ItemId)> {
        let found = self.kept_rows(|image| {
            image.functions_setting.get(member, || {
                let is_one = |it: &&[u32; 3]| {
                    let file = image.item_file[it[2] as usize] as usize;
                    image.files[file].at_home && image.items.get(it[2]).kind == ItemKind::Function
                };
                let setters = image.setters.of(member).iter().filter(is_one);
                setters.map(|it| [it[1], it[2]]).collect()
            })
        });
        found.into_iter().map(|(row, it)| (row[0], it)).collect()
    }

    /// As [`Index::rows`], of what an image keeps.
    fn kept_rows(&self, of: impl Fn(&Image) -> Arc<Vec<[u32; 2]>>) -> Vec<([u32; 2], ItemId)> {
        let (old, new) = (of(&self.base), self.over.as_deref().map(|it| of(&it.image)));
        let new = new.iter().flat_map(|it| it.iter());
        self.live_rows(old.iter().copied(), new.copied()).collect()
    }

    /// Who calls through a member, likewise; of a [`variable`](lex::variable) all that name it.
    pub(crate) fn member_callers(&self, member: u32) -> impl Iterator<Item = ItemId> {
        let variable = lex::variable(member);
        // Most names that functions are given to are locals'.
        let is_global = self.is_object_name(variable);
        let of_variable = is_global
            .then(|| self.users(variable))
            .into_iter()
            .flatten();
        let of_member = self.rows(|it| &it.callers, member).map(|it| it.1);
        of_member.chain(of_variable)
    }

    /// The functions and macros that call `iput()` or speak of `i_count`, in no order.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = ItemId> {
        let new = self.over.iter().flat_map(|it| it.image.suspects.iter());
        let old = self.base.suspects.iter().map(|it| [*it]);
        self.live_rows(old, new.map(|it| [*it])).map(|it| it.1)
    }

    /// The file of this path.
    pub(crate) fn file_at(&self, path: &str) -> Option<usize> {
        self.slot_of(&TreePath::parse(path)?)
    }

    /// What is known of a file's includes by [`Index::old_slot`], in all trees with these paths; `None` where the
    /// file, or what paths there are, has changed.
    pub(super) fn kept_includes(&self, file: usize) -> Option<&Memo<u32, Vec<u32>>> {
        let is_old = file < self.base.files.len();
        let is_kept = self.over.as_deref().is_none_or(|over| over.keeps_paths);
        (is_old && is_kept).then_some(&self.base.includes)
    }

    /// The slot in the base of a file that is there, or takes the place of one.
    pub(super) fn old_slot(&self, slot: u32) -> u32 {
        let old = self.base.files.len();
        match &self.over {
            Some(over) if slot as usize >= old => over.ranks[slot as usize - old] / RANK_STEP - 1,
            _ => slot,
        }
    }

    /// The slot of the file that is in the place of one of the base.
    pub(super) fn new_slot(&self, old_slot: u32) -> u32 {
        let over = self.over.as_deref();
        let over = over.filter(|it| it.hides(old_slot));
        let new = over.and_then(|it| it.file_at((old_slot + 1) * RANK_STEP));
        new.map_or(old_slot, |it| self.base.files.len() as u32 + it)
    }

    /// What is lent where files include other sources: in the base, and in what stands in for its files.
    pub(super) fn lent(&self) -> [Arc<Lent>; 2] {
        let new = self.over.as_deref().map(|it| Arc::clone(it.image.lent()));
        [Arc::clone(self.base.lent()), new.unwrap_or_default()]
    }

    /// The macros that make the names of what they call, as [`Sym::short`].
    pub(super) fn pasting(&self) -> impl Iterator<Item = u32> {
        let over = self.over.as_deref().map(|it| &it.image);
        let images = std::iter::once(&*self.base).chain(over);
        let rows = images.flat_map(|it| it.pasting.iter());
        rows.filter(|it| **it & 1 == 1).map(|it| it >> 1)
    }

    /// What files of the base name that others have taken the place of.
    pub(super) fn hidden_refs(&self) -> impl Iterator<Item = &lex::Ref> {
        let hidden = self.over.iter().flat_map(|it| &it.hidden);
        let items = hidden.flat_map(|it| {
            let (start, end) = self.base.bounds(*it);
            start..end
        });
        items.flat_map(|it| self.base.refs(it))
    }

    /// What functions do with their parameters: in the base, and in what stands in for its files.
    pub(super) fn handing(&self) -> (&Handing, Option<&Handing>) {
        let over = self.over.as_deref().map(|it| it.image.handing());
        (self.base.handing(), over)
    }

    /// The implementation that a path belongs to, whether a file is there or not.
    pub(crate) fn domain_of_path(&self, path: &str) -> Domain {
        domain_in(&self.base.domains, path)
    }

    /// The bytes of a file, without what macros make; empty where it cannot be read.
    pub(crate) fn text(&self, file: usize) -> &Arc<Vec<u8>> {
        let source = self.file(file);
        let place = (&source.path, source.content);
        self.texts.get(file, || self.warm.text(self.tree, place))
    }

    /// What `of` says of the text of a file of which nothing more is likely to be asked.
    pub(crate) fn with_text<V: Default>(&self, file: usize, of: impl FnOnce(&[u8]) -> V) -> V {
        let source = self.file(file);
        let kept = self.texts.known(file).cloned();
        match kept.or_else(|| self.warm.texts.known(source.content)) {
            Some(text) => of(&text),
            None => crate::tree::with_text(self.tree, &source.path, of).unwrap_or_default(),
        }
    }

    /// The bytes of an item; empty where the file changed under us.
    pub(crate) fn item_text(&self, id: ItemId) -> &[u8] {
        let (item, file) = (self.item(id), self.file_index(id));
        let made = self.file(file).made.as_ref();
        if let Some(made) = made.filter(|it| it.holds(item.start)) {
            return made.text(item.start, item.end);
        }
        self.text(file)
            .get(item.start as usize..item.end as usize)
            .unwrap_or_default()
    }

    /// The grammar's view of a function or macro; `None` where the file changed under us.
    pub(crate) fn parse(&self, id: ItemId) -> Option<ParsedItem> {
        let (item, text) = (self.item(id), self.item_text(id));
        let body = (item.body - item.start) as usize;
        (body <= text.len()).then(|| match item.kind {
            ItemKind::Macro => facts::parse_macro(text, body),
            _ => facts::parse_function(text, body, item.flags & flags::MACRO_HEAD != 0),
        })
    }

    /// What the text of a function or macro says.
    pub(super) fn function_facts(&self, id: ItemId) -> Arc<FunctionFacts> {
        self.warm.functions.get(self.key(id), || {
            let item = self.item(id);
            let text = self.item_text(id);
            let body = (item.body - item.start) as usize;
            if body > text.len() {
                return FunctionFacts::default();
            }
            if item.kind == ItemKind::Macro {
                facts::macro_facts(text, body)
            } else {
                facts::function_facts(text, body, item.flags & flags::MACRO_HEAD != 0)
            }
        })
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
        let count = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u32;
        let lines = self.warm.lines.get(self.file_of(id).content, || {
            let counts = text.chunks(LINES_BLOCK).scan(0, |lines, block| {
                let before = *lines;
                *lines += count(block);
                Some(before)
            });
            counts.collect()
        });
        // Behind the last byte no block begins.
        let block = (at / LINES_BLOCK).min(lines.len().saturating_sub(1));
        let known = lines.get(block).copied().unwrap_or_default();
        let line = known + count(&before[block * LINES_BLOCK..]) + 1;
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
        let source = self.file(home);
        if !source.at_home {
            return false;
        }
        home == file || source.is_shared || self.item(id).flags & flags::STATIC == 0
    }
}
