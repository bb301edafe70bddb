//! Drops a reference by hand instead of with `iput()`.

use super::i_count::{finding, foreign, form, is_resurrected};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::{Confidence, Severity};
use crate::syntax::counts::{CountAccess, CountOp};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-drop",
    severity: Severity::Error,
    default_on: true,
    summary: "Drops a reference by hand instead of with iput()",
    docs: include_str!("i_count_drop.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view) {
        let is_drop = matches!(access.op, CountOp::Drop | CountOp::DropAndLock);
        if !is_drop || is_resurrected(view, access) {
            continue;
        }
        let what = if access.op == CountOp::DropAndLock {
            "is an open-coded iput()"
        } else {
            "drops a reference by hand"
        };
        let message = format!(
            "{} {what}: at zero the inode skips ->drop_inode, the LRU and eviction, and others may take or \
             free it",
            form(access)
        );
        let mut found = finding(
            RULE.name,
            RULE.severity,
            access,
            message,
            help(view, access),
        );
        if access.locked {
            // Such code may know that the counter cannot reach zero: f2fs_drop_inode() does.
            found.confidence = Confidence::Medium;
        }
        findings.push(found);
    }
}

fn help(view: &FunctionView<'_>, access: &CountAccess) -> String {
    let not_last = if view.helpers.has("iput_not_last") {
        "use iput_not_last() if the caller provably holds another reference"
    } else {
        "say in a comment which other reference keeps the counter above zero"
    };
    if access.locked {
        return format!(
            "i_lock is held here, so iput() would recurse or take it twice: {not_last}"
        );
    }
    format!(
        "use iput(); where that may not sleep or wait, hand the last reference to a worker as btrfs_add_delayed_iput() does; {not_last}"
    )
}
