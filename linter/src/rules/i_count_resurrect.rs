//! Sets `i_count` back after a drop that may have reached zero.

use super::i_count::{finding, foreign, form};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::{CountAccess, CountOp};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-resurrect",
    severity: Severity::Error,
    default_on: true,
    summary: "Sets i_count back after a drop that may have reached zero",
    docs: include_str!("i_count_resurrect.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view) {
        let Some(drop) = access.after_drop else {
            continue;
        };
        let inode = &access.pointer;
        let at = |it: &&CountAccess| it.offset == drop;
        let is_left = (view.accesses.iter())
            .find(at)
            .is_some_and(|it| it.op == CountOp::DropUnlessLast);
        let (what, place) = if is_left {
            (
                "left at its last reference",
                "the last reference is left here",
            )
        } else {
            ("dropped to zero", "the counter may reach zero here")
        };
        let message = format!(
            "i_count {what} then set back by {}: without i_lock another CPU may have taken or \
             freed the inode in between, and this loses its reference or resurrects a freed inode",
            form(access)
        );
        let help = format!(
            "never let i_count reach zero outside iput(). Do what btrfs_add_delayed_iput() does: {}, and \
             otherwise keep this reference, which is the last one, and hand it to a worker that calls iput()",
            view.helpers.drop_unless_last(inode)
        );
        let mut found = finding(RULE.name, RULE.severity, access, message, help);
        found.related.push((drop, place.to_owned()));
        findings.push(found);
    }
}
