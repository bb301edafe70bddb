//! Which uses are expanded, and how what they make becomes part of a file.
//!
//! One file, because the makers, their stages and what they grow are one table of definitions with its readers.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::definition::Definition;
use super::made::{Made, Span};
use super::text::{Definitions, Expander, close_of};
use crate::graph::image::ReadFile;
use crate::graph::includes::is_of_arch;
use crate::graph::index::SourceFile;
use crate::graph::typing;
use crate::lex::{self, FileScan, Item, ItemKind, Ref, RefKind, Sym, flags};
use crate::tree::TreeSource;
use crate::warm::{ContentKey, Warm};

/// Macros that call macros are followed through this many.
const MAX_ROUNDS: usize = 12;
/// Definitions of one name that are all expanded: arms of `#if`, and one an architecture.
const MAX_TWINS: usize = 6;
/// A file grows by this many bytes at most.
const MAX_GROWTH: usize = 8 << 20;

/// The distance of headers that nearly every file includes.
const INCLUDED: u8 = 2;

/// The distance of definitions that hold only while a header is read again.
const STAGE: u8 = 5;

/// The distance of the definitions of the architecture that is read.
const ARCH: u8 = 4;

/// What tracepoints are made with, in all their readings: `include/linux/tracepoint.h`.
const EVENTS: &[&str] = &[
    "TRACE_EVENT",
    "TRACE_EVENT_CONDITION",
    "TRACE_EVENT_FN",
    "TRACE_EVENT_FN_COND",
    "DECLARE_EVENT_CLASS",
    "DEFINE_EVENT",
    "DEFINE_EVENT_FN",
    "DEFINE_EVENT_CONDITION",
    "DEFINE_EVENT_PRINT",
];
/// The reading that makes one event a class with one event, for all readings that come after it.
const TRACE_EVENTS: &str = "include/trace/trace_events.h";

/// An item: file and index.
type Place = (u32, u32);

/// One reading of a tracepoint header by a header that defines anew what tracepoints are made with.
struct Stage {
    /// The header that reads, and which of its readings it is.
    place: (u32, usize),
    /// The header with the definitions of this reading, where they stand in one of their own.
    header: Option<u32>,
    /// What that defines, and what is defined by that, as [`Sym::short`].
    names: FxHashSet<u32>,
}

/// The macros that the uses of a tree lead to.
struct Macros<'t> {
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    by_name: FxHashMap<Sym, Vec<Place>>,
    /// Those that make functions or tables: of the kernel, and of the programs beside it.
    makers: [FxHashSet<Sym>; 2],
    /// The macros that use an argument as a macro outside of braces.
    appliers: FxHashSet<Sym>,
    /// Whether tracepoints are wanted too.
    tracepoints: bool,
    /// The readings of tracepoint headers.
    stages: Vec<Stage>,
    /// All names that were looked for, as [`Sym::short`], in order.
    names: Vec<u32>,
}

/// Which tracepoint headers are expanded as each of their readings sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracepoints<'a> {
    /// Those below one of these paths; all where there is none.
    pub(crate) under: &'a [String],
}

impl Tracepoints<'_> {
    fn hold(self, file: &ReadFile) -> bool {
        (self.under.is_empty() || self.under.iter().any(|it| file.source.path.is_under(it)))
            && is_of_tracepoints(&file.scan)
    }
}

/// Expands what the files' macro uses make, and puts it behind them.
///
/// Only files for which `grows` says so; the others hold definitions. Returns the names of macros on which the
/// result depends, as [`Sym::short`], in order.
pub(crate) fn grow(
    tree: &dyn TreeSource,
    warm: &Warm,
    files: &mut [ReadFile],
    tracepoints: Option<Tracepoints<'_>>,
    grows: &(dyn Fn(&SourceFile) -> bool + Sync),
) -> Vec<u32> {
    let mut macros = Macros::find(tree, warm, files, tracepoints, grows);
    macros.tracepoints = tracepoints.is_some();
    macros.stages = macros.stages(files);
    let grown: Vec<(usize, Growth)> = (0..files.len())
        .into_par_iter()
        .filter(|it| grows(&files[*it].source))
        .filter_map(|file| {
            let is_staged = tracepoints.is_some_and(|it| it.hold(&files[file]));
            Some((file, macros.growth(files, file, is_staged)?))
        })
        .collect();
    for (file, growth) in grown {
        let file = &mut files[file];
        file.scan = Arc::new(growth.scan);
        file.source.is_read = true;
        file.source.made = Some(Box::new(growth.made));
    }
    let names = macros.names;
    if tracepoints.is_some() {
        super::renamed::grow(tree, warm, files);
    }
    names
}

struct Growth {
    scan: FileScan,
    made: Made,
}

/// The names that refs mention as values, as [`Sym::short`].
pub(crate) fn mentioned(refs: &[Ref]) -> impl Iterator<Item = u32> {
    let mentions = refs.iter().filter(|it| it.kind() == RefKind::Mention);
    mentions.map(|it| it.name())
}

/// Whether an item is a use of a macro that may make something.
pub(crate) fn is_use(item: &Item) -> bool {
    item.kind == ItemKind::MacroUse
        || (item.kind == ItemKind::Function && item.flags & flags::MACRO_HEAD != 0)
}

impl<'t> Macros<'t> {
    /// Gathers the definitions of all used names, of what those call, and so on.
    fn find(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        files: &[ReadFile],
        tracepoints: Option<Tracepoints<'_>>,
        grows: &dyn Fn(&SourceFile) -> bool,
    ) -> Self {
        let mut wanted_short: FxHashSet<u32> = files
            .iter()
            .filter(|it| grows(&it.source))
            .flat_map(|it| it.scan.items.iter().filter(|it| is_use(it)))
            .map(|it| it.name.short())
            .collect();
        let events = files.iter().filter(|it| {
            grows(&it.source) && tracepoints.is_some_and(|tracepoints| tracepoints.hold(it))
        });
        // What an event prints is expanded with it.
        for scan in events.map(|it| &it.scan) {
            let uses = (0..scan.items.len()).filter(|it| is_use(&scan.items[*it]));
            let refs = uses.flat_map(|it| scan.refs(it));
            wanted_short.extend(
                refs.filter(|it| it.kind() == RefKind::Call)
                    .map(|it| it.name()),
            );
        }
        let mut this = Self {
            tree,
            warm,
            by_name: FxHashMap::default(),
            makers: Default::default(),
            appliers: FxHashSet::default(),
            tracepoints: false,
            stages: Vec::new(),
            names: Vec::new(),
        };
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
        let grown = files.iter().filter(|it| grows(&it.source));
        let handed: FxHashSet<u32> = grown.flat_map(handed).collect();
        let known: FxHashSet<Sym> = this.by_name.keys().copied().collect();
        this.gather(files, handed.clone(), &mut done);
        this.names = done.into_iter().collect();
        this.names.sort_unstable();
        this.makers = [false, true].map(|it| this.makers(files, it));
        this.keep_makers(files, &known, &handed);
        this
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
                let refs = files[place.0 as usize].scan.refs(place.1 as usize).iter();
                let calls = refs.filter(|it| it.kind() == RefKind::Call);
                for called in calls.filter_map(|it| new.get(&it.name())) {
                    if kept.insert(*called) {
                        pending.push(*called);
                    }
                }
            }
        }
        self.by_name
            .retain(|it, _| known.contains(it) || kept.contains(it));
    }

    /// Takes the definitions of some names, of what those call, and so on; all names that were looked for are done.
    fn gather(
        &mut self,
        files: &[ReadFile],
        mut wanted_short: FxHashSet<u32>,
        done: &mut FxHashSet<u32>,
    ) {
        for _ in 0..MAX_ROUNDS {
            if wanted_short.is_empty() {
                break;
            }
            let found: Vec<(Sym, Place)> = (0..files.len())
                .into_par_iter()
                .flat_map_iter(|file| {
                    let items = files[file].scan.items.iter().enumerate();
                    items
                        .filter(|(_, it)| {
                            it.kind == ItemKind::Macro && wanted_short.contains(&it.name.short())
                        })
                        .map(|(at, it)| (it.name, (file as u32, at as u32)))
                        .collect::<Vec<_>>()
                })
                .collect();
            done.extend(wanted_short.drain());
            for (name, place) in found {
                let calls = files[place.0 as usize]
                    .scan
                    .refs(place.1 as usize)
                    .iter()
                    .filter(|it| it.kind() == RefKind::Call);
                wanted_short.extend(calls.map(|it| it.name()).filter(|it| !done.contains(it)));
                self.by_name.entry(name).or_default().push(place);
            }
        }
        done.extend(wanted_short);
    }

    fn text(&self, files: &[ReadFile], file: usize) -> Arc<Vec<u8>> {
        let source = &files[file].source;
        self.warm.texts.get(source.content, || {
            self.tree
                .read(&source.path)
                .ok()
                .flatten()
                .unwrap_or_default()
        })
    }

    /// The definitions that a name can have in a file, nearest first, with their distance.
    fn candidates(&self, files: &[ReadFile], name: Sym, file: usize) -> Vec<(u8, Place)> {
        let mut found: Vec<(u8, Place)> = self
            .by_name
            .get(&name)
            .into_iter()
            .flatten()
            .filter_map(|it| Some((distance(files, it.0 as usize, file)?, *it)))
            .collect();
        found.sort_unstable();
        found
    }

    fn definition(&self, files: &[ReadFile], place: Place) -> Option<Definition> {
        let text = self.text(files, place.0 as usize);
        let item = &files[place.0 as usize].scan.items[place.1 as usize];
        Definition::read(
            text.get(item.start as usize..item.end as usize)?,
            (item.body - item.start) as usize,
        )
    }

    /// The macros that make functions or tables, by their own body or by what that uses outside of braces.
    fn makers(&self, files: &[ReadFile], is_foreign: bool) -> FxHashSet<Sym> {
        self.spread(files, &|it| it.is_foreign == is_foreign, &|place| {
            files[place.0 as usize].scan.items[place.1 as usize].flags & flags::MAKES != 0
        })
    }

    /// The macros that use an argument as a macro outside of braces, or hand on to one that does.
    fn appliers(&self, files: &[ReadFile]) -> FxHashSet<Sym> {
        self.spread(files, &|_| true, &|place| {
            let item = &files[place.0 as usize].scan.items[place.1 as usize];
            item.flags & flags::APPLIES != 0
                && self
                    .definition(files, place)
                    .is_some_and(|it| it.applies_outside_of_braces())
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
            let before = found.len();
            for (name, place, called) in &mut uses {
                let refs = files[place.0 as usize].scan.refs(place.1 as usize);
                if found.contains(name)
                    || !refs
                        .iter()
                        .any(|it| it.kind() == RefKind::Call && short.contains(&it.name()))
                {
                    continue;
                }
                let called = called.get_or_insert_with(|| {
                    self.definition(files, *place)
                        .map_or(Vec::new(), |it| it.uses_outside_of_braces())
                });
                if called.iter().any(|it| found.contains(it)) {
                    found.insert(*name);
                    short.insert(name.short());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Whether a use makes something by what is handed to it.
    fn applies_a_maker(&self, scan: &FileScan, at: usize) -> bool {
        self.appliers.contains(&scan.items[at].name)
            && mentioned(scan.refs(at)).any(|it| {
                self.makers
                    .iter()
                    .flatten()
                    .any(|maker| maker.short() == it)
            })
    }

    /// What the uses of a file make; `None` where they make nothing.
    fn growth(&self, files: &[ReadFile], file: usize, is_staged: bool) -> Option<Growth> {
        let source = &files[file];
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
                        || it.kind == ItemKind::Function && self.by_name.contains_key(&it.name)
                        || self.applies_a_maker(&source.scan, *at))
            })
            .map(|it| it.0)
            .collect();
        if uses.is_empty() {
            return None;
        }
        let own = self.text(files, file);
        let functions = source.scan.items.iter();
        let functions = functions
            .filter(|it| it.kind == ItemKind::Function && it.flags & flags::MACRO_HEAD == 0);
        let functions: FxHashSet<Sym> = functions.map(|it| it.name).collect();
        let start = own.len() as u32;
        let mut text: Vec<u8> = Vec::new();
        let mut scan = FileScan::clone(&source.scan);
        let mut spans = Vec::new();
        for at in uses {
            let item = source.scan.items[at];
            let mut expansions = self.expansions(files, (file, &functions), (&own, &item), None);
            for stage in self.stages.iter().filter(|_| is_staged) {
                let more = self.expansions(files, (file, &functions), (&own, &item), Some(stage));
                expansions.extend(more);
            }
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
    fn expansions(
        &self,
        files: &[ReadFile],
        (file, functions): (usize, &FxHashSet<Sym>),
        (own, item): (&[u8], &Item),
        stage: Option<&Stage>,
    ) -> Vec<Vec<u8>> {
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
        let mut expand = |definition: &Definition, view: &View<'_, '_>| {
            if let Some(expanded) = Expander::new(view).expand_use(name, definition, args) {
                let expanded = [before, &expanded[..]].concat();
                if !found.contains(&expanded) {
                    found.push(expanded);
                }
            }
        };
        let mut view = View {
            macros: self,
            files,
            file,
            own: functions,
            arch: false,
            saw_arch: Cell::new(false),
            stage,
        };
        if stage.is_some() {
            if let Some(definition) = view.find(name) {
                expand(&definition, &view);
            }
            return found;
        }
        let candidates = self.candidates(files, Sym::of(name), file);
        let nearest = candidates.first().map_or(u8::MAX, |it| it.0);
        // An architecture's definition goes before one that says so.
        let guard = [b"#ifndef ", name].concat();
        let yields = nearest < ARCH && (nearest > 1 || memchr::memmem::find(own, &guard).is_some());
        let near = candidates.iter().filter(|it| it.0 == nearest);
        let of_arch = candidates.iter().filter(|it| yields && it.0 == ARCH);
        for (_, place) in near.take(MAX_TWINS).chain(of_arch.take(MAX_TWINS)) {
            let Some(definition) = self.definition(files, *place) else {
                continue;
            };
            view.arch = false;
            view.saw_arch.set(false);
            expand(&definition, &view);
            if view.saw_arch.get() {
                view.arch = true;
                expand(&definition, &view);
            }
        }
        found
    }

    /// The readings of the headers that define again what the tracepoints of a tree are made with.
    fn stages(&self, files: &[ReadFile]) -> Vec<Stage> {
        let mut found: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
        for name in EVENTS {
            let mut here: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
            for place in self.by_name.get(&Sym::of(name)).into_iter().flatten() {
                if is_stage(files[place.0 as usize].source.path.as_str()) {
                    here.entry(place.0).or_default().push(*place);
                }
            }
            for (file, places) in here {
                let most = found.entry(file).or_default();
                if places.len() > most.len() {
                    *most = places;
                }
            }
        }
        let passes = found
            .into_values()
            .flat_map(|it| it.into_iter().enumerate());
        passes
            .map(|(pass, place)| {
                let header = self.stage_header(files, place);
                Stage {
                    place: (place.0, pass),
                    header,
                    names: header.map_or(FxHashSet::default(), |it| self.staged_names(files, it)),
                }
            })
            .collect()
    }

    /// The header under `stages/` that was included last before a definition.
    fn stage_header(&self, files: &[ReadFile], place: Place) -> Option<u32> {
        let file = &files[place.0 as usize];
        let text = self.text(files, place.0 as usize);
        let start = file.scan.items[place.1 as usize].start;
        let before = file.scan.includes.iter().filter(|it| it.1 <= start);
        let mut included = before.filter_map(|it| text.get(it.0 as usize..it.1 as usize));
        let last = included.rfind(|it| it.starts_with(b"stages/"))?;
        let path = format!("include/trace/{}", String::from_utf8_lossy(last));
        let found = files.binary_search_by(|it| it.source.path.as_str().cmp(&path));
        found.ok().map(|it| it as u32)
    }

    /// The macros of a header, and those of tracepoint headers that use them.
    #[allow(
        clippy::iter_over_hash_type,
        reason = "the result is a set, whatever the order"
    )]
    fn staged_names(&self, files: &[ReadFile], header: u32) -> FxHashSet<u32> {
        let items = files[header as usize].scan.items.iter();
        let macros = items.filter(|it| it.kind == ItemKind::Macro);
        let mut names: FxHashSet<u32> = macros.map(|it| it.name.short()).collect();
        loop {
            let before = names.len();
            for (name, places) in &self.by_name {
                let uses_one = |it: &&Place| {
                    let file = &files[it.0 as usize];
                    typing::is_of_tracepoints(file.source.path.as_str())
                        && !is_stage(file.source.path.as_str())
                        && file
                            .scan
                            .refs(it.1 as usize)
                            .iter()
                            .any(|it| it.kind() == RefKind::Call && names.contains(&it.name()))
                };
                if !names.contains(&name.short()) && places.iter().any(|it| uses_one(&it)) {
                    names.insert(name.short());
                }
            }
            if names.len() == before {
                return names;
            }
        }
    }

    /// What a name means where a stage's header reads a tracepoint header for the n-th time.
    fn staged(&self, files: &[ReadFile], name: Sym, of: &Stage) -> Option<Place> {
        let (stage, pass) = of.place;
        let all = self.by_name.get(&name)?;
        let own: Vec<Place> = all.iter().copied().filter(|it| it.0 == stage).collect();
        if let Some(last) = own.len().checked_sub(1) {
            return own.get(pass.min(last)).copied();
        }
        if let Some(place) = all.iter().rfind(|it| Some(it.0) == of.header) {
            return Some(*place);
        }
        EVENTS.iter().find(|it| Sym::of(it) == name)?;
        all.iter()
            .find(|it| files[it.0 as usize].source.path.as_str() == TRACE_EVENTS)
            .copied()
    }
}

fn is_stage(path: &str) -> bool {
    path.strip_prefix("include/trace/")
        .is_some_and(|it| !it.contains('/') || it.starts_with("stages/"))
}

/// Tracepoints only record: what their headers make leads nowhere that a chain would go.
fn is_of_tracepoints(scan: &FileScan) -> bool {
    let name = Sym::of("TRACE_SYSTEM");
    scan.items
        .iter()
        .any(|it| it.kind == ItemKind::Macro && it.name == name)
}

/// How far a definition is from the file that uses it; `None` where it cannot be meant.
fn distance(files: &[ReadFile], home: usize, file: usize) -> Option<u8> {
    if home == file {
        return Some(0);
    }
    let (there, here) = (&files[home].source, &files[file].source);
    if there.is_foreign != here.is_foreign || !there.is_shared {
        return None;
    }
    let directory = |path: &str| {
        path.rsplit_once('/')
            .map_or(String::new(), |it| it.0.to_owned())
    };
    let (path, own) = (there.path.as_str(), here.path.as_str());
    Some(match path {
        _ if directory(path) == directory(own) => 1,
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
struct View<'a, 't> {
    macros: &'a Macros<'t>,
    files: &'a [ReadFile],
    file: usize,
    /// The functions of the file.
    own: &'a FxHashSet<Sym>,
    /// Whether an architecture's definition goes before the generic one.
    arch: bool,
    saw_arch: Cell<bool>,
    /// A header that reads the file again, and which of its readings is meant.
    stage: Option<&'a Stage>,
}

impl Definitions for View<'_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        let staged = self
            .stage
            .and_then(|it| self.macros.staged(self.files, Sym::of(name), it));
        if let Some(place) = staged {
            return self.macros.definition(self.files, place).map(Arc::new);
        }
        let all = self.macros.candidates(self.files, Sym::of(name), self.file);
        let mut nearest = all.first()?.0;
        // A function of the file itself is no macro of a header that somebody else includes.
        if nearest > INCLUDED && self.own.contains(&Sym::of(name)) {
            return None;
        }
        if nearest < ARCH && nearest > 1 && all.iter().any(|it| it.0 == ARCH) {
            self.saw_arch.set(true);
            if self.arch {
                nearest = ARCH;
            }
        }
        let twins = all
            .iter()
            .filter(|it| it.0 == nearest)
            .filter_map(|it| self.macros.definition(self.files, it.1));
        // Of the arms of an `#if` the one that does most is meant.
        twins.max_by_key(|it| it.body.len()).map(Arc::new)
    }

    fn makes(&self, name: &[u8]) -> bool {
        let name = Sym::of(name);
        let is_staged = |it: &Stage| it.names.contains(&name.short());
        // Tracepoints of a program are read by the kernel's headers too.
        let is_foreign = self.stage.is_none() && self.files[self.file].source.is_foreign;
        self.macros.makers[usize::from(is_foreign)].contains(&name)
            || self.stage.is_some_and(is_staged)
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
