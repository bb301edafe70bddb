//! The configuration as written, and what makes it valid.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Config, ListConfig, SmtpConfig, Transport, TreeConfig};
use crate::bot::header::Mailbox;
use crate::bot::{BotIdentity, ListRules};
use crate::ingest::{Access, Login, SourceSpec};
use crate::model::ListPolicy;

/// The least time a lease lasts: a heartbeat is sent three times in it.
const MIN_LEASE_SECONDS: u64 = 15;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    database: RawDatabase,
    web: RawWeb,
    ingest: RawIngest,
    work: RawWork,
    mail: RawMail,
    trees: Vec<RawTree>,
    lists: Vec<RawList>,
    logins: Vec<RawLogin>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawDatabase {
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawWeb {
    listen: String,
    base_url: Option<String>,
}

impl Default for RawWeb {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8470".to_owned(),
            base_url: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawIngest {
    interval_seconds: u64,
    certificates: Option<PathBuf>,
}

impl Default for RawIngest {
    fn default() -> Self {
        Self {
            interval_seconds: 60,
            certificates: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawWork {
    workers: usize,
    lease_seconds: u64,
}

impl Default for RawWork {
    fn default() -> Self {
        Self {
            workers: 1,
            lease_seconds: 120,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawMail {
    from: Option<String>,
    contact: Option<String>,
    transport: Option<String>,
    starttls: bool,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTree {
    name: String,
    path: PathBuf,
    #[serde(default)]
    branches: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    address: String,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    trees: Vec<String>,
    policy: Option<String>,
    max_per_day: Option<u32>,
    #[serde(default)]
    opted_out: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLogin {
    host: String,
    user: String,
    password_file: PathBuf,
}

/// Replies on one list in 24 hours where nothing is said.
const DEFAULT_MAX_PER_DAY: u32 = 20;

impl RawConfig {
    /// Checks everything and reports all problems together.
    pub(super) fn check(self) -> Result<Config, Vec<String>> {
        let mut problems = Vec::new();
        let listen = self.web.listen.parse().unwrap_or_else(|_| {
            problems.push(format!(
                "web.listen: {:?} is no ADDRESS:PORT",
                self.web.listen
            ));
            ([127, 0, 0, 1], 8470).into()
        });
        if self.work.workers == 0 {
            problems.push("work.workers: must be at least 1".to_owned());
        }
        if self.work.lease_seconds < MIN_LEASE_SECONDS {
            problems.push(format!(
                "work.lease_seconds: must be at least {MIN_LEASE_SECONDS}"
            ));
        }
        if self.ingest.interval_seconds == 0 {
            problems.push("ingest.interval_seconds: must be at least 1".to_owned());
        }
        let base_url = self
            .web
            .base_url
            .map(|it| it.trim_end_matches('/').to_owned());
        if base_url
            .as_ref()
            .is_some_and(|it| !it.starts_with("http://") && !it.starts_with("https://"))
        {
            problems.push("web.base_url: must begin with http:// or https://".to_owned());
        }
        let trees = trees(self.trees, &mut problems);
        let lists = lists(self.lists, &trees, &mut problems);
        let access = Access {
            logins: logins(self.logins, &mut problems),
            certificates: self.ingest.certificates,
            wait: None,
        };
        if let Some(file) = access.certificates.as_ref().filter(|it| !it.is_file()) {
            let file = file.display();
            problems.push(format!("ingest.certificates: {file} is no file"));
        }
        let (bot, transport) = self.mail.check(base_url, &mut problems);
        if bot.is_none() && lists.iter().any(|it| it.rules.policy != ListPolicy::Silent) {
            problems
                .push("mail.from: needed, because a list's policy lets the bot answer".to_owned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Config {
            database: self.database.url,
            listen,
            bot,
            transport,
            ingest_interval: Duration::from_secs(self.ingest.interval_seconds),
            access,
            workers: self.work.workers,
            lease: Duration::from_secs(self.work.lease_seconds),
            trees,
            lists,
        })
    }
}

fn trees(raw: Vec<RawTree>, problems: &mut Vec<String>) -> Vec<TreeConfig> {
    let mut names = BTreeSet::new();
    raw.into_iter()
        .map(|tree| {
            if tree.name.is_empty() || !names.insert(tree.name.clone()) {
                problems.push(format!(
                    "trees: the name {:?} is empty or there twice",
                    tree.name
                ));
            }
            if !tree.path.is_dir() {
                let path = tree.path.display();
                problems.push(format!(
                    "trees: {}: {path} is no directory; clone the repository first",
                    tree.name
                ));
            }
            let branches = if tree.branches.is_empty() {
                vec!["HEAD".to_owned()]
            } else {
                tree.branches
            };
            TreeConfig {
                name: tree.name,
                path: tree.path,
                branches,
            }
        })
        .collect()
}

fn lists(raw: Vec<RawList>, trees: &[TreeConfig], problems: &mut Vec<String>) -> Vec<ListConfig> {
    let mut addresses = BTreeSet::new();
    let mut lists = Vec::new();
    for list in raw {
        let address = list.address.to_lowercase();
        if !addresses.insert(address.clone()) {
            problems.push(format!("lists: {address} is there twice"));
        }
        let Some(mailbox) = Mailbox::new(None, &address) else {
            problems.push(format!("lists: {address:?} is no address"));
            continue;
        };
        let mut sources = Vec::new();
        for source in &list.sources {
            match SourceSpec::parse(source) {
                Ok(SourceSpec::Stdin) => problems.push(format!(
                    "lists: {address}: a service has no standard input to read"
                )),
                Ok(source) => sources.push(source),
                Err(error) => problems.push(format!("lists: {address}: {error}")),
            }
        }
        for tree in list
            .trees
            .iter()
            .filter(|it| !trees.iter().any(|tree| tree.name == **it))
        {
            problems.push(format!("lists: {address}: there is no tree {tree:?}"));
        }
        let policy = list
            .policy
            .as_deref()
            .unwrap_or(ListPolicy::Silent.as_str());
        let policy = ListPolicy::parse(policy).unwrap_or_else(|| {
            let known: Vec<_> = ListPolicy::ALL.iter().map(|it| it.as_str()).collect();
            problems.push(format!(
                "lists: {address}: unknown policy {policy:?}, one of {}",
                known.join(", ")
            ));
            ListPolicy::Silent
        });
        if list.max_per_day == Some(0) {
            problems.push(format!(
                "lists: {address}: max_per_day is 0; use the policy \"silent\""
            ));
        }
        let rules = ListRules {
            list: mailbox,
            policy,
            max_per_day: list.max_per_day.unwrap_or(DEFAULT_MAX_PER_DAY),
            opted_out: list.opted_out,
        };
        lists.push(ListConfig {
            address,
            sources,
            trees: list.trees,
            rules,
        });
    }
    lists
}

fn logins(raw: Vec<RawLogin>, problems: &mut Vec<String>) -> Vec<Login> {
    let mut logins = Vec::new();
    for login in raw {
        match std::fs::read_to_string(&login.password_file) {
            Ok(password) => logins.push(Login {
                host: login.host,
                user: login.user,
                password: password.trim_end_matches(['\r', '\n']).to_owned(),
            }),
            Err(error) => problems.push(format!(
                "logins: {}: the password file {}: {error}",
                login.host,
                login.password_file.display()
            )),
        }
    }
    logins
}

impl RawMail {
    fn check(
        self,
        base_url: Option<String>,
        problems: &mut Vec<String>,
    ) -> (Option<BotIdentity>, Transport) {
        let mut mailbox = |key: &str, text: &str| {
            let mailbox = Mailbox::parse(text);
            if mailbox.is_none() {
                problems.push(format!("mail.{key}: {text:?} is no address"));
            }
            mailbox
        };
        let from = self.from.as_deref().and_then(|it| mailbox("from", it));
        let contact = self
            .contact
            .as_deref()
            .and_then(|it| mailbox("contact", it));
        let bot = from.map(|from| BotIdentity {
            contact: contact.unwrap_or_else(|| from.clone()),
            from,
            base_url,
        });
        let transport = self.transport(problems);
        if bot.is_none() && transport != Transport::None {
            problems.push("mail.from: needed to send anything".to_owned());
        }
        (bot, transport)
    }

    fn transport(&self, problems: &mut Vec<String>) -> Transport {
        let text = self.transport.as_deref().unwrap_or("none");
        if text == "none" {
            return Transport::None;
        }
        if let Some(path) = text.strip_prefix("directory:").filter(|it| !it.is_empty()) {
            return Transport::Directory(path.into());
        }
        let server = text.strip_prefix("smtp://").and_then(|it| {
            let (host, port) = it.rsplit_once(':').unwrap_or((it, "25"));
            Some((host.to_owned(), port.parse::<u16>().ok()?)).filter(|it| !it.0.is_empty())
        });
        let Some((host, port)) = server else {
            problems.push(format!(
                "mail.transport: {text:?} is none of \"none\", \"directory:DIR\", \"smtp://HOST:PORT\""
            ));
            return Transport::None;
        };
        let mut login = None;
        if let Some(user) = &self.user {
            match self.password_file.as_deref().map(std::fs::read_to_string) {
                Some(Ok(password)) => login = Some((user.clone(), password.trim_end().to_owned())),
                Some(Err(error)) => problems.push(format!("mail.password_file: {error}")),
                None => {
                    problems
                        .push("mail.password_file: needed, because mail.user is set".to_owned());
                }
            }
        }
        Transport::Smtp(SmtpConfig {
            host,
            port,
            is_encrypted: self.starttls || login.is_some(),
            login,
        })
    }
}
