//! What makes a file beside the filesystem side matter: a few words, and tables or functions that are entry points.

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem::Finder;
use rustc_hash::{FxHashMap, FxHashSet};

use super::image::Image;
use super::work::COUNTED;
use crate::contexts::{Context, RootKind};
use crate::lex::{FileScan, ItemKind, RefKind, Sym};

/// Finds whether any of some words stands in a text.
pub(super) enum Search {
    /// One after the other, which is faster up to a few.
    Few(Vec<Finder<'static>>),
    /// All at once.
    Vectorised(Vec<packed::Searcher>),
    /// Where the processor cannot do that.
    Automaton(AhoCorasick),
}

impl Search {
    pub(super) fn new(words: &[&str]) -> Self {
        const FEW: usize = 4;
        // Vectorised search takes some dozens of words; the automaton takes any number, at a third of the speed.
        const VECTOR_WORDS: usize = 32;
        if words.len() <= FEW {
            let words = words.iter();
            return Self::Few(words.map(|it| Finder::new(it).into_owned()).collect());
        }
        let searcher = |it: &[&str]| {
            packed::Config::new()
                .heuristic_pattern_limits(false)
                .builder()
                .extend(it)
                .build()
        };
        let vectorised: Option<Vec<_>> = words.chunks(VECTOR_WORDS).map(searcher).collect();
        vectorised.map_or_else(
            || Self::Automaton(AhoCorasick::new(words).expect("a few dozen short words")),
            Self::Vectorised,
        )
    }

    pub(super) fn finds(&self, text: &[u8]) -> bool {
        match self {
            Self::Few(all) => all.iter().any(|it| it.find(text).is_some()),
            Self::Vectorised(all) => all.iter().any(|it| it.find(text).is_some()),
            Self::Automaton(all) => all.is_match(text),
        }
    }
}

/// How a file shows that it holds an entry point.
pub(super) struct Registers {
    /// Member to the tags of the structs that hold it.
    members: FxHashMap<u32, FxHashSet<Sym>>,
    /// Members that may be set by assignment: hardly any other type has a pointer of that name.
    pub(super) own: Vec<u32>,
    /// Members of roots that may be among them, in order.
    telling: Vec<u32>,
    functions: FxHashSet<Sym>,
    pub(super) words: Vec<&'static str>,
}

impl Registers {
    pub(super) fn new(contexts: &[&Context], own: Vec<u32>) -> Self {
        let mut this = Self {
            members: FxHashMap::default(),
            own,
            telling: telling_members(contexts),
            functions: FxHashSet::default(),
            words: COUNTED.to_vec(),
        };
        for root in contexts.iter().flat_map(|it| it.roots) {
            match root.kind {
                RootKind::Member { structure, member } => {
                    let name = Sym::of(member).short();
                    this.members
                        .entry(name)
                        .or_default()
                        .insert(Sym::of(structure));
                    // What sets a member names it; a struct is named as well where the member may be another's.
                    let is_own = this.own.binary_search(&name).is_ok();
                    this.words.push(if is_own { member } else { structure });
                }
                RootKind::Function { name, .. } | RootKind::Work { name, .. } => {
                    this.functions.insert(Sym::of(name));
                    this.words.push(name);
                }
                RootKind::Argument { .. }
                | RootKind::Queued { .. }
                | RootKind::Deferred(_)
                | RootKind::NoSleep => {}
            }
        }
        this.words.sort_unstable();
        this.words.dedup();
        this
    }

    pub(super) fn holds(&self, scan: &FileScan, known: &dyn Fn(u32) -> bool) -> bool {
        let own: FxHashSet<u32> = scan
            .items
            .iter()
            .filter(|it| it.kind == ItemKind::Function)
            .map(|it| it.name.short())
            .collect();
        scan.items.iter().enumerate().any(|(at, item)| {
            (item.kind == ItemKind::Function && self.functions.contains(&item.name))
                || scan.pairs(at).iter().any(|[member, value]| {
                    self.members.get(member).is_some_and(|it| {
                        if item.kind == ItemKind::Object {
                            it.contains(&item.tag)
                        } else {
                            self.own.binary_search(member).is_ok()
                        }
                    }) && (own.contains(value) || known(*value))
                })
        })
    }

    /// Whether the types of a file declare other members than those of the file of an image that it stands for, so
    /// that a member of roots may not be a root's own any more, or be by now.
    pub(super) fn declares_otherwise(
        &self,
        scan: &FileScan,
        image: &Image,
        old: Option<usize>,
    ) -> bool {
        let (now, was) = (self.declared(scan), self.declared_in(image, old));
        let count = |all: &[u32], it: u32| all.iter().filter(|other| **other == it).count();
        self.telling.iter().any(|it| {
            let (now, was) = (count(&now, *it), count(&was, *it));
            // What few declare stays so where it is declared less often, and what many declare where it is more often.
            let is_own = self.own.binary_search(it).is_ok();
            if is_own { now > was } else { now < was }
        })
    }

    /// The members of roots that the types of a file declare, sorted, each time.
    fn declared(&self, scan: &FileScan) -> Vec<u32> {
        let types = scan.items.iter().enumerate();
        let refs = types
            .filter(|it| it.1.kind == ItemKind::Type)
            .flat_map(|it| scan.refs(it.0));
        self.root_members(refs)
    }

    /// As [`Registers::declared`], for a file of an image.
    pub(super) fn declared_in(&self, image: &Image, file: Option<usize>) -> Vec<u32> {
        let items = file.map_or(0..0, |it| image.first_item[it]..image.first_item[it + 1]);
        let refs = items
            .filter(|it| image.items.get(*it).kind == ItemKind::Type)
            .flat_map(|it| image.refs(it));
        self.root_members(refs)
    }

    fn root_members<'r>(&self, refs: impl Iterator<Item = &'r crate::lex::Ref>) -> Vec<u32> {
        let mut found: Vec<u32> = refs
            .filter(|it| it.kind() == RefKind::Declares)
            .map(|it| it.name())
            .filter(|it| self.telling.binary_search(it).is_ok())
            .collect();
        found.sort_unstable();
        found
    }
}

/// The members of roots whose name alone may tell whose they are, as [`Sym::short`], in order.
pub(super) fn telling_members(contexts: &[&Context]) -> Vec<u32> {
    let roots = contexts.iter().flat_map(|it| it.roots);
    let members = roots.filter_map(|it| match it.kind {
        RootKind::Member { member, .. } if member.contains('_') => Some(Sym::of(member).short()),
        _ => None,
    });
    let mut found: Vec<u32> = members.collect();
    found.sort_unstable();
    found.dedup();
    found
}
