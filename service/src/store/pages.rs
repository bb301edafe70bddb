//! Everything that the page of one series shows.

use std::collections::BTreeSet;

use super::sql::{Columns, failed, statements};
use super::{Result, Store};
use crate::model::{
    Finding, FindingState, ListPolicy, MailId, MailView, PatchState, PatchView, ReviewState,
    SeriesId, SeriesPage, SeriesState, SeriesSummary, VersionLink,
};

statements! {
    ALIAS = "SELECT series FROM series_alias WHERE old = $1";
    REASONS = "SELECT reasons FROM series WHERE id = $1";
    PARTS = "SELECT p.number, p.mail, p.title, r.state, r.reason FROM series_part p \
        LEFT JOIN review_patch r ON r.series = p.series AND r.number = p.number \
        WHERE p.series = $1 ORDER BY p.number";
    THREAD_VERSIONS = "SELECT s.id, s.supersedes, s.version, s.fraction, s.title, s.state, s.review, s.sent_at, \
        s.new_count, s.fixed_count FROM series s WHERE s.thread = (SELECT thread FROM series WHERE id = $1) \
        ORDER BY s.version, COALESCE(s.fraction, 0), s.sent_at, s.id";
    POLICIES = "SELECT l.policy FROM series_list sl JOIN list l ON l.id = sl.list WHERE sl.series = $1";
}

struct PartRow {
    number: u32,
    mail: Option<MailId>,
    title: String,
    outcome: Option<(PatchState, Option<String>)>,
}

impl Store {
    /// Everything about one series; `None` where there is no such series. An id that was merged into
    /// another series gives that one: compare `summary.id` and redirect.
    ///
    /// # Errors
    ///
    /// [`super::StoreError`] when the database cannot be read.
    pub async fn series_page(&self, id: SeriesId) -> Result<Option<SeriesPage>> {
        let mut id = id;
        let summary = if let Some(summary) = self.summary_of(id).await? {
            summary
        } else {
            let Some(alias) = self.alias(id).await? else {
                return Ok(None);
            };
            id = alias;
            let Some(summary) = self.summary_of(id).await? else {
                return Ok(None);
            };
            summary
        };
        let versions = self.versions(id).await?;
        let mut findings = self.findings_of(id, &versions).await?;
        let mut take = |patch: Option<u32>, state: FindingState| {
            let (taken, rest) = std::mem::take(&mut findings)
                .into_iter()
                .partition(|it| it.detail.patch == patch && it.detail.state == state);
            findings = rest;
            taken
        };
        let new = take(None, FindingState::New);
        let fixed = take(None, FindingState::Fixed);
        let (since, addressed) = self.addressed(&summary, &versions, &new).await?;
        let mut cover = None;
        let mut patches = Vec::new();
        // While a review is due, what the last one said of each patch is out of date.
        let is_reviewed = summary.review != ReviewState::Waiting;
        for part in self.parts(id).await? {
            let (mail, diff) = self.part_mail(part.mail).await?;
            if part.number == 0 {
                cover = mail;
                continue;
            }
            let (state, reason) = match part.outcome {
                _ if mail.is_none() => (PatchState::Missing, None),
                Some(outcome) if is_reviewed => outcome,
                _ => (PatchState::Waiting, None),
            };
            patches.push(PatchView {
                index: part.number,
                mail,
                subject: part.title,
                state,
                reason,
                diff,
                new: take(Some(part.number), FindingState::New),
                fixed: take(Some(part.number), FindingState::Fixed),
            });
        }
        Ok(Some(SeriesPage {
            cover,
            patches,
            versions,
            replies: self.replies(id).await?,
            review: self.review(id).await?,
            new,
            fixed,
            since,
            addressed,
            reasons: self.reasons(id).await?,
            outbox: self.outbox_of(id).await?,
            policy: self.policy_of(id).await?,
            summary,
        }))
    }

    /// The linted version before this one, and what it brought that this one does not.
    async fn addressed(
        &self,
        series: &SeriesSummary,
        versions: &[VersionLink],
        new: &[Finding],
    ) -> Result<(Option<u32>, Vec<Finding>)> {
        let older = versions.iter().take_while(|it| it.id != series.id);
        let linted =
            |it: &&VersionLink| matches!(it.review, ReviewState::Linted | ReviewState::Partial);
        let Some(older) = older.filter(linted).last() else {
            return Ok((None, Vec::new()));
        };
        // What a patch that has not been linted brings is not known to be gone.
        if series.review != ReviewState::Linted {
            return Ok((Some(older.version), Vec::new()));
        }
        let mut before = self.findings_of(older.id, versions).await?;
        before.retain(|it| {
            let is_here = new
                .iter()
                .any(|new| new.detail.fingerprint == it.detail.fingerprint);
            it.detail.patch.is_none() && it.detail.state == FindingState::New && !is_here
        });
        Ok((Some(older.version), before))
    }

    async fn alias(&self, old: SeriesId) -> Result<Option<SeriesId>> {
        sqlx::query_scalar(ALIAS)
            .bind(old.0)
            .fetch_optional(&self.readers)
            .await
            .map(|id| id.map(SeriesId))
            .map_err(failed("following a merged series"))
    }

    async fn reasons(&self, id: SeriesId) -> Result<Vec<String>> {
        let row = sqlx::query(REASONS)
            .bind(id.0)
            .fetch_one(&self.readers)
            .await
            .map_err(failed("reading a series' reasons"))?;
        Columns::new(&row).json("series.reasons")
    }

    async fn parts(&self, id: SeriesId) -> Result<Vec<PartRow>> {
        let rows = sqlx::query(PARTS)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a series' parts"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                let number = columns.number()?;
                let mail = columns.take::<Option<i64>>()?.map(MailId);
                let title = columns.take()?;
                let state: Option<String> = columns.take()?;
                let reason: Option<String> = columns.take()?;
                let outcome = state
                    .and_then(|it| PatchState::parse(&it))
                    .map(|it| (it, reason));
                Ok(PartRow {
                    number,
                    mail,
                    title,
                    outcome,
                })
            })
            .collect()
    }

    async fn part_mail(&self, mail: Option<MailId>) -> Result<(Option<MailView>, Vec<u8>)> {
        let Some(mail) = mail else {
            return Ok((None, Vec::new()));
        };
        Ok(match self.mail_view(mail).await? {
            Some((view, diff)) => (Some(view), diff),
            None => (None, Vec::new()),
        })
    }

    /// The chain of versions that a series belongs to, oldest first.
    pub(super) async fn versions(&self, id: SeriesId) -> Result<Vec<VersionLink>> {
        let rows = sqlx::query(THREAD_VERSIONS)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the versions"))?;
        let mut all = Vec::new();
        for row in &rows {
            let mut columns = Columns::new(row);
            let id = SeriesId(columns.take()?);
            let older = columns.take::<Option<i64>>()?.map(SeriesId);
            let link = VersionLink {
                id,
                version: columns.number()?,
                fraction: columns.fraction()?,
                title: columns.take()?,
                state: columns.state("series.state", SeriesState::parse)?,
                review: columns.state("series.review", ReviewState::parse)?,
                sent_at: columns.time()?,
                new_count: columns.number()?,
                fixed_count: columns.number()?,
            };
            all.push((link, older));
        }
        let mut chain = BTreeSet::from([id]);
        loop {
            let before = chain.len();
            for (link, older) in &all {
                if let Some(older) = older
                    && (chain.contains(&link.id) || chain.contains(older))
                {
                    chain.extend([link.id, *older]);
                }
            }
            if chain.len() == before {
                break;
            }
        }
        Ok(all
            .into_iter()
            .map(|it| it.0)
            .filter(|it| chain.contains(&it.id))
            .collect())
    }

    async fn policy_of(&self, id: SeriesId) -> Result<ListPolicy> {
        let rows = sqlx::query(POLICIES)
            .bind(id.0)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the lists' policies"))?;
        let policies = rows
            .iter()
            .map(|row| Columns::new(row).state("list.policy", ListPolicy::parse))
            .collect::<Result<Vec<_>>>()?;
        Ok(policies.into_iter().min().unwrap_or_default())
    }
}
