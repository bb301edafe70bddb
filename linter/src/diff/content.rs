//! What a section makes of the content of its file: by hunks, by a binary patch, or by a merge.

use super::apply::{Stage, refuse, unreadable};
use super::hunks::{self, Witness};
use super::{
    ApplyFailure, BinaryChange, Body, FileKind, FilePatch, Hunk, LineMap, MAX_BINARY_BYTES, binary,
    is_null_id, merge,
};
use crate::tree::{BlobId, FileContent, Mode};

impl Stage<'_> {
    /// The content and its changes when nothing but the file as it is counts.
    pub(super) fn exact(
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
    pub(super) fn merged(
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
    pub(super) fn named_blob(
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
