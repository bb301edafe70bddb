//! The mails without their copies, their parents, their threads and their senders.

use std::collections::HashMap;
use std::hash::Hash;

use super::head::{Content, Head};
use crate::MessageId;

/// Parents followed upwards: longer chains are loops or attacks.
const MAX_ANCESTORS: usize = 300;

/// Distinct mails as nodes, in an order that does not depend on how they came.
pub(super) struct Forest<'a> {
    pub(super) heads: &'a [Head],
    /// Node to position in `heads`, sorted by date.
    pub(super) nodes: Vec<usize>,
    /// Copies: (position in `heads`, node of the original).
    pub(super) copies: Vec<(usize, usize)>,
    parent: Vec<Option<usize>>,
    /// Equal for all mails connected by references, also through mails that are not here.
    pub(super) thread: Vec<usize>,
    /// Equal for mails of one sender.
    pub(super) who: Vec<usize>,
}

impl<'a> Forest<'a> {
    pub(super) fn new(heads: &'a [Head]) -> Self {
        let (nodes, copies) = distinct(heads);
        let mut by_id: HashMap<&MessageId, usize> = HashMap::new();
        for (node, index) in nodes.iter().enumerate() {
            let head = &heads[*index];
            for id in std::iter::once(&head.id).chain(&head.other_ids) {
                by_id.entry(id).or_insert(node);
            }
        }
        let parent = nodes
            .iter()
            .enumerate()
            .map(|(node, index)| {
                let head = &heads[*index];
                // Where the parent never came, the next reference upwards stands in for it.
                head.parent
                    .iter()
                    .chain(head.references.iter().rev())
                    .find_map(|id| by_id.get(id).copied())
                    .filter(|it| *it != node)
            })
            .collect();
        let thread = threads(heads, &nodes);
        let who = senders(heads, &nodes);
        Self {
            heads,
            nodes,
            copies,
            parent,
            thread,
            who,
        }
    }

    pub(super) fn head(&self, node: usize) -> &'a Head {
        &self.heads[self.nodes[node]]
    }

    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        self.parent[node]
    }

    /// Parent, grandparent and so on; bounded, so that loops end.
    pub(super) fn ancestors(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent[node], |it| self.parent[*it])
            .take(MAX_ANCESTORS)
            .take_while(move |it| *it != node)
    }
}

/// Splits heads into originals, sorted by date, and copies.
///
/// Two mails with a common id are copies if title, number and diff are the same too: some senders use one id
/// for different mails, and both must be kept.
fn distinct(heads: &[Head]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut order: Vec<usize> = (0..heads.len()).collect();
    order.sort_unstable_by(|one, other| {
        let key = |it: &usize| {
            let head = &heads[*it];
            let arrived = head.archived.unwrap_or(head.date);
            (arrived, head.date, &head.raw_hash, &head.id)
        };
        key(one).cmp(&key(other))
    });
    let whole = with_diff(heads, &order);
    let mut originals: HashMap<(&MessageId, &str), usize> = HashMap::new();
    let mut nodes = Vec::with_capacity(heads.len());
    let mut copies = Vec::new();
    for index in order {
        let head = &heads[index];
        let ids = || std::iter::once(&head.id).chain(&head.other_ids);
        let known = ids().find_map(|id| originals.get(&(id, head.content_hash.as_str())).copied());
        // A list that cut the mail short before its diff gave it another content.
        let is_cut = head.content != Content::Diff && head.subject.patch;
        let cut = is_cut.then(|| whole.get(&named(head)).copied()).flatten();
        if let Some(original) = known.or(cut) {
            copies.push((index, original));
            continue;
        }
        for id in ids() {
            originals
                .entry((id, head.content_hash.as_str()))
                .or_insert(index);
        }
        nodes.push(index);
    }
    nodes.sort_unstable_by(|one, other| {
        let key = |it: &usize| {
            let head = &heads[*it];
            (head.date, head.subject.number, &head.raw_hash, &head.id)
        };
        key(one).cmp(&key(other))
    });
    let node_of: HashMap<usize, usize> = nodes
        .iter()
        .enumerate()
        .map(|(node, index)| (*index, node))
        .collect();
    // An original may itself turn out to be the copy of a mail with a further id.
    let copy_of: HashMap<usize, usize> = copies.iter().copied().collect();
    let copies = copies
        .into_iter()
        .map(|(index, original)| {
            let mut original = original;
            while let Some(other) = copy_of.get(&original) {
                original = *other;
            }
            (index, node_of[&original])
        })
        .collect();
    (nodes, copies)
}

type Named<'a> = (&'a MessageId, &'a str, Option<u32>);

/// What a mail calls itself.
fn named(head: &Head) -> Named<'_> {
    (&head.id, &head.title, head.subject.number)
}

/// The first mail with a diff under each name.
fn with_diff<'a>(heads: &'a [Head], order: &[usize]) -> HashMap<Named<'a>, usize> {
    let mut whole = HashMap::new();
    let with_diff = order
        .iter()
        .filter(|it| heads[**it].content == Content::Diff);
    for index in with_diff {
        whole.entry(named(&heads[*index])).or_insert(*index);
    }
    whole
}

fn threads(heads: &[Head], nodes: &[usize]) -> Vec<usize> {
    let mut sets = Sets::new();
    let mut firsts = Vec::with_capacity(nodes.len());
    for index in nodes {
        let head = &heads[*index];
        let first = sets.of(head.id.as_str());
        for id in head.other_ids.iter().chain(&head.references) {
            let other = sets.of(id.as_str());
            sets.join(first, other);
        }
        firsts.push(first);
    }
    firsts.into_iter().map(|it| sets.find(it)).collect()
}

/// One person may write from one address under several names, and under one full name from several addresses.
fn senders(heads: &[Head], nodes: &[usize]) -> Vec<usize> {
    let mut sets = Sets::new();
    let mut firsts = Vec::with_capacity(nodes.len());
    for index in nodes {
        let submitter = &heads[*index].submitter;
        let first = sets.of(submitter.key());
        if let Some(name) = submitter.name_key() {
            let other = sets.of(name);
            sets.join(first, other);
        }
        firsts.push(first);
    }
    firsts.into_iter().map(|it| sets.find(it)).collect()
}

/// Disjoint sets of ids or names.
struct Sets<K> {
    index: HashMap<K, usize>,
    parent: Vec<usize>,
}

impl<K: Hash + Eq> Sets<K> {
    fn new() -> Self {
        Self {
            index: HashMap::new(),
            parent: Vec::new(),
        }
    }

    fn of(&mut self, key: K) -> usize {
        let new = self.parent.len();
        let found = *self.index.entry(key).or_insert(new);
        if found == new {
            self.parent.push(new);
        }
        found
    }

    fn find(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        // The smaller index wins, so that the result does not depend on who came first.
        let (low, high) = (one.min(other), one.max(other));
        self.parent[high] = low;
    }
}
