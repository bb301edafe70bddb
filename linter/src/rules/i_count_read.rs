//! Reads `i_count` where the tree has `icount_read()`.

use super::i_count::{finding, foreign, form};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::CountOp;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-read",
    severity: Severity::Note,
    default_on: true,
    summary: "Reads i_count where the tree has icount_read()",
    docs: include_str!("i_count_read.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    if !view.helpers.has("icount_read") {
        return;
    }
    for access in foreign(view).filter(|it| it.op == CountOp::Read && !it.raw) {
        let message = format!(
            "{} reads i_count where this tree has icount_read()",
            form(access)
        );
        let help = if access.locked || !view.helpers.has("icount_read_once") {
            format!("use icount_read({})", access.pointer)
        } else {
            format!(
                "use icount_read({0}) with i_lock held, icount_read_once({0}) without",
                access.pointer
            )
        };
        findings.push(finding(RULE.name, RULE.severity, access, message, help));
    }
}
