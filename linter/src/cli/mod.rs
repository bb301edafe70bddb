//! The command line: arguments in, results on standard output, everything else on standard error.
//!
//! [`run`] touches nothing of the process: tests drive it with their own streams and directories.

mod args;
mod bases;
mod check;
mod completions;
mod contexts;
mod explain;
mod graph;
mod index;
mod mails;
mod man;
mod patches;
mod progress;
mod review;
mod rules;
mod series;
mod settings;
mod tree;

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as UsageErrorKind;

use args::{Args, ColorWhen, Command};

/// What a run may touch of the world outside the trees it is given.
pub struct Io<'a> {
    /// For SOURCE `-`.
    pub stdin: &'a mut dyn Read,
    /// Results only.
    pub stdout: &'a mut dyn Write,
    /// Progress, warnings and errors.
    pub stderr: &'a mut dyn Write,
    /// Relative paths and the search for the enclosing tree start here.
    pub working_dir: PathBuf,
    /// The user's configuration directory; `lorelint/lorelint.toml` below it is read.
    pub config_dir: Option<PathBuf>,
    /// The user's cache directory; the index lies in `lorelint` below it.
    pub cache_dir: Option<PathBuf>,
    /// Whether standard output is a terminal that wants colour.
    pub is_terminal: bool,
    /// Whether somebody watches standard error.
    pub is_watched: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: nothing at or above `--fail-on`.
    Clean,
    /// 1: there are findings.
    Findings,
    /// 2: bad usage, unreadable tree, broken patch.
    Failure,
}

impl ExitStatus {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failure => 2,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Runs one command; `args` starts with the program's name.
///
/// A reader that goes away (broken pipe) is success: the reader has what it wanted.
pub fn run<I>(args: I, io: &mut Io<'_>) -> ExitStatus
where
    I: IntoIterator<Item = OsString>,
{
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return print_usage(&error, io),
    };
    match dispatch(&args, io).and_then(|status| Ok(io.stdout.flush().map(|()| status)?)) {
        Ok(status) => status,
        Err(error) if is_broken_pipe(&error) => ExitStatus::Clean,
        Err(error) => {
            // Nothing is left to tell the user with when standard error fails too.
            let _written = writeln!(io.stderr, "lorelint: error: {}", printable(&error));
            ExitStatus::Failure
        }
    }
}

fn dispatch(args: &Args, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    let common = &args.common;
    match &args.command {
        Command::Check(args) => check::run(args, common, io),
        Command::Review(args) => review::run(args, common, io),
        Command::Explain(args) => explain::run(args, io),
        Command::Rules(args) => rules::run(args, io),
        Command::Contexts(args) => contexts::run(args, io),
        Command::Graph(args) => graph::run(args, common, io),
        Command::Series(args) => series::run(args, common, io),
        Command::Index(args) => index::run(args, common, io),
        Command::Completions(args) => completions::run(args, io),
        Command::Man(args) => man::run(args, io),
    }
}

fn print_usage(error: &clap::Error, io: &mut Io<'_>) -> ExitStatus {
    let asked_for = matches!(
        error.kind(),
        UsageErrorKind::DisplayHelp | UsageErrorKind::DisplayVersion
    );
    let text = error.render();
    let (stream, status): (&mut dyn Write, _) = if asked_for {
        (&mut *io.stdout, ExitStatus::Clean)
    } else {
        (&mut *io.stderr, ExitStatus::Failure)
    };
    let written = if asked_for && io.is_terminal {
        write!(stream, "{}", text.ansi())
    } else {
        write!(stream, "{text}")
    };
    match written.and_then(|()| stream.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitStatus::Failure,
        _ => status,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|it| it.kind() == ErrorKind::BrokenPipe)
}

/// The whole chain of causes on one line, without control characters: paths and mail come from others.
fn printable(error: &anyhow::Error) -> String {
    format!("{error:#}")
        .chars()
        .map(|it| {
            if it.is_control() && it != '\n' {
                '\u{fffd}'
            } else {
                it
            }
        })
        .collect()
}

/// Whether results may be coloured.
fn use_color(common: &args::Common, io: &Io<'_>) -> bool {
    match common.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => io.is_terminal,
    }
}
