//! Which series replaces which.

use std::collections::BTreeMap;

use super::build::Built;
use super::forest::Forest;
use super::head::{is_stable_prefix, title_key};
use super::types::Series;
use crate::MessageId;

/// Candidates looked at per series: automatic mail repeats titles thousands of times.
const MAX_CANDIDATES: usize = 200;

/// Messages that a series may say it supersedes.
const MAX_NAMED: usize = 20;

/// Fills in what each series supersedes.
pub(super) fn versions(forest: &Forest<'_>, built: &mut [Built]) {
    let index = Index::new(forest, built);
    let found: Vec<Option<(usize, &'static str)>> = (0..built.len())
        .map(|it| predecessor(forest, built, &index, it))
        .collect();
    for (at, found) in found.into_iter().enumerate() {
        let Some((older, why)) = found else { continue };
        let key = built[older].series.key.clone();
        let version = built[older].series.version;
        let series = &mut built[at].series;
        series.supersedes = Some(key);
        let label = if series.version == version {
            "an earlier posting of"
        } else {
            "the earlier"
        };
        series
            .reasons
            .push(format!("replaces {label} version {version}: {why}"));
    }
}

/// Where to look for a series' older versions.
struct Index<'a> {
    threads: BTreeMap<(usize, usize), Vec<usize>>,
    titles: BTreeMap<(usize, String), Vec<usize>>,
    changes: BTreeMap<String, Vec<usize>>,
    members: BTreeMap<&'a MessageId, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(forest: &Forest<'a>, built: &[Built]) -> Self {
        let mut index = Self {
            threads: BTreeMap::new(),
            titles: BTreeMap::new(),
            changes: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        for (at, it) in built.iter().enumerate() {
            index
                .threads
                .entry((it.thread, it.who))
                .or_default()
                .push(at);
            for title in titles(&it.series) {
                index.titles.entry((it.who, title)).or_default().push(at);
            }
            if let Some(change) = &it.series.change_id {
                index.changes.entry(change.clone()).or_default().push(at);
            }
            for (node, _) in &it.members {
                let id = &forest.head(*node).id;
                index.members.entry(id).or_default().push(at);
            }
        }
        index
    }

    fn candidates(&self, forest: &Forest<'_>, this: &Built) -> Vec<usize> {
        let newest = |list: Option<&Vec<usize>>| -> Vec<usize> {
            list.map_or_else(Vec::new, |it| {
                it.iter().rev().take(MAX_CANDIDATES).copied().collect()
            })
        };
        let mut all = newest(self.threads.get(&(this.thread, this.who)));
        for title in titles(&this.series).into_iter().take(MAX_CANDIDATES) {
            all.extend(newest(self.titles.get(&(this.who, title))));
        }
        if let Some(change) = &this.series.change_id {
            all.extend(newest(self.changes.get(change)));
        }
        for id in named(forest, this) {
            all.extend(newest(self.members.get(id)));
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Names that two versions may have in common: the series' and its own patches'.
fn titles(series: &Series) -> Vec<String> {
    let mut titles: Vec<String> = std::iter::once(&series.name)
        .chain(series.patches.iter().flatten().map(|it| &it.title))
        .map(|it| title_key(it))
        .filter(|it| !it.is_empty())
        .collect();
    titles.sort();
    titles.dedup();
    titles
}

fn predecessor(
    forest: &Forest<'_>,
    built: &[Built],
    index: &Index,
    at: usize,
) -> Option<(usize, &'static str)> {
    let this = &built[at];
    index
        .candidates(forest, this)
        .into_iter()
        .filter(|it| *it != at)
        .filter_map(|it| evidence(forest, &built[it], this).map(|why| (it, why)))
        .max_by_key(|(it, _)| {
            let older = &built[*it].series;
            (!begins_anew(older, &this.series), rank(older), *it)
        })
}

fn rank(series: &Series) -> (u32, u32, i64) {
    (
        series.version,
        series.version_fraction.unwrap_or(0),
        series.date,
    )
}

/// The messages that the series says it supersedes.
fn named<'a>(forest: &Forest<'a>, this: &Built) -> impl Iterator<Item = &'a MessageId> {
    let heads = this.members.iter().map(|it| forest.head(it.0));
    heads
        .filter_map(|it| it.declared.supersedes.as_ref())
        .take(MAX_NAMED)
}

/// Whether `this` names a mail of `older`: a series that names one patch of many replaces that patch only.
fn says_so(forest: &Forest<'_>, older: &Built, this: &Built) -> bool {
    let (old, new) = (older.members.len(), this.members.len());
    let is_whole = |number: u32| number == 0 || old == 1 || new >= old;
    named(forest, this).any(|id| {
        let mut members = older.members.iter();
        members.any(|(node, number)| forest.head(*node).id == *id && is_whole(*number))
    })
}

/// Whether `new` may be the first version of what was a request for comments: that counts from 1 again.
fn begins_anew(old: &Series, new: &Series) -> bool {
    old.rfc && !new.rfc && old.version >= new.version
}

/// Why `older` is what `this` replaces; `None` where it is not.
fn evidence(forest: &Forest<'_>, older: &Built, this: &Built) -> Option<&'static str> {
    let (old, new) = (&older.series, &this.series);
    let is_before = (old.date, &old.key) < (new.date, &new.key);
    if is_before && older.who == this.who && says_so(forest, older, this) {
        return Some("it says so");
    }
    if old.rfc != new.rfc && !is_before {
        return None;
    }
    let anew = begins_anew(old, new);
    let lower = (old.version, old.version_fraction.unwrap_or(0))
        < (new.version, new.version_fraction.unwrap_or(0))
        || anew;
    let repeated = !anew
        && old.version == new.version
        && old.version_fraction == new.version_fraction
        && is_before;
    if !(lower || repeated) || older.who != this.who {
        return None;
    }
    if let (Some(one), Some(other)) = (&old.change_id, &new.change_id) {
        return (one == other && (lower || old.total == new.total)).then_some("the same change-id");
    }
    let same_name = title_key(&old.name) == title_key(&new.name);
    let stable = |it: &Series| {
        it.prefixes
            .iter()
            .filter(|it| is_stable_prefix(it))
            .map(|it| it.to_lowercase())
            .collect::<Vec<_>>()
    };
    if stable(old) != stable(new) {
        return None;
    }
    if repeated {
        return is_repost(old, new).then_some("the same sender posted the same titles again");
    }
    if same_name {
        return Some("the same sender and title");
    }
    if anew {
        let most = old.patches.len().max(new.patches.len());
        let is_like = shared_titles(old, new) * 2 >= most;
        return is_like
            .then_some("the same sender and most patch titles of the request for comments");
    }
    if shared_titles(old, new) > 0 {
        return Some("the same sender and patch titles");
    }
    let answers = older.thread == this.thread
        && this.members.iter().any(|(node, _)| {
            forest
                .ancestors(*node)
                .any(|above| older.members.iter().any(|(it, _)| *it == above))
        });
    answers.then_some("it answers that version")
}

/// A posting of the same version is the same series again only if it looks the same.
fn is_repost(old: &Series, new: &Series) -> bool {
    let shared = shared_titles(old, new);
    let sent = new.patches.iter().flatten().count();
    let is_all = shared == sent && new.patches.iter().all(Option::is_some);
    let same_name = title_key(&old.name) == title_key(&new.name);
    // A cover letter that was sent alone has no titles to compare.
    let is_lone_cover = old.patches.iter().all(Option::is_none);
    old.total == new.total && sent > 0 && (is_all || same_name && (shared > 0 || is_lone_cover))
}

fn shared_titles(one: &Series, other: &Series) -> usize {
    let titles = |it: &Series| -> std::collections::BTreeSet<String> {
        it.patches
            .iter()
            .flatten()
            .map(|it| title_key(&it.title))
            .collect()
    };
    titles(one).intersection(&titles(other)).count()
}
