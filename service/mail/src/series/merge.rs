//! Repairs inside a thread: what people number or label wrongly, and covers without a number.

use std::collections::BTreeMap;

use super::class::Role;
use super::forest::Forest;
use super::group::Group;
use super::head::Content;

/// A cover without version and its labelled patches are sent together.
const TOGETHER_S: i64 = 3600;

/// How well a series fits a cover without number; the least fits best.
type Rank = (bool, Option<u32>, Option<u32>, i64);

/// Joins groups that are one series by all evidence but a number.
pub(super) fn repair(forest: &Forest<'_>, roles: &[Role], groups: &mut Vec<Group>) {
    let mut by_thread: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        by_thread
            .entry((group.thread, group.who))
            .or_default()
            .push(index);
    }
    for indexes in by_thread.into_values().filter(|it| it.len() > 1) {
        unlabelled_covers(forest, groups, &indexes);
        wrong_totals(forest, groups, &indexes);
    }
    groups.retain(|it| !it.is_empty());
    naked_covers(forest, roles, groups);
}

/// `[PATCH 0/2]` over `[PATCH v3 1/2]`, `[PATCH v3 2/2]`.
fn unlabelled_covers(forest: &Forest<'_>, groups: &mut [Group], indexes: &[usize]) {
    for cover_group in indexes {
        let group = &groups[*cover_group];
        let (Some(cover), true, None) = (group.cover, group.parts.is_empty(), group.version) else {
            continue;
        };
        let date = forest.head(cover).date;
        let total = group.total;
        let mut under = indexes.iter().copied().filter(|it| {
            let other = &groups[*it];
            other.cover.is_none()
                && other.version.is_some()
                && other.total == total
                && !other.single
                && (other.first_date(forest) - date).abs() <= TOGETHER_S
                && other
                    .parts
                    .values()
                    .any(|part| forest.parent(*part) == Some(cover))
        });
        if let (Some(found), None) = (under.next(), under.next()) {
            groups[*cover_group] = Group::default();
            groups[found].cover = Some(cover);
            groups[found]
                .reasons
                .push("the cover letter does not say the version, its patches do".to_owned());
        }
    }
}

/// `3/4` after `1/3` and `2/3`, `3/n` after `1/2` and `2/2`: part of what it answers if the number is free.
fn wrong_totals(forest: &Forest<'_>, groups: &mut [Group], indexes: &[usize]) {
    for small in indexes {
        let group = &groups[*small];
        if group.single || group.cover.is_some() || group.is_empty() || group.is_full() {
            continue;
        }
        let target = indexes.iter().copied().find(|large| {
            let other = &groups[*large];
            large != small
                && !other.single
                && !other.is_empty()
                && other.total != group.total
                && other.version.unwrap_or(1) == group.version.unwrap_or(1)
                && other.fraction == group.fraction
                && (other.parts.len() > group.parts.len()
                    || (other.parts.len() == group.parts.len() && group.total.is_none()))
                && group.parts.keys().all(|it| !other.parts.contains_key(it))
                && group
                    .parts
                    .values()
                    .all(|part| is_near(forest, other, *part))
        });
        let Some(target) = target else { continue };
        let taken = std::mem::take(&mut groups[*small]);
        let target = &mut groups[target];
        let numbers: Vec<String> = taken.parts.keys().map(u32::to_string).collect();
        target.reasons.push(format!(
            "patch {} counts another total, but answers this series and its number was free",
            numbers.join(", ")
        ));
        target.parts.extend(taken.parts);
    }
}

/// Whether `part` answers a mail of the group, perhaps through comments, or the same mail as one of them.
fn is_near(forest: &Forest<'_>, group: &Group, part: usize) -> bool {
    let parent = forest.parent(part);
    parent.is_some() && group.nodes().any(|it| forest.parent(it) == parent)
        || forest
            .ancestors(part)
            .any(|above| group.nodes().any(|it| it == above))
}

/// The root of a thread without diff and number, by the sender of the series that hangs under it.
fn naked_covers(forest: &Forest<'_>, roles: &[Role], groups: &mut [Group]) {
    // A mail is the cover of one series: of two that hang under it, the one whose version it says, then the older.
    let mut chosen: BTreeMap<usize, (Rank, usize)> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        if group.cover.is_some() || group.single {
            continue;
        }
        let Some((_, lowest)) = group.parts.first_key_value() else {
            continue;
        };
        let Some(root) = forest.parent(*lowest) else {
            continue;
        };
        let head = forest.head(root);
        let version = head.subject.version;
        let fits = roles[root] == Role::Naked
            && forest.who[root] == group.who
            && (version == group.version || version.is_none() || group.version.is_none())
            && (head.subject.patch || head.subject.rfc || head.content == Content::Summary);
        if fits {
            let rank = (
                version != group.version,
                group.version,
                group.total,
                forest.head(*lowest).date,
            );
            let best = chosen.entry(root).or_insert((rank, index));
            *best = (*best).min((rank, index));
        }
    }
    for (root, (_, index)) in chosen {
        let group = &mut groups[index];
        group.cover = Some(root);
        group.version = group.version.or(forest.head(root).subject.version);
        group
            .reasons
            .push("the cover letter has no number, but the series hangs under it".to_owned());
    }
}
