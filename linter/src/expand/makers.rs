//! The macros of a tree: where each is defined, and which of them make functions or tables.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::chosen::Chosen;
use super::definition::Definition;
use super::make::{called, is_use, mentioned};
use super::pasting::MakingNames;
use super::stages::{Stage, Tracepoints};
use super::templates::Templates;
use crate::graph::image::ReadFile;
use crate::graph::index::SourceFile;
use crate::graph::table::Table;
use crate::lex::{FileScan, ItemKind, Sym, flags};
use crate::tree::TreeSource;
use crate::turns::InTurns as _;
use crate::warm::{Copies, Memo, Warm};

/// Macros that call macros are followed through this many.
const MAX_ROUNDS: usize = 12;

/// An item: file and index.
pub(super) type Place = (u32, u32);

/// All macros of some files by name, as [`Sym::short`]; those of one name in the order of files.
pub(super) struct Definers(Table<3>);

impl Definers {
    pub(super) fn of(files: &[ReadFile]) -> Self {
        let of_file = |(file, read): (usize, &ReadFile)| {
            let items = read.scan.items.iter().enumerate();
            let macros = items.filter(|it| it.1.kind == ItemKind::Macro);
            let rows = macros.map(|(at, it)| [it.name.short(), file as u32, at as u32]);
            rows.collect::<Vec<_>>()
        };
        // What is read beside those depends on who reads.
        let files = files.par_iter().enumerate();
        let files = files.filter(|it| it.1.source.at_home);
        Self(Table::new(files.flat_map_iter(of_file).collect()))
    }

    /// Whether there is a macro of this name, as [`Sym::short`].
    pub(super) fn defines(&self, short: u32) -> bool {
        self.of_name(short).next().is_some()
    }

    pub(super) fn of_name(&self, short: u32) -> impl Iterator<Item = Place> {
        self.0.of(short).iter().map(|it| (it[1], it[2]))
    }
}

/// The macros that the uses of a tree lead to.
pub(super) struct Macros<'t> {
    pub(super) tree: &'t dyn TreeSource,
    pub(super) warm: &'t Warm,
    pub(super) all: Arc<Definers>,
    pub(super) by_name: FxHashMap<Sym, Vec<Place>>,
    /// Whether the names that nobody gathered are known as well, and all are expanded wherever they stand.
    pub(super) knows_all: bool,
    /// Those that make functions or tables: of the kernel, and of the programs beside it.
    pub(super) makers: [FxHashSet<Sym>; 2],
    /// The macros that use an argument as a macro outside of braces.
    pub(super) appliers: FxHashSet<Sym>,
    /// The macros that use one of a pasted name there.
    pub(super) choosers: FxHashSet<Sym>,
    /// What was asked about pasted names.
    pub(super) chosen: Chosen,
    /// Whether tracepoints are wanted too.
    pub(super) tracepoints: bool,
    /// The readings of tracepoint headers.
    pub(super) stages: Vec<Stage>,
    /// All names that were looked for, as [`Sym::short`], in order.
    pub(super) names: Vec<u32>,
    /// Which of them may make names, as far as somebody asked.
    pub(super) making_names: MakingNames,
    /// What was taken apart so far.
    pub(super) definitions: Copies<Place, Option<Arc<Definition>>>,
    /// What was expanded for any word.
    pub(super) templates: Templates,
    /// The sources that a file includes, by its number.
    pub(super) units: Memo<u32, Vec<u32>>,
}

impl<'t> Macros<'t> {
    /// Gathers the definitions of all used names, of what those call, and so on.
    pub(super) fn find(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        (files, all): (&[ReadFile], &Arc<Definers>),
        tracepoints: Option<Tracepoints<'_>>,
        grows: &dyn Fn(&SourceFile) -> bool,
    ) -> Self {
        let growing: Vec<&ReadFile> = files.iter().filter(|it| grows(&it.source)).collect();
        let mut wanted_short = names_in(&growing, &|it| {
            let uses = it.scan.items.iter().filter(|it| is_use(it));
            uses.map(|it| it.name.short()).collect()
        });
        let events = growing
            .iter()
            .filter(|it| tracepoints.is_some_and(|tracepoints| tracepoints.hold(it)));
        // What an event prints is expanded with it.
        for scan in events.map(|it| &it.scan) {
            let uses = (0..scan.items.len()).filter(|it| is_use(&scan.items[*it]));
            wanted_short.extend(uses.flat_map(|it| called(scan.refs(it))));
        }
        let mut this = Self::none(tree, warm, all);
        let mut done: FxHashSet<u32> = FxHashSet::default();
        this.gather(files, wanted_short, &mut done);
        this.appliers = this.appliers(files);
        // What is handed to one that applies it may make something.
        let handed = |file: &ReadFile| {
            let uses = 0..file.scan.items.len();
            let uses = uses.filter(|it| {
                let item = &file.scan.items[*it];
                item.kind == ItemKind::MacroUse && this.appliers.contains(&item.name)
            });
            let names = uses.flat_map(|it| mentioned(file.scan.refs(it)));
            names.filter(|it| !done.contains(it)).collect::<Vec<_>>()
        };
        let handed = names_in(&growing, &handed);
        let known: FxHashSet<Sym> = this.by_name.keys().copied().collect();
        this.gather(files, handed.clone(), &mut done);
        this.names = done.into_iter().collect();
        this.names.sort_unstable();
        let (kernel, beside) =
            rayon::join(|| this.makers(files, false), || this.makers(files, true));
        this.makers = [kernel, beside];
        this.choosers = this.choosers(files);
        this.keep_makers(files, &known, &handed);
        this
    }

    /// No macros yet.
    pub(super) fn none(tree: &'t dyn TreeSource, warm: &'t Warm, all: &Arc<Definers>) -> Self {
        Self {
            tree,
            warm,
            all: Arc::clone(all),
            by_name: FxHashMap::default(),
            knows_all: false,
            makers: Default::default(),
            appliers: FxHashSet::default(),
            choosers: FxHashSet::default(),
            chosen: Chosen::new(),
            tracepoints: false,
            stages: Vec::new(),
            names: Vec::new(),
            making_names: MakingNames::new(),
            definitions: Copies::new(),
            templates: Copies::new(),
            units: Memo::new(),
        }
    }

    /// Forgets what was handed over and makes nothing: a word among arguments may be a macro of somebody else's.
    #[allow(
        clippy::iter_over_hash_type,
        reason = "the result is a set, whatever the order"
    )]
    fn keep_makers(&mut self, files: &[ReadFile], known: &FxHashSet<Sym>, handed: &FxHashSet<u32>) {
        let is_new = |it: &Sym| !known.contains(it);
        let new: FxHashMap<u32, Sym> = self
            .by_name
            .keys()
            .filter(|it| is_new(it))
            .map(|it| (it.short(), *it))
            .collect();
        let is_maker = |it: &Sym| {
            handed.contains(&it.short()) && self.makers.iter().any(|makers| makers.contains(it))
        };
        let mut kept: FxHashSet<Sym> = new.values().copied().filter(is_maker).collect();
        let mut pending: Vec<Sym> = kept.iter().copied().collect();
        while let Some(name) = pending.pop() {
            for place in self.by_name.get(&name).into_iter().flatten() {
                let calls = called(files[place.0 as usize].scan.refs(place.1 as usize));
                for name in calls.filter_map(|it| new.get(&it)) {
                    if kept.insert(*name) {
                        pending.push(*name);
                    }
                }
            }
        }
        self.by_name
            .retain(|it, _| known.contains(it) || kept.contains(it));
    }

    /// Takes the definitions of some names, of what those call, and so on; all names that were looked for are done.
    pub(super) fn gather(
        &mut self,
        files: &[ReadFile],
        mut wanted_short: FxHashSet<u32>,
        done: &mut FxHashSet<u32>,
    ) {
        let all = Arc::clone(&self.all);
        for _ in 0..MAX_ROUNDS {
            if wanted_short.is_empty() {
                break;
            }
            let wanted: Vec<u32> = wanted_short.drain().collect();
            done.extend(&wanted);
            for short in wanted {
                for place in all.of_name(short) {
                    let scan = &files[place.0 as usize].scan;
                    let calls = called(scan.refs(place.1 as usize));
                    wanted_short.extend(calls.filter(|it| !done.contains(it)));
                    let name = scan.items[place.1 as usize].name;
                    self.by_name.entry(name).or_default().push(place);
                }
            }
        }
        done.extend(wanted_short);
    }

    /// Where a name is defined.
    pub(super) fn places(&self, files: &[ReadFile], name: Sym) -> Cow<'_, [Place]> {
        if !self.knows_all {
            return self
                .by_name
                .get(&name)
                .map_or(Cow::Borrowed(&[]), |it| Cow::Borrowed(it));
        }
        Cow::Owned(self.all_places(files, name))
    }

    pub(super) fn text(&self, files: &[ReadFile], file: usize) -> Arc<Vec<u8>> {
        let source = &files[file].source;
        self.warm.text(self.tree, (&source.path, source.content))
    }

    /// What `of` says of the text of a file of which nothing more is likely to be asked.
    pub(super) fn with_text<R: Default>(
        &self,
        source: &SourceFile,
        of: impl FnOnce(&[u8]) -> R,
    ) -> R {
        match self.warm.texts.known(source.content) {
            Some(text) => of(&text),
            None => crate::tree::with_text(self.tree, &source.path, of).unwrap_or_default(),
        }
    }

    pub(super) fn definition(&self, files: &[ReadFile], place: Place) -> Option<Arc<Definition>> {
        let text = || self.text(files, place.0 as usize);
        let read = || defined(files, place, &text());
        self.definitions.get(place, read)
    }

    /// As [`Macros::definition`], from a file whose text is at hand.
    pub(super) fn own_definition(
        &self,
        files: &[ReadFile],
        place: Place,
        own: (usize, &[u8]),
    ) -> Option<Arc<Definition>> {
        if place.0 as usize != own.0 {
            return self.definition(files, place);
        }
        let read = || defined(files, place, own.1);
        self.definitions.get(place, read)
    }

    /// The macros that make functions or tables, by their own body or by what that uses outside of braces.
    fn makers(&self, files: &[ReadFile], is_foreign: bool) -> FxHashSet<Sym> {
        self.spread(files, &|it| it.is_foreign == is_foreign, &|place| {
            files[place.0 as usize].scan.items[place.1 as usize].flags & flags::MAKES != 0
        })
    }

    /// The macros that use an argument as a macro outside of braces, or hand on to one that does.
    fn appliers(&self, files: &[ReadFile]) -> FxHashSet<Sym> {
        self.flagged(files, flags::APPLIES, Definition::applies_outside_of_braces)
    }

    /// The macros with a flag whose definition `is_one`, and those that use one of these outside of braces.
    pub(super) fn flagged(
        &self,
        files: &[ReadFile],
        flag: u8,
        is_one: fn(&Definition) -> bool,
    ) -> FxHashSet<Sym> {
        self.spread(files, &|_| true, &|place| {
            let item = &files[place.0 as usize].scan.items[place.1 as usize];
            item.flags & flag != 0 && self.definition(files, place).is_some_and(|it| is_one(&it))
        })
    }

    /// The macros of which a definition `is_one`, and those that use one of these outside of braces.
    #[allow(
        clippy::iter_over_hash_type,
        reason = "the result is a set, whatever the order"
    )]
    fn spread(
        &self,
        files: &[ReadFile],
        is_wanted: &dyn Fn(&SourceFile) -> bool,
        is_one: &dyn Fn(Place) -> bool,
    ) -> FxHashSet<Sym> {
        let mut uses: Vec<(Sym, Place, Option<Vec<Sym>>)> = Vec::new();
        let mut found = FxHashSet::default();
        for (name, places) in &self.by_name {
            for place in places
                .iter()
                .map(|it| (it, &files[it.0 as usize].source))
                .filter(|it| it.1.at_home && is_wanted(it.1))
                .map(|it| it.0)
            {
                if is_one(*place) {
                    found.insert(*name);
                }
                uses.push((*name, *place, None));
            }
        }
        let mut short: FxHashSet<u32> = found.iter().map(|it| it.short()).collect();
        loop {
            let uses_one = |(name, place, used): &mut (Sym, Place, Option<Vec<Sym>>)| {
                let refs = files[place.0 as usize].scan.refs(place.1 as usize);
                let mut calls = called(refs);
                if found.contains(name) || !calls.any(|it| short.contains(&it)) {
                    return None;
                }
                let used = used.get_or_insert_with(|| {
                    self.definition(files, *place)
                        .map_or(Vec::new(), |it| it.uses_outside_of_braces())
                });
                used.iter().any(|it| found.contains(it)).then_some(*name)
            };
            let more: Vec<Sym> = uses
                .par_iter_mut()
                .in_turns()
                .filter_map(uses_one)
                .collect();
            if more.is_empty() {
                return found;
            }
            short.extend(more.iter().map(|it| it.short()));
            found.extend(more);
        }
    }

    /// Whether a use makes something by what is handed to it.
    pub(super) fn applies_a_maker(&self, scan: &FileScan, at: usize) -> bool {
        self.appliers.contains(&scan.items[at].name)
            && mentioned(scan.refs(at)).any(|it| {
                self.makers
                    .iter()
                    .flatten()
                    .any(|maker| maker.short() == it)
            })
    }
}

/// What `of` says of some files, once.
pub(super) fn names_in(
    files: &[&ReadFile],
    of: &(dyn Fn(&ReadFile) -> Vec<u32> + Sync),
) -> FxHashSet<u32> {
    let mut names: Vec<u32> = files.par_iter().flat_map_iter(|it| of(it)).collect();
    names.par_sort_unstable();
    names.dedup();
    names.into_iter().collect()
}

/// The definition at a place, in the text of its file.
fn defined(files: &[ReadFile], place: Place, text: &[u8]) -> Option<Arc<Definition>> {
    let item = &files[place.0 as usize].scan.items[place.1 as usize];
    let text = text.get(item.start as usize..item.end as usize)?;
    Definition::read(text, (item.body - item.start) as usize).map(Arc::new)
}
