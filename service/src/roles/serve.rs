//! `serve` and `demo`: the roles of one process, started together and stopped in order.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info};

use super::args::Role;
use super::{Io, OK, Setup, follow, now, work};
use crate::config::ListConfig;
use crate::ingest::ingest;
use crate::jobs::{self, Context};
use crate::model::JobKind;
use crate::store::Store;

pub(super) async fn run(setup: &Setup, roles: &[Role], io: &mut Io) -> Result<u8> {
    let store = setup.open().await?;
    let context = Arc::new(Context::new(store.clone(), setup.config.clone(), now));
    work::prepare(&context).await?;
    let stop = follow::stop_signal();
    let mut tasks = JoinSet::new();
    if roles.contains(&Role::Web) {
        let listen = setup.config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("listening on {listen}; set web.listen to another address"))?;
        writeln!(
            io.output,
            "the dashboard is on http://{}",
            listener.local_addr()?
        )?;
        io.output.flush()?;
        tasks.spawn(web(store.clone(), listener, stop.clone()));
    }
    if roles.contains(&Role::Ingest) {
        for list in &setup.config.lists {
            tasks.spawn(follow_list(
                Arc::clone(&context),
                list.clone(),
                stop.clone(),
            ));
        }
    }
    let mut kinds = Vec::new();
    kinds.extend(roles.contains(&Role::Work).then_some(JobKind::LintSeries));
    kinds.extend(roles.contains(&Role::Mail).then_some(JobKind::SendReply));
    for number in 0..if kinds.is_empty() {
        0
    } else {
        setup.config.workers
    } {
        let worker = work::worker(&context, &kinds, number);
        let context = Arc::clone(&context);
        let stop = stop.clone();
        tasks.spawn(async move {
            let run = |claim| jobs::run(Arc::clone(&context), claim);
            worker.until_stopped(run, stop).await;
            Ok(())
        });
    }
    if tasks.is_empty() {
        bail!("there is nothing to do: no list is configured; add [[lists]] or name other roles");
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("a role ended by itself")??;
    }
    store.close().await;
    Ok(OK)
}

async fn web(store: Store, listener: TcpListener, stop: watch::Receiver<bool>) -> Result<()> {
    let app = crate::web::App::new(store, now);
    axum::serve(listener, crate::web::router(app))
        .with_graceful_shutdown(follow::stopped(stop))
        .await
        .context("serving the dashboard")
}

/// Reads a list's sources again and again; one that fails is logged and does not stop the others.
async fn follow_list(
    context: Arc<Context>,
    list: ListConfig,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    while !*stop.borrow() {
        for source in &list.sources {
            match ingest(&context.store, &list.address, source, now(), |_| {}).await {
                Ok(counts) if counts.stored > 0 || counts.refused > 0 => info!(
                    "{}: stored {}, refused {}, series new or changed {}",
                    list.address, counts.stored, counts.refused, counts.series
                ),
                Ok(_) => {}
                Err(error) => error!("{}: {source}: {error}", list.address),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(context.config.ingest_interval) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}

pub(super) async fn demo(listen: &str, io: &mut Io) -> Result<u8> {
    crate::demo::run(listen, &mut io.output).await?;
    Ok(OK)
}
