//! Applies a series patch by patch and compares the findings of each state with those of the one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::delta::{MovedLines, attach, compare};
use crate::diff;
use crate::finding::{Finding, Warning};
use crate::report::{CheckReport, NewFinding, PatchInput, PatchReport, ReviewReport};
use crate::tree::{Overlay, TreeError, TreePath, TreeSource};

/// Lints one state of the tree, which differs from the base in these files.
pub type Lint<'a> = dyn Fn(&dyn TreeSource, &[TreePath]) -> Result<CheckReport, TreeError> + 'a;

/// The tree after some patches.
struct State<'a> {
    tree: Overlay<'a>,
    report: Arc<CheckReport>,
}

/// Lints `base` and each state that the patches make.
///
/// # Errors
///
/// [`TreeError`] when a state cannot be read; a patch that does not apply is data.
pub fn run(
    lint: &Lint<'_>,
    start: &Arc<CheckReport>,
    base: &dyn TreeSource,
    patches: &[PatchInput],
) -> Result<ReviewReport, TreeError> {
    let mut state = State {
        tree: Overlay::new(base),
        report: Arc::clone(start),
    };
    let mut moved = MovedLines::default();
    let mut result = ReviewReport::default();
    let mut broken: Option<u32> = None;
    for patch in patches {
        let outcome = match broken {
            Some(first) => Err(format!("not linted because patch {first} does not apply")),
            None => apply(patch, &state.tree),
        };
        let step = match outcome {
            Ok(step) => step,
            Err(reason) => {
                broken.get_or_insert(patch.index);
                result.patches.push(report(patch, Some(reason)));
                continue;
            }
        };
        result.warnings.extend(step.warning);
        let changed: Vec<TreePath> = step.tree.changes().keys().cloned().collect();
        let next = Arc::new(lint(&step.tree, &changed)?);
        let delta = compare(&state.report.findings, &next.findings, &step.moved);
        let mut entry = report(patch, None);
        entry.new = attach_all(delta.new, &step.moved, &step.tree)?;
        entry.fixed = delta.fixed;
        result.patches.push(entry);
        moved = moved.then(&step.moved);
        state = State {
            tree: step.tree,
            report: next,
        };
    }
    let delta = compare(&start.findings, &state.report.findings, &moved);
    result.new = attach_all(delta.new, &moved, &state.tree)?;
    result.fixed = delta.fixed;
    result.unchanged = delta.unchanged;
    result
        .warnings
        .extend(state.report.warnings.iter().cloned());
    let deciding = deciding_files(&result, &moved);
    let gaps = state.report.gaps.iter();
    result.gaps = gaps
        .filter(|it| deciding.contains(&it.file))
        .cloned()
        .collect();
    result.final_tree = state.tree.tree_id()?;
    Ok(result)
}

/// The tree after the last patch that applies.
pub fn patched<'a>(base: &'a dyn TreeSource, patches: &[PatchInput]) -> Overlay<'a> {
    let mut tree = Overlay::new(base);
    for patch in patches {
        let Ok(step) = apply(patch, &tree) else {
            break;
        };
        tree = step.tree;
    }
    tree
}

/// What one patch makes of the tree before it.
struct Step<'a> {
    tree: Overlay<'a>,
    moved: MovedLines,
    warning: Option<Warning>,
}

fn apply<'a>(patch: &PatchInput, tree: &Overlay<'a>) -> Result<Step<'a>, String> {
    let parsed = diff::parse(&patch.diff).map_err(|it| it.to_string())?;
    let applied = diff::apply_or_merge(&parsed, tree).map_err(|it| it.to_string())?;
    let moved = MovedLines::of(&applied.changes);
    let changes = applied.changes.into_iter();
    let warning = applied.is_merged.then(|| Warning {
        rule: "three-way-merge",
        message: format!(
            "patch {} does not apply as it is: the change to the files of its index lines was merged",
            patch.index
        ),
    });
    Ok(Step {
        tree: tree.with(changes.map(|it| (it.path, it.content))),
        moved,
        warning,
    })
}

fn report(patch: &PatchInput, reason: Option<String>) -> PatchReport {
    PatchReport {
        index: patch.index,
        subject: patch.subject.clone(),
        message_id: patch.message_id.clone(),
        commit: patch.commit.clone(),
        reason,
        new: Vec::new(),
        fixed: Vec::new(),
    }
}

fn attach_all(
    findings: Vec<Finding>,
    moved: &MovedLines,
    tree: &dyn TreeSource,
) -> Result<Vec<NewFinding>, TreeError> {
    findings
        .into_iter()
        .map(|it| attach(it, moved, tree))
        .collect()
}

/// The files that the series touches, and those on which its findings rest.
fn deciding_files(result: &ReviewReport, moved: &MovedLines) -> BTreeSet<TreePath> {
    let mut files: BTreeSet<TreePath> = moved.paths().cloned().collect();
    let new = result.new.iter().map(|it| &it.finding);
    for finding in new.chain(&result.fixed) {
        files.insert(finding.file.clone());
        files.extend(finding.path.iter().map(|it| it.file.clone()));
    }
    files
}
