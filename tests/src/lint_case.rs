//! Lint cases as Markdown: the only place that knows how a tree and a patch are linted.
//!
//! Each section with a C block is one case with a tree of its own. A block's info string names its
//! file (```` ```c fs/example/inode.c ````; `fs/example/example.c` without). A line that must have
//! findings ends with `// finding: rule (context, context), rule medium`; all others must have none. No
//! word after the contexts means high confidence. A `toml` block configures the case. A `diff` block is a patch, whose outcome a `result` block lists,
//! one `new RULE in FUNCTION` or `fixed RULE in FUNCTION` a line, sorted. A `report` block lists what else the report
//! says, sorted: `file:line severity` of each finding, and `RULE: message` of each warning. A `messages` block lists
//! what the findings say, sorted: `file:line message`; an `advice` block the code that they advise: `file:line code`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lorelint::config::Config;
use lorelint::finding::{Confidence, Finding};
use lorelint::report::{CheckReport, PatchInput};
use lorelint::tree::{MemTree, TreePath};
use lorelint::{Linter, Options};

use crate::delta_case::Step;

/// One section of a document.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// `document.md: heading`.
    pub name: String,
    pub(crate) files: BTreeMap<String, String>,
    config: String,
    diff: Option<String>,
    report: Option<String>,
    messages: Option<String>,
    advice: Option<String>,
    pub(crate) result: String,
    /// What each patch does, by its number.
    pub(crate) steps: BTreeMap<u32, Vec<Step>>,
}

/// All cases of a document; sections without a C block are prose.
pub fn cases(document: &str, text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = Case::default();
    let mut block: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(info)) => block = Some((info.trim().to_owned(), String::new())),
            (Some(_), Some("")) => {
                let (info, body) = block.take().expect("matched above");
                case.take_block(&info, body);
            }
            (Some((_, body)), _) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) if line.starts_with('#') => {
                let heading = line.trim_start_matches('#').trim();
                let name = format!("{document}: {heading}");
                let done = std::mem::replace(
                    &mut case,
                    Case {
                        name,
                        ..Case::default()
                    },
                );
                cases.push(done);
            }
            (None, None) => {}
        }
    }
    assert!(block.is_none(), "{document}: a block is not closed");
    cases.push(case);
    cases.retain(|it| !it.files.is_empty());
    cases
}

impl Case {
    fn take_block(&mut self, info: &str, body: String) {
        let (kind, rest) = info.split_once(' ').unwrap_or((info, ""));
        match kind {
            "c" => {
                let path = if rest.is_empty() {
                    "fs/example/example.c"
                } else {
                    rest
                };
                self.files
                    .entry(path.to_owned())
                    .or_default()
                    .push_str(&body);
            }
            "toml" => self.config.push_str(&body),
            "diff" => self.diff = Some(body),
            "report" => self.report = Some(body),
            "messages" => self.messages = Some(body),
            "advice" => self.advice = Some(body),
            "result" => self.result = body,
            _ => {
                if let Some((patch, step)) = Step::parse(info, &body) {
                    self.steps.entry(patch).or_default().push(step);
                }
            }
        }
    }

    /// What the marks say, one `file:line rule (contexts)` a line, sorted.
    pub fn expected(&self) -> String {
        let mut lines = Vec::new();
        for (path, text) in &self.files {
            for (index, line) in text.lines().enumerate() {
                let Some((_, marks)) = line.split_once("// finding: ") else {
                    continue;
                };
                for mark in split_marks(marks.trim().trim_end_matches("*/").trim()) {
                    lines.push(format!("{path}:{} {mark}", index + 1));
                }
            }
        }
        joined(lines)
    }

    fn checked(&self) -> CheckReport {
        let report = self.linter().check(&self.tree());
        report.expect("memory can be read")
    }

    /// What the linter says, in the same form.
    pub fn found(&self) -> String {
        let report = self.checked();
        joined(report.findings.iter().map(line_of).collect())
    }

    /// What the report must say of severities and of the run; `None` where the case does not ask.
    pub fn expected_report(&self) -> Option<&str> {
        self.report.as_deref()
    }

    /// What it does say.
    pub fn reported(&self) -> String {
        let report = self.checked();
        let findings = report.findings.iter();
        let severities =
            findings.map(|it| format!("{}:{} {}", it.file, it.line, it.severity.as_str()));
        let warnings = report.warnings.iter();
        let warnings = warnings.map(|it| format!("{}: {}", it.rule, it.message));
        joined(severities.chain(warnings).collect())
    }

    /// What the findings must say; `None` where the case does not ask.
    pub fn expected_messages(&self) -> Option<&str> {
        self.messages.as_deref()
    }

    /// What they do say.
    pub fn messages(&self) -> String {
        let report = self.checked();
        let findings = report.findings.iter();
        let messages = findings.map(|it| format!("{}:{} {}", it.file, it.line, it.message));
        joined(messages.collect())
    }

    /// The code that the findings must advise; `None` where the case does not ask.
    pub fn expected_advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// The code that they do advise, the first of each.
    pub fn advice(&self) -> String {
        let report = self.checked();
        let code = |it: &Finding| {
            let code = it.help.split('`').nth(1).unwrap_or("no code");
            format!("{}:{} {code}", it.file, it.line)
        };
        joined(report.findings.iter().map(code).collect())
    }

    /// What the patch must change; `None` for cases without one.
    pub fn expected_review(&self) -> Option<&str> {
        self.diff.as_ref().map(|_| self.result.as_str())
    }

    /// The case's patch, empty where it has none.
    pub fn patch(&self) -> PatchInput {
        PatchInput {
            index: 1,
            subject: "a patch".to_owned(),
            message_id: None,
            commit: None,
            diff: self.diff.clone().unwrap_or_default().into_bytes(),
        }
    }

    /// What it does change.
    pub fn reviewed(&self) -> String {
        let patch = self.patch();
        let report = self
            .linter()
            .review(&self.tree(), &[patch])
            .expect("memory can be read");
        let mut lines = Vec::new();
        for patch in &report.patches {
            if let Some(reason) = &patch.reason {
                lines.push(format!("patch {} does not apply: {reason}", patch.index));
            }
        }
        for it in &report.new {
            lines.push(format!(
                "new {} in {}",
                it.finding.rule, it.finding.function
            ));
        }
        for it in &report.fixed {
            lines.push(format!("fixed {} in {}", it.rule, it.function));
        }
        joined(lines)
    }

    /// A linter with the case's configuration.
    pub fn linter(&self) -> Linter {
        Linter::new(self.options())
    }

    /// The case's configuration as options.
    pub fn options(&self) -> Options {
        let config = Config::parse(&self.config, &self.name).expect("the case's configuration");
        Options {
            config,
            ..Options::default()
        }
    }

    /// The case's files.
    pub fn tree(&self) -> MemTree {
        let mut tree = MemTree::default();
        for (path, text) in &self.files {
            let path = TreePath::parse(path).expect("the case's paths are plain");
            tree.insert(path, text.as_bytes());
        }
        tree
    }
}

/// Runs every case and lists all that differ, so that one run shows all.
#[track_caller]
pub fn check_all(cases: &[Case]) {
    assert!(!cases.is_empty(), "no cases");
    let mut report = String::new();
    for case in cases {
        let (expected, found) = (case.expected(), case.found());
        if expected != found {
            let _ = write!(
                report,
                "\n{}\n--- expected\n{expected}--- found\n{found}",
                case.name
            );
        }
        if case.is_delta() {
            let (expected, found) = (case.expected_delta(), case.found_delta());
            if expected != found {
                let _ = write!(
                    report,
                    "\n{} (edits)\n--- expected\n{expected}\n--- found\n{found}\n",
                    case.name
                );
            }
        }
        let patch = case.expected_review().map(|it| (it, case.reviewed()));
        let said = case.expected_report().map(|it| (it, case.reported()));
        let messages = case.expected_messages().map(|it| (it, case.messages()));
        let advice = case.expected_advice().map(|it| (it, case.advice()));
        let others = said.into_iter().chain(messages).chain(advice);
        for (expected, found) in patch.into_iter().chain(others) {
            if expected != found {
                let _ = write!(
                    report,
                    "\n{} (patch, report, messages or advice)\n--- expected\n{expected}--- found\n{found}",
                    case.name
                );
            }
        }
    }
    assert_eq!(report, "", "{} cases were run", cases.len());
}

/// The Markdown files under a directory of the repository, sorted, with their texts.
pub fn documents(directory: &str) -> Vec<(String, String)> {
    let root = repository();
    let mut pending = vec![root.join(directory)];
    let mut found = Vec::new();
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(&next).expect("the directory is in the repository") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                let name = path
                    .strip_prefix(&root)
                    .expect("it lies below")
                    .display()
                    .to_string();
                let text = std::fs::read_to_string(&path).expect("it is a text");
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

/// The top of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the repository")
        .to_owned()
}

fn line_of(finding: &Finding) -> String {
    let mut line = format!("{}:{} {}", finding.file, finding.line, finding.rule);
    if !finding.contexts.is_empty() {
        line += " (";
        line += &finding.contexts.join(", ");
        line += ")";
    }
    if finding.confidence != Confidence::High {
        line += " ";
        line += finding.confidence.as_str();
    }
    line
}

/// Splits at commas outside of parentheses.
fn split_marks(marks: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    marks
        .split(|it: char| {
            depth += i32::from(it == '(') - i32::from(it == ')');
            it == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect()
}

fn joined(mut lines: Vec<String>) -> String {
    lines.sort();
    lines
        .into_iter()
        .fold(String::new(), |text, line| text + &line + "\n")
}

/// The cases of all rules, and those of patches.
pub fn all_cases() -> Vec<Case> {
    [
        "linter/src/rules",
        "tests/fixtures/rules",
        "tests/fixtures/delta",
    ]
    .iter()
    .flat_map(|it| documents(it))
    .flat_map(|(name, text)| cases(&name, &text))
    .collect()
}

/// Everything that a report says, whatever it cost.
pub fn said(report: &CheckReport) -> String {
    format!(
        "{:#?}\n{:#?}\n{:#?}",
        report.findings, report.gaps, report.warnings
    )
}
