//! Calls `iput()` with `i_lock` held or below `->drop_inode`.

use super::{Check, FunctionView, Rule, RuleFinding};
use crate::contexts::Sink;
use crate::finding::{Confidence, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "iput-in-drop-inode",
    severity: Severity::Error,
    default_on: true,
    summary: "Calls iput() with i_lock held or below ->drop_inode",
    docs: include_str!("iput_in_drop_inode.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for reached in view.releases {
        let release = &reached.release;
        let reach = reached
            .reaches
            .iter()
            .find(|it| it.context.sink == Sink::DropInode);
        if reach.is_none() && !release.under_i_lock {
            continue;
        }
        let message = match reach {
            Some(it) => format!(
                "{}() {}: {}",
                release.callee, it.context.place, it.context.hazard
            ),
            None => format!(
                "{}() with i_lock held: it takes i_lock itself at the last reference, and eviction sleeps",
                release.callee
            ),
        };
        let not_last = if view.helpers.has("iput_not_last") {
            "; iput_not_last() if another reference is certain"
        } else {
            ""
        };
        findings.push(RuleFinding {
            rule: RULE.name,
            severity: RULE.severity,
            confidence: reach.map_or(Confidence::High, |it| it.confidence),
            offset: release.offset,
            statement: release.statement.clone(),
            message,
            help: format!("drop the reference after i_lock is given back{not_last}"),
            contexts: reach.map(|it| it.context.name).into_iter().collect(),
            path: reach.map(|it| it.path.clone()).unwrap_or_default(),
            related: Vec::new(),
            others: Vec::new(),
        });
    }
}
