//! The outbox: replies that wait, that may go, and that went.

use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

use super::series::{bounded, page_of};
use super::sql::{Columns, clean, failed, json, statements};
use super::{Result, Store, StoreError, jobs};
use crate::model::{
    Cursor, JobKind, OutboxDraft, OutboxEntry, OutboxId, OutboxItem, OutboxState, Page,
    PageRequest, SeriesId, Timestamp,
};

statements! {
    INSERT = "INSERT INTO outbox (message_id, series, list, in_reply_to, recipients, cc, subject, raw, state, reason, \
        created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (message_id) DO NOTHING RETURNING id";
    LIST = "SELECT id, series, list, state, reason, subject, recipients, created_at, sent_at FROM outbox \
        WHERE (CAST($1 AS BIGINT) IS NULL OR id < $1) AND (CAST($2 AS TEXT) IS NULL OR state = $2) \
        ORDER BY id DESC LIMIT $3";
    OF_SERIES = "SELECT id, series, list, state, reason, subject, recipients, created_at, sent_at FROM outbox \
        WHERE series = $1 ORDER BY id";
    ITEM = "SELECT id, series, list, state, reason, subject, recipients, created_at, sent_at, message_id, in_reply_to, \
        cc, raw FROM outbox WHERE id = $1";
    STATE = "SELECT state FROM outbox WHERE id = $1";
    MOVE = "UPDATE outbox SET state = $1, reason = $2, sent_at = $3 WHERE id = $4 AND state = $5";
    APPROVED = "SELECT id FROM outbox WHERE state = $1 ORDER BY id";
    SENT_SINCE = "SELECT COUNT(*) FROM outbox WHERE list = $1 AND sent_at >= $2";
}

/// Adds a reply unless it is known; what may go is enqueued at once.
async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    draft: &OutboxDraft,
    now: Timestamp,
) -> Result<()> {
    let id: Option<i64> = sqlx::query_scalar(INSERT)
        .bind(clean(&draft.message_id))
        .bind(draft.series.0)
        .bind(clean(&draft.list))
        .bind(clean(&draft.in_reply_to))
        .bind(json(&draft.to))
        .bind(json(&draft.cc))
        .bind(clean(&draft.subject))
        .bind(clean(&draft.raw))
        .bind(draft.state.as_str())
        .bind(clean(&draft.reason))
        .bind(now.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed("storing a reply"))?;
    if let (Some(id), OutboxState::Approved) = (id, draft.state) {
        jobs::enqueue_in(transaction, JobKind::SendReply, &id.to_string(), now).await?;
    }
    Ok(())
}

fn entry(columns: &mut Columns<'_>) -> Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: OutboxId(columns.take()?),
        series: SeriesId(columns.take()?),
        list: columns.take()?,
        state: columns.state("outbox.state", OutboxState::parse)?,
        reason: columns.take()?,
        subject: columns.take()?,
        to: columns.json("outbox.recipients")?,
        created_at: columns.time()?,
        sent_at: columns.take::<Option<i64>>()?.map(Timestamp),
    })
}

fn entries(rows: &[SqliteRow]) -> Result<Vec<OutboxEntry>> {
    rows.iter()
        .map(|row| entry(&mut Columns::new(row)))
        .collect()
}

impl Store {
    /// Replies, newest first; all states where `state` is `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn outbox_list(
        &self,
        state: Option<OutboxState>,
        page: PageRequest,
    ) -> Result<Page<OutboxEntry>> {
        let limit = bounded(page);
        let rows = sqlx::query(LIST)
            .bind(page.after.map(|it| it.id))
            .bind(state.map(OutboxState::as_str))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("listing the outbox"))?;
        Ok(page_of(entries(&rows)?, limit, |it| Cursor {
            key: it.created_at.0,
            id: it.id.0,
        }))
    }

    pub(super) async fn outbox_of(&self, series: SeriesId) -> Result<Vec<OutboxEntry>> {
        let rows = sqlx::query(OF_SERIES)
            .bind(series.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a series' replies"))?;
        entries(&rows)
    }

    /// One reply; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn outbox_item(&self, id: OutboxId) -> Result<Option<OutboxItem>> {
        let row = sqlx::query(ITEM)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a reply"))?;
        row.map(|row| {
            let mut columns = Columns::new(&row);
            Ok(OutboxItem {
                entry: entry(&mut columns)?,
                message_id: columns.take()?,
                in_reply_to: columns.take()?,
                cc: columns.json("outbox.cc")?,
                raw: columns.take()?,
            })
        })
        .transpose()
    }

    /// Adds replies; one whose message id is known already stays as it is, so composing again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when none of them was stored.
    pub async fn put_replies(&self, drafts: &[OutboxDraft], now: Timestamp) -> Result<()> {
        let mut transaction = self.write().await?;
        for draft in drafts {
            insert(&mut transaction, draft, now).await?;
        }
        transaction
            .commit()
            .await
            .map_err(failed("storing replies"))
    }

    /// Lets a pending reply go out.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] and [`StoreError::WrongState`] where there is nothing to approve.
    pub async fn approve_reply(&self, id: OutboxId, by: &str, now: Timestamp) -> Result<()> {
        let reason = format!("approved by {by}");
        self.decide(id, OutboxState::Approved, &reason, Some(now))
            .await
    }

    /// Decides against a pending reply.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] and [`StoreError::WrongState`] where there is nothing to reject.
    pub async fn reject_reply(&self, id: OutboxId, by: &str) -> Result<()> {
        let reason = format!("rejected by {by}");
        self.decide(id, OutboxState::Rejected, &reason, None).await
    }

    async fn decide(
        &self,
        id: OutboxId,
        to: OutboxState,
        reason: &str,
        send_at: Option<Timestamp>,
    ) -> Result<()> {
        let doing = "deciding about a reply";
        let mut transaction = self.write().await?;
        let state: Option<String> = sqlx::query_scalar(STATE)
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        let state = state.ok_or(StoreError::NotFound {
            what: "outbox item",
            id: id.to_string(),
        })?;
        let done = sqlx::query(MOVE)
            .bind(to.as_str())
            .bind(clean(reason))
            .bind(None::<i64>)
            .bind(id.0)
            .bind(OutboxState::Pending.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        if done.rows_affected() != 1 {
            let wanted = OutboxState::Pending.as_str();
            return Err(StoreError::WrongState {
                what: "outbox item",
                id: id.0,
                state,
                wanted,
            });
        }
        if let Some(at) = send_at {
            jobs::enqueue_in(&mut transaction, JobKind::SendReply, &id.to_string(), at).await?;
        }
        transaction.commit().await.map_err(failed(doing))
    }

    /// Moves a reply from one state to another; `false` when it is not in the first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub async fn move_reply(
        &self,
        id: OutboxId,
        (from, to): (OutboxState, OutboxState),
        reason: &str,
        sent_at: Option<Timestamp>,
    ) -> Result<bool> {
        let done = sqlx::query(MOVE)
            .bind(to.as_str())
            .bind(clean(reason))
            .bind(sent_at.map(|it| it.0))
            .bind(id.0)
            .bind(from.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("moving a reply"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Enqueues every approved reply: there may have been no way out when it was approved.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub async fn enqueue_approved(&self, now: Timestamp) -> Result<()> {
        let doing = "enqueueing approved replies";
        let mut transaction = self.write().await?;
        let ids: Vec<i64> = sqlx::query_scalar(APPROVED)
            .bind(OutboxState::Approved.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        for id in ids {
            jobs::enqueue_in(&mut transaction, JobKind::SendReply, &id.to_string(), now).await?;
        }
        transaction.commit().await.map_err(failed(doing))
    }

    /// How many replies went out on a list since a moment, for the daily limit.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn replies_since(&self, list: &str, since: Timestamp) -> Result<u64> {
        let row = sqlx::query(SENT_SINCE)
            .bind(list.to_owned())
            .bind(since.0)
            .fetch_one(&self.readers)
            .await
            .map_err(failed("counting sent replies"))?;
        Columns::new(&row).number()
    }
}
