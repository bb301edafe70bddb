//! Sends one approved reply, at most once: it is marked before the mail server sees it.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tracing::info;

use super::Context;
use crate::model::{OutboxId, OutboxState};
use crate::outbox::{Outgoing, SendError};

pub(super) async fn run(context: &Arc<Context>, id: OutboxId) -> anyhow::Result<()> {
    let Some(item) = context.store.outbox_item(id).await? else {
        return Ok(());
    };
    if item.entry.state != OutboxState::Approved {
        return Ok(());
    }
    let Some(bot) = context
        .config
        .bot
        .as_ref()
        .filter(|_| context.sender.is_some())
    else {
        // It stays approved; it goes out when a transport is configured and the service starts again.
        info!(
            outbox.id = id.0,
            "reply {id} is approved, but no way out is configured"
        );
        return Ok(());
    };
    let mail = match Outgoing::of(item, bot.from.clone()) {
        Ok(mail) => mail,
        Err(reason) => {
            let step = (OutboxState::Approved, OutboxState::Failed);
            context.store.move_reply(id, step, &reason, None).await?;
            return Ok(());
        }
    };
    let step = (OutboxState::Approved, OutboxState::Sending);
    if !context
        .store
        .move_reply(id, step, "handed to the mail server", None)
        .await?
    {
        return Ok(());
    }
    let shared = Arc::clone(context);
    let sent = tokio::task::spawn_blocking(move || {
        shared
            .sender
            .as_ref()
            .map_or(Ok(()), |sender| sender.send(&mail))
    })
    .await
    .context("sending a reply")?;
    let (state, reason, sent_at) = match &sent {
        Ok(()) => (OutboxState::Sent, "sent".to_owned(), Some(context.now())),
        Err(error @ SendError::Temporary(_)) => (OutboxState::Approved, error.to_string(), None),
        Err(error @ SendError::Permanent(_)) => (OutboxState::Failed, error.to_string(), None),
        Err(error @ SendError::Unknown(_)) => (OutboxState::Sending, error.to_string(), None),
    };
    context
        .store
        .move_reply(id, (OutboxState::Sending, state), &reason, sent_at)
        .await?;
    match sent {
        Ok(()) => {
            info!(outbox.id = id.0, "sent reply {id}");
            Ok(())
        }
        // Only this one may be tried again.
        Err(SendError::Temporary(reason)) => Err(anyhow!(reason)),
        Err(_) => Ok(()),
    }
}
