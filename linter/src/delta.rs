//! Base findings against patched findings: what is new, what is fixed, and which line of the diff is to blame.
//!
//! Nothing here depends on how the two states were linted.

use std::collections::BTreeMap;

use crate::diff::{Change, LineMap};
use crate::finding::{Finding, Fingerprint, Hop, Via, normal};
use crate::report::{Anchor, NewFinding};
use crate::tree::{TreeError, TreePath, TreeSource};

/// Which line of the tree before became which of the tree after; files that no patch touched are as they were.
#[derive(Clone, Debug, Default)]
pub struct MovedLines {
    files: BTreeMap<TreePath, Fate>,
}

#[derive(Clone, Debug)]
enum Fate {
    /// The file stands; its lines come from `origin`.
    Here {
        origin: Option<TreePath>,
        lines: LineMap,
    },
    /// The file is gone, or moved.
    Gone,
}

impl MovedLines {
    /// The lines that one patch moves.
    pub fn of(changes: &[Change]) -> Self {
        let fate = |change: &Change| match change.content {
            None => Fate::Gone,
            Some(_) => Fate::Here {
                origin: change.origin.clone(),
                lines: change.lines.clone(),
            },
        };
        let files = changes.iter().map(|it| (it.path.clone(), fate(it)));
        Self {
            files: files.collect(),
        }
    }

    /// These changes followed by `later`.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let mut files = self.files.clone();
        for (path, fate) in &later.files {
            let fate = match fate {
                Fate::Gone => Fate::Gone,
                Fate::Here { origin, lines } => {
                    let earlier = origin.as_ref().and_then(|it| self.files.get(it));
                    match earlier {
                        Some(Fate::Here {
                            origin: first,
                            lines: before,
                        }) => Fate::Here {
                            origin: first.clone(),
                            lines: before.then(lines),
                        },
                        _ => fate.clone(),
                    }
                }
            };
            files.insert(path.clone(), fate);
        }
        Self { files }
    }

    /// The files that any patch touched, sorted, also those that are gone.
    pub fn paths(&self) -> impl Iterator<Item = &TreePath> {
        self.files.keys()
    }

    /// Where a line of the tree after stood before; `None` when a patch added it.
    fn before(&self, path: &TreePath, line: u32) -> Option<(TreePath, u32)> {
        match self.files.get(path) {
            None => Some((path.clone(), line)),
            Some(Fate::Here {
                origin: Some(origin),
                lines,
            }) => lines.old_line(line).map(|line| (origin.clone(), line)),
            Some(_) => None,
        }
    }

    /// The file that a file of the tree after was before.
    fn origin<'a>(&'a self, path: &'a TreePath) -> &'a TreePath {
        match self.files.get(path) {
            Some(Fate::Here {
                origin: Some(origin),
                ..
            }) => origin,
            _ => path,
        }
    }

    fn is_added(&self, path: &TreePath, line: u32) -> bool {
        self.before(path, line).is_none()
    }

    /// Whether no file of the tree after still has that line of the tree before.
    fn is_removed(&self, path: &TreePath, line: u32) -> bool {
        let kept = |origin: &Option<TreePath>, lines: &LineMap| {
            origin.as_ref() == Some(path) && lines.new_line(line).is_some()
        };
        let is_elsewhere = self.files.values().any(|it| match it {
            Fate::Here { origin, lines } => kept(origin, lines),
            Fate::Gone => false,
        });
        self.files.contains_key(path) && !is_elsewhere
    }

    /// The changes of one file that stands after.
    fn lines(&self, path: &TreePath) -> Option<&LineMap> {
        match self.files.get(path)? {
            Fate::Here { lines, .. } => Some(lines),
            Fate::Gone => None,
        }
    }
}

/// What differs between two states.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Findings of the state after that the state before has not, in the order of that list.
    pub new: Vec<Finding>,
    /// Findings of the state before that the state after has not, in the order of that list.
    pub fixed: Vec<Finding>,
    /// How many findings both have.
    pub unchanged: u64,
}

/// Compares two states by fingerprint, as multisets, and by place where a fingerprint changed with a function's name.
///
/// Moving code, renaming files and indenting change nothing; a finding that gains a context is new. Of equal statements in one function, the one that
/// stands on an added (removed) line is the new (fixed) one, though fingerprints only number them.
pub fn compare(before: &[Finding], after: &[Finding], moved: &MovedLines) -> Delta {
    let mut pairs = Pairs::new(before, after);
    pairs.by_fingerprint(moved);
    pairs.by_place(moved);
    pairs.by_rewording(moved);
    pairs.by_extraction(moved);
    pairs.prefer_changed_lines(moved);
    let alone = |partners: &[Option<usize>], findings: &[Finding]| -> Vec<Finding> {
        let lone = findings.iter().zip(partners);
        lone.filter(|(_, partner)| partner.is_none())
            .map(|(finding, _)| finding.clone())
            .collect()
    };
    let fixed = alone(&pairs.of_before, before);
    // A context is part of what a finding says: one more is a hazard that was not there.
    for (new, partner) in pairs.of_after.iter_mut().enumerate() {
        let known = partner.map_or(&[][..], |old| &before[old].contexts);
        if partner.is_some() && after[new].contexts.iter().any(|it| !known.contains(it)) {
            *partner = None;
        }
    }
    let unchanged = pairs.of_after.iter().flatten().count() as u64;
    Delta {
        new: alone(&pairs.of_after, after),
        fixed,
        unchanged,
    }
}

/// Which finding before is which one after.
struct Pairs<'a> {
    before: &'a [Finding],
    after: &'a [Finding],
    of_before: Vec<Option<usize>>,
    of_after: Vec<Option<usize>>,
}

impl<'a> Pairs<'a> {
    fn new(before: &'a [Finding], after: &'a [Finding]) -> Self {
        Self {
            before,
            after,
            of_before: vec![None; before.len()],
            of_after: vec![None; after.len()],
        }
    }

    fn join(&mut self, old: usize, new: usize) {
        self.of_before[old] = Some(new);
        self.of_after[new] = Some(old);
    }

    fn by_fingerprint(&mut self, moved: &MovedLines) {
        let mut waiting: BTreeMap<&Fingerprint, Vec<usize>> = BTreeMap::new();
        for (old, finding) in self.before.iter().enumerate() {
            waiting.entry(&finding.fingerprint).or_default().push(old);
        }
        let (before, after) = (self.before, self.after);
        // Static functions of one name may share a fingerprint: those that did not move are paired first.
        for is_exact in [true, false] {
            for (new, finding) in after.iter().enumerate() {
                if self.of_after[new].is_some() {
                    continue;
                }
                let Some(same) = waiting.get_mut(&finding.fingerprint) else {
                    continue;
                };
                let place = moved.before(&finding.file, finding.line);
                let found = if is_exact {
                    same.iter().position(|&old| {
                        place.as_ref().is_some_and(|(file, line)| {
                            before[old].file == *file && before[old].line == *line
                        })
                    })
                } else {
                    (!same.is_empty()).then_some(0)
                };
                if let Some(at) = found {
                    let old = same.remove(at);
                    self.join(old, new);
                }
            }
        }
    }

    /// A statement on a line that no patch touched is the same finding, whatever its function is called by now.
    fn by_place(&mut self, moved: &MovedLines) {
        let mut waiting: BTreeMap<(TreePath, u32), Vec<usize>> = BTreeMap::new();
        for (old, finding) in self.before.iter().enumerate() {
            if self.of_before[old].is_none() {
                let place = (finding.file.clone(), finding.line);
                waiting.entry(place).or_default().push(old);
            }
        }
        let (before, after) = (self.before, self.after);
        for (new, finding) in after.iter().enumerate() {
            if self.of_after[new].is_some() {
                continue;
            }
            let place = moved.before(&finding.file, finding.line);
            let Some(there) = place.and_then(|it| waiting.get_mut(&it)) else {
                continue;
            };
            let same = |&old: &usize| {
                before[old].rule == finding.rule
                    && normal(&before[old].statement) == normal(&finding.statement)
            };
            if let Some(at) = there.iter().position(same) {
                let old = there.remove(at);
                self.join(old, new);
            }
        }
    }

    /// A statement that was rewritten is the same finding where it says the same of the same reference.
    ///
    /// Either another name for what drops it, in the same function, or the same words in a function that was renamed
    /// while it moved: then all other functions of the chain are as they were.
    fn by_rewording(&mut self, moved: &MovedLines) {
        self.on_changed_lines(moved, |old, new| {
            let is_reworded = old.function == new.function
                && *moved.origin(&new.file) == old.file
                && arguments(&old.statement) == arguments(&new.statement);
            let is_renamed =
                normal(&old.statement) == normal(&new.statement) && same_chain_above(old, new);
            is_reworded || is_renamed
        });
    }

    /// A statement that moved into a helper of its function, or out of one, is the same finding: the one function calls
    /// the other, and what is called is the same.
    fn by_extraction(&mut self, moved: &MovedLines) {
        let is_caller = |of: &Finding, function: &str| {
            let mut hops = of.path.iter().rev().skip(1);
            hops.next().is_some_and(|it| it.function == function)
        };
        self.on_changed_lines(moved, |old, new| {
            callee(&old.statement) == callee(&new.statement)
                && (is_caller(new, &old.function) || is_caller(old, &new.function))
        });
    }

    /// Joins what stands on added lines and is alone with the first of its rule on removed lines that is the same.
    fn on_changed_lines(&mut self, moved: &MovedLines, same: impl Fn(&Finding, &Finding) -> bool) {
        let (before, after) = (self.before, self.after);
        for (new, finding) in after.iter().enumerate() {
            if self.of_after[new].is_some() || !moved.is_added(&finding.file, finding.line) {
                continue;
            }
            let old = (0..before.len()).find(|&old| {
                self.of_before[old].is_none()
                    && before[old].rule == finding.rule
                    && moved.is_removed(&before[old].file, before[old].line)
                    && same(&before[old], finding)
            });
            if let Some(old) = old {
                self.join(old, new);
            }
        }
    }

    /// Among equal statements of one function, lets the one on a changed line be the one that is alone.
    fn prefer_changed_lines(&mut self, moved: &MovedLines) {
        let (before, after) = (self.before, self.after);
        let twin = |one: &Finding, other: &Finding| {
            one.rule == other.rule
                && one.file == other.file
                && one.function == other.function
                && normal(&one.statement) == normal(&other.statement)
        };
        for new in 0..after.len() {
            let finding = &after[new];
            if self.of_after[new].is_some() || moved.is_added(&finding.file, finding.line) {
                continue;
            }
            let other = (0..after.len()).find(|&it| {
                self.of_after[it].is_some()
                    && twin(finding, &after[it])
                    && moved.is_added(&after[it].file, after[it].line)
            });
            if let Some(other) = other
                && let Some(old) = self.of_after[other].take()
            {
                self.join(old, new);
            }
        }
        for old in 0..before.len() {
            let finding = &before[old];
            if self.of_before[old].is_some() || moved.is_removed(&finding.file, finding.line) {
                continue;
            }
            let other = (0..before.len()).find(|&it| {
                self.of_before[it].is_some()
                    && twin(finding, &before[it])
                    && moved.is_removed(&before[it].file, before[it].line)
            });
            if let Some(other) = other
                && let Some(new) = self.of_before[other].take()
            {
                self.join(old, new);
            }
        }
    }
}

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

/// What a call is given, whatever it is called; `None` for statements that are no plain call.
fn arguments(statement: &str) -> Option<String> {
    let statement = normal(statement);
    let open = statement.find('(')?;
    let name = &statement[..open];
    let is_name = !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_');
    is_name.then(|| statement[open..].to_owned())
}

/// What a statement calls first, without its arguments.
fn callee(statement: &str) -> &str {
    statement.split('(').next().unwrap_or_default().trim()
}

/// Whether two chains are equal but for their last function; where that is the entry point, it must stand in the same
/// directory for the same member.
fn same_chain_above(one: &Finding, other: &Finding) -> bool {
    let directory = |it: &Finding| {
        let path = it.file.as_str();
        path.rfind('/').map_or("", |at| &path[..at]).to_owned()
    };
    let above = |it: &Finding| -> Vec<String> {
        let names = it.path.iter().map(|it| it.function.clone());
        names.take(it.path.len().saturating_sub(1)).collect()
    };
    match (&one.path[..], &other.path[..]) {
        ([], _) | (_, []) => false,
        ([root], [other_root]) => {
            root.through == other_root.through && directory(one) == directory(other)
        }
        _ => above(one) == above(other),
    }
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

/// The change nearest to the chain inside a function of the chain, starting with the function of the finding.
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
            .min_by_key(|it| it.abs_diff(line));
        if let Some(line) = nearest {
            return Ok(Some(place(file, line)));
        }
    }
    Ok(None)
}

/// The 1-based lines of the top-level item around `line`: kernel style closes functions with `}` in column one.
fn body_around(text: &[&[u8]], line: u32) -> (u32, u32) {
    let at = (line as usize).clamp(1, text.len().max(1)) - 1;
    let closes = |it: &&[u8]| it.starts_with(b"}");
    let above = text.get(..at).unwrap_or_default();
    let start = above.iter().rposition(closes).map_or(0, |it| it + 1);
    let below = text.get(at..).unwrap_or_default();
    let end = below
        .iter()
        .position(closes)
        .map_or(text.len(), |it| at + it + 1);
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    (count(start) + 1, count(end))
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

/// Whether `name` stands in `line` as a whole C identifier.
fn has_word(line: &[u8], name: &str) -> bool {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    memchr::memmem::find_iter(line, name).any(|at| {
        let before = at.checked_sub(1).and_then(|it| line.get(it));
        let after = line.get(at + name.len());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}
