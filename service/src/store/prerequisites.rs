//! Patches by what they change: the prerequisites that a series names.

use std::collections::BTreeMap;

use super::sql::{Columns, failed, statements};
use super::{Result, Store};
use crate::model::{JobKind, MailKind, NamedPatches, SeriesId, Timestamp};

statements! {
    NAME = "INSERT INTO patch_id (patch_id, mail) VALUES ($1, $2) ON CONFLICT (patch_id, mail) DO NOTHING";
    SENT_BY = "SELECT series FROM mail WHERE message_id = $1 AND series IS NOT NULL AND kind IN ($2, $3) \
        ORDER BY id DESC LIMIT 1";
    DIFF = "SELECT b.diff FROM patch_id p JOIN mail_body b ON b.mail = p.mail WHERE p.patch_id = $1 \
        ORDER BY p.mail LIMIT 1";
    AWAIT = "INSERT INTO awaited_patch (patch_id, series) VALUES ($1, $2) ON CONFLICT (patch_id, series) DO NOTHING";
    AWAITING = "SELECT series FROM awaited_patch WHERE patch_id = $1 ORDER BY series";
    FOUND = "DELETE FROM awaited_patch WHERE patch_id = $1";
    FORGET = "UPDATE review SET trees_digest = '' WHERE series = $1";
}

impl Store {
    /// Remembers what each mail changes, and enqueues the series that waited for one of these patches or messages;
    /// returns how many.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when nothing of it was stored.
    pub async fn name_patches(&self, named: &NamedPatches, now: Timestamp) -> Result<usize> {
        let doing = "remembering patches";
        let mut transaction = self.write().await?;
        for (mail, id) in &named.patches {
            sqlx::query(NAME)
                .bind(id)
                .bind(mail.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed(doing))?;
        }
        let mut woken: Vec<i64> = Vec::new();
        let ids = named.patches.iter().map(|it| &it.1);
        for id in ids.chain(&named.message_ids) {
            let awaiting: Vec<i64> = sqlx::query_scalar(AWAITING)
                .bind(id)
                .fetch_all(&mut *transaction)
                .await
                .map_err(failed(doing))?;
            if !awaiting.is_empty() {
                woken.extend(awaiting);
                sqlx::query(FOUND)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed(doing))?;
            }
        }
        woken.sort_unstable();
        woken.dedup();
        for series in &woken {
            sqlx::query(FORGET)
                .bind(series)
                .execute(&mut *transaction)
                .await
                .map_err(failed(doing))?;
            let subject = SeriesId(*series).to_string();
            super::jobs::enqueue_in(&mut transaction, JobKind::LintSeries, &subject, now).await?;
        }
        transaction.commit().await.map_err(failed(doing))?;
        Ok(woken.len())
    }

    /// The diffs of the patches that are known by these ids.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn patches_named(&self, ids: &[String]) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for id in ids {
            let row = sqlx::query(DIFF)
                .bind(id)
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("reading a prerequisite"))?;
            let Some(row) = row else { continue };
            let diff: Option<Vec<u8>> = Columns::new(&row).take()?;
            found.extend(diff.map(|it| (id.clone(), it)));
        }
        Ok(found)
    }

    /// The series that sent this message: of several the newest.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn series_with(&self, message_id: &str) -> Result<Option<SeriesId>> {
        let found: Option<i64> = sqlx::query_scalar(SENT_BY)
            .bind(message_id)
            .bind(MailKind::Cover.as_str())
            .bind(MailKind::Patch.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("looking for the series of a message"))?;
        Ok(found.map(SeriesId))
    }

    /// Says which patches or messages a series was linted without: it is linted again when one of them comes in.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn await_patches(&self, series: SeriesId, ids: &[String]) -> Result<()> {
        for id in ids {
            sqlx::query(AWAIT)
                .bind(id)
                .bind(series.0)
                .execute(&self.writer)
                .await
                .map_err(failed("waiting for a prerequisite"))?;
        }
        Ok(())
    }
}
