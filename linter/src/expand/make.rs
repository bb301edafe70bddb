//! Which uses are expanded, and how what they make becomes part of a file.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::applied::Appliers;
use super::definition::Definition;
use super::made::{Made, Span};
use super::makers::{Definers, Macros};
use super::stages::{Tracepoints, is_of_tracepoints};
use super::text::{Definitions as _, Expander, close_of};
use super::view::{ARCH, View};
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::lex::{self, FileScan, Item, ItemKind, Ref, RefKind, Sym, flags};
use crate::tree::TreeSource;
use crate::turns::InTurns as _;
use crate::warm::{ContentKey, Warm};

/// Definitions of one name that are all expanded: arms of `#if`, and one an architecture.
const MAX_TWINS: usize = 6;
/// Names that stand for other names are followed through this many.
const MAX_OTHER_NAMES: u32 = 4;
/// A file grows by this many bytes at most.
const MAX_GROWTH: usize = 8 << 20;

/// Expands what the files' macro uses make, and puts it behind them.
///
/// Only files for which `grows` says so; the others hold definitions. Returns the names of macros on which the result
/// depends.
pub(crate) fn grow(
    tree: &dyn TreeSource,
    warm: &Warm,
    files: &mut [ReadFile],
    (tracepoints, beside): (Option<Tracepoints<'_>>, &Beside<'_>),
    grows: &(dyn Fn(&SourceFile) -> bool + Sync),
) -> Deciding {
    let all = Arc::new(Definers::of(files));
    let mut macros = Macros::find(tree, warm, (files, &all), tracepoints, grows);
    macros.tracepoints = tracepoints.is_some();
    macros.stages = macros.stages(files);
    let mut growing: Vec<(usize, Vec<usize>)> = (0..files.len())
        .into_par_iter()
        .in_turns()
        .filter(|it| grows(&files[*it].source))
        .filter_map(|file| Some((file, macros.uses(&files[file])?)))
        .collect();
    // The file with the most to do must not be the last that is begun.
    growing.sort_by_key(|it| std::cmp::Reverse(it.1.len()));
    let grown: Vec<(usize, Growth)> = growing
        .into_par_iter()
        .with_max_len(1)
        .filter_map(|(file, uses)| {
            let is_staged = tracepoints.is_some_and(|it| it.hold(&files[file]));
            let grown = |own: &[u8]| macros.growth(files, (file, own, uses), is_staged);
            Some((file, macros.with_text(&files[file].source, grown)?))
        })
        .collect();
    for (file, growth) in grown {
        let file = &mut files[file];
        file.scan = Arc::new(growth.scan);
        file.source.is_read = true;
        file.source.made = Some(Box::new(growth.made));
    }
    let chosen = macros.chosen.seen();
    let mut names = macros.names;
    names.extend(&chosen);
    if tracepoints.is_some() {
        super::renamed::grow(tree, warm, files);
    }
    names.extend(super::rows::grow(tree, warm, (files, &all), beside, grows));
    let mut deciding = super::calls::grow(tree, warm, (files, &all), beside, grows);
    deciding.chosen = chosen;
    deciding.making.extend(names);
    deciding.making.sort_unstable();
    deciding.making.dedup();
    deciding
}

/// What is known of the files beside those that are read.
pub(crate) struct Beside<'a> {
    /// Who calls parameters there.
    pub(crate) appliers: &'a Appliers,
    /// Whether functions of a name, as [`Sym::short`], are there.
    pub(crate) has_function: &'a (dyn Fn(u32) -> bool + Sync),
    /// Whether macros of a name, likewise, make names of what they are given, where that is as it was.
    pub(crate) pastes: &'a (dyn Fn(u32) -> Option<bool> + Sync),
}

/// The macros on which depends what macros make, as [`Sym::short`], in order.
pub(crate) struct Deciding {
    pub(crate) making: Vec<u32>,
    /// Those among them that were looked for because their names were pasted, in no order.
    pub(crate) chosen: Vec<u32>,
    /// Those among them that may make the names of what is called: twice the name, and one more where they make
    /// them of what they are given.
    pub(crate) pasting: Vec<u32>,
    /// The functions and macros that call their parameters and did not before, likewise.
    pub(crate) applying: Vec<u32>,
}

struct Growth {
    scan: FileScan,
    made: Made,
}

/// The names that refs call, as [`Sym::short`].
pub(crate) fn called(refs: &[Ref]) -> impl Iterator<Item = u32> {
    let calls = refs.iter().filter(|it| it.kind() == RefKind::Call);
    calls.map(|it| it.name())
}

/// The names that refs mention as values, as [`Sym::short`].
pub(crate) fn mentioned(refs: &[Ref]) -> impl Iterator<Item = u32> {
    let mentions = refs.iter().filter(|it| it.kind() == RefKind::Mention);
    mentions.map(|it| it.name())
}

/// What refs call, and what they may hand to a macro that calls it, as [`Sym::short`].
pub(crate) fn named(refs: &[Ref]) -> impl Iterator<Item = u32> {
    called(refs).chain(mentioned(refs))
}

/// Whether an item is a use of a macro that may make something.
pub(crate) fn is_use(item: &Item) -> bool {
    item.kind == ItemKind::MacroUse
        || (item.kind == ItemKind::Function && item.flags & flags::MACRO_HEAD != 0)
}

impl Macros<'_> {
    /// The uses in a file that may make something; `None` where there are none.
    fn uses(&self, source: &ReadFile) -> Option<Vec<usize>> {
        if !self.tracepoints && is_of_tracepoints(&source.scan) {
            return None;
        }
        let uses: Vec<usize> = source
            .scan
            .items
            .iter()
            .enumerate()
            .filter(|(at, it)| {
                is_use(it)
                    && (self.makers.iter().any(|makers| makers.contains(&it.name))
                        || self.choosers.contains(&it.name)
                        || it.kind == ItemKind::Function && self.by_name.contains_key(&it.name)
                        || self.applies_a_maker(&source.scan, *at))
            })
            .map(|it| it.0)
            .collect();
        (!uses.is_empty()).then_some(uses)
    }

    /// What the uses of a file make; `None` where they make nothing.
    fn growth(
        &self,
        files: &[ReadFile],
        (file, own, uses): (usize, &[u8], Vec<usize>),
        is_staged: bool,
    ) -> Option<Growth> {
        let source = &files[file];
        let functions = source.scan.items.iter();
        let functions = functions
            .filter(|it| it.kind == ItemKind::Function && it.flags & flags::MACRO_HEAD == 0);
        let functions: FxHashSet<Sym> = functions.map(|it| it.name).collect();
        let start = own.len() as u32;
        let mut text: Vec<u8> = Vec::new();
        let mut scan = FileScan::clone(&source.scan);
        let mut spans = Vec::new();
        let stages = self.stages.iter().filter(|_| is_staged).map(Some);
        let views = std::iter::once(None).chain(stages);
        let mut views: Vec<View<'_, '_>> = views
            .map(|it| View::new(self, files, (file, own), &functions, it))
            .collect();
        for at in uses {
            let item = source.scan.items[at];
            let made = views.iter_mut().map(|it| self.expansions(it, &item));
            let mut expansions: Vec<Vec<u8>> = made.flatten().collect();
            expansions.sort_unstable();
            expansions.dedup();
            for expansion in expansions {
                if text.len() + expansion.len() > MAX_GROWTH {
                    break;
                }
                let is_head = item.kind == ItemKind::Function;
                let mut part = expansion;
                let head = part.len();
                if is_head {
                    part.extend_from_slice(&own[item.body as usize..item.end as usize]);
                }
                let base = start + text.len() as u32 + 1;
                if append(&mut scan, &part, base, is_head.then_some(head as u32)) {
                    spans.push(Span {
                        at: base,
                        origin: item.start,
                        is_copy: false,
                    });
                    if is_head {
                        spans.push(Span {
                            at: base + head as u32,
                            origin: item.body,
                            is_copy: true,
                        });
                        scan.items[at].kind = ItemKind::MacroUse;
                    }
                    text.push(b'\n');
                    text.extend_from_slice(&part);
                }
            }
        }
        let made = Made {
            key: ContentKey::of_text(&text),
            text,
            start,
            spans,
        };
        (!made.text.is_empty()).then_some(Growth { scan, made })
    }

    /// The texts that a use may stand for: one a definition, equal ones once.
    fn expansions(&self, view: &mut View<'_, '_>, item: &Item) -> Vec<Vec<u8>> {
        let own = view.text;
        let open = item.kind == ItemKind::MacroUse;
        let head = &own[item.start as usize..if open { item.end } else { item.body } as usize];
        let Some(open) = head.iter().position(|it| *it == b'(') else {
            return Vec::new();
        };
        let close = close_of(head, open);
        let name_end = head[..open].trim_ascii_end().len();
        let name_start = head[..name_end]
            .iter()
            .rposition(|it| !lex::is_word_byte(*it))
            .map_or(0, |it| it + 1);
        let (before, name, args) = (
            &head[..name_start],
            &head[name_start..name_end],
            &head[open + 1..close.saturating_sub(1).max(open + 1)],
        );
        let mut found: Vec<Vec<u8>> = Vec::new();
        let mut take = |expanded: Option<Vec<u8>>| {
            let expanded = expanded.map(|it| [before, &it[..]].concat());
            if let Some(expanded) = expanded.filter(|it| !found.contains(it)) {
                found.push(expanded);
            }
        };
        self.each_expansion(view, (name, args), MAX_OTHER_NAMES, &mut take);
        found
    }

    /// Calls `take` with the texts that `name(args)` may stand for; other names are followed through so many.
    fn each_expansion(
        &self,
        view: &mut View<'_, '_>,
        (name, args): (&[u8], &[u8]),
        names: u32,
        take: &mut dyn FnMut(Option<Vec<u8>>),
    ) {
        let (files, file, own) = (view.files, view.file, view.text);
        let follow = |view: &mut View<'_, '_>,
                      definition: &Definition,
                      take: &mut dyn FnMut(Option<Vec<u8>>)| {
            let other = definition.other_name();
            if let (Some(other), Some(left)) = (other, names.checked_sub(1)) {
                self.each_expansion(view, (other, args), left, take);
            }
            other.is_some()
        };
        if view.stage.is_some() {
            if let Some(definition) = view.find(name)
                && !follow(view, &definition, take)
            {
                take(Expander::new(view).expand_use(name, &definition, args));
            }
            return;
        }
        let candidates = self.candidates(files, Sym::of(name), file);
        let nearest = candidates.first().map_or(u8::MAX, |it| it.0);
        // An architecture's definition goes before one that says so.
        let guard = [b"#ifndef ", name].concat();
        let has_more = nearest < ARCH && candidates.iter().any(|it| it.0 == ARCH);
        let yields = has_more && (nearest > 1 || memchr::memmem::find(own, &guard).is_some());
        let near = candidates.iter().filter(|it| it.0 == nearest);
        let of_arch = candidates.iter().filter(|it| yields && it.0 == ARCH);
        for (_, place) in near.take(MAX_TWINS).chain(of_arch.take(MAX_TWINS)) {
            let Some(definition) = self.own_definition(files, *place, (file, own)) else {
                continue;
            };
            if follow(view, &definition, take) {
                continue;
            }
            view.arch = false;
            view.saw_arch.set(false);
            let use_of = (name, *place, &*definition);
            take(self.expanded(view, use_of, args));
            if view.saw_arch.get() {
                view.arch = true;
                take(self.expanded(view, use_of, args));
            }
        }
    }
}

/// Reads what was made and appends its items, shifted by `base`; false where there are none.
pub(super) fn append(scan: &mut FileScan, part: &[u8], base: u32, body: Option<u32>) -> bool {
    let made = lex::scan(part);
    let kept: Vec<usize> = (0..made.items.len())
        .filter(|it| {
            matches!(
                made.items[*it].kind,
                ItemKind::Function | ItemKind::Object | ItemKind::Type
            )
        })
        .collect();
    let has_body = body.is_none_or(|body| {
        kept.iter()
            .any(|it| made.items[*it].kind == ItemKind::Function && made.items[*it].body == body)
    });
    if kept.is_empty() || !has_body {
        return false;
    }
    for at in kept {
        let mut item = made.items[at];
        item.start += base;
        item.end += base;
        item.body += base;
        scan.refs.extend_from_slice(made.refs(at));
        scan.pairs.extend_from_slice(made.pairs(at));
        item.refs_end = scan.refs.len() as u32;
        item.pairs_end = scan.pairs.len() as u32;
        scan.items.push(item);
    }
    scan.call_sites += made.call_sites;
    true
}
