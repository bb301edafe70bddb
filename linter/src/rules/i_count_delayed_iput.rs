//! Drops a reference unless it is the last: a delayed `iput()`.

use super::i_count::{finding, foreign, form, is_resurrected};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::{Confidence, Severity};
use crate::syntax::counts::{CountAccess, CountOp};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-delayed-iput",
    severity: Severity::Note,
    default_on: true,
    summary: "Drops a reference unless it is the last: a delayed iput()",
    docs: include_str!("i_count_delayed_iput.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    let kept = |it: &&CountAccess| it.op == CountOp::DropUnlessLast && !is_resurrected(view, it);
    for access in foreign(view).filter(kept) {
        let message = if access.handed_over {
            format!(
                "{} and a queue: this looks like a delayed iput()",
                form(access)
            )
        } else {
            format!(
                "{} drops a reference unless it is the last; nothing here hands the last one to a worker",
                form(access)
            )
        };
        let helper = if view.helpers.has("iput_if_not_last") {
            format!("use iput_if_not_last({})", access.pointer)
        } else {
            "this is what btrfs_add_delayed_iput() does; newer trees call it iput_if_not_last()"
                .to_owned()
        };
        let help = format!("{helper}. Flush the queue before evict_inodes() at unmount");
        let mut found = finding(RULE.name, RULE.severity, access, message, help);
        if access.handed_over && !view.helpers.has("iput_if_not_last") {
            // The idiom as it should be: in this tree there is nothing to change.
            found.confidence = Confidence::Medium;
        }
        findings.push(found);
    }
}
