//! Calls of names that macros make inside of functions: `#define CALL(n, x) box_##n(x)` and `CALL(run, x)`.
//!
//! The lexical reading sees that a function calls `CALL`. Here such uses are expanded, and the names that they call
//! are added to those that the function calls; where a macro makes a name whatever it is given, to those of the macro.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::make::{Beside, Deciding, named};
use super::makers::{Definers, Macros, Place};
use super::names::{self, Called};
use super::pasting::Users;
use super::text::split;
use super::view::View;
use super::word_set::WordSet;
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::lex::{self, FileScan, Item, ItemKind, Ref, RefKind, Sym};
use crate::tree::TreeSource;
use crate::warm::Warm;

/// Definitions of one name that are all expanded.
const MAX_TWINS: usize = 16;

/// Adds the names that macros make and call to what functions and macros call; returns on which macros that depends.
pub(super) fn grow(
    tree: &dyn TreeSource,
    warm: &Warm,
    (files, all): (&mut [ReadFile], &Arc<Definers>),
    beside: &Beside<'_>,
    grows: &(dyn Fn(&SourceFile) -> bool + Sync),
) -> Deciding {
    let mut macros = Macros::none(tree, warm, all);
    macros.knows_all = true;
    let pasting = macros.pasting(files, beside, grows);
    let users = pasting.users.par_iter().with_max_len(1);
    let added = users.flat_map_iter(|it| macros.added_in(files, it, &pasting.names));
    let mut found = pasting.fixed;
    found.extend(added.collect::<Vec<_>>());
    let mut making: Vec<u32> = found
        .iter()
        .flat_map(|it| it.used.iter().copied())
        .collect();
    making.extend(&pasting.seen);
    keep_known(files, all, beside.has_function, &mut found);
    found.sort_by_key(|it| (it.file, it.item));
    for added in found.chunk_by(|one, other| one.file == other.file) {
        let file = &mut files[added[0].file];
        file.scan = Arc::new(with_added(&file.scan, RefKind::Call, added));
    }
    let applying =
        super::applied::grow(&macros, files, beside.appliers, grows).beside(beside.appliers);
    let row = |it: &u32| it << 1 | u32::from(pasting.names.has(*it));
    let mut pasting: Vec<u32> = pasting.seen.iter().map(row).collect();
    pasting.sort_unstable();
    pasting.dedup();
    Deciding {
        making,
        chosen: Vec::new(),
        pasting,
        applying,
    }
}

/// What uses call: by definition and arguments.
type Known = FxHashMap<(Place, Sym), Called>;

/// Names that are added to an item.
pub(super) struct Addition {
    pub(super) file: usize,
    pub(super) item: usize,
    /// As [`Sym::short`].
    pub(super) names: Vec<u32>,
    /// The macros that they came from, likewise.
    pub(super) used: Vec<u32>,
}

impl Addition {
    /// Of the item at this place.
    pub(super) fn nothing(place: Place) -> Self {
        Self {
            file: place.0 as usize,
            item: place.1 as usize,
            names: Vec::new(),
            used: Vec::new(),
        }
    }
}

/// Leaves what the items do not call themselves of names that somebody has.
fn keep_known(
    files: &[ReadFile],
    all: &Definers,
    is_beside: &dyn Fn(u32) -> bool,
    found: &mut Vec<Addition>,
) {
    for it in &mut *found {
        let refs = files[it.file].scan.refs(it.item);
        let call = |name: u32| Ref::of_short(RefKind::Call, name);
        it.names
            .retain(|it| refs.binary_search(&call(*it)).is_err());
    }
    let wanted: FxHashSet<u32> = found.iter().flat_map(|it| &it.names).copied().collect();
    let items = files.par_iter().flat_map_iter(|it| &it.scan.items);
    let functions = items.filter(|it| it.kind == ItemKind::Function);
    let names = functions.map(|it| it.name.short());
    let known: FxHashSet<u32> = names.filter(|it| wanted.contains(it)).collect();
    for it in &mut *found {
        it.names
            .retain(|it| known.contains(it) || is_beside(*it) || all.defines(*it));
    }
    found.retain(|it| !it.names.is_empty());
}

/// The reading with more names of this kind in some of its items, which are in order.
pub(super) fn with_added(scan: &FileScan, kind: RefKind, added: &[Addition]) -> FileScan {
    let mut grown = scan.clone();
    grown.refs.clear();
    let mut added = added.iter().peekable();
    for at in 0..scan.items.len() {
        let start = grown.refs.len();
        grown.refs.extend_from_slice(scan.refs(at));
        while let Some(it) = added.next_if(|it| it.item == at) {
            let names = it.names.iter();
            let new = names.map(|it| Ref::of_short(kind, *it));
            grown.refs.extend(new);
        }
        grown.refs[start..].sort_unstable();
        grown.items[at].refs_end = grown.refs.len() as u32;
    }
    grown
}

impl Macros<'_> {
    /// What functions of a file call through macros that make names.
    fn added_in(
        &self,
        files: &[ReadFile],
        (file, users): &Users,
        pasting: &WordSet,
    ) -> Vec<Addition> {
        let (file, source) = (*file, &files[*file]);
        let items = &source.scan.items;
        let uses = |at: usize| named(source.scan.refs(at)).any(|it| pasting.has(it));
        let users = users.iter().filter(|it| uses(**it));
        let using: Vec<(usize, Item)> = users.map(|it| (*it, items[*it])).collect();
        if using.is_empty() {
            return Vec::new();
        }
        let functions = items.iter().filter(|it| it.kind == ItemKind::Function);
        let own: FxHashSet<Sym> = functions.map(|it| it.name).collect();
        self.with_text(&source.source, |text| {
            let view = View::of_all_ways(self, files, (file, text), &own);
            let mut known = Known::default();
            let body = |it: &Item| source.source.text_of((it.body, it.end), text);
            let added = using.iter().map(|(item, it)| Addition {
                file,
                item: *item,
                names: self.names_in((&view, &mut known), body(it), pasting),
                used: Vec::new(),
            });
            let mut added: Vec<Addition> = added.collect();
            added[0].used = view.used();
            added
        })
    }

    /// The names that the uses in a function's body make and call; `known` are those of uses in the same file.
    fn names_in(
        &self,
        (view, known): (&View<'_, '_>, &mut Known),
        body: &[u8],
        pasting: &WordSet,
    ) -> Vec<u32> {
        let mut found = Vec::new();
        lex::each_call(body, 0, |from, to, is_member| {
            let (name, short) = (&body[from..to], Sym::of(&body[from..to]));
            let is_known = pasting.has(short.short());
            if is_member || !(is_known || self.all.defines(short.short())) {
                return;
            }
            let Some((args, end)) = names::arguments(body, to) else {
                return;
            };
            let args = split(args);
            // One that makes names may be handed to one that uses it.
            let is_handed = |it: &Vec<u8>| pasting.has(Sym::of(it).short());
            let makes_names = || self.makes_names(view.files, short.short());
            if !(is_known || args.iter().any(is_handed) && makes_names()) {
                return;
            }
            view.use_more(&[short.short()]);
            let is_applied = body[end..].trim_ascii_start().starts_with(b"(");
            let candidates = self.candidates(view.files, short, view.file);
            for (_, place) in candidates.into_iter().take(MAX_TWINS) {
                let Some(read) = self.own_definition(view.files, place, (view.file, view.text))
                else {
                    continue;
                };
                let is_macro = |it: &[u8]| self.all.defines(Sym::of(it).short());
                let made = Called::of_use(&args, is_macro, |args| {
                    let expanded = || self.expanded(view, (name, place, &read), args);
                    let called = || view.called(expanded);
                    let known = known.entry((place, Sym::of(args)));
                    known.or_insert_with(called).clone()
                });
                let last = made.last.iter().filter(|_| is_applied);
                let names = made.names.iter().chain(last);
                found.extend(names.map(|it| Sym::of(it).short()));
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}
