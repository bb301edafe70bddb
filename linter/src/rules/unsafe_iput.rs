//! Calls `iput()` where the eviction below it can deadlock or sleep.

use std::fmt::Write as _;

use super::{Check, FunctionView, Reach, ReachedRelease, Rule, RuleFinding};
use crate::contexts::{CONTEXTS, Sink};
use crate::finding::{Confidence, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unsafe-iput",
    severity: Severity::Error,
    default_on: true,
    summary: "Calls iput() where the eviction below it can deadlock or sleep",
    docs: include_str!("unsafe_iput.md"),
    check: Check::Function(check),
};

/// A chain this long is hard to follow and easily runs through a branch that this caller never takes.
const LONG_CHAIN: usize = 10;

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for reached in view.releases {
        if reached.release.not_last.is_some() {
            continue;
        }
        let mut reaches: Vec<&Reach> = reached
            .reaches
            .iter()
            .filter(|it| it.context.sink == Sink::FinalIput)
            .collect();
        // The chain that is shown: of the worst context, the surest, the first in the documentation.
        reaches.sort_by_key(|it| {
            (
                std::cmp::Reverse((it.context.severity, it.confidence)),
                CONTEXTS
                    .iter()
                    .position(|other| other.name == it.context.name),
                it.path.len(),
            )
        });
        if let Some(shown) = reaches.first() {
            findings.push(RuleFinding {
                rule: RULE.name,
                severity: severity(reached, shown),
                confidence: shown.confidence,
                offset: reached.release.offset,
                statement: reached.release.statement.clone(),
                message: message(&reached.release.callee, &reaches),
                help: help(view, &reached.release.inode),
                contexts: names(&reaches),
                path: shown.path.clone(),
                related: reaches[1..]
                    .iter()
                    .map(|it| (reached.release.offset, other_chain(it)))
                    .collect(),
            });
        }
    }
}

/// The chain of a further context, on one line.
fn other_chain(reach: &Reach) -> String {
    let functions: Vec<&str> = reach.path.iter().map(|it| it.function.as_str()).collect();
    format!("{}: {}", reach.context.name, functions.join(" > "))
}

fn names(reaches: &[&Reach]) -> Vec<&'static str> {
    let mut names: Vec<_> = reaches.iter().map(|it| it.context.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn severity(reached: &ReachedRelease, shown: &Reach) -> Severity {
    let weaker = shown.confidence == Confidence::Low
        || shown.path.len() > LONG_CHAIN
        || reached.release.error_label.is_some();
    let step = i8::from(reached.always_drops) - i8::from(weaker);
    match (shown.context.severity, step) {
        (Severity::Note, 1) | (Severity::Error, -1) => Severity::Warning,
        (Severity::Warning, 1) => Severity::Error,
        (Severity::Warning, -1) => Severity::Note,
        (severity, _) => severity,
    }
}

fn message(callee: &str, reaches: &[&Reach]) -> String {
    let mut message = format!("{callee}() may drop the last reference");
    for (index, reach) in reaches.iter().enumerate() {
        let separator = if index == 0 { " " } else { "; also " };
        message.push_str(separator);
        message.push_str(reach.context.place);
        message.push_str(": ");
        message.push_str(reach.context.hazard);
        if reach.root_count > 1 {
            let _ = write!(message, " ({} entry points lead here)", reach.root_count);
        }
    }
    message
}

fn help(view: &FunctionView<'_>, inode: &str) -> String {
    let not_last = if view.helpers.has("iput_not_last") {
        "use iput_not_last() and say why"
    } else {
        "say why in a comment `/* lorelint: not-last: reason */`"
    };
    format!(
        "do not drop what may be the last reference here. Follow btrfs_add_delayed_iput(): {}, otherwise keep \
         the reference and hand it to a worker that calls iput(): embed the work or list node in the \
         filesystem's inode, queue it on a workqueue of the super block that nothing in reclaim waits for, \
         and flush that before evict_inodes(). If the caller provably holds another reference, {not_last}",
        view.helpers.drop_unless_last(inode)
    )
}
