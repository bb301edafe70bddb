//! What the `i-count-*` rules share: which accesses belong to whom.

use super::{FunctionView, RuleFinding};
use crate::finding::{Confidence, Severity};
use crate::kernel::{I_COUNT_CORE_READERS, I_COUNT_OWNERS};
use crate::syntax::counts::{CountAccess, CountOp};

/// The accesses that are not the VFS's own.
pub(super) fn foreign<'a>(
    view: &'a FunctionView<'_>,
) -> impl Iterator<Item = &'a CountAccess> + 'a {
    let is_owner = I_COUNT_OWNERS.contains(&view.path);
    let is_core_reader = I_COUNT_CORE_READERS.contains(&view.path);
    view.accesses
        .iter()
        .filter(move |it| !(is_owner || is_core_reader && it.op == CountOp::Read))
}

/// Whether the access is the drop of a pair that `i-count-resurrect` reports.
pub(super) fn is_resurrected(view: &FunctionView<'_>, access: &CountAccess) -> bool {
    view.accesses
        .iter()
        .any(|it| it.after_drop == Some(access.offset))
}

/// A finding without context at this access.
pub(super) fn finding(
    rule: &'static str,
    severity: Severity,
    access: &CountAccess,
    message: String,
    help: String,
) -> RuleFinding {
    RuleFinding {
        rule,
        severity,
        confidence: Confidence::High,
        offset: access.offset,
        statement: access.statement.clone(),
        message,
        help,
        contexts: Vec::new(),
        path: Vec::new(),
        related: Vec::new(),
        others: Vec::new(),
    }
}

/// `atomic_dec_and_test()`, but `++` and `.counter` as they are.
pub(super) fn form(access: &CountAccess) -> String {
    if access
        .form
        .starts_with(|it: char| it.is_alphabetic() || it == '_')
    {
        format!("{}()", access.form)
    } else {
        format!("`{}`", access.form)
    }
}
