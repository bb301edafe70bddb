//! The figures of `--stats`.

use std::io;

use crate::report::{CheckReport, SiteKind};

/// One stage of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// Writes files, functions, call sites, edges, `iput()` calls, `i_count` accesses, gaps and seconds per stage, one `name: value` a line.
///
/// # Errors
///
/// Those of `out`.
pub fn render_stats(
    report: &CheckReport,
    stages: &[Stage],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let stats = &report.stats;
    let gap_count = report.gaps.len() as u64;
    for (name, value) in [
        ("files", stats.files),
        ("functions", stats.functions),
        ("call sites", stats.call_sites),
        ("edges", stats.edges),
        ("iput() calls", report.site_count(SiteKind::Iput)),
        ("i_count uses", report.site_count(SiteKind::ICount)),
        ("gaps", gap_count),
    ] {
        writeln!(out, "{name:<12} {value:>12}")?;
    }
    for stage in stages {
        writeln!(out, "{:<12} {:>10.3} s", stage.name, stage.seconds)?;
    }
    Ok(())
}
