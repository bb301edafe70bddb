//! Lists, their sources, and what was refused.

use super::sql::{Columns, failed, statements};
use super::{Result, Store};
use crate::model::{ListId, ListPolicy, ListSummary, Refusal, SourceState, Timestamp};

statements! {
    LISTS = "SELECT l.id, l.address, l.policy, \
        (SELECT COUNT(*) FROM mail_list ml WHERE ml.list = l.id), \
        (SELECT COUNT(*) FROM refusal r WHERE r.list = l.id), \
        (SELECT COUNT(*) FROM series_list sl WHERE sl.list = l.id), \
        (SELECT MAX(m.sent_at) FROM mail m JOIN mail_list ml ON ml.mail = m.id WHERE ml.list = l.id) \
        FROM list l ORDER BY l.address";
    SOURCES = "SELECT name, position, moved_at FROM source WHERE list = $1 ORDER BY name";
    REFUSALS = "SELECT l.address, r.source, r.place, r.reason, r.size_bytes, r.refused_at \
        FROM refusal r JOIN list l ON l.id = r.list ORDER BY r.id DESC LIMIT $1";
    SET_POLICY = "INSERT INTO list (address, policy) VALUES ($1, $2) \
        ON CONFLICT (address) DO UPDATE SET policy = excluded.policy";
    SILENCE = "UPDATE list SET policy = $1";
}

impl Store {
    /// All lists, sorted by address.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn lists(&self) -> Result<Vec<ListSummary>> {
        let doing = "reading the lists";
        let rows = sqlx::query(LISTS)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        let mut lists = Vec::new();
        for row in &rows {
            let mut columns = Columns::new(row);
            let mut list = ListSummary {
                id: ListId(columns.take()?),
                address: columns.take()?,
                policy: columns.state("list.policy", ListPolicy::parse)?,
                mail_count: columns.number()?,
                refused_count: columns.number()?,
                series_count: columns.number()?,
                last_mail_at: columns.take::<Option<i64>>()?.map(Timestamp),
                sources: Vec::new(),
            };
            let sources = sqlx::query(SOURCES)
                .bind(list.id.0)
                .fetch_all(&self.readers)
                .await
                .map_err(failed(doing))?;
            for row in &sources {
                let mut columns = Columns::new(row);
                list.sources.push(SourceState {
                    source: columns.take()?,
                    position: columns.take()?,
                    moved_at: columns.time()?,
                });
            }
            lists.push(list);
        }
        Ok(lists)
    }

    /// What was refused, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn refusals(&self, limit: u32) -> Result<Vec<Refusal>> {
        let rows = sqlx::query(REFUSALS)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading what was refused"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok(Refusal {
                    list: columns.take()?,
                    source: columns.take()?,
                    place: columns.take()?,
                    reason: columns.take()?,
                    size_bytes: columns.number()?,
                    refused_at: columns.time()?,
                })
            })
            .collect()
    }

    /// Writes the configured policies; every list that is not named becomes silent.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn set_policies(&self, policies: &[(String, ListPolicy)]) -> Result<()> {
        let doing = "writing the lists' policies";
        let mut transaction = self.write().await?;
        sqlx::query(SILENCE)
            .bind(ListPolicy::Silent.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        for (address, policy) in policies {
            sqlx::query(SET_POLICY)
                .bind(address.to_lowercase())
                .bind(policy.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(failed(doing))?;
        }
        transaction.commit().await.map_err(failed(doing))
    }
}
