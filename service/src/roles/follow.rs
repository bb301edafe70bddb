//! Waiting, and being told to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Returns when the process gets SIGINT or SIGTERM.
async fn told_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process by itself.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Becomes true when the process is told to stop.
pub(super) fn stop_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        told_to_stop().await;
        tracing::info!("stopping");
        // Nobody listens when everything has ended already.
        let _ = sender.send(true);
    });
    receiver
}

/// Returns when `stop` says so.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the process.
    stop.wait_for(|it| *it).await.ok();
}

/// Returns when `stop` says so; never without one.
pub(super) async fn stopped_if(stop: Option<watch::Receiver<bool>>) {
    match stop {
        Some(stop) => stopped(stop).await,
        None => std::future::pending().await,
    }
}
