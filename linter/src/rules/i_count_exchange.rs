//! Exchanges or computes `i_count` outside the VFS.

use super::i_count::{finding, foreign, form};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::CountOp;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-exchange",
    severity: Severity::Error,
    default_on: true,
    summary: "Exchanges or computes i_count outside the VFS",
    docs: include_str!("i_count_exchange.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view).filter(|it| it.op == CountOp::Exchange) {
        let message = format!(
            "{} changes i_count behind the VFS: zero is reached and left only in iput() and igrab(), under \
             i_lock",
            form(access)
        );
        let help = format!(
            "use ihold() or igrab() to take and iput() to drop a reference; to drop one that may not be the \
             last: {}",
            view.helpers.drop_unless_last(&access.pointer)
        );
        findings.push(finding(RULE.name, RULE.severity, access, message, help));
    }
}
