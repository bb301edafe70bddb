//! Overwrites `i_count` outside the VFS.

use super::i_count::{finding, foreign, form};
use super::{Check, FunctionView, Rule, RuleFinding};
use crate::finding::Severity;
use crate::syntax::counts::CountOp;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "i-count-set",
    severity: Severity::Error,
    default_on: true,
    summary: "Overwrites i_count outside the VFS",
    docs: include_str!("i_count_set.md"),
    check: Check::Function(check),
};

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for access in foreign(view) {
        // inode_init_always() and its variants write the first value, before anyone else sees the inode.
        let is_initial = view.function.starts_with("inode_init_always");
        if access.op != CountOp::Set || access.after_drop.is_some() || is_initial {
            continue;
        }
        let message = format!(
            "{} overwrites i_count: references that others take or drop at the same time are lost",
            form(access)
        );
        let help = "inode_init_always() sets the first reference; take more with ihold() or igrab() and drop \
                    them with iput()"
            .to_owned();
        findings.push(finding(RULE.name, RULE.severity, access, message, help));
    }
}
