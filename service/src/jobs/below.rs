//! What stands between the base and a series: the patches, or the series, that its mails name.

use std::collections::BTreeSet;

use lorelint::base::{MAX_PREREQUISITES, Prerequisite};
use lorelint::diff;
use lorelint_mail::{Head, MessageId};

use crate::model::{LintInput, SeriesId};
use crate::store::{Store, StoreError};

/// Series that are looked at, one standing on the other: more are a mistake or an attack.
const MAX_SERIES: usize = 50;

/// The patches below a series.
#[derive(Default)]
pub(super) struct Below {
    /// In the order in which they are to be applied.
    pub(super) patches: Vec<Prerequisite>,
    /// Ids of patches and of messages that are not here yet.
    pub(super) awaited: Vec<String>,
}

/// The mails of the series, as assembly sees them.
pub(super) fn heads(input: &LintInput) -> Vec<Head> {
    let heads = input.heads.iter();
    heads
        .filter_map(|it| serde_json::from_str(it).ok())
        .collect()
}

/// What `prerequisite-patch-id:` names; where nothing does, the patches of the series that `Depends-on:` names.
pub(super) async fn prerequisites(store: &Store, input: &LintInput) -> Result<Below, StoreError> {
    let heads = heads(input);
    let ids = heads
        .iter()
        .map(|it| &it.declared.prerequisite_patch_ids)
        .find(|it| !it.is_empty());
    match ids {
        Some(ids) => by_patch_id(store, ids).await,
        None => by_series(store, input.id, &heads).await,
    }
}

async fn by_patch_id(store: &Store, ids: &[String]) -> Result<Below, StoreError> {
    let known = store.patches_named(ids).await?;
    let is_unknown = |it: &&String| !known.contains_key(*it);
    Ok(Below {
        awaited: ids.iter().filter(is_unknown).cloned().collect(),
        patches: ids
            .iter()
            .map(|id| Prerequisite {
                patch_id: id.clone(),
                patch: known.get(id).and_then(|it| diff::parse(it).ok()),
            })
            .collect(),
    })
}

/// What is still to be looked at: a message that a series names, or a series whose own needs are met by then.
enum Step {
    Find(MessageId),
    Take(Box<LintInput>),
}

async fn by_series(store: &Store, own: SeriesId, own_heads: &[Head]) -> Result<Below, StoreError> {
    let mut below = Below::default();
    let mut seen = BTreeSet::from([own]);
    let mut steps = needs(own_heads);
    while let Some(step) = steps.pop() {
        match step {
            Step::Take(input) => take(&input, &mut below),
            Step::Find(id) => {
                let Some(series) = store.series_with(id.as_str()).await? else {
                    below.awaited.push(id.as_str().to_owned());
                    below.patches.push(unknown());
                    continue;
                };
                if seen.len() > MAX_SERIES || !seen.insert(series) {
                    continue;
                }
                let Some(input) = store.lint_input(series).await? else {
                    continue;
                };
                if input.parts.iter().any(|it| it.mail.is_none()) {
                    below.awaited.push(id.as_str().to_owned());
                }
                let more = needs(&heads(&input));
                steps.push(Step::Take(Box::new(input)));
                steps.extend(more);
            }
        }
        if below.patches.len() > MAX_PREREQUISITES {
            break;
        }
    }
    Ok(below)
}

/// The messages that a series names, the first one last: that is taken first.
fn needs(heads: &[Head]) -> Vec<Step> {
    let mut ids: Vec<&MessageId> = Vec::new();
    for id in heads.iter().flat_map(|it| &it.declared.depends_on) {
        if !ids.contains(&id) && heads.iter().all(|it| it.id != *id) {
            ids.push(id);
        }
    }
    ids.into_iter().rev().cloned().map(Step::Find).collect()
}

fn take(input: &LintInput, below: &mut Below) {
    below
        .patches
        .extend(input.parts.iter().map(|it| Prerequisite {
            patch_id: diff::patch_id(&it.diff).unwrap_or_default(),
            patch: diff::parse(&it.diff).ok(),
        }));
}

/// A place in which nothing known stands.
fn unknown() -> Prerequisite {
    Prerequisite {
        patch_id: String::new(),
        patch: None,
    }
}
