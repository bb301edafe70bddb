//! Reads a kernel tree, builds its call graph through ops tables and callbacks, and reports direct
//! `iput()` calls that writeback or messenger contexts reach, and open-coded `i_count`.
#![warn(missing_docs)]

pub mod base;
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
pub mod rules;
pub mod suppress;
mod syntax;
pub mod tree;
mod warm;

use std::sync::{Arc, Mutex};

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
    /// The tree id of the base linted last, with its report.
    last_base: Mutex<Option<(String, Arc<check::Checked>)>>,
}

impl Linter {
    /// A linter that keeps what it learns in memory.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            warm: warm::Warm::new(),
            last_base: Mutex::new(None),
        }
    }

    /// Lints one tree.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the tree cannot be read at all; an unreadable file is a gap.
    pub fn check(&self, tree: &dyn TreeSource) -> Result<CheckReport, TreeError> {
        let checked = self.checked(tree)?;
        Ok(CheckReport::clone(&checked.report))
    }

    fn checked(&self, tree: &dyn TreeSource) -> Result<check::Checked, TreeError> {
        self.warm.trim();
        check::check(tree, &self.warm, &self.options)
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

    /// The report of a base: many series are posted against one.
    fn check_base(&self, base: &dyn TreeSource) -> Result<Arc<check::Checked>, TreeError> {
        let Some(id) = base.tree_id_with(&tree::FileChanges::new())? else {
            return Ok(Arc::new(self.checked(base)?));
        };
        if let Some((known, report)) = &*self.last_base.lock().expect("no panic while locked")
            && *known == id
        {
            return Ok(Arc::clone(report));
        }
        let report = Arc::new(self.checked(base)?);
        *self.last_base.lock().expect("no panic while locked") = Some((id, Arc::clone(&report)));
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
        let start = self.check_base(base)?;
        let lint = |tree: &dyn TreeSource, changed: &[tree::TreePath]| {
            check::recheck(tree, &self.warm, &self.options, &start, changed)
        };
        review::run(&lint, &start.report, base, patches)
    }
}
