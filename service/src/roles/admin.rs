//! Administration: export, outbox, configuration, backup.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::args::OutboxCommand;
use super::{Io, OK, Setup, now};
use crate::model::{OutboxId, OutboxState, PageRequest, Person, SeriesExport};
use crate::store::{Store, StoreError};

/// Rows of one read of the database.
const CHUNK: u32 = 500;

/// One line of `export series`, as CONTRACT has it.
#[derive(Serialize)]
struct SeriesLine<'a> {
    id: i64,
    list: &'a [String],
    title: &'a str,
    author: String,
    version: u32,
    total: u32,
    complete: bool,
    cover: Option<&'a str>,
    patches: &'a [Option<String>],
    supersedes: Option<i64>,
    state: &'static str,
}

impl<'a> From<&'a SeriesExport> for SeriesLine<'a> {
    fn from(series: &'a SeriesExport) -> Self {
        Self {
            id: series.id.0,
            list: &series.lists,
            title: &series.title,
            author: display(&series.author),
            version: series.version,
            total: series.total,
            complete: series.complete,
            cover: series.cover.as_deref(),
            patches: &series.patches,
            supersedes: series.supersedes.map(|it| it.0),
            state: series.state.as_str(),
        }
    }
}

fn display(person: &Person) -> String {
    if person.name.is_empty() {
        person.address.clone()
    } else {
        format!("{} <{}>", person.name, person.address)
    }
}

pub(super) async fn export_series(store: &Store, io: &mut Io) -> Result<u8> {
    let mut after = None;
    loop {
        let series = store.export_series(after, CHUNK).await?;
        let Some(last) = series.last() else { break };
        after = Some(last.id);
        for item in &series {
            let line =
                serde_json::to_string(&SeriesLine::from(item)).context("writing a series")?;
            match writeln!(io.output, "{line}") {
                // Whoever reads the pipe has seen enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(OK),
                other => other?,
            }
        }
    }
    io.output.flush()?;
    store.close().await;
    Ok(OK)
}

pub(super) async fn outbox(store: &Store, command: OutboxCommand, io: &mut Io) -> Result<u8> {
    let by = "the command line";
    match command {
        OutboxCommand::List { state, id: None } => {
            let state = state
                .map(|text| {
                    OutboxState::parse(&text).with_context(|| {
                        let known: Vec<_> = OutboxState::ALL.iter().map(|it| it.as_str()).collect();
                        format!("unknown state {text:?}, one of {}", known.join(", "))
                    })
                })
                .transpose()?;
            list(store, state, io).await?;
        }
        OutboxCommand::List { id: Some(id), .. } => {
            let id = parse(&id)?;
            let Some(item) = store.outbox_item(id).await? else {
                return Err(StoreError::NotFound {
                    what: "outbox item",
                    id: id.to_string(),
                }
                .into());
            };
            write!(io.output, "{}", item.raw)?;
        }
        OutboxCommand::Approve { id } => {
            let id = parse(&id)?;
            store.approve_reply(id, by, now()).await?;
            writeln!(
                io.output,
                "reply {id} is approved; `lorelintd work --until-idle` or a running service sends it"
            )?;
        }
        OutboxCommand::Reject { id } => {
            let id = parse(&id)?;
            store.reject_reply(id, by).await?;
            writeln!(io.output, "reply {id} is rejected")?;
        }
    }
    store.close().await;
    Ok(OK)
}

async fn list(store: &Store, state: Option<OutboxState>, io: &mut Io) -> Result<()> {
    let mut request = PageRequest {
        after: None,
        limit: CHUNK,
    };
    loop {
        let page = store.outbox_list(state, request).await?;
        for entry in &page.items {
            writeln!(
                io.output,
                "{}\t{}\t{}\t{}\t{}\t{}",
                entry.id,
                entry.state.as_str(),
                entry.list,
                entry.to.join(", "),
                entry.subject,
                entry.reason
            )?;
        }
        request.after = page.next;
        if request.after.is_none() {
            return Ok(());
        }
    }
}

fn parse(id: &str) -> Result<OutboxId> {
    match OutboxId::parse(id) {
        Some(id) => Ok(id),
        None => bail!("{id:?} is no id of the outbox; `lorelintd outbox list` shows them"),
    }
}

pub(super) fn config_check(setup: &Setup, io: &mut Io) -> Result<u8> {
    let config = &setup.config;
    let file = setup.config_file.as_ref();
    let file = file.map_or("none, all defaults".to_owned(), |it| {
        it.display().to_string()
    });
    writeln!(io.output, "configuration: {file}")?;
    writeln!(io.output, "database: {}", setup.address)?;
    writeln!(io.output, "dashboard: {}", config.listen)?;
    writeln!(
        io.output,
        "workers: {}, lease {} s",
        config.workers,
        config.lease.as_secs()
    )?;
    writeln!(io.output, "replies: {:?}", config.transport)?;
    match &config.bot {
        Some(bot) => writeln!(
            io.output,
            "bot: {}, answers read by {}",
            bot.from, bot.contact
        )?,
        None => writeln!(io.output, "bot: none, no replies are composed")?,
    }
    for tree in &config.trees {
        writeln!(
            io.output,
            "tree {}: {} {}",
            tree.name,
            tree.path.display(),
            tree.branches.join(", ")
        )?;
        let repository = lorelint::tree::GitRepo::open(&tree.path)?;
        for branch in &tree.branches {
            repository.resolve(branch)?;
        }
    }
    for list in &config.lists {
        writeln!(
            io.output,
            "list {}: policy {}, {} sources",
            list.address,
            list.rules.policy.as_str(),
            list.sources.len()
        )?;
    }
    Ok(OK)
}

pub(super) async fn backup(store: &Store, file: &Path, io: &mut Io) -> Result<u8> {
    if file.exists() {
        bail!("{} exists already", file.display());
    }
    store.backup(file).await?;
    writeln!(io.output, "{}", file.display())?;
    store.close().await;
    Ok(OK)
}
