//! Lists of series: filters, keyset paging, counts, export.

use sqlx::sqlite::SqliteRow;

use super::sql::{Columns, containing, failed, statements};
use super::{Result, Store};
use crate::model::{
    Cursor, Page, PageRequest, ReviewState, SeriesExport, SeriesFilter, SeriesId, SeriesState,
    SeriesSummary,
};

statements! {
    LIST = "SELECT s.id, s.title, s.author_name, s.author_address, s.version, s.fraction, s.total, s.received, \
        s.state, s.review, s.sent_at, s.active_at, s.new_count, s.new_error_count, s.fixed_count, s.reply_count \
        FROM series s WHERE (CAST($1 AS BIGINT) IS NULL OR s.active_at < $1 OR (s.active_at = $1 AND s.id < $2)) \
        AND (CAST($3 AS TEXT) IS NULL OR s.state = $3) AND (CAST($4 AS TEXT) IS NULL OR s.review = $4) \
        AND (CAST($5 AS TEXT) IS NULL OR LOWER(s.author_name) LIKE LOWER($5) ESCAPE '!' \
            OR LOWER(s.author_address) LIKE LOWER($5) ESCAPE '!') \
        AND (CAST($6 AS TEXT) IS NULL OR LOWER(s.title) LIKE LOWER($6) ESCAPE '!') \
        AND ($7 = 0 OR s.new_count > 0) AND ($8 = 0 OR s.fixed_count > 0) \
        AND (CAST($9 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM series_list sl JOIN list l ON l.id = sl.list \
            WHERE sl.series = s.id AND l.address = $9)) \
        AND (CAST($10 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM finding f \
            WHERE f.series = s.id AND f.patch = 0 AND f.rule = $10)) \
        ORDER BY s.active_at DESC, s.id DESC LIMIT $11";
    ONE = "SELECT s.id, s.title, s.author_name, s.author_address, s.version, s.fraction, s.total, s.received, \
        s.state, s.review, s.sent_at, s.active_at, s.new_count, s.new_error_count, s.fixed_count, s.reply_count \
        FROM series s WHERE s.id = $1";
    LISTS_OF = "SELECT l.address FROM series_list sl JOIN list l ON l.id = sl.list WHERE sl.series = $1 ORDER BY l.address";
    COUNTS = "SELECT state, COUNT(*) FROM series GROUP BY state ORDER BY state";
    EXPORT = "SELECT s.id, s.title, s.author_name, s.author_address, s.version, s.total, s.is_complete, \
        s.supersedes, s.state FROM series s WHERE s.id > $1 ORDER BY s.id LIMIT $2";
    EXPORT_PARTS = "SELECT p.number, m.message_id FROM series_part p LEFT JOIN mail m ON m.id = p.mail \
        WHERE p.series = $1 ORDER BY p.number";
}

pub(super) fn summary(row: &SqliteRow) -> Result<SeriesSummary> {
    let mut columns = Columns::new(row);
    Ok(SeriesSummary {
        id: SeriesId(columns.take()?),
        title: columns.take()?,
        author: columns.person()?,
        version: columns.number()?,
        fraction: columns.fraction()?,
        total: columns.number()?,
        received: columns.number()?,
        state: columns.state("series.state", SeriesState::parse)?,
        review: columns.state("series.review", ReviewState::parse)?,
        sent_at: columns.time()?,
        active_at: columns.time()?,
        lists: Vec::new(),
        new_count: columns.number()?,
        new_error_count: columns.number()?,
        fixed_count: columns.number()?,
        reply_count: columns.number()?,
    })
}

/// Cuts the row that was read too many and says where the next page starts.
pub(super) fn page_of<T>(
    mut items: Vec<T>,
    limit: u32,
    cursor: impl FnOnce(&T) -> Cursor,
) -> Page<T> {
    let has_more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = if has_more {
        items.last().map(cursor)
    } else {
        None
    };
    Page { items, next }
}

pub(super) fn bounded(request: PageRequest) -> u32 {
    request.limit.clamp(1, PageRequest::MAX)
}

impl Store {
    /// Series, newest activity first.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn series_list(
        &self,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesSummary>> {
        let limit = bounded(page);
        let rows = sqlx::query(LIST)
            .bind(page.after.map(|it| it.key))
            .bind(page.after.map_or(0, |it| it.id))
            .bind(filter.state.map(SeriesState::as_str))
            .bind(filter.review.map(ReviewState::as_str))
            .bind(filter.author.as_deref().map(containing))
            .bind(filter.text.as_deref().map(containing))
            .bind(i64::from(filter.has_new))
            .bind(i64::from(filter.has_fixed))
            .bind(filter.list.as_deref().map(str::to_lowercase))
            .bind(filter.rule.clone())
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("listing series"))?;
        let items = rows.iter().map(summary).collect::<Result<Vec<_>>>()?;
        let mut page = page_of(items, limit, |it| Cursor {
            key: it.active_at.0,
            id: it.id.0,
        });
        for item in &mut page.items {
            item.lists = self.lists_of(item.id).await?;
        }
        Ok(page)
    }

    /// Series counted by state, for the head of the list and the metrics.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn series_counts(&self) -> Result<Vec<(SeriesState, u64)>> {
        let rows = sqlx::query(COUNTS)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("counting series"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok((
                    columns.state("series.state", SeriesState::parse)?,
                    columns.number()?,
                ))
            })
            .collect()
    }

    /// Series for an export, by row id: at most `limit` after `after`.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn export_series(
        &self,
        after: Option<SeriesId>,
        limit: u32,
    ) -> Result<Vec<SeriesExport>> {
        let rows = sqlx::query(EXPORT)
            .bind(after.map_or(0, |it| it.0))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("exporting series"))?;
        let mut series = Vec::new();
        for row in &rows {
            let mut columns = Columns::new(row);
            let id = SeriesId(columns.take()?);
            let mut item = SeriesExport {
                id,
                lists: self.lists_of(id).await?,
                title: columns.take()?,
                author: columns.person()?,
                version: columns.number()?,
                total: columns.number()?,
                complete: columns.take::<i64>()? != 0,
                cover: None,
                patches: Vec::new(),
                supersedes: columns.take::<Option<i64>>()?.map(SeriesId),
                state: columns.state("series.state", SeriesState::parse)?,
            };
            let parts = sqlx::query(EXPORT_PARTS)
                .bind(id.0)
                .fetch_all(&self.readers)
                .await
                .map_err(failed("exporting parts"))?;
            for row in &parts {
                let mut columns = Columns::new(row);
                if columns.take::<i64>()? == 0 {
                    item.cover = columns.take()?;
                } else {
                    item.patches.push(columns.take()?);
                }
            }
            series.push(item);
        }
        Ok(series)
    }

    pub(super) async fn summary_of(&self, id: SeriesId) -> Result<Option<SeriesSummary>> {
        let row = sqlx::query(ONE)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a series"))?;
        let Some(row) = row else { return Ok(None) };
        let mut summary = summary(&row)?;
        summary.lists = self.lists_of(id).await?;
        Ok(Some(summary))
    }

    pub(super) async fn lists_of(&self, id: SeriesId) -> Result<Vec<String>> {
        sqlx::query_scalar(LISTS_OF)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a series' lists"))
    }
}
