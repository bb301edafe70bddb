//! One line a finding, as compilers write them.

use std::io;

use super::printable;
use crate::finding::Finding;

pub(super) fn findings(findings: &[Finding], out: &mut dyn io::Write) -> io::Result<()> {
    for it in findings {
        let line = format!(
            "{}:{}:{}: {}: {}: {}",
            it.file,
            it.line,
            it.column,
            it.severity.as_str(),
            it.rule,
            it.message
        );
        writeln!(out, "{}", printable(&line))?;
    }
    Ok(())
}
