//! What a series of edits changes, as Markdown: the same cases as [`crate::lint_case`], with later states of files.
//!
//! A block `after PATH` (`after2 PATH` for the second patch, and so on) is a file as that patch leaves it, `gone PATH`
//! deletes one, `moved OLD NEW` renames one, with a new content where the block has one. The patches are made from
//! that. The `result` block lists what the review says, sorted: `new RULE in FUNCTION at LINE` (the text of the line
//! that the remark is attached to) and `fixed RULE in FUNCTION`; with several patches also `patch N: …` for each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lorelint::finding::Finding;
use lorelint::report::{NewFinding, PatchInput};

use crate::lint_case::Case;

/// What one patch does to one file.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    After(String, String),
    Gone(String),
    Moved(String, String, String),
}

type Files = BTreeMap<String, String>;

impl Step {
    /// Reads a block's info string; `None` for other blocks.
    pub(crate) fn parse(info: &str, body: &str) -> Option<(u32, Self)> {
        let mut words = info.split_whitespace();
        let kind = words.next()?;
        let name = kind.trim_end_matches(|it: char| it.is_ascii_digit());
        let patch = kind[name.len()..].parse().unwrap_or(1);
        let mut path = || words.next().expect("the block names a file").to_owned();
        let step = match name {
            "after" => Self::After(path(), body.to_owned()),
            "gone" => Self::Gone(path()),
            "moved" => Self::Moved(path(), path(), body.to_owned()),
            _ => return None,
        };
        Some((patch, step))
    }
}

impl Case {
    /// Whether the case is a series of edits.
    pub fn is_delta(&self) -> bool {
        !self.steps.is_empty()
    }

    /// What the `result` block says.
    pub fn expected_delta(&self) -> String {
        sorted(self.result.lines().map(str::to_owned).collect())
    }

    /// What the review says.
    pub fn found_delta(&self) -> String {
        let mut states = vec![self.files.clone()];
        let mut patches = Vec::new();
        for (number, steps) in &self.steps {
            let before = states.last().expect("there is a first state");
            let (after, diff) = make_patch(before, steps);
            patches.push(PatchInput {
                index: *number,
                subject: format!("patch {number}"),
                message_id: None,
                commit: None,
                diff: diff.into_bytes(),
            });
            states.push(after);
        }
        let report = self
            .linter()
            .review(&self.tree(), &patches)
            .expect("memory can be read");
        let mut lines = Vec::new();
        for (patch, state) in report.patches.iter().zip(&states[1..]) {
            let prefix = format!("patch {}: ", patch.index);
            lines.extend(patch.reason.iter().map(|it| format!("{prefix}{it}")));
            if patches.len() > 1 {
                show(&prefix, &patch.new, &patch.fixed, state, &mut lines);
            }
        }
        let last = states.last().expect("there is a first state");
        show("", &report.new, &report.fixed, last, &mut lines);
        sorted(lines)
    }
}

fn show(prefix: &str, new: &[NewFinding], fixed: &[Finding], state: &Files, out: &mut Vec<String>) {
    for it in new {
        let text = state
            .get(it.anchor.file.as_str())
            .map_or("", String::as_str);
        let line = text.lines().nth(it.anchor.line as usize - 1).unwrap_or("?");
        let (rule, function) = (it.finding.rule, &it.finding.function);
        out.push(format!(
            "{prefix}new {rule} in {function} at {}",
            line.trim()
        ));
    }
    for it in fixed {
        out.push(format!("{prefix}fixed {} in {}", it.rule, it.function));
    }
}

fn sorted(mut lines: Vec<String>) -> String {
    lines.sort();
    lines.join("\n")
}

/// The files after the steps, and the patch that leads there.
fn make_patch(before: &Files, steps: &[Step]) -> (Files, String) {
    let mut after = before.clone();
    let mut diff = String::new();
    for step in steps {
        match step {
            Step::After(path, text) => {
                let old = after.insert(path.clone(), text.clone());
                let _ = writeln!(diff, "diff --git a/{path} b/{path}");
                let from = if old.is_some() {
                    format!("a/{path}")
                } else {
                    diff.push_str("new file mode 100644\n");
                    "/dev/null".to_owned()
                };
                hunk(
                    &from,
                    &format!("b/{path}"),
                    (&old.unwrap_or_default(), text),
                    &mut diff,
                );
            }
            Step::Gone(path) => {
                let old = after.remove(path).expect("the file is there");
                let _ = writeln!(
                    diff,
                    "diff --git a/{path} b/{path}\ndeleted file mode 100644"
                );
                hunk(&format!("a/{path}"), "/dev/null", (&old, ""), &mut diff);
            }
            Step::Moved(old, new, text) => {
                let content = after.remove(old).expect("the file is there");
                let _ = writeln!(
                    diff,
                    "diff --git a/{old} b/{new}\nsimilarity index 90%\nrename from {old}\nrename to {new}"
                );
                let text = if text.is_empty() { &content } else { text };
                if *text != content {
                    hunk(
                        &format!("a/{old}"),
                        &format!("b/{new}"),
                        (&content, text),
                        &mut diff,
                    );
                }
                after.insert(new.clone(), text.clone());
            }
        }
    }
    (after, diff)
}

/// One hunk over the whole file, by the longest common subsequence of its lines.
fn hunk(from: &str, to: &str, (old, new): (&str, &str), diff: &mut String) {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let start = |lines: &[&str]| u32::from(!lines.is_empty());
    let _ = writeln!(
        diff,
        "--- {from}\n+++ {to}\n@@ -{},{} +{},{} @@",
        start(&a),
        a.len(),
        start(&b),
        b.len()
    );
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            let _ = writeln!(diff, " {}", a[i]);
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[i + 1][j] >= common[i][j + 1]) {
            let _ = writeln!(diff, "-{}", a[i]);
            i += 1;
        } else {
            let _ = writeln!(diff, "+{}", b[j]);
            j += 1;
        }
    }
}
