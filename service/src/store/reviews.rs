//! Reviews: what the linter is given, and what it said.

use serde::{Deserialize, Serialize};

use sqlx::{Sqlite, Transaction};

use super::sql::{Columns, clean, failed, json, signed, statements};
use super::{Result, Store, findings};
use crate::model::{
    Base, BaseHow, FindingDraft, FindingState, Gap, LintInput, LintPart, MailId, Review,
    ReviewDraft, ReviewState, Reviewed, SeriesId, Severity, Timestamp, Warning,
};

statements! {
    SERIES = "SELECT base_commit, prefixes, input_digest FROM series WHERE id = $1";
    HEADS = "SELECT m.head FROM series_part p JOIN mail m ON m.id = p.mail WHERE p.series = $1 ORDER BY p.number";
    PARTS = "SELECT p.number, p.mail, m.message_id, p.title, b.diff FROM series_part p LEFT JOIN mail m ON m.id = p.mail \
        LEFT JOIN mail_body b ON b.mail = p.mail WHERE p.series = $1 AND p.number > 0 ORDER BY p.number";
    DIGESTS = "SELECT input_digest, trees_digest, tree, rev, why, state FROM review WHERE series = $1";
    SAME_BASE = "UPDATE review SET trees_digest = $1 WHERE series = $2";
    PUT = "INSERT INTO review (series, state, reason, tree, rev, how, why, final_tree, finished_at, duration_ms, \
        unchanged_count, gaps, warnings, input_digest, trees_digest) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        ON CONFLICT (series) DO UPDATE SET state = excluded.state, reason = excluded.reason, tree = excluded.tree, \
        rev = excluded.rev, how = excluded.how, why = excluded.why, final_tree = excluded.final_tree, \
        finished_at = excluded.finished_at, duration_ms = excluded.duration_ms, \
        unchanged_count = excluded.unchanged_count, gaps = excluded.gaps, warnings = excluded.warnings, \
        input_digest = excluded.input_digest, trees_digest = excluded.trees_digest";
    DROP_PATCHES = "DELETE FROM review_patch WHERE series = $1";
    PUT_PATCH = "INSERT INTO review_patch (series, number, state, reason) VALUES ($1, $2, $3, $4)";
    DROP_FINDINGS = "DELETE FROM finding WHERE series = $1";
    MARK_SERIES = "UPDATE series SET review = $1, new_count = $2, new_error_count = $3, fixed_count = $4 WHERE id = $5";
    CONFIRM = "UPDATE series SET review = (SELECT r.state FROM review r WHERE r.series = $1) WHERE id = $1 \
        AND EXISTS (SELECT 1 FROM review r WHERE r.series = $1)";
    GET = "SELECT state, reason, tree, rev, how, why, final_tree, finished_at, duration_ms, unchanged_count, gaps, \
        warnings FROM review WHERE series = $1";
STALE = "SELECT s.id, r.trees_digest FROM series s LEFT JOIN review r ON r.series = s.id AND r.input_digest = s.input_digest \
        ORDER BY s.active_at DESC, s.id DESC";
}

#[derive(Serialize, Deserialize)]
struct GapJson {
    file: String,
    line: u32,
    what: String,
}

#[derive(Serialize, Deserialize)]
struct WarningJson {
    rule: String,
    message: String,
}

async fn put_review_row(
    transaction: &mut Transaction<'static, Sqlite>,
    draft: &ReviewDraft,
    now: Timestamp,
) -> Result<()> {
    let gaps: Vec<GapJson> = draft
        .gaps
        .iter()
        .map(|it| GapJson {
            file: it.file.clone(),
            line: it.line,
            what: it.what.clone(),
        })
        .collect();
    let warnings: Vec<WarningJson> = draft
        .warnings
        .iter()
        .map(|it| WarningJson {
            rule: it.rule.clone(),
            message: it.message.clone(),
        })
        .collect();
    let base = draft.base.as_ref();
    sqlx::query(PUT)
        .bind(draft.series.0)
        .bind(draft.state.as_str())
        .bind(draft.reason.as_deref().map(clean))
        .bind(base.map(|it| it.tree.clone()))
        .bind(base.map(|it| it.rev.clone()))
        .bind(base.map(|it| it.how.as_str()))
        .bind(base.map(|it| clean(&it.why)))
        .bind(draft.final_tree.clone())
        .bind(now.0)
        .bind(signed(draft.duration_ms))
        .bind(signed(draft.unchanged_count))
        .bind(json(&gaps))
        .bind(json(&warnings))
        .bind(draft.input_digest.clone())
        .bind(draft.trees_digest.clone())
        .execute(&mut **transaction)
        .await
        .map_err(failed("storing a review"))?;
    Ok(())
}

impl Store {
    /// What the linter needs of a series; `None` where there is no such series (any more).
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn lint_input(&self, id: SeriesId) -> Result<Option<LintInput>> {
        let doing = "reading a series to lint";
        let row = sqlx::query(SERIES)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(doing))?;
        let Some(row) = row else { return Ok(None) };
        let rows = sqlx::query(PARTS)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        let parts = rows
            .iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok(LintPart {
                    index: columns.number()?,
                    mail: columns.take::<Option<i64>>()?.map(MailId),
                    message_id: columns.take()?,
                    subject: columns.take()?,
                    diff: columns.take::<Option<Vec<u8>>>()?.unwrap_or_default(),
                })
            })
            .collect::<Result<_>>()?;
        let reviewed = sqlx::query(DIGESTS)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(doing))?
            .map(|row| {
                let mut columns = Columns::new(&row);
                let (input_digest, trees_digest) = (columns.take()?, columns.take()?);
                let tree: Option<String> = columns.take()?;
                let rev: Option<String> = columns.take()?;
                let why: Option<String> = columns.take()?;
                // What failed is worth another try whenever something moves.
                let failed = columns.take::<String>()? == ReviewState::Failed.as_str();
                let why = why.filter(|_| !failed);
                Ok::<_, super::StoreError>(Reviewed {
                    input_digest,
                    trees_digest,
                    base: tree
                        .zip(rev)
                        .zip(why)
                        .map(|((tree, rev), why)| (tree, rev, why)),
                })
            })
            .transpose()?;
        let heads = sqlx::query_scalar(HEADS)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(doing))?;
        let mut columns = Columns::new(&row);
        Ok(Some(LintInput {
            id,
            lists: self.lists_of(id).await?,
            base_commit: columns.take()?,
            prefixes: columns.json("series.prefixes")?,
            heads,
            parts,
            input_digest: columns.take()?,
            reviewed,
        }))
    }

    /// Stores a review with its findings, in place of the one before.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when nothing of it was stored.
    pub async fn put_review(&self, draft: &ReviewDraft, now: Timestamp) -> Result<()> {
        let doing = "storing a review";
        let mut transaction = self.write().await?;
        put_review_row(&mut transaction, draft, now).await?;
        for statement in [DROP_PATCHES, DROP_FINDINGS] {
            sqlx::query(statement)
                .bind(draft.series.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed(doing))?;
        }
        for patch in &draft.patches {
            sqlx::query(PUT_PATCH)
                .bind(draft.series.0)
                .bind(i64::from(patch.index))
                .bind(patch.state.as_str())
                .bind(patch.reason.as_deref().map(clean))
                .execute(&mut *transaction)
                .await
                .map_err(failed(doing))?;
        }
        for finding in &draft.findings {
            findings::insert(&mut transaction, draft.series, finding, now).await?;
        }
        let net = |wanted: &dyn Fn(&FindingDraft) -> bool| {
            signed(
                draft
                    .findings
                    .iter()
                    .filter(|it| it.patch.is_none() && wanted(it))
                    .count() as u64,
            )
        };
        sqlx::query(MARK_SERIES)
            .bind(draft.state.as_str())
            .bind(net(&|it| it.state == FindingState::New))
            .bind(net(&|it| {
                it.state == FindingState::New && it.severity == Severity::Error
            }))
            .bind(net(&|it| it.state == FindingState::Fixed))
            .bind(draft.series.0)
            .execute(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        transaction.commit().await.map_err(failed(doing))
    }

    /// Says that the review of a series still holds, after its mails went back to what was linted.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn confirm_review(&self, id: SeriesId) -> Result<()> {
        sqlx::query(CONFIRM)
            .bind(id.0)
            .execute(&self.writer)
            .await
            .map_err(failed("confirming a review"))?;
        Ok(())
    }

    /// Says that a review holds for other states of the trees too: the base is the same.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be written.
    pub async fn keep_review(&self, id: SeriesId, trees_digest: &str) -> Result<()> {
        sqlx::query(SAME_BASE)
            .bind(trees_digest)
            .bind(id.0)
            .execute(&self.writer)
            .await
            .map_err(failed("keeping a review"))?;
        self.confirm_review(id).await
    }

    /// The latest review of a series; `None` before the first.
    pub(super) async fn review(&self, id: SeriesId) -> Result<Option<Review>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a review"))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::new(&row);
        let state = columns.state("review.state", ReviewState::parse)?;
        let reason = columns.take()?;
        let tree: Option<String> = columns.take()?;
        let rev: Option<String> = columns.take()?;
        let how: Option<String> = columns.take()?;
        let why: Option<String> = columns.take()?;
        let how = how.as_deref().and_then(BaseHow::parse);
        let base = tree
            .zip(rev)
            .zip(how.zip(why))
            .map(|((tree, rev), (how, why))| Base {
                tree,
                rev,
                how,
                why,
            });
        Ok(Some(Review {
            state,
            reason,
            base,
            final_tree: columns.take()?,
            finished_at: columns.time()?,
            duration_ms: columns.number()?,
            unchanged_count: columns.number()?,
            gaps: columns
                .json::<Vec<GapJson>>("review.gaps")?
                .into_iter()
                .map(|it| Gap {
                    file: it.file,
                    line: it.line,
                    what: it.what,
                })
                .collect(),
            warnings: columns
                .json::<Vec<WarningJson>>("review.warnings")?
                .into_iter()
                .map(|it| Warning {
                    rule: it.rule,
                    message: it.message,
                })
                .collect(),
        }))
    }

    /// Series whose review does not fit their mails or any of these states of the trees, newest activity first.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn stale_series(&self, trees_digests: &[String]) -> Result<Vec<SeriesId>> {
        let rows = sqlx::query(STALE)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("looking for series to lint"))?;
        let mut stale = Vec::new();
        for row in &rows {
            let mut columns = Columns::new(row);
            let id = SeriesId(columns.take()?);
            let digest: Option<String> = columns.take()?;
            if digest.is_none_or(|it| !trees_digests.contains(&it)) {
                stale.push(id);
            }
        }
        Ok(stale)
    }
}
