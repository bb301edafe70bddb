//! One step of ingest as one transaction: mails, refusals, removals, threads, and the source's position.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, QueryBuilder, Sqlite, Transaction, Type};

use super::sql::{Columns, clean, failed, signed, statements};
use super::{Result, Store, StoreError};
use crate::model::{IngestCounts, ListId, MailDraft, MailId, MailKind, SourceStep, Timestamp};

statements! {
    TAKE_IDS = "UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value";
    ENSURE_LIST = "INSERT INTO list (address, policy) VALUES ($1, $2) ON CONFLICT (address) DO NOTHING";
    LIST_ID = "SELECT id FROM list WHERE address = $1";
    POSITION = "SELECT position FROM source WHERE list = $1 AND name = $2";
    MOVE_POSITION = "INSERT INTO source (list, name, position, moved_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (list, name) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at";
    INSERT_REFUSAL = "INSERT INTO refusal (list, raw_hash, source, place, reason, size_bytes, raw, refused_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (list, raw_hash) DO NOTHING";
    FIND_MAIL = "SELECT id, thread FROM mail WHERE raw_hash = $1";
    REMOVE_FROM_LIST = "DELETE FROM mail_list WHERE mail = $1 AND list = $2";
    RELABEL_MAILS = "UPDATE mail SET thread = $1 WHERE thread = $2";
    RELABEL_SERIES = "UPDATE series SET thread = $1 WHERE thread = $2";
}

/// Rows of one statement that names many values: far below the limits of both databases. Only statements of a full
/// chunk are kept prepared: the last chunk of each batch has another length, and a statement of 5,000 values is large.
const CHUNK_ROWS: usize = 400;

/// Bodies of one statement, and their bytes: the statement holds a copy of each.
const CHUNK_BODIES: usize = 50;
const CHUNK_BODY_BYTES: usize = 1 << 20;

/// How many of the next mails have their bodies stored together; at least one.
fn body_chunk(mails: &[(MailId, &MailDraft)]) -> usize {
    let mut size = 0;
    let fitting = mails.iter().take(CHUNK_BODIES).take_while(|(_, mail)| {
        size += mail.raw.len();
        size <= CHUNK_BODY_BYTES
    });
    fitting.count().max(1)
}

/// A write transaction of ingest; dropped without [`Batch::commit`] it leaves nothing behind.
pub struct Batch {
    pub(super) transaction: Transaction<'static, Sqlite>,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// `read`, `stored`, `known`, `refused` and `skipped` of the step.
    pub counts: IngestCounts,
    /// The threads whose assembly may have changed, sorted.
    pub threads: Vec<MailId>,
}

impl Store {
    /// Begins a write transaction of ingest.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when another process holds the lock for too long.
    pub async fn batch(&self) -> Result<Batch> {
        Ok(Batch {
            transaction: self.write().await?,
        })
    }
}

impl Batch {
    /// Makes everything of this batch lasting, all at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when nothing of it was stored.
    pub async fn commit(self) -> Result<()> {
        self.transaction
            .commit()
            .await
            .map_err(failed("committing a batch"))
    }

    /// The list with this address, which begins to exist here if need be; `policy` counts for a new one only.
    pub async fn ensure_list(
        &mut self,
        address: &str,
        policy: crate::model::ListPolicy,
    ) -> Result<ListId> {
        let address = clean(&address.to_lowercase());
        sqlx::query(ENSURE_LIST)
            .bind(address.clone())
            .bind(policy.as_str())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("adding a list"))?;
        sqlx::query_scalar(LIST_ID)
            .bind(address)
            .fetch_one(&mut *self.transaction)
            .await
            .map(ListId)
            .map_err(failed("finding a list"))
    }

    /// Where the last run of this source ended; `None` before the first.
    pub async fn position(&mut self, list: ListId, source: &str) -> Result<Option<String>> {
        sqlx::query_scalar(POSITION)
            .bind(list.0)
            .bind(source.to_owned())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed("reading a source's position"))
    }

    /// Stores a step; what is known already stays as it is, but is now on this list as well.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the batch is then of no use any more.
    pub async fn store_step(
        &mut self,
        list: ListId,
        source: &str,
        step: &SourceStep,
        now: Timestamp,
    ) -> Result<Stored> {
        let mut stored = Stored::default();
        let mut touched = BTreeSet::new();
        let known = self.known_mails(&step.mails).await?;
        let mut seen: BTreeMap<&str, MailId> = BTreeMap::new();
        let mut fresh = Vec::new();
        let mut on_list = Vec::new();
        let ids = self.take_ids("mail", step.mails.len()).await?;
        for (mail, id) in step.mails.iter().zip(ids) {
            stored.counts.read += 1;
            if let Some((id, thread)) = known.get(&mail.raw_hash) {
                stored.counts.known += 1;
                on_list.push((*id, &mail.place, Some(*thread)));
            } else if let Some(id) = seen.get(mail.raw_hash.as_str()) {
                stored.counts.known += 1;
                on_list.push((*id, &mail.place, None));
            } else {
                stored.counts.stored += 1;
                seen.insert(&mail.raw_hash, id);
                fresh.push((id, mail));
                on_list.push((id, &mail.place, None));
            }
        }
        let threads = self.join_threads(&fresh, &mut touched).await?;
        self.insert_mails(&fresh, &threads).await?;
        let joined = self.insert_on_list(list, source, &on_list).await?;
        touched.extend(joined);
        self.insert_keys(&fresh).await?;
        stored.counts.refused = self.refuse(list, source, step, now).await?;
        stored.counts.read += step.refusals.len() as u64;
        for hash in &step.removals {
            touched.extend(self.remove(list, hash).await?);
            stored.counts.skipped += 1;
        }
        if let Some(position) = &step.position {
            self.move_position(list, source, position, now).await?;
        }
        stored.threads = touched.into_iter().map(MailId).collect();
        Ok(stored)
    }

    /// Gives out `count` ids in a row; they are never given out again.
    pub(super) async fn take_ids(
        &mut self,
        counter: &'static str,
        count: usize,
    ) -> Result<impl Iterator<Item = MailId> + use<>> {
        let count = signed(count as u64);
        let last: i64 = sqlx::query_scalar(TAKE_IDS)
            .bind(count)
            .bind(counter)
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed("taking ids"))?;
        Ok((last - count + 1..=last).map(MailId))
    }

    async fn known_mails(&mut self, mails: &[MailDraft]) -> Result<HashMap<String, (MailId, i64)>> {
        let select = "SELECT raw_hash, id, thread FROM mail WHERE raw_hash IN (";
        let hash = |mail: &MailDraft| mail.raw_hash.clone();
        let doing = "looking for known mails";
        let mut known = HashMap::new();
        for row in self.select_among(select, mails, hash, doing).await? {
            let mut columns = Columns::new(&row);
            known.insert(columns.take()?, (MailId(columns.take()?), columns.take()?));
        }
        Ok(known)
    }

    /// Finds the thread of each new mail and joins the threads that it connects.
    ///
    /// Returns the threads in the order of `fresh` and adds all threads in which something changed to `touched`.
    async fn join_threads(
        &mut self,
        fresh: &[(MailId, &MailDraft)],
        touched: &mut BTreeSet<i64>,
    ) -> Result<Vec<i64>> {
        let stored = self.threads_of_keys(fresh).await?;
        let mut sets = ThreadSets::default();
        let mut owners: HashMap<[u8; 16], i64> = HashMap::new();
        for (id, mail) in fresh {
            for key in &mail.keys {
                let other = *owners
                    .entry(*key)
                    .or_insert_with(|| stored.get(key).copied().unwrap_or(id.0));
                sets.join(id.0, other);
            }
        }
        let mut old: Vec<i64> = stored.values().copied().collect();
        old.sort_unstable();
        old.dedup();
        for thread in old {
            let root = sets.root(thread);
            if root != thread {
                for statement in [RELABEL_MAILS, RELABEL_SERIES] {
                    sqlx::query(statement)
                        .bind(root)
                        .bind(thread)
                        .execute(&mut *self.transaction)
                        .await
                        .map_err(failed("joining threads"))?;
                }
            }
        }
        let threads: Vec<i64> = fresh.iter().map(|(id, _)| sets.root(id.0)).collect();
        touched.extend(&threads);
        Ok(threads)
    }

    async fn threads_of_keys(
        &mut self,
        fresh: &[(MailId, &MailDraft)],
    ) -> Result<HashMap<[u8; 16], i64>> {
        let keys: BTreeSet<[u8; 16]> = fresh
            .iter()
            .flat_map(|(_, mail)| mail.keys.iter().copied())
            .collect();
        let keys: Vec<[u8; 16]> = keys.into_iter().collect();
        let select = "SELECT k.hash, m.thread FROM mail_key k JOIN mail m ON m.id = k.mail WHERE k.hash IN (";
        let key = |key: &[u8; 16]| key.to_vec();
        let mut threads = HashMap::new();
        for row in self
            .select_among(select, &keys, key, "looking for threads")
            .await?
        {
            let mut columns = Columns::new(&row);
            let hash: Vec<u8> = columns.take()?;
            if let Ok(hash) = <[u8; 16]>::try_from(hash) {
                threads.insert(hash, columns.take()?);
            }
        }
        Ok(threads)
    }

    /// The rows of `select`, which ends in `IN (`, for the values that `items` have.
    async fn select_among<T, V>(
        &mut self,
        select: &'static str,
        items: &[T],
        value: impl Fn(&T) -> V,
        doing: &'static str,
    ) -> Result<Vec<SqliteRow>>
    where
        V: for<'q> Encode<'q, Sqlite> + Type<Sqlite>,
    {
        let mut rows = Vec::new();
        for chunk in items.chunks(CHUNK_ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(select);
            let mut list = query.separated(", ");
            for item in chunk {
                list.push_bind(value(item));
            }
            query.push(")");
            let found = query
                .build()
                .persistent(chunk.len() == CHUNK_ROWS)
                .fetch_all(&mut *self.transaction)
                .await;
            rows.append(&mut found.map_err(failed(doing))?);
        }
        Ok(rows)
    }

    /// Writes one row for each of `items`; the statement is kept where it is `is_common`.
    async fn insert<T>(
        &mut self,
        (insert, conflict): (&'static str, &'static str),
        items: &[T],
        is_common: bool,
        row: impl FnMut(Separated<'_, Sqlite, &'static str>, &T),
    ) -> Result<Vec<SqliteRow>> {
        let mut query = QueryBuilder::<Sqlite>::new(insert);
        query.push_values(items, row);
        query.push(conflict);
        query
            .build()
            .persistent(is_common)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("storing mails"))
    }

    async fn insert_mails(
        &mut self,
        fresh: &[(MailId, &MailDraft)],
        threads: &[i64],
    ) -> Result<()> {
        let into = "INSERT INTO mail (id, raw_hash, message_id, parent, subject, from_name, from_address, \
            sent_at, size_bytes, head, thread, kind, reason) ";
        let rows: Vec<_> = fresh.iter().zip(threads).collect();
        for chunk in rows.chunks(CHUNK_ROWS) {
            let is_common = chunk.len() == CHUNK_ROWS;
            self.insert(
                (into, ""),
                chunk,
                is_common,
                |mut row, ((id, mail), thread)| {
                    row.push_bind(id.0)
                        .push_bind(mail.raw_hash.clone())
                        .push_bind(clean(&mail.message_id))
                        .push_bind(mail.parent.as_deref().map(clean))
                        .push_bind(clean(&mail.subject))
                        .push_bind(clean(&mail.from.name))
                        .push_bind(clean(&mail.from.address))
                        .push_bind(mail.sent_at.0)
                        .push_bind(signed(mail.raw.len() as u64))
                        .push_bind(mail.head.clone())
                        .push_bind(**thread)
                        .push_bind(MailKind::Other.as_str())
                        .push_bind("");
                },
            )
            .await?;
        }
        let into = "INSERT INTO mail_body (mail, raw, text, diff) ";
        let mut rest = fresh;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(body_chunk(rest));
            rest = later;
            let is_common = chunk.len() == CHUNK_BODIES;
            self.insert((into, ""), chunk, is_common, |mut row, (id, mail)| {
                row.push_bind(id.0)
                    .push_bind(mail.raw.clone())
                    .push_bind(clean(&mail.text))
                    .push_bind(mail.diff.clone());
            })
            .await?;
        }
        Ok(())
    }

    /// Puts mails on the list; returns the threads of known mails that are new to it.
    async fn insert_on_list(
        &mut self,
        list: ListId,
        source: &str,
        mails: &[(MailId, &String, Option<i64>)],
    ) -> Result<Vec<i64>> {
        let into = "INSERT INTO mail_list (mail, list, source, place) ";
        let conflict = " ON CONFLICT (mail, list) DO NOTHING RETURNING mail";
        let mut joined = Vec::new();
        for chunk in mails.chunks(CHUNK_ROWS) {
            let is_common = chunk.len() == CHUNK_ROWS;
            let rows = self
                .insert(
                    (into, conflict),
                    chunk,
                    is_common,
                    |mut row, (id, place, _)| {
                        row.push_bind(id.0)
                            .push_bind(list.0)
                            .push_bind(source.to_owned())
                            .push_bind(clean(place));
                    },
                )
                .await?;
            let added = rows.iter().map(|it| Columns::new(it).take());
            let added: BTreeSet<i64> = added.collect::<Result<_>>()?;
            joined.extend(
                chunk
                    .iter()
                    .filter(|(id, _, _)| added.contains(&id.0))
                    .filter_map(|(_, _, thread)| *thread),
            );
        }
        Ok(joined)
    }

    async fn insert_keys(&mut self, fresh: &[(MailId, &MailDraft)]) -> Result<()> {
        let keys: BTreeMap<[u8; 16], MailId> = fresh
            .iter()
            .rev()
            .flat_map(|(id, mail)| mail.keys.iter().map(|key| (*key, *id)))
            .collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let into = "INSERT INTO mail_key (hash, mail) ";
        let conflict = " ON CONFLICT (hash) DO NOTHING";
        for chunk in keys.chunks(CHUNK_ROWS) {
            let is_common = chunk.len() == CHUNK_ROWS;
            self.insert((into, conflict), chunk, is_common, |mut row, (key, id)| {
                row.push_bind(key.to_vec()).push_bind(id.0);
            })
            .await?;
        }
        Ok(())
    }

    async fn refuse(
        &mut self,
        list: ListId,
        source: &str,
        step: &SourceStep,
        now: Timestamp,
    ) -> Result<u64> {
        let mut added = 0;
        for refusal in &step.refusals {
            let done = sqlx::query(INSERT_REFUSAL)
                .bind(list.0)
                .bind(refusal.raw_hash.clone())
                .bind(source.to_owned())
                .bind(clean(&refusal.place))
                .bind(clean(&refusal.reason))
                .bind(signed(refusal.size_bytes))
                .bind(refusal.raw.clone())
                .bind(now.0)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("keeping a refused mail"))?;
            added += done.rows_affected();
        }
        Ok(added)
    }

    /// Takes a mail off the list; returns its thread if it was there.
    async fn remove(&mut self, list: ListId, raw_hash: &str) -> Result<Option<i64>> {
        let row = sqlx::query(FIND_MAIL)
            .bind(raw_hash.to_owned())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed("looking for a deleted mail"))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::new(&row);
        let (id, thread): (i64, i64) = (columns.take()?, columns.take()?);
        let done = sqlx::query(REMOVE_FROM_LIST)
            .bind(id)
            .bind(list.0)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("taking a mail off a list"))?;
        Ok((done.rows_affected() > 0).then_some(thread))
    }

    async fn move_position(
        &mut self,
        list: ListId,
        source: &str,
        position: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(MOVE_POSITION)
            .bind(list.0)
            .bind(source.to_owned())
            .bind(position.to_owned())
            .bind(now.0)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("saving a source's position"))?;
        Ok(())
    }
}

/// Which threads have become one; the smallest id names the whole.
#[derive(Default)]
struct ThreadSets {
    parents: HashMap<i64, i64>,
}

impl ThreadSets {
    fn root(&mut self, id: i64) -> i64 {
        let mut root = id;
        while let Some(parent) = self.parents.get(&root) {
            root = *parent;
        }
        let mut at = id;
        while at != root {
            at = self.parents.insert(at, root).unwrap_or(root);
        }
        root
    }

    fn join(&mut self, one: i64, other: i64) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.parents.insert(one.max(other), one.min(other));
        }
    }
}
