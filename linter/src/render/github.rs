//! Workflow commands: `::error file=…,line=…::message`.
//!
//! Source: docs.github.com, "Workflow commands for GitHub Actions"; the escapes are those of `@actions/core`.

use std::io;

use crate::finding::{Finding, Severity};

pub(super) fn findings(findings: &[Finding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let command = match it.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        writeln!(
            out,
            "::{command} file={},line={},col={},title={}::{}",
            property(it.file.as_str()),
            it.line,
            it.column,
            property(it.rule),
            data(&format!("{}\n{}", it.message, it.help))
        )?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(super::printable).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
