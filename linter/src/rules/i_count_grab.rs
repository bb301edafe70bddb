//! Takes a reference by hand.

use super::i_count::{finding, foreign, form};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::CountOp;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-grab",
    severity: Severity::Warning,
    default_on: true,
    summary: "Takes a reference by hand",
    docs: include_str!("i_count_grab.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view) {
        let is_grab = matches!(access.op, CountOp::Grab | CountOp::GrabUnless);
        if !is_grab || access.after_drop.is_some() {
            continue;
        }
        let message = format!(
            "{} takes a reference by hand, without what ihold() and igrab() check",
            form(access)
        );
        let help = if access.op == CountOp::GrabUnless {
            "use igrab(): it also refuses an inode that is being freed, and takes one that is cached at zero"
        } else if access.locked {
            "i_lock is held here: use __iget()"
        } else {
            "use ihold() if the caller owns a reference, __iget() with i_lock held, igrab() if the inode may \
             be dying"
        };
        findings.push(finding(
            RULE.name,
            RULE.severity,
            access,
            message,
            help.to_owned(),
        ));
    }
}
