//! Mails as pages show them.

use sqlx::sqlite::SqliteRow;

use super::sql::{Columns, failed, statements};
use super::{Result, Store};
use crate::model::{MailId, MailKind, MailSummary, MailView, SeriesId};

statements! {
    RAW = "SELECT raw FROM mail_body WHERE mail = $1";
    VIEW = "SELECT m.id, m.message_id, m.from_name, m.from_address, m.subject, m.sent_at, m.kind, m.parent, \
        b.text, b.diff FROM mail m JOIN mail_body b ON b.mail = m.id WHERE m.id = $1";
    LISTS_OF_MAIL = "SELECT l.address FROM mail_list ml JOIN list l ON l.id = ml.list WHERE ml.mail = $1 ORDER BY l.address";
    REPLIES = "SELECT m.id, m.message_id, m.from_name, m.from_address, m.subject, m.sent_at, m.kind, m.parent \
        FROM mail m WHERE m.series = $1 AND m.kind = $2 ORDER BY m.sent_at, m.id";
    PARTS_WITH_ID = "SELECT p.series FROM mail m JOIN series_part p ON p.mail = m.id \
        WHERE m.message_id = $1 ORDER BY p.is_own DESC, p.series DESC LIMIT 1";
    SERIES_WITH_ID = "SELECT series FROM mail WHERE message_id = $1 AND series IS NOT NULL ORDER BY id DESC LIMIT 1";
    MAIL_WITH_ID = "SELECT id FROM mail WHERE message_id = $1 ORDER BY id DESC LIMIT 1";
}

fn summary(columns: &mut Columns<'_>) -> Result<MailSummary> {
    Ok(MailSummary {
        id: MailId(columns.take()?),
        message_id: columns.take()?,
        from: columns.person()?,
        subject: columns.take()?,
        sent_at: columns.time()?,
        kind: columns.state("mail.kind", MailKind::parse)?,
        in_reply_to: columns.take()?,
    })
}

impl Store {
    /// The mail as it came; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn raw_mail(&self, id: MailId) -> Result<Option<Vec<u8>>> {
        sqlx::query_scalar(RAW)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a mail"))
    }

    /// The newest mail with this message id; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn mail_by_message_id(&self, message_id: &str) -> Result<Option<MailId>> {
        sqlx::query_scalar(MAIL_WITH_ID)
            .bind(message_id.to_owned())
            .fetch_optional(&self.readers)
            .await
            .map(|id| id.map(MailId))
            .map_err(failed("looking for a mail"))
    }

    /// The series that holds this message id as cover or patch, else the one that it answers; the newest where several do.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn series_by_message_id(&self, message_id: &str) -> Result<Option<SeriesId>> {
        for statement in [PARTS_WITH_ID, SERIES_WITH_ID] {
            let found: Option<i64> = sqlx::query_scalar(statement)
                .bind(message_id.to_owned())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("looking for a message id"))?;
            if let Some(id) = found {
                return Ok(Some(SeriesId(id)));
            }
        }
        Ok(None)
    }

    /// A mail with its text and its diff; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn mail_view(&self, id: MailId) -> Result<Option<(MailView, Vec<u8>)>> {
        let doing = "reading a mail";
        let row = sqlx::query(VIEW)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(doing))?;
        let Some(row) = row else { return Ok(None) };
        let lists = sqlx::query_scalar(LISTS_OF_MAIL)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        let mut columns = Columns::new(&row);
        let summary = summary(&mut columns)?;
        let text = columns.take()?;
        let diff: Option<Vec<u8>> = columns.take()?;
        Ok(Some((
            MailView {
                summary,
                text,
                lists,
            },
            diff.unwrap_or_default(),
        )))
    }

    /// Mails that answer a series, oldest first.
    pub(super) async fn replies(&self, series: SeriesId) -> Result<Vec<MailSummary>> {
        let rows: Vec<SqliteRow> = sqlx::query(REPLIES)
            .bind(series.0)
            .bind(MailKind::Comment.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the replies"))?;
        rows.iter()
            .map(|row| summary(&mut Columns::new(row)))
            .collect()
    }
}
