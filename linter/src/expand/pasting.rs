//! Which macros make the names of what they call, and which of them do so of what they are given.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::calls::Addition;
use super::make::called;
use super::makers::{Macros, Place, names_in};
use super::names::{self, Called};
use super::text::Expander;
use super::view::View;
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::lex::{self, Item, ItemKind, Sym, flags};

/// Macros that call macros are followed through this many.
const MAX_ROUNDS: usize = 12;

/// The name in `#define NAME(…)`.
fn name_in(head: &[u8]) -> &[u8] {
    let head = head.strip_prefix(b"#").unwrap_or(head).trim_ascii_start();
    let rest = head
        .strip_prefix(b"define")
        .unwrap_or(head)
        .trim_ascii_start();
    &rest[..lex::word_length(rest)]
}

/// The macros that make names, as [`Sym::short`].
pub(super) struct Pasting {
    /// Those that make them of what they are given.
    pub(super) names: FxHashSet<u32>,
    /// What others call through these whatever they are given.
    pub(super) fixed: Vec<Addition>,
    /// Those that were looked at.
    pub(super) seen: Vec<u32>,
}

/// What is asked about the macros of some files.
struct Asked<'f> {
    files: &'f [ReadFile],
}

impl Asked<'_> {
    fn item(&self, place: Place) -> &Item {
        &self.files[place.0 as usize].scan.items[place.1 as usize]
    }

    /// As [`Sym::short`].
    fn name(&self, place: Place) -> u32 {
        self.item(place).name.short()
    }

    fn is_direct(&self, place: Place) -> bool {
        self.item(place).flags & flags::CALLS_MADE != 0
    }

    fn calls(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        called(self.files[place.0 as usize].scan.refs(place.1 as usize))
    }
}

impl Macros<'_> {
    /// The macros that make names, as far as functions lead to them, of the files for which `grows` says so.
    pub(super) fn pasting(
        &self,
        files: &[ReadFile],
        grows: &(dyn Fn(&SourceFile) -> bool + Sync),
    ) -> Pasting {
        let asked = Asked { files };
        let mut left = self.perhaps_pasting(&asked, grows);
        let mut pasting: FxHashSet<u32> = FxHashSet::default();
        let (mut fixed, mut seen) = (Vec::new(), Vec::new());
        for round in 0..MAX_ROUNDS {
            let is_next = |it: &Place| {
                round == 0 && asked.is_direct(*it)
                    || asked.calls(*it).any(|it| pasting.contains(&it))
            };
            let (next, others): (Vec<Place>, Vec<Place>) =
                left.par_iter().partition(|it| is_next(it));
            left = others;
            let made = next.par_iter().map(|it| self.made_by(files, *it));
            let made: Vec<Option<Addition>> = made.collect();
            let before = pasting.len();
            seen.extend(next.iter().map(|it| asked.name(*it)));
            for (place, made) in next.into_iter().zip(made) {
                match made {
                    Some(made) => fixed.push(made),
                    None => {
                        pasting.insert(asked.name(place));
                    }
                }
            }
            if pasting.len() == before {
                break;
            }
        }
        Pasting {
            names: pasting,
            fixed,
            seen,
        }
    }

    /// The macros that paste a name, those that use such macros, and so on, as far as functions lead to them.
    fn perhaps_pasting(
        &self,
        asked: &Asked<'_>,
        grows: &(dyn Fn(&SourceFile) -> bool + Sync),
    ) -> Vec<Place> {
        let is_any = |it: &Place| asked.is_direct(*it) || asked.calls(*it).next().is_some();
        let mut left: Vec<Place> = self.all.places().filter(is_any).collect();
        let mut found: Vec<Place> = Vec::new();
        let mut names: FxHashSet<u32> = FxHashSet::default();
        for round in 0..MAX_ROUNDS {
            let is_next = |it: &Place| {
                round == 0 && asked.is_direct(*it) || asked.calls(*it).any(|it| names.contains(&it))
            };
            let (next, others): (Vec<Place>, Vec<Place>) =
                left.par_iter().partition(|it| is_next(it));
            if next.is_empty() {
                break;
            }
            left = others;
            names.extend(next.iter().map(|it| asked.name(*it)));
            found.extend(next);
        }
        let growing: Vec<&ReadFile> = asked.files.iter().filter(|it| grows(&it.source)).collect();
        let mut used = names_in(&growing, &|file| {
            let items = file.scan.items.iter().enumerate();
            let functions = items.filter(|it| it.1.kind == ItemKind::Function);
            let calls = functions.flat_map(|it| called(file.scan.refs(it.0)));
            calls.filter(|it| names.contains(it)).collect()
        });
        loop {
            let before = used.len();
            // Those that use others mostly come after them.
            for place in found.iter().rev() {
                if used.contains(&asked.name(*place)) {
                    used.extend(asked.calls(*place).filter(|it| names.contains(it)));
                }
            }
            if used.len() == before {
                break;
            }
        }
        found.retain(|it| used.contains(&asked.name(*it)));
        found
    }

    /// The names that a macro calls whatever it is given; `None` where they depend on that.
    fn made_by(&self, files: &[ReadFile], place: Place) -> Option<Addition> {
        let (file, item) = (place.0 as usize, place.1 as usize);
        let nothing = Addition {
            file,
            item,
            names: Vec::new(),
            used: Vec::new(),
        };
        let Some(definition) = self.definition(files, place) else {
            return Some(nothing);
        };
        let (own, text) = (FxHashSet::default(), self.text(files, file));
        let view = View::new(self, files, (file, &text), &own, None);
        let Item { start, body, .. } = files[file].scan.items[item];
        let name = name_in(&text[start as usize..body as usize]);
        let args = names::places(definition.arity());
        let Some(expanded) = Expander::new(&view).expand_use(name, &definition, &args) else {
            return Some(nothing);
        };
        let made = Called::of(&expanded);
        let names = made.names.iter().map(|it| Sym::of(it).short());
        (!made.depends()).then(|| Addition {
            names: names.collect(),
            used: view.used(),
            ..nothing
        })
    }
}
