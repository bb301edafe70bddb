//! What a macro's name means in one file.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::definition::Definition;
use super::makers::{Macros, Place};
use super::names::Called;
use super::stages::{Stage, is_stage};
use super::text::Definitions;
use super::ways::Ways;
use crate::graph::image::ReadFile;
use crate::graph::includes::{beside, is_of_arch};
use crate::graph::reading::is_unit;
use crate::graph::typing;
use crate::lex::Sym;

/// The distance of the headers of the same directory, and of the sources that a file includes.
const BESIDE: u8 = 1;

/// The distance of headers that nearly every file includes.
const INCLUDED: u8 = 2;

/// So many definitions of a name are tried beside the one that is meant first.
const MAX_OTHERS: usize = 15;

/// The distance of definitions that hold only while a header is read again.
const STAGE: u8 = 5;

/// The distance of the definitions of the architecture that is read.
pub(super) const ARCH: u8 = 4;

impl Macros<'_> {
    /// The definitions that a name can have in a file, nearest first, with their distance.
    pub(super) fn candidates(
        &self,
        files: &[ReadFile],
        name: Sym,
        file: usize,
    ) -> Vec<(u8, Place)> {
        self.candidates_at(files, &self.places(files, name), file)
    }

    /// As [`Macros::candidates`], of the definitions at these places.
    fn candidates_at(&self, files: &[ReadFile], places: &[Place], file: usize) -> Vec<(u8, Place)> {
        let own = typing::directory(files[file].source.path.as_str());
        let distance = |it: &Place| {
            let home = it.0 as usize;
            if self.includes_unit(files, home, file) {
                return Some(BESIDE);
            }
            distance(files, home, (file, own))
        };
        let places = places.iter();
        let mut found: Vec<(u8, Place)> =
            places.filter_map(|it| Some((distance(it)?, *it))).collect();
        found.sort_unstable();
        found
    }

    /// Whether a file includes a source, or a source that does.
    fn includes_unit(&self, files: &[ReadFile], home: usize, file: usize) -> bool {
        home != file
            && files[file].source.includes_unit
            && !files[home].source.is_shared
            && self
                .units
                .get(file as u32, || included_units(files, file))
                .contains(&(home as u32))
    }
}

/// The sources that a file includes, those that they include, and so on.
fn included_units(files: &[ReadFile], file: usize) -> Vec<u32> {
    let mut found = vec![file as u32];
    let mut at = 0;
    while let Some(next) = found.get(at).map(|it| *it as usize) {
        at += 1;
        let source = &files[next].source;
        let names = source
            .includes
            .as_deref()
            .unwrap_or(&files[next].scan.named);
        for name in names.lines().filter(|it| is_unit(it)) {
            let path = beside(source.path.as_str(), name);
            let mut sources = (0..).zip(files).filter(|it| !it.1.source.is_shared);
            let included = sources.find(|it| it.1.source.path.as_str() == path);
            if let Some((it, _)) = included.filter(|it| !found.contains(&it.0)) {
                found.push(it);
            }
        }
    }
    found
}

/// How far a definition is from the file that uses it; `None` where it cannot be meant.
fn distance(files: &[ReadFile], home: usize, (file, directory): (usize, &str)) -> Option<u8> {
    if home == file {
        return Some(0);
    }
    let (there, here) = (&files[home].source, &files[file].source);
    if there.is_foreign != here.is_foreign || !there.is_shared {
        return None;
    }
    let (path, own) = (there.path.as_str(), here.path.as_str());
    Some(match path {
        _ if typing::directory(path) == directory => BESIDE,
        // Stages that read a header again, each with its own meaning of the same macros.
        _ if is_stage(path) => STAGE,
        // Tracepoint headers name what they record in their own way.
        _ if path.starts_with("include/trace/") && !typing::is_of_tracepoints(own) => 7,
        _ if path.starts_with("include/") => INCLUDED,
        _ if is_of_arch(path, own) => ARCH,
        // A kernel has one architecture: what another one calls so is nothing here.
        _ if path.starts_with("arch/") && own.starts_with("arch/") => return None,
        _ if path.starts_with("arch/") => 6,
        _ => 3,
    })
}

/// The definitions as one file sees them.
pub(super) struct View<'a, 't> {
    pub(super) macros: &'a Macros<'t>,
    pub(super) files: &'a [ReadFile],
    pub(super) file: usize,
    /// The functions of the file.
    pub(super) own: &'a FxHashSet<Sym>,
    pub(super) text: &'a [u8],
    /// Whether an architecture's definition goes before the generic one.
    pub(super) arch: bool,
    pub(super) saw_arch: Cell<bool>,
    /// A header that reads the file again, and which of its readings is meant.
    pub(super) stage: Option<&'a Stage>,
    /// Where a name may have several definitions that are all tried.
    pub(super) ways: Option<Ways>,
    /// What was found so far, with `arch`.
    found: RefCell<FxHashMap<(Sym, bool), Found>>,
    /// What pasted names were found to mean, likewise.
    chosen: RefCell<FxHashMap<(Sym, bool), Found>>,
    /// The macros that were meant by what others found, as [`Sym::short`].
    used_more: RefCell<FxHashSet<u32>>,
}

/// What a name means.
#[derive(Clone, Default)]
struct Found {
    definition: Option<Arc<Definition>>,
    /// The others that may be meant.
    others: Vec<Arc<Definition>>,
    /// Whether an architecture has one of its own.
    saw_arch: bool,
}

impl<'a, 't> View<'a, 't> {
    pub(super) fn new(
        macros: &'a Macros<'t>,
        files: &'a [ReadFile],
        (file, text): (usize, &'a [u8]),
        own: &'a FxHashSet<Sym>,
        stage: Option<&'a Stage>,
    ) -> Self {
        Self {
            macros,
            files,
            file,
            own,
            text,
            arch: false,
            saw_arch: Cell::new(false),
            stage,
            ways: None,
            found: RefCell::default(),
            chosen: RefCell::default(),
            used_more: RefCell::default(),
        }
    }

    /// As [`View::new`], where every definition is tried that a name may have.
    pub(super) fn of_all_ways(
        macros: &'a Macros<'t>,
        files: &'a [ReadFile],
        at: (usize, &'a [u8]),
        own: &'a FxHashSet<Sym>,
    ) -> Self {
        Self {
            ways: Some(Ways::default()),
            ..Self::new(macros, files, at, own, None)
        }
    }

    /// What an expansion calls, each way that it may go.
    pub(super) fn called(&self, mut expanded: impl FnMut() -> Option<Vec<u8>>) -> Called {
        match &self.ways {
            Some(ways) => Called::of_ways(ways, expanded),
            None => expanded().map_or_else(Called::default, |it| Called::of(&it)),
        }
    }

    /// The macros that were found so far, as [`Sym::short`].
    pub(super) fn used(&self) -> Vec<u32> {
        let found = self.found.borrow();
        let used = found.iter().filter(|it| it.1.definition.is_some());
        let mut used: Vec<u32> = used.map(|it| it.0.0.short()).collect();
        used.extend(self.used_more.borrow().iter());
        used
    }

    /// Takes the macros of what somebody else expanded for ones that were found here.
    pub(super) fn use_more(&self, macros: &[u32]) {
        self.used_more.borrow_mut().extend(macros);
    }

    /// Whether macros that only headers of the kernel's own define mean here what they do in most files.
    pub(super) fn is_plain(&self) -> bool {
        let file = &self.files[self.file].source;
        let is_header = || file.path.as_str().starts_with("include/");
        let is_first = self.ways.as_ref().is_none_or(Ways::is_first);
        is_first && self.stage.is_none() && !self.arch && !file.is_foreign && !is_header()
    }

    fn definition(&self, place: Place) -> Option<Arc<Definition>> {
        self.macros
            .own_definition(self.files, place, (self.file, self.text))
    }

    fn look_for(&self, name: Sym) -> Found {
        let staged = self
            .stage
            .and_then(|it| self.macros.staged(self.files, name, it));
        if let Some(place) = staged {
            return Found {
                definition: self.definition(place),
                ..Found::default()
            };
        }
        self.nearest(name, &self.macros.places(self.files, name))
    }

    /// What a name means that is defined at these places.
    fn nearest(&self, name: Sym, places: &[Place]) -> Found {
        let all = self.macros.candidates_at(self.files, places, self.file);
        let Some((mut nearest, _)) = all.first().copied() else {
            return Found::default();
        };
        // A function of the file itself is no macro of a header that somebody else includes.
        if nearest > INCLUDED && self.own.contains(&name) {
            return Found::default();
        }
        let saw_arch = nearest < ARCH && nearest > 1 && all.iter().any(|it| it.0 == ARCH);
        if saw_arch && self.arch {
            nearest = ARCH;
        }
        let twins = all
            .iter()
            .filter(|it| it.0 == nearest)
            .filter_map(|it| self.definition(it.1));
        // Of the arms of an `#if` the one that does most is meant.
        let meant = twins.max_by_key(|it| it.body.len());
        let ways = meant.map(|meant| {
            let others = self.ways.as_ref().filter(|_| all.len() > 1);
            let others = others.into_iter().flat_map(|_| self.others(&all));
            Definition::ways(std::iter::once(meant).chain(others))
        });
        let mut ways = ways.into_iter().flatten();
        Found {
            definition: ways.next(),
            others: ways.collect(),
            saw_arch,
        }
    }

    /// The definitions which [`Resolver::macros_in`] may find: it knows what a file includes.
    ///
    /// [`Resolver::macros_in`]: crate::graph::resolve::Resolver::macros_in
    fn others(&self, all: &[(u8, Place)]) -> Vec<Arc<Definition>> {
        let nearest = all.first().map_or(u8::MAX, |it| it.0);
        let own = typing::directories(self.files[self.file].source.path.as_str()).1;
        let may_be_meant = |(distance, place): &(u8, Place)| {
            let path = || self.files[place.0 as usize].source.path.as_str();
            match *distance {
                ARCH => nearest > 0,
                it if it == nearest => true,
                it => nearest == INCLUDED && it < ARCH && typing::directories(path()).1 == own,
            }
        };
        let near = all.iter().filter(|it| may_be_meant(it));
        let near = near.filter(|it| self.macros.makes_names_at(self.files, it.1));
        let definitions = near.filter_map(|it| self.definition(it.1));
        definitions.take(MAX_OTHERS).collect()
    }
}

impl View<'_, '_> {
    /// What is known of a name, or what is found now.
    fn known(
        &self,
        known: &RefCell<FxHashMap<(Sym, bool), Found>>,
        name: Sym,
        look_for: impl FnOnce() -> Found,
    ) -> Found {
        let key = (name, self.arch);
        let found = known.borrow().get(&key).cloned();
        let found = found.unwrap_or_else(|| {
            let found = look_for();
            known.borrow_mut().insert(key, found.clone());
            found
        });
        if found.saw_arch {
            self.saw_arch.set(true);
        }
        found
    }

    /// Whether a name that was not found may be that of a macro that makes something.
    pub(super) fn is_chosen(&self, name: Sym) -> bool {
        !self.macros.knows_all && self.stage.is_none() && self.macros.is_chosen(self.files, name)
    }
}

impl Definitions for View<'_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        let name = Sym::of(name);
        let found = self.known(&self.found, name, || self.look_for(name));
        let ways = self.ways.as_ref();
        match ways.map_or(0, |it| it.choose(name, found.others.len() + 1)) {
            0 => found.definition,
            other => found.others.get(other - 1).cloned(),
        }
    }

    fn find_chosen(&self, name: &[u8]) -> Option<Arc<Definition>> {
        let name = Sym::of(name);
        if !self.is_chosen(name) {
            return None;
        }
        let look_for = || self.nearest(name, &self.macros.all_places(self.files, name));
        self.known(&self.chosen, name, look_for).definition
    }

    fn matters(&self, name: &[u8]) -> bool {
        !self.macros.knows_all || self.macros.makes_names(self.files, Sym::of(name).short())
    }

    fn makes(&self, name: &[u8]) -> bool {
        let name = Sym::of(name);
        let is_staged = |it: &Stage| it.names.contains(&name.short());
        // Tracepoints of a program are read by the kernel's headers too.
        let is_foreign = self.stage.is_none() && self.files[self.file].source.is_foreign;
        self.macros.knows_all
            || self.macros.makers[usize::from(is_foreign)].contains(&name)
            || self.stage.is_some_and(is_staged)
    }
}
