//! Base findings against patched findings: what is new, what is fixed, and which line of the diff is to blame.
//!
//! Nothing here depends on how the two states were linted.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diff::{Change, LineMap};
use crate::finding::{Finding, Fingerprint, normal};
use crate::tree::{TreePath, TreeSource};
use text::{ItemText, Name};

mod alias;
mod anchor;
mod calls;
mod parts;
mod same;
mod text;

pub use anchor::attach;

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

    /// Where the tree after has what took the place of a line of the tree before, with 1-based lines.
    fn replaced(&self, path: &TreePath, line: u32) -> Vec<(&TreePath, Range<u32>)> {
        let mut found = Vec::new();
        for (now, fate) in &self.files {
            let Fate::Here { origin, lines } = fate else {
                continue;
            };
            if origin.as_ref() == Some(path) {
                let mut edits = lines.edits().iter();
                let edit =
                    edits.find(|it| (it.old_start..it.old_start + it.old_len).contains(&line));
                found.extend(edit.map(|it| (now, it.new_start..it.new_start + it.new_len)));
            }
        }
        found
    }

    /// The changes of one file that stands after.
    fn lines(&self, path: &TreePath) -> Option<&LineMap> {
        match self.files.get(path)? {
            Fate::Here { lines, .. } => Some(lines),
            Fate::Gone => None,
        }
    }
}

/// The two states whose findings are compared.
#[derive(Clone, Copy)]
pub struct States<'a> {
    /// The tree before.
    pub before: &'a dyn TreeSource,
    /// The tree after.
    pub after: &'a dyn TreeSource,
}

impl States<'_> {
    /// The texts of the functions of two findings; `None` where one is missing.
    fn functions(&self, old: &Finding, new: &Finding) -> Option<(ItemText, ItemText)> {
        let function = |tree: &dyn TreeSource, it: &Finding| {
            let text = tree.read(&it.file).ok().flatten()?;
            Some(text::item_around(&text, (it.line, it.column)))
        };
        function(self.before, old).zip(function(self.after, new))
    }

    /// Whether the statement of a finding differs in the names of variables or members only, or is another way to say
    /// the same of the same variable.
    fn is_rewritten(&self, old: &Finding, new: &Finding) -> bool {
        let (was, is) = (&old.statement, &new.statement);
        let cleans_up = same::is_cleaned_up(was, is) || same::is_cleaned_up(is, was);
        cleans_up
            || self.functions(old, new).is_some_and(|(before, after)| {
                same::is_renamed(was, is, &before.text, &after.text)
                    || same::is_kept_in_variable(was, is, &after.text)
                    || same::is_kept_in_variable(is, was, &before.text)
            })
    }

    /// Whether the function of the finding before is gone from the file of the one after.
    fn is_gone(&self, old: &Finding, new: &Finding) -> bool {
        old.function != new.function && lacks(self.after, &new.file, &old.function)
    }

    /// Whether the function of one finding is gone and that of the other came.
    fn took_over(&self, old: &Finding, new: &Finding) -> bool {
        self.is_gone(old, new) && lacks(self.before, &old.file, &new.function)
    }

    /// Whether a function stands in another file and nothing but other names changed in it; who may call it is said
    /// before its own name.
    fn is_moved_function(&self, old: &Finding, new: &Finding) -> bool {
        let name = old.function.as_bytes();
        old.function == new.function
            && self.functions(old, new).is_some_and(|(before, after)| {
                let (before, after) = (before.rest_from(name), after.rest_from(name));
                let both = before.zip(after);
                both.is_some_and(|(before, after)| same::is_same_function(&before, &after))
            })
    }

    /// Whether a function was renamed and nothing but other names changed in it.
    fn is_renamed_function(&self, old: &Finding, new: &Finding) -> bool {
        self.is_gone(old, new)
            && (self.functions(old, new))
                .is_some_and(|(before, after)| same::is_same_function(&before, &after))
    }
}

/// Whether a file is there and does not speak of a function.
fn lacks(tree: &dyn TreeSource, path: &TreePath, function: &str) -> bool {
    let text = tree.read(path).ok().flatten();
    let name = Name {
        text: function.as_bytes(),
        is_member: false,
    };
    text.is_some_and(|it| !text::names(&it).contains(&name))
}

impl Finding {
    /// Whether the other one is of an equal statement in the same function.
    fn is_twin(&self, other: &Self) -> bool {
        self.rule == other.rule
            && self.file == other.file
            && self.function == other.function
            && normal(&self.statement) == normal(&other.statement)
    }
}

/// What differs between two states.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Findings of the state after that the state before has not, in the order of that list.
    pub new: Vec<Finding>,
    /// Findings of the state before that the state after has not, in the order of that list; one that only lost
    /// contexts is here with those.
    pub fixed: Vec<Finding>,
    /// How many findings both have.
    pub unchanged: u64,
}

/// Compares two states by fingerprint, as multisets, and by place where a fingerprint changed with a function's name.
///
/// Moving code, renaming files, functions, variables and members, and indenting change nothing. A finding that gains a
/// context is new, and what it loses is fixed: the context is part of what it says. One that gets worse is new as well,
/// and says what it was; one that gets better is as it was. Of equal statements in one function,
/// the one that stands on an added (removed) line is the new (fixed) one, though fingerprints only number them.
pub fn compare(
    before: &[Finding],
    after: &[Finding],
    moved: &MovedLines,
    states: States<'_>,
) -> Delta {
    let mut pairs = Pairs::new(before, after);
    pairs.by_fingerprint(moved);
    // What was taken away from among equal statements may be found elsewhere.
    pairs.prefer_changed_lines(moved);
    pairs.by_place(moved);
    pairs.by_rewording(moved, states);
    pairs.by_extraction(moved);
    pairs.prefer_changed_lines(moved);
    pairs.by_alias(moved, states);
    pairs.by_gathering(moved, states);
    let mut delta = Delta::default();
    for (at, new) in after.iter().enumerate() {
        let known: Vec<&Finding> = pairs.befores(at).map(|it| &before[it]).collect();
        let fresh = parts::contexts_but(new, &known);
        if known.is_empty() {
            delta.new.push(new.clone());
        } else if !fresh.is_empty() {
            delta.new.push(parts::only(new, &fresh, "new here"));
        } else if let Some(worse) = parts::worse(new, &known, moved) {
            delta.new.push(worse);
        } else {
            delta.unchanged += 1;
        }
    }
    for (at, old) in before.iter().enumerate() {
        let left: Vec<&Finding> = pairs.afters(at).map(|it| &after[it]).collect();
        let lost = parts::contexts_but(old, &left);
        if left.is_empty() {
            delta.fixed.push(old.clone());
        } else if !lost.is_empty() {
            let mut part = parts::only(old, &lost, "fixed here");
            part.contexts = lost;
            delta.fixed.push(part);
        }
    }
    delta
}

/// Which finding before is which one after.
struct Pairs<'a> {
    before: &'a [Finding],
    after: &'a [Finding],
    of_before: Vec<Option<usize>>,
    of_after: Vec<Option<usize>>,
    /// Those that one says with several: old and new.
    beside: Vec<(usize, usize)>,
}

impl<'a> Pairs<'a> {
    fn new(before: &'a [Finding], after: &'a [Finding]) -> Self {
        Self {
            before,
            after,
            of_before: vec![None; before.len()],
            of_after: vec![None; after.len()],
            beside: Vec::new(),
        }
    }

    /// What a finding of the state after was before.
    fn befores(&self, new: usize) -> impl Iterator<Item = usize> {
        let beside = self.beside.iter().filter(move |it| it.1 == new);
        self.of_after[new].into_iter().chain(beside.map(|it| it.0))
    }

    /// What a finding of the state before is after.
    fn afters(&self, old: usize) -> impl Iterator<Item = usize> {
        let beside = self.beside.iter().filter(move |it| it.0 == old);
        self.of_before[old].into_iter().chain(beside.map(|it| it.1))
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
    /// Either another name for what drops it, or other names of the same things, in the same function or in one that
    /// differs in names alone, or the same words in a function that was renamed while it moved, or words of the same shape
    /// in one that took another's place: then all other functions of the chain are as they were.
    fn by_rewording(&mut self, moved: &MovedLines, states: States<'_>) {
        self.on_changed_lines(moved, |old, new| {
            let is_here = *moved.origin(&new.file) == old.file;
            let is_at_home = is_here && old.function == new.function;
            let is_reworded = is_at_home
                && (same::is_reworded(&old.statement, &new.statement)
                    || states.is_rewritten(old, new))
                || is_here && states.is_renamed_function(old, new)
                || !is_here && states.is_moved_function(old, new);
            let is_moved = normal(&old.statement) == normal(&new.statement)
                && same::same_chain_above(old, new);
            let is_replaced = is_here
                && same::is_of_same_shape(&old.statement, &new.statement)
                && same::same_chain_above(old, new)
                && states.took_over(old, new);
            is_reworded || is_moved || is_replaced
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
            same::callee(&old.statement) == same::callee(&new.statement)
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
        for new in 0..after.len() {
            let finding = &after[new];
            if self.of_after[new].is_some() || moved.is_added(&finding.file, finding.line) {
                continue;
            }
            let other = (0..after.len()).find(|&it| {
                self.of_after[it].is_some()
                    && finding.is_twin(&after[it])
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
                    && finding.is_twin(&before[it])
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
