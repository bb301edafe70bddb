//! `lorelintd demo`: the whole service on an invented kernel and an invented list, with nothing set up.
//!
//! Nothing is staged: the mails go through ingest, assembly, the linter and the outbox as those of a real list do.
//! Only the content is ours, and it all goes away with the process.

mod kernel;
mod mails;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::ingest::ingest;
use crate::jobs::{self, Context};
use crate::model::{JobKind, PageRequest, SeriesFilter, Timestamp};
use crate::queue::Worker;
use crate::roles::now;
use crate::store::Store;
use crate::web::{App, router};

/// The list that the demo follows.
pub const LIST: &str = "tarnfs@lists.example.org";

/// Fills a throw-away database and serves the dashboard on `listen` until the process is told to stop.
///
/// # Errors
///
/// When the address is taken, or the temporary directory cannot be written.
pub async fn run(listen: &str, output: &mut (dyn Write + Send)) -> Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listening on {listen}: give another address with --listen"))?;
    let address = listener.local_addr()?;
    let directory = tempfile::tempdir().context("making a directory for the demo")?;
    writeln!(
        output,
        "Reading the demo's list and linting its series in {} ...",
        directory.path().display()
    )?;
    output.flush()?;
    let store = prepare(directory.path(), &format!("http://{address}"), now).await?;
    guide(&store, &format!("http://{address}"), output).await?;
    output.flush()?;
    let app = App::new(store.clone(), now);
    axum::serve(listener, router(app))
        .with_graceful_shutdown(stopped())
        .await
        .context("serving the dashboard")?;
    store.close().await;
    Ok(())
}

/// Writes kernel, list and configuration into `directory`, and runs the pipeline until no job is left.
///
/// # Errors
///
/// When the directory cannot be written or a step of the pipeline fails.
pub async fn prepare(directory: &Path, base_url: &str, clock: fn() -> Timestamp) -> Result<Store> {
    let tree = directory.join("linux.git");
    kernel::write_repository(&tree)?;
    let mailbox = directory.join("tarnfs.mbox");
    std::fs::write(&mailbox, mails::mailbox(clock())).context("writing the demo's mailbox")?;
    let file = directory.join("lorelint.toml");
    std::fs::write(&file, configuration(&tree, &mailbox, base_url))
        .context("writing the demo's configuration")?;
    let config = Config::load(Some(&file), std::iter::empty())?;
    let database = format!("sqlite:{}", directory.join("lorelint.sqlite").display());
    let store = Store::open(&database).await?;
    let context = Arc::new(Context::new(store.clone(), config, clock));
    for list in &context.config.lists {
        for source in &list.sources {
            ingest(&store, &list.address, source, clock(), |_| {}).await?;
        }
    }
    context.enqueue_stale().await?;
    let worker = Worker {
        store: store.clone(),
        name: "demo".to_owned(),
        kinds: vec![JobKind::LintSeries],
        lease: Duration::from_mins(1),
        clock,
    };
    worker
        .until_idle(|claim| jobs::run(Arc::clone(&context), claim))
        .await?;
    Ok(store)
}

/// A list is silent unless somebody changes that: so is the demo's.
fn configuration(tree: &Path, mailbox: &Path, base_url: &str) -> String {
    let text = |it: &str| toml::Value::String(it.to_owned()).to_string();
    let path = |it: &Path| it.display().to_string();
    format!(
        "[web]\nbase_url = {base_url}\n\n\
         [mail]\nfrom = \"lorelint <lorelint@bots.example.org>\"\ncontact = \"Robin Maker <robin@example.org>\"\n\n\
         [[trees]]\nname = \"demo\"\npath = {tree}\nbranches = [\"main\"]\n\n\
         [[lists]]\naddress = {list}\nsources = [{source}]\ntrees = [\"demo\"]\npolicy = \"silent\"\n",
        base_url = text(base_url),
        tree = text(&path(tree)),
        list = text(LIST),
        source = text(&format!("mbox:{}", path(mailbox))),
    )
}

/// What to look at, with the addresses that this run gave.
async fn guide(store: &Store, base_url: &str, output: &mut (dyn Write + Send)) -> Result<()> {
    let all = PageRequest {
        after: None,
        limit: 50,
    };
    let series = store
        .series_list(&SeriesFilter::default(), all)
        .await?
        .items;
    let replies = store.outbox_list(None, all).await?.items;
    writeln!(output, "\nThe dashboard is on {base_url}/\n")?;
    for it in series.iter().rev() {
        writeln!(
            output,
            "  {base_url}/series/{:<3} {:<15} +{} new -{} fixed  v{} {}",
            it.id.to_string(),
            it.review.as_str(),
            it.new_count,
            it.fixed_count,
            it.version,
            it.title
        )?;
    }
    writeln!(output, "\nReplies that wait, because the list is silent:\n")?;
    for it in replies.iter().rev() {
        writeln!(
            output,
            "  {base_url}/outbox/{:<3} {}",
            it.id.to_string(),
            it.subject
        )?;
    }
    writeln!(output, "\nStop it with Ctrl-C: everything goes away.")?;
    Ok(())
}

async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}
