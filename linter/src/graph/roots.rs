//! Where a context begins: members of ops tables, named functions, workers, callbacks.

use rayon::prelude::*;

use super::domains::Domain;
use super::index::ItemId;
use super::resolve::{EdgeKind, Resolver, Target, Through};
use crate::contexts::{Context, RootKind};
use crate::facts::{Callee, TypeRef};
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::{RefKind, Sym};

/// An entry point with where it is registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct RootAt {
    pub(super) function: ItemId,
    pub(super) item: ItemId,
    pub(super) offset: u32,
    pub(super) through: Through,
    pub(super) confidence: Confidence,
    pub(super) domain: Domain,
    pub(super) is_shared: bool,
}

/// The entry points of a context in this tree, each function once.
pub(super) fn roots(resolver: &Resolver<'_, '_>, context: &Context) -> Vec<RootAt> {
    let mut found: Vec<RootAt> = Vec::new();
    for root in context.roots {
        let before = found.len();
        match root.kind {
            RootKind::Member { structure, member } => {
                let (tag, name) = (TypeRef::Tag(Sym::of(structure)), Sym::of(member));
                found.extend(resolver.entries(tag, name).iter().map(|it| RootAt {
                    function: it.function,
                    item: it.item,
                    offset: it.offset,
                    through: Through::Member(tag, name),
                    confidence: it.confidence,
                    domain: if it.domain == Domain::GENERIC {
                        Domain::PRIVATE
                    } else {
                        it.domain
                    },
                    is_shared: false,
                }));
            }
            RootKind::Function { name, under } | RootKind::Work { name, under } => {
                // A worker of generic code works for whoever queued: that one's tables are entry points of their own.
                let domain = if matches!(root.kind, RootKind::Work { .. }) {
                    Domain::PRIVATE
                } else {
                    Domain::GENERIC
                };
                let named = resolver.index.functions(Sym::of(name));
                found.extend(
                    named
                        .filter(|it| resolver.index.file_of(*it).path.as_str().starts_with(under))
                        .map(|it| RootAt {
                            function: it,
                            item: it,
                            offset: resolver.index.name_offset(it),
                            through: Through::Nothing,
                            confidence: Confidence::High,
                            domain,
                            is_shared: false,
                        }),
                );
            }
            RootKind::Argument { function, index } => {
                found.extend(passed_to(resolver, Sym::of(function), index));
            }
            // Lies within functions: `check` asks each of them.
            RootKind::NoSleep => {}
            RootKind::Deferred(runner) => found.extend(deferred_to(resolver, runner)),
        }
        found[before..]
            .iter_mut()
            .for_each(|it| it.is_shared = root.is_shared);
    }
    found.retain(|it| {
        resolver.sieve.passes(it.function) && !resolver.index.file_of(it.item).is_foreign
    });
    found.sort_by_key(|it| {
        (
            it.function,
            it.domain,
            it.is_shared,
            std::cmp::Reverse(it.confidence),
            it.item,
            it.offset,
        )
    });
    found.dedup_by_key(|it| (it.function, it.domain));
    found
}

fn callers_of(resolver: &Resolver<'_, '_>, name: Sym) -> Vec<ItemId> {
    let wanted = crate::lex::Ref::new(RefKind::Call, name);
    let index = resolver.index;
    index
        .slots()
        .flat_map_iter(|file| {
            index
                .items(file)
                .filter(|(id, item)| {
                    item.kind == crate::lex::ItemKind::Function
                        && index.refs(*id).binary_search(&wanted).is_ok()
                })
                .map(|it| it.0)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn passed_to(resolver: &Resolver<'_, '_>, function: Sym, argument: usize) -> Vec<RootAt> {
    let mut found = Vec::new();
    for caller in callers_of(resolver, function) {
        let facts = resolver.facts(caller);
        let file = resolver.index.file_index(caller);
        for call in facts
            .calls
            .iter()
            .filter(|it| it.callee == Callee::Name(function))
        {
            let names = call
                .args
                .get(argument)
                .map(super::resolve::named_values)
                .unwrap_or_default();
            for name in names.into_iter().filter(|it| !facts.declares(*it)) {
                for (target, confidence) in resolver.functions_in(name, file).to_vec() {
                    found.push(RootAt {
                        function: target,
                        item: caller,
                        offset: call.offset,
                        through: Through::Name(function),
                        confidence,
                        domain: resolver.index.file_of(caller).domain,
                        is_shared: false,
                    });
                }
            }
        }
    }
    found
}

fn deferred_to(resolver: &Resolver<'_, '_>, runner: kernel::Runner) -> Vec<RootAt> {
    let mut names: Vec<&str> = kernel::DEFERRALS
        .iter()
        .filter(|it| it.runner == runner)
        .map(|it| it.name)
        .collect();
    names.dedup();
    let mut callers: Vec<ItemId> = names
        .iter()
        .flat_map(|it| callers_of(resolver, Sym::of(it)))
        .collect();
    callers.sort_unstable();
    callers.dedup();
    let mut found = Vec::new();
    for caller in callers {
        for edge in resolver
            .edges(caller)
            .iter()
            .filter(|it| it.kind == EdgeKind::Deferred(runner))
        {
            if let Target::Function(target) = edge.target {
                found.push(RootAt {
                    function: target,
                    item: caller,
                    offset: edge.offset,
                    through: edge.through,
                    confidence: edge.confidence,
                    domain: resolver.index.file_of(caller).domain,
                    is_shared: false,
                });
            }
        }
    }
    found
}
