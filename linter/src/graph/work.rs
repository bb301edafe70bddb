//! The files of a tree while they are read: each once, at the same time, and what came of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::domains::{Domain, assign_domains};
use super::image::{Image, ReadFile};
use super::index::SourceFile;
use super::named;
use super::reading::{Plan, Reading, is_foreign, is_header, is_test};
use super::registers::{Registers, Search};
use super::typing::directory;
use crate::expand;
use crate::finding::Gap;
use crate::kernel;
use crate::lex::{self, FileScan};
use crate::tree::{self, FileEntry, TreePath, TreeSource};
use crate::turns::InTurns as _;
use crate::warm::{ContentKey, Memo, Warm};

#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: TreePath,
    pub(super) content: Option<ContentKey>,
    pub(super) scan: Option<Arc<FileScan>>,
    pub(super) is_root: bool,
    /// A header that nobody includes, as far as one knows.
    pub(super) is_left_out: bool,
    /// What a header that no chain enters includes, as [`FileScan::named`].
    pub(super) lent: Option<String>,
}

impl Source {
    pub(super) fn of(entry: FileEntry) -> Self {
        Self {
            path: entry.path,
            content: entry.blob.map(ContentKey::of_blob),
            scan: None,
            is_root: false,
            is_left_out: false,
            lent: None,
        }
    }

    /// Whether it is of the filesystem side, and no header that nobody includes.
    pub(super) fn is_side(&self) -> bool {
        !self.is_left_out && kernel::is_filesystem_side(self.path.as_str())
    }
}

pub(super) struct Work<'t> {
    pub(super) tree: &'t dyn TreeSource,
    /// Where readings are kept, for files that are read for one state of a series after the other.
    pub(super) scans: Option<&'t Memo<ContentKey, FileScan>>,
    pub(super) files: Vec<Source>,
    pub(super) gaps: Vec<Gap>,
    /// The directories that hold roots.
    pub(super) homes: BTreeSet<String>,
    /// Whether headers that nobody includes are left out.
    pub(super) limits_headers: bool,
}

/// What is counted wherever it stands.
pub(super) const COUNTED: &[&str] = &["iput", "i_count"];

/// What came of one file.
pub(super) struct Outcome {
    pub(super) file: usize,
    content: Option<ContentKey>,
    scan: Result<Option<Arc<FileScan>>, Gap>,
    is_root: bool,
    lent: Option<String>,
}

impl Outcome {
    /// As [`FileScan::named`].
    pub(super) fn named(&self) -> &str {
        let scan = self.scan.as_ref().ok().and_then(Option::as_ref);
        scan.map_or("", |it| &it.named)
    }
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
    pub(super) fn read(&self, file: usize) -> Outcome {
        let content = self.files[file].content;
        let is_root = self.files[file].is_root;
        let kept = self.scans.zip(content);
        if let Some(known) = kept.and_then(|(scans, content)| scans.known(content)) {
            return Outcome {
                file,
                content,
                scan: Ok(Some(known)),
                is_root,
                lent: None,
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
            lent: None,
        }
    }

    /// The files of the filesystem side, without headers that nobody includes, and those beside it.
    pub(super) fn sides(&self) -> (Vec<usize>, Vec<usize>) {
        let all = 0..self.files.len();
        let all = all.filter(|it| !self.files[*it].is_left_out);
        all.partition(|it| self.files[*it].is_side())
    }

    /// Those of some files beside the filesystem side that a chain may enter.
    pub(super) fn beside(&self, rest: &[usize]) -> Vec<usize> {
        let rest = rest.iter().copied();
        rest.filter(|it| is_below(&self.homes, self.files[*it].path.as_str()))
            .collect()
    }

    pub(super) fn scan(&mut self, files: &[usize]) {
        let read: Vec<Outcome> = files
            .par_iter()
            .in_turns()
            .filter(|it| self.files[**it].scan.is_none())
            .map(|it| self.read(*it))
            .collect();
        for it in read {
            self.keep(it);
        }
    }

    pub(super) fn keep(&mut self, outcome: Outcome) {
        let source = &mut self.files[outcome.file];
        source.content = outcome.content;
        source.is_root = outcome.is_root;
        source.lent = outcome.lent;
        let unclosed = outcome.scan.as_ref().ok().and_then(Option::as_ref);
        if let Some(line) = unclosed.and_then(|it| it.unclosed)
            && source.is_side()
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

    /// Reads what matters beside the filesystem side, and finds the directories that hold roots.
    pub(super) fn scan_rest(
        &mut self,
        rest: &[usize],
        registers: &Registers,
        known: &(dyn Fn(u32) -> bool + Sync),
        takes_all: bool,
    ) {
        if rest.is_empty() {
            return;
        }
        let search = Search::new(&registers.words);
        let read: Vec<Outcome> = rest
            .par_iter()
            .in_turns()
            .map(|it| {
                let holds = |scan: &FileScan| registers.holds(scan, known);
                self.searched(*it, (&search, takes_all), holds)
            })
            .collect();
        for outcome in read {
            let path = self.files[outcome.file].path.as_str();
            if outcome.is_root {
                self.homes.insert(directory(path).to_owned());
            }
            self.keep(outcome);
        }
    }

    /// Reads the headers that nobody includes, where something in them has to be counted.
    pub(super) fn scan_left_out(&mut self, takes_all: bool) {
        let all = 0..self.files.len();
        let left_out: Vec<usize> = all.filter(|it| self.files[*it].is_left_out).collect();
        if left_out.is_empty() {
            return;
        }
        let search = Search::new(COUNTED);
        let read: Vec<Outcome> = left_out
            .par_iter()
            .in_turns()
            .map(|it| self.searched(*it, (&search, takes_all), |_| false))
            .collect();
        for outcome in read {
            self.keep(outcome);
        }
    }

    fn searched(
        &self,
        file: usize,
        (search, takes_all): (&Search, bool),
        holds_root: impl Fn(&FileScan) -> bool,
    ) -> Outcome {
        let content = self.files[file].content;
        let path = self.files[file].path.as_str();
        let lends = self.limits_headers && named::lends_names(path);
        let read = self.with_text(file, |text| {
            let content = content.unwrap_or_else(|| ContentKey::of_text(text));
            let matters = search.finds(text);
            let scan = (matters || takes_all).then(|| Arc::new(lex::scan(text)));
            let lent = lends.then(|| lex::include_lines(text));
            (content, matters, scan, lent)
        });
        let (content, matters, scan, lent) = match read {
            Ok((content, matters, scan, lent)) => (Some(content), matters, Ok(scan), lent),
            Err(gap) => (content, false, Err(gap), None),
        };
        let holds_root = |it: &Arc<FileScan>| holds_root(it) && !is_test(path, it);
        Outcome {
            file,
            content,
            is_root: matters && !is_foreign(path) && scan.iter().flatten().any(holds_root),
            scan,
            lent,
        }
    }

    /// Whether a chain may enter a file.
    fn is_at_home(&self, file: &Source) -> bool {
        let path = file.path.as_str();
        !is_foreign(path) && (file.is_side() || is_below(&self.homes, path))
    }

    /// What a file includes, as [`FileScan::named`], where that decides which headers matter.
    pub(super) fn names_of<'s>(&self, file: &'s Source) -> &'s str {
        match &file.scan {
            _ if !self.limits_headers => "",
            Some(scan) if self.is_at_home(file) => &scan.named,
            _ => file.lent.as_deref().unwrap_or_default(),
        }
    }

    pub(super) fn sources(self, plan: &Plan<'_>) -> (Vec<ReadFile>, Vec<Gap>) {
        let unlimited = plan.reading == Reading::Unlimited;
        let at_home = self.files.par_iter();
        let at_home = at_home.map(|it| unlimited || self.is_at_home(it));
        let at_home: Vec<bool> = at_home.collect();
        let files = self.files.into_par_iter().zip(at_home);
        let files = files.map(|(it, at_home)| {
            let text = it.path.as_str();
            let is_foreign = is_foreign(text);
            let named = it.scan.as_ref().map(|it| it.named.as_str());
            let includes = it.lent.as_deref().or(named).map(Into::into);
            let scan = it.scan.unwrap_or_default();
            ReadFile {
                source: SourceFile {
                    content: it.content.unwrap_or_default(),
                    domain: Domain::GENERIC,
                    call_sites: scan.call_sites,
                    defines: scan.defines,
                    includes,
                    is_read: !scan.items.is_empty(),
                    is_root: it.is_root,
                    registers: false,
                    is_shared: is_header(text),
                    includes_unit: scan.includes_unit,
                    is_foreign,
                    is_test: is_test(text, &scan),
                    at_home,
                    made: None,
                    path: it.path,
                },
                scan,
            }
        });
        (files.collect(), self.gaps)
    }

    pub(super) fn join(self, plan: &Plan<'_>, warm: &Warm, own_members: Vec<u32>) -> Image {
        let tree = self.tree;
        let limits_headers = self.limits_headers;
        let (mut files, gaps) = self.sources(plan);
        let tracepoints = (plan.reading == Reading::Unlimited)
            .then_some(expand::Tracepoints { under: plan.under });
        let beside = expand::Beside {
            appliers: &expand::Appliers::default(),
            has_function: &|_| false,
            pastes: &|_| None,
        };
        let deciding = expand::grow(tree, warm, &mut files, (tracepoints, &beside), &|it| {
            it.at_home
        });
        let domains = assign_domains(&mut files);
        Image {
            making: deciding.making.into(),
            pasting: deciding.pasting.into(),
            limits_headers,
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
