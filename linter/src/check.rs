//! One tree to its findings: index, sieve, contexts, rules.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

mod behind;
mod beside;
mod cleanup;
mod contrary;
mod findings;
pub(crate) mod last_call;
mod unlocked;
mod used;

use findings::Run;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Options;
use crate::contexts::{CONTEXTS, Context, RootKind};
use crate::finding::Gap;
use crate::focus::Focus;
use crate::graph::crossings::Crossings;
use crate::graph::drops::DropInode;
use crate::graph::explore;
use crate::graph::focused::Focused;
use crate::graph::index::Snapshot;
use crate::graph::known::KnownEdges;
use crate::graph::limits::{self, Limits};
use crate::graph::reading::{self, Listing, Plan, Reading};
use crate::graph::reuse::Before;
use crate::graph::sieve::{Closures, Sieve};
use crate::graph::{Index, ItemId, Resolver};
use crate::kernel;
use crate::lex::{Item, ItemKind, Sym};
use crate::report::{CheckReport, StageCost, TreeStats, Work};
use crate::rules::{self, Helpers, RootState};
use crate::syntax::idioms::{self, Wrapper};
use crate::tree::{TreeError, TreePath, TreeSource};
use crate::turns::InTurns as _;
use crate::warm::{Memo, Warm};

/// A tree that was linted whole, and what was read for it.
pub(crate) struct Checked {
    pub(crate) report: Arc<CheckReport>,
    pub(crate) reading: Snapshot,
    pub(crate) closures: Option<Arc<Closures>>,
    /// The edges that were asked for.
    pub(crate) edges: Arc<KnownEdges>,
    /// Where chains come from one implementation into another.
    pub(crate) crossings: Arc<Crossings>,
    /// Whether everything was read for it.
    pub(crate) is_fresh: bool,
}

/// What a check leaves behind beside its report.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Keep {
    /// The edges, which is work for whoever lints a similar tree next.
    Edges,
    /// The edges where everything was read anew.
    EdgesOfFresh,
    /// Nothing: the process ends with it. What is only counted is left out unless it `counts`.
    Nothing { counts: bool },
}

/// Lints one tree; `before` is a tree that may differ in a few files only.
pub(crate) fn check(
    tree: &dyn TreeSource,
    warm: &Warm,
    options: &Options,
    (listing, before): (Listing, Option<&Checked>),
    keep: Keep,
) -> Result<Checked, TreeError> {
    let contexts = contexts_of(options);
    let clock = Clock::start();
    let read = reading::read(
        tree,
        warm,
        &plan(options, &contexts),
        (listing, before.map(|it| &it.reading)),
    );
    let reading = read.index.snapshot();
    let before = before.zip(read.changed);
    if let Some((before, changed)) = &before
        && changed.is_empty()
    {
        return Ok(Checked {
            report: Arc::clone(&before.report),
            reading,
            closures: before.closures.clone(),
            edges: Arc::clone(&before.edges),
            crossings: Arc::clone(&before.crossings),
            is_fresh: false,
        });
    }
    let mut prepared = Prepared::new(read.index, contexts, clock, true)?;
    prepared.keep = keep;
    let linted = match &before {
        Some((before, changed)) => {
            prepared.after(before, warm);
            prepared.lint_changed((warm, options), before, changed)
        }
        None => prepared.lint(warm, options, None),
    };
    Ok(Checked {
        report: Arc::new(linted.report),
        reading,
        closures: linted.closures,
        edges: Arc::new(linted.edges.unwrap_or_default()),
        crossings: Arc::new(linted.crossings),
        is_fresh: before.is_none(),
    })
}

/// The files of a tree that a check takes.
pub(crate) fn listing(tree: &dyn TreeSource, options: &Options) -> Result<Listing, TreeError> {
    Listing::of(tree, &plan(options, &contexts_of(options)))
}

/// Readings with options of one key can stand in for each other.
pub(crate) fn plan_key(options: &Options) -> u64 {
    plan(options, &contexts_of(options)).key()
}

/// Lints a tree that differs from one that was linted in `changed` files alone.
///
/// Chains stay within an implementation, so those of the others are as they were. The findings are those
/// of [`check`]; where that cannot be known without looking at everything, everything is looked at.
pub(crate) fn recheck(
    tree: &dyn TreeSource,
    warm: &Warm,
    options: &Options,
    base: &Checked,
    changed: &[TreePath],
) -> Result<CheckReport, TreeError> {
    let contexts = contexts_of(options);
    let clock = Clock::start();
    let reread = reading::reread(
        tree,
        warm,
        &plan(options, &contexts),
        (&base.reading, changed),
    )?;
    let Some(index) = reread else {
        let checked = check(
            tree,
            warm,
            options,
            (listing(tree, options)?, None),
            Keep::EdgesOfFresh,
        )?;
        return Ok(CheckReport::clone(&checked.report));
    };
    let mut prepared = Prepared::new(index, contexts, clock, false)?;
    prepared.after(base, warm);
    let linted = prepared.lint_changed((warm, options), base, changed);
    Ok(linted.report)
}

/// The index that a check was made with; `None` where it has to be read anew.
pub(crate) fn index_of<'t>(
    tree: &'t dyn TreeSource,
    warm: &'t Warm,
    options: &Options,
    checked: &Checked,
) -> Result<Option<Index<'t>>, TreeError> {
    let reading = &checked.reading;
    if reading.changed.is_empty() {
        return Ok(Some(Index::new(
            tree,
            warm,
            Arc::clone(&reading.image),
            None,
        )));
    }
    reading::reread(
        tree,
        warm,
        &plan(options, &contexts_of(options)),
        (reading, &[]),
    )
}

fn contexts_of(options: &Options) -> Vec<&'static Context> {
    CONTEXTS
        .iter()
        .copied()
        .filter(|it| options.config.is_context_on(it))
        .collect()
}

fn plan<'a>(options: &'a Options, contexts: &'a [&'static Context]) -> Plan<'a> {
    Plan {
        scope: &options.scope,
        reading: if options.no_sieve {
            Reading::Everything
        } else {
            Reading::Needed
        },
        contexts,
        under: &[],
    }
}

/// What came of looking at a tree.
struct Linted {
    report: CheckReport,
    closures: Option<Arc<Closures>>,
    edges: Option<KnownEdges>,
    crossings: Crossings,
    /// Whether all of the tree was looked at.
    is_whole: bool,
}

/// A tree that has been read, before anything is asked of it.
struct Prepared<'t> {
    index: Index<'t>,
    contexts: Vec<&'static Context>,
    helpers: Helpers,
    suspects: Vec<ItemId>,
    /// The tree that this one differs from.
    before: Option<Before<'t>>,
    /// The gaps there, where that tree was read whole.
    known_gaps: Vec<Gap>,
    /// Whether it is asked for itself, and not as one of many states: its stages are measured.
    is_whole: bool,
    keep: Keep,
    clock: Clock,
}

impl<'t> Prepared<'t> {
    fn new(
        index: Index<'t>,
        contexts: Vec<&'static Context>,
        mut clock: Clock,
        is_whole: bool,
    ) -> Result<Self, TreeError> {
        let read = is_whole.then(|| work_in(&index, &|_, _| true));
        clock.stage("read", read.unwrap_or_default());
        let helpers = helpers(&index)?;
        Ok(Self {
            suspects: suspects(&index),
            index,
            contexts,
            helpers,
            before: None,
            known_gaps: Vec::new(),
            is_whole,
            keep: Keep::EdgesOfFresh,
            clock,
        })
    }

    fn keeps_edges(&self) -> bool {
        match self.keep {
            Keep::Edges => true,
            Keep::EdgesOfFresh => self.before.is_none(),
            Keep::Nothing { .. } => false,
        }
    }

    fn work_on(&self, items: impl Iterator<Item = ItemId>) -> Work {
        let measured = self.is_whole.then(|| work_on(&self.index, items));
        measured.unwrap_or_default()
    }

    /// Goes on from a tree that differs in a few files.
    fn after(&mut self, before: &Checked, warm: &'t Warm) {
        if before.reading.changed.is_empty() {
            self.known_gaps.clone_from(&before.report.gaps);
        }
        self.before = Some(Before::new(
            &self.index,
            warm,
            &before.reading,
            &before.edges,
            before.closures.as_ref(),
        ));
    }

    /// Looks again at what the changed files can touch, or at everything.
    fn lint_changed(
        &self,
        (warm, options): (&Warm, &Options),
        base: &Checked,
        changed: &[TreePath],
    ) -> Linted {
        let header = TreePath::parse(kernel::FS_HEADER).expect("a constant path is valid");
        let known = (&*base.report, &*base.crossings);
        if let Some(focus) = Focus::of(&self.index, known, changed)
            && !changed.contains(&header)
        {
            let linted = self.lint(warm, options, Some(&focus));
            if linted.is_whole {
                return linted;
            }
            if let Some(crossings) = (base.crossings).after(&linted.crossings, &focus.domains)
                && let Some(report) = focus.merge(&self.index, &base.report, linted.report)
            {
                return Linted {
                    report,
                    crossings,
                    ..linted
                };
            }
        }
        self.lint(warm, options, None)
    }

    fn lint(&self, warm: &Warm, options: &Options, focus: Option<&Focus>) -> Linted {
        let index = &self.index;
        let mut clock = self.clock.clone();
        let before = self.before.as_ref().and_then(|it| it.closures.clone());
        let open = options.no_sieve.then(Sieve::open);
        let sieve = || open.unwrap_or_else(|| limits::sieve(index, before));
        // The sieve is for one thread, and the suspects are for all.
        let (suspects, sieve) = rayon::join(
            || timed(|| wrappers(index, warm, &self.suspects)),
            || timed(sieve),
        );
        let ((wrappers, reading), (sieve, sieving)) = (suspects, sieve);
        let work = self.work_on(self.suspects.iter().copied());
        clock.add("suspects", reading, work);
        let passes = |id, item: &Item| item.kind == ItemKind::Function && sieve.passes(id);
        let passing = self.is_whole.then(|| work_in(index, &passes));
        clock.add("sieve", sieving, passing.unwrap_or_default());
        // Chains are told apart by the same in both readings.
        let deciding = options.no_sieve.then(|| limits::sieve(index, None));
        let resolver = Resolver::new(index, &sieve, warm)
            .deciding_by(deciding.as_ref().unwrap_or(&sieve))
            .with_bare_macros()
            .reusing(self.before.as_ref());
        let is_apart = |it: &&Focus| !resolver.is_newly_crossed(&|of| it.domains.contains(&of));
        let focus = focus.filter(is_apart);
        let focused =
            focus.map(|it| Focused::new(index, it.domains.clone(), it.approaches.clone()));
        let limits = Limits::of(focused);
        let reaches: Vec<explore::Reach> = self
            .contexts
            .par_iter()
            .map(|it| explore::explore(&resolver, it, &limits))
            .collect();
        clock.stage("explore", self.work_on(resolver.searched()));
        let run = Run {
            warm,
            index,
            resolver: &resolver,
            wrappers: &wrappers,
            contexts: &self.contexts,
            reaches: &reaches,
            helpers: &self.helpers,
            drops: DropInode::of(index),
            parsed: Memo::new(),
            options,
        };
        let mut report = run.findings(&self.suspects, focus);
        let of = (&*self.suspects, &*self.known_gaps);
        report.gaps.extend(run.unread(of, (&limits, &sieve), focus));
        let contexts = self.contexts.iter().zip(&reaches);
        let crossings = explore::crossings(contexts.map(|(it, reach)| (*it, reach)));
        clock.stage("rules", self.work_on(self.suspects.iter().copied()));
        report.stages = clock.stages;
        if self.is_whole {
            report.stats = stats(index, &resolver, self.keep);
        }
        report.gaps.extend(index.gaps().cloned());
        report.gaps.sort();
        report.gaps.dedup();
        if rules::rule("context-root-missing").is_some_and(|it| options.config.is_rule_on(it)) {
            let missing = self
                .contexts
                .iter()
                .flat_map(|it| rules::missing_roots(it, &|kind| root_state(&resolver, kind)));
            report.warnings.extend(missing);
        }
        let edges = self.keeps_edges().then(|| resolver.known_edges());
        if let Keep::Nothing { .. } = self.keep {
            std::mem::forget(resolver);
        } else {
            resolver.let_go();
        }
        Linted {
            report,
            crossings,
            edges,
            is_whole: focus.is_none(),
            closures: sieve.closures(),
        }
    }
}

/// The source of the items of a tree that are wanted.
fn work_in(index: &Index<'_>, takes: &(dyn Fn(ItemId, &Item) -> bool + Sync)) -> Work {
    let of_file = |slot| {
        let mut work = Work::default();
        for (_, item) in index.items(slot).filter(|it| takes(it.0, &it.1)) {
            work.files = 1;
            work.functions += u64::from(item.kind == ItemKind::Function);
            work.bytes += u64::from(item.end - item.start);
        }
        work
    };
    let sum = |one: Work, other: Work| Work {
        files: one.files + other.files,
        functions: one.functions + other.functions,
        bytes: one.bytes + other.bytes,
    };
    index.slots().map(of_file).reduce(Work::default, sum)
}

/// The source that some items are.
fn work_on(index: &Index<'_>, items: impl Iterator<Item = ItemId>) -> Work {
    let mut files = FxHashSet::default();
    let mut work = Work::default();
    for id in items {
        let item = index.item(id);
        files.insert(index.file_index(id));
        work.functions += u64::from(item.kind == ItemKind::Function);
        work.bytes += u64::from(item.end - item.start);
    }
    work.files = files.len() as u64;
    work
}

/// Measures the stages.
#[derive(Clone)]
struct Clock {
    last: Instant,
    stages: Vec<StageCost>,
}

impl Clock {
    fn start() -> Self {
        Self {
            last: Instant::now(),
            stages: Vec::new(),
        }
    }

    /// A stage that ran since the last one.
    fn stage(&mut self, name: &'static str, work: Work) {
        self.add(name, self.last.elapsed(), work);
    }

    /// A stage that ran beside others.
    fn add(&mut self, name: &'static str, took: Duration, work: Work) {
        self.stages.push(StageCost {
            name,
            seconds: took.as_secs_f64(),
            work,
        });
        self.last = Instant::now();
    }
}

/// What a stage comes to, and how long it takes.
fn timed<R>(stage: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    (stage(), start.elapsed())
}

fn helpers(index: &Index<'_>) -> Result<Helpers, TreeError> {
    let header = TreePath::parse(kernel::FS_HEADER).expect("a constant path is valid");
    if let Some(slot) = index.slot_of(&header) {
        return Ok(Helpers::of_header(index.text(slot)));
    }
    Ok(Helpers::of_header(
        &index.tree.read(&header)?.unwrap_or_default(),
    ))
}

fn stats(index: &Index<'_>, resolver: &Resolver<'_, '_>, keep: Keep) -> TreeStats {
    let counts = keep != Keep::Nothing { counts: false };
    TreeStats {
        files: index.files().count() as u64,
        functions: index.function_ids().count() as u64,
        call_sites: index.files().map(|it| u64::from(it.call_sites)).sum(),
        edges: resolver.edge_count(),
        unbound_calls: if counts { index.unbound_calls() } else { 0 },
    }
}

/// The functions that call `iput()` or speak of `i_count`, and the macros that do, in order.
pub(crate) fn suspects(index: &Index<'_>) -> Vec<ItemId> {
    let mut found: Vec<ItemId> = index
        .suspects()
        .filter(|it| !index.file_of(*it).is_foreign)
        .collect();
    found.sort_unstable();
    found
}

pub(crate) fn wrappers(
    index: &Index<'_>,
    warm: &Warm,
    suspects: &[ItemId],
) -> FxHashMap<ItemId, Wrapper> {
    let of = |id: ItemId| {
        let parsed = index.parse(id)?;
        // Whatever else is asked of a suspect is read from the same tree.
        let (item, text, key) = (index.item(id), index.item_text(id), index.key(id));
        let no_alias = (key, Sym::of("").0);
        warm.bodies.get_with(no_alias, || {
            let from = (item.body - item.start) as usize;
            findings::body_of(Some(&parsed), (text, from, false), &[])
        });
        warm.functions.get(key, || {
            crate::facts::facts_of(&parsed, text, (item.body - item.start) as usize)
        });
        let wrapper = idioms::wrapper(parsed.tree.as_ref()?.root_node(), &parsed.clean)?;
        // Under construction an inode has no I/O to wait for.
        let is_new = matches!(wrapper, Wrapper::Alias { .. })
            && kernel::NEW_INODE_WORDS
                .iter()
                .any(|it| memchr::memmem::find(&parsed.clean, it.as_bytes()).is_some());
        Some(if is_new { Wrapper::Safe } else { wrapper })
    };
    suspects
        .par_iter()
        .in_turns()
        .filter(|it| index.item(**it).kind == ItemKind::Function)
        .filter_map(|id| {
            Some((
                *id,
                warm.wrappers
                    .get(index.key(*id), || of(*id))
                    .as_ref()
                    .clone()?,
            ))
        })
        .collect()
}

fn root_state(resolver: &Resolver<'_, '_>, kind: &RootKind) -> RootState {
    let index = resolver.index;
    match kind {
        RootKind::Member { structure, member } => {
            let name = Sym::of(member);
            let definitions: Vec<ItemId> = index
                .types(Sym::of(structure))
                .filter(|it| !index.file_of(*it).is_foreign)
                .collect();
            if definitions.is_empty() {
                return RootState::OutOfSight;
            }
            let declared = definitions.iter().any(|it| {
                resolver
                    .type_item(*it)
                    .members
                    .iter()
                    .any(|it| it.name == name)
            });
            if declared {
                RootState::Present
            } else {
                RootState::Absent
            }
        }
        RootKind::Function { name, under } | RootKind::Work { name, under } => {
            if index
                .functions(Sym::of(name))
                .any(|it| index.file_of(it).path.as_str().starts_with(under))
            {
                return RootState::Present;
            }
            // A directory with hardly anything in it is a part of a kernel, not a kernel that renamed it.
            let sources = index.count_live(&index.files_below(under));
            if !under.is_empty() && sources >= 20 {
                RootState::Absent
            } else {
                RootState::OutOfSight
            }
        }
        RootKind::Argument { function, .. } => {
            let name = Sym::of(function);
            if index.functions(name).next().is_some() || index.macros(name).next().is_some() {
                RootState::Present
            } else {
                RootState::OutOfSight
            }
        }
        RootKind::Queued { .. } | RootKind::Deferred(_) | RootKind::NoSleep => RootState::Present,
    }
}
