//! Assembly's view of the database: the heads of a thread in, series and places out; part of a [`Batch`].

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Sqlite};

use super::batch::Batch;
use super::sql::{Columns, clean, failed, json, signed, statements};
use super::{Result, jobs};
use crate::model::{
    JobKind, MailId, MailKind, Placed, ReviewState, SeriesDraft, SeriesId, StoredHead,
    StoredSeries, Timestamp,
};

statements! {
    // A mail that every list took back has no place any more.
    HEADS = "SELECT m.id, m.head, (SELECT CAST(COUNT(*) * 1000000 + SUM(l.list) AS BIGINT) FROM mail_list l \
        WHERE l.mail = m.id), m.kind, m.series, m.reason FROM mail m WHERE m.thread = $1 \
        AND EXISTS (SELECT 1 FROM mail_list l WHERE l.mail = m.id) ORDER BY m.id";
    SERIES_OF_THREAD = "SELECT id, assembly_digest, input_digest FROM series WHERE thread = $1 ORDER BY id";
    PARTS_OF_THREAD = "SELECT p.series, p.mail FROM series_part p JOIN series s ON s.id = p.series \
        WHERE s.thread = $1 AND p.mail IS NOT NULL AND p.version = s.version ORDER BY p.series, p.mail";
    PUT_SERIES = "INSERT INTO series (id, thread, state, review, title, author_name, author_address, version, \
        total, received, is_complete, sent_at, active_at, cover, supersedes, base_commit, prefixes, reasons, \
        reply_count, assembly_digest, input_digest) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
        ON CONFLICT (id) DO UPDATE SET thread = excluded.thread, state = excluded.state, \
        review = CASE WHEN series.input_digest = excluded.input_digest THEN series.review ELSE excluded.review END, \
        title = excluded.title, author_name = excluded.author_name, author_address = excluded.author_address, \
        version = excluded.version, total = excluded.total, received = excluded.received, \
        is_complete = excluded.is_complete, sent_at = excluded.sent_at, active_at = excluded.active_at, \
        cover = excluded.cover, supersedes = excluded.supersedes, base_commit = excluded.base_commit, \
        prefixes = excluded.prefixes, reasons = excluded.reasons, reply_count = excluded.reply_count, \
        assembly_digest = excluded.assembly_digest, input_digest = excluded.input_digest";
    DROP_PARTS = "DELETE FROM series_part WHERE series = $1";
    PUT_PART = "INSERT INTO series_part (series, number, mail, version, title) VALUES ($1, $2, $3, $4, $5)";
    DROP_LISTS = "DELETE FROM series_list WHERE series = $1";
    PUT_LISTS = "INSERT INTO series_list (series, list) SELECT $1, list FROM mail_list WHERE mail = $2 \
        ON CONFLICT (series, list) DO NOTHING";
    UNPLACE = "UPDATE mail SET series = NULL WHERE series = $1";
    DROP_FINDINGS = "DELETE FROM finding WHERE series = $1";
    DROP_REVIEW_PATCHES = "DELETE FROM review_patch WHERE series = $1";
    DROP_REVIEW = "DELETE FROM review WHERE series = $1";
    DROP_ALIASES = "DELETE FROM series_alias WHERE series = $1";
    DROP_SERIES = "DELETE FROM series WHERE id = $1";
    MOVE_ALIASES = "UPDATE series_alias SET series = $1 WHERE series = $2";
    PUT_ALIAS = "INSERT INTO series_alias (old, series) VALUES ($1, $2) ON CONFLICT (old) DO UPDATE SET series = excluded.series";
    MOVE_OUTBOX = "UPDATE outbox SET series = $1 WHERE series = $2";
}

/// Places of one statement.
const CHUNK_PLACES: usize = 200;

impl Batch {
    /// The heads of a thread, by row id.
    pub async fn heads(&mut self, thread: MailId) -> Result<Vec<StoredHead>> {
        let rows = sqlx::query(HEADS)
            .bind(thread.0)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("reading a thread"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok(StoredHead {
                    mail: MailId(columns.take()?),
                    head: columns.take()?,
                    lists_mark: columns.take()?,
                    placed: Placed {
                        kind: columns.state("mail.kind", MailKind::parse)?,
                        series: columns.take::<Option<i64>>()?.map(SeriesId),
                        reason: columns.take()?,
                    },
                })
            })
            .collect()
    }

    /// The series that a thread has so far, by row id.
    pub async fn series_of(&mut self, thread: MailId) -> Result<Vec<StoredSeries>> {
        let rows = sqlx::query(SERIES_OF_THREAD)
            .bind(thread.0)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("reading a thread's series"))?;
        let mut series = BTreeMap::new();
        for row in &rows {
            let mut columns = Columns::new(row);
            let id = SeriesId(columns.take()?);
            let known = StoredSeries {
                id,
                mails: Vec::new(),
                assembly_digest: columns.take()?,
                input_digest: columns.take()?,
            };
            series.insert(id, known);
        }
        if series.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(PARTS_OF_THREAD)
            .bind(thread.0)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("reading a thread's parts"))?;
        for row in &rows {
            let mut columns = Columns::new(row);
            if let Some(owner) = series.get_mut(&SeriesId(columns.take()?)) {
                owner.mails.push(MailId(columns.take()?));
            }
        }
        Ok(series.into_values().collect())
    }

    /// Ids for new series.
    pub async fn new_series_ids(&mut self, count: usize) -> Result<Vec<SeriesId>> {
        Ok(self
            .take_ids("series", count)
            .await?
            .map(|id| SeriesId(id.0))
            .collect())
    }

    /// Writes a series, new or known; a known one keeps its review while its input is the same.
    pub async fn put_series(&mut self, draft: &SeriesDraft) -> Result<()> {
        let cover = draft
            .parts
            .iter()
            .find(|it| it.number == 0)
            .and_then(|it| it.mail);
        let received = draft
            .parts
            .iter()
            .filter(|it| it.number > 0 && it.mail.is_some())
            .count();
        let reasons: Vec<String> = draft.reasons.iter().map(|it| clean(it)).collect();
        sqlx::query(PUT_SERIES)
            .bind(draft.id.0)
            .bind(draft.thread.0)
            .bind(draft.state.as_str())
            .bind(ReviewState::Waiting.as_str())
            .bind(clean(&draft.title))
            .bind(clean(&draft.author.name))
            .bind(clean(&draft.author.address))
            .bind(i64::from(draft.version))
            .bind(i64::from(draft.total))
            .bind(signed(received as u64))
            .bind(i64::from(draft.is_complete))
            .bind(draft.sent_at.0)
            .bind(draft.active_at.0)
            .bind(cover.map(|it| it.0))
            .bind(draft.supersedes.map(|it| it.0))
            .bind(draft.base_commit.clone())
            .bind(json(&draft.prefixes))
            .bind(json(&reasons))
            .bind(i64::from(draft.reply_count))
            .bind(draft.assembly_digest.clone())
            .bind(draft.input_digest.clone())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("storing a series"))?;
        self.run(DROP_PARTS, draft.id).await?;
        for part in &draft.parts {
            sqlx::query(PUT_PART)
                .bind(draft.id.0)
                .bind(i64::from(part.number))
                .bind(part.mail.map(|it| it.0))
                .bind(i64::from(part.version))
                .bind(clean(&part.title))
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("storing a part"))?;
        }
        self.put_lists(draft.id, &draft.carriers).await
    }

    /// Writes the lists of a series: those of its mails.
    pub async fn put_lists(&mut self, series: SeriesId, carriers: &[MailId]) -> Result<()> {
        self.run(DROP_LISTS, series).await?;
        for mail in carriers {
            sqlx::query(PUT_LISTS)
                .bind(series.0)
                .bind(mail.0)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("storing a series' lists"))?;
        }
        Ok(())
    }

    /// Removes a series that is no more; links and replies follow to `heir` where there is one.
    pub async fn drop_series(&mut self, id: SeriesId, heir: Option<SeriesId>) -> Result<()> {
        for statement in [
            UNPLACE,
            DROP_FINDINGS,
            DROP_REVIEW_PATCHES,
            DROP_REVIEW,
            DROP_PARTS,
            DROP_LISTS,
            DROP_SERIES,
        ] {
            self.run(statement, id).await?;
        }
        let Some(heir) = heir else {
            return self.run(DROP_ALIASES, id).await;
        };
        for (statement, first, second) in [
            (MOVE_ALIASES, heir, id),
            (PUT_ALIAS, id, heir),
            (MOVE_OUTBOX, heir, id),
        ] {
            sqlx::query(statement)
                .bind(first.0)
                .bind(second.0)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("forwarding a series"))?;
        }
        Ok(())
    }

    /// Says what mails are and where they belong.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`]; the batch is then of no use any more.
    pub async fn place(&mut self, mails: &[(MailId, Placed)]) -> Result<()> {
        for chunk in mails.chunks(CHUNK_PLACES) {
            let mut query =
                QueryBuilder::<Sqlite>::new("WITH placed (id, kind, series, reason) AS (");
            query.push_values(chunk, |mut row, (mail, placed)| {
                row.push_bind(mail.0)
                    .push_bind(placed.kind.as_str())
                    .push("CAST(")
                    .push_bind_unseparated(placed.series.map(|it| it.0))
                    .push_unseparated(" AS BIGINT)")
                    .push_bind(clean(&placed.reason));
            });
            query.push(
                ") UPDATE mail SET kind = placed.kind, series = placed.series, reason = placed.reason \
                 FROM placed WHERE mail.id = placed.id",
            );
            query
                .build()
                .persistent(chunk.len() == CHUNK_PLACES)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("placing mails"))?;
        }
        Ok(())
    }

    /// Enqueues the lint of a series in the transaction that changed it.
    pub async fn enqueue_lint(&mut self, series: SeriesId, due_at: Timestamp) -> Result<()> {
        jobs::enqueue_in(
            &mut self.transaction,
            JobKind::LintSeries,
            &series.to_string(),
            due_at,
        )
        .await?;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str, series: SeriesId) -> Result<()> {
        sqlx::query(statement)
            .bind(series.0)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("replacing a series"))?;
        Ok(())
    }
}
