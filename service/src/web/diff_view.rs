//! A diff with the findings at their lines, bounded.

use crate::model::Finding;
use crate::report::{DiffFile, DiffLine, LineKind, Spot, locate_fixed, locate_new, parse_diff};

use super::links;
use super::remark_view::RemarkView;

/// Lines of one patch that a page shows; the raw mail has them all.
const MAX_SHOWN_LINES: usize = 4_000;
/// In a patch with more lines than this, only files with findings are unfolded.
const UNFOLDED_LINES: usize = 1_500;
/// Characters of one line that a page shows.
const MAX_LINE_CHARS: usize = 1_000;

/// One line of a diff.
pub(crate) struct LineView {
    pub class: &'static str,
    pub old: String,
    pub new: String,
    pub text: String,
}

/// A finding that goes away with the line above.
pub(crate) struct FixedView {
    pub rule: String,
    pub path: String,
    pub message: String,
}

/// A line, or what is said of the line before it.
pub(crate) enum Row {
    Line(LineView),
    Fixed(FixedView),
    Remark(Box<RemarkView>),
}

/// The part of a diff that speaks of one file.
pub(crate) struct FileView {
    pub path: String,
    pub change: String,
    pub is_open: bool,
    pub rows: Vec<Row>,
}

/// One patch's diff.
pub(crate) struct DiffView {
    pub files: Vec<FileView>,
    /// Findings whose line is in no hunk that is shown.
    pub loose: Vec<RemarkView>,
    pub hidden_lines: usize,
}

/// Puts each finding under its line.
pub(crate) fn diff_view(diff: &[u8], findings: &[Finding], fixed: &[Finding]) -> DiffView {
    let files = parse_diff(diff);
    let line_count: usize = files
        .iter()
        .flat_map(|it| &it.hunks)
        .map(|it| it.lines.len())
        .sum();
    let mut budget = MAX_SHOWN_LINES;
    let mut placed = vec![false; findings.len()];
    let views = files
        .iter()
        .map(|file| file_view(file, (findings, fixed), &mut placed, &mut budget))
        .map(|view| FileView {
            is_open: view.is_open || line_count <= UNFOLDED_LINES,
            ..view
        })
        .collect();
    let loose = findings
        .iter()
        .zip(&placed)
        .filter(|(_, is_placed)| !**is_placed)
        .map(|(finding, _)| RemarkView::of(finding))
        .collect();
    DiffView {
        files: views,
        loose,
        hidden_lines: line_count.saturating_sub(MAX_SHOWN_LINES),
    }
}

fn file_view(
    file: &DiffFile,
    (findings, fixed): (&[Finding], &[Finding]),
    placed: &mut [bool],
    budget: &mut usize,
) -> FileView {
    let spots = locate_new(file, findings.iter().map(|it| &it.detail));
    let gone = locate_fixed(file, fixed.iter().map(|it| &it.detail));
    let mut rows = Vec::new();
    let mut is_open = false;
    for (hunk, it) in file.hunks.iter().enumerate() {
        if *budget == 0 {
            break;
        }
        rows.push(Row::Line(LineView {
            class: "hunk",
            old: String::new(),
            new: String::new(),
            text: cut(&it.header),
        }));
        for (line, it) in it.lines.iter().take(*budget).enumerate() {
            rows.push(Row::Line(line_view(it)));
            let here = Some(Spot { hunk, line });
            let said = rows.len();
            rows.extend(at(here, &gone.of, fixed).map(|(_, it)| Row::Fixed(fixed_view(it))));
            for (index, finding) in at(here, &spots.of, findings) {
                rows.push(Row::Remark(Box::new(RemarkView::of(finding))));
                placed[index] = true;
            }
            is_open |= rows.len() > said;
        }
        *budget = budget.saturating_sub(it.lines.len());
    }
    FileView {
        path: file.path().to_owned(),
        change: change(file),
        is_open,
        rows,
    }
}

/// The findings that stand at a line, with their places in the list.
fn at<'a>(
    here: Option<Spot>,
    spots: &'a [Option<Spot>],
    findings: &'a [Finding],
) -> impl Iterator<Item = (usize, &'a Finding)> {
    let is_here = move |index: &usize| spots[*index] == here;
    (0..spots.len())
        .filter(is_here)
        .map(|index| (index, &findings[index]))
}

fn line_view(line: &DiffLine) -> LineView {
    LineView {
        class: class(line.kind),
        old: line.old.map(|it| it.to_string()).unwrap_or_default(),
        new: line.new.map(|it| it.to_string()).unwrap_or_default(),
        text: cut(&line.raw),
    }
}

fn fixed_view(finding: &Finding) -> FixedView {
    FixedView {
        rule: finding.detail.rule.clone(),
        path: links::finding(&finding.detail.fingerprint),
        message: if finding.detail.contexts.is_empty() {
            finding.detail.message.clone()
        } else {
            format!(
                "{} in {}",
                finding.detail.statement,
                finding.detail.contexts.join(", ")
            )
        },
    }
}

const fn class(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Added => "add",
        LineKind::Removed => "del",
        LineKind::Context => "ctx",
        LineKind::Note => "note",
    }
}

/// `new file`, `deleted`, `renamed from x`, and the counts of lines.
fn change(file: &DiffFile) -> String {
    let count = |kind| {
        file.hunks
            .iter()
            .flat_map(|it| &it.lines)
            .filter(|it| it.kind == kind)
            .count()
    };
    let what = match (&file.old_path, &file.new_path) {
        (None, Some(_)) => "new file ".to_owned(),
        (Some(_), None) => "deleted ".to_owned(),
        (Some(old), Some(new)) if old != new => format!("renamed from {old} "),
        _ => String::new(),
    };
    format!(
        "{what}+{} −{}",
        count(LineKind::Added),
        count(LineKind::Removed)
    )
}

fn cut(text: &str) -> String {
    let text = crate::bot::text::visible(text);
    if text.len() <= MAX_LINE_CHARS {
        return text;
    }
    text.chars()
        .take(MAX_LINE_CHARS)
        .chain(" […]".chars())
        .collect()
}
