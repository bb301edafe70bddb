//! Which macros make the names of what they call, and which of them do so of what they are given.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::calls::Addition;
use super::definition::Definition;
use super::make::{Beside, called, named};
use super::makers::{Macros, Place};
use super::names;
use super::templates::Watched;
use super::text::Expander;
use super::view::View;
use super::word_set::WordSet;
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::graph::typing;
use crate::lex::{self, FileScan, Item, ItemKind, Ref, Sym, flags};
use crate::turns::InTurns as _;
use crate::warm::Copies;

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
    pub(super) names: WordSet,
    /// What others call through these whatever they are given.
    pub(super) fixed: Vec<Addition>,
    /// Those that were looked at.
    pub(super) seen: Vec<u32>,
    /// The functions of each file that use some of them, perhaps.
    pub(super) users: Vec<Users>,
}

/// A file and some of its items.
pub(super) type Users = (usize, Vec<usize>);

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

    /// What a macro uses or hands to what it uses.
    fn named(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        named(self.files[place.0 as usize].scan.refs(place.1 as usize))
    }

    /// Takes the macros out of those that are left that paste a name, in the first round, or that name some of `new`.
    fn next(&self, left: &mut Vec<Place>, round: usize, new: &WordSet) -> Vec<Place> {
        let is_next =
            |it: &Place| round == 0 && self.is_direct(*it) || self.named(*it).any(|it| new.has(it));
        let (next, others) = left.par_iter().partition(|it| is_next(it));
        *left = others;
        next
    }

    /// The macros that paste a name, those that use such macros, and so on, as far as functions lead to them; and
    /// these functions.
    fn perhaps_pasting(
        &self,
        grows: &(dyn Fn(&SourceFile) -> bool + Sync),
    ) -> (Vec<Place>, Vec<Users>) {
        let files = self.files.par_iter().enumerate();
        let mut left: Vec<Place> = files.flat_map_iter(macros_of).collect();
        let mut found: Vec<Place> = Vec::new();
        let (mut names, mut new) = (WordSet::default(), WordSet::default());
        for round in 0..MAX_ROUNDS {
            let next = self.next(&mut left, round, &new);
            if next.is_empty() {
                break;
            }
            new = next.iter().map(|it| self.name(*it)).collect();
            names.extend(next.iter().map(|it| self.name(*it)));
            found.extend(next);
        }
        let growing = self.files.par_iter().in_turns().enumerate();
        let growing = growing.filter(|it| grows(&it.1.source));
        let users: Vec<Users> = growing
            .map(|(at, file)| (at, users_in(&file.scan, &names)))
            .filter(|it| !it.1.is_empty())
            .collect();
        let mut used: FxHashSet<u32> = users.par_iter().map(|it| used_by(it, self, &names)).reduce(
            FxHashSet::default,
            |mut one, other| {
                one.extend(other);
                one
            },
        );
        loop {
            let before = used.len();
            // Those that use others mostly come after them.
            for place in found.iter().rev() {
                if used.contains(&self.name(*place)) {
                    used.extend(self.named(*place).filter(|it| names.has(*it)));
                }
            }
            if used.len() == before {
                break;
            }
        }
        found.retain(|it| used.contains(&self.name(*it)));
        (found, users)
    }
}

/// Those of these names that functions use or hand on.
fn used_by((file, items): &Users, asked: &Asked<'_>, names: &WordSet) -> FxHashSet<u32> {
    let scan = &asked.files[*file].scan;
    let named = items.iter().flat_map(|it| named(scan.refs(*it)));
    named.filter(|it| names.has(*it)).collect()
}

/// The functions of a file that use or hand on some of these names.
fn users_in(scan: &FileScan, names: &WordSet) -> Vec<usize> {
    let items = scan.items.iter().enumerate();
    let functions = items.filter(|it| it.1.kind == ItemKind::Function);
    let using = functions.filter(|it| named(scan.refs(it.0)).any(|it| names.has(it)));
    using.map(|it| it.0).collect()
}

/// Flags of macros that paste names or call what they are given.
const MAKES_ITSELF: u8 = flags::CALLS_MADE | flags::APPLIES;

/// Whether a macro with these flags and names makes names, where `makes` says so of others.
pub(crate) fn makes_names((flags, refs): (u8, &[Ref]), makes: impl Fn(u32) -> bool) -> bool {
    flags & MAKES_ITSELF != 0 || called(refs).any(makes)
}

/// The macros that paste names or call what they are given, and those that use such macros, as far as somebody asked.
pub(crate) struct MakingNames {
    known: Copies<u32, bool>,
    /// What makes a macro one of them.
    flags: u8,
}

impl MakingNames {
    pub(crate) fn new() -> Self {
        Self::of(MAKES_ITSELF)
    }

    /// The macros with some of these flags, and those that use such macros.
    pub(super) fn of(flags: u8) -> Self {
        Self {
            known: Copies::new(),
            flags,
        }
    }

    /// Whether a name, as [`Sym::short`], is one of them; `defined` gives the flags and names of its definitions.
    pub(crate) fn ask<'r>(&self, name: u32, defined: &dyn Fn(u32) -> Vec<(u8, &'r [Ref])>) -> bool {
        if let Some(known) = self.known.known(name) {
            return known;
        }
        let (mut seen, mut pending) = (FxHashSet::default(), vec![name]);
        while let Some(used) = pending.pop() {
            let known = self.known.known(used);
            let definitions = if known.is_none() {
                defined(used)
            } else {
                Vec::new()
            };
            if known == Some(true) || definitions.iter().any(|it| it.0 & self.flags != 0) {
                return self.known.get(name, || true);
            }
            if known.is_none() && seen.insert(used) {
                pending.extend(definitions.into_iter().flat_map(|it| called(it.1)));
            }
        }
        let seen = seen.into_iter();
        seen.for_each(|it| {
            self.known.get(it, || false);
        });
        false
    }
}

/// The macros of a file that paste names or use macros.
fn macros_of((file, read): (usize, &ReadFile)) -> Vec<Place> {
    let items = read.scan.items.iter().enumerate();
    let macros = items.filter(|(at, it)| {
        it.kind == ItemKind::Macro
            && (it.flags & flags::CALLS_MADE != 0 || called(read.scan.refs(*at)).next().is_some())
    });
    macros.map(|it| (file as u32, it.0 as u32)).collect()
}

impl Macros<'_> {
    /// Whether the macro at this place makes names.
    pub(super) fn makes_names_at(&self, files: &[ReadFile], place: Place) -> bool {
        let scan = &files[place.0 as usize].scan;
        let item = place.1 as usize;
        makes_names((scan.items[item].flags, scan.refs(item)), |it| {
            self.makes_names(files, it)
        })
    }

    /// Whether macros of this name, as [`Sym::short`], may make names: see [`MakingNames`].
    pub(super) fn makes_names(&self, files: &[ReadFile], name: u32) -> bool {
        let defined = |it| self.flags_and_refs(files, it);
        self.making_names.ask(name, &defined)
    }

    /// The flags of the macros of this name, as [`Sym::short`], and what they name.
    pub(super) fn flags_and_refs<'f>(
        &self,
        files: &'f [ReadFile],
        name: u32,
    ) -> Vec<(u8, &'f [Ref])> {
        let asked = Asked { files };
        let refs = |it: Place| files[it.0 as usize].scan.refs(it.1 as usize);
        let places = self.all.of_name(name);
        places.map(|it| (asked.item(it).flags, refs(it))).collect()
    }

    /// The macros that make names, as far as functions lead to them, of the files for which `grows` says so.
    pub(super) fn pasting(
        &self,
        files: &[ReadFile],
        beside: &Beside<'_>,
        grows: &(dyn Fn(&SourceFile) -> bool + Sync),
    ) -> Pasting {
        let asked = Asked { files };
        let (mut left, users) = asked.perhaps_pasting(grows);
        let perhaps: WordSet = left.iter().map(|it| asked.name(*it)).collect();
        let mut pasting = WordSet::default();
        let (mut fixed, mut seen) = (Vec::new(), Vec::new());
        for round in 0..MAX_ROUNDS {
            let next = asked.next(&mut left, round, &pasting);
            let made_by = |it: &Place| {
                let is_beside = !grows(&files[it.0 as usize].source);
                let known = is_beside.then(|| (beside.pastes)(asked.name(*it)));
                match known.flatten() {
                    // What it calls whatever it is given is among its names already.
                    Some(pastes) => (!pastes).then(|| Addition::nothing(*it)),
                    None => self.made_by(files, *it, &perhaps),
                }
            };
            let made = next.par_iter().in_turns().map(made_by);
            let made: Vec<Option<Addition>> = made.collect();
            let before = pasting.len();
            seen.extend(next.iter().map(|it| asked.name(*it)));
            for (place, made) in next.into_iter().zip(made) {
                match made {
                    Some(made) => fixed.push(made),
                    None => pasting.extend([asked.name(place)]),
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
            users,
        }
    }

    /// Whether the names that a macro makes depend on words of which the files that use it have their own definition;
    /// `asked` are those that it leads to.
    fn depends_on_user(
        &self,
        (view, place): (&View<'_, '_>, Place),
        (name, definition): (&[u8], &Definition),
        asked: &[Sym],
        perhaps: &WordSet,
    ) -> bool {
        let files = view.files;
        if !files[place.0 as usize].source.is_shared {
            return false;
        }
        let asked = asked.iter().filter(|it| self.has_meanings(files, **it));
        let asked: Vec<Sym> = asked.copied().collect();
        if asked.iter().any(|it| perhaps.has(it.short())) {
            return true;
        }
        if asked.is_empty() {
            return false;
        }
        let asked_in = Asked { files };
        let is_bare = |it: &Place| asked_in.item(*it).flags & flags::FUNCTION_LIKE == 0;
        let is_bare = |it: Sym| self.places(files, it).iter().any(is_bare);
        let words: Vec<(Sym, bool)> = asked.iter().map(|it| (*it, is_bare(*it))).collect();
        let count = definition.arity();
        let marked = Watched::with_marks(view, &words, count);
        let args = names::places(count);
        let mut is_unknown = false;
        let called = view.called(|| {
            let expanded = Expander::new(&marked).expand_use(name, definition, &args);
            is_unknown |= expanded.is_none();
            expanded
        });
        is_unknown || !called.joined().is_empty()
    }

    /// Whether different files may have different definitions of a name.
    fn has_meanings(&self, files: &[ReadFile], name: Sym) -> bool {
        let places = self.places(files, name);
        let sources = places.iter().map(|it| &files[it.0 as usize].source);
        let mut headers: Vec<&str> = Vec::new();
        for it in sources {
            if !it.is_shared {
                return true;
            }
            let path = it.path.as_str();
            headers.push(if path.starts_with("include/") {
                "include"
            } else {
                typing::directory(path)
            });
        }
        headers.windows(2).any(|it| it[0] != it[1])
    }

    /// The names that a macro calls whatever it is given and whoever uses it; `None` where they depend on that.
    fn made_by(&self, files: &[ReadFile], place: Place, perhaps: &WordSet) -> Option<Addition> {
        let nothing = Addition::nothing(place);
        let (file, item) = (nothing.file, nothing.item);
        let Some(definition) = self.definition(files, place) else {
            return Some(nothing);
        };
        let (own, text) = (FxHashSet::default(), self.text(files, file));
        let view = View::of_all_ways(self, files, (file, &text), &own);
        let Item { start, body, .. } = files[file].scan.items[item];
        let name = name_in(&text[start as usize..body as usize]);
        let watched = Watched::new(&view);
        let called = |count: usize| {
            let args = names::places(count);
            view.called(|| Expander::new(&watched).expand_use(name, &definition, &args))
        };
        let count = definition.arity();
        let made = called(count);
        // A macro may count what follows, and make names of that.
        let counts = || called(count + 2).names != made.names;
        if !made.joined().is_empty() || definition.is_variadic() && counts() {
            return None;
        }
        let asked = watched.asked();
        if self.depends_on_user((&view, place), (name, &definition), &asked, perhaps) {
            return None;
        }
        // Arguments may follow what it ends with.
        let names = made.names.iter().chain(&made.last);
        let names = names.map(|it| Sym::of(it).short());
        Some(Addition {
            names: names.collect(),
            // What a file defines of these for itself makes another name of it.
            used: asked.into_iter().map(Sym::short).collect(),
            ..nothing
        })
    }
}
