//! Lints one series: base, patches in memory, findings, replies. Skipped where nothing changed since the last run.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use lorelint::base::Prerequisite;
use lorelint::diff;
use lorelint::report::{PatchInput, ReviewReport};
use lorelint::tree::{Overlay, TreeSource};
use tracing::{info, warn};

use super::{Context, below, convert};
use crate::bot::{ListRules, PlanInput, plan};
use crate::model::{
    Base, LintInput, LintPart, ListPolicy, NamedPatches, PatchOutcome, PatchState, ReviewDraft,
    ReviewState, Reviewed, SeriesId, SeriesPage,
};
use crate::trees::Found;

pub(super) async fn run(context: &Arc<Context>, id: SeriesId) -> anyhow::Result<()> {
    let Some(input) = context.store.lint_input(id).await? else {
        return Ok(());
    };
    let now = context.now();
    context.store.name_patches(&named(&input), now).await?;
    let below = below::prerequisites(&context.store, &input).await?;
    context.store.await_patches(id, &below.awaited).await?;
    let prerequisites = below.patches;
    let shared = Arc::clone(context);
    let outcome = tokio::task::spawn_blocking(move || lint(&shared, &input, &prerequisites))
        .await
        .context("linting a series")?;
    match outcome {
        Outcome::Linted(draft) => {
            info!(
                series.id = id.0,
                duration_ms = draft.duration_ms,
                findings.count = draft.findings.len(),
                "linted series {id}: {}",
                draft.state.as_str()
            );
            context.store.put_review(&draft, now).await?;
        }
        Outcome::SameBase(trees_digest) => context.store.keep_review(id, &trees_digest).await?,
        Outcome::Same => context.store.confirm_review(id).await?,
    }
    reply(context, id).await
}

/// What each mail of the series changes, and the ids under which others may wait for it.
fn named(input: &LintInput) -> NamedPatches {
    let parts = input.parts.iter();
    // Two series that wait for each other would be linted for ever if each run woke the other.
    let is_known = |it: &Reviewed| it.input_digest == input.input_digest;
    let is_changed = !input.reviewed.as_ref().is_some_and(is_known);
    NamedPatches {
        patches: parts
            .filter_map(|it| Some((it.mail?, diff::patch_id(&it.diff)?)))
            .collect(),
        message_ids: below::heads(input)
            .iter()
            .filter(|_| is_changed)
            .map(|it| it.id.as_str().to_owned())
            .collect(),
    }
}

/// What came of a run.
enum Outcome {
    Linted(Box<ReviewDraft>),
    /// The trees moved, and the base of this series did not: the digest of the trees as they are.
    SameBase(String),
    /// Neither the series nor the trees changed.
    Same,
}

fn lint(context: &Context, input: &LintInput, prerequisites: &[Prerequisite]) -> Outcome {
    let start = Instant::now();
    let trees = context.config.trees_for(&input.lists);
    let trees_digest = context.trees.digest(&trees);
    let same_mails = input
        .reviewed
        .as_ref()
        .filter(|it| it.input_digest == input.input_digest);
    if same_mails.is_some_and(|it| it.trees_digest == trees_digest) {
        return Outcome::Same;
    }
    let mut draft = ReviewDraft {
        series: input.id,
        state: ReviewState::NothingToLint,
        reason: None,
        base: None,
        final_tree: None,
        duration_ms: 0,
        unchanged_count: 0,
        gaps: Vec::new(),
        warnings: Vec::new(),
        patches: Vec::new(),
        findings: Vec::new(),
        input_digest: input.input_digest.clone(),
        trees_digest,
    };
    let found = base(context, input, &mut draft, (&trees, prerequisites));
    if let Some(found) = found {
        let Base { tree, rev, why, .. } = &found.base;
        let here = (tree.clone(), rev.clone(), why.clone());
        if same_mails.is_some_and(|it| it.base.as_ref() == Some(&here)) {
            return Outcome::SameBase(draft.trees_digest);
        }
        review(context, input, &mut draft, found);
    }
    draft.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Outcome::Linted(Box::new(draft))
}

/// Where the series starts; `None` when that ends the review, and `draft` says why.
fn base(
    context: &Context,
    input: &LintInput,
    draft: &mut ReviewDraft,
    (trees, prerequisites): (&[&crate::config::TreeConfig], &[Prerequisite]),
) -> Option<Found> {
    if input.parts.iter().all(|it| it.diff.is_empty()) {
        draft.reason = Some("no mail of it holds a diff".to_owned());
        return None;
    }
    draft.state = ReviewState::NoBase;
    match context.trees.choose(trees, input, prerequisites) {
        Ok(Some(found)) => return Some(found),
        Ok(None) if trees.is_empty() => {
            draft.reason = Some("no kernel tree is configured for its lists".to_owned());
        }
        Ok(None) => draft.reason = Some("no configured tree has its base".to_owned()),
        Err(error) => draft.reason = Some(error.to_string()),
    }
    None
}

fn review(context: &Context, input: &LintInput, draft: &mut ReviewDraft, found: Found) {
    let usable = usable(&input.parts);
    let patches: Vec<PatchInput> = usable.iter().map(patch_input).collect();
    let overlay;
    let tree: &dyn TreeSource = if found.prerequisites.is_empty() {
        &found.tree
    } else {
        overlay = Overlay::new(&found.tree).with(found.prerequisites);
        &overlay
    };
    match context.linter.review(tree, &patches) {
        Ok(report) => fill(draft, input, found.base, report),
        Err(error) => {
            warn!(
                series.id = input.id.0,
                "series {} cannot be linted: {error}", input.id
            );
            draft.state = ReviewState::Failed;
            draft.reason = Some(error.to_string());
            draft.base = Some(found.base);
        }
    }
}

/// The patches before the first one that is missing or empty: later ones build on it.
fn usable(parts: &[LintPart]) -> &[LintPart] {
    let end = parts
        .iter()
        .position(|it| it.diff.is_empty())
        .unwrap_or(parts.len());
    &parts[..end]
}

fn patch_input(part: &LintPart) -> PatchInput {
    PatchInput {
        index: part.index,
        subject: part.subject.clone(),
        message_id: part.message_id.clone(),
        commit: None,
        diff: part.diff.clone(),
    }
}

fn fill(draft: &mut ReviewDraft, input: &LintInput, base: Base, report: ReviewReport) {
    let mut applied = 0;
    let mut first_failure = None;
    for part in &input.parts {
        let outcome = match report.patches.iter().find(|it| it.index == part.index) {
            Some(patch) if patch.reason.is_none() => {
                applied += 1;
                (PatchState::Applied, None)
            }
            Some(patch) if first_failure.is_none() => {
                let reason = patch.reason.clone();
                first_failure = Some(format!(
                    "patch {} does not apply: {}",
                    part.index,
                    reason.as_deref().unwrap_or_default()
                ));
                (PatchState::DoesNotApply, reason)
            }
            Some(patch) => (PatchState::Skipped, patch.reason.clone()),
            None if part.message_id.is_none() => {
                first_failure.get_or_insert(format!("patch {} has not arrived", part.index));
                (PatchState::Missing, None)
            }
            None => {
                let reason = match &first_failure {
                    Some(failure) => format!("not linted because {failure}"),
                    None => "it holds no diff".to_owned(),
                };
                first_failure.get_or_insert(format!("patch {} holds no diff", part.index));
                (PatchState::Skipped, Some(reason))
            }
        };
        draft.patches.push(PatchOutcome {
            index: part.index,
            state: outcome.0,
            reason: outcome.1,
        });
    }
    draft.state = match (applied, &first_failure) {
        (_, None) => ReviewState::Linted,
        (0, _) if report.patches.first().is_some_and(|it| it.reason.is_some()) => {
            ReviewState::DoesNotApply
        }
        _ => ReviewState::Partial,
    };
    draft.reason = first_failure;
    draft.base = Some(base);
    draft.findings = convert::findings(&report);
    draft.final_tree = report.final_tree;
    draft.unchanged_count = report.unchanged;
    draft.gaps = report.gaps.iter().map(convert::gap).collect();
    draft.warnings = report.warnings.iter().map(convert::warning).collect();
}

/// Composes what could be said on the list; whether it goes out is the policy's word.
async fn reply(context: &Context, id: SeriesId) -> anyhow::Result<()> {
    let Some(bot) = &context.config.bot else {
        return Ok(());
    };
    let Some(page) = context.store.series_page(id).await? else {
        return Ok(());
    };
    if page.new.is_empty() {
        return Ok(());
    }
    let Some(rules) = quietest(context, &page) else {
        return Ok(());
    };
    let mut mails = Vec::new();
    for patch in &page.patches {
        let Some(mail) = &patch.mail else { continue };
        if let Some(raw) = context.store.raw_mail(mail.summary.id).await? {
            mails.push(lorelint_mail::parse_message(&raw));
        }
    }
    let now = context.now();
    let sent = context
        .store
        .replies_since(rules.list.address(), now.plus_seconds(-86_400))
        .await?;
    let plan = plan(&PlanInput {
        bot,
        rules: &rules,
        page: &page,
        mails: &mails,
        sent_today: u32::try_from(sent).unwrap_or(u32::MAX),
        now,
    });
    for (index, reason) in &plan.unanswerable {
        info!(
            series.id = id.0,
            "series {id}: no reply to patch {index}: {}",
            reason.sentence()
        );
    }
    Ok(context.store.put_replies(&plan.drafts, now).await?)
}

/// The rules of the quietest list that carried the series: a cross-post must not talk a silent list into mail.
fn quietest(context: &Context, page: &SeriesPage) -> Option<ListRules> {
    let lists = page.summary.lists.iter();
    let rules = lists.filter_map(|it| context.config.rules(it));
    rules.min_by_key(|it| (loudness(it.policy), it.list.address().to_owned()))
}

const fn loudness(policy: ListPolicy) -> u8 {
    match policy {
        ListPolicy::Silent => 0,
        ListPolicy::Author => 1,
        ListPolicy::List => 2,
    }
}
