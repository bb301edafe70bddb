//! The linter's rules as outputs describe them.

use lorelint::finding::Severity;
use lorelint::rules::RULES;

/// What a person can read about one rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleDoc {
    /// As findings name it.
    pub name: &'static str,
    /// Before modifiers and configuration.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// Markdown.
    pub docs: &'static str,
}

/// All rules, in the order of the documentation.
pub fn all() -> Vec<RuleDoc> {
    RULES
        .iter()
        .map(|it| RuleDoc {
            name: it.name,
            severity: it.severity,
            summary: it.summary,
            docs: it.docs,
        })
        .collect()
}
