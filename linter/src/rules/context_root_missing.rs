//! A context's entry point that the tree does not have: a rename would silently empty the context.

use std::collections::BTreeMap;

use super::{Check, Rule};
use crate::contexts::{Context, Presence, RootKind};
use crate::finding::{Severity, Warning};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "context-root-missing",
    severity: Severity::Warning,
    default_on: true,
    summary: "A context's entry point is not in this tree",
    docs: include_str!("context_root_missing.md"),
    check: Check::Tree,
};

/// What a tree says about an entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootState {
    /// It is there.
    Present,
    /// The tree has what should hold it (the struct, the directory), but not the entry point.
    Absent,
    /// The tree does not have what would hold it: a part of a kernel, or one without this subsystem.
    OutOfSight,
}

/// Warns of each entry point of `context` that the tree should have and has not.
pub(crate) fn missing_roots(
    context: &Context,
    state_of: &dyn Fn(&RootKind) -> RootState,
) -> Vec<Warning> {
    let mut groups: BTreeMap<&str, Vec<(RootKind, RootState)>> = BTreeMap::new();
    let mut warnings = Vec::new();
    for root in context.roots {
        let state = state_of(&root.kind);
        match root.presence {
            Presence::Required if state == RootState::Absent => {
                warnings.push(warning(context, &root.kind.to_string()));
            }
            Presence::OneOf(group) => groups.entry(group).or_default().push((root.kind, state)),
            Presence::Required | Presence::Optional => {}
        }
    }
    for roots in groups.values() {
        if roots.iter().all(|it| it.1 == RootState::Absent) {
            let names: Vec<String> = roots.iter().map(|it| it.0.to_string()).collect();
            warnings.push(warning(context, &names.join(" nor ")));
        }
    }
    warnings
}

fn warning(context: &Context, root: &str) -> Warning {
    Warning {
        rule: RULE.name,
        message: format!(
            "context {} looks for {root}, which this tree does not have: its findings may be incomplete",
            context.name
        ),
    }
}
