//! Series sent without any reference among their mails.

use std::collections::{BTreeMap, BTreeSet};

use super::forest::Forest;
use super::group::Group;
use super::head::title_key;

/// `git send-email --no-thread` sends a series within this time.
const WINDOW_S: i64 = 20 * 60;

/// Groups of one run among which halves are looked for.
const MAX_HALVES: usize = 50;

/// Sender, version, fraction, total and tags: what the mails of one run have in common.
type RunKey = (usize, u32, Option<u32>, Option<u32>, Vec<String>);

/// Joins groups of one mail each that have no references, were sent within minutes, and count alike.
pub(super) fn join(forest: &Forest<'_>, groups: &mut Vec<Group>) {
    let mut runs: BTreeMap<RunKey, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        let mut nodes = group.nodes();
        let (Some(node), None) = (nodes.next(), nodes.next()) else {
            continue;
        };
        if !group.single && is_loose(forest, node) {
            let key = run_key(forest, group, node);
            runs.entry(key).or_default().push(index);
        }
    }
    for mut run in runs.into_values() {
        run.sort_by_key(|it| groups[*it].nodes().next());
        let mut rest = run.as_slice();
        while let Some(first) = rest.first() {
            let start = groups[*first].first_date(forest);
            let length = rest
                .iter()
                .take_while(|it| groups[**it].first_date(forest) - start <= WINDOW_S)
                .count();
            let (window, after) = rest.split_at(length);
            join_window(forest, groups, window);
            rest = after;
        }
    }
    groups.retain(|it| !it.is_empty());
}

/// A numbered mail that refers to no other.
fn is_loose(forest: &Forest<'_>, node: usize) -> bool {
    let head = forest.head(node);
    head.references.is_empty() && head.subject.is_numbered()
}

fn run_key(forest: &Forest<'_>, group: &Group, node: usize) -> RunKey {
    let subject = &forest.head(node).subject;
    let mut tags: Vec<String> = subject
        .prefixes
        .iter()
        .map(|it| it.to_lowercase())
        .collect();
    tags.sort();
    let version = group.version.unwrap_or(1);
    (group.who, version, group.fraction, subject.total, tags)
}

/// Joins two groups that only together are whole: a cover letter and a thread of patches that does not answer it, a
/// patch that lost its references and the series in which it is missing.
///
/// Only where no third group fits as well, and where each has a mail without references, sent within minutes of the
/// other's.
pub(super) fn join_halves(forest: &Forest<'_>, groups: &mut Vec<Group>) {
    let mut runs: BTreeMap<RunKey, Vec<(usize, i64)>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        let is_whole = group.cover.is_some() && group.is_full();
        let Some(loose) = group.nodes().find(|it| is_loose(forest, *it)) else {
            continue;
        };
        if !group.single && !is_whole {
            let run = runs.entry(run_key(forest, group, loose)).or_default();
            run.push((index, forest.head(loose).date));
        }
    }
    for run in runs.into_values() {
        if run.len() < 2 || run.len() > MAX_HALVES {
            continue;
        }
        let fits = |one: &(usize, i64), other: &(usize, i64)| {
            one.0 != other.0
                && (one.1 - other.1).abs() <= WINDOW_S
                && are_halves(&groups[one.0], &groups[other.0])
        };
        let only = |one: &(usize, i64)| -> Option<(usize, i64)> {
            let mut others = run.iter().filter(|it| fits(one, it));
            others.next().copied().filter(|_| others.next().is_none())
        };
        let pairs: Vec<[usize; 2]> = run
            .iter()
            .filter_map(|one| {
                only(one)
                    .filter(|it| only(it) == Some(*one))
                    .map(|it| [one.0, it.0])
            })
            .filter(|[one, other]| one < other)
            .collect();
        for pair in pairs {
            merge(
                groups,
                &pair,
                "two parts of it were sent within minutes without references, and only together they are whole",
            );
        }
    }
    groups.retain(|it| !it.is_empty());
}

/// Whether no number is there twice, and one group is the other's cover letter or all that it misses.
fn are_halves(one: &Group, other: &Group) -> bool {
    let is_cover = |it: &Group| it.cover.is_some() && it.parts.is_empty();
    let is_apart = !(one.cover.is_some() && other.cover.is_some())
        && one.parts.keys().all(|it| !other.parts.contains_key(it));
    let numbers: Vec<u32> = one
        .parts
        .keys()
        .chain(other.parts.keys())
        .copied()
        .collect();
    is_apart && (is_cover(one) || is_cover(other) || is_whole(&numbers, one.total))
}

/// Mails of one window: one series if every number is there once, else several or none.
fn join_window(forest: &Forest<'_>, groups: &mut [Group], window: &[usize]) {
    if window.len() < 2 {
        return;
    }
    let numbers = |indexes: &[usize]| -> Vec<u32> {
        indexes
            .iter()
            .map(|it| number(forest, &groups[*it]))
            .collect()
    };
    if all_different(&numbers(window)) {
        merge(
            groups,
            window,
            "sent without references within minutes by one sender with one count",
        );
        return;
    }
    let by_stem = split_by(window, |it| {
        forest.head(node(&groups[it])).id.stem().to_owned()
    });
    let listed = titles_of_covers(forest, groups, window);
    let by_cover = split_by(window, |it| {
        let head = forest.head(node(&groups[it]));
        if head.subject.number == Some(0) {
            return head.id.to_string();
        }
        listed
            .get(&title_key(&head.title))
            .cloned()
            .unwrap_or_default()
    });
    let by_area = split_by(window, |it| {
        let title = &forest.head(node(&groups[it])).title;
        title
            .split_once(':')
            .map_or(String::new(), |(area, _)| area.to_lowercase())
    });
    let by_order = runs(forest, groups, window);
    let cover = "told apart by the titles that the cover letters list";
    let stem = "told apart by the beginning of their message ids";
    let order = "told apart by the order in which they were sent";
    let area = "told apart by the area that the titles name: this is a guess";
    // Where nothing makes every series whole, what is written in the mails may still make one of them whole.
    let attempts = [
        (&by_cover, cover, true),
        (&by_stem, stem, true),
        (&by_order, order, true),
        (&by_area, area, true),
        (&by_cover, cover, false),
        (&by_area, area, false),
    ];
    for (split, why, is_every) in attempts {
        let whole = |it: &Vec<usize>| is_whole(&numbers(it), groups[it[0]].total);
        let is_sound = split.len() > 1
            && split.iter().all(|it| all_different(&numbers(it)))
            && (split.iter().all(whole) || !is_every && split.iter().any(whole));
        if is_sound {
            for part in split {
                merge(
                    groups,
                    part,
                    &format!("several series were sent at once without references: {why}"),
                );
            }
            return;
        }
    }
    for index in window {
        groups[*index].reasons.push(
            "ambiguous: several mails without references have this number, so none were joined"
                .to_owned(),
        );
    }
}

fn node(group: &Group) -> usize {
    group
        .nodes()
        .next()
        .expect("the groups of a window have one mail each")
}

fn number(forest: &Forest<'_>, group: &Group) -> u32 {
    forest.head(node(group)).subject.number.unwrap_or(1)
}

fn all_different(numbers: &[u32]) -> bool {
    let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
    distinct.len() == numbers.len()
}

/// Whether every patch up to the total is there.
fn is_whole(numbers: &[u32], total: Option<u32>) -> bool {
    let highest = total.unwrap_or_else(|| numbers.iter().copied().max().unwrap_or(0));
    (1..=highest).all(|it| numbers.contains(&it))
}

fn split_by(window: &[usize], key: impl Fn(usize) -> String) -> Vec<Vec<usize>> {
    let mut split: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in window {
        split.entry(key(*index)).or_default().push(*index);
    }
    split.into_values().collect()
}

/// One after the other: a number that does not rise begins the next series.
fn runs(forest: &Forest<'_>, groups: &[Group], window: &[usize]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut last = u32::MAX;
    for index in window {
        let number = number(forest, &groups[*index]);
        if number <= last && (last == u32::MAX || number < last || runs.is_empty())
            || number == last
        {
            runs.push(Vec::new());
        }
        last = number;
        runs.last_mut()
            .expect("the first number begins a run")
            .push(*index);
    }
    runs
}

/// Listed title to the id of the cover that lists it.
fn titles_of_covers(
    forest: &Forest<'_>,
    groups: &[Group],
    window: &[usize],
) -> BTreeMap<String, String> {
    let mut listed = BTreeMap::new();
    for index in window {
        let head = forest.head(node(&groups[*index]));
        for title in &head.listed_titles {
            listed.insert(title_key(title), head.id.to_string());
        }
    }
    listed
}

fn merge(groups: &mut [Group], indexes: &[usize], why: &str) {
    let target = indexes[0];
    for index in &indexes[1..] {
        let taken = std::mem::take(&mut groups[*index]);
        groups[target].cover = groups[target].cover.or(taken.cover);
        groups[target].parts.extend(taken.parts);
        groups[target].reasons.extend(taken.reasons);
    }
    groups[target].reasons.push(why.to_owned());
}
