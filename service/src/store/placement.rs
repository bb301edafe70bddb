//! Assembly's view of the database: the heads of a thread in, series and places out; part of a [`Batch`].

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use super::batch::Batch;
use super::sql::{Columns, clean, failed, json, signed, statements};
use super::{Result, jobs};
use crate::model::{
    JobKind, MailId, MailKind, Placed, ReviewState, SeriesDraft, SeriesId, StoredHead,
    StoredSeries, Timestamp,
};

statements! {
    DROP_PARTS = "DELETE FROM series_part WHERE series = $1";
    DROP_LISTS = "DELETE FROM series_list WHERE series = $1";
    UNPLACE = "UPDATE mail SET series = NULL WHERE series = $1";
    DROP_FINDINGS = "DELETE FROM finding WHERE series = $1";
    DROP_REVIEW_PATCHES = "DELETE FROM review_patch WHERE series = $1";
    DROP_REVIEW = "DELETE FROM review WHERE series = $1";
    DROP_AWAITED = "DELETE FROM awaited_patch WHERE series = $1";
    DROP_ALIASES = "DELETE FROM series_alias WHERE series = $1";
    DROP_SERIES = "DELETE FROM series WHERE id = $1";
    MOVE_ALIASES = "UPDATE series_alias SET series = $1 WHERE series = $2";
    PUT_ALIAS = "INSERT INTO series_alias (old, series) VALUES ($1, $2) ON CONFLICT (old) DO UPDATE SET series = excluded.series";
    MOVE_OUTBOX = "UPDATE outbox SET series = $1 WHERE series = $2";
}

/// Rows of one statement that writes or asks for many.
const CHUNK_ROWS: usize = 200;

/// What a series becomes when it is written again; a known one keeps its review while its input is the same.
const OVERWRITE_SERIES: &str = " ON CONFLICT (id) DO UPDATE SET thread = excluded.thread, state = excluded.state, \
    review = CASE WHEN series.input_digest = excluded.input_digest THEN series.review ELSE excluded.review END, \
    title = excluded.title, author_name = excluded.author_name, author_address = excluded.author_address, \
    version = excluded.version, fraction = excluded.fraction, total = excluded.total, received = excluded.received, \
    is_complete = excluded.is_complete, sent_at = excluded.sent_at, active_at = excluded.active_at, \
    cover = excluded.cover, supersedes = excluded.supersedes, base_commit = excluded.base_commit, \
    prefixes = excluded.prefixes, reasons = excluded.reasons, reply_count = excluded.reply_count, \
    assembly_digest = excluded.assembly_digest, input_digest = excluded.input_digest";

impl Batch {
    /// The heads of each thread, by row id.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`]; the batch is then of no use any more.
    pub async fn heads_of(
        &mut self,
        threads: &[MailId],
    ) -> Result<BTreeMap<MailId, Vec<StoredHead>>> {
        let mut heads: BTreeMap<MailId, Vec<StoredHead>> = BTreeMap::new();
        // A mail that every list took back has no place any more.
        let select = "SELECT m.thread, m.id, m.head, CAST(COUNT(*) * 1000000 + SUM(l.list) AS BIGINT), m.kind, \
            m.series, m.reason FROM mail m JOIN mail_list l ON l.mail = m.id WHERE m.thread IN (";
        for row in self
            .rows_of(select, threads, ") GROUP BY m.id ORDER BY m.id")
            .await?
        {
            let mut columns = Columns::new(&row);
            let thread = MailId(columns.take()?);
            heads.entry(thread).or_default().push(StoredHead {
                mail: MailId(columns.take()?),
                head: columns.take()?,
                lists_mark: columns.take()?,
                placed: Placed {
                    kind: columns.state("mail.kind", MailKind::parse)?,
                    series: columns.take::<Option<i64>>()?.map(SeriesId),
                    reason: columns.take()?,
                },
            });
        }
        Ok(heads)
    }

    /// The series that each thread has so far, by row id.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`]; the batch is then of no use any more.
    pub async fn series_of(
        &mut self,
        threads: &[MailId],
    ) -> Result<BTreeMap<MailId, Vec<StoredSeries>>> {
        let mut known: BTreeMap<MailId, Vec<StoredSeries>> = BTreeMap::new();
        let select = "SELECT s.thread, s.id, s.assembly_digest, s.input_digest, p.mail FROM series s \
            LEFT JOIN series_part p ON p.series = s.id AND p.is_own = 1 AND p.mail IS NOT NULL \
            WHERE s.thread IN (";
        for row in self
            .rows_of(select, threads, ") ORDER BY s.id, p.mail")
            .await?
        {
            let mut columns = Columns::new(&row);
            let thread = known.entry(MailId(columns.take()?)).or_default();
            let id = SeriesId(columns.take()?);
            if thread.last().is_none_or(|it| it.id != id) {
                thread.push(StoredSeries {
                    id,
                    mails: Vec::new(),
                    assembly_digest: columns.take()?,
                    input_digest: columns.take()?,
                });
            } else {
                columns.skip(2);
            }
            let mail: Option<i64> = columns.take()?;
            if let Some(series) = thread.last_mut() {
                series.mails.extend(mail.map(MailId));
            }
        }
        Ok(known)
    }

    async fn rows_of(
        &mut self,
        select: &'static str,
        threads: &[MailId],
        end: &'static str,
    ) -> Result<Vec<SqliteRow>> {
        let mut rows = Vec::new();
        for chunk in threads.chunks(CHUNK_ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(select);
            push_ids(&mut query, chunk.iter().map(|it| it.0));
            query.push(end);
            let mut found = query
                .build()
                .persistent(chunk.len() == CHUNK_ROWS)
                .fetch_all(&mut *self.transaction)
                .await
                .map_err(failed("reading threads"))?;
            rows.append(&mut found);
        }
        Ok(rows)
    }

    /// Ids for new series.
    pub async fn new_series_ids(&mut self, count: usize) -> Result<Vec<SeriesId>> {
        Ok(self
            .take_ids("series", count)
            .await?
            .map(|id| SeriesId(id.0))
            .collect())
    }

    /// Writes series, new or known; a known one keeps its review while its input is the same.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`]; the batch is then of no use any more.
    pub async fn put_series(&mut self, drafts: &[SeriesDraft]) -> Result<()> {
        for chunk in drafts.chunks(CHUNK_ROWS) {
            self.put_rows(chunk).await?;
            self.put_parts(chunk).await?;
            self.put_lists(chunk).await?;
        }
        Ok(())
    }

    async fn put_rows(&mut self, drafts: &[SeriesDraft]) -> Result<()> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO series (id, thread, state, review, title, author_name, author_address, version, fraction, total, \
             received, is_complete, sent_at, active_at, cover, supersedes, base_commit, prefixes, reasons, \
             reply_count, assembly_digest, input_digest) ",
        );
        query.push_values(drafts, |mut row, draft| {
            let mails = |is_wanted: fn(&u32) -> bool| {
                let parts = draft.parts.iter().filter(move |it| is_wanted(&it.number));
                parts.filter_map(|it| it.mail)
            };
            let reasons: Vec<String> = draft.reasons.iter().map(|it| clean(it)).collect();
            row.push_bind(draft.id.0)
                .push_bind(draft.thread.0)
                .push_bind(draft.state.as_str())
                .push_bind(ReviewState::Waiting.as_str())
                .push_bind(clean(&draft.title))
                .push_bind(clean(&draft.author.name))
                .push_bind(clean(&draft.author.address))
                .push_bind(i64::from(draft.version))
                .push_bind(draft.fraction.map(i64::from))
                .push_bind(i64::from(draft.total))
                .push_bind(signed(mails(|it| *it > 0).count() as u64))
                .push_bind(i64::from(draft.is_complete))
                .push_bind(draft.sent_at.0)
                .push_bind(draft.active_at.0)
                .push_bind(mails(|it| *it == 0).next().map(|it| it.0))
                .push_bind(draft.supersedes.map(|it| it.0))
                .push_bind(draft.base_commit.clone())
                .push_bind(json(&draft.prefixes))
                .push_bind(json(&reasons))
                .push_bind(i64::from(draft.reply_count))
                .push_bind(draft.assembly_digest.clone())
                .push_bind(draft.input_digest.clone());
        });
        query.push(OVERWRITE_SERIES);
        self.write_many(query, "storing series").await
    }

    async fn put_parts(&mut self, drafts: &[SeriesDraft]) -> Result<()> {
        self.delete_of("DELETE FROM series_part WHERE series IN (", drafts)
            .await?;
        let parts: Vec<_> = drafts
            .iter()
            .flat_map(|draft| draft.parts.iter().map(move |part| (draft.id, part)))
            .collect();
        for chunk in parts.chunks(CHUNK_ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO series_part (series, number, mail, version, is_own, title) ",
            );
            query.push_values(chunk, |mut row, (series, part)| {
                row.push_bind(series.0)
                    .push_bind(i64::from(part.number))
                    .push_bind(part.mail.map(|it| it.0))
                    .push_bind(i64::from(part.version))
                    .push_bind(i64::from(part.is_own))
                    .push_bind(clean(&part.title));
            });
            self.write_many(query, "storing parts").await?;
        }
        Ok(())
    }

    /// Writes the lists of series: those of their mails.
    async fn put_lists(&mut self, drafts: &[SeriesDraft]) -> Result<()> {
        self.delete_of("DELETE FROM series_list WHERE series IN (", drafts)
            .await?;
        let carriers: Vec<_> = drafts
            .iter()
            .flat_map(|draft| draft.carriers.iter().map(move |mail| (draft.id, mail)))
            .collect();
        for chunk in carriers.chunks(CHUNK_ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("WITH carrier (series, mail) AS (");
            query.push_values(chunk, |mut row, (series, mail)| {
                row.push_bind(series.0).push_bind(mail.0);
            });
            // `WHERE true` tells the conflict clause from the join's own ON.
            query.push(
                ") INSERT INTO series_list (series, list) SELECT DISTINCT carrier.series, l.list FROM carrier \
                 JOIN mail_list l ON l.mail = carrier.mail WHERE true ON CONFLICT (series, list) DO NOTHING",
            );
            self.write_many(query, "storing the lists of series")
                .await?;
        }
        Ok(())
    }

    async fn delete_of(&mut self, statement: &'static str, drafts: &[SeriesDraft]) -> Result<()> {
        let mut query = QueryBuilder::<Sqlite>::new(statement);
        push_ids(&mut query, drafts.iter().map(|it| it.id.0));
        query.push(")");
        self.write_many(query, "replacing series").await
    }

    async fn write_many(
        &mut self,
        mut query: QueryBuilder<Sqlite>,
        doing: &'static str,
    ) -> Result<()> {
        query
            .build()
            .persistent(false)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(doing))?;
        Ok(())
    }

    /// Removes a series that is no more; links and replies follow to `heir` where there is one.
    pub async fn drop_series(&mut self, id: SeriesId, heir: Option<SeriesId>) -> Result<()> {
        for statement in [
            UNPLACE,
            DROP_FINDINGS,
            DROP_REVIEW_PATCHES,
            DROP_REVIEW,
            DROP_AWAITED,
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
        for chunk in mails.chunks(CHUNK_ROWS) {
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
                .persistent(chunk.len() == CHUNK_ROWS)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("placing mails"))?;
        }
        Ok(())
    }

    /// Enqueues the lint of series in the transaction that changed them.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`]; the batch is then of no use any more.
    pub async fn enqueue_lints(&mut self, series: &[(SeriesId, Timestamp)]) -> Result<()> {
        for (series, due_at) in series {
            jobs::enqueue_in(
                &mut self.transaction,
                JobKind::LintSeries,
                &series.to_string(),
                *due_at,
            )
            .await?;
        }
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

fn push_ids(query: &mut QueryBuilder<Sqlite>, ids: impl Iterator<Item = i64>) {
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
}
