//! Tables whose rows are uses of macros: `static const struct x table[] = { ROW("name", function), };`.
//!
//! Such an initialiser stands a second time behind the file's own text, its rows as the macros make them, at the
//! lines of the rows; what is left of the first is no table.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::made::Made;
use super::make::{Beside, append, called, mentioned};
use super::makers::{Definers, Macros, Place};
use super::text::{Definitions, Expander, close_of};
use super::view::View;
use super::{Definition, makers};
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::lex::{self, FileScan, Item, ItemKind, Sym, flags};
use crate::tree::TreeSource;
use crate::turns::InTurns as _;
use crate::warm::Warm;

/// Macros inside macros are looked at this deep.
const MAX_DEPTH: usize = 6;
/// A file grows by this many bytes at most.
const MAX_GROWTH: usize = 4 << 20;

/// What the macros of a tree are to a table in which they are used.
struct Rows<'t> {
    macros: Macros<'t>,
    /// Those that name members, make a brace with what stands in it, or make the name of a value.
    writing: FxHashSet<Sym>,
    /// Those of them that make names.
    pasting: FxHashSet<u32>,
    /// Those that use an argument as a macro.
    applying: FxHashSet<u32>,
    /// `writing`, as [`Sym::short`].
    writing_short: FxHashSet<u32>,
}

/// Expands the macros in the tables of the files for which `grows` says so; returns the names on which the result
/// depends, as [`Sym::short`], in order.
pub(super) fn grow(
    tree: &dyn TreeSource,
    warm: &Warm,
    (files, all): (&mut [ReadFile], &Arc<Definers>),
    beside: &Beside<'_>,
    grows: &(dyn Fn(&SourceFile) -> bool + Sync),
) -> Vec<u32> {
    let rows = Rows::find(tree, warm, (files, all), grows);
    if !rows.writing.is_empty() {
        let functions = function_names(files);
        let functions = |name: u32| functions.contains(&name) || (beside.has_function)(name);
        let grown: Vec<(usize, FileScan, Made)> = (0..files.len())
            .into_par_iter()
            .in_turns()
            .filter(|it| grows(&files[*it].source))
            .filter_map(|file| {
                let tables = rows.tables(&files[file], &functions);
                let grown = |text: &[u8]| rows.growth(files, (file, text), &tables, &functions);
                let source = (!tables.is_empty()).then(|| &files[file].source)?;
                let (scan, made) = rows.macros.with_text(source, grown)?;
                Some((file, scan, made))
            })
            .collect();
        for (file, scan, made) in grown {
            files[file].scan = Arc::new(scan);
            files[file].source.made = Some(Box::new(made));
        }
    }
    rows.macros.names
}

/// The names of all functions that a chain may enter, as [`Sym::short`].
pub(super) fn function_names(files: &[ReadFile]) -> FxHashSet<u32> {
    let at_home = files.par_iter().filter(|it| it.source.at_home);
    let items = at_home.flat_map_iter(|it| &it.scan.items);
    items
        .filter(|it| it.kind == ItemKind::Function)
        .map(|it| it.name.short())
        .collect()
}

fn is_table(item: &Item) -> bool {
    item.kind == ItemKind::Object && item.body < item.end
}

/// What the initialisers of a file use like macros, and what they hand to them where one applies that.
pub(crate) fn used_in_tables(scan: &FileScan) -> impl Iterator<Item = u32> {
    let tables = scan.items.iter().enumerate().filter(|it| is_table(it.1));
    let refs = tables.map(|it| scan.refs(it.0));
    refs.filter(|it| called(it).next().is_some())
        .flat_map(|it| called(it).chain(mentioned(it)))
}

impl<'t> Rows<'t> {
    fn find(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        (files, all): (&[ReadFile], &Arc<Definers>),
        grows: &dyn Fn(&SourceFile) -> bool,
    ) -> Self {
        let growing: Vec<&ReadFile> = files.iter().filter(|it| grows(&it.source)).collect();
        let tables = |file: &ReadFile, of: &dyn Fn(&[lex::Ref]) -> Vec<u32>| {
            let tables = file
                .scan
                .items
                .iter()
                .enumerate()
                .filter(|it| is_table(it.1));
            tables.flat_map(|it| of(file.scan.refs(it.0))).collect()
        };
        let used = makers::names_in(&growing, &|it| tables(it, &|refs| called(refs).collect()));
        let mut macros = Macros::none(tree, warm, all);
        let mut done = FxHashSet::default();
        macros.gather(files, used, &mut done);
        let applying = macros.using(files, &|it| it.flags & flags::APPLIES != 0);
        let applying: FxHashSet<u32> = applying.iter().map(|it| it.short()).collect();
        let handed = makers::names_in(&growing, &|it| {
            tables(it, &|refs| {
                let applies = called(refs).any(|it| applying.contains(&it));
                let handed = mentioned(refs).filter(|it| applies && !done.contains(it));
                handed.collect()
            })
        });
        macros.gather(files, handed, &mut done);
        macros.names = done.into_iter().collect();
        macros.names.sort_unstable();
        let writes = flags::FILLS | flags::MAKES | flags::CALLS_MADE;
        let writing = macros.using(files, &|it| it.flags & writes != 0);
        let pasting = macros.using(files, &|it| it.flags & flags::PASTES != 0);
        Self {
            writing_short: writing.iter().map(|it| it.short()).collect(),
            pasting: pasting.iter().map(|it| it.short()).collect(),
            macros,
            writing,
            applying,
        }
    }

    /// The tables of a file that macros may give functions.
    fn tables(&self, file: &ReadFile, functions: &dyn Fn(u32) -> bool) -> Vec<usize> {
        let scan = &file.scan;
        let takes = |at: usize| {
            let refs = scan.refs(at);
            let has_row = |it: u32| self.writing_short.contains(&it);
            let mut rows = called(refs).filter(|it| has_row(*it)).peekable();
            let is_row = rows.peek().is_some();
            let makes_names = rows.any(|it| self.pasting.contains(&it));
            let applies = || {
                called(refs).any(|it| self.applying.contains(&it)) && mentioned(refs).any(has_row)
            };
            makes_names || (is_row && mentioned(refs).any(functions)) || applies()
        };
        let items = scan.items.iter().enumerate();
        let tables = items.filter(|it| is_table(it.1) && takes(it.0));
        tables.map(|it| it.0).collect()
    }

    /// The file with its tables as the macros make them; `None` where none of them gets anything.
    fn growth(
        &self,
        files: &[ReadFile],
        (file, text): (usize, &[u8]),
        tables: &[usize],
        functions: &dyn Fn(u32) -> bool,
    ) -> Option<(FileScan, Made)> {
        let source = &files[file];
        let own = source.scan.items.iter();
        let own = own.filter(|it| it.kind == ItemKind::Function);
        let own: FxHashSet<Sym> = own.map(|it| it.name).collect();
        let view = Meant {
            view: View::new(&self.macros, files, (file, text), &own, None),
            writing: &self.writing,
        };
        let mut scan = FileScan::clone(&source.scan);
        let made = source.source.made.as_deref().cloned();
        let mut made = made.unwrap_or_else(|| Made::behind(text));
        let mut grown = 0;
        for at in tables {
            let item = source.scan.items[*at];
            // What other macros made is not at hand here.
            if item.end as usize > text.len() || grown > MAX_GROWTH {
                continue;
            }
            let mut part = made.part();
            if !self.expand(&view, (text, &item), &mut part) {
                continue;
            }
            let before = (scan.items.len(), scan.refs.len(), scan.pairs.len());
            let is_added = append(&mut scan, &part.text, part.base, None);
            let is_same = |it: &Item| it.kind == ItemKind::Object && it.name == item.name;
            let names_function = mentioned(&scan.refs[before.1..]).any(functions);
            if is_added && names_function && scan.items[before.0..].iter().any(is_same) {
                grown += part.text.len();
                made.add(part);
                scan.items[*at].kind = ItemKind::MacroUse;
            } else {
                scan.items.truncate(before.0);
                scan.refs.truncate(before.1);
                scan.pairs.truncate(before.2);
            }
        }
        (grown > 0).then_some((scan, made))
    }

    /// Writes a table with its rows expanded; false where there are none.
    fn expand(
        &self,
        view: &Meant<'_, '_>,
        (text, item): (&[u8], &Item),
        part: &mut super::made::Part,
    ) -> bool {
        let (start, end) = (item.start as usize, item.end as usize);
        let own = &text[..end];
        let mut at = start;
        lex::each_call(own, item.body as usize, |from, to, is_member| {
            let name = &own[from..to];
            let short = Sym::of(name).short();
            if from < at
                || is_member
                || !(self.writing_short.contains(&short) || self.applying.contains(&short))
            {
                return;
            }
            let Some(definition) = view.find(name) else {
                return;
            };
            let open = to
                + own[to..]
                    .iter()
                    .position(|it| *it == b'(')
                    .unwrap_or_default();
            let close = close_of(own, open);
            let args = &own[open + 1..close.saturating_sub(1).max(open + 1)];
            if let Some(expanded) = Expander::new(view).expand_use(name, &definition, args) {
                part.copy(at, &own[at..from]);
                part.replace(from, &expanded);
                at = close;
            }
        });
        if at == start {
            return false;
        }
        part.copy(at, &own[at..end]);
        true
    }
}

/// The macros as one file sees them; inside braces those are expanded that make rows.
struct Meant<'a, 't> {
    view: View<'a, 't>,
    writing: &'a FxHashSet<Sym>,
}

impl Definitions for Meant<'_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        self.view.find(name)
    }

    fn makes(&self, name: &[u8]) -> bool {
        self.writing.contains(&Sym::of(name))
    }
}

impl Macros<'_> {
    /// The macros that a definition of which `is_one`, and those that use one of these.
    #[allow(
        clippy::iter_over_hash_type,
        reason = "the result is a set, whatever the order"
    )]
    fn using(&self, files: &[ReadFile], is_one: &dyn Fn(&Item) -> bool) -> FxHashSet<Sym> {
        let item = |it: &Place| files[it.0 as usize].scan.items[it.1 as usize];
        let mut found: FxHashSet<Sym> = FxHashSet::default();
        for (name, places) in &self.by_name {
            if places.iter().any(|it| is_one(&item(it))) {
                found.insert(*name);
            }
        }
        for _ in 0..MAX_DEPTH {
            let short: FxHashSet<u32> = found.iter().map(|it| it.short()).collect();
            let uses_one = |it: &&Place| {
                called(files[it.0 as usize].scan.refs(it.1 as usize)).any(|it| short.contains(&it))
            };
            let before = found.len();
            for (name, places) in &self.by_name {
                if !found.contains(name) && places.iter().any(|it| uses_one(&it)) {
                    found.insert(*name);
                }
            }
            if found.len() == before {
                break;
            }
        }
        found
    }
}
