//! Applies a parsed diff to a tree: which files exist, move and change kind; their bytes are `content`'s.

use std::collections::BTreeMap;

use super::strip::with_fitting_strip;
use super::{ApplyFailure, FileKind, FilePatch, LineMap, Patch, moved};
use crate::tree::{FileContent, Mode, TreeError, TreePath, TreeSource};

/// What a patch makes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: TreePath,
    /// The file of the tree before whose lines `lines` speaks of; `None` for a file that is made.
    pub origin: Option<TreePath>,
    /// Its content after; `None` when it goes away.
    pub content: Option<FileContent>,
    /// Which line of `origin` became which.
    pub lines: LineMap,
}

/// A patch that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Sorted by path, each path once; files that stay as they are may be missing.
    pub changes: Vec<Change>,
    /// Whether the hunks alone did not do and the blobs of the `index` lines were merged.
    pub is_merged: bool,
}

/// Applies `patch` to `tree` as `git apply` does: exact context, moved hunks found, nothing guessed.
///
/// Every file is read as it is before the patch, except that a second section of a file sees the first.
///
/// # Errors
///
/// [`ApplyFailure`] names the first file and hunk that do not fit; then nothing of the patch counts.
pub fn apply(patch: &Patch, tree: &dyn TreeSource) -> Result<Vec<Change>, ApplyFailure> {
    let patch = with_fitting_strip(patch, tree)?;
    Stage::run(&patch, tree, How::Exact).map(|it| it.changes)
}

/// As [`apply`], and when that fails as `git am -3` does: each file is patched as its `index` line names it, and
/// that change is merged into the file as it is now.
///
/// # Errors
///
/// [`ApplyFailure`] when the blobs are not there or the merge conflicts.
pub fn apply_or_merge(patch: &Patch, tree: &dyn TreeSource) -> Result<Applied, ApplyFailure> {
    let patch = with_fitting_strip(patch, tree)?;
    let exact = match Stage::run(&patch, tree, How::Exact) {
        Ok(applied) => return Ok(applied),
        Err(failure) => failure,
    };
    let merged = Stage::run(&patch, tree, How::Merge);
    merged.map_err(|failure| {
        // A hunk that does not even fit the file it was made from says less than where it fails in the tree.
        let is_same = failure.file == exact.file && failure.reason.starts_with(&exact.reason);
        if failure.hunk.is_some() && !is_same {
            exact
        } else {
            failure
        }
    })
}

pub(super) fn unreadable(path: &TreePath, error: &TreeError) -> ApplyFailure {
    refuse(path, format!("cannot be read: {error}"))
}

pub(super) fn refuse(path: &TreePath, reason: impl Into<String>) -> ApplyFailure {
    ApplyFailure {
        file: path.to_string(),
        hunk: None,
        reason: reason.into(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Exact,
    Merge,
}

/// A file while a patch is being applied.
#[derive(Clone)]
pub(super) struct State {
    origin: Option<TreePath>,
    pub(super) content: Option<FileContent>,
    lines: LineMap,
}

/// One patch on its way into a tree.
pub(super) struct Stage<'a> {
    pub(super) tree: &'a dyn TreeSource,
    how: How,
    /// The transport ended each line in CR LF.
    pub(super) is_crlf: bool,
    /// What earlier sections of this patch made.
    done: BTreeMap<TreePath, State>,
    /// Paths that some section of this patch removes or moves away.
    leaving: Vec<TreePath>,
    /// Paths that the patch's sections start from.
    sources: Vec<TreePath>,
    /// Bytes that binary sections made so far.
    pub(super) binary_bytes: usize,
    /// Whether any file was merged.
    pub(super) is_merged: bool,
}

impl<'a> Stage<'a> {
    fn run(patch: &Patch, tree: &'a dyn TreeSource, how: How) -> Result<Applied, ApplyFailure> {
        let leaves = |it: &&FilePatch| matches!(it.kind, FileKind::Delete | FileKind::Rename);
        let leaving = patch.files.iter().filter(leaves);
        let mut stage = Self {
            tree,
            how,
            is_crlf: patch.crlf_transport,
            done: BTreeMap::new(),
            leaving: leaving.filter_map(|it| it.old_path.clone()).collect(),
            sources: patch
                .files
                .iter()
                .filter_map(|it| it.old_path.clone())
                .collect(),
            binary_bytes: 0,
            is_merged: false,
        };
        stage.leaving.sort();
        for file in &patch.files {
            match stage.where_moved(file)? {
                Some(moved) => stage.file(&moved)?,
                None => stage.file(file)?,
            }
        }
        let changes = stage.done.into_iter().map(|(path, state)| Change {
            path,
            origin: state.origin,
            content: state.content,
            lines: state.lines,
        });
        Ok(Applied {
            changes: changes.collect(),
            is_merged: stage.is_merged,
        })
    }

    fn file(&mut self, file: &FilePatch) -> Result<(), ApplyFailure> {
        let before = self.preimage(file)?;
        if let Some(new) = &file.new_path {
            self.check_target(file, new, before.as_ref())?;
        }
        let Some(mut state) = self.patched(file, before)? else {
            return Ok(());
        };
        if let (FileKind::Delete, Some(old)) = (file.kind, &file.old_path) {
            self.done.insert(old.clone(), state);
            return Ok(());
        }
        if let (FileKind::Rename, Some(old)) = (file.kind, &file.old_path) {
            let gone = State {
                origin: Some(old.clone()),
                content: None,
                lines: LineMap::default(),
            };
            // In a swap of two names the section before this one has put the other file here.
            if self.done.get(old).is_none_or(|it| it.content.is_none()) {
                self.done.insert(old.clone(), gone);
            }
        }
        if let Some(new) = &file.new_path {
            if file.kind == FileKind::Copy || file.kind == FileKind::Rename {
                state.origin.clone_from(&file.old_path);
            }
            self.done.insert(new.clone(), state);
        }
        Ok(())
    }

    /// The section for where its file went, when a merge finds that the tree has it under another name.
    fn where_moved(&self, file: &FilePatch) -> Result<Option<FilePatch>, ApplyFailure> {
        let (Some(old), How::Merge) = (&file.old_path, self.how) else {
            return Ok(None);
        };
        let failed = |error: TreeError| unreadable(old, &error);
        let is_gone =
            !self.done.contains_key(old) && self.tree.entry(old).map_err(failed)?.is_none();
        if !is_gone || !matches!(file.kind, FileKind::Modify | FileKind::Delete) {
            return Ok(None);
        }
        let Some(base) = self.named_blob(file, None)? else {
            return Ok(None);
        };
        let found = moved::find(self.tree, old, &base.data, &self.sources).map_err(failed)?;
        match found {
            Some(new) if file.kind == FileKind::Delete => Err(refuse(
                old,
                format!("the patch removes it, and the tree has it as {new}"),
            )),
            found => Ok(found.map(|new| FilePatch {
                old_path: Some(new.clone()),
                new_path: Some(new),
                ..file.clone()
            })),
        }
    }

    /// The file that the section starts from; `None` when it makes one.
    fn preimage(&self, file: &FilePatch) -> Result<Option<State>, ApplyFailure> {
        let Some(old) = &file.old_path else {
            return Ok(None);
        };
        // Renames and copies speak of the tree before the patch, in whatever order they stand.
        let moves = matches!(file.kind, FileKind::Rename | FileKind::Copy);
        let found = match self.done.get(old).filter(|_| !moves) {
            Some(state) => Some(state.clone()).filter(|it| it.content.is_some()),
            None => self.read(old)?,
        };
        if found.is_some() || file.kind == FileKind::ModifyOrCreate {
            return Ok(found);
        }
        if self.how == How::Merge {
            match file.kind {
                // Removed or moved upstream already.
                FileKind::Delete => return Ok(None),
                FileKind::Rename => {
                    if let Some(new) = &file.new_path {
                        return self.read(new)?.map_or_else(
                            || {
                                Err(refuse(
                                    old,
                                    "is not in the tree, and was not moved as this patch does",
                                ))
                            },
                            |it| Ok(Some(it)),
                        );
                    }
                }
                _ => {}
            }
        }
        Err(refuse(old, "is not in the tree"))
    }

    /// A file as it is before the patch.
    pub(super) fn read(&self, path: &TreePath) -> Result<Option<State>, ApplyFailure> {
        let failed = |error: TreeError| unreadable(path, &error);
        let Some(entry) = self.tree.entry(path).map_err(failed)? else {
            return Ok(None);
        };
        let Some(data) = self.tree.read(path).map_err(failed)? else {
            return Ok(None);
        };
        let content = FileContent::new(entry.mode, data);
        Ok(Some(State {
            origin: Some(path.clone()),
            content: Some(content.ok_or_else(|| {
                refuse(
                    path,
                    "cannot be stored: no commit of a submodule, or a forged SHA-1",
                )
            })?),
            lines: LineMap::default(),
        }))
    }

    /// Whether a file may stand at `new` after this section.
    fn check_target(
        &self,
        file: &FilePatch,
        new: &TreePath,
        before: Option<&State>,
    ) -> Result<(), ApplyFailure> {
        let failed = |error: TreeError| unreadable(new, &error);
        let mut at = 0;
        while let Some(slash) = new.as_str()[at..].find('/') {
            let parent =
                TreePath::parse(&new.as_str()[..at + slash]).expect("a prefix of a tree path");
            at += slash + 1;
            let mode = match self.done.get(&parent) {
                Some(state) => state.content.as_ref().map(|it| it.mode),
                None => self.tree.entry(&parent).map_err(failed)?.map(|it| it.mode),
            };
            match mode {
                Some(Mode::Symlink) => {
                    return Err(refuse(
                        new,
                        format!("lies beyond the symbolic link {parent}"),
                    ));
                }
                Some(_) if self.leaving.binary_search(&parent).is_err() => {
                    return Err(refuse(new, format!("{parent} is a file, not a directory")));
                }
                _ => {}
            }
        }
        let makes = before.is_none() || matches!(file.kind, FileKind::Rename | FileKind::Copy);
        if !makes || file.old_path.as_ref() == Some(new) && before.is_some() {
            return Ok(());
        }
        let exists = match self.done.get(new) {
            Some(state) => state.content.is_some(),
            None => {
                self.leaving.binary_search(new).is_err()
                    && self.tree.entry(new).map_err(failed)?.is_some()
            }
        };
        // A merge may find that the tree has the same file by now.
        if exists && self.how == How::Exact {
            return Err(refuse(new, "is in the tree already"));
        }
        if !exists && self.tree.is_directory(new).map_err(failed)? {
            let prefix = format!("{new}/");
            if !self
                .leaving
                .iter()
                .any(|it| it.as_str().starts_with(&prefix))
            {
                return Err(refuse(new, "is a directory in the tree"));
            }
        }
        Ok(())
    }

    /// The file after the section; `None` when a merge finds that nothing is left to do.
    fn patched(
        &mut self,
        file: &FilePatch,
        before: Option<State>,
    ) -> Result<Option<State>, ApplyFailure> {
        let path = file.path();
        let content = before.as_ref().and_then(|it| it.content.clone());
        let mode = new_mode(file, content.as_ref())?;
        let (data, lines) = match (self.how, &content) {
            (How::Merge, None) if file.kind == FileKind::Delete => return Ok(None),
            (How::Merge, _) => self.merged(file, content.as_ref())?,
            (How::Exact, _) => self.exact(file, content.as_ref())?,
        };
        if file.kind == FileKind::Delete {
            return Ok(Some(State {
                origin: before.and_then(|it| it.origin),
                content: None,
                lines,
            }));
        }
        let content = FileContent::new(mode, data);
        let content = content.ok_or_else(|| {
            refuse(
                path,
                "cannot be stored: no commit of a submodule, or a forged SHA-1",
            )
        })?;
        Ok(Some(match before {
            Some(before) => State {
                origin: before.origin,
                content: Some(content),
                lines: before.lines.then(&lines),
            },
            None => State {
                origin: None,
                content: Some(content),
                lines,
            },
        }))
    }
}

/// The mode after the section.
fn new_mode(file: &FilePatch, before: Option<&FileContent>) -> Result<Mode, ApplyFailure> {
    let Some(before) = before else {
        return Ok(file.new_mode.unwrap_or(Mode::Regular));
    };
    if let Some(old) = file.old_mode
        && !old.is_same_kind(before.mode)
    {
        let (old, now) = (old.as_str(), before.mode.as_str());
        return Err(refuse(
            file.path(),
            format!("has mode {now}, the patch expects {old}"),
        ));
    }
    let mode = file.new_mode.unwrap_or(before.mode);
    if !mode.is_same_kind(before.mode) {
        let (new, now) = (mode.as_str(), before.mode.as_str());
        return Err(refuse(
            file.path(),
            format!("cannot change from mode {now} to {new}"),
        ));
    }
    Ok(mode)
}
