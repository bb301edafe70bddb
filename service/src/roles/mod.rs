//! The commands of `lorelintd`: wiring only. They read no global state but what `main` hands in.

mod admin;
mod args;
mod follow;
mod ingest;
mod progress;
mod serve;
mod token;
mod work;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::config::Config;
use crate::model::Timestamp;
use crate::store::Store;
use args::{Args, Command};

/// What a command reads and writes besides files and the database.
pub struct Io {
    /// Standard input.
    pub input: Box<dyn Read + Send>,
    /// Results.
    pub output: Box<dyn Write + Send>,
    /// Progress, warnings and errors.
    pub errors: Box<dyn Write + Send>,
    /// Whether a person watches `errors`: a terminal.
    pub is_watched: bool,
}

/// Exit codes of `sysexits.h` and our own.
const OK: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
/// `EX_TEMPFAIL`: the mail server keeps the message and tries again.
const TRY_AGAIN: u8 = 75;

/// The present moment.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Runs one command line; returns the exit code.
pub async fn run(arguments: Vec<String>, environment: Vec<(String, String)>, io: &mut Io) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let is_help = !error.use_stderr();
            let target = if is_help {
                &mut io.output
            } else {
                &mut io.errors
            };
            // Nobody is left to tell when this fails.
            write!(target, "{error}").ok();
            return if is_help { OK } else { USAGE };
        }
    };
    let is_delivery = matches!(args.command, Command::Deliver { .. });
    match dispatch(args, environment, io).await {
        Ok(code) => code,
        Err(error) => {
            writeln!(io.errors, "lorelintd: {}", sentence(&error)).ok();
            if is_delivery { TRY_AGAIN } else { FAILED }
        }
    }
}

/// The error with its causes, each said once: ours name their cause already.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// What every command starts from.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) address: String,
}

impl Setup {
    fn new(args: &Args, environment: Vec<(String, String)>) -> Result<Self> {
        let state = state_directory(&environment);
        let config = Config::load(args.config.as_deref(), environment.into_iter())?;
        let given = args.database.clone().or_else(|| config.database.clone());
        let address = match (given, state) {
            (Some(address), _) => address,
            (None, Some(state)) => format!("sqlite:{}", state.join("lorelint.sqlite").display()),
            (None, None) => anyhow::bail!(
                "there is no home directory to keep the database in: give --database sqlite:PATH"
            ),
        };
        Ok(Self {
            config,
            config_file: args.config.clone(),
            address,
        })
    }

    async fn open(&self) -> Result<Store> {
        Ok(Store::open(&self.address).await?)
    }
}

fn state_directory(environment: &[(String, String)]) -> Option<PathBuf> {
    let get = |name: &str| {
        let value = environment
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.as_str());
        value.filter(|it| !it.is_empty())
    };
    // systemd gives several directories separated by colons; the first is ours.
    if let Some(path) = get("STATE_DIRECTORY").and_then(|it| it.split(':').next()) {
        return Some(path.into());
    }
    if let Some(path) = get("XDG_STATE_HOME") {
        return Some(Path::new(path).join("lorelint"));
    }
    get("HOME").map(|it| Path::new(it).join(".local/state/lorelint"))
}

async fn dispatch(args: Args, environment: Vec<(String, String)>, io: &mut Io) -> Result<u8> {
    let setup = Setup::new(&args, environment)?;
    match args.command {
        Command::Serve { role } => serve::run(&setup, &role, io).await,
        Command::Ingest { source, list, once } => {
            ingest::run(&setup, &source, (&list, once), io).await
        }
        Command::Deliver { list } => ingest::deliver(&setup, &list, io).await,
        Command::Work { until_idle } => work::run(&setup, until_idle, io).await,
        Command::Export {
            what:
                args::Export::Series {
                    format: args::ExportFormat::Jsonl,
                },
        } => admin::export_series(&setup.open().await?, io).await,
        Command::Migrate => {
            let store = setup.open().await?;
            writeln!(
                io.output,
                "{} has this program's schema",
                store.path().display()
            )?;
            store.close().await;
            Ok(OK)
        }
        Command::Config {
            command: args::ConfigCommand::Check,
        } => admin::config_check(&setup, io),
        Command::Outbox { command } => {
            admin::outbox(
                &setup.open().await.context("opening the outbox")?,
                command,
                io,
            )
            .await
        }
        Command::Token { command } => token::run(&setup.open().await?, command, io).await,
        Command::Demo { listen } => serve::demo(&listen, io).await,
        Command::Backup { file } => admin::backup(&setup.open().await?, &file, io).await,
    }
}
