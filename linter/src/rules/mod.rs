//! Rules: one file and one `.md` each, and one line in [`RULES`].
//!
//! A rule is a pure function from what was read of one function (`FunctionView`) to findings. It
//! knows no files, no lines and no configuration: `check` adds those.

mod context_root_missing;
mod helpers;
mod i_count;
mod i_count_delayed_iput;
mod i_count_drop;
mod i_count_exchange;
mod i_count_grab;
mod i_count_raw;
mod i_count_read;
mod i_count_resurrect;
mod i_count_set;
mod iput_in_drop_inode;
mod unsafe_iput;

pub(crate) use context_root_missing::{RootState, missing_roots};
pub(crate) use helpers::Helpers;

use crate::contexts::Context;
use crate::finding::{Confidence, Hop, Severity, Shown};
use crate::syntax::counts::CountAccess;
use crate::syntax::idioms::Release;

/// A rule as `lorelint rules` lists it.
#[derive(Debug)]
pub struct Rule {
    /// Reads well after "allow": what is flagged, not the cure.
    pub name: &'static str,
    /// Before modifiers and configuration.
    pub severity: Severity,
    /// Whether it runs without `--rule` or configuration.
    pub default_on: bool,
    /// One line.
    pub summary: &'static str,
    /// Markdown for `lorelint explain`; its C blocks are run as tests.
    pub docs: &'static str,
    pub(crate) check: Check,
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) enum Check {
    /// One function at a time.
    Function(fn(&FunctionView<'_>, &mut Vec<RuleFinding>)),
    /// The tree as a whole: [`missing_roots`].
    Tree,
}

/// All rules, in the order of the documentation.
pub static RULES: &[&Rule] = &[
    &unsafe_iput::RULE,
    &iput_in_drop_inode::RULE,
    &i_count_resurrect::RULE,
    &i_count_set::RULE,
    &i_count_drop::RULE,
    &i_count_exchange::RULE,
    &i_count_grab::RULE,
    &i_count_raw::RULE,
    &i_count_read::RULE,
    &i_count_delayed_iput::RULE,
    &context_root_missing::RULE,
];

/// The rule of this name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|it| it.name == name)
}

/// What the rules may see of one function (or of the body of a macro).
pub(crate) struct FunctionView<'a> {
    /// Path of its file in the tree.
    pub(crate) path: &'a str,
    /// Its name.
    pub(crate) function: &'a str,
    /// From `syntax::counts::accesses`.
    pub(crate) accesses: &'a [CountAccess],
    /// From `syntax::idioms::releases`, each with what reaches it.
    pub(crate) releases: &'a [ReachedRelease],
    /// What the tree declares.
    pub(crate) helpers: &'a Helpers,
}

/// A call that drops a reference, and who gets there.
pub(crate) struct ReachedRelease {
    /// The call.
    pub(crate) release: Release,
    /// One entry a context that reaches the function that holds it; empty where none does.
    pub(crate) reaches: Vec<Reach>,
    /// Whether its file system's `->drop_inode` is one of `kernel::ALWAYS_DROP`.
    pub(crate) always_drops: bool,
    /// The lookup that the inode comes from, where that keeps a reference of its own.
    pub(crate) kept_by: Option<String>,
    /// Its file system's `->drop_inode`, where that keeps the inodes that are under writeback.
    pub(crate) keeper: Option<String>,
}

/// How one context reaches a function.
#[derive(Clone)]
pub(crate) struct Reach {
    /// The context.
    pub(crate) context: &'static Context,
    /// One shortest chain from a root to the function.
    pub(crate) path: Vec<Hop>,
    /// That of the weakest hop.
    pub(crate) confidence: Confidence,
    /// Roots of the context that reach the function, at least 1.
    pub(crate) root_count: u32,
    /// The first function of the chain that makes its call only where something failed.
    pub(crate) failing: Option<String>,
    /// A function that the chain enters again from below itself.
    pub(crate) again: Option<String>,
    /// Why the chain is not sure, where it is not.
    pub(crate) weakest: Option<String>,
    /// The flag of an object without which the release does not run, as `member has FLAG`.
    pub(crate) flag: Option<String>,
    /// What a function of the chain sets so that the release does not run, unless it is set again on the way.
    pub(crate) contrary: Option<String>,
}

/// What a rule says; offsets are those of the access or release it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleFinding {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    /// In bytes of the function's text.
    pub(crate) offset: usize,
    pub(crate) statement: String,
    pub(crate) message: String,
    pub(crate) help: String,
    /// Sorted names; empty for rules without a context.
    pub(crate) contexts: Vec<&'static str>,
    pub(crate) path: Vec<Hop>,
    /// Other places of the same function: offset and message.
    pub(crate) related: Vec<(usize, String)>,
    /// One for each context but the one that is shown.
    pub(crate) others: Vec<Shown>,
}

/// Runs every function rule; `is_on` says which rules are wanted.
pub(crate) fn run(view: &FunctionView<'_>, is_on: &dyn Fn(&Rule) -> bool) -> Vec<RuleFinding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|it| is_on(it)) {
        if let Check::Function(check) = rule.check {
            check(view, &mut findings);
        }
    }
    findings.sort_by(|a, b| (a.offset, a.rule).cmp(&(b.offset, b.rule)));
    findings
}
