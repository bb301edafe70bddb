//! Reads a kernel tree, builds its call graph through ops tables and callbacks, and reports direct
//! `iput()` calls that writeback or messenger contexts reach, and open-coded `i_count`.
#![warn(missing_docs)]

pub mod base;
pub mod cache;
mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod contexts;
pub mod delta;
pub mod diff;
mod expand;
mod facts;
pub mod finding;
mod focus;
mod graph;
pub mod kernel;
mod lex;
pub mod query;
pub mod render;
pub mod report;
pub mod review;
mod rows;
pub mod rules;
pub mod suppress;
mod syntax;
pub mod tree;
mod turns;
mod warm;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use check::Keep;
use graph::reading::Listing;
use report::{CheckReport, PatchInput, ReviewReport};
use tree::{TreeError, TreeSource};

/// What to lint and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Report only what lies under one of these paths; empty reports everything.
    pub under: Vec<String>,
    /// Read only these directories; empty reads the whole tree.
    pub scope: Vec<String>,
    /// Which rules and contexts run, at which level; what is suppressed.
    pub config: config::Config,
    /// Parse every function of every file instead of those that may matter; the findings are the same.
    pub no_sieve: bool,
}

/// A linter with its options and whatever it keeps warm between runs.
///
/// One value may lint many trees; runs on trees that share files share the work.
pub struct Linter {
    options: Options,
    warm: warm::Warm,
    cache: Option<cache::Cache>,
    /// The tree linted last, with its git id.
    last: Mutex<Option<(Option<String>, Arc<check::Checked>)>>,
    /// States that patches made, by their tree ids, the latest last.
    states: Mutex<VecDeque<(String, Arc<CheckReport>)>>,
    linted_count: AtomicU64,
}

/// Reports kept of the states that a series makes, which is often sent again with one patch more.
const MAX_STATES: usize = 32;

/// What [`Linter::check_once`] found, and what it read; to take that apart takes a moment.
pub struct CheckedOnce {
    /// What it found.
    pub report: CheckReport,
    #[expect(dead_code, reason = "whoever ends with this need not drop it")]
    read: (Linter, check::Checked),
}

impl Linter {
    /// A linter that keeps what it learns in memory.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            warm: warm::Warm::new(),
            cache: None,
            last: Mutex::new(None),
            states: Mutex::default(),
            linted_count: AtomicU64::new(0),
        }
    }

    /// A linter that also reads and writes what it learns in a cache on disk.
    #[must_use]
    pub fn with_cache(self, cache: cache::Cache) -> Self {
        Self {
            cache: Some(cache),
            ..self
        }
    }

    /// Lints one tree.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the tree cannot be read at all; an unreadable file is a gap.
    pub fn check(&self, tree: &dyn TreeSource) -> Result<CheckReport, TreeError> {
        let id = tree.tree_id_with(&tree::FileChanges::new())?;
        let listing = match &id {
            Some(_) => None,
            None => Some(check::listing(tree, &self.options)?),
        };
        let name = match &listing {
            Some(listing) => listing.name(),
            None => id.clone(),
        };
        let name = name.map(|it| self.report_name(&it));
        if let (Some(cache), Some(name)) = (&self.cache, &name)
            && let Some(report) = cache.report(name)
        {
            return Ok(report.under(&self.options.under));
        }
        let checked = self.checked(tree, id, listing, Keep::EdgesOfFresh)?;
        if let (Some(cache), Some(name)) = (&self.cache, &name) {
            cache.keep_report(name, &checked.report);
        }
        Ok(checked.report.under(&self.options.under))
    }

    /// Lints one tree with nothing before or after it, so no content need be known again; unless it `counts`,
    /// [`TreeStats::unbound_calls`](report::TreeStats::unbound_calls) is left at 0.
    ///
    /// # Errors
    ///
    /// As [`Linter::check`].
    pub fn check_once(self, tree: &dyn TreeSource, counts: bool) -> Result<CheckedOnce, TreeError> {
        let listing = check::listing(tree, &self.options)?.numbered();
        let (warm, options) = (&self.warm, &self.options);
        let checked = check::check(
            tree,
            warm,
            options,
            (listing, None),
            Keep::Nothing { counts },
        )?;
        Ok(CheckedOnce {
            report: checked.report.under(&options.under),
            read: (self, checked),
        })
    }

    /// Reads a tree for questions to its call graph.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the tree cannot be read at all.
    pub fn graph<'t>(&'t self, tree: &'t dyn TreeSource) -> Result<query::Graph<'t>, TreeError> {
        self.warm.trim();
        query::Graph::open(tree, &self.warm, &self.options)
    }

    /// Explains a line: which contexts reach its function, and where the others are cut.
    ///
    /// # Errors
    ///
    /// When the file is no source of the tree, or the tree cannot be read.
    pub fn why(
        &self,
        tree: &dyn TreeSource,
        file: &tree::TreePath,
        line: u32,
    ) -> Result<query::Why, query::QueryError> {
        let id = tree.tree_id_with(&tree::FileChanges::new())?;
        let checked = self.checked(tree, id, None, Keep::EdgesOfFresh)?;
        query::why((tree, &self.warm, &self.options), &checked, file, line)
    }

    /// How many states that patches made were linted so far; one that is known by its tree id is not linted again.
    pub fn linted_count(&self) -> u64 {
        self.linted_count.load(Ordering::Relaxed)
    }

    /// The report of a state that may have been linted before: a series whose last part comes in late makes the
    /// same states again.
    fn known_or(
        &self,
        tree: &dyn TreeSource,
        lint: impl FnOnce() -> Result<CheckReport, TreeError>,
    ) -> Result<Arc<CheckReport>, TreeError> {
        let id = tree.tree_id_with(&tree::FileChanges::new())?;
        let states = || self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = states();
        if let Some(at) = id
            .as_ref()
            .and_then(|id| known.iter().position(|it| it.0 == *id))
        {
            let found = known.remove(at).expect("it was found there");
            let report = Arc::clone(&found.1);
            known.push_back(found);
            return Ok(report);
        }
        drop(known);
        self.linted_count.fetch_add(1, Ordering::Relaxed);
        let report = Arc::new(lint()?);
        if let Some(id) = id {
            let mut known = states();
            known.push_back((id, Arc::clone(&report)));
            if known.len() > MAX_STATES {
                known.pop_front();
            }
        }
        Ok(report)
    }

    /// Applies the patches one after the other in memory and reports what each, and all together, change.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the base cannot be read; a patch that does not apply is data.
    pub fn review(
        &self,
        base: &dyn TreeSource,
        patches: &[PatchInput],
    ) -> Result<ReviewReport, TreeError> {
        let id = base.tree_id_with(&tree::FileChanges::new())?;
        let start = self.checked(base, id, None, Keep::Edges)?;
        let lint = |tree: &dyn TreeSource, changed: &[tree::TreePath]| {
            self.known_or(tree, || {
                check::recheck(tree, &self.warm, &self.options, &start, changed)
            })
        };
        review::run(&lint, &start.report, base, patches)
    }

    /// Lints a tree, as a change of the one before where it is one: many series are posted against one base.
    fn checked(
        &self,
        tree: &dyn TreeSource,
        id: Option<String>,
        listing: Option<Listing>,
        keep: Keep,
    ) -> Result<Arc<check::Checked>, TreeError> {
        self.warm.trim();
        let last = self.last.lock().expect("no panic while locked").clone();
        let before = last.or_else(|| self.stored(id.as_deref()));
        if let Some((known, checked)) = &before
            && known.is_some()
            && *known == id
        {
            self.keep_last(id, checked);
            return Ok(Arc::clone(checked));
        }
        let listing = match listing {
            Some(listing) => listing,
            None => check::listing(tree, &self.options)?,
        };
        let before = before.as_ref().map(|it| &*it.1);
        let checked = check::check(tree, &self.warm, &self.options, (listing, before), keep)?;
        let checked = Arc::new(checked);
        if checked.is_fresh {
            self.store(&checked);
        }
        if let (Some(cache), Some(id)) = (&self.cache, &id)
            && checked.reading.changed.is_empty()
        {
            cache.keep_name(id, &checked.reading.image.name());
        }
        self.keep_last(id, &checked);
        Ok(checked)
    }

    fn keep_last(&self, id: Option<String>, checked: &Arc<check::Checked>) {
        *self.last.lock().expect("no panic while locked") = Some((id, Arc::clone(checked)));
    }

    /// Runs with the same options tell the same of the same tree.
    fn report_name(&self, tree: &str) -> String {
        let options = Options {
            under: Vec::new(),
            ..self.options.clone()
        };
        let options = lex::Sym::of(format!("{options:?}")).0;
        format!("report-{options:016x}-{tree}")
    }

    /// The tree that was read last with this plan, by whichever process; with `id` where it is that git tree.
    fn stored(&self, id: Option<&str>) -> Option<(Option<String>, Arc<check::Checked>)> {
        let cache = self.cache.as_ref()?;
        let file = cache.tree(check::plan_key(&self.options), &self.warm)?;
        let report = cache.report(&self.report_name(&file.name))?;
        let is_same = |it: &&str| cache.name(it).is_some_and(|it| it == file.name);
        let id = id.filter(is_same).map(str::to_owned);
        let checked = check::Checked {
            report: Arc::new(report),
            reading: graph::index::Snapshot {
                image: file.image,
                changed: Vec::new(),
                over: None,
            },
            closures: file.closures,
            edges: file.edges,
            crossings: file.crossings,
            is_fresh: false,
        };
        Some((id, Arc::new(checked)))
    }

    fn store(&self, checked: &check::Checked) {
        let Some(cache) = &self.cache else {
            return;
        };
        let name = checked.reading.image.name();
        cache.keep_report(&self.report_name(&name), &checked.report);
        let file = cache::TreeFile {
            image: Arc::clone(&checked.reading.image),
            closures: checked.closures.clone(),
            edges: Arc::clone(&checked.edges),
            crossings: Arc::clone(&checked.crossings),
            name,
        };
        cache.keep_tree(check::plan_key(&self.options), &file, &self.warm);
    }
}
