//! Finds the lines of a diff that findings belong to.
//!
//! Findings have the line numbers of the tree; a diff that applied with an offset has others. So a line is known by
//! its text first, and the numbers decide between equal texts.

use std::collections::BTreeMap;

use crate::model::FindingDraft;

use super::diff::{DiffFile, DiffLine, LineKind};

/// A line of a file's diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Index of the hunk.
    pub hunk: usize,
    /// Index of the line in the hunk.
    pub line: usize,
}

/// Where the findings of one file stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    /// How far the tree's line numbers are ahead of the diff's.
    pub shift: i64,
    /// One for each finding, in order; `None` where the diff of this file does not hold it.
    pub of: Vec<Option<Spot>>,
}

/// What the patch brings: anchors in the patched file.
pub fn locate_new<'a>(file: &DiffFile, findings: impl Iterator<Item = &'a FindingDraft>) -> Spots {
    let wanted: Vec<Wanted> = findings
        .map(|it| {
            let anchor = it
                .anchor
                .as_ref()
                .filter(|anchor| anchor.file == file.path());
            Wanted {
                line: anchor.map(|it| it.line),
                text: anchor_text(it),
            }
        })
        .collect();
    locate(file, &wanted, &|it| {
        (it.kind != LineKind::Removed).then_some(it.new).flatten()
    })
}

/// What the patch removes: lines of the file before it, where the patch takes the line itself away.
pub fn locate_fixed<'a>(
    file: &DiffFile,
    findings: impl Iterator<Item = &'a FindingDraft>,
) -> Spots {
    let path = file.old_path.as_deref().unwrap_or_default();
    let wanted: Vec<Wanted> = findings
        .map(|it| Wanted {
            line: (it.file == path).then_some(it.line),
            text: fold(&it.statement),
        })
        .collect();
    let number = |it: &DiffLine| (it.kind == LineKind::Removed).then_some(it.old).flatten();
    let mut spots = locate(file, &wanted, &number);
    for (spot, wanted) in spots.of.iter_mut().zip(&wanted) {
        // A line that only stands near is not the one that was fixed.
        *spot = spot.filter(|it| is_text_of(&file.hunks[it.hunk].lines[it.line], &wanted.text));
    }
    spots
}

struct Wanted {
    line: Option<u32>,
    text: String,
}

/// The statement, or the call that made its path exist.
fn anchor_text(finding: &FindingDraft) -> String {
    if finding.in_diff {
        return fold(&finding.statement);
    }
    let is_anchor = |file: &str, line: u32| {
        finding
            .anchor
            .as_ref()
            .is_some_and(|it| it.file == file && it.line == line)
    };
    let hop = finding.path.iter().find(|it| is_anchor(&it.file, it.line));
    hop.map(|it| it.function.clone()).unwrap_or_default()
}

type Number<'a> = &'a dyn Fn(&DiffLine) -> Option<u32>;

fn locate(file: &DiffFile, wanted: &[Wanted], number: Number<'_>) -> Spots {
    let lines: Vec<(Spot, &DiffLine, i64)> = file
        .hunks
        .iter()
        .enumerate()
        .flat_map(|(hunk, it)| {
            it.lines
                .iter()
                .enumerate()
                .map(move |(line, it)| (Spot { hunk, line }, it))
        })
        .filter_map(|(spot, it)| Some((spot, it, i64::from(number(it)?))))
        .collect();
    let shift = shift(&lines, wanted);
    let of = wanted
        .iter()
        .map(|it| {
            let line = i64::from(it.line?) - shift;
            let same_text = lines
                .iter()
                .filter(|(_, diff, _)| is_text_of(diff, &it.text));
            let nearest = same_text
                .min_by_key(|(_, diff, at)| (diff.kind == LineKind::Context, (at - line).abs()));
            let exact = lines.iter().find(|(_, _, at)| *at == line);
            nearest.or(exact).map(|it| it.0)
        })
        .collect();
    Spots { shift, of }
}

/// The offset that most texts agree on, the smallest where several do.
fn shift(lines: &[(Spot, &DiffLine, i64)], wanted: &[Wanted]) -> i64 {
    let mut votes: BTreeMap<i64, usize> = BTreeMap::new();
    for it in wanted {
        let Some(line) = it.line else { continue };
        for (_, _, at) in lines
            .iter()
            .filter(|(_, diff, _)| is_text_of(diff, &it.text))
        {
            *votes.entry(i64::from(line) - at).or_default() += 1;
        }
    }
    let best = votes
        .into_iter()
        .max_by_key(|(shift, votes)| (*votes, -shift.abs()));
    best.map_or(0, |it| it.0)
}

/// Whether the line holds the text or, of a statement on several lines, a good part of it.
fn is_text_of(line: &DiffLine, text: &str) -> bool {
    let code = fold(line.raw.get(1..).unwrap_or_default());
    !text.is_empty() && (code.contains(text) || (code.len() >= 8 && text.contains(&code)))
}

/// White space folded, without the final semicolon: as findings have their statements.
fn fold(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches(';').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::parse_diff;

    /// The diff says line 10 and 30, the tree has both 5 lines further down.
    #[test]
    fn an_offset_is_told_by_the_text() {
        let diff = "diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n@@ -9,1 +9,3 @@\n x\n+\tiput(a);\n+\tiput(b);\n\
            @@ -29,1 +30,2 @@\n y\n+\tiput(a);\n";
        let file = &parse_diff(diff.as_bytes())[0];
        let wanted: Vec<Wanted> = [(15, "iput(a)"), (16, "iput(b)"), (36, "iput(a)"), (36, "")]
            .iter()
            .map(|(line, text)| Wanted {
                line: Some(*line),
                text: (*text).to_owned(),
            })
            .collect();
        let spots = locate(file, &wanted, &|it| it.new);
        assert_eq!(spots.shift, 5);
        let found: Vec<(usize, usize)> = spots
            .of
            .iter()
            .flatten()
            .map(|it| (it.hunk, it.line))
            .collect();
        assert_eq!(found, [(0, 1), (0, 2), (1, 1), (1, 1)]);
    }
}
