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
use crate::expand::{self, Made};
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{self, FileScan, ItemKind, RefKind, Sym};
use crate::tree::{Mode, TreeError, TreePath, TreeSource};
use crate::warm::{ContentKey, Scanned, Warm};

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
    pub(crate) content: ContentKey,
    pub(crate) scan: Arc<FileScan>,
    pub(crate) domain: Domain,
    /// A header: its statics are seen elsewhere.
    pub(crate) is_shared: bool,
    /// Under tools, samples, scripts or Documentation: programs of their own.
    pub(crate) is_foreign: bool,
    /// Whether a chain may enter it: the filesystem side, and the directories of roots beside it.
    pub(crate) at_home: bool,
    /// What its macro uses make.
    pub(crate) made: Option<Arc<Made>>,
}

/// Whether a path is a C source or header.
pub(crate) fn is_source(path: &str) -> bool {
    // git and the kernel's build know these two endings in lower case only.
    path.as_bytes().ends_with(b".c") || is_header(path)
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

/// Reads the sources of a tree below `scope` (everywhere where that is empty) and joins them.
pub(crate) fn read<'t>(
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    plan: &Plan<'_>,
) -> Result<Index<'t>, TreeError> {
    let files: Vec<Source> = tree
        .files()?
        .into_iter()
        .filter(|it| matches!(it.mode, Mode::Regular | Mode::Executable))
        .filter(|it| {
            is_source(it.path.as_str())
                && (plan.scope.is_empty() || plan.scope.iter().any(|dir| it.path.is_under(dir)))
        })
        .map(|it| Source {
            path: it.path,
            content: it.blob.map(ContentKey::of_blob),
            scan: None,
        })
        .collect();
    let mut work = Work {
        tree,
        warm,
        reading: plan.reading,
        files,
        gaps: Vec::new(),
    };
    let all: Vec<usize> = (0..work.files.len()).collect();
    let (side, rest): (Vec<usize>, Vec<usize>) = all
        .iter()
        .partition(|it| kernel::is_filesystem_side(work.files[**it].path.as_str()));
    work.scan(&side);
    let registers = Registers::of(&work, &side, plan.contexts);
    let needed = plan.reading == Reading::Needed;
    let rest: Vec<usize> = rest
        .into_iter()
        .filter(|it| !needed || !is_foreign(work.files[*it].path.as_str()))
        .collect();
    let homes = work.scan_rest(&rest, &registers);
    Ok(work.join(&homes))
}

/// What to read, and for whom.
pub(crate) struct Plan<'a> {
    pub(crate) scope: &'a [String],
    pub(crate) reading: Reading,
    pub(crate) contexts: &'a [&'a Context],
}

struct Source {
    path: TreePath,
    content: Option<ContentKey>,
    scan: Option<Arc<FileScan>>,
}

struct Work<'t> {
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    reading: Reading,
    files: Vec<Source>,
    gaps: Vec<Gap>,
}

/// What came of one file.
type Outcome = (usize, Option<ContentKey>, Result<Arc<Scanned>, Gap>);

impl<'t> Work<'t> {
    fn text(&self, file: usize) -> Result<Vec<u8>, Gap> {
        let path = &self.files[file].path;
        match self.tree.read(path) {
            Ok(text) => Ok(text.unwrap_or_default()),
            Err(error) => Err(Gap {
                file: path.clone(),
                line: 1,
                what: error.to_string(),
            }),
        }
    }

    /// Reads a file whole, or knows it.
    fn read(&self, file: usize) -> (Option<ContentKey>, Result<Arc<FileScan>, Gap>) {
        if let Some(known) = self.files[file]
            .content
            .and_then(|it| self.warm.scans.known(it))
        {
            return (self.files[file].content, Ok(known));
        }
        match self.text(file) {
            Ok(text) => {
                let content = self.files[file]
                    .content
                    .unwrap_or_else(|| ContentKey::of_text(&text));
                (
                    Some(content),
                    Ok(self.warm.scans.get(content, || lex::scan(&text))),
                )
            }
            Err(gap) => (self.files[file].content, Err(gap)),
        }
    }

    fn scan(&mut self, files: &[usize]) {
        let read: Vec<_> = files
            .par_iter()
            .filter(|it| self.files[**it].scan.is_none())
            .map(|it| (*it, self.read(*it)))
            .collect();
        for (file, (content, scan)) in read {
            self.keep(file, content, scan.map(Some));
        }
    }

    fn keep(
        &mut self,
        file: usize,
        content: Option<ContentKey>,
        scan: Result<Option<Arc<FileScan>>, Gap>,
    ) {
        self.files[file].content = content;
        self.files[file].scan = scan.unwrap_or_else(|gap| {
            self.gaps.push(gap);
            Some(Arc::default())
        });
    }

    /// Reads what matters beside the filesystem side; returns the directories that hold roots.
    fn scan_rest(&mut self, rest: &[usize], registers: &Registers) -> FxHashSet<String> {
        let search = Search::new(&registers.words, self.reading != Reading::Needed);
        let read: Vec<Outcome> = rest
            .par_iter()
            .map(|file| self.searched(*file, &search, registers))
            .collect();
        let mut homes = FxHashSet::default();
        for (file, content, outcome) in read {
            let path = self.files[file].path.as_str();
            if !is_foreign(path) && outcome.as_ref().is_ok_and(|it| it.is_root) {
                homes.insert(directory(path).to_owned());
            }
            self.keep(file, content, outcome.map(|it| it.scan.clone()));
        }
        let beside: Vec<usize> = rest
            .iter()
            .copied()
            .filter(|it| is_below(&homes, self.files[*it].path.as_str()))
            .collect();
        self.scan(&beside);
        homes
    }

    fn searched(&self, file: usize, search: &Search, registers: &Registers) -> Outcome {
        let known = self.files[file]
            .content
            .and_then(|it| self.warm.searched.known((it, search.key)));
        if let Some(known) = known {
            return (file, self.files[file].content, Ok(known));
        }
        let text = match self.text(file) {
            Ok(text) => text,
            Err(gap) => return (file, None, Err(gap)),
        };
        let content = self.files[file]
            .content
            .unwrap_or_else(|| ContentKey::of_text(&text));
        let scanned = self.warm.searched.get((content, search.key), || {
            let matters = search.finds(&text);
            if !matters && !search.takes_all {
                return Scanned::default();
            }
            let scan = self.warm.scans.get(content, || lex::scan(&text));
            Scanned {
                is_root: matters && registers.holds(&scan),
                scan: Some(scan),
            }
        });
        (file, Some(content), Ok(scanned))
    }

    fn join(self, homes: &FxHashSet<String>) -> Index<'t> {
        let unlimited = self.reading == Reading::Unlimited;
        let mut files: Vec<SourceFile> = self
            .files
            .into_iter()
            .map(|source| {
                let text = source.path.as_str();
                let is_foreign = is_foreign(text);
                SourceFile {
                    content: source.content.unwrap_or_default(),
                    scan: source.scan.unwrap_or_default(),
                    domain: Domain::GENERIC,
                    is_shared: is_header(text),
                    is_foreign,
                    at_home: unlimited
                        || (!is_foreign
                            && (kernel::is_filesystem_side(text) || is_below(homes, text))),
                    path: source.path,
                    made: None,
                }
            })
            .collect();
        // On 6.12 a check has the same findings without what macros make, and reading it costs two thirds of
        // the check's time again. A chain through a function that a macro makes is missed.
        if unlimited {
            expand::grow(self.tree, self.warm, &mut files, unlimited);
        }
        Index::join(self.tree, self.warm, files, self.gaps)
    }
}

/// Finds whether any of some words stands in a text.
struct Search {
    vectorised: Option<Vec<packed::Searcher>>,
    automaton: AhoCorasick,
    takes_all: bool,
    key: u64,
}

impl Search {
    fn new(words: &[&str], takes_all: bool) -> Self {
        // Vectorised search takes some dozens of words; the automaton takes any number, at a third of the speed.
        const VECTOR_WORDS: usize = 32;
        let searcher = |it: &[&str]| {
            packed::Config::new()
                .heuristic_pattern_limits(false)
                .builder()
                .extend(it)
                .build()
        };
        Self {
            vectorised: words.chunks(VECTOR_WORDS).map(searcher).collect(),
            automaton: AhoCorasick::new(words).expect("a few dozen short words"),
            takes_all,
            key: Sym::of(words.join(" ")).0 ^ u64::from(takes_all),
        }
    }

    fn finds(&self, text: &[u8]) -> bool {
        match &self.vectorised {
            Some(all) => all.iter().any(|it| it.find(text).is_some()),
            None => self.automaton.is_match(text),
        }
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
        for scan in side.iter().filter_map(|it| work.files[*it].scan.as_ref()) {
            for (at, item) in scan.items.iter().enumerate() {
                match item.kind {
                    ItemKind::Type => {
                        for it in scan
                            .refs(at)
                            .iter()
                            .filter(|it| it.kind() == RefKind::Declares)
                        {
                            *declared.entry(it.name()).or_default() += 1;
                        }
                    }
                    ItemKind::Function => drop(known.insert(item.name.short())),
                    _ => {}
                }
            }
        }
        let mut this = Self {
            members: FxHashMap::default(),
            own: FxHashSet::default(),
            functions: FxHashSet::default(),
            known,
            words: vec!["iput", "i_count"],
        };
        for root in contexts.iter().flat_map(|it| it.roots) {
            match root.kind {
                RootKind::Member { structure, member } => {
                    let name = Sym::of(member).short();
                    this.members
                        .entry(name)
                        .or_default()
                        .insert(Sym::of(structure));
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
                RootKind::Argument { .. } | RootKind::Deferred(_) | RootKind::NoSleep => {}
            }
        }
        this.words.sort_unstable();
        this.words.dedup();
        this
    }

    fn holds(&self, scan: &FileScan) -> bool {
        let own: FxHashSet<u32> = scan
            .items
            .iter()
            .filter(|it| it.kind == ItemKind::Function)
            .map(|it| it.name.short())
            .collect();
        let is_function = |value: &u32| own.contains(value) || self.known.contains(value);
        scan.items.iter().enumerate().any(|(at, item)| {
            (item.kind == ItemKind::Function && self.functions.contains(&item.name))
                || scan.pairs(at).iter().any(|(member, value)| {
                    is_function(value)
                        && self.members.get(member).is_some_and(|it| {
                            if item.kind == ItemKind::Object {
                                it.contains(&item.tag)
                            } else {
                                self.own.contains(member)
                            }
                        })
                })
        })
    }
}
