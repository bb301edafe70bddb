//! `lorelint review`: a series against a base, and only what it changes.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use super::args::{Common, ReviewArgs};
use super::patches::{self, SeriesSource};
use super::tree::{self, OpenTree};
use super::{ExitStatus, Io, bases, settings};
use crate::base::{BaseRequest, BranchHint, HintStrength, choose};
use crate::finding::{Finding, Warning};
use crate::render::{ReviewHeader, printable, render_review};
use crate::report::BaseHow;
use crate::tree::{FileChanges, GitTree, Overlay, TreePath, TreeSource};
use crate::{Options, diff, review};

/// Commits of each branch in which the blobs of the `index` lines are looked for.
const HISTORY: usize = 300;

pub(super) fn run(
    args: &ReviewArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let tree = tree::open(common, io)?;
    let series = patches::read(&args.source, tree.repo.as_ref(), io)?;
    let base = base(args, common, &tree, &series)?;
    if !common.quiet {
        writeln!(io.stderr, "lorelint: base: {}", printable(&base.why))?;
    }
    let source: &dyn TreeSource = match &base.tree {
        Some(commit) => commit,
        None => tree.source.as_ref(),
    };
    let with_prerequisites = Overlay::new(source).with(base.prerequisites.clone());
    let source = if base.prerequisites.is_empty() {
        source
    } else {
        &with_prerequisites
    };
    let options = Options {
        scope: tree::paths_in_tree(&common.scope, &tree, common, io)?,
        config: settings::config(common, &args.lint, &tree, io)?,
        ..Options::default()
    };
    // The process ends with this: to take a kernel apart again would only cost time.
    let linter = ManuallyDrop::new(settings::linter(options, common, &tree, io));
    let patches = &series.patches;
    let mut report = super::progress::watched(common, io, || linter.review(source, patches))??;
    let is_wanted = |it: &Finding| it.confidence >= args.lint.min_confidence;
    for patch in &mut report.patches {
        patch.new.retain(|it| is_wanted(&it.finding));
        patch.fixed.retain(is_wanted);
    }
    report.new.retain(|it| is_wanted(&it.finding));
    report.fixed.retain(is_wanted);
    report.warnings.extend(settings::scope_warning(common));
    let notes = series.warnings.into_iter().map(|message| Warning {
        rule: "series",
        message,
    });
    report.warnings.extend(notes);
    settings::print_warnings(&report.warnings, common, io)?;
    let header = ReviewHeader {
        rev: base.revision,
        how: base.how,
        title: series.title,
        version: series.version,
        total: series.total,
        author: series.author,
    };
    // Only text shows source lines, and only where there is something to show.
    let patched: OnceCell<Overlay<'_>> = OnceCell::new();
    let lines_of = |path: &TreePath| {
        let tree = patched.get_or_init(|| review::patched(source, patches));
        tree.read(path).ok().flatten()
    };
    let format = settings::format(&args.lint, common, io);
    let mut out = std::io::BufWriter::new(&mut *io.stdout);
    render_review(&report, &header, format, &lines_of, &mut out)?;
    std::io::Write::flush(&mut out)?;
    // The result of a series that does not apply is not that of the series, whatever its first patches bring.
    if report.patches.iter().any(|it| it.reason.is_some()) {
        return Ok(ExitStatus::Failure);
    }
    let new: Vec<Finding> = report.new.into_iter().map(|it| it.finding).collect();
    Ok(settings::status(&new, args.lint.fail_on))
}

/// Where the series starts.
struct Base {
    /// `None` where that is the tree as it is.
    tree: Option<GitTree>,
    prerequisites: FileChanges,
    revision: Option<String>,
    how: BaseHow,
    why: String,
}

fn base(
    args: &ReviewArgs,
    common: &Common,
    tree: &OpenTree,
    series: &SeriesSource,
) -> anyhow::Result<Base> {
    let as_it_is = |why: &str| Base {
        tree: None,
        prerequisites: FileChanges::new(),
        revision: tree.header.rev.clone(),
        how: BaseHow::Tree,
        why: why.to_owned(),
    };
    let given = args.base.as_deref().or(series.parent.as_deref());
    let Some(repo) = &tree.repo else {
        anyhow::ensure!(
            given.is_none(),
            "--base needs a git repository, and the tree is a plain directory"
        );
        return Ok(as_it_is("the directory as it is"));
    };
    let parsed: Vec<diff::Patch> = series
        .patches
        .iter()
        .filter_map(|it| diff::parse(&it.diff).ok())
        .collect();
    let preimages = diff::preimages(&parsed);
    let current = common.rev.clone().unwrap_or_else(|| "HEAD".to_owned());
    let candidates = bases::candidates(repo, &current);
    // Prerequisites need a commit to stand on; without them the tree is taken as it is.
    let last = (!series.prerequisites.is_empty()).then(|| BranchHint {
        strength: HintStrength::List,
        branch: current.clone(),
        why: "what is checked out".to_owned(),
    });
    let hints = bases::hints(
        repo,
        &candidates,
        &series.prefixes,
        &diff::paths(&parsed),
        last,
    );
    let request = BaseRequest {
        given,
        base_commit: series.base_commit.as_deref(),
        prerequisites: &series.prerequisites,
        preimages: &preimages,
        candidates: &candidates,
        history: HISTORY,
        branches: &hints,
    };
    let Some(choice) = choose(repo, &request)? else {
        return Ok(as_it_is(
            "the tree as it is: the series names no base, and no commit has the blobs of its index lines",
        ));
    };
    Ok(Base {
        tree: Some(repo.tree(&choice.revision)?),
        prerequisites: choice.prerequisites,
        revision: Some(choice.revision),
        how: choice.how,
        why: choice.why,
    })
}
