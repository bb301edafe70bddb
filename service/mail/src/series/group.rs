//! Parts of one version by one sender inside one thread.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::class::Role;
use super::forest::Forest;

/// Parts of one version by one sender that are this close in time were sent together.
const TOGETHER_S: i64 = 3600;

/// Parts that belong together; becomes one series.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) cover: Option<usize>,
    /// Number to node.
    pub(super) parts: BTreeMap<u32, usize>,
    pub(super) who: usize,
    pub(super) thread: usize,
    /// As the subjects say; `None` where they do not.
    pub(super) version: Option<u32>,
    pub(super) fraction: Option<u32>,
    pub(super) total: Option<u32>,
    /// A `[PATCH]` without number: nothing joins it.
    pub(super) single: bool,
    pub(super) reasons: Vec<String>,
}

impl Group {
    /// All nodes, cover first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> + '_ {
        self.cover.into_iter().chain(self.parts.values().copied())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cover.is_none() && self.parts.is_empty()
    }

    /// Whether every number up to the total is there.
    pub(super) fn is_full(&self) -> bool {
        self.total.is_some_and(|total| {
            total as usize <= self.parts.len() && (1..=total).all(|it| self.parts.contains_key(&it))
        })
    }

    pub(super) fn first_date(&self, forest: &Forest<'_>) -> i64 {
        self.nodes()
            .map(|it| forest.head(it).date)
            .min()
            .unwrap_or(0)
    }
}

/// Groups the parts of each thread. Every part is in exactly one group.
pub(super) fn threads(forest: &Forest<'_>, roles: &[Role]) -> Vec<Group> {
    let mut grouping = Grouping {
        forest,
        groups: Vec::new(),
        of: HashMap::new(),
        buckets: HashMap::new(),
        counted: HashSet::new(),
    };
    let parts: Vec<usize> = (0..roles.len())
        .filter(|it| roles[*it] == Role::Part)
        .collect();
    for node in &parts {
        if forest.head(*node).subject.number == Some(0) {
            grouping.cover(*node);
        }
    }
    for node in &parts {
        grouping.count_with_cover(*node);
    }
    for node in &parts {
        let subject = &forest.head(*node).subject;
        match subject.number {
            Some(0) => {}
            None => grouping.single(*node),
            Some(number) => grouping.part(*node, number),
        }
    }
    grouping.groups
}

struct Grouping<'f, 'a> {
    forest: &'f Forest<'a>,
    groups: Vec<Group>,
    /// Node to group.
    of: HashMap<usize, usize>,
    /// (thread, sender, version, fraction) to the groups in it, oldest first.
    buckets: HashMap<(usize, usize, u32, Option<u32>), Vec<usize>>,
    /// Groups whose cover has a patch with its own total: patches that count otherwise are another series.
    counted: HashSet<usize>,
}

impl Grouping<'_, '_> {
    fn new_group(&mut self, node: usize) -> usize {
        let subject = &self.forest.head(node).subject;
        let index = self.groups.len();
        self.groups.push(Group {
            who: self.forest.who[node],
            thread: self.forest.thread[node],
            version: subject.version,
            fraction: subject.version_fraction,
            total: subject.total,
            ..Group::default()
        });
        index
    }

    fn bucket(&self, node: usize) -> (usize, usize, u32, Option<u32>) {
        let subject = &self.forest.head(node).subject;
        (
            self.forest.thread[node],
            self.forest.who[node],
            subject.version.unwrap_or(1),
            subject.version_fraction,
        )
    }

    fn cover(&mut self, node: usize) {
        let index = self.new_group(node);
        self.groups[index].cover = Some(node);
        self.of.insert(node, index);
        self.buckets
            .entry(self.bucket(node))
            .or_default()
            .push(index);
    }

    fn count_with_cover(&mut self, node: usize) {
        let forest = self.forest;
        let total = forest.head(node).subject.total;
        let above = forest
            .ancestors(node)
            .find_map(|it| self.of.get(&it).copied());
        if let Some(index) = above.filter(|it| !self.groups[*it].nodes().any(|own| own == node)) {
            let group = &self.groups[index];
            if group.who == forest.who[node] && group.total == total && total.is_some() {
                self.counted.insert(index);
            }
        }
    }

    fn single(&mut self, node: usize) {
        // `[PATCH 0/1]` over a patch that forgot its number.
        let under = self
            .forest
            .parent(node)
            .and_then(|it| self.of.get(&it).copied())
            .filter(|it| {
                let group = &self.groups[*it];
                group.cover.is_some()
                    && group.total == Some(1)
                    && group.parts.is_empty()
                    && group.who == self.forest.who[node]
                    && self.version_fits(*it, node)
            });
        let index = under.unwrap_or_else(|| {
            let index = self.new_group(node);
            self.groups[index].total = Some(1);
            self.groups[index].single = true;
            index
        });
        self.groups[index].parts.insert(1, node);
        self.of.insert(node, index);
    }

    fn part(&mut self, node: usize, number: u32) {
        let index = self
            .under_cover(node, number)
            .or_else(|| self.under_labelled_part(node, number))
            .or_else(|| self.beside_part(node, number))
            .or_else(|| self.after_last(node, number))
            .unwrap_or_else(|| {
                let index = self.new_group(node);
                self.buckets
                    .entry(self.bucket(node))
                    .or_default()
                    .push(index);
                index
            });
        let group = &mut self.groups[index];
        group.single &= group.parts.is_empty();
        group.parts.insert(number, node);
        if group.version.is_none() {
            group.version = self.forest.head(node).subject.version;
        }
        self.of.insert(node, index);
    }

    /// The group of the nearest cover above, of the same sender and a version that fits.
    fn under_cover(&self, node: usize, number: u32) -> Option<usize> {
        let subject = &self.forest.head(node).subject;
        let mut seen_own = false;
        for above in self.forest.ancestors(node) {
            let Some(index) = self.of.get(&above).copied() else {
                continue;
            };
            let group = &self.groups[index];
            if self.forest.who[above] != self.forest.who[node] {
                continue;
            }
            if group.cover == Some(above) && self.version_fits(index, node) {
                let free = !group.parts.contains_key(&number) && !group.single;
                // Another count by itself under the same cover may be a second series: only its own.
                let count =
                    group.total == subject.total || !seen_own && !self.counted.contains(&index);
                return (free && count).then_some(index);
            }
            seen_own |= group.total == subject.total;
        }
        None
    }

    /// `[PATCH 2/2]` sent right after `[PATCH v2 1/2]` and in reply to it: the label was forgotten.
    fn under_labelled_part(&self, node: usize, number: u32) -> Option<usize> {
        let (head, parent) = (self.forest.head(node), self.forest.parent(node)?);
        let above = self.forest.head(parent);
        let index = self.of.get(&parent).copied()?;
        let group = &self.groups[index];
        let fits = head.subject.version.is_none()
            && above.subject.version.is_some()
            && above.subject.number.is_some_and(|it| it > 0)
            && group.who == self.forest.who[node]
            && group.total == head.subject.total
            && !group.parts.contains_key(&number)
            && (head.date - above.date).abs() <= TOGETHER_S;
        fits.then_some(index)
    }

    /// `[PATCH 2/1]`, `[PATCH 6/5]`: one more than announced, in reply to what it follows.
    fn after_last(&self, node: usize, number: u32) -> Option<usize> {
        let subject = &self.forest.head(node).subject;
        if subject.total.is_none_or(|it| number <= it) {
            return None;
        }
        let above = self.forest.ancestors(node).find_map(|it| self.of.get(&it));
        above.copied().filter(|it| {
            let group = &self.groups[*it];
            let is_version = subject.version.is_none()
                || (group.version, group.fraction) == (subject.version, subject.version_fraction);
            is_version
                && group.who == self.forest.who[node]
                && group.total == subject.total
                && !group.parts.contains_key(&number)
        })
    }

    /// The same version, or a cover that alone says which version it is.
    fn version_fits(&self, index: usize, node: usize) -> bool {
        let group = &self.groups[index];
        let subject = &self.forest.head(node).subject;
        match (group.version, subject.version) {
            (Some(_), None) => group.total == subject.total || subject.number.is_none(),
            (cover, part) => {
                cover.unwrap_or(1) == part.unwrap_or(1)
                    && group.fraction == subject.version_fraction
            }
        }
    }

    /// A group of this thread, sender and version that has the number free: that of the nearest part above,
    /// else one with a common parent or the same count, the newest first.
    fn beside_part(&self, node: usize, number: u32) -> Option<usize> {
        let subject = &self.forest.head(node).subject;
        let fits = |index: usize| {
            let group = &self.groups[index];
            !group.single
                && !group.parts.contains_key(&number)
                && group.total == subject.total
                && group.who == self.forest.who[node]
        };
        let same_version = |index: usize| {
            let group = &self.groups[index];
            group.version.unwrap_or(1) == subject.version.unwrap_or(1)
                && group.fraction == subject.version_fraction
        };
        let above = self
            .forest
            .ancestors(node)
            .filter_map(|it| self.of.get(&it).copied())
            .find(|it| fits(*it) && same_version(*it));
        if above.is_some() {
            return above;
        }
        let bucket = self.buckets.get(&self.bucket(node))?;
        let parents: BTreeSet<usize> = self.forest.parent(node).into_iter().collect();
        let sibling = bucket.iter().rev().copied().find(|it| {
            fits(*it)
                && self.groups[*it].parts.values().any(|part| {
                    self.forest
                        .parent(*part)
                        .is_some_and(|it| parents.contains(&it))
                })
        });
        sibling.or_else(|| bucket.iter().rev().copied().find(|it| fits(*it)))
    }
}
