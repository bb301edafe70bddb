//! Series sent without any reference among their mails.

use std::collections::{BTreeMap, BTreeSet};

use super::forest::Forest;
use super::group::Group;
use super::head::title_key;

/// `git send-email --no-thread` sends a series within this time.
const WINDOW_S: i64 = 20 * 60;

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
        let head = forest.head(node);
        if group.single || !head.references.is_empty() || !head.subject.is_numbered() {
            continue;
        }
        let mut tags: Vec<String> = head
            .subject
            .prefixes
            .iter()
            .map(|it| it.to_lowercase())
            .collect();
        tags.sort();
        let key = (
            group.who,
            group.version.unwrap_or(1),
            group.fraction,
            head.subject.total,
            tags,
        );
        runs.entry(key).or_default().push(index);
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
    let attempts = [
        (
            by_cover,
            "told apart by the titles that the cover letters list",
        ),
        (by_stem, "told apart by the beginning of their message ids"),
        (
            runs(forest, groups, window),
            "told apart by the order in which they were sent",
        ),
        (
            by_area,
            "told apart by the area that the titles name: this is a guess",
        ),
    ];
    for (split, why) in attempts {
        let sound = split.len() > 1
            && split.iter().all(|it| {
                let numbers = numbers(it);
                all_different(&numbers) && is_whole(&numbers, groups[it[0]].total)
            });
        if sound {
            for part in &split {
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
    }
    groups[target].reasons.push(why.to_owned());
}
