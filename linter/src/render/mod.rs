//! Results as text, JSON and what other tools read. One file a format; findings are data and know none.
//!
//! Whatever comes from a tree or a patch is shown through [`printable`]: no terminal obeys a source file.

mod github;
pub mod graph;
mod json;
mod open_ends;
mod sarif;
mod short;
mod stats;
mod text;

use std::io;

use crate::finding::{Finding, Severity};
use crate::report::{BaseHow, CheckReport, NewFinding, ReviewReport};
use crate::tree::TreePath;

pub use stats::{Stage, render_stats};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person: source line, chain, advice.
    Text(Style),
    /// One line a finding.
    Short,
    /// The shape of `lorelint check --format json` and `review --format json`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// ANSI colours.
    Color,
}

/// What was linted.
#[derive(Clone, Debug, Default)]
pub struct TreeHeader {
    /// Directory or repository, as given.
    pub root: String,
    /// Commit id, where a commit was linted.
    pub rev: Option<String>,
}

/// Which base a review had, and of what series it was.
#[derive(Clone, Debug)]
pub struct ReviewHeader {
    /// Commit id of the base; `None` for a plain directory.
    pub rev: Option<String>,
    /// How it was chosen.
    pub how: BaseHow,
    /// Title of the series.
    pub title: String,
    /// Version, from 1.
    pub version: u32,
    /// Patches that the series says it has.
    pub total: u32,
    /// Who sent it.
    pub author: String,
}

/// Reads a file of the linted tree, for source lines; `None` where it cannot.
pub type Source<'a> = &'a dyn Fn(&TreePath) -> Option<Vec<u8>>;

/// Writes the results of a check.
///
/// # Errors
///
/// Those of `out`.
pub fn render_check(
    report: &CheckReport,
    header: &TreeHeader,
    format: Format,
    source: Source<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text(style) => text::check(report, style, source, out),
        Format::Short => short::findings(&report.findings, out),
        Format::Json => json::check(report, header, out),
        Format::Sarif => sarif::findings(&report.findings, out),
        Format::Github => github::findings(&report.findings, out),
    }
}

/// Writes the results of a review; `source` reads the patched tree.
///
/// # Errors
///
/// Those of `out`.
pub fn render_review(
    report: &ReviewReport,
    header: &ReviewHeader,
    format: Format,
    source: Source<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let new = || report.new.iter().map(|it| it.finding.clone());
    match format {
        Format::Text(style) => text::review(report, header, style, source, out),
        Format::Short => short::new_findings(&report.new, out),
        Format::Json => json::review(report, header, out),
        Format::Sarif => sarif::findings(&new().collect::<Vec<_>>(), out),
        Format::Github => github::new_findings(&report.new, out),
    }
}

/// Text from a tree, a patch or a mail, for a terminal: control characters and those that reorder
/// text become U+FFFD, tabs become blanks.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|it| match it {
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                '\u{fffd}'
            }
            it if it.is_control() => '\u{fffd}',
            it => it,
        })
        .collect()
}

/// Where a finding stands that a line elsewhere brings, to be said before its message.
fn elsewhere(new: &NewFinding) -> String {
    let it = &new.finding;
    if new.in_diff {
        String::new()
    } else {
        let (file, line, function) = (&it.file, it.line, &it.function);
        format!("reaches {file}:{line} in {function}(): ")
    }
}

/// `function file:line` of the hops, and how many findings of each severity there are.
fn tally(findings: &[Finding]) -> String {
    let count = |severity: Severity| findings.iter().filter(|it| it.severity == severity).count();
    let parts: Vec<String> = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Note), "note"),
    ]
    .into_iter()
    .filter(|it| it.0 > 0)
    .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
    .collect();
    if parts.is_empty() {
        "no findings".to_owned()
    } else {
        parts.join(", ")
    }
}
