//! `lorelint check`.

use std::mem::ManuallyDrop;
use std::time::Instant;

use anyhow::Context as _;

use super::args::{CheckArgs, Common};
use super::{ExitStatus, Io, settings, tree};
use crate::Options;
use crate::render::{Format, Stage, render_check, render_stats};
use crate::suppress::Baseline;

pub(super) fn run(
    args: &CheckArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let start = Instant::now();
    let is_kept = settings::cache_directory(common, io).is_some();
    let tree = tree::open_with(common, io, is_kept)?;
    let options = Options {
        under: tree::paths_in_tree(&args.paths, &tree, common, io)?,
        scope: tree::paths_in_tree(&common.scope, &tree, common, io)?,
        config: settings::config(common, &args.lint, &tree, io)?,
        no_sieve: args.no_sieve,
    };
    let baseline = read_baseline(args, io)?;
    let opened = Instant::now();
    let linter = settings::linter(options, common, &tree, io);
    let source = tree.source.as_ref();
    let format = settings::format(&args.lint, common, io);
    let counts = args.lint.stats || matches!(format, Format::Json);
    let mut report = super::progress::watched(common, io, || {
        if !is_kept {
            let checked = linter.check_once(source, counts)?;
            return Ok(ManuallyDrop::new(checked).report.clone());
        }
        // The process ends with this: to take a kernel apart again would only cost time.
        ManuallyDrop::new(linter).check(source)
    })??;
    let linted = Instant::now();

    report
        .findings
        .retain(|it| it.confidence >= args.lint.min_confidence);
    if !common.scope.is_empty() {
        // Of a part of the tree, whatever lies outside is missing: one warning says it all.
        report
            .warnings
            .retain(|it| it.rule != "context-root-missing");
    }
    report.warnings.extend(settings::scope_warning(common));
    if let Some(path) = &args.write_baseline {
        let renewed = baseline
            .clone()
            .unwrap_or_default()
            .renewed(&report.findings);
        std::fs::write(io.working_dir.join(path), renewed.to_json())
            .with_context(|| format!("cannot write the baseline {}", path.display()))?;
    }
    if let Some(baseline) = &baseline {
        report.findings.retain(|it| !baseline.knows(it));
    }
    settings::print_warnings(&report.warnings, common, io)?;
    let mut out = std::io::BufWriter::new(&mut *io.stdout);
    render_check(&report, &tree.header, format, &|it| tree.read(it), &mut out)?;
    std::io::Write::flush(&mut out)?;
    drop(out);
    if args.lint.stats {
        let mut stages = vec![stage("open", start, opened)];
        stages.extend(report.stages.iter().map(|it| Stage {
            name: it.name.to_owned(),
            seconds: it.seconds,
            work: Some(it.work),
        }));
        stages.push(stage("lint", opened, linted));
        stages.push(stage("print", linted, Instant::now()));
        render_stats(&report, &stages, io.stderr)?;
    }
    Ok(settings::status(&report.findings, args.lint.fail_on))
}

fn read_baseline(args: &CheckArgs, io: &Io<'_>) -> anyhow::Result<Option<Baseline>> {
    let Some(path) = &args.baseline else {
        return Ok(None);
    };
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(io.working_dir.join(path)).with_context(|| {
        format!("cannot read the baseline {origin}: --write-baseline makes one")
    })?;
    Ok(Some(Baseline::parse(&text, &origin)?))
}

fn stage(name: &str, from: Instant, to: Instant) -> Stage {
    Stage {
        name: name.to_owned(),
        seconds: (to - from).as_secs_f64(),
        work: None,
    }
}
