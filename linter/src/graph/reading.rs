//! Which files of a tree are read, and where a chain may go.
//!
//! A kernel is mostly drivers, and a chain that began in a filesystem never enters one. So files beside the
//! filesystem side are searched for the few words that can make them matter, and read only if one is there.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, packed};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::index::{Domain, Index};
use super::typing::directory;
use crate::contexts::{Context, RootKind};
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{self, FileScan, ItemKind, RefKind, Sym};
use crate::tree::{Mode, TreeError, TreePath, TreeSource};

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

/// One source with its lexical reading.
pub(crate) struct SourceFile {
    pub(crate) path: TreePath,
    pub(crate) scan: Arc<FileScan>,
    pub(crate) domain: Domain,
    /// A header: its statics are seen elsewhere.
    pub(crate) is_shared: bool,
    /// Under tools, samples, scripts or Documentation: programs of their own.
    pub(crate) is_foreign: bool,
    /// Whether a chain may enter it: the filesystem side, and the directories of roots beside it.
    pub(crate) at_home: bool,
}

/// Whether a path is a C source or header.
pub(crate) fn is_source(path: &str) -> bool {
    path.ends_with(".c") || path.ends_with(".h")
}

fn is_foreign(path: &str) -> bool {
    matches!(path.split('/').next(), Some("tools" | "samples" | "scripts" | "Documentation" | "usr"))
}

/// Reads the sources of a tree below `scope` (everywhere where that is empty) and joins them.
pub(crate) fn read<'t>(tree: &'t dyn TreeSource, scope: &[String], reading: Reading, contexts: &[&Context]) -> Result<Index<'t>, TreeError> {
    let paths: Vec<TreePath> = tree
        .files()?
        .into_iter()
        .filter(|it| matches!(it.mode, Mode::Regular | Mode::Executable))
        .map(|it| it.path)
        .filter(|it| is_source(it.as_str()) && (scope.is_empty() || scope.iter().any(|dir| it.is_under(dir))))
        .collect();
    let mut work = Work { tree, reading, scans: vec![None; paths.len()], paths, gaps: Vec::new() };
    let all: Vec<usize> = (0..work.paths.len()).collect();
    let (side, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|it| kernel::is_filesystem_side(work.paths[**it].as_str()));
    work.scan(&side);
    let registers = Registers::of(&work, &side, contexts);
    let rest: Vec<usize> = if reading == Reading::Needed { rest.into_iter().filter(|it| !is_foreign(work.paths[*it].as_str())).collect() } else { rest };
    let homes = work.scan_rest(&rest, &registers);
    Ok(work.join(&homes))
}

struct Work<'t> {
    tree: &'t dyn TreeSource,
    reading: Reading,
    paths: Vec<TreePath>,
    scans: Vec<Option<Arc<FileScan>>>,
    gaps: Vec<Gap>,
}

impl<'t> Work<'t> {
    fn text(&self, file: usize) -> Result<Vec<u8>, Gap> {
        match self.tree.read(&self.paths[file]) {
            Ok(text) => Ok(text.unwrap_or_default()),
            Err(error) => Err(Gap { file: self.paths[file].clone(), line: 1, what: error.to_string() }),
        }
    }

    fn scan(&mut self, files: &[usize]) {
        let read: Vec<(usize, Result<Arc<FileScan>, Gap>)> =
            files.par_iter().filter(|it| self.scans[**it].is_none()).map(|it| (*it, self.text(*it).map(|text| Arc::new(lex::scan(&text))))).collect();
        for (file, scan) in read {
            self.keep(file, scan);
        }
    }

    fn keep(&mut self, file: usize, scan: Result<Arc<FileScan>, Gap>) {
        self.scans[file] = Some(scan.unwrap_or_else(|gap| {
            self.gaps.push(gap);
            Arc::default()
        }));
    }

    /// Reads what matters beside the filesystem side; returns the directories that hold roots.
    fn scan_rest(&mut self, rest: &[usize], registers: &Registers) -> FxHashSet<String> {
        let words = registers.words();
        // Vectorised search takes some dozens of words; the automaton takes any number, at a third of the speed.
        const VECTOR_WORDS: usize = 32;
        let vectorised: Option<Vec<packed::Searcher>> =
            words.chunks(VECTOR_WORDS).map(|it| packed::Config::new().heuristic_pattern_limits(false).builder().extend(it).build()).collect();
        let automaton = AhoCorasick::new(&words).expect("a few dozen short words");
        let everything = self.reading != Reading::Needed;
        let read: Vec<(usize, bool, Result<Arc<FileScan>, Gap>)> = rest
            .par_iter()
            .filter_map(|file| {
                let text = match self.text(*file) {
                    Ok(text) => text,
                    Err(gap) => return Some((*file, false, Err(gap))),
                };
                let matters = vectorised.as_ref().map_or_else(|| automaton.is_match(&text), |all| all.iter().any(|it| it.find(&text).is_some()));
                if !matters && !everything {
                    return None;
                }
                let scan = lex::scan(&text);
                let is_root = matters && !is_foreign(self.paths[*file].as_str()) && registers.holds(&scan);
                Some((*file, is_root, Ok(Arc::new(scan))))
            })
            .collect();
        let mut homes = FxHashSet::default();
        for (file, is_root, scan) in read {
            if is_root {
                homes.insert(directory(self.paths[file].as_str()).to_owned());
            }
            self.keep(file, scan);
        }
        let beside: Vec<usize> = rest.iter().copied().filter(|it| is_below(&homes, self.paths[*it].as_str())).collect();
        self.scan(&beside);
        homes
    }

    fn join(self, homes: &FxHashSet<String>) -> Index<'t> {
        let unlimited = self.reading == Reading::Unlimited;
        let files = self
            .paths
            .into_iter()
            .zip(self.scans)
            .map(|(path, scan)| {
                let text = path.as_str();
                let is_foreign = is_foreign(text);
                let at_home = unlimited || (!is_foreign && (kernel::is_filesystem_side(text) || is_below(homes, text)));
                SourceFile { scan: scan.unwrap_or_default(), domain: Domain::GENERIC, is_shared: text.ends_with(".h"), is_foreign, at_home, path }
            })
            .collect();
        Index::join(self.tree, files, self.gaps)
    }
}

fn is_below(homes: &FxHashSet<String>, path: &str) -> bool {
    let mut under = directory(path);
    while !under.is_empty() {
        if homes.contains(under) {
            return true;
        }
        under = directory(under);
    }
    false
}

/// How a file shows that it holds an entry point.
struct Registers {
    /// Member to the tags of the structs that hold it.
    members: FxHashMap<u32, FxHashSet<Sym>>,
    /// Members that may be set by assignment: hardly any other type has a pointer of that name.
    own: FxHashSet<u32>,
    functions: FxHashSet<Sym>,
    /// Functions of the filesystem side, as [`Sym::short`].
    known: FxHashSet<u32>,
    words: Vec<&'static str>,
}

impl Registers {
    fn of(work: &Work<'_>, side: &[usize], contexts: &[&Context]) -> Self {
        const FEW: u32 = 3;
        let mut declared: FxHashMap<u32, u32> = FxHashMap::default();
        let mut known = FxHashSet::default();
        for scan in side.iter().filter_map(|it| work.scans[*it].as_ref()) {
            for (at, item) in scan.items.iter().enumerate() {
                match item.kind {
                    ItemKind::Type => {
                        for it in scan.refs(at).iter().filter(|it| it.kind() == RefKind::Declares) {
                            *declared.entry(it.name()).or_default() += 1;
                        }
                    }
                    ItemKind::Function => drop(known.insert(item.name.short())),
                    _ => {}
                }
            }
        }
        let mut this = Self { members: FxHashMap::default(), own: FxHashSet::default(), functions: FxHashSet::default(), known, words: vec!["iput", "i_count"] };
        for root in contexts.iter().flat_map(|it| it.roots) {
            match root.kind {
                RootKind::Member { structure, member } => {
                    let name = Sym::of(member).short();
                    this.members.entry(name).or_default().insert(Sym::of(structure));
                    this.words.push(structure);
                    if declared.get(&name).is_none_or(|it| *it <= FEW) && member.contains('_') {
                        this.own.insert(name);
                        this.words.push(member);
                    }
                }
                RootKind::Function { name, .. } | RootKind::Work { name, .. } => {
                    this.functions.insert(Sym::of(name));
                    this.words.push(name);
                }
                RootKind::Argument { .. } | RootKind::Deferred(_) => {}
            }
        }
        this.words.sort_unstable();
        this.words.dedup();
        this
    }

    fn words(&self) -> Vec<&'static str> {
        self.words.clone()
    }

    fn holds(&self, scan: &FileScan) -> bool {
        let own: FxHashSet<u32> = scan.items.iter().filter(|it| it.kind == ItemKind::Function).map(|it| it.name.short()).collect();
        let is_function = |value: &u32| own.contains(value) || self.known.contains(value);
        scan.items.iter().enumerate().any(|(at, item)| {
            (item.kind == ItemKind::Function && self.functions.contains(&item.name))
                || scan.pairs(at).iter().any(|(member, value)| {
                    is_function(value)
                        && self.members.get(member).is_some_and(|it| if item.kind == ItemKind::Object { it.contains(&item.tag) } else { self.own.contains(member) })
                })
        })
    }
}
