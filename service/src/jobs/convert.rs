//! The linter's report as the rows of a review.

use lorelint::finding as linter;
use lorelint::report::{NewFinding, ReviewReport};

use crate::model::{FindingAnchor, FindingDraft, FindingState, Gap, Hop, Place, Warning};

/// All findings of a report: each patch's, then the net of the series.
pub(super) fn findings(report: &ReviewReport) -> Vec<FindingDraft> {
    let mut drafts = Vec::new();
    for patch in &report.patches {
        drafts.extend(patch.new.iter().map(|it| new(it, Some(patch.index))));
        drafts.extend(patch.fixed.iter().map(|it| fixed(it, Some(patch.index))));
    }
    drafts.extend(report.new.iter().map(|it| new(it, None)));
    drafts.extend(report.fixed.iter().map(|it| fixed(it, None)));
    drafts
}

fn new(found: &NewFinding, patch: Option<u32>) -> FindingDraft {
    FindingDraft {
        anchor: Some(FindingAnchor {
            file: found.anchor.file.as_str().to_owned(),
            line: found.anchor.line,
        }),
        in_diff: found.in_diff,
        ..draft(&found.finding, FindingState::New, patch)
    }
}

fn fixed(finding: &linter::Finding, patch: Option<u32>) -> FindingDraft {
    draft(finding, FindingState::Fixed, patch)
}

fn draft(finding: &linter::Finding, state: FindingState, patch: Option<u32>) -> FindingDraft {
    FindingDraft {
        state,
        patch,
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        confidence: finding.confidence,
        file: finding.file.as_str().to_owned(),
        line: finding.line,
        column: finding.column,
        function: finding.function.clone(),
        statement: finding.statement.clone(),
        contexts: finding.contexts.iter().map(|it| (*it).to_owned()).collect(),
        path: finding
            .path
            .iter()
            .map(|it| Hop {
                function: it.function.clone(),
                file: it.file.as_str().to_owned(),
                line: it.line,
                via: it.via,
                through: it.through.clone(),
            })
            .collect(),
        message: finding.message.clone(),
        help: finding.help.clone(),
        related: finding
            .related
            .iter()
            .map(|it| Place {
                file: it.file.as_str().to_owned(),
                line: it.line,
                message: it.message.clone(),
            })
            .collect(),
        fingerprint: finding.fingerprint.as_str().to_owned(),
        anchor: None,
        in_diff: false,
    }
}

pub(super) fn gap(gap: &linter::Gap) -> Gap {
    Gap {
        file: gap.file.as_str().to_owned(),
        line: gap.line,
        what: gap.what.clone(),
    }
}

pub(super) fn warning(warning: &linter::Warning) -> Warning {
    Warning {
        rule: warning.rule.to_owned(),
        message: warning.message.clone(),
    }
}
