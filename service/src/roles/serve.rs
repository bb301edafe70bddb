//! `serve` and `demo`: the roles of one process, started together and stopped in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info};

use super::args::Role;
use super::{Io, OK, Setup, follow, now, work};
use crate::ingest::{Access, Run, SourceSpec};
use crate::jobs::{self, Context};
use crate::model::JobKind;
use crate::store::Store;

/// How long a source that can tell of new mail is listened to before it is opened anew.
const IDLE_WAIT: Duration = Duration::from_mins(20);

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
            for source in &list.sources {
                tasks.spawn(follow_source(
                    Arc::clone(&context),
                    (list.address.clone(), source.clone()),
                    stop.clone(),
                ));
            }
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
    let inbox = crate::ingest::http::router(store.clone(), now);
    let app = crate::web::App::new(store, now);
    axum::serve(listener, crate::web::router(app).merge(inbox))
        .with_graceful_shutdown(follow::stopped(stop))
        .await
        .context("serving the dashboard")
}

/// Reads a source again and again; one that fails is logged, tried again later, and does not stop the others.
async fn follow_source(
    context: Arc<Context>,
    (list, source): (String, SourceSpec),
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let access = Access {
        wait: Some(IDLE_WAIT),
        ..context.config.access.clone()
    };
    let run = Run {
        list: &list,
        source: &source,
        access: &access,
        clock: &now,
    };
    while !*stop.borrow() {
        // A run that is dropped loses the step at hand, which is read again.
        let ended = tokio::select! {
            ended = run.run(&context.store, |_| {}) => ended,
            _ = stop.changed() => break,
        };
        match ended {
            Ok(counts) if counts.stored > 0 || counts.refused > 0 => info!(
                "{list}: stored {}, refused {}, series new or changed {}",
                counts.stored, counts.refused, counts.series
            ),
            Ok(_) => {}
            Err(error) => error!("{list}: {source}: {error}"),
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
