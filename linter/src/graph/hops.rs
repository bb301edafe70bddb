//! Edges as a person reads them: names as the sources spell them, files and lines.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Through};
use super::roots::RootAt;
use crate::facts::TypeRef;
use crate::finding::{Confidence, Hop, Via};
use crate::lex::{Sym, is_word_byte};

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

/// Why a chain is not sure: what its weakest hop, the first of them, takes for granted.
///
/// `path` is the root's hop and those of `edges`.
pub(super) fn weakest(path: &[Hop], root: &RootAt, edges: &[Edge]) -> Option<String> {
    let least = edges.iter().map(|it| it.confidence).min();
    let least = least.map_or(root.confidence, |it| it.min(root.confidence));
    if least == Confidence::High {
        return None;
    }
    let mut hops = path[1..].iter().zip(edges);
    let Some((hop, edge)) = hops.find(|it| it.1.confidence == least) else {
        let (function, through) = (&path[0].function, &path[0].through);
        return Some(if through.is_empty() {
            format!("another function may be meant by {function}()")
        } else {
            format!("{through} may be another function than {function}() here")
        });
    };
    let function = &hop.function;
    Some(match edge.kind {
        EdgeKind::Ops if !hop.through.is_empty() => {
            let through = &hop.through;
            format!("{through} may be another function than {function}() here")
        }
        EdgeKind::Ops => format!("a pointer may lead to another function than {function}() here"),
        _ => format!("another function of the name {function}() may be meant here"),
    })
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
                // A struct without a tag.
                .or_else(|| resolver.index.spell(near, member))
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

/// The spelling of a name in the body of a macro, or in those of the macros that are named there, with arguments or
/// without.
fn spell_in_macros(resolver: &Resolver<'_, '_>, of: Sym, name: Sym) -> Option<String> {
    let spelled = resolver.spelled.get((of, name), || {
        let mut seen: Vec<Sym> = vec![of];
        let mut at = 0;
        while let Some(next) = seen.get(at).copied() {
            at += 1;
            let definitions: Vec<ItemId> = resolver.index.macros(next).take(8).collect();
            for definition in definitions {
                if let Some(found) = resolver.index.spell(definition, name) {
                    return Some(found);
                }
                let text = resolver.index.item_text(definition);
                for word in text.split(|it| !is_word_byte(*it)) {
                    let word = Sym::of(word);
                    let is_macro = resolver.index.is_macro_name(word.short());
                    if is_macro && seen.len() < MAX_SEARCHED && !seen.contains(&word) {
                        seen.push(word);
                    }
                }
            }
        }
        None
    });
    spelled.as_ref().clone()
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
