//! Which line of the diff a person would attach a remark to.

use super::MovedLines;
use super::text::{body_around, has_word};
use crate::finding::{Finding, Hop, Via};
use crate::report::{Anchor, NewFinding};
use crate::tree::{TreeError, TreePath, TreeSource};

/// Finds the line of the diff to which a person would attach the remark.
///
/// The finding's own line; else a line that makes the chain: an added call, an added table entry or registration, a
/// change inside a function of the chain; else the first added line of the patch. `tree` is the state after.
///
/// # Errors
///
/// [`TreeError`] when a touched file cannot be read.
pub fn attach(
    finding: Finding,
    moved: &MovedLines,
    tree: &dyn TreeSource,
) -> Result<NewFinding, TreeError> {
    let in_diff = moved.is_added(&finding.file, finding.line);
    let own = || place(&finding.file, finding.line);
    let anchor = if in_diff {
        own()
    } else {
        let mut anchor = added_hop(&finding.path, moved);
        if anchor.is_none() {
            anchor = added_entry(&finding.path, moved, tree)?;
        }
        if anchor.is_none() {
            anchor = changed_function(&finding, moved, tree)?;
        }
        anchor.or_else(|| first_change(moved)).unwrap_or_else(own)
    };
    Ok(NewFinding {
        finding,
        anchor,
        in_diff,
    })
}

fn place(file: &TreePath, line: u32) -> Anchor {
    Anchor {
        file: file.clone(),
        line,
    }
}

/// The added call that is nearest to the finding.
fn added_hop(path: &[Hop], moved: &MovedLines) -> Option<Anchor> {
    let mut hops = path.iter().rev();
    let hop = hops.find(|it| moved.is_added(&it.file, it.line))?;
    Some(place(&hop.file, hop.line))
}

/// An added line that names a function of the chain which is not called by its name: its table entry or registration.
fn added_entry(
    path: &[Hop],
    moved: &MovedLines,
    tree: &dyn TreeSource,
) -> Result<Option<Anchor>, TreeError> {
    let indirect: Vec<&Hop> = path.iter().filter(|it| it.via != Via::Direct).collect();
    if indirect.is_empty() {
        return Ok(None);
    }
    for file in moved.paths() {
        let Some(lines) = moved.lines(file) else {
            continue;
        };
        let Some(text) = tree.read(file)? else {
            continue;
        };
        let text: Vec<&[u8]> = text.split(|&it| it == b'\n').collect();
        for line in lines.added() {
            let added = text.get(line as usize - 1).copied().unwrap_or_default();
            if indirect.iter().any(|hop| has_word(added, &hop.function)) {
                return Ok(Some(place(file, line)));
            }
        }
    }
    Ok(None)
}

/// The change nearest to the chain inside a function of the chain, starting with the function of the finding. What
/// stands before a call decides whether it runs, and how.
fn changed_function(
    finding: &Finding,
    moved: &MovedLines,
    tree: &dyn TreeSource,
) -> Result<Option<Anchor>, TreeError> {
    // A line inside the body of each function of the chain: where it calls the next one.
    let calls = finding.path.iter().skip(1).map(|it| (&it.file, it.line));
    let bodies = calls.chain([(&finding.file, finding.line)]);
    for (file, line) in bodies.rev() {
        let Some(lines) = moved.lines(file) else {
            continue;
        };
        let Some(text) = tree.read(file)? else {
            continue;
        };
        let text: Vec<&[u8]> = text.split(|&it| it == b'\n').collect();
        let (start, end) = body_around(&text, line);
        let changed = lines.edits().iter().flat_map(|edit| {
            // A removal leaves no line: the one that follows it stands for it.
            edit.new_start..edit.new_start + edit.new_len.max(1)
        });
        let nearest = changed
            .filter(|it| (start..=end).contains(it))
            .min_by_key(|it| (*it > line, it.abs_diff(line)));
        if let Some(line) = nearest {
            return Ok(Some(place(file, line)));
        }
    }
    Ok(None)
}

fn first_change(moved: &MovedLines) -> Option<Anchor> {
    let here = || {
        let files = moved.paths();
        files.filter_map(|it| moved.lines(it).map(|lines| (it, lines)))
    };
    let added = here().find_map(|(file, lines)| lines.added().next().map(|it| place(file, it)));
    added.or_else(|| {
        let removed = here().find_map(|(file, lines)| {
            let first = lines.edits().first()?;
            Some(place(file, first.new_start))
        });
        removed.or_else(|| moved.paths().next().map(|it| place(it, 1)))
    })
}
