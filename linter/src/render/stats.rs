//! The figures of `--stats`.

use std::io;

use crate::report::{CheckReport, SiteKind, Work};

/// One stage of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// What it worked on; `None` for a stage that works on the whole.
    pub work: Option<Work>,
}

/// Writes files, functions, call sites, edges, `iput()` calls, `i_count` accesses, gaps and calls through members
/// that nothing is seen to set, one a line; then each stage with its seconds,
/// and the files, functions and bytes that it worked on: of `sieve`, those that it let through.
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
        ("unbound calls", stats.unbound_calls),
    ] {
        writeln!(out, "{name:<13} {value:>11}")?;
    }
    for stage in stages {
        write!(out, "{:<12} {:>10.3} s", stage.name, stage.seconds)?;
        if let Some(work) = stage.work {
            let Work {
                files,
                functions,
                bytes,
            } = work;
            write!(
                out,
                " {files:>7} files {functions:>7} functions {bytes:>10} bytes"
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}
