//! One line a finding, as compilers write them.

use std::io;

use super::printable;
use crate::finding::Finding;
use crate::report::NewFinding;

pub(super) fn findings(findings: &[Finding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let place = format!("{}:{}:{}", it.file, it.line, it.column);
        write(it, &place, "", out)?;
    }
    Ok(())
}

/// At the lines of the diff.
pub(super) fn new_findings(findings: &[NewFinding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let (finding, anchor) = (&it.finding, &it.anchor);
        let column = if it.in_diff { finding.column } else { 1 };
        let place = format!("{}:{}:{column}", anchor.file, anchor.line);
        write(finding, &place, &super::elsewhere(it), out)?;
    }
    Ok(())
}

fn write(finding: &Finding, place: &str, before: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let (severity, rule) = (finding.severity.as_str(), finding.rule);
    let line = format!("{place}: {severity}: {rule}: {before}{}", finding.message);
    writeln!(out, "{}", printable(&line))
}
