//! Goes around the atomic API.

use super::i_count::{finding, foreign};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::{CountOp, KEPT, RETURNED, STOOD_FOR};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-raw",
    severity: Severity::Warning,
    default_on: true,
    summary: "Goes around the atomic API",
    docs: include_str!("i_count_raw.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view).filter(|it| it.raw) {
        // What changes the counter has a rule of its own.
        let message = match access.op {
            CountOp::Read => format!(
                "i_count read as a plain integer ({}): not marked for the race detector",
                access.form
            ),
            CountOp::Escape => match access.form.as_str() {
                RETURNED => out_of_sight("the address of i_count is returned"),
                KEPT => out_of_sight("the address of i_count is kept"),
                STOOD_FOR => out_of_sight("a macro stands for i_count"),
                callee => format!("the address of i_count is handed to {callee}()"),
            },
            _ => continue,
        };
        let help = if view.helpers.has("icount_read") {
            "use icount_read() with i_lock held, icount_read_once() without"
        } else {
            "use atomic_read(&inode->i_count)"
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

fn out_of_sight(what: &str) -> String {
    format!("{what}: what is done to it is out of sight")
}
