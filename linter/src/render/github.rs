//! Workflow commands: `::error file=…,line=…::message`.
//!
//! Source: docs.github.com, "Workflow commands for GitHub Actions"; the escapes are those of `@actions/core`.

use std::io;

use crate::finding::{Finding, Severity};
use crate::report::NewFinding;

pub(super) fn findings(findings: &[Finding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let place = (it.file.as_str(), it.line, Some(it.column));
        write(it, place, "", out)?;
    }
    Ok(())
}

/// At the lines of the diff, where a remark is seen.
pub(super) fn new_findings(findings: &[NewFinding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let (finding, anchor) = (&it.finding, &it.anchor);
        let column = it.in_diff.then_some(finding.column);
        let place = (anchor.file.as_str(), anchor.line, column);
        write(finding, place, &super::elsewhere(it), out)?;
    }
    Ok(())
}

fn write(
    finding: &Finding,
    (file, line, column): (&str, u32, Option<u32>),
    before: &str,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let column = column.map_or_else(String::new, |it| format!(",col={it}"));
    let functions: Vec<&str> = finding.path.iter().map(|it| it.function.as_str()).collect();
    let chain = if functions.len() > 1 {
        format!("chain: {}\n", functions.join(" > "))
    } else {
        String::new()
    };
    writeln!(
        out,
        "::{command} file={},line={line}{column},title={}::{}",
        property(file),
        property(finding.rule),
        data(&format!(
            "{before}{}\n{chain}{}",
            finding.message, finding.help
        ))
    )
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(super::printable).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
