//! Edges as a person reads them: names as the sources spell them, files and lines.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Through};
use super::roots::RootAt;
use crate::facts::{Callee, Expr, TypeRef};
use crate::finding::{Hop, Via};
use crate::lex::Sym;

pub(super) fn root_hop(resolver: &Resolver<'_, '_>, root: &RootAt) -> Hop {
    Hop {
        function: resolver.index.name_of(root.function),
        file: resolver.index.file_of(root.item).path.clone(),
        line: resolver.index.position(root.item, root.offset).0,
        via: Via::Root,
        through: spell(resolver, root.item, root.through),
    }
}

pub(crate) fn hop(resolver: &Resolver<'_, '_>, from: ItemId, edge: &Edge, to: ItemId) -> Hop {
    let via = match edge.kind {
        EdgeKind::Direct | EdgeKind::Deferred(_) => Via::Direct,
        EdgeKind::Ops => Via::Ops,
        EdgeKind::Callback => Via::Callback,
        EdgeKind::Macro => Via::Macro,
    };
    Hop {
        function: resolver.index.name_of(to),
        file: resolver.index.file_of(from).path.clone(),
        line: resolver.index.position(from, edge.offset).0,
        via,
        through: spell(resolver, from, edge.through),
    }
}

/// The text of what an edge goes through, as the sources spell it.
pub(crate) fn spell(resolver: &Resolver<'_, '_>, near: ItemId, through: Through) -> String {
    match through {
        Through::Nothing => String::new(),
        Through::Name(name) => resolver
            .index
            .spell(near, name)
            .or_else(|| spell_defined(resolver, name))
            .unwrap_or_default(),
        Through::Member(of, member) => {
            let (TypeRef::Tag(tag) | TypeRef::Name(tag)) = of else {
                return resolver.index.spell(near, member).unwrap_or_default();
            };
            let mut definitions = resolver.index.types(tag);
            definitions
                .find_map(|it| {
                    Some(format!(
                        "{}.{}",
                        resolver.index.spell(it, tag)?,
                        resolver.index.spell(it, member)?
                    ))
                })
                // A part of a kernel may use a struct that it does not define.
                .or_else(|| {
                    Some(format!(
                        "{}.{}",
                        resolver.index.spell(near, tag)?,
                        resolver.index.spell(near, member)?
                    ))
                })
                .unwrap_or_default()
        }
    }
}

/// The spelling of a callee that the tree does not define: it stands in the caller or in a macro on the way.
pub(crate) fn spell_called(
    resolver: &Resolver<'_, '_>,
    caller: ItemId,
    through: Through,
    name: Sym,
) -> String {
    let in_macros = || match through {
        Through::Name(first) => spell_in_macros(resolver, first, name),
        _ => None,
    };
    resolver
        .index
        .spell(caller, name)
        .or_else(in_macros)
        .or_else(|| spell_defined(resolver, name))
        .unwrap_or_default()
}

/// Macros that are searched for a spelling: a name that is pasted together stands in none.
const MAX_SEARCHED: usize = 256;

fn spell_in_macros(resolver: &Resolver<'_, '_>, of: Sym, name: Sym) -> Option<String> {
    let mut seen: Vec<Sym> = vec![of];
    let mut at = 0;
    while let Some(next) = seen.get(at).copied() {
        at += 1;
        let definitions: Vec<ItemId> = resolver.index.macros(next).take(8).collect();
        for definition in definitions {
            if let Some(found) = resolver.index.spell(definition, name) {
                return Some(found);
            }
            let facts = resolver.facts(definition);
            let alias = match facts.result {
                Expr::Name(other) => Some(other),
                _ => None,
            };
            let calls = facts.calls.iter().filter_map(|it| match it.callee {
                Callee::Name(callee) => Some(callee),
                _ => None,
            });
            for callee in calls.chain(alias) {
                if seen.len() < MAX_SEARCHED && !seen.contains(&callee) {
                    seen.push(callee);
                }
            }
        }
    }
    None
}

/// The first hop of a chain that starts anywhere.
pub(crate) fn start_hop(resolver: &Resolver<'_, '_>, function: ItemId) -> Hop {
    Hop {
        function: resolver.index.name_of(function),
        file: resolver.index.file_of(function).path.clone(),
        line: resolver
            .index
            .position(function, resolver.index.name_offset(function))
            .0,
        via: Via::Root,
        through: String::new(),
    }
}

fn spell_defined(resolver: &Resolver<'_, '_>, name: Sym) -> Option<String> {
    resolver
        .index
        .functions(name)
        .chain(resolver.index.macros(name))
        .chain(resolver.index.objects(name))
        .find_map(|it| resolver.index.spell(it, name))
}
