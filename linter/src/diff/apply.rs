//! Applies a parsed diff to a tree: which files exist, move, change kind; the content is `hunks` and `binary`.

use std::collections::BTreeMap;

use super::hunks::{self, Witness};
use super::{
    ApplyFailure, BinaryChange, Body, FileKind, FilePatch, Hunk, LineMap, MAX_BINARY_BYTES, Patch,
    binary, is_null_id, merge,
};
use crate::tree::{BlobId, FileContent, Mode, TreeError, TreePath, TreeSource};

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

/// Says why no merge could help.
fn without_blob(mut failure: ApplyFailure, file: &FilePatch) -> ApplyFailure {
    if let (Some(_), Some(blob)) = (failure.hunk, &file.old_blob) {
        let blob = blob.get(..12).unwrap_or(blob);
        failure.reason = format!(
            "{}; the file {blob} that it was made from is not there to be merged",
            failure.reason
        );
    }
    failure
}

/// Takes off as many leading directories as make all old files exist; what the names suggest is tried first.
fn with_fitting_strip(patch: &Patch, tree: &dyn TreeSource) -> Result<Patch, ApplyFailure> {
    if !misses_a_file(patch, tree)? {
        return Ok(patch.clone());
    }
    for strip in 0..=3 {
        if strip == patch.strip {
            continue;
        }
        if let Ok(other) = patch.with_strip(strip)
            && !misses_a_file(&other, tree)?
        {
            return Ok(other);
        }
    }
    Ok(patch.clone())
}

fn misses_a_file(patch: &Patch, tree: &dyn TreeSource) -> Result<bool, ApplyFailure> {
    let mut made = std::collections::BTreeSet::new();
    for file in &patch.files {
        if let Some(old) = &file.old_path
            && file.kind != FileKind::ModifyOrCreate
            && !made.contains(old)
            && tree
                .entry(old)
                .map_err(|it| unreadable(old, &it))?
                .is_none()
        {
            return Ok(true);
        }
        made.extend(file.new_path.clone());
    }
    Ok(false)
}

fn unreadable(path: &TreePath, error: &TreeError) -> ApplyFailure {
    refuse(path, format!("cannot be read: {error}"))
}

fn refuse(path: &TreePath, reason: impl Into<String>) -> ApplyFailure {
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
struct State {
    origin: Option<TreePath>,
    content: Option<FileContent>,
    lines: LineMap,
}

struct Stage<'a> {
    tree: &'a dyn TreeSource,
    how: How,
    is_crlf: bool,
    /// What earlier sections of this patch made.
    done: BTreeMap<TreePath, State>,
    /// Paths that some section of this patch removes or moves away.
    leaving: Vec<TreePath>,
    binary_bytes: usize,
    is_merged: bool,
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
            binary_bytes: 0,
            is_merged: false,
        };
        stage.leaving.sort();
        for file in &patch.files {
            stage.file(file)?;
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

    fn read(&self, path: &TreePath) -> Result<Option<State>, ApplyFailure> {
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

    fn exact(
        &mut self,
        file: &FilePatch,
        before: Option<&FileContent>,
    ) -> Result<(Vec<u8>, LineMap), ApplyFailure> {
        let old: &[u8] = before.map_or(&[], |it| &it.data);
        let (data, lines) = match &file.body {
            Body::None => (old.to_vec(), LineMap::default()),
            Body::Text(hunks) => self.text(file, hunks, before)?,
            Body::Binary(change) => self.binary(file, change, before)?,
            Body::BinaryAbsent => {
                let reason = "is a binary file, and the patch does not hold its content";
                return Err(refuse(file.path(), reason));
            }
        };
        if file.kind == FileKind::Delete && !data.is_empty() {
            let reason = "the patch removes the file but not all of its lines";
            return Err(refuse(file.path(), reason));
        }
        Ok((data, lines))
    }

    fn text(
        &self,
        file: &FilePatch,
        hunks: &[Hunk],
        before: Option<&FileContent>,
    ) -> Result<(Vec<u8>, LineMap), ApplyFailure> {
        let old: &[u8] = before.map_or(&[], |it| &it.data);
        let witness = match (&file.old_blob, before) {
            (Some(hex), Some(content)) if content.blob.to_hex().starts_with(hex.as_str()) => {
                Witness::SameBlob
            }
            (Some(_), _) => Witness::OtherBlob,
            (None, _) => Witness::None,
        };
        let patched = hunks::apply(old, hunks, witness).or_else(|failure| {
            // The transport may have made CR LF of each LF and left the CR LF of a DOS file alone.
            if !self.is_crlf || !old.contains(&b'\r') {
                return Err(failure);
            }
            hunks::apply(old, &with_cr(hunks), witness).map_err(|_| failure)
        });
        let patched = patched.map_err(|failure| ApplyFailure {
            file: file.path().to_string(),
            hunk: Some((failure.hunk + 1, hunks.len())),
            reason: failure.reason,
        })?;
        Ok((patched.data, patched.lines))
    }

    fn binary(
        &mut self,
        file: &FilePatch,
        change: &BinaryChange,
        before: Option<&FileContent>,
    ) -> Result<(Vec<u8>, LineMap), ApplyFailure> {
        let refused = |reason: &str| refuse(file.path(), reason.to_owned());
        let full = |id: &Option<String>| id.clone().filter(|it| it.len() == 40);
        let (Some(old_blob), Some(new_blob)) = (full(&file.old_blob), full(&file.new_blob)) else {
            return Err(refused(
                "a binary patch needs the full ids of the index line",
            ));
        };
        let old: &[u8] = before.map_or(&[], |it| &it.data);
        let is_same = match before {
            Some(content) => content.blob.to_hex() == old_blob,
            None => is_null_id(&old_blob),
        };
        if !is_same {
            return Err(refused(
                "is not the file that the binary patch was made from",
            ));
        }
        let data = match change {
            BinaryChange::Literal(data) => data.clone(),
            BinaryChange::Delta(delta) => binary::apply_delta(old, delta)
                .map_err(|reason| refused(&format!("the binary delta {reason}")))?,
        };
        self.binary_bytes += data.len();
        if self.binary_bytes > MAX_BINARY_BYTES {
            return Err(refused("the binary files of the patch are too large"));
        }
        let is_expected = if file.kind == FileKind::Delete {
            data.is_empty()
        } else {
            BlobId::of(&data).is_some_and(|it| it.to_hex() == new_blob)
        };
        if !is_expected {
            return Err(refused(
                "the binary patch makes another file than its index line says",
            ));
        }
        let lines = merge::line_map(old, &data);
        Ok((data, lines))
    }

    /// Patches the file that the `index` line names, and merges that into the file as it is.
    fn merged(
        &mut self,
        file: &FilePatch,
        now: Option<&FileContent>,
    ) -> Result<(Vec<u8>, LineMap), ApplyFailure> {
        let path = file.path();
        let Some(base) = self.named_blob(file, now)? else {
            // Sections that fit as they are need no blob.
            return self
                .exact(file, now)
                .map_err(|failure| without_blob(failure, file));
        };
        if now.is_some_and(|it| it.data == base.data) {
            return self.exact(file, now);
        }
        let (theirs, _) = self.exact(file, Some(&base).filter(|_| file.old_path.is_some()))?;
        let ours: &[u8] = now.map_or(&[], |it| &it.data);
        if file.kind == FileKind::Delete {
            return Err(refuse(
                path,
                "the patch removes a file that has changed since",
            ));
        }
        if file.old_path.is_none() && now.is_none() {
            let there = self.read(path)?.and_then(|it| it.content);
            return match there {
                Some(there) if *there.data != *theirs => {
                    Err(refuse(path, "is in the tree already, with other content"))
                }
                Some(_) => Ok((theirs, LineMap::default())),
                None => {
                    let lines = merge::line_map(&[], &theirs);
                    Ok((theirs, lines))
                }
            };
        }
        let data = merge::merge(&base.data, ours, &theirs).map_err(|conflict| {
            let (start, end) = (conflict.start, conflict.end);
            let blob = file.old_blob.as_deref().unwrap_or_default();
            refuse(
                path,
                format!("does not apply, and conflicts with the tree at lines {start} to {end} of {blob} when merged"),
            )
        })?;
        self.is_merged = true;
        let lines = merge::line_map(ours, &data);
        Ok((data, lines))
    }

    /// The content before by the `index` line, for a file that is made an empty one; `None` where it is not to be had.
    fn named_blob(
        &self,
        file: &FilePatch,
        now: Option<&FileContent>,
    ) -> Result<Option<FileContent>, ApplyFailure> {
        let path = file.path();
        let mode = now.map_or(Mode::Regular, |it| it.mode);
        if mode == Mode::Submodule || file.new_mode == Some(Mode::Submodule) {
            return Ok(None);
        }
        if file.old_path.is_none() {
            return Ok(FileContent::new(Mode::Regular, Vec::new()));
        }
        let Some(hex) = file.old_blob.as_ref().filter(|it| !is_null_id(it)) else {
            return Ok(None);
        };
        let found = self.tree.blob(hex).map_err(|it| unreadable(path, &it))?;
        Ok(found.and_then(|data| FileContent::new(mode, data)))
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

/// The hunks with each line ending in CR LF.
fn with_cr(hunks: &[Hunk]) -> Vec<Hunk> {
    let mut hunks = hunks.to_vec();
    for line in hunks.iter_mut().flat_map(|it| &mut it.lines) {
        if line.text.last() == Some(&b'\n') {
            line.text.insert(line.text.len() - 1, b'\r');
        }
    }
    hunks
}
