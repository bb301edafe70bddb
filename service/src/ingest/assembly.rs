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
/// Threads that are read and written together: few statements, and few heads in memory.
const CHUNK_THREADS: usize = 200;
/// More places than this are not kept: a subject may claim four thousand million parts.
const MAX_PLACES: usize = 2_000;

/// Assembles the threads and writes what changed; returns how many series are new or changed.
pub(super) async fn assemble_threads(
    batch: &mut Batch,
    threads: &[MailId],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    for chunk in threads.chunks(CHUNK_THREADS) {
        let mut heads = batch.heads_of(chunk).await?;
        let mut known = batch.series_of(chunk).await?;
        let found: Vec<Found> = chunk
            .iter()
            .map(|id| {
                let rows = heads.remove(id).unwrap_or_default();
                Found::new(*id, rows, known.remove(id).unwrap_or_default())
            })
            .collect();
        let fresh = found.iter().map(Found::fresh_count).sum();
        let mut fresh = batch.new_series_ids(fresh).await?.into_iter();
        let mut changes = Changes::default();
        for thread in found {
            thread.compare(&mut fresh, now, &mut changes);
        }
        batch.put_series(&changes.drafts).await?;
        batch.enqueue_lints(&changes.lints).await?;
        for (lost, heir) in changes.lost {
            batch.drop_series(lost, heir).await?;
        }
        batch.place(&changes.places).await?;
        changed += changes.drafts.len() as u64;
    }
    Ok(changed)
}

/// What is to be written after some threads were assembled.
#[derive(Default)]
struct Changes {
    drafts: Vec<SeriesDraft>,
    lints: Vec<(SeriesId, Timestamp)>,
    /// Series that are no more, with the one that takes their links.
    lost: Vec<(SeriesId, Option<SeriesId>)>,
    places: Vec<(MailId, Placed)>,
}

/// A thread, assembled, with what is stored of it.
struct Found {
    id: MailId,
    rows: Vec<StoredHead>,
    heads: Vec<Head>,
    known: Vec<StoredSeries>,
    assembly: Assembly,
    /// Positions of series in the assembly to the ids that they have already.
    given: BTreeMap<usize, SeriesId>,
}

impl Found {
    fn new(id: MailId, stored: Vec<StoredHead>, known: Vec<StoredSeries>) -> Self {
        let mut rows = Vec::with_capacity(stored.len());
        let mut heads = Vec::with_capacity(stored.len());
        for mut row in stored {
            // A head written by another version of this program may have another form.
            if let Ok(head) = serde_json::from_str::<Head>(&std::mem::take(&mut row.head)) {
                rows.push(row);
                heads.push(head);
            }
        }
        let assembly = catch_unwind(AssertUnwindSafe(|| lorelint_mail::assemble(&heads)))
            .unwrap_or_else(|_| {
                tracing::error!(
                    thread.id = id.0,
                    "assembly failed on thread {id}: its mails stay without series"
                );
                Assembly::default()
            });
        let given = recognise(&assembly.series, &rows, &known);
        Self {
            id,
            rows,
            heads,
            known,
            assembly,
            given,
        }
    }

    fn fresh_count(&self) -> usize {
        self.assembly.series.len() - self.given.len()
    }

    /// Adds what differs from what is stored to `changes`; new series take their ids from `fresh`.
    fn compare(
        self,
        fresh: &mut impl Iterator<Item = SeriesId>,
        now: Timestamp,
        changes: &mut Changes,
    ) {
        let mut ids = BTreeMap::new();
        for (at, series) in self.assembly.series.iter().enumerate() {
            let id = self.given.get(&at).copied().or_else(|| fresh.next());
            ids.extend(id.map(|id| (series.key.clone(), id)));
        }
        let view = Thread::new(&self, &ids, now);
        for series in &self.assembly.series {
            let draft = view.draft(series);
            let before = self.known.iter().find(|it| it.id == draft.id);
            if before.is_some_and(|it| it.assembly_digest == draft.assembly_digest) {
                continue;
            }
            let has_patch = draft
                .parts
                .iter()
                .any(|it| it.number > 0 && it.mail.is_some());
            if has_patch && before.is_none_or(|it| it.input_digest != draft.input_digest) {
                changes.lints.push((draft.id, due_at(&draft, now)));
            }
            changes.drafts.push(draft);
        }
        view.lost(&self.known, &mut changes.lost);
        for (position, row) in self.rows.iter().enumerate() {
            let placed = view.placed(position);
            if placed != row.placed {
                changes.places.push((row.mail, placed));
            }
        }
    }
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
        .own_parts()
        .filter_map(|part| rows.get(part.head))
        .map(|row| row.mail)
        .collect()
}

/// Which series is a known one: that with which it shares most mails. The others are new.
fn recognise(
    series: &[Series],
    rows: &[StoredHead],
    known: &[StoredSeries],
) -> BTreeMap<usize, SeriesId> {
    let mut pairs = Vec::new();
    if !known.is_empty() {
        for (at, series) in series.iter().enumerate() {
            let own = own_mails(series, rows);
            for old in known {
                let shared = old.mails.iter().filter(|it| own.contains(it)).count();
                if shared > 0 {
                    pairs.push((std::cmp::Reverse(shared), old.id, at));
                }
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
    given
}

/// One thread with its assembly.
struct Thread<'a> {
    id: MailId,
    rows: &'a [StoredHead],
    heads: &'a [Head],
    assembly: &'a Assembly,
    ids: &'a BTreeMap<String, SeriesId>,
    /// Positions and kinds of the mails that are part of a series, answer it, or are copies of its mails; by its key.
    members: BTreeMap<&'a str, Vec<(usize, MailKind)>>,
    /// Keys of series that another replaces.
    superseded: BTreeSet<&'a str>,
    now: Timestamp,
}

impl<'a> Thread<'a> {
    fn new(found: &'a Found, ids: &'a BTreeMap<String, SeriesId>, now: Timestamp) -> Self {
        let mut members: BTreeMap<&str, Vec<(usize, MailKind)>> = BTreeMap::new();
        for (at, placement) in found.assembly.placements.iter().enumerate() {
            let kind = MailKind::parse(placement.class.as_str());
            if let (Some(key), Some(kind)) = (&placement.series, kind) {
                members.entry(key).or_default().push((at, kind));
            }
        }
        let superseded = found.assembly.series.iter();
        Self {
            id: found.id,
            rows: &found.rows,
            heads: &found.heads,
            assembly: &found.assembly,
            ids,
            members,
            superseded: superseded
                .filter_map(|it| it.supersedes.as_deref())
                .collect(),
            now,
        }
    }

    /// Known series that are no more; the one that holds most of their mails takes their links.
    fn lost(&self, known: &[StoredSeries], lost: &mut Vec<(SeriesId, Option<SeriesId>)>) {
        let kept: BTreeSet<SeriesId> = self.ids.values().copied().collect();
        for old in known.iter().filter(|it| !kept.contains(&it.id)) {
            let heir = self
                .assembly
                .series
                .iter()
                .filter_map(|series| {
                    let own = own_mails(series, self.rows);
                    let shared = old.mails.iter().filter(|it| own.contains(it)).count();
                    Some((shared, *self.ids.get(&series.key)?))
                })
                .filter(|(shared, _)| *shared > 0)
                .max();
            lost.push((old.id, heir.map(|it| it.1)));
        }
    }

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
                is_own: !series.missing.contains(&number),
                title: part.as_ref().map(|it| it.title.clone()).unwrap_or_default(),
            });
        }
        let members: &[_] = self
            .members
            .get(series.key.as_str())
            .map_or(&[], Vec::as_slice);
        let active = members
            .iter()
            .filter_map(|(at, _)| self.heads.get(*at))
            .map(|it| it.date)
            .max();
        let carriers: Vec<&StoredHead> = members
            .iter()
            .filter(|it| it.1 != MailKind::Comment)
            .filter_map(|it| self.rows.get(it.0))
            .collect();
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
            fraction: series.version_fraction,
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
            carriers: carriers.iter().map(|it| it.mail).collect(),
            input_digest: self.input_digest(series),
            assembly_digest: String::new(),
            parts,
        };
        let marks: Vec<i64> = carriers.iter().map(|it| it.lists_mark).collect();
        let text = format!("{draft:?}{marks:?}");
        draft.assembly_digest = String::from(&blake3::hash(text.as_bytes()).to_hex()[..32]);
        draft
    }

    fn state(&self, series: &Series) -> SeriesState {
        if self.superseded.contains(series.key.as_str()) {
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
}
