//! `lorelint man`.

use anyhow::Context as _;
use clap::CommandFactory;

use super::args::{Args, ManArgs};
use super::{ExitStatus, Io};

pub(super) fn run(args: &ManArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    let mut command = Args::command();
    command.build();
    let command = match &args.command {
        None => command,
        Some(name) => command
            .find_subcommand(name)
            .with_context(|| format!("no command {name:?}: `lorelint --help` lists them"))?
            .clone(),
    };
    clap_mangen::Man::new(command).render(&mut *io.stdout)?;
    Ok(ExitStatus::Clean)
}
