//! The configuration: one TOML file, every key also as `LORELINT_SECTION__KEY`; read and checked once, at start.

mod env;
mod raw;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bot::header::Mailbox;
use crate::bot::{BotIdentity, ListRules};
use crate::ingest::{Access, SourceSpec};
use crate::model::ListPolicy;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:PATH`; `None` means a file in the state directory.
    pub database: Option<String>,
    /// Where the dashboard listens.
    pub listen: SocketAddr,
    /// Who writes replies; `None` composes none.
    pub bot: Option<BotIdentity>,
    /// Where replies go.
    pub transport: Transport,
    /// How often sources are read.
    pub ingest_interval: Duration,
    /// Logins and certificates for sources on other machines.
    pub access: Access,
    /// Jobs at once.
    pub workers: usize,
    /// How long a worker may be silent before its job is given to another.
    pub lease: Duration,
    /// Kernel repositories, in order of preference.
    pub trees: Vec<TreeConfig>,
    /// Mailing lists.
    pub lists: Vec<ListConfig>,
}

/// How replies leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// They do not: approved replies stay in the outbox.
    None,
    /// One file a reply.
    Directory(PathBuf),
    /// A mail server.
    Smtp(SmtpConfig),
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether STARTTLS is demanded.
    pub is_encrypted: bool,
    /// User and password, both from the environment or a file.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for SmtpConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let login = self
            .login
            .as_ref()
            .map(|(user, _)| format!("{user}:<hidden>"));
        formatter
            .debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("is_encrypted", &self.is_encrypted)
            .field("login", &login)
            .finish()
    }
}

/// One kernel repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeConfig {
    /// What pages call it.
    pub name: String,
    /// A bare repository or a work tree.
    pub path: PathBuf,
    /// Branches or other revisions, tried in order.
    pub branches: Vec<String>,
}

/// One mailing list.
#[derive(Clone, Debug)]
pub struct ListConfig {
    /// The posting address, lower case.
    pub address: String,
    /// Where its mails come from.
    pub sources: Vec<SourceSpec>,
    /// Names of the trees that its patches are for, in order; empty means all.
    pub trees: Vec<String>,
    /// What the bot may do on it.
    pub rules: ListRules,
}

/// Every problem of a configuration at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration {origin} is wrong:\n  {}", problems.join("\n  "))]
pub struct ConfigError {
    /// The file, or what else it came from.
    pub origin: String,
    /// One sentence each, beginning with the key.
    pub problems: Vec<String>,
}

impl Config {
    /// Reads `file` (all defaults where there is none), then lets `environment` override.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with everything that is wrong.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let origin = file.map_or("(built in)".to_owned(), |it| it.display().to_string());
        let wrong = |problem: String| ConfigError {
            origin: origin.clone(),
            problems: vec![problem],
        };
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| wrong(format!("the file cannot be read: {error}")))?,
            None => String::new(),
        };
        let mut table: toml::Table =
            toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        env::apply(&mut table, environment);
        let raw: raw::RawConfig = table
            .try_into()
            .map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        raw.check()
            .map_err(|problems| ConfigError { origin, problems })
    }

    /// The rules of a list; a list that is not configured is silent.
    pub fn rules(&self, address: &str) -> Option<ListRules> {
        if let Some(list) = self
            .lists
            .iter()
            .find(|it| it.address.eq_ignore_ascii_case(address))
        {
            return Some(list.rules.clone());
        }
        Some(ListRules {
            list: Mailbox::new(None, address)?,
            policy: ListPolicy::Silent,
            max_per_day: 0,
            opted_out: Vec::new(),
        })
    }

    /// The trees for a series of these lists, in order: those of its configured lists, else all.
    pub fn trees_for(&self, lists: &[String]) -> Vec<&TreeConfig> {
        let mut names: Vec<&String> = Vec::new();
        for list in self.lists.iter().filter(|it| lists.contains(&it.address)) {
            names.extend(&list.trees);
        }
        if names.is_empty() {
            return self.trees.iter().collect();
        }
        let mut trees: Vec<&TreeConfig> = Vec::new();
        for name in names {
            if let Some(tree) = self.trees.iter().find(|it| it.name == *name)
                && !trees.contains(&tree)
            {
                trees.push(tree);
            }
        }
        trees
    }
}
