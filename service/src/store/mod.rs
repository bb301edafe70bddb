//! The database: typed methods that return model types; the only user of sqlx.

mod error;

pub use error::StoreError;

use crate::model::{
    Finding, FindingFilter, FindingId, FindingRow, JobsSummary, ListSummary, MailId, OutboxEntry,
    OutboxId, OutboxItem, OutboxState, Page, PageRequest, Refusal, RuleCount, SeriesFilter,
    SeriesId, SeriesPage, SeriesSummary,
};

/// The database. Cloning is cheap, all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {}

type Result<T, E = StoreError> = std::result::Result<T, E>;

#[expect(clippy::unused_async, reason = "signatures first")]
impl Store {
    /// Opens `sqlite:PATH` (`sqlite::memory:` for a throw-away one), creates and migrates it where needed.
    pub async fn open(address: &str) -> Result<Self> {
        let _ = address;
        Ok(Self {})
    }

    /// Series, newest activity first.
    pub async fn series_list(
        &self,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesSummary>> {
        let _ = (filter, page);
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    }

    /// Everything about one series; `None` where there is no such series. An id that was merged into
    /// another series gives that one: compare `summary.id` and redirect.
    pub async fn series_page(&self, id: SeriesId) -> Result<Option<SeriesPage>> {
        let _ = id;
        Ok(None)
    }

    /// The series that holds this message id as cover or patch, else the one that it answers; the newest where several do.
    pub async fn series_by_message_id(&self, message_id: &str) -> Result<Option<SeriesId>> {
        let _ = message_id;
        Ok(None)
    }

    /// One finding with its series' title; `None` where there is none.
    pub async fn finding(&self, id: FindingId) -> Result<Option<FindingRow>> {
        let _ = id;
        Ok(None)
    }

    /// Net findings of series, newest review first.
    pub async fn findings(
        &self,
        filter: &FindingFilter,
        page: PageRequest,
    ) -> Result<Page<FindingRow>> {
        let _ = (filter, page);
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    }

    /// Net findings by rule; sorted by rule. Rules that never fired are not listed.
    pub async fn rule_counts(&self) -> Result<Vec<RuleCount>> {
        Ok(Vec::new())
    }

    /// Replies, newest first; all states where `state` is `None`.
    pub async fn outbox_list(
        &self,
        state: Option<OutboxState>,
        page: PageRequest,
    ) -> Result<Page<OutboxEntry>> {
        let _ = (state, page);
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    }

    /// One reply; `None` where there is none.
    pub async fn outbox_item(&self, id: OutboxId) -> Result<Option<OutboxItem>> {
        let _ = id;
        Ok(None)
    }

    /// All lists, sorted by address.
    pub async fn lists(&self) -> Result<Vec<ListSummary>> {
        Ok(Vec::new())
    }

    /// What was refused, newest first, at most `limit`.
    pub async fn refusals(&self, limit: u32) -> Result<Vec<Refusal>> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// The queue at this moment.
    pub async fn jobs_summary(&self) -> Result<JobsSummary> {
        Ok(JobsSummary::default())
    }

    /// The mail as it came; `None` where there is none.
    pub async fn raw_mail(&self, id: MailId) -> Result<Option<Vec<u8>>> {
        let _ = id;
        Ok(None)
    }

    /// Series counted by state, for the head of the list and the metrics.
    pub async fn series_counts(&self) -> Result<Vec<(crate::model::SeriesState, u64)>> {
        Ok(Vec::new())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[expect(dead_code, reason = "signatures first")]
type Unused = Finding;
