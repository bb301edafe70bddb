//! The lexical readings of many files joined by name: sorted rows of numbers that never change.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::domains::Domain;
use super::files::Files;
use super::given::Handing;
use super::index::SourceFile;
use super::items::Items;
use super::table::Table;
use super::typing::directory;
use super::users::Lent;
use crate::finding::Gap;
use crate::lex::{FileScan, Item, Pair, Ref};
use crate::rows::Rows;
use crate::tree::TreePath;
use crate::warm::{ContentKey, Memo};

/// A file with its lexical reading, before it is joined with others.
#[derive(Clone)]
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
    /// Macros on which depends what macros make, as [`Sym::short`](crate::lex::Sym::short), in order.
    pub(crate) making: Rows<u32>,
    /// Those among them that may make the names of what is called: see
    /// [`Deciding::pasting`](crate::expand::Deciding::pasting).
    pub(crate) pasting: Rows<u32>,
    /// Whether headers that nobody includes are left out.
    pub(crate) limits_headers: bool,
    /// Members of roots that few types declare.
    pub(crate) own_members: Rows<u32>,
    /// Functions and macros that call `iput()` or speak of `i_count`.
    pub(crate) suspects: Rows<u32>,
    pub(crate) gaps: Vec<Gap>,
    pub(super) homes: OnceLock<BTreeSet<String>>,
    /// What is named in files that include other sources, as [`Sym::short`](crate::lex::Sym::short).
    pub(super) lent: OnceLock<Arc<Lent>>,
    pub(super) handing: OnceLock<Handing>,
    /// The headers that files include, as far as somebody asked.
    pub(super) includes: Memo<u32, Vec<u32>>,
    /// The macros that use a name, likewise.
    pub(super) macros_using: Memo<u32, Vec<[u32; 2]>>,
    /// The functions that set a member, each with the value, likewise.
    pub(super) functions_setting: Memo<u32, Vec<[u32; 2]>>,
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

impl Image {
    /// The directories that hold roots: chains may enter what lies in and below them.
    pub(super) fn homes(&self) -> &BTreeSet<String> {
        self.homes.get_or_init(|| {
            let roots = self.files.iter().filter(|it| it.is_root);
            roots
                .map(|it| directory(it.path.as_str()).to_owned())
                .collect()
        })
    }

    /// What files that include other sources lend them.
    pub(super) fn lent(&self) -> &Arc<Lent> {
        self.lent.get_or_init(|| Arc::new(Lent::of(self)))
    }

    pub(super) fn handing(&self) -> &Handing {
        self.handing.get_or_init(|| Handing::of(self))
    }

    /// See [`name_of`].
    pub(crate) fn name(&self) -> String {
        name_of(self.files.iter().map(|it| (&it.path, it.content)))
    }

    /// Whether a macro makes the names of what it calls of what it is given; `None` where nobody looked.
    pub(super) fn pastes(&self, name: u32) -> Option<bool> {
        let at = self.pasting.partition_point(|it| it >> 1 < name);
        let row = self.pasting.get(at).filter(|it| **it >> 1 == name);
        row.map(|it| it & 1 == 1)
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
