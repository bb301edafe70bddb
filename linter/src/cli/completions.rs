//! `lorelint completions`.

use clap::CommandFactory;

use super::args::{Args, CompletionsArgs};
use super::{ExitStatus, Io};

pub(super) fn run(args: &CompletionsArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    // The generator panics when its stream fails: into memory first.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "lorelint", &mut script);
    io.stdout.write_all(&script)?;
    Ok(ExitStatus::Clean)
}
