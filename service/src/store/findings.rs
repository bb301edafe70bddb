//! Findings: written with a review, read for pages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, Transaction};

use super::series::{bounded, page_of};
use super::sql::{Columns, clean, containing, failed, json, statements};
use super::{Result, Store, StoreError};
use crate::model::{
    Confidence, Cursor, Finding, FindingAnchor, FindingDraft, FindingFilter, FindingId, FindingRow,
    FindingState, Hop, Page, PageRequest, Place, RuleCount, SeriesId, SeriesState, Severity,
    Timestamp, VersionLink, Via,
};

statements! {
    INSERT = "INSERT INTO finding (series, patch, state, rule, severity, confidence, file, line, col, function, \
        statement, message, help, fingerprint, anchor_file, anchor_line, in_diff, found_at, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    OF_SERIES = "SELECT f.id, f.series, f.patch, f.state, f.rule, f.severity, f.confidence, f.file, f.line, f.col, \
        f.function, f.statement, f.message, f.help, f.fingerprint, f.anchor_file, f.anchor_line, f.in_diff, f.detail \
        FROM finding f WHERE f.series = $1 ORDER BY f.patch, f.file, f.line, f.col, f.rule, f.id";
    ONE = "SELECT f.id, f.series, f.patch, f.state, f.rule, f.severity, f.confidence, f.file, f.line, f.col, \
        f.function, f.statement, f.message, f.help, f.fingerprint, f.anchor_file, f.anchor_line, f.in_diff, f.detail, \
        s.title, s.version, f.found_at FROM finding f JOIN series s ON s.id = f.series WHERE f.id = $1";
    LIST = "SELECT f.id, f.series, f.patch, f.state, f.rule, f.severity, f.confidence, f.file, f.line, f.col, \
        f.function, f.statement, f.message, f.help, f.fingerprint, f.anchor_file, f.anchor_line, f.in_diff, f.detail, \
        s.title, s.version, f.found_at FROM finding f JOIN series s ON s.id = f.series \
        WHERE (f.patch = 0 OR (CAST($7 AS TEXT) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM finding net \
            WHERE net.series = f.series AND net.fingerprint = f.fingerprint AND net.patch = 0))) \
        AND (CAST($1 AS BIGINT) IS NULL OR f.found_at < $1 OR (f.found_at = $1 AND f.id < $2)) \
        AND (CAST($3 AS TEXT) IS NULL OR f.rule = $3) AND (CAST($4 AS TEXT) IS NULL OR f.state = $4) \
        AND (CAST($5 AS TEXT) IS NULL OR f.severity = $5) \
        AND (CAST($6 AS TEXT) IS NULL OR f.file LIKE $6 ESCAPE '!') \
        AND (CAST($7 AS TEXT) IS NULL OR f.fingerprint = $7) \
        AND (CAST($8 AS TEXT) IS NULL OR s.state <> $8) \
        AND (CAST($9 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM series_list sl JOIN list l ON l.id = sl.list \
            WHERE sl.series = s.id AND l.address = $9)) \
        ORDER BY f.found_at DESC, f.id DESC LIMIT $10";
    THREAD_NEW = "SELECT f.series, f.fingerprint FROM finding f JOIN series s ON s.id = f.series \
        WHERE s.thread = (SELECT thread FROM series WHERE id = $1) AND f.patch = 0 AND f.state = $2";
    RULES = "SELECT f.rule, SUM(CASE WHEN f.state = $1 THEN 1 ELSE 0 END), SUM(CASE WHEN f.state = $2 THEN 1 ELSE 0 END), \
        COUNT(DISTINCT f.series) FROM finding f JOIN series s ON s.id = f.series \
        WHERE f.patch = 0 AND s.state <> $3 GROUP BY f.rule ORDER BY f.rule";
}

/// The parts of a finding that no statement asks for, as stored.
#[derive(Serialize, Deserialize)]
struct Detail {
    contexts: Vec<String>,
    path: Vec<HopJson>,
    related: Vec<PlaceJson>,
}

#[derive(Serialize, Deserialize)]
struct HopJson {
    function: String,
    file: String,
    line: u32,
    via: String,
    through: String,
}

#[derive(Serialize, Deserialize)]
struct PlaceJson {
    file: String,
    line: u32,
    message: String,
}

impl Detail {
    fn of(draft: &FindingDraft) -> Self {
        Self {
            contexts: draft.contexts.clone(),
            path: draft
                .path
                .iter()
                .map(|it| HopJson {
                    function: it.function.clone(),
                    file: it.file.clone(),
                    line: it.line,
                    via: it.via.as_str().to_owned(),
                    through: it.through.clone(),
                })
                .collect(),
            related: draft
                .related
                .iter()
                .map(|it| PlaceJson {
                    file: it.file.clone(),
                    line: it.line,
                    message: it.message.clone(),
                })
                .collect(),
        }
    }
}

impl HopJson {
    fn read(self) -> Result<Hop> {
        let via = Via::parse(&self.via).ok_or(StoreError::UnknownValue {
            what: "finding.detail",
            value: self.via,
        })?;
        Ok(Hop {
            function: self.function,
            file: self.file,
            line: self.line,
            via,
            through: self.through,
        })
    }
}

fn read(columns: &mut Columns<'_>) -> Result<Finding> {
    let id = FindingId(columns.take()?);
    let series = SeriesId(columns.take()?);
    let patch: u32 = columns.number()?;
    let mut draft = FindingDraft {
        patch: (patch > 0).then_some(patch),
        state: columns.state("finding.state", FindingState::parse)?,
        rule: columns.take()?,
        severity: columns.state("finding.severity", Severity::parse)?,
        confidence: columns.state("finding.confidence", Confidence::parse)?,
        file: columns.take()?,
        line: columns.number()?,
        column: columns.number()?,
        function: columns.take()?,
        statement: columns.take()?,
        message: columns.take()?,
        help: columns.take()?,
        fingerprint: columns.take()?,
        anchor: None,
        in_diff: false,
        contexts: Vec::new(),
        path: Vec::new(),
        related: Vec::new(),
    };
    let file: Option<String> = columns.take()?;
    let line: Option<i64> = columns.take()?;
    draft.anchor = file
        .zip(line.and_then(|it| u32::try_from(it).ok()))
        .map(|(file, line)| FindingAnchor { file, line });
    draft.in_diff = columns.take::<i64>()? != 0;
    let detail: Detail = columns.json("finding.detail")?;
    draft.contexts = detail.contexts;
    draft.path = detail
        .path
        .into_iter()
        .map(HopJson::read)
        .collect::<Result<_>>()?;
    draft.related = detail
        .related
        .into_iter()
        .map(|it| Place {
            file: it.file,
            line: it.line,
            message: it.message,
        })
        .collect();
    Ok(Finding {
        id,
        series,
        detail: draft,
        seen_in_versions: Vec::new(),
    })
}

fn read_row(columns: &mut Columns<'_>) -> Result<FindingRow> {
    Ok(FindingRow {
        finding: read(columns)?,
        series_title: columns.take()?,
        series_version: columns.number()?,
        found_at: columns.time()?,
    })
}

pub(super) async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    series: SeriesId,
    draft: &FindingDraft,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(INSERT)
        .bind(series.0)
        .bind(i64::from(draft.patch.unwrap_or(0)))
        .bind(draft.state.as_str())
        .bind(clean(&draft.rule))
        .bind(draft.severity.as_str())
        .bind(draft.confidence.as_str())
        .bind(clean(&draft.file))
        .bind(i64::from(draft.line))
        .bind(i64::from(draft.column))
        .bind(clean(&draft.function))
        .bind(clean(&draft.statement))
        .bind(clean(&draft.message))
        .bind(clean(&draft.help))
        .bind(clean(&draft.fingerprint))
        .bind(draft.anchor.as_ref().map(|it| clean(&it.file)))
        .bind(draft.anchor.as_ref().map(|it| i64::from(it.line)))
        .bind(i64::from(draft.in_diff))
        .bind(now.0)
        .bind(json(&Detail::of(draft)))
        .execute(&mut **transaction)
        .await
        .map_err(failed("storing a finding"))?;
    Ok(())
}

impl Store {
    /// One finding with its series' title; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn finding(&self, id: FindingId) -> Result<Option<FindingRow>> {
        let row = sqlx::query(ONE)
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a finding"))?;
        let Some(row) = row else { return Ok(None) };
        let mut found = read_row(&mut Columns::new(&row))?;
        self.add_versions(&mut found.finding).await?;
        Ok(Some(found))
    }

    /// Net findings of series, newest review first.
    ///
    /// Of one fingerprint also what a series brings and takes back itself: its page shows it, so it has one of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn findings(
        &self,
        filter: &FindingFilter,
        page: PageRequest,
    ) -> Result<Page<FindingRow>> {
        let limit = bounded(page);
        let superseded = (!filter.with_superseded).then_some(SeriesState::Superseded.as_str());
        let rows = sqlx::query(LIST)
            .bind(page.after.map(|it| it.key))
            .bind(page.after.map_or(0, |it| it.id))
            .bind(filter.rule.clone())
            .bind(filter.state.map(FindingState::as_str))
            .bind(filter.severity.map(Severity::as_str))
            .bind(
                filter
                    .under
                    .as_deref()
                    .map(|it| containing(it)[1..].to_owned()),
            )
            .bind(filter.fingerprint.clone())
            .bind(superseded)
            .bind(filter.list.as_deref().map(str::to_lowercase))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("listing findings"))?;
        let items = rows
            .iter()
            .map(|row| read_row(&mut Columns::new(row)))
            .collect::<Result<Vec<_>>>()?;
        let mut page = page_of(items, limit, |it| Cursor {
            key: it.found_at.0,
            id: it.finding.id.0,
        });
        for item in &mut page.items {
            self.add_versions(&mut item.finding).await?;
        }
        Ok(page)
    }

    /// Net findings by rule; sorted by rule. Rules that never fired are not listed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn rule_counts(&self) -> Result<Vec<RuleCount>> {
        let rows = sqlx::query(RULES)
            .bind(FindingState::New.as_str())
            .bind(FindingState::Fixed.as_str())
            .bind(SeriesState::Superseded.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("counting findings"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok(RuleCount {
                    rule: columns.take()?,
                    new_count: columns.number()?,
                    fixed_count: columns.number()?,
                    series_count: columns.number()?,
                })
            })
            .collect()
    }

    /// All findings of a series: net and per patch.
    pub(super) async fn findings_of(
        &self,
        id: SeriesId,
        versions: &[VersionLink],
    ) -> Result<Vec<Finding>> {
        let rows = sqlx::query(OF_SERIES)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a series' findings"))?;
        let mut findings = rows
            .iter()
            .map(|row| read(&mut Columns::new(row)))
            .collect::<Result<Vec<_>>>()?;
        if !findings.is_empty() {
            let seen = self.seen_before(id, versions).await?;
            for finding in &mut findings {
                if let Some(versions) = seen.get(&finding.detail.fingerprint) {
                    finding.seen_in_versions.clone_from(versions);
                }
            }
        }
        Ok(findings)
    }

    async fn add_versions(&self, finding: &mut Finding) -> Result<()> {
        let versions = self.versions(finding.series).await?;
        let mut seen = self.seen_before(finding.series, &versions).await?;
        if let Some(versions) = seen.remove(&finding.detail.fingerprint) {
            finding.seen_in_versions = versions;
        }
        Ok(())
    }

    /// The versions before this one in which each fingerprint was new.
    async fn seen_before(
        &self,
        id: SeriesId,
        versions: &[VersionLink],
    ) -> Result<BTreeMap<String, Vec<u32>>> {
        let mut seen: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let older: BTreeMap<SeriesId, u32> = versions
            .iter()
            .take_while(|it| it.id != id)
            .map(|it| (it.id, it.version))
            .collect();
        if older.is_empty() {
            return Ok(seen);
        }
        let rows = sqlx::query(THREAD_NEW)
            .bind(id.0)
            .bind(FindingState::New.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the findings of older versions"))?;
        for row in &rows {
            let mut columns = Columns::new(row);
            if let Some(version) = older.get(&SeriesId(columns.take()?)) {
                let versions = seen.entry(columns.take()?).or_default();
                versions.push(*version);
                versions.sort_unstable();
                versions.dedup();
            }
        }
        Ok(seen)
    }
}
