//! Which headers under `include/` matter: those that somebody on the filesystem side includes, or such a header.
//!
//! Two thirds of a kernel's headers are for drivers alone. The name in an `#include` is not resolved, but held against
//! the ends of paths: whichever header it may mean is read.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::image::Image;
use super::index::SourceFile;
use super::reading::is_header;
use super::typing::directory;
use super::work::{Outcome, Source, Work};
use crate::kernel;
use crate::lex::include_key;
use crate::tree::TreePath;
use crate::turns::InTurns as _;

/// In a tree with fewer headers than this all are read: it is part of a kernel, and may lack who includes them.
const MANY: usize = 1000;

const HEADERS: &str = "include/";

/// Whether a header is read only where somebody includes it.
pub(super) fn is_bound(path: &str) -> bool {
    path.starts_with(HEADERS) && is_header(path) && kernel::is_filesystem_side(path)
}

/// Whether a file is a header of an architecture: no chain enters it, but it includes others.
pub(super) fn lends_names(path: &str) -> bool {
    path.starts_with("arch/") && is_header(path) && path.contains("/include/")
}

/// What an `#include` of a header may say, as [`include_key`].
fn keys_of(path: &str) -> impl Iterator<Item = u32> {
    let last = path.rsplit('/').next().unwrap_or(path);
    // Where an architecture has no header of its own, `asm/…` means this one.
    let is_generic = directory(path).ends_with("/asm-generic");
    let generic = is_generic.then(|| include_key(&format!("asm/{last}")));
    [include_key(path), include_key(last)]
        .into_iter()
        .chain(generic)
}

/// The headers of a tree by what an `#include` of them may say.
pub(super) struct Headers {
    by_key: FxHashMap<u32, Vec<usize>>,
}

impl Headers {
    /// `None` where there are so few that all are read.
    pub(super) fn of(files: &[Source]) -> Option<Self> {
        let bound = (0..files.len()).filter(|it| is_bound(files[*it].path.as_str()));
        let bound: Vec<usize> = bound.collect();
        if bound.len() < MANY {
            return None;
        }
        let mut by_key: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for file in bound {
            for key in keys_of(files[file].path.as_str()) {
                by_key.entry(key).or_default().push(file);
            }
        }
        Some(Self { by_key })
    }
}

/// A walk along `#include`s.
struct Walk<'w> {
    work: &'w Work<'w>,
    headers: &'w Headers,
    /// Files that are read, or are about to be.
    claimed: Vec<AtomicBool>,
    read: Mutex<Vec<Outcome>>,
}

impl<'w> Walk<'w> {
    fn follow(&'w self, scope: &rayon::Scope<'w>, names: &str) {
        let headers = keys_in(names).filter_map(|it| self.headers.by_key.get(&it));
        for header in headers.flatten().copied() {
            if !self.claimed[header].swap(true, Ordering::Relaxed) {
                scope.spawn(move |scope| {
                    let outcome = self.work.read(header);
                    self.follow(scope, outcome.named());
                    let mut read = self.read.lock().expect("no panic while locked");
                    read.push(outcome);
                });
            }
        }
    }
}

impl Work<'_> {
    /// Reads files, and the headers to which their `#include`s lead, or these.
    pub(super) fn scan_from(&mut self, files: &[usize], names: &str, headers: &Headers) {
        let is_claimed = |it: &Source| AtomicBool::new(it.scan.is_some());
        let walk = Walk {
            work: self,
            headers,
            claimed: self.files.iter().map(is_claimed).collect(),
            read: Mutex::default(),
        };
        let mut read: Vec<Outcome> = rayon::scope(|scope| {
            walk.follow(scope, names);
            let (read, unread): (Vec<usize>, Vec<usize>) =
                files.iter().partition(|it| self.files[**it].scan.is_some());
            for it in read {
                walk.follow(scope, self.names_of(&self.files[it]));
            }
            unread
                .par_iter()
                .in_turns()
                .map(|it| {
                    let outcome = self.read(*it);
                    walk.follow(scope, outcome.named());
                    outcome
                })
                .collect()
        });
        read.extend(walk.read.into_inner().expect("no panic while locked"));
        read.sort_by_key(|it| it.file);
        for outcome in read {
            self.files[outcome.file].is_left_out = false;
            self.keep(outcome);
        }
    }
}

/// As [`FileScan::named`](crate::lex::FileScan::named).
fn keys_in(names: &str) -> impl Iterator<Item = u32> {
    names.lines().map(include_key)
}

/// Whether changed files decide otherwise than those of `base` in their places; they are read by now, but for the
/// headers that nobody included. Headers that are included now are added to the work and read.
///
/// `None` where a header may be included no more.
pub(super) fn settle(work: &mut Work<'_>, base: &Image, removed: &[TreePath]) -> Option<()> {
    let place = |path: &TreePath| base.files.place(path).ok();
    let is_as_before = work.files.iter().all(|it| {
        place(&it.path).is_some_and(|old| names_in(&base.files[old]) == work.names_of(it))
    });
    let changed = work.files.iter().map(|it| &it.path).chain(removed);
    let replaced: FxHashSet<u32> = changed.filter_map(place).map(|it| it as u32).collect();
    let mut removed = removed.iter().filter_map(place);
    if is_as_before && removed.all(|it| names_in(&base.files[it]).is_empty()) {
        return Some(());
    }
    let mut old: FxHashSet<u32> = FxHashSet::default();
    let mut others: FxHashSet<u32> = keys_in(&kernel::ALWAYS_INCLUDED.join("\n")).collect();
    base.files.read_all();
    for (at, file) in (0..).zip(base.files.iter()) {
        let of_file = keys_in(names_in(file));
        if replaced.contains(&at) {
            old.extend(of_file);
        } else {
            others.extend(of_file);
        }
    }
    let mut new: FxHashSet<u32> = FxHashSet::default();
    let mut left_out = left_out(base, &replaced);
    loop {
        new.extend(work.files.iter().flat_map(|it| keys_in(work.names_of(it))));
        let is_named = |path: &TreePath| {
            keys_of(path.as_str()).any(|it| new.contains(&it) || others.contains(&it))
        };
        let (mut found, more): (Vec<_>, Vec<_>) =
            left_out.into_iter().partition(|it| is_named(&it.path));
        left_out = more;
        let first = work.files.len();
        let known = (0..first).filter(|it| {
            let file = &work.files[*it];
            file.is_left_out && is_named(&file.path)
        });
        let mut next: Vec<usize> = known.collect();
        next.extend(first..first + found.len());
        work.files.append(&mut found);
        if next.is_empty() {
            break;
        }
        for it in &next {
            work.files[*it].is_left_out = false;
        }
        work.scan(&next);
    }
    work.files.sort_by(|a, b| a.path.cmp(&b.path));
    let is_gone = |it: &u32| !new.contains(it) && !others.contains(it);
    old.retain(is_gone);
    let loses =
        |it: &&SourceFile| it.at_home && keys_of(it.path.as_str()).any(|it| old.contains(&it));
    (old.is_empty() || !headers(base).any(|it| loses(&it.1))).then_some(())
}

/// The headers of `base` that nobody includes, without those that are replaced.
fn left_out(base: &Image, replaced: &FxHashSet<u32>) -> Vec<Source> {
    headers(base)
        .filter(|it| !it.1.at_home && !replaced.contains(&(it.0 as u32)))
        .map(|it| Source {
            path: it.1.path.clone(),
            content: Some(it.1.content),
            scan: None,
            is_root: false,
            is_left_out: true,
            lent: None,
        })
        .collect()
}

fn headers(base: &Image) -> impl Iterator<Item = (usize, &SourceFile)> {
    let first = base.files.partition_point(|it| it.path.as_str() < HEADERS);
    let all = (first..base.files.len()).map(|it| (it, &base.files[it]));
    let below = all.take_while(|it| it.1.path.as_str().starts_with(HEADERS));
    below.filter(|it| is_bound(it.1.path.as_str()))
}

/// As [`Work::names_of`].
fn names_in(file: &SourceFile) -> &str {
    let decides = file.at_home || lends_names(file.path.as_str());
    let names = file.includes.as_deref().filter(|_| decides);
    names.unwrap_or_default()
}
