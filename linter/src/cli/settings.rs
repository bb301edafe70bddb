//! What the commands that lint share: the configuration, the linter, the form of the results.

use std::path::PathBuf;

use anyhow::Context as _;

use super::args::{Common, LintArgs, LintFormat};
use super::tree::OpenTree;
use super::{ExitStatus, Io};
use crate::cache::Cache;
use crate::config::{Config, FILE_NAME};
use crate::finding::{Finding, Severity, Warning};
use crate::render::{Format, Style};
use crate::tree::TreePath;
use crate::{Linter, Options};

/// Reads the configuration: `--config`, else the tree's, else the user's; then `--rule` and `--context`.
///
/// # Errors
///
/// Every problem of the file, and every name that does not exist.
pub(super) fn config(
    common: &Common,
    lint: &LintArgs,
    tree: &OpenTree,
    io: &Io<'_>,
) -> anyhow::Result<Config> {
    let mut config = match find(common, tree, io)? {
        Some((text, origin)) => {
            let text = String::from_utf8(text).with_context(|| format!("{origin} is not UTF-8"))?;
            Config::parse(&text, &origin)?
        }
        None => Config::default(),
    };
    config.restrict(&lint.rule, &lint.context)?;
    Ok(config)
}

/// Where the user's caches are, unless none is wanted.
pub(super) fn cache_directory<'a>(common: &Common, io: &'a Io<'_>) -> Option<&'a PathBuf> {
    io.cache_dir.as_ref().filter(|_| !common.no_cache)
}

/// A linter with the cache of the user, unless that is not wanted.
pub(super) fn linter(options: Options, common: &Common, tree: &OpenTree, io: &Io<'_>) -> Linter {
    let linter = Linter::new(options);
    match cache_directory(common, io) {
        Some(directory) => linter.with_cache(Cache::new(&directory.join("lorelint"), &tree.root)),
        None => linter,
    }
}

fn find(
    common: &Common,
    tree: &OpenTree,
    io: &Io<'_>,
) -> anyhow::Result<Option<(Vec<u8>, String)>> {
    if let Some(named) = &common.config {
        let path = io.working_dir.join(named);
        let text = std::fs::read(&path)
            .with_context(|| format!("cannot read the configuration {}", named.display()))?;
        return Ok(Some((text, named.display().to_string())));
    }
    let in_tree = TreePath::parse(FILE_NAME).expect("a plain path");
    if let Some(text) = tree.source.read(&in_tree)? {
        return Ok(Some((text, FILE_NAME.to_owned())));
    }
    let Some(directory) = &io.config_dir else {
        return Ok(None);
    };
    let path = directory.join("lorelint").join("lorelint.toml");
    match std::fs::read(&path) {
        Ok(text) => Ok(Some((text, path.display().to_string()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the configuration {}", path.display()))
        }
    }
}

/// Runs `work` on as many threads as `--jobs` says.
///
/// # Errors
///
/// When the threads cannot be started.
pub(super) fn on_threads<T: Send>(
    common: &Common,
    work: impl FnOnce() -> T + Send,
) -> anyhow::Result<T> {
    let Some(jobs) = common.jobs else {
        return Ok(work());
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(jobs))
        .build()
        .with_context(|| format!("cannot start {jobs} threads"))?;
    Ok(pool.install(work))
}

/// The form of the results.
pub(super) fn format(lint: &LintArgs, common: &Common, io: &Io<'_>) -> Format {
    match lint.format {
        LintFormat::Text if super::use_color(common, io) => Format::Text(Style::Color),
        LintFormat::Text => Format::Text(Style::Plain),
        LintFormat::Short => Format::Short,
        LintFormat::Json => Format::Json,
        LintFormat::Sarif => Format::Sarif,
        LintFormat::Github => Format::Github,
    }
}

/// Says on standard error what limits the results.
///
/// # Errors
///
/// Those of standard error.
pub(super) fn print_warnings(
    warnings: &[Warning],
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<()> {
    if common.quiet {
        return Ok(());
    }
    for it in warnings {
        let line = format!("lorelint: warning: {}: {}", it.rule, it.message);
        writeln!(io.stderr, "{}", crate::render::printable(&line))?;
    }
    Ok(())
}

/// What `--scope` costs.
pub(super) fn scope_warning(common: &Common) -> Option<Warning> {
    (!common.scope.is_empty()).then(|| Warning {
        rule: "scope",
        message: format!(
            "only {} was read: chains that leave it are missed, and findings may be too",
            common.scope.join(", ")
        ),
    })
}

/// 1 when a finding is at least as severe as `--fail-on`.
pub(super) fn status<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    fail_on: Severity,
) -> ExitStatus {
    if findings.into_iter().any(|it| it.severity >= fail_on) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}
