//! `lorelint index`.

use std::io::ErrorKind;

use anyhow::{Context as _, bail};

use super::args::{Common, IndexArgs};
use super::{ExitStatus, Io, tree};
use crate::Options;

pub(super) fn run(
    args: &IndexArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let Some(directory) = io.cache_dir.as_ref().map(|it| it.join("lorelint")) else {
        bail!("no cache directory: set XDG_CACHE_HOME or HOME");
    };
    if args.clear {
        match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove the index {}", directory.display()));
            }
            _ => return Ok(ExitStatus::Clean),
        }
    }
    let tree = tree::open(common, io)?;
    let options = Options {
        scope: tree::paths_in_tree(&common.scope, &tree, common, io)?,
        ..Options::default()
    };
    let linter = super::settings::linter(options, common, &tree, io);
    let report = super::progress::watched(common, io, || linter.check(tree.source.as_ref()))??;
    if !common.quiet {
        writeln!(
            io.stderr,
            "indexed {} files, {} functions, {} edges",
            report.stats.files, report.stats.functions, report.stats.edges
        )?;
    }
    Ok(ExitStatus::Clean)
}
