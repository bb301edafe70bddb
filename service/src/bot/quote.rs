//! Quotes a diff around the lines that have remarks, as a reviewer trims it.

use crate::model::Finding;
use crate::report::{DiffFile, DiffHunk, DiffLine, Spots, locate_new};

use super::text::visible;

/// Context lines kept above a remark.
const LINES_ABOVE: usize = 6;
/// A gap of up to this many lines is quoted rather than trimmed.
const SMALL_GAP: usize = 2;
/// Longest quoted line in characters: SMTP allows 998 bytes, and nobody reads a longer one.
const MAX_QUOTED_CHARS: usize = 240;

/// A piece of the body: quoted lines, or the remarks that stand under them.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Lines that start with `> `.
    Quoted(Vec<String>),
    /// Remarks on the last quoted line, in order.
    Remarks(Vec<&'a Finding>),
}

/// The quoted diff with the remarks in their places, in the order of the diff; remarks whose line is in no hunk come last.
pub fn quote<'a>(files: &[DiffFile], remarks: &'a [Finding]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut placed: Vec<&Finding> = Vec::new();
    for file in files {
        let before = placed.len();
        let mut file_pieces = Vec::new();
        let spots = locate_new(file, remarks.iter().map(|it| &it.detail));
        for (index, hunk) in file.hunks.iter().enumerate() {
            let marks = marks((file, index), remarks, &spots);
            quote_hunk(hunk, marks, &mut placed, &mut file_pieces);
        }
        if placed.len() > before {
            pieces.push(Piece::Quoted(file_header(file)));
            pieces.append(&mut file_pieces);
        }
    }
    let rest: Vec<&Finding> = remarks
        .iter()
        .filter(|it| !placed.iter().any(|placed| std::ptr::eq(*placed, *it)))
        .collect();
    if !rest.is_empty() {
        pieces.push(Piece::Remarks(rest));
    }
    merge(pieces)
}

fn file_header(file: &DiffFile) -> Vec<String> {
    let first = file.header.first().cloned();
    let line = first.unwrap_or_else(|| format!("+++ b/{}", file.path()));
    vec![quoted(&line)]
}

fn quote_hunk<'a>(
    hunk: &DiffHunk,
    marks: Vec<Mark<'a>>,
    placed: &mut Vec<&'a Finding>,
    pieces: &mut Vec<Piece<'a>>,
) {
    if marks.iter().all(|it| it.remarks.is_empty()) {
        return;
    }
    let mut lines = vec![quoted(&hunk.header)];
    let mut next = 0;
    for mark in marks {
        let mut from = mark.line.saturating_sub(LINES_ABOVE).max(next);
        if from - next <= SMALL_GAP {
            from = next;
        } else {
            lines.push("> [...]".to_owned());
        }
        lines.extend(
            hunk.lines[from..=mark.line.max(from)]
                .iter()
                .map(|it| quoted(&it.raw)),
        );
        next = mark.line + 1;
        if !mark.remarks.is_empty() {
            pieces.push(Piece::Quoted(std::mem::take(&mut lines)));
            placed.extend(&mark.remarks);
            pieces.push(Piece::Remarks(mark.remarks));
        }
    }
}

/// A line of a hunk that must be quoted; without remarks where it is only spoken of.
struct Mark<'a> {
    line: usize,
    remarks: Vec<&'a Finding>,
}

fn marks<'a>(
    (file, index): (&DiffFile, usize),
    remarks: &'a [Finding],
    spots: &Spots,
) -> Vec<Mark<'a>> {
    let line_of = |number: u32| {
        let number = i64::from(number) - spots.shift;
        let is_it = |it: &DiffLine| it.new.map(i64::from) == Some(number);
        file.hunks[index].lines.iter().position(is_it)
    };
    let mut marks: Vec<Mark<'a>> = Vec::new();
    for (remark, spot) in remarks.iter().zip(&spots.of) {
        let Some(spot) = spot.filter(|it| it.hunk == index) else {
            continue;
        };
        marks.push(Mark {
            line: spot.line,
            remarks: vec![remark],
        });
        let related = remark
            .detail
            .related
            .iter()
            .filter(|it| it.file == file.path());
        for line in related
            .filter_map(|it| line_of(it.line))
            .filter(|&it| it < spot.line)
        {
            marks.push(Mark {
                line,
                remarks: Vec::new(),
            });
        }
    }
    marks.sort_by_key(|it| it.line);
    marks.dedup_by(|next, kept| {
        let is_same = next.line == kept.line;
        if is_same {
            kept.remarks.append(&mut next.remarks);
        }
        is_same
    });
    while marks.last().is_some_and(|it| it.remarks.is_empty()) {
        marks.pop();
    }
    marks
}

fn quoted(line: &str) -> String {
    let mut text: String = visible(line).chars().take(MAX_QUOTED_CHARS + 1).collect();
    if text.chars().count() > MAX_QUOTED_CHARS {
        text.pop();
        text.push_str(" [...]");
    }
    if text.is_empty() {
        ">".to_owned()
    } else {
        format!("> {text}")
    }
}

/// Joins neighbouring quotes, so that a reader sees one block.
fn merge(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut merged: Vec<Piece<'_>> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (Some(Piece::Quoted(lines)), Piece::Quoted(mut more)) => lines.append(&mut more),
            (_, piece) => merged.push(piece),
        }
    }
    merged
}
