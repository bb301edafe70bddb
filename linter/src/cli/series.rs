//! `lorelint series`: what a mailbox holds, without a database.

use anyhow::Context as _;
use lorelint_mail::export::SeriesRecord;
use lorelint_mail::{Assembly, Head, Message, Series, SeriesState};
use serde_json::{Value, json};

use super::args::{Common, SeriesArgs, SeriesFormat};
use super::mails::{self, SourceMail};
use super::{ExitStatus, Io, bases};
use crate::base::{self, BaseChoice, BaseRequest, BranchHint, HintStrength};
use crate::diff::{self, Patch};
use crate::tree::{GitRepo, Overlay};

/// Commits of each branch in which the blobs of the `index` lines are looked for.
const HISTORY: usize = 100;

pub(super) fn run(
    args: &SeriesArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let source = mails::read(&args.source, io)?;
    if !common.quiet {
        for warning in &source.warnings {
            writeln!(io.stderr, "lorelint: warning: {warning}")?;
        }
    }
    let messages: Vec<Message> = source
        .mails
        .iter()
        .map(|it| lorelint_mail::parse_message(&it.raw))
        .collect();
    let heads: Vec<Head> = messages
        .iter()
        .zip(0..)
        .map(|(it, at)| head(it, at))
        .collect();
    let assembly = lorelint_mail::assemble(&heads);
    match args.format {
        SeriesFormat::Jsonl => {
            for series in &assembly.series {
                serde_json::to_writer(&mut *io.stdout, &SeriesRecord::from(series))?;
                writeln!(io.stdout)?;
            }
        }
        SeriesFormat::Text => text(&assembly, io)?,
        SeriesFormat::Json => {
            let repo = repository(common, io)?;
            let series: Vec<Value> = assembly
                .series
                .iter()
                .map(|it| {
                    series_json(
                        it,
                        (&assembly, &messages),
                        repo.as_ref(),
                        args.base.as_deref(),
                    )
                })
                .collect::<anyhow::Result<_>>()?;
            let report = json!({
                "version": 1,
                "messages": messages_json(&assembly, &messages, &source.mails),
                "series": series,
                "warnings": source.warnings,
            });
            serde_json::to_writer_pretty(&mut *io.stdout, &report)?;
            writeln!(io.stdout)?;
        }
    }
    Ok(ExitStatus::Clean)
}

/// The place in the source stands for the time of arrival, which a mailbox does not tell.
fn head(message: &Message, position: i64) -> Head {
    let mut head = message.head(None);
    head.archived = Some(position);
    head
}

/// Applying needs a git repository: final trees are git's.
fn repository(common: &Common, io: &Io<'_>) -> anyhow::Result<Option<GitRepo>> {
    if common.tree.is_none() {
        return Ok(None);
    }
    let path = super::tree::locate(common, io)?;
    GitRepo::open(&path).map(Some).with_context(|| {
        format!(
            "series are applied to a git repository, and {} is none",
            path.display()
        )
    })
}

fn messages_json(assembly: &Assembly, messages: &[Message], mails: &[SourceMail]) -> Vec<Value> {
    assembly
        .placements
        .iter()
        .zip(messages)
        .zip(mails)
        .map(|((place, message), mail)| {
            json!({
                "file": mail.name,
                "message_id": place.message,
                "subject": message.subject.raw,
                "class": place.class.as_str(),
                "series": place.series,
                "number": place.number,
                "reason": place.reason,
                "trailers": message.trailers,
                "problems": message.problems,
            })
        })
        .collect()
}

fn series_json(
    series: &Series,
    (assembly, messages): (&Assembly, &[Message]),
    repo: Option<&GitRepo>,
    base: Option<&str>,
) -> anyhow::Result<Value> {
    let patches: Vec<Value> = series
        .patches
        .iter()
        .zip(1..)
        .filter_map(|(it, number)| it.as_ref().map(|it| (it, number)))
        .map(|(it, number): (_, u32)| {
            json!({
                "number": number,
                "message_id": it.id,
                "title": it.title,
                "author": it.author,
                "version": it.version,
            })
        })
        .collect();
    let mut value = json!({
        "key": series.key,
        "version": series.version,
        "version_fraction": series.version_fraction,
        "total": series.total,
        "name": series.name,
        "prefixes": series.prefixes,
        "resend": series.resend,
        "rfc": series.rfc,
        "submitter": series.submitter,
        "date": series.date,
        "cover": series.cover.as_ref().map(|it| &it.id),
        "patches": patches,
        "missing": series.missing,
        "complete": series.complete,
        "state": series.state.as_str(),
        "supersedes": series.supersedes,
        "declared_base": series.base_commit,
        "prerequisite_patch_ids": series.prerequisite_patch_ids,
        "depends_on": series.depends_on,
        "dependencies": assembly.dependencies(series).iter().map(|it| &it.key).collect::<Vec<_>>(),
        "change_id": series.change_id,
        "reasons": series.reasons,
    });
    if let Some(repo) = repo {
        let outcome = apply(series, (assembly, messages), repo, base)?;
        value["applied"] = json!(outcome.final_tree.is_some());
        value["applied_count"] = json!(outcome.applied_count);
        value["final_tree"] = json!(outcome.final_tree);
        value["reason"] = json!(outcome.reason);
        value["base"] = outcome.base.map_or(
            Value::Null,
            |it| json!({"rev": it.revision, "how": it.how.as_str(), "why": it.why}),
        );
    }
    Ok(value)
}

/// How far a series goes onto its base.
struct Outcome {
    base: Option<BaseChoice>,
    applied_count: usize,
    /// Set only when the whole series applies.
    final_tree: Option<String>,
    /// Why it does not.
    reason: Option<String>,
}

fn apply(
    series: &Series,
    (assembly, messages): (&Assembly, &[Message]),
    repo: &GitRepo,
    given: Option<&str>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome {
        base: None,
        applied_count: 0,
        final_tree: None,
        reason: None,
    };
    let mut patches: Vec<Patch> = Vec::new();
    for (part, number) in series.patches.iter().zip(1..) {
        match parsed(part.as_ref().map(|it| &messages[it.head]), number) {
            Ok(patch) => patches.push(patch),
            Err(reason) => {
                outcome.reason = Some(reason);
                break;
            }
        }
    }
    if patches.is_empty() {
        outcome
            .reason
            .get_or_insert_with(|| "the series has no patches".to_owned());
        return Ok(outcome);
    }
    outcome.base = choose_base(series, (assembly, messages), repo, given, &patches)?;
    let base = outcome.base.as_ref();
    let tree = repo.tree(base.map_or("HEAD", |it| it.revision.as_str()))?;
    let prerequisites = base.map(|it| it.prerequisites.clone());
    let mut state = Overlay::new(&tree).with(prerequisites.unwrap_or_default());
    for (patch, number) in patches.iter().zip(1..) {
        match diff::apply_or_merge(patch, &state) {
            Ok(applied) => {
                state = state.with(applied.changes.into_iter().map(|it| (it.path, it.content)));
                outcome.applied_count += 1;
            }
            Err(failure) => {
                let reason = format!("patch {number} does not apply: {failure}");
                outcome.reason = Some(reason);
                return Ok(outcome);
            }
        }
    }
    if outcome.reason.is_none() {
        outcome.final_tree = state.tree_id()?;
    }
    Ok(outcome)
}

fn choose_base(
    series: &Series,
    (assembly, messages): (&Assembly, &[Message]),
    repo: &GitRepo,
    given: Option<&str>,
    patches: &[Patch],
) -> anyhow::Result<Option<BaseChoice>> {
    let prerequisites = bases::below(series, assembly, messages);
    let candidates = bases::candidates(repo, "HEAD");
    let last = BranchHint {
        strength: HintStrength::List,
        branch: "HEAD".to_owned(),
        why: "what is checked out".to_owned(),
    };
    let hints = bases::hints(
        repo,
        &candidates,
        &series.prefixes,
        &diff::paths(patches),
        Some(last),
    );
    let preimages = diff::preimages(patches);
    let request = BaseRequest {
        given,
        base_commit: series.base_commit.as_deref(),
        prerequisites: &prerequisites,
        preimages: &preimages,
        candidates: &candidates,
        history: HISTORY,
        branches: &hints,
    };
    Ok(base::choose(repo, &request)?)
}

fn parsed(message: Option<&Message>, number: u32) -> Result<Patch, String> {
    let message = message.ok_or_else(|| format!("patch {number} is missing"))?;
    let diff = message
        .diff
        .as_deref()
        .ok_or_else(|| format!("patch {number} has no diff"))?;
    diff::parse(diff).map_err(|error| format!("patch {number} cannot be read: {error}"))
}

fn text(assembly: &Assembly, io: &mut Io<'_>) -> anyhow::Result<()> {
    for series in &assembly.series {
        let total = series.total.map_or("n".to_owned(), |it| it.to_string());
        let own = series.patches.len() - series.missing.len();
        writeln!(
            io.stdout,
            "v{}{} {own}/{total} {}{}",
            series.version,
            series
                .version_fraction
                .map_or(String::new(), |it| format!(".{it}")),
            series.name,
            match series.state {
                SeriesState::Complete => "",
                SeriesState::PartialReroll => " (the rest is as in the version before)",
                SeriesState::Incomplete => " (incomplete)",
                SeriesState::Open => " (how many there are is not said)",
            }
        )?;
        for reason in &series.reasons {
            writeln!(io.stdout, "    {reason}")?;
        }
        for (part, number) in series.patches.iter().zip(1_u32..) {
            match part {
                Some(part) => writeln!(io.stdout, "  {number:4} {} <{}>", part.title, part.id)?,
                None => writeln!(io.stdout, "  {number:4} (missing)")?,
            }
        }
    }
    Ok(())
}
