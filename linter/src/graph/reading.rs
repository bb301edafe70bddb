//! Which files of a tree are read, and where a chain may go.
//!
//! A kernel is mostly drivers, and a chain that began in a filesystem never enters one. So files beside the
//! filesystem side are searched for the few words that can make them matter, and read only if one is there.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::domains::{domain_in, registers_filesystem};
use super::image::{Image, name_of};
use super::index::{Index, Snapshot};
use super::named::{self, Headers};
use super::over::Over;
use super::registers::{Registers, telling_members};
use super::remade;
use super::work::{Source, Work};
use crate::contexts::Context;
use crate::kernel;
use crate::lex::{FileScan, ItemKind, RefKind, Sym};
use crate::tree::{FileEntry, Mode, TreeError, TreePath, TreeSource};
use crate::warm::{ContentKey, Warm};

/// How much of a tree is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What the contexts can need.
    Needed,
    /// Every file, with the same limits to where a chain may go.
    Everything,
    /// Every file, and every file may be entered: for questions about the graph itself.
    Unlimited,
}

/// Whether a path is a C source or header.
pub(crate) fn is_source(path: &str) -> bool {
    is_unit(path) || is_header(path)
}

/// Whether a path is one of what is compiled. git and the kernel's build know this ending, and that of headers, in
/// lower case only.
pub(crate) fn is_unit(path: &str) -> bool {
    path.as_bytes().ends_with(b".c")
}

pub(super) fn is_header(path: &str) -> bool {
    path.as_bytes().ends_with(b".h")
}

pub(super) fn is_foreign(path: &str) -> bool {
    matches!(
        path.split('/').next(),
        Some("tools" | "samples" | "scripts" | "Documentation" | "usr")
    )
}

/// Whether a file is one of `KUnit`'s tests, whose tables are there for the test alone: it says so, and its path does.
///
/// Suites stand at the end of sources that are no tests, too.
pub(super) fn is_test(path: &str, scan: &FileScan) -> bool {
    let holds = |word: &str| memchr::memmem::find(path.as_bytes(), word.as_bytes()).is_some();
    if scan.items.is_empty() || !(holds("test") || holds("kunit")) {
        return false;
    }
    let suites = ["kunit_test_suite", "kunit_test_suites"].map(Sym::of);
    let mut uses = (scan.items.iter()).filter(|it| it.kind == ItemKind::MacroUse);
    uses.any(|it| suites.contains(&it.name))
}

/// The sources of a tree that a plan takes, in path order.
pub(crate) struct Listing {
    files: Vec<Source>,
}

impl Listing {
    /// Lists a tree.
    pub(crate) fn of(tree: &dyn TreeSource, plan: &Plan<'_>) -> Result<Self, TreeError> {
        let files = if plan.scope.is_empty() {
            tree.files()?
        } else {
            tree.files_under(plan.scope)?
        };
        let files = files.into_iter();
        Ok(Self {
            files: files.filter(|it| plan.takes(it)).map(Source::of).collect(),
        })
    }

    /// The same files, known by their place and not by their contents: where nothing is kept, nothing need be hashed.
    pub(crate) fn numbered(mut self) -> Self {
        for (at, file) in self.files.iter_mut().enumerate() {
            file.content = Some(ContentKey::of_number(at));
        }
        self
    }

    /// A name for these files with these contents; `None` where a content would have to be read.
    pub(crate) fn name(&self) -> Option<String> {
        let files = self.files.iter().map(|it| Some((&it.path, it.content?)));
        let files: Vec<(&TreePath, ContentKey)> = files.collect::<Option<_>>()?;
        Some(name_of(files.into_iter()))
    }
}

/// A tree that was read.
pub(crate) struct Read<'t> {
    pub(crate) index: Index<'t>,
    /// The files in which the tree may differ from the one before; `None` where everything was read.
    pub(crate) changed: Option<Vec<TreePath>>,
}

/// Reads the listed sources and joins them.
///
/// Of a tree that differs in a few files from one that was read before, only those are read.
pub(crate) fn read<'t>(
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    plan: &Plan<'_>,
    (listing, before): (Listing, Option<&Snapshot>),
) -> Read<'t> {
    let files = listing.files;
    // Tracepoints are not read anew for a few files.
    if plan.reading != Reading::Unlimited
        && let Some(before) = before
        && let Some(index) = update(tree, warm, plan, before, &files)
    {
        let mut changed = index.snapshot().changed;
        changed.extend(before.changed.iter().cloned());
        changed.sort_unstable();
        changed.dedup();
        return Read {
            index,
            changed: Some(changed),
        };
    }
    let headers = Headers::of(&files);
    let mut work = Work {
        tree,
        scans: None,
        files,
        gaps: Vec::new(),
        homes: BTreeSet::new(),
        limits_headers: headers.is_some(),
    };
    for it in &mut work.files {
        it.is_left_out = headers.is_some() && named::is_bound(it.path.as_str());
    }
    let (side, rest) = work.sides();
    let scan = |work: &mut Work<'_>, files: &[usize], names: &str| match &headers {
        Some(headers) => work.scan_from(files, names, headers),
        None => work.scan(files),
    };
    scan(&mut work, &side, &kernel::ALWAYS_INCLUDED.join("\n"));
    let all = 0..work.files.len();
    let side: Vec<usize> = all.filter(|it| work.files[*it].is_side()).collect();
    let (own, known) = rayon::join(
        || own_members(&work, &side, plan.contexts),
        || function_names(&work, &side),
    );
    let registers = Registers::new(plan.contexts, own);
    let needed = plan.reading == Reading::Needed;
    let rest: Vec<usize> = rest
        .into_iter()
        .filter(|it| !needed || !is_foreign(work.files[*it].path.as_str()))
        .collect();
    work.scan_rest(
        &rest,
        &registers,
        &|it| known.binary_search(&it).is_ok(),
        !needed,
    );
    let lent: String = work
        .files
        .iter()
        .filter_map(|it| it.lent.as_deref())
        .collect();
    let beside = work.beside(&rest);
    scan(&mut work, &beside, &lent);
    work.scan_left_out(!needed);
    let image = Arc::new(work.join(plan, warm, registers.own));
    Read {
        index: Index::new(tree, warm, image, None),
        changed: None,
    }
}

/// The index of a tree that differs from one that was read before in `changed` files alone; `None` where so much
/// may have changed with them that everything has to be read.
pub(crate) fn reread<'t>(
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    plan: &Plan<'_>,
    (before, changed): (&Snapshot, &[TreePath]),
) -> Result<Option<Index<'t>>, TreeError> {
    let (mut sources, mut removed) = (Vec::new(), Vec::new());
    for path in changed.iter().chain(&before.changed) {
        match tree.entry(path)?.filter(|it| plan.takes(it)) {
            Some(entry) => sources.push(Source::of(entry)),
            None => removed.push(path.clone()),
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources.dedup_by(|a, b| a.path == b.path);
    let base = &before.image;
    let over = over((tree, warm), plan, base, sources, &removed);
    Ok(over.map(|it| Index::new(tree, warm, Arc::clone(base), Some(Arc::new(it)))))
}

/// The index of a tree of which most was read before.
///
/// A file that was changed before and is as in the image again counts as changed: what was found since knows nothing
/// of it.
fn update<'t>(
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    plan: &Plan<'_>,
    before: &Snapshot,
    files: &[Source],
) -> Option<Index<'t>> {
    let base = &before.image;
    base.files.read_all();
    let mut old = base.files.iter().peekable();
    let (mut changed, mut removed) = (Vec::new(), Vec::new());
    for file in files {
        while let Some(gone) = old.next_if(|it| it.path < file.path) {
            removed.push(gone.path.clone());
        }
        let known = old.next_if(|it| it.path == file.path);
        let known = known.filter(|it| before.changed.binary_search(&it.path).is_err());
        if known.is_none_or(|it| file.content != Some(it.content)) {
            changed.push((file, known.map(|it| it.content)));
        }
    }
    removed.extend(old.map(|it| it.path.clone()));
    let changed: Vec<Source> = changed
        .into_par_iter()
        .filter_map(|(file, known)| {
            let mut file = file.clone();
            if file.content.is_none() {
                let text = tree.read(&file.path).ok()??;
                file.content = Some(ContentKey::of_text(&text));
            }
            (file.content != known).then_some(file)
        })
        .collect();
    if changed.is_empty() && removed.is_empty() {
        return Some(Index::new(tree, warm, Arc::clone(base), None));
    }
    if changed.len() + removed.len() > MAX_CHANGED {
        return None;
    }
    let over = over((tree, warm), plan, base, changed, &removed)?;
    Some(Index::new(
        tree,
        warm,
        Arc::clone(base),
        Some(Arc::new(over)),
    ))
}

/// More changed files than this, and everything is read again.
const MAX_CHANGED: usize = 2000;

/// Of more changed files than this, which no series has, the readings are not kept.
const MAX_KEPT: usize = 64;

/// Reads `sources`, which are in path order, to stand in for files of `base`.
fn over(
    (tree, warm): (&dyn TreeSource, &Warm),
    plan: &Plan<'_>,
    base: &Image,
    sources: Vec<Source>,
    removed: &[TreePath],
) -> Option<Over> {
    let old_file = |path: &TreePath| base.files.place(path).ok();
    let mut work = Work {
        tree,
        scans: (sources.len() <= MAX_KEPT).then_some(&warm.scans),
        files: sources,
        gaps: Vec::new(),
        homes: BTreeSet::new(),
        limits_headers: base.limits_headers,
    };
    for it in &mut work.files {
        let was_at_home = || old_file(&it.path).is_some_and(|it| base.files[it].at_home);
        it.is_left_out = work.limits_headers && named::is_bound(it.path.as_str()) && !was_at_home();
    }
    let (side, rest) = work.sides();
    work.scan(&side);
    let registers = Registers::new(plan.contexts, base.own_members.to_vec());
    let known = |name: u32| {
        let side = |item: u32| {
            let file = &base.files[base.item_file[item as usize] as usize];
            file.at_home && kernel::is_filesystem_side(file.path.as_str())
        };
        base.functions.of(name).iter().any(|it| side(it[1]))
    };
    let needed = plan.reading == Reading::Needed;
    let searched: Vec<usize> = rest
        .into_iter()
        .filter(|it| !needed || !is_foreign(work.files[*it].path.as_str()))
        .collect();
    work.scan_rest(&searched, &registers, &known, !needed);
    let new_homes = std::mem::replace(&mut work.homes, base.homes().clone());
    if !new_homes.is_subset(&work.homes) {
        return None;
    }
    let beside = work.beside(&searched);
    work.scan(&beside);
    if work.limits_headers {
        named::settle(&mut work, base, removed)?;
        work.scan_left_out(!needed);
    }
    let (mut files, gaps) = work.sources(plan);
    let deciding = remade::grow(tree, warm, base, &mut files, removed)?;
    for file in &mut files {
        let path = &file.source.path;
        file.source.domain = domain_in(&base.domains, path.as_str());
        file.source.registers = registers_filesystem(file);
        let old = old_file(path).map(|it| (it, &base.files[it]));
        // One more in a directory that has some changes nothing there.
        let same_home = old.is_none_or(|it| !it.1.is_root || file.source.is_root);
        let same_domain = old.map_or(!file.source.registers, |it| {
            it.1.registers == file.source.registers
        });
        let same_purpose = old.is_none_or(|it| it.1.is_test == file.source.is_test);
        let side = file.source.at_home && kernel::is_filesystem_side(path.as_str());
        let same_members =
            !side || !registers.declares_otherwise(&file.scan, base, old.map(|it| it.0));
        if !same_home || !same_domain || !same_purpose || !same_members {
            return None;
        }
    }
    let decides = |path: &TreePath| {
        old_file(path).is_some_and(|it| {
            let file = &base.files[it];
            file.is_root || file.registers || !registers.declared_in(base, Some(it)).is_empty()
        })
    };
    if removed.iter().any(decides) {
        return None;
    }
    let image = Image {
        pasting: deciding.pasting.into(),
        ..Image::join(files, FxHashMap::default(), gaps)
    };
    Over::new(base, image, removed)
}

/// What to read, and for whom.
pub(crate) struct Plan<'a> {
    pub(crate) scope: &'a [String],
    pub(crate) reading: Reading,
    pub(crate) contexts: &'a [&'a Context],
    /// What is asked about; everything where it is empty.
    pub(crate) under: &'a [String],
}

impl Plan<'_> {
    fn takes(&self, file: &FileEntry) -> bool {
        matches!(file.mode, Mode::Regular | Mode::Executable)
            && is_source(file.path.as_str())
            && (self.scope.is_empty() || self.scope.iter().any(|dir| file.path.is_under(dir)))
    }

    /// Readings of one plan can stand in for each other.
    pub(crate) fn key(&self) -> u64 {
        let names: Vec<&str> = self.contexts.iter().map(|it| it.name).collect();
        Sym::of(format!("{:?} {:?} {names:?}", self.scope, self.reading)).0
    }
}

/// The members of roots that few types of the filesystem side declare, as [`Sym::short`], in order.
fn own_members(work: &Work<'_>, side: &[usize], contexts: &[&Context]) -> Vec<u32> {
    const FEW: u32 = 3;
    let mut declared: FxHashMap<u32, u32> = FxHashMap::default();
    for scan in side.iter().filter_map(|it| work.files[*it].scan.as_ref()) {
        for (at, item) in scan.items.iter().enumerate() {
            if item.kind == ItemKind::Type {
                for it in scan
                    .refs(at)
                    .iter()
                    .filter(|it| it.kind() == RefKind::Declares)
                {
                    *declared.entry(it.name()).or_default() += 1;
                }
            }
        }
    }
    let mut own = telling_members(contexts);
    own.retain(|it| declared.get(it).is_none_or(|it| *it <= FEW));
    own
}

/// The functions of some files, as [`Sym::short`], in order.
fn function_names(work: &Work<'_>, files: &[usize]) -> Vec<u32> {
    let scans = files.par_iter();
    let scans = scans.filter_map(|it| work.files[*it].scan.as_ref());
    let mut names: Vec<u32> = scans
        .flat_map_iter(|it| &it.items)
        .filter(|it| it.kind == ItemKind::Function)
        .map(|it| it.name.short())
        .collect();
    names.par_sort_unstable();
    names
}
