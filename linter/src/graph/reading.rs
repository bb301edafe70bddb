//! Which files of a tree are read, and where a chain may go.
//!
//! A kernel is mostly drivers, and a chain that began in a filesystem never enters one. So files beside the
//! filesystem side are searched for the few words that can make them matter, and read only if one is there.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::domains::{Domain, assign_domains, domain_in, registers_filesystem};
use super::image::{Image, ReadFile, name_of};
use super::index::{Index, Over, Snapshot, SourceFile};
use super::registers::{Registers, Search};
use super::remade;
use super::typing::directory;
use crate::contexts::{Context, RootKind};
use crate::expand;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{self, FileScan, ItemKind, RefKind, Sym};
use crate::tree::{self, FileEntry, Mode, TreeError, TreePath, TreeSource};
use crate::warm::{ContentKey, Memo, Warm};

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

fn is_header(path: &str) -> bool {
    path.as_bytes().ends_with(b".h")
}

fn is_foreign(path: &str) -> bool {
    matches!(
        path.split('/').next(),
        Some("tools" | "samples" | "scripts" | "Documentation" | "usr")
    )
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
    let mut work = Work {
        tree,
        scans: None,
        files,
        gaps: Vec::new(),
    };
    let all: Vec<usize> = (0..work.files.len()).collect();
    let (side, rest): (Vec<usize>, Vec<usize>) = all
        .iter()
        .partition(|it| kernel::is_filesystem_side(work.files[**it].path.as_str()));
    work.scan(&side);
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
    let homes = work.scan_rest(
        &rest,
        &registers,
        &|it| known.binary_search(&it).is_ok(),
        !needed,
    );
    let image = Arc::new(work.join(plan, &homes, warm, registers.own));
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
    };
    let (side, rest): (Vec<usize>, Vec<usize>) = (0..work.files.len())
        .partition(|it| kernel::is_filesystem_side(work.files[*it].path.as_str()));
    work.scan(&side);
    let registers = Registers::new(plan.contexts, base.own_members.to_vec());
    let known = |name: u32| {
        let side = |item: u32| {
            let file = &base.files[base.item_file[item as usize] as usize];
            kernel::is_filesystem_side(file.path.as_str())
        };
        base.functions.of(name).iter().any(|it| side(it[1]))
    };
    let needed = plan.reading == Reading::Needed;
    let searched: Vec<usize> = rest
        .into_iter()
        .filter(|it| !needed || !is_foreign(work.files[*it].path.as_str()))
        .collect();
    let new_homes = work.scan_rest(&searched, &registers, &known, !needed);
    let homes = base.homes();
    if new_homes.iter().any(|it| !homes.contains(it)) {
        return None;
    }
    work.scan(
        &searched
            .iter()
            .copied()
            .filter(|it| is_below(homes, work.files[*it].path.as_str()))
            .collect::<Vec<_>>(),
    );
    let (mut files, gaps) = work.sources(plan, homes);
    remade::grow(tree, warm, base, &mut files, removed)?;
    for file in &mut files {
        let path = &file.source.path;
        file.source.domain = domain_in(&base.domains, path.as_str());
        file.source.registers = registers_filesystem(&file.scan) && !file.source.is_foreign;
        let old = old_file(path).map(|it| (it, &base.files[it]));
        let same_home = old.map_or(!file.source.is_root, |it| {
            it.1.is_root == file.source.is_root
        });
        let same_domain = old.map_or(!file.source.registers, |it| {
            it.1.registers == file.source.registers
        });
        let side = kernel::is_filesystem_side(path.as_str());
        let same_members = !side
            || registers.declared(&file.scan) == registers.declared_in(base, old.map(|it| it.0));
        if !same_home || !same_domain || !same_members {
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
    let image = Image::join(files, FxHashMap::default(), gaps);
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

#[derive(Clone)]
struct Source {
    path: TreePath,
    content: Option<ContentKey>,
    scan: Option<Arc<FileScan>>,
    is_root: bool,
}

impl Source {
    fn of(entry: FileEntry) -> Self {
        Self {
            path: entry.path,
            content: entry.blob.map(ContentKey::of_blob),
            scan: None,
            is_root: false,
        }
    }
}

struct Work<'t> {
    tree: &'t dyn TreeSource,
    /// Where readings are kept, for files that are read for one state of a series after the other.
    scans: Option<&'t Memo<ContentKey, FileScan>>,
    files: Vec<Source>,
    gaps: Vec<Gap>,
}

/// What came of one file.
struct Outcome {
    file: usize,
    content: Option<ContentKey>,
    scan: Result<Option<Arc<FileScan>>, Gap>,
    is_root: bool,
}

impl Work<'_> {
    fn with_text<R>(&self, file: usize, of: impl FnOnce(&[u8]) -> R) -> Result<R, Gap> {
        let path = &self.files[file].path;
        tree::with_text(self.tree, path, of).map_err(|error| Gap {
            file: path.clone(),
            line: 1,
            what: error.to_string(),
        })
    }

    /// Reads a file whole.
    fn read(&self, file: usize) -> Outcome {
        let content = self.files[file].content;
        let is_root = self.files[file].is_root;
        let kept = self.scans.zip(content);
        if let Some(known) = kept.and_then(|(scans, content)| scans.known(content)) {
            return Outcome {
                file,
                content,
                scan: Ok(Some(known)),
                is_root,
            };
        }
        let read = self.with_text(file, |text| {
            let scan = match kept {
                Some((scans, content)) => scans.get(content, || lex::scan(text)),
                None => Arc::new(lex::scan(text)),
            };
            (content.unwrap_or_else(|| ContentKey::of_text(text)), scan)
        });
        Outcome {
            file,
            content: read.as_ref().map_or(content, |it| Some(it.0)),
            scan: read.map(|it| Some(it.1)),
            is_root,
        }
    }

    fn scan(&mut self, files: &[usize]) {
        let read: Vec<Outcome> = files
            .par_iter()
            .filter(|it| self.files[**it].scan.is_none())
            .map(|it| self.read(*it))
            .collect();
        for it in read {
            self.keep(it);
        }
    }

    fn keep(&mut self, outcome: Outcome) {
        let source = &mut self.files[outcome.file];
        source.content = outcome.content;
        source.is_root = outcome.is_root;
        let unclosed = outcome.scan.as_ref().ok().and_then(Option::as_ref);
        if let Some(line) = unclosed.and_then(|it| it.unclosed)
            && kernel::is_filesystem_side(source.path.as_str())
        {
            self.gaps.push(Gap {
                file: source.path.clone(),
                line,
                what: "a bracket that nothing closes: what it belongs to was not read".to_owned(),
            });
        }
        source.scan = outcome.scan.unwrap_or_else(|gap| {
            self.gaps.push(gap);
            Some(Arc::default())
        });
    }

    /// Reads what matters beside the filesystem side; returns the directories that hold roots.
    fn scan_rest(
        &mut self,
        rest: &[usize],
        registers: &Registers,
        known: &(dyn Fn(u32) -> bool + Sync),
        takes_all: bool,
    ) -> BTreeSet<String> {
        if rest.is_empty() {
            return BTreeSet::new();
        }
        let search = Search::new(&registers.words);
        let read: Vec<Outcome> = rest
            .par_iter()
            .map(|file| self.searched(*file, (&search, takes_all), registers, known))
            .collect();
        let mut homes = BTreeSet::new();
        for outcome in read {
            let path = self.files[outcome.file].path.as_str();
            if outcome.is_root {
                homes.insert(directory(path).to_owned());
            }
            self.keep(outcome);
        }
        let beside: Vec<usize> = rest
            .iter()
            .copied()
            .filter(|it| is_below(&homes, self.files[*it].path.as_str()))
            .collect();
        self.scan(&beside);
        homes
    }

    fn searched(
        &self,
        file: usize,
        (search, takes_all): (&Search, bool),
        registers: &Registers,
        known: &(dyn Fn(u32) -> bool + Sync),
    ) -> Outcome {
        let content = self.files[file].content;
        let read = self.with_text(file, |text| {
            let content = content.unwrap_or_else(|| ContentKey::of_text(text));
            let matters = search.finds(text);
            let scan = (matters || takes_all).then(|| Arc::new(lex::scan(text)));
            (content, matters, scan)
        });
        let (content, matters, scan) = match read {
            Ok((content, matters, scan)) => (Some(content), matters, Ok(scan)),
            Err(gap) => (content, false, Err(gap)),
        };
        let is_foreign = is_foreign(self.files[file].path.as_str());
        let holds = |scan: &Arc<FileScan>| registers.holds(scan, known);
        Outcome {
            file,
            content,
            is_root: matters && !is_foreign && scan.iter().flatten().any(holds),
            scan,
        }
    }

    fn sources(self, plan: &Plan<'_>, homes: &BTreeSet<String>) -> (Vec<ReadFile>, Vec<Gap>) {
        let unlimited = plan.reading == Reading::Unlimited;
        let files = self.files.into_par_iter().map(|it| {
            let text = it.path.as_str();
            let is_foreign = is_foreign(text);
            let at_home = unlimited
                || (!is_foreign && (kernel::is_filesystem_side(text) || is_below(homes, text)));
            let scan = it.scan.unwrap_or_default();
            ReadFile {
                source: SourceFile {
                    content: it.content.unwrap_or_default(),
                    domain: Domain::GENERIC,
                    call_sites: scan.call_sites,
                    defines: scan.defines,
                    is_read: !scan.items.is_empty(),
                    is_root: it.is_root,
                    registers: false,
                    is_shared: is_header(text),
                    includes_unit: scan.includes_unit,
                    is_foreign,
                    at_home,
                    made: None,
                    path: it.path,
                },
                scan,
            }
        });
        (files.collect(), self.gaps)
    }

    fn join(
        self,
        plan: &Plan<'_>,
        homes: &BTreeSet<String>,
        warm: &Warm,
        own_members: Vec<u32>,
    ) -> Image {
        let tree = self.tree;
        let (mut files, gaps) = self.sources(plan, homes);
        let tracepoints = (plan.reading == Reading::Unlimited)
            .then_some(expand::Tracepoints { under: plan.under });
        let making = expand::grow(tree, warm, &mut files, tracepoints, &|it| it.at_home);
        let domains = assign_domains(&mut files);
        Image {
            making: making.into(),
            own_members: own_members.into(),
            ..Image::join(files, domains, gaps)
        }
    }
}

fn is_below(homes: &BTreeSet<String>, path: &str) -> bool {
    let mut under = directory(path);
    while !under.is_empty() {
        if homes.contains(under) {
            return true;
        }
        under = directory(under);
    }
    false
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
    let members = contexts
        .iter()
        .flat_map(|it| it.roots)
        .filter_map(|it| match it.kind {
            RootKind::Member { member, .. } if member.contains('_') => {
                Some(Sym::of(member).short())
            }
            _ => None,
        });
    let mut own: Vec<u32> = members
        .filter(|it| declared.get(it).is_none_or(|it| *it <= FEW))
        .collect();
    own.sort_unstable();
    own.dedup();
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
