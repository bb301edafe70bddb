//! Replaces the series of the threads that a batch touched: the mails decide anew, the ids stay.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lorelint_mail::{Assembly, Head, Series};

use crate::model::{
    MailId, MailKind, PartDraft, Person, Placed, SeriesDraft, SeriesId, SeriesState, StoredHead,
    StoredSeries, Timestamp,
};
use crate::store::{Batch, StoreError};

/// An incomplete series is linted when nothing has come for this long.
const SETTLE_SECONDS: i64 = 600;
/// More places than this are not kept: a subject may claim four thousand million parts.
const MAX_PLACES: usize = 2_000;

/// Assembles the threads and writes what changed; returns how many series are new or changed.
pub(super) async fn assemble_threads(
    batch: &mut Batch,
    threads: &[MailId],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    let mut places = Vec::new();
    for thread in threads {
        changed += assemble_thread(batch, *thread, now, &mut places).await?;
    }
    batch.place(&places).await?;
    Ok(changed)
}

async fn assemble_thread(
    batch: &mut Batch,
    thread: MailId,
    now: Timestamp,
    places: &mut Vec<(MailId, Placed)>,
) -> Result<u64, StoreError> {
    let stored = batch.heads(thread).await?;
    let known = batch.series_of(thread).await?;
    let mut rows = Vec::new();
    let mut heads = Vec::new();
    for row in stored {
        // A head written by another version of this program may have another form.
        if let Ok(head) = serde_json::from_str::<Head>(&row.head) {
            rows.push(row);
            heads.push(head);
        }
    }
    let assembly = catch_unwind(AssertUnwindSafe(|| lorelint_mail::assemble(&heads)))
        .unwrap_or_else(|_| {
            tracing::error!(
                thread.id = thread.0,
                "assembly failed on thread {thread}: its mails stay without series"
            );
            Assembly::default()
        });
    let ids = recognise(batch, &assembly.series, &rows, &known).await?;
    let view = Thread {
        id: thread,
        rows: &rows,
        heads: &heads,
        assembly: &assembly,
        ids: &ids,
        now,
    };
    let mut changed = 0;
    for series in &assembly.series {
        let draft = view.draft(series);
        let before = known.iter().find(|it| it.id == draft.id);
        if before.is_some_and(|it| it.assembly_digest == draft.assembly_digest) {
            continue;
        }
        changed += 1;
        batch.put_series(&draft).await?;
        let has_patch = draft
            .parts
            .iter()
            .any(|it| it.number > 0 && it.mail.is_some());
        if has_patch && before.is_none_or(|it| it.input_digest != draft.input_digest) {
            batch.enqueue_lint(draft.id, due_at(&draft, now)).await?;
        }
    }
    drop_lost(batch, &view, &known).await?;
    for (position, row) in rows.iter().enumerate() {
        let placed = view.placed(position);
        if placed != row.placed {
            places.push((row.mail, placed));
        }
    }
    Ok(changed)
}

/// A complete series is due at once; parts that are missing get some time to arrive.
fn due_at(draft: &SeriesDraft, now: Timestamp) -> Timestamp {
    if draft.is_complete {
        now
    } else {
        now.max(draft.active_at.plus_seconds(SETTLE_SECONDS))
    }
}

/// Mails that a series sent itself: what it is recognised by when more of it arrives.
fn own_mails(series: &Series, rows: &[StoredHead]) -> BTreeSet<MailId> {
    series
        .cover
        .iter()
        .chain(series.patches.iter().flatten())
        .filter(|part| part.version == series.version)
        .filter_map(|part| rows.get(part.head))
        .map(|row| row.mail)
        .collect()
}

/// Gives each series the id of the known series with which it shares most mails, else a new one.
async fn recognise(
    batch: &mut Batch,
    series: &[Series],
    rows: &[StoredHead],
    known: &[StoredSeries],
) -> Result<BTreeMap<String, SeriesId>, StoreError> {
    let mut pairs = Vec::new();
    for (at, series) in series.iter().enumerate() {
        let own = own_mails(series, rows);
        for old in known {
            let shared = old.mails.iter().filter(|it| own.contains(it)).count();
            if shared > 0 {
                pairs.push((std::cmp::Reverse(shared), old.id, at));
            }
        }
    }
    pairs.sort_unstable();
    let mut taken = BTreeSet::new();
    let mut given: BTreeMap<usize, SeriesId> = BTreeMap::new();
    for (_, id, at) in pairs {
        if !given.contains_key(&at) && taken.insert(id) {
            given.insert(at, id);
        }
    }
    let fresh = if given.len() < series.len() {
        batch.new_series_ids(series.len() - given.len()).await?
    } else {
        Vec::new()
    };
    let mut fresh = fresh.into_iter();
    let mut ids = BTreeMap::new();
    for (at, series) in series.iter().enumerate() {
        let id = given.get(&at).copied().or_else(|| fresh.next());
        ids.extend(id.map(|id| (series.key.clone(), id)));
    }
    Ok(ids)
}

/// Removes known series that are no more; the one that holds most of their mails takes their links.
async fn drop_lost(
    batch: &mut Batch,
    thread: &Thread<'_>,
    known: &[StoredSeries],
) -> Result<(), StoreError> {
    let kept: BTreeSet<SeriesId> = thread.ids.values().copied().collect();
    for old in known.iter().filter(|it| !kept.contains(&it.id)) {
        let heir = thread
            .assembly
            .series
            .iter()
            .filter_map(|series| {
                let own = own_mails(series, thread.rows);
                let shared = old.mails.iter().filter(|it| own.contains(it)).count();
                Some((shared, *thread.ids.get(&series.key)?))
            })
            .filter(|(shared, _)| *shared > 0)
            .max();
        batch.drop_series(old.id, heir.map(|it| it.1)).await?;
    }
    Ok(())
}

/// One thread with its assembly.
struct Thread<'a> {
    id: MailId,
    rows: &'a [StoredHead],
    heads: &'a [Head],
    assembly: &'a Assembly,
    ids: &'a BTreeMap<String, SeriesId>,
    now: Timestamp,
}

impl Thread<'_> {
    fn placed(&self, position: usize) -> Placed {
        let Some(placement) = self.assembly.placements.get(position) else {
            return Placed {
                kind: MailKind::Other,
                series: None,
                reason: String::new(),
            };
        };
        Placed {
            kind: MailKind::parse(placement.class.as_str()).unwrap_or(MailKind::Other),
            series: placement
                .series
                .as_ref()
                .and_then(|key| self.ids.get(key))
                .copied(),
            reason: placement.reason.clone(),
        }
    }

    fn draft(&self, series: &Series) -> SeriesDraft {
        let mut parts = Vec::new();
        let places = series.patches.iter().take(MAX_PLACES);
        for (number, part) in (0..).zip(std::iter::once(&series.cover).chain(places)) {
            if number == 0 && part.is_none() {
                continue;
            }
            parts.push(PartDraft {
                number,
                mail: part
                    .as_ref()
                    .and_then(|it| self.rows.get(it.head))
                    .map(|it| it.mail),
                version: part.as_ref().map_or(series.version, |it| it.version),
                title: part.as_ref().map(|it| it.title.clone()).unwrap_or_default(),
            });
        }
        let members = self.members(series);
        let active = members
            .iter()
            .filter_map(|(at, _)| self.heads.get(*at))
            .map(|it| it.date)
            .max();
        let carriers = members
            .iter()
            .filter(|it| it.1 != MailKind::Comment)
            .map(|it| it.0);
        let sent_at = Timestamp::from_seconds(series.date).min(self.now);
        let mut draft = SeriesDraft {
            id: self.ids[&series.key],
            thread: self.id,
            state: self.state(series),
            title: series.name.clone(),
            author: Person {
                name: series.submitter.name.clone(),
                address: series.submitter.email.clone(),
            },
            version: series.version,
            total: u32::try_from(series.patches.len())
                .unwrap_or(u32::MAX)
                .max(series.total.unwrap_or(0)),
            is_complete: series.patches.iter().all(Option::is_some) && series.total.is_some(),
            sent_at,
            active_at: active.map_or(sent_at, |it| Timestamp::from_seconds(it).min(self.now)),
            supersedes: series
                .supersedes
                .as_ref()
                .and_then(|key| self.ids.get(key))
                .copied(),
            base_commit: series.base_commit.clone(),
            prefixes: series.prefixes.clone(),
            reasons: series.reasons.clone(),
            reply_count: u32::try_from(
                members
                    .iter()
                    .filter(|it| it.1 == MailKind::Comment)
                    .count(),
            )
            .unwrap_or(u32::MAX),
            carriers: carriers
                .filter_map(|at| self.rows.get(at))
                .map(|it| it.mail)
                .collect(),
            input_digest: self.input_digest(series),
            assembly_digest: String::new(),
            parts,
        };
        draft.assembly_digest = self.assembly_digest(&draft);
        draft
    }

    /// Positions and kinds of the mails that are part of the series, answer it, or are copies of its mails.
    fn members(&self, series: &Series) -> Vec<(usize, MailKind)> {
        let placements = self.assembly.placements.iter().enumerate();
        placements
            .filter(|(_, it)| it.series.as_ref() == Some(&series.key))
            .filter_map(|(at, it)| Some((at, MailKind::parse(it.class.as_str())?)))
            .collect()
    }

    fn state(&self, series: &Series) -> SeriesState {
        let is_superseded = self
            .assembly
            .series
            .iter()
            .any(|it| it.supersedes.as_ref() == Some(&series.key));
        if is_superseded {
            return SeriesState::Superseded;
        }
        match series.state {
            lorelint_mail::SeriesState::Complete => SeriesState::Complete,
            lorelint_mail::SeriesState::PartialReroll => SeriesState::PartialReroll,
            lorelint_mail::SeriesState::Incomplete => SeriesState::Incomplete,
            lorelint_mail::SeriesState::Open => SeriesState::Open,
        }
    }

    fn input_digest(&self, series: &Series) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(series.base_commit.as_deref().unwrap_or("").as_bytes());
        for part in series.patches.iter().take(MAX_PLACES) {
            let hash = part
                .as_ref()
                .and_then(|it| self.heads.get(it.head))
                .map(|it| it.raw_hash.as_str());
            hasher.update(b"\n").update(hash.unwrap_or("-").as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    fn assembly_digest(&self, draft: &SeriesDraft) -> String {
        let marks: Vec<i64> = self
            .rows
            .iter()
            .filter(|it| draft.carriers.contains(&it.mail))
            .map(|it| it.lists_mark)
            .collect();
        let text = format!("{draft:?}{marks:?}");
        blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
    }
}
