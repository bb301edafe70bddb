//! Applies a series patch by patch and compares the findings of each state with those of the one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::delta::{MovedLines, States, attach, compare};
use crate::diff;
use crate::finding::{Finding, Warning};
use crate::report::{CheckReport, NewFinding, PatchInput, PatchReport, ReviewReport};
use crate::tree::{Overlay, TreeError, TreePath, TreeSource};

/// Lints one state of the tree, which differs from the base in these files.
pub type Lint<'a> =
    dyn Fn(&dyn TreeSource, &[TreePath]) -> Result<Arc<CheckReport>, TreeError> + Sync + 'a;

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
    let mut result = ReviewReport::default();
    let steps = apply_all(base, patches, &mut result);
    // Most of a state's work is done by one thread: the states are looked at side by side.
    let reports: Vec<Arc<CheckReport>> = steps
        .par_iter()
        .map(|it| {
            let changed: Vec<TreePath> = it.tree.changes().keys().cloned().collect();
            lint(&it.tree, &changed)
        })
        .collect::<Result<_, _>>()?;
    let untouched = Overlay::new(base);
    let mut before: (&CheckReport, &dyn TreeSource) = (start, &untouched);
    let mut moved = MovedLines::default();
    let linted = result.patches.iter_mut().filter(|it| it.reason.is_none());
    for ((entry, step), report) in linted.zip(&steps).zip(&reports) {
        let states = States {
            before: before.1,
            after: &step.tree,
        };
        let delta = compare(&before.0.findings, &report.findings, &step.moved, states);
        entry.new = attach_all(delta.new, &step.moved, &step.tree)?;
        entry.fixed = delta.fixed;
        moved = moved.then(&step.moved);
        before = (report, &step.tree);
    }
    let tree = steps.last().map_or(&untouched, |it| &it.tree);
    let states = States {
        before: &untouched,
        after: tree,
    };
    let before = before.0;
    let delta = compare(&start.findings, &before.findings, &moved, states);
    result.new = attach_all(delta.new, &moved, tree)?;
    result.fixed = delta.fixed;
    result.unchanged = delta.unchanged;
    result.warnings.extend(before.warnings.iter().cloned());
    let deciding = deciding_files(&result, &moved);
    let gaps = before.gaps.iter();
    result.gaps = gaps
        .filter(|it| deciding.contains(&it.file))
        .cloned()
        .collect();
    result.final_tree = tree.tree_id()?;
    Ok(result)
}

/// Applies the patches one on the other, up to the first that is missing or does not apply, and names each in the
/// result.
fn apply_all<'a>(
    base: &'a dyn TreeSource,
    patches: &[PatchInput],
    result: &mut ReviewReport,
) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut broken: Option<String> = None;
    let untouched = Overlay::new(base);
    for (patch, gap) in patches.iter().zip(gaps_before(patches)) {
        let tree = steps.last().map_or(&untouched, |it| &it.tree);
        let missing = gap.map(|it| format!("not linted because patch {it} is missing"));
        broken = broken.or(missing);
        let outcome = match &broken {
            Some(reason) => Err(reason.clone()),
            None => apply(patch, tree),
        };
        match outcome {
            Ok(step) => {
                result.warnings.extend(step.warning.clone());
                result.patches.push(report(patch, None));
                steps.push(step);
            }
            Err(reason) => {
                broken.get_or_insert_with(|| {
                    format!("not linted because patch {} does not apply", patch.index)
                });
                result.patches.push(report(patch, Some(reason)));
            }
        }
    }
    steps
}

/// For each patch the number of the first that should stand before it and does not.
fn gaps_before(patches: &[PatchInput]) -> impl Iterator<Item = Option<u32>> {
    let mut next = 1;
    patches.iter().map(move |it| {
        let missing = (it.index > next).then_some(next);
        next = it.index.saturating_add(1);
        missing
    })
}

/// The tree after the last patch that applies, up to the first that is missing.
pub fn patched<'a>(base: &'a dyn TreeSource, patches: &[PatchInput]) -> Overlay<'a> {
    let mut tree = Overlay::new(base);
    for (patch, gap) in patches.iter().zip(gaps_before(patches)) {
        let (Ok(step), None) = (apply(patch, &tree), gap) else {
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
