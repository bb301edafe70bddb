//! Members that are handed to what calls them: `each(list, object->run)`, or `CALL(object, run)` where that calls
//! `object->run()`.
//!
//! The lexical reading takes a member for one that is called where it is followed by arguments, or kept. What stands
//! among arguments is left out there: nearly all of it is plain data. Here those are looked at that go to a function or
//! a macro which calls its parameter.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::calls::{Addition, with_added};
use super::make::called;
use super::makers::Macros;
use super::word_set::WordSet;
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::lex::{self, Argument, Given, ItemKind, Ref, RefKind};
use crate::turns::InTurns as _;

/// A parameter is followed through this many that hand it on.
const MAX_HELPERS: usize = 4;

/// A parameter by the name of its function or macro, as [`Sym::short`](lex::Sym::short), and its place.
pub(crate) type Parameter = (u32, u32);

/// Parameters, with the names of those that have them.
#[derive(Default)]
struct Parameters {
    names: WordSet,
    all: FxHashSet<Parameter>,
}

impl Parameters {
    fn has(&self, parameter: Parameter) -> bool {
        self.names.has(parameter.0) && self.all.contains(&parameter)
    }

    fn add(&mut self, parameter: Parameter) {
        self.names.extend([parameter.0]);
        self.all.insert(parameter);
    }

    /// Adds those that are handed on to one of these, or of `known` ones.
    fn close(&mut self, rows: &[(Given, u32)], known: &Self) {
        for _ in 0..MAX_HELPERS {
            let handed = rows.par_iter().filter_map(|it| match it.0 {
                Given::Handed { place, callee, to } => Some(((it.1, place), (callee, to))),
                _ => None,
            });
            let handed = handed.filter(|it| self.has(it.1) || known.has(it.1));
            let new: Vec<Parameter> = handed.map(|it| it.0).filter(|it| !self.has(*it)).collect();
            if new.is_empty() {
                break;
            }
            for it in new {
                self.add(it);
            }
        }
    }

    /// The names of those that are none of `known` ones.
    fn beside<'s>(&'s self, known: &'s Self) -> impl Iterator<Item = u32> + 's {
        self.all.difference(&known.all).map(|it| it.0)
    }
}

/// The parameters of functions and macros that these may call.
#[derive(Default)]
pub(crate) struct Appliers {
    /// What is called.
    called: Parameters,
    /// What names a member that is called.
    naming: Parameters,
}

impl Appliers {
    /// Those of some functions and macros, which may hand their parameters on to `known` ones.
    pub(crate) fn of(rows: &[(Given, u32)], known: &Self) -> Self {
        let mut found = Self::default();
        for (given, name) in rows {
            if let Given::Applied { place, member } = *given {
                let of_kind = if member {
                    &mut found.naming
                } else {
                    &mut found.called
                };
                of_kind.add((*name, place));
            }
        }
        found.called.close(rows, &known.called);
        found.naming.close(rows, &known.naming);
        found
    }

    /// The names of those that call more than `known` ones do.
    pub(crate) fn beside(&self, known: &Self) -> Vec<u32> {
        let called = self.called.beside(&known.called);
        called.chain(self.naming.beside(&known.naming)).collect()
    }

    fn has(&self, name: u32) -> bool {
        self.called.names.has(name) || self.naming.names.has(name)
    }

    /// Whether this parameter may be called.
    pub(crate) fn calls(&self, parameter: Parameter) -> bool {
        self.called.has(parameter)
    }

    fn may_call(&self, argument: &Argument) -> bool {
        let parameter = (argument.callee, argument.place);
        argument.is_member && self.called.has(parameter) || self.naming.has(parameter)
    }
}

/// What the items of some files do with their parameters.
fn handings(files: &[ReadFile]) -> Vec<(Given, u32)> {
    let files = files.par_iter().filter(|it| it.source.at_home);
    let rows = files.flat_map_iter(|file| {
        let items = file.scan.items.iter().enumerate();
        items.flat_map(|(at, item)| {
            let given = file.scan.pairs(at).iter().filter_map(|it| Given::of(*it));
            given.map(|it| (it, item.name.short()))
        })
    });
    rows.collect()
}

/// Adds the members that functions and macros hand to what calls them to those that they call; returns who does so of
/// these files.
pub(super) fn grow(
    macros: &Macros<'_>,
    files: &mut [ReadFile],
    known: &Appliers,
    grows: &(dyn Fn(&SourceFile) -> bool + Sync),
) -> Appliers {
    let own = Appliers::of(&handings(files), known);
    let all = [&own, known];
    let growing = files.par_iter().in_turns().enumerate();
    let growing = growing.filter(|it| grows(&it.1.source));
    let added: Vec<(usize, Vec<Addition>)> = growing
        .filter_map(|(file, read)| Some((file, handed_in(macros, (file, read), all)?)))
        .collect();
    for (file, added) in added {
        let file = &mut files[file];
        file.scan = Arc::new(with_added(&file.scan, RefKind::Member, &added));
    }
    own
}

/// What the items of a file hand to those that call it; `None` where that is nothing.
fn handed_in(
    macros: &Macros<'_>,
    (file, read): (usize, &ReadFile),
    appliers: [&Appliers; 2],
) -> Option<Vec<Addition>> {
    let items = read.scan.items.iter().enumerate();
    let using = items.filter(|(at, it)| {
        matches!(it.kind, ItemKind::Function | ItemKind::Macro)
            && called(read.scan.refs(*at)).any(|it| appliers.iter().any(|all| all.has(it)))
    });
    let using: Vec<usize> = using.map(|it| it.0).collect();
    if using.is_empty() {
        return None;
    }
    let added = macros.with_text(&read.source, |text| {
        let added = using.iter().map(|at| {
            let item = &read.scan.items[*at];
            let body = read.source.text_of((item.body, item.end), text);
            let mut names = Vec::new();
            lex::each_argument(body, 0, |it| {
                if appliers.iter().any(|all| all.may_call(&it)) {
                    names.push(it.name);
                }
            });
            let refs = read.scan.refs(*at);
            names.retain(|it| {
                let member = Ref::of_short(RefKind::Member, *it);
                refs.binary_search(&member).is_err()
            });
            names.sort_unstable();
            names.dedup();
            Addition {
                file,
                item: *at,
                names,
                used: Vec::new(),
            }
        });
        added.filter(|it| !it.names.is_empty()).collect::<Vec<_>>()
    });
    (!added.is_empty()).then_some(added)
}
