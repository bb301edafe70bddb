//! The files of a tree while they are read: each once, at the same time, and what came of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::domains::{Domain, assign_domains};
use super::image::{Image, ReadFile};
use super::index::SourceFile;
use super::reading::{Plan, Reading, is_foreign, is_header};
use super::registers::{Registers, Search};
use super::typing::directory;
use crate::expand;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{self, FileScan};
use crate::tree::{self, FileEntry, TreePath, TreeSource};
use crate::warm::{ContentKey, Memo, Warm};

#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: TreePath,
    pub(super) content: Option<ContentKey>,
    pub(super) scan: Option<Arc<FileScan>>,
    pub(super) is_root: bool,
}

impl Source {
    pub(super) fn of(entry: FileEntry) -> Self {
        Self {
            path: entry.path,
            content: entry.blob.map(ContentKey::of_blob),
            scan: None,
            is_root: false,
        }
    }
}

pub(super) struct Work<'t> {
    pub(super) tree: &'t dyn TreeSource,
    /// Where readings are kept, for files that are read for one state of a series after the other.
    pub(super) scans: Option<&'t Memo<ContentKey, FileScan>>,
    pub(super) files: Vec<Source>,
    pub(super) gaps: Vec<Gap>,
}

/// What came of one file.
struct Outcome {
    file: usize,
    pub(super) content: Option<ContentKey>,
    pub(super) scan: Result<Option<Arc<FileScan>>, Gap>,
    pub(super) is_root: bool,
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

    pub(super) fn scan(&mut self, files: &[usize]) {
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
    pub(super) fn scan_rest(
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

    pub(super) fn sources(
        self,
        plan: &Plan<'_>,
        homes: &BTreeSet<String>,
    ) -> (Vec<ReadFile>, Vec<Gap>) {
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

    pub(super) fn join(
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

pub(super) fn is_below(homes: &BTreeSet<String>, path: &str) -> bool {
    let mut under = directory(path);
    while !under.is_empty() {
        if homes.contains(under) {
            return true;
        }
        under = directory(under);
    }
    false
}
