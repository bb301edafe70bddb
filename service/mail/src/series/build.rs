//! Groups to series: totals, names, gaps, and parts that a partial reroll keeps.

use std::collections::{BTreeMap, HashSet};

use super::forest::Forest;
use super::group::Group;
use super::head::Head;
use super::types::{Part, Series, SeriesState};
use crate::MessageId;
use crate::trailers::MAX_DECLARED;

/// Patches listed per series: the largest real ones have about a thousand.
const MAX_PATCHES: u32 = 9999;

/// A series and the nodes that are its own.
pub(super) struct Built {
    pub(super) series: Series,
    /// (node, number), cover first.
    pub(super) members: Vec<(usize, u32)>,
    pub(super) who: usize,
    pub(super) thread: usize,
}

impl Built {
    /// The sentence that explains a part's place.
    pub(super) fn reason_for(&self, number: u32) -> String {
        let series = &self.series;
        let total = series.total.map_or("n".to_owned(), |it| it.to_string());
        let mut reason = if number == 0 {
            format!("cover letter of version {}", series.version)
        } else {
            format!("patch {number}/{total} of version {}", series.version)
        };
        if let Some(why) = series.reasons.first() {
            let label = format!("version {} because", series.version);
            match why.strip_prefix(&label) {
                Some(rest) => reason = format!("{reason} because{rest}"),
                None => reason = format!("{reason}: {why}"),
            }
        }
        reason
    }
}

/// Makes a series of each group, sorted by date and key.
pub(super) fn series(forest: &Forest<'_>, groups: &[Group]) -> Vec<Built> {
    let mut built: Vec<Built> = groups.iter().map(|it| one(forest, it)).collect();
    built.sort_by(|a, b| (a.series.date, &a.series.key).cmp(&(b.series.date, &b.series.key)));
    distinct_keys(&mut built);
    built
}

fn one(forest: &Forest<'_>, group: &Group) -> Built {
    let first = group.nodes().next().expect("empty groups were dropped");
    let head = forest.head(first);
    let highest = group.parts.keys().copied().max().unwrap_or(0);
    let total = total(forest, group).map(|it| it.max(highest));
    let length = total.unwrap_or(highest).min(MAX_PATCHES);
    let version = group.version.unwrap_or(1);
    let part = |node: usize| {
        let head = forest.head(node);
        Part {
            head: forest.nodes[node],
            id: head.id.clone(),
            version,
            title: head.title.clone(),
            author: head.author.clone(),
        }
    };
    let patches: Vec<Option<Part>> = (1..=length)
        .map(|it| group.parts.get(&it).map(|node| part(*node)))
        .collect();
    let missing: Vec<u32> = (1..=length)
        .filter(|it| !group.parts.contains_key(it))
        .collect();
    let complete = total.map(|_| missing.is_empty());
    let state = match complete {
        None => SeriesState::Open,
        Some(true) => SeriesState::Complete,
        Some(false) => SeriesState::Incomplete,
    };
    let heads = || group.nodes().map(|it| forest.head(it));
    let stands_on = depends_on(&heads().collect::<Vec<_>>());
    let reasons = reasons(forest, group, (total, &stands_on));
    let submitter = head.submitter.clone();
    let series = Series {
        key: head.id.to_string(),
        version,
        version_fraction: group.fraction,
        total,
        name: head.title.clone(),
        prefixes: prefixes(forest, group),
        resend: heads().any(|it| it.subject.resend),
        rfc: heads().any(|it| it.subject.rfc),
        submitter,
        date: group.first_date(forest),
        cover: group.cover.map(part),
        patches,
        missing,
        complete,
        state,
        supersedes: None,
        base_commit: heads().find_map(|it| it.declared.base_commit.clone()),
        prerequisite_patch_ids: heads()
            .map(|it| &it.declared.prerequisite_patch_ids)
            .find(|it| !it.is_empty())
            .cloned()
            .unwrap_or_default(),
        depends_on: stands_on,
        change_id: heads().find_map(|it| it.declared.change_id.clone()),
        reasons,
    };
    Built {
        members: group
            .cover
            .map(|it| (it, 0))
            .into_iter()
            .chain(group.parts.iter().map(|(number, node)| (*node, *number)))
            .collect(),
        who: group.who,
        thread: group.thread,
        series,
    }
}

/// Why this version and this total, what was repaired, and what it stands on.
fn reasons(
    forest: &Forest<'_>,
    group: &Group,
    (total, stands_on): (Option<u32>, &[MessageId]),
) -> Vec<String> {
    let mut reasons: Vec<String> = version_reason(forest, group).into_iter().collect();
    reasons.extend(group.reasons.iter().cloned());
    if total != group.total && group.total.is_some() {
        reasons.push(format!("the patches count up to {}", total.unwrap_or(0)));
    }
    if !stands_on.is_empty() {
        let mut ids: Vec<&str> = stands_on.iter().map(MessageId::as_str).collect();
        let more = ids.split_off(ids.len().min(5)).len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        reasons.push(format!(
            "it says that it depends on {}{more}",
            ids.join(", ")
        ));
    }
    reasons
}

/// Who says which version it is; `None` where it is the first and nobody says so.
fn version_reason(forest: &Forest<'_>, group: &Group) -> Option<String> {
    let version = group.version?;
    let says = |node: &usize| forest.head(*node).subject.version == Some(version);
    let cover = group.cover.as_ref().is_some_and(says);
    let patches = group.parts.values().filter(|it| says(it)).count();
    let who = match (cover, patches) {
        (_, said)
            if said == group.parts.len() && said + usize::from(group.cover.is_some()) == 1 =>
        {
            "its subject says so"
        }
        (cover, said) if said == group.parts.len() && cover == group.cover.is_some() => {
            "its subjects say so"
        }
        (true, 0) => "its cover letter says so",
        (true, _) => "its cover letter and some of its patches say so",
        (false, said) if said == group.parts.len() => "its patches say so",
        (false, _) => "some of its patches say so",
    };
    let fraction = group.fraction.map_or(String::new(), |it| format!(".{it}"));
    Some(format!("version {version}{fraction} because {who}"))
}

/// What the mails say the series stands on: the cover's words first, nothing twice, and none of its own mails.
fn depends_on(heads: &[&Head]) -> Vec<MessageId> {
    let own: HashSet<&MessageId> = heads.iter().map(|it| &it.id).collect();
    let mut named = Vec::new();
    for id in heads.iter().flat_map(|it| &it.declared.depends_on) {
        if named.len() >= MAX_DECLARED {
            break;
        }
        if !own.contains(id) && !named.contains(id) {
            named.push(id.clone());
        }
    }
    named
}

/// What most patches say; where they differ evenly, what the group began with.
fn total(forest: &Forest<'_>, group: &Group) -> Option<u32> {
    let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
    for node in group.parts.values() {
        if let Some(total) = forest.head(*node).subject.total {
            *votes.entry(total).or_default() += 1;
        }
    }
    let Some(most) = votes.values().copied().max() else {
        return group.total;
    };
    let first = group.total.filter(|it| votes.get(it) == Some(&most));
    first.or_else(|| votes.iter().find(|it| *it.1 == most).map(|it| *it.0))
}

/// The cover speaks for all, and so does the first patch.
fn prefixes(forest: &Forest<'_>, group: &Group) -> Vec<String> {
    group
        .nodes()
        .next()
        .map_or_else(Vec::new, |it| forest.head(it).subject.prefixes.clone())
}

/// Two different mails may share an id: their series' keys must not.
fn distinct_keys(built: &mut [Built]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for it in built {
        let count = seen.entry(it.series.key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            it.series.key = format!("{}#{count}", it.series.key);
        }
    }
}

/// A version that was sent in part, each patch in reply to the patch that it replaces, keeps the others.
///
/// Such a series shows the kept parts in `patches`, and still says in `missing` what it did not send itself.
pub(super) fn fill_partial_rerolls(forest: &Forest<'_>, built: &mut [Built]) {
    let mut by_thread: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, it) in built.iter().enumerate() {
        by_thread
            .entry((it.thread, it.who))
            .or_default()
            .push(index);
    }
    for mut indexes in by_thread.into_values().filter(|it| it.len() > 1) {
        indexes.sort_by_key(|it| (rank(&built[*it].series), built[*it].series.date));
        for at in 1..indexes.len() {
            let this = &built[indexes[at]];
            if this.series.state != SeriesState::Incomplete || this.series.cover.is_some() {
                continue;
            }
            let older = indexes[..at].iter().rev().copied().find(|it| {
                let older = &built[*it].series;
                (rank(older) < rank(&this.series) || is_sent_again(older, &this.series))
                    && older.total == this.series.total
                    && older.patches.iter().all(Option::is_some)
            });
            if let Some(older) = older
                && replies_number_by_number(forest, built, indexes[at])
            {
                fill(built, indexes[at], older);
            }
        }
    }
}

/// Whether each part answers, perhaps through comments, a part with its number of an older version.
fn replies_number_by_number(forest: &Forest<'_>, built: &[Built], index: usize) -> bool {
    let this = &built[index];
    this.members.iter().all(|(node, number)| {
        forest.ancestors(*node).any(|above| {
            let subject = &forest.head(above).subject;
            forest.who[above] == this.who && !subject.reply && subject.number == Some(*number) && {
                let version = (
                    subject.version.unwrap_or(1),
                    subject.version_fraction.unwrap_or(0),
                );
                version < rank(&this.series)
                    || (version == rank(&this.series) && this.series.resend && !subject.resend)
            }
        })
    })
}

/// Versions in order, repaired ones after what they repair.
fn rank(series: &Series) -> (u32, u32) {
    (series.version, series.version_fraction.unwrap_or(0))
}

/// `[PATCH RESEND 2/2]` in reply to a `[PATCH 2/2]` that came out wrong.
fn is_sent_again(older: &Series, this: &Series) -> bool {
    rank(older) == rank(this) && this.resend && !older.resend && older.date < this.date
}

fn fill(built: &mut [Built], index: usize, older: usize) {
    let kept = built[older].series.patches.clone();
    let version = built[older].series.version;
    let base = built[older].series.base_commit.clone();
    let series = &mut built[index].series;
    for (slot, part) in series.patches.iter_mut().zip(kept) {
        if slot.is_none() {
            *slot = part;
        }
    }
    series.state = SeriesState::PartialReroll;
    series.base_commit = series.base_commit.take().or(base);
    series.reasons.push(format!(
        "only parts were sent again, in reply to those that they replace: the others are those of version {version}"
    ));
}
