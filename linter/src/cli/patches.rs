//! A SOURCE of `lorelint review` as one series of patches.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use lorelint_mail::{Head, Message, Series};

use super::mails::{self, SourceMail};
use super::{Io, bases};
use crate::base::Prerequisite;
use crate::diff;
use crate::report::PatchInput;
use crate::tree::GitRepo;

/// Patches in order, and what the mails around them say.
#[derive(Default)]
pub(super) struct SeriesSource {
    /// The patches that are there, in series order.
    pub(super) patches: Vec<PatchInput>,
    /// The cover's title, else the first patch's.
    pub(super) title: String,
    /// From 1.
    pub(super) version: u32,
    /// How many patches the series says it has, else how many there are.
    pub(super) total: u32,
    /// Who sent them; empty where nothing says.
    pub(super) author: String,
    /// `base-commit:`, as the mails have it.
    pub(super) base_commit: Option<String>,
    /// What stands between the base and the series, as far as the source holds it.
    pub(super) prerequisites: Vec<Prerequisite>,
    /// Tags of the subject.
    pub(super) prefixes: Vec<String>,
    /// The revision on which a git range stands.
    pub(super) parent: Option<String>,
    /// One sentence for each thing that was left out or is missing.
    pub(super) warnings: Vec<String>,
}

/// Reads SOURCE: a range `A..B` of `repo` where no file has that name, else mails or bare diffs.
///
/// # Errors
///
/// When there is no patch, or the range cannot be read.
pub(super) fn read(
    source: &str,
    repo: Option<&GitRepo>,
    io: &mut Io<'_>,
) -> anyhow::Result<SeriesSource> {
    if source.contains("..") && !io.working_dir.join(source).exists() {
        let repo = repo.with_context(|| {
            format!("{source} is a git range, and the tree is no git repository")
        })?;
        return from_range(source, repo);
    }
    let found = mails::read(source, io)?;
    let messages: Vec<Message> = found
        .mails
        .iter()
        .map(|it| lorelint_mail::parse_message(&it.raw))
        .collect();
    // Files that never went by mail have no ids to tell how they belong together: their order does.
    let is_mail = messages.iter().any(|it| !it.synthetic_id);
    let mut patches = if is_mail {
        from_mails(&messages, source)?
    } else {
        from_files(source, &found.mails, &messages)
    };
    if patches.patches.is_empty() {
        bail!("{source} holds no patch: a patch has a unified diff");
    }
    patches.warnings.extend(found.warnings);
    Ok(patches)
}

fn from_mails(messages: &[Message], source: &str) -> anyhow::Result<SeriesSource> {
    let heads: Vec<Head> = messages
        .iter()
        .zip(0..)
        .map(|(message, position)| {
            // A mailbox does not tell when its mails came in; their order does.
            let mut head = message.head(None);
            head.archived = Some(position);
            head
        })
        .collect();
    let assembly = lorelint_mail::assemble(&heads);
    let is_latest = |it: &&Series| {
        let replaced = |other: &Series| other.supersedes.as_deref() == Some(it.key.as_str());
        !assembly.series.iter().any(replaced) && it.patches.iter().any(Option::is_some)
    };
    let mut latest: Vec<&Series> = assembly.series.iter().filter(is_latest).collect();
    let below: BTreeSet<&str> = latest
        .iter()
        .flat_map(|it| assembly.dependencies(it))
        .map(|it| it.key.as_str())
        .collect();
    latest.retain(|it| !below.contains(it.key.as_str()));
    let Some(series) = latest.pop() else {
        bail!("{source} holds no patch series");
    };
    let mut warnings = Vec::new();
    for other in latest {
        warnings.push(format!(
            "{source} holds another series, which was left out: {} (v{})",
            other.name, other.version
        ));
    }
    for number in &series.missing {
        if series
            .patches
            .get(*number as usize - 1)
            .is_none_or(Option::is_none)
        {
            warnings.push(format!("patch {number} of the series is missing"));
        }
    }
    let parts = series.patches.iter().zip(1..);
    let patches = parts.filter_map(|(part, index)| {
        let part = part.as_ref()?;
        let message = &messages[part.head];
        Some(PatchInput {
            index,
            subject: part.title.clone(),
            message_id: (!message.synthetic_id).then(|| part.id.as_str().to_owned()),
            commit: None,
            diff: message.diff.clone().unwrap_or_default(),
        })
    });
    Ok(SeriesSource {
        patches: patches.collect(),
        title: series.name.clone(),
        version: series.version,
        total: series.total.unwrap_or_else(|| count(series.patches.len())),
        author: shown(&series.submitter),
        base_commit: series.base_commit.clone(),
        prerequisites: bases::below(series, &assembly, messages),
        prefixes: series.prefixes.clone(),
        parent: None,
        warnings,
    })
}

/// Files of `git format-patch`, quilt or `diff -u`, in the order of the names.
fn from_files(source: &str, mails: &[SourceMail], messages: &[Message]) -> SeriesSource {
    let mut found = SeriesSource {
        version: 1,
        ..SeriesSource::default()
    };
    for (mail, message) in mails.iter().zip(messages) {
        if found.base_commit.is_none() {
            found.base_commit.clone_from(&message.declared.base_commit);
            let ids = &message.declared.prerequisite_patch_ids;
            found.prerequisites = bases::prerequisites(ids, None);
            found.prefixes.clone_from(&message.subject.prefixes);
        }
        if found.author.is_empty() {
            found.author = shown(&message.from);
        }
        found.version = message.subject.version.unwrap_or(found.version);
        // A bare diff is no mail, and a mail parser may see its first lines as headers.
        let diff = message.diff.clone().or_else(|| {
            let is_diff = diff::parse(&mail.raw).is_ok();
            is_diff.then(|| mail.raw.clone())
        });
        // The one mail of a file has no name of its own.
        let name = if mails.len() == 1 { source } else { &mail.name };
        let title = if message.title.is_empty() {
            name
        } else {
            &message.title
        };
        let Some(diff) = diff else {
            if message.subject.number == Some(0) {
                title.clone_into(&mut found.title);
            } else {
                found
                    .warnings
                    .push(format!("{name} holds no diff and was left out"));
            }
            continue;
        };
        found.patches.push(PatchInput {
            index: count(found.patches.len() + 1),
            subject: title.to_owned(),
            message_id: (!message.synthetic_id).then(|| message.id().as_str().to_owned()),
            commit: None,
            diff,
        });
    }
    name_after_first(&mut found);
    found
}

fn name_after_first(found: &mut SeriesSource) {
    if found.title.is_empty()
        && let Some(first) = found.patches.first()
    {
        found.title.clone_from(&first.subject);
    }
    found.total = count(found.patches.len());
}

fn count(patches: usize) -> u32 {
    u32::try_from(patches).unwrap_or(u32::MAX)
}

fn shown(address: &lorelint_mail::Address) -> String {
    if address.name.is_empty() {
        return address.email.clone();
    }
    format!("{} <{}>", address.name, address.email)
}

/// The commits of `A..B` without merges, as `git format-patch` writes them.
///
/// Whoever has a range has git, which knows how to walk it, find renames and write diffs.
fn from_range(range: &str, repo: &GitRepo) -> anyhow::Result<SeriesSource> {
    let output = Command::new("git")
        .arg("-C")
        .arg(repo.path())
        .args([
            "-c",
            "diff.noprefix=false",
            "-c",
            "diff.mnemonicPrefix=false",
        ])
        .args([
            "-c",
            "format.notes=false",
            "-c",
            "format.mboxrd=true",
            "-c",
            "diff.relative=false",
        ])
        .args([
            "format-patch",
            "--stdout",
            "--no-cover-letter",
            "--no-attach",
            "--no-thread",
        ])
        .args([
            "--keep-subject",
            "--full-index",
            "--binary",
            "--find-renames",
            "--no-ext-diff",
        ])
        .args([
            "--no-textconv",
            "--no-color",
            "--no-base",
            "--no-to",
            "--no-cc",
            "--end-of-options",
        ])
        .arg(range)
        .stdin(Stdio::null())
        .output()
        .context("cannot run git, which reads ranges")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("git cannot read the range {range}: {}", reason.trim());
    }
    let mut found = SeriesSource {
        version: 1,
        ..SeriesSource::default()
    };
    for (entry, index) in lorelint_mail::mbox::split(&output.stdout).zip(1..) {
        // The separator is `From <commit> Mon Sep 17 00:00:00 2001`.
        let separator = &output.stdout[entry.offset..];
        let commit = separator
            .get(5..45)
            .and_then(|it| std::str::from_utf8(it).ok());
        let commit = commit.map(str::to_owned);
        let message = lorelint_mail::parse_message(&entry.mail);
        if index == 1 {
            found.author = shown(&message.author);
            found.parent = commit.as_ref().map(|it| format!("{it}^"));
        }
        found.patches.push(PatchInput {
            index,
            subject: message.title.clone(),
            message_id: None,
            commit,
            diff: message.diff.unwrap_or_default(),
        });
    }
    if found.patches.is_empty() {
        bail!("the range {range} holds no commit");
    }
    name_after_first(&mut found);
    let parent = found.parent.as_deref().unwrap_or_default();
    let base = repo
        .resolve(parent)
        .with_context(|| format!("the first commit of {range} has no parent"))?;
    found.parent = Some(base);
    Ok(found)
}
