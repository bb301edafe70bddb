//! Tracepoint headers, which other headers read several times, each time with other macros.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::makers::{Macros, Place};
use crate::graph::image::ReadFile;
use crate::graph::typing;
use crate::lex::{FileScan, ItemKind, RefKind, Sym};

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

/// One reading of a tracepoint header by a header that defines anew what tracepoints are made with.
pub(super) struct Stage {
    /// The header that reads, and which of its readings it is.
    pub(super) place: (u32, usize),
    /// The header with the definitions of this reading, where they stand in one of their own.
    pub(super) header: Option<u32>,
    /// What that defines, and what is defined by that, as [`Sym::short`].
    pub(super) names: FxHashSet<u32>,
}

/// Which tracepoint headers are expanded as each of their readings sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracepoints<'a> {
    /// Those below one of these paths; all where there is none.
    pub(crate) under: &'a [String],
}

impl Tracepoints<'_> {
    pub(super) fn hold(self, file: &ReadFile) -> bool {
        (self.under.is_empty() || self.under.iter().any(|it| file.source.path.is_under(it)))
            && is_of_tracepoints(&file.scan)
    }
}

impl Macros<'_> {
    /// The readings of the headers that define again what the tracepoints of a tree are made with.
    pub(super) fn stages(&self, files: &[ReadFile]) -> Vec<Stage> {
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
    pub(super) fn staged(&self, files: &[ReadFile], name: Sym, of: &Stage) -> Option<Place> {
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

pub(super) fn is_stage(path: &str) -> bool {
    path.strip_prefix("include/trace/")
        .is_some_and(|it| !it.contains('/') || it.starts_with("stages/"))
}

/// Tracepoints only record: what their headers make leads nowhere that a chain would go.
pub(super) fn is_of_tracepoints(scan: &FileScan) -> bool {
    let name = Sym::of("TRACE_SYSTEM");
    scan.items
        .iter()
        .any(|it| it.kind == ItemKind::Macro && it.name == name)
}
