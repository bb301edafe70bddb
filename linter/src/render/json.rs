//! The JSON that people script against. Its shape stays; the domain types stay free of it.

use std::io;

use serde::Serialize;

use super::{ReviewHeader, TreeHeader};
use crate::finding::{Finding, Gap, Warning};
use crate::report::{CheckReport, NewFinding, PatchReport, ReviewReport, SiteKind};

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

const TOOL: Tool = Tool {
    name: "lorelint",
    version: env!("CARGO_PKG_VERSION"),
};

#[derive(Serialize)]
struct CheckDocument<'a> {
    version: u32,
    tool: Tool,
    tree: TreePart<'a>,
    findings: Vec<FindingPart<'a>>,
    gaps: Vec<GapPart<'a>>,
    warnings: Vec<WarningPart<'a>>,
}

#[derive(Serialize)]
struct TreePart<'a> {
    root: &'a str,
    rev: Option<&'a str>,
    files: u64,
    functions: u64,
    call_sites: u64,
    edges: u64,
    unbound_calls: u64,
    iput_calls: u64,
    i_count_uses: u64,
}

#[derive(Serialize)]
struct ReviewDocument<'a> {
    version: u32,
    tool: Tool,
    base: BasePart<'a>,
    series: SeriesPart<'a>,
    patches: Vec<PatchPart<'a>>,
    new: Vec<NewPart<'a>>,
    fixed: Vec<FindingPart<'a>>,
    unchanged: u64,
    gaps: Vec<GapPart<'a>>,
    warnings: Vec<WarningPart<'a>>,
}

#[derive(Serialize)]
struct BasePart<'a> {
    rev: Option<&'a str>,
    how: &'static str,
}

#[derive(Serialize)]
struct SeriesPart<'a> {
    title: &'a str,
    version: u32,
    total: u32,
    author: &'a str,
}

#[derive(Serialize)]
struct PatchPart<'a> {
    index: u32,
    subject: &'a str,
    message_id: Option<&'a str>,
    commit: Option<&'a str>,
    applied: bool,
    reason: Option<&'a str>,
    new: Vec<NewPart<'a>>,
    fixed: Vec<FindingPart<'a>>,
}

#[derive(Serialize)]
struct NewPart<'a> {
    #[serde(flatten)]
    finding: FindingPart<'a>,
    anchor: AnchorPart<'a>,
    in_diff: bool,
}

#[derive(Serialize)]
struct AnchorPart<'a> {
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct FindingPart<'a> {
    rule: &'a str,
    severity: &'static str,
    confidence: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    function: &'a str,
    statement: &'a str,
    contexts: &'a [&'static str],
    path: Vec<HopPart<'a>>,
    message: &'a str,
    help: &'a str,
    related: Vec<RelatedPart<'a>>,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct HopPart<'a> {
    function: &'a str,
    file: &'a str,
    line: u32,
    via: &'static str,
    through: &'a str,
}

#[derive(Serialize)]
struct RelatedPart<'a> {
    file: &'a str,
    line: u32,
    message: &'a str,
}

#[derive(Serialize)]
struct GapPart<'a> {
    file: &'a str,
    line: u32,
    what: &'a str,
}

#[derive(Serialize)]
struct WarningPart<'a> {
    rule: &'static str,
    message: &'a str,
}

pub(super) fn check(
    report: &CheckReport,
    header: &TreeHeader,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let document = CheckDocument {
        version: 1,
        tool: TOOL,
        tree: TreePart {
            root: &header.root,
            rev: header.rev.as_deref(),
            files: report.stats.files,
            functions: report.stats.functions,
            call_sites: report.stats.call_sites,
            edges: report.stats.edges,
            unbound_calls: report.stats.unbound_calls,
            iput_calls: report.site_count(SiteKind::Iput),
            i_count_uses: report.site_count(SiteKind::ICount),
        },
        findings: report.findings.iter().map(finding).collect(),
        gaps: report.gaps.iter().map(gap).collect(),
        warnings: report.warnings.iter().map(warning).collect(),
    };
    write(&document, out)
}

pub(super) fn review(
    report: &ReviewReport,
    header: &ReviewHeader,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let document = ReviewDocument {
        version: 1,
        tool: TOOL,
        base: BasePart {
            rev: header.rev.as_deref(),
            how: header.how.as_str(),
        },
        series: SeriesPart {
            title: &header.title,
            version: header.version,
            total: header.total,
            author: &header.author,
        },
        patches: report.patches.iter().map(patch).collect(),
        new: report.new.iter().map(new).collect(),
        fixed: report.fixed.iter().map(finding).collect(),
        unchanged: report.unchanged,
        gaps: report.gaps.iter().map(gap).collect(),
        warnings: report.warnings.iter().map(warning).collect(),
    };
    write(&document, out)
}

fn write(document: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, document)?;
    io::Write::write_all(&mut out, b"\n")?;
    io::Write::flush(&mut out)
}

fn patch(patch: &PatchReport) -> PatchPart<'_> {
    PatchPart {
        index: patch.index,
        subject: &patch.subject,
        message_id: patch.message_id.as_deref(),
        commit: patch.commit.as_deref(),
        applied: patch.reason.is_none(),
        reason: patch.reason.as_deref(),
        new: patch.new.iter().map(new).collect(),
        fixed: patch.fixed.iter().map(finding).collect(),
    }
}

fn new(new: &NewFinding) -> NewPart<'_> {
    NewPart {
        finding: finding(&new.finding),
        anchor: AnchorPart {
            file: new.anchor.file.as_str(),
            line: new.anchor.line,
        },
        in_diff: new.in_diff,
    }
}

fn finding(finding: &Finding) -> FindingPart<'_> {
    FindingPart {
        rule: finding.rule,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        file: finding.file.as_str(),
        line: finding.line,
        column: finding.column,
        function: &finding.function,
        statement: &finding.statement,
        contexts: &finding.contexts,
        path: finding
            .path
            .iter()
            .map(|it| HopPart {
                function: &it.function,
                file: it.file.as_str(),
                line: it.line,
                via: it.via.as_str(),
                through: &it.through,
            })
            .collect(),
        message: &finding.message,
        help: &finding.help,
        related: finding
            .related
            .iter()
            .map(|it| RelatedPart {
                file: it.file.as_str(),
                line: it.line,
                message: &it.message,
            })
            .collect(),
        fingerprint: finding.fingerprint.as_str(),
    }
}

fn gap(gap: &Gap) -> GapPart<'_> {
    GapPart {
        file: gap.file.as_str(),
        line: gap.line,
        what: &gap.what,
    }
}

fn warning(warning: &Warning) -> WarningPart<'_> {
    WarningPart {
        rule: warning.rule,
        message: &warning.message,
    }
}
