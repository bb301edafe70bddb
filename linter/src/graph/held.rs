//! Functions that are called where nothing may sleep: under a spinlock, in an RCU read side.

use rayon::prelude::*;

use super::index::ItemId;
use super::resolve::{EdgeKind, Resolver, Target, Through};
use super::roots::RootAt;
use super::values::Entry;
use crate::lex::{Sym, is_word_byte};
use crate::syntax::locks::{self, HeldCall, LockEffect};

/// What stands in the text of each function that takes or gives back such a lock.
const WORDS: &[&str] = &["_lock", "_unlock", "_disable", "_enable", "_irq_", "guard("];

/// Callees are looked at this deep for what they do with a lock.
const MAX_DEPTH: u32 = 2;

/// The callees of calls that are made with a lock held.
///
/// One that gives the lock back is none: what it does before that is seen in itself.
pub(super) fn called_under_locks(resolver: &Resolver<'_, '_>) -> Vec<RootAt> {
    let index = resolver.index;
    let callers: Vec<ItemId> = index
        .function_ids()
        .filter(|it| resolver.sieve.passes(*it))
        .filter(|it| index.file_of(*it).at_home && !index.file_of(*it).is_foreign)
        .filter(|it| speaks_of_locks(index.item_text(*it)))
        .collect();
    let parts: Vec<Vec<RootAt>> = callers
        .par_iter()
        .map(|it| called_by(resolver, *it))
        .collect();
    parts.into_iter().flatten().collect()
}

/// Whether a function gives back a lock that its caller took: whatever it calls then may sleep.
pub(super) fn gives_back(resolver: &Resolver<'_, '_>, function: ItemId) -> bool {
    effect(resolver, function, 0).gives
}

/// The calls of a function that run where nothing may sleep.
pub(crate) fn held_calls(resolver: &Resolver<'_, '_>, caller: ItemId) -> Vec<HeldCall> {
    let index = resolver.index;
    let parsed = index.parse(caller);
    let root = parsed.as_ref().and_then(|it| it.tree.as_ref());
    root.map_or(Vec::new(), |it| {
        let file = index.file_index(caller);
        let of_callee = |name: &str| effect_of_name(resolver, name, file, 0);
        locks::calls_under_locks(it.root_node(), index.item_text(caller), &of_callee)
    })
}

/// What a function does with locks that its caller holds, seen from its text and from that of its callees.
fn effect(resolver: &Resolver<'_, '_>, function: ItemId, depth: u32) -> LockEffect {
    *resolver.lock_effects.get((function, depth), || {
        let index = resolver.index;
        let text = index.item_text(function);
        if depth == MAX_DEPTH && !speaks_of_locks(text) {
            return LockEffect::default();
        }
        let parsed = index.parse(function);
        let root = parsed.as_ref().and_then(|it| it.tree.as_ref());
        root.map_or(LockEffect::default(), |it| {
            let file = index.file_index(function);
            let of_callee = |name: &str| effect_of_name(resolver, name, file, depth + 1);
            locks::effect(it.root_node(), text, &of_callee)
        })
    })
}

fn effect_of_name(resolver: &Resolver<'_, '_>, name: &str, file: usize, depth: u32) -> LockEffect {
    let mut effect = LockEffect::default();
    if depth <= MAX_DEPTH {
        let name = Sym::of(name);
        let mut meant: Vec<ItemId> = Vec::new();
        meant.extend(resolver.functions_in(name, file).iter().map(|it| it.0));
        if meant.is_empty() {
            meant = resolver.macros_in(name, file);
        }
        for it in meant {
            let of_one = self::effect(resolver, it, depth);
            effect.gives |= of_one.gives;
            effect.takes |= of_one.takes;
        }
    }
    effect
}

fn called_by(resolver: &Resolver<'_, '_>, caller: ItemId) -> Vec<RootAt> {
    let index = resolver.index;
    let held = held_calls(resolver, caller);
    if held.is_empty() {
        return Vec::new();
    }
    let facts = resolver.facts(caller);
    let mut found = Vec::new();
    for edge in resolver.edges(caller).iter() {
        let at = |it: &&HeldCall| it.offset == edge.offset as usize;
        let (Some(call), Target::Function(target)) = (held.iter().find(at), edge.target) else {
            continue;
        };
        let is_called = !matches!(edge.kind, EdgeKind::Deferred(_));
        if is_called && resolver.sieve.passes(target) && !gives_back(resolver, target) {
            found.push(RootAt {
                function: target,
                item: caller,
                offset: edge.offset,
                through: lock_in(index.item_text(caller), &call.reason),
                confidence: edge.confidence,
                domain: index.file_of(caller).domain,
                is_shared: false,
                entry: resolver.entry((caller, edge), &facts, Entry::ANY),
            });
        }
    }
    found
}

/// How the text spells the call that took the lock of a reason; nothing where the caller's caller did.
fn lock_in(text: &[u8], reason: &str) -> Through {
    let name = reason.split('(').next().unwrap_or_default().as_bytes();
    let mut words = text.split(|it| !is_word_byte(*it));
    let taken = words.find(|it| it.strip_prefix(b"raw_").unwrap_or(it).starts_with(name));
    taken.map_or(Through::Nothing, |it| Through::Name(Sym::of(it)))
}

fn speaks_of_locks(text: &[u8]) -> bool {
    WORDS
        .iter()
        .any(|it| memchr::memmem::find(text, it.as_bytes()).is_some())
}
