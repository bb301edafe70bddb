//! One finding as the pages show it.

use crate::bot::text::sentence;
use crate::model::{Finding, FindingState, Severity};
use crate::report::{ChainRow, chain_rows};

use super::links;

/// Rows of a call chain on a page: a page has room for all but absurd chains.
const CHAIN_ROWS: usize = 40;

/// One row of a call chain.
pub(crate) struct ChainRowView {
    pub class: &'static str,
    pub text: String,
    pub place: String,
}

/// A finding, ready to print.
pub(crate) struct RemarkView {
    pub class: &'static str,
    pub label: &'static str,
    /// Unique on its page.
    pub anchor_id: String,
    pub rule: String,
    pub rule_path: String,
    pub finding_path: String,
    pub place: String,
    pub seen: String,
    pub message: String,
    pub statement_note: String,
    pub chain: Vec<ChainRowView>,
    pub related: Vec<String>,
    pub help: String,
}

/// `error`, `warning`, `note`: also the name of the style.
pub(crate) const fn severity_class(severity: Severity) -> &'static str {
    severity.as_str()
}

impl RemarkView {
    pub(crate) fn of(finding: &Finding) -> Self {
        let detail = &finding.detail;
        let is_fixed = detail.state == FindingState::Fixed;
        let severity = severity_class(detail.severity);
        let statement_note = if detail.in_diff || is_fixed {
            String::new()
        } else {
            format!(
                "{} in {}() at {}:{}: the marked line is what makes the path exist.",
                detail.statement, detail.function, detail.file, detail.line
            )
        };
        Self {
            class: if is_fixed { "fixed" } else { severity },
            label: if is_fixed { "fixed" } else { severity },
            anchor_id: format!("f{}", finding.id),
            rule: detail.rule.clone(),
            rule_path: links::rule(&detail.rule),
            finding_path: links::finding(&detail.fingerprint),
            place: format!("{}:{} {}()", detail.file, detail.line, detail.function),
            seen: seen(&finding.seen_in_versions),
            message: detail.message.clone(),
            statement_note,
            chain: chain_rows(detail, CHAIN_ROWS)
                .iter()
                .map(chain_row)
                .collect(),
            related: detail
                .related
                .iter()
                .map(|it| format!("{}:{}: {}", it.file, it.line, it.message))
                .collect(),
            help: if is_fixed {
                String::new()
            } else {
                sentence(&detail.help)
            },
        }
    }
}

/// `also in v1, v2`; empty where no version before had it.
pub(crate) fn seen(versions: &[u32]) -> String {
    let versions: Vec<String> = versions.iter().map(|it| format!("v{it}")).collect();
    if versions.is_empty() {
        String::new()
    } else {
        format!("also in {}", versions.join(", "))
    }
}

fn chain_row(row: &ChainRow) -> ChainRowView {
    let (class, text, place) = match row {
        ChainRow::Entry { through, place } if through.is_empty() => {
            ("entry", "entry point".to_owned(), place.clone())
        }
        ChainRow::Entry { through, place } => ("entry", through.clone(), place.clone()),
        ChainRow::Call {
            function,
            place,
            how,
        } => {
            let place = if how.is_empty() {
                place.clone()
            } else {
                format!("{place} {how}")
            };
            ("", format!("{function}()"), place)
        }
        ChainRow::Elided(count) => ("", format!("… {count} more …"), String::new()),
        ChainRow::Statement { text, place } => ("sink", text.clone(), place.clone()),
    };
    ChainRowView { class, text, place }
}
