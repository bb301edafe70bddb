//! What a series changes, with a linter so small that only the comparison is under test.

use std::sync::Arc;

use lorelint::finding::{Confidence, Finding, Fingerprint, Hop, Severity, Via};
use lorelint::report::{CheckReport, NewFinding, PatchInput, ReviewReport};
use lorelint::review;
use lorelint::tree::{MemTree, TreeError, TreePath, TreeSource};

/// Reports each line with `iput(` in a function that a line `.op = function` registers.
fn lint(tree: &dyn TreeSource) -> Result<CheckReport, TreeError> {
    let mut texts = Vec::new();
    for entry in tree.files()? {
        let text = tree.read(&entry.path)?.expect("a listed file can be read");
        texts.push((entry.path, String::from_utf8(text).unwrap()));
    }
    let mut report = CheckReport::default();
    for (file, text) in &texts {
        let mut function = "";
        let mut seen: Vec<(&str, String)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(name) = line
                .strip_prefix("void ")
                .and_then(|it| it.split('(').next())
            {
                function = name;
            }
            let statement = line.trim().to_owned();
            if !statement.starts_with("iput(") {
                continue;
            }
            let Some(root) = registration(&texts, function) else {
                continue;
            };
            let ordinal = seen
                .iter()
                .filter(|it| **it == (function, statement.clone()))
                .count();
            seen.push((function, statement.clone()));
            report.findings.push(Finding {
                rule: "unsafe-iput",
                severity: Severity::Error,
                confidence: Confidence::High,
                file: file.clone(),
                line: u32::try_from(number).unwrap() + 1,
                column: 1,
                function: function.to_owned(),
                fingerprint: Fingerprint::new(
                    "unsafe-iput",
                    function,
                    &statement,
                    u32::try_from(ordinal).unwrap(),
                ),
                statement,
                contexts: vec!["writeback"],
                path: vec![root],
                message: String::new(),
                help: String::new(),
                related: Vec::new(),
                others: Vec::new(),
            });
        }
    }
    Ok(report)
}

fn registration(texts: &[(TreePath, String)], function: &str) -> Option<Hop> {
    let wanted = format!(".op = {function},");
    texts.iter().find_map(|(file, text)| {
        let line = text.lines().position(|it| it.trim() == wanted)?;
        Some(Hop {
            function: function.to_owned(),
            file: file.clone(),
            line: u32::try_from(line).unwrap() + 1,
            via: Via::Root,
            through: "ops.op".to_owned(),
        })
    })
}

const BASE: &str =
    "void drop(x)\n{\n\tiput(x);\n\tstep();\n\tstep();\n}\n\nvoid quiet(x)\n{\n\tiput(x);\n}\n";
const OPS: &str = "ops = {\n\t.op = drop,\n};\n";

fn tree(files: &[(&str, &str)]) -> MemTree {
    let mut tree = MemTree::default();
    for (path, content) in files {
        tree.insert(TreePath::parse(path).unwrap(), *content);
    }
    tree
}

fn run(diffs: &[&str]) -> ReviewReport {
    let patches: Vec<PatchInput> = (1..)
        .zip(diffs)
        .map(|(index, diff)| PatchInput {
            index,
            subject: format!("patch {index}"),
            message_id: None,
            commit: None,
            diff: diff.as_bytes().to_vec(),
        })
        .collect();
    let base = tree(&[("fs/a.c", BASE), ("fs/ops.c", OPS)]);
    let start = Arc::new(lint(&base).unwrap());
    review::run(&|tree, _| lint(tree).map(Arc::new), &start, &base, &patches).unwrap()
}

/// `file:line -> anchor file:line, in the diff or not`.
fn shown(findings: &[NewFinding]) -> Vec<String> {
    let shown = findings.iter().map(|it| {
        let (finding, anchor) = (&it.finding, &it.anchor);
        let place = if it.in_diff {
            "in the diff"
        } else {
            "elsewhere"
        };
        format!(
            "{}:{} -> {}:{}, {place}",
            finding.file, finding.line, anchor.file, anchor.line
        )
    });
    shown.collect()
}

fn places(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|it| format!("{}:{}", it.file, it.line))
        .collect()
}

#[test]
fn an_added_statement_is_new_at_its_own_line() {
    // The statement above the old one: fingerprints number them, the diff tells which is new.
    let report = run(&[
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,3 +1,4 @@\n void drop(x)\n {\n+\tiput(x);\n \tiput(x);\n",
    ]);
    assert_eq!(
        shown(&report.patches[0].new),
        ["fs/a.c:3 -> fs/a.c:3, in the diff"]
    );
    assert_eq!(shown(&report.new), ["fs/a.c:3 -> fs/a.c:3, in the diff"]);
    assert_eq!((report.unchanged, places(&report.fixed)), (1, vec![]));
}

#[test]
fn a_registration_makes_an_old_statement_new_and_is_its_anchor() {
    let report = run(&[
        "--- a/fs/ops.c\n+++ b/fs/ops.c\n@@ -1,3 +1,5 @@\n ops = {\n+\t.x = y,\n \t.op = drop,\n+\t.op = quiet,\n };\n",
    ]);
    assert_eq!(shown(&report.new), ["fs/a.c:10 -> fs/ops.c:4, elsewhere"]);
}

#[test]
fn moves_renames_and_indentation_change_nothing() {
    let report = run(&[
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,6 +1,7 @@\n-void drop(x)\n+/* why */\n+void drop(x)\n {\n-\tiput(x);\n+\t\t\tiput(x);\n \tstep();\n \tstep();\n }\n",
        "diff --git a/fs/a.c b/fs/b.c\nsimilarity index 100%\nrename from fs/a.c\nrename to fs/b.c\n",
    ]);
    assert!(report.patches.iter().all(|it| it.reason.is_none()));
    assert_eq!(
        (shown(&report.new), places(&report.fixed), report.unchanged),
        (vec![], vec![], 1)
    );
}

#[test]
fn a_renamed_function_keeps_its_findings() {
    let report = run(&[
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,3 +1,3 @@\n-void drop(x)\n+void put(x)\n {\n \tiput(x);\n\
        --- a/fs/ops.c\n+++ b/fs/ops.c\n@@ -1,3 +1,3 @@\n ops = {\n-\t.op = drop,\n+\t.op = put,\n };\n",
    ]);
    assert_eq!(
        (shown(&report.new), places(&report.fixed), report.unchanged),
        (vec![], vec![], 1)
    );
}

#[test]
fn what_a_later_patch_takes_back_is_no_net_change() {
    let add =
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -4,3 +4,4 @@\n \tstep();\n \tstep();\n+\tiput(y);\n }\n";
    let remove =
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -4,4 +4,3 @@\n \tstep();\n \tstep();\n-\tiput(y);\n }\n";
    let report = run(&[add, remove]);
    assert_eq!(
        shown(&report.patches[0].new),
        ["fs/a.c:6 -> fs/a.c:6, in the diff"]
    );
    assert_eq!(places(&report.patches[1].fixed), ["fs/a.c:6"]);
    assert_eq!(
        (shown(&report.new), places(&report.fixed)),
        (vec![], vec![])
    );
}

#[test]
fn a_patch_that_does_not_apply_stops_the_series() {
    let fix =
        "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,4 +1,3 @@\n void drop(x)\n {\n-\tiput(x);\n \tstep();\n";
    let broken = "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,3 +1,2 @@\n nothing\n-like\n this\n";
    let report = run(&[fix, broken, fix]);
    let reasons: Vec<Option<&str>> = report
        .patches
        .iter()
        .map(|it| it.reason.as_deref())
        .collect();
    assert_eq!(
        reasons,
        [
            None,
            Some(
                "fs/a.c: hunk 1 of 1 does not match: near line 1 it expects \"nothing\", the file has \"void drop(x)\""
            ),
            Some("not linted because patch 2 does not apply"),
        ]
    );
    assert_eq!(places(&report.fixed), ["fs/a.c:3"]);
}
