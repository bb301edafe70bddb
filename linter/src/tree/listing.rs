//! All files of one tree of a repository: from its directories, and where the index has those, from there.

use std::ops::Range;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::index::{self, entry, extension};
use gix::objs::TreeRefIter;
use gix::objs::tree::EntryKind;
use rayon::prelude::*;

use super::git::file_entry;
use super::{FileEntry, GitRepo, TreeError, TreePath};

struct Directory<'i> {
    /// With a slash at its end; empty for the root.
    path: String,
    id: ObjectId,
    /// What the index says of the directory that was added from here.
    known: Option<&'i extension::Tree>,
}

/// What one directory holds.
#[derive(Default)]
struct Listed<'i> {
    files: Vec<FileEntry>,
    /// Entries of the index.
    added: Vec<Range<usize>>,
    below: Vec<Directory<'i>>,
}

/// The files of tree `id`, sorted by path.
///
/// # Errors
///
/// [`TreeError::Git`] when a directory is missing or broken.
pub(super) fn of(repo: &GitRepo, id: ObjectId) -> Result<Vec<FileEntry>, TreeError> {
    let index = repo.index();
    let index: Option<&index::State> = index.as_deref().map(|it| &**it);
    let mut files = Vec::new();
    let mut level = vec![Directory {
        path: String::new(),
        id,
        known: index.and_then(index::State::tree),
    }];
    // One level after the other, each in parallel: kernel trees are wide and not deep.
    while !level.is_empty() {
        let listed: Vec<_> = level
            .par_chunks(32)
            .map(|chunk| {
                let mut listed = Listed::default();
                for directory in chunk {
                    list(repo, index, directory, &mut listed)?;
                }
                Ok::<_, TreeError>(listed)
            })
            .collect::<Result<_, _>>()?;
        level.clear();
        for found in listed {
            files.extend(found.files);
            level.extend(found.below);
            let Some(index) = index else {
                continue;
            };
            for range in found.added {
                let added = index.entries()[range].par_iter();
                files.par_extend(added.filter_map(|it| added_entry(it, index)));
            }
        }
    }
    files.par_sort_unstable_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn list<'i>(
    repo: &GitRepo,
    index: Option<&'i index::State>,
    directory: &Directory<'i>,
    listed: &mut Listed<'i>,
) -> Result<(), TreeError> {
    if let Some(range) = index.and_then(|it| added(it, directory)) {
        listed.added.push(range);
        return Ok(());
    }
    let data = repo.with(|handle| repo.object(handle, directory.id))?;
    for entry in TreeRefIter::from_bytes(&data, gix::hash::Kind::Sha1) {
        let entry = entry.map_err(|it| repo.error(&directory.path, &it))?;
        // A name that is no UTF-8 is no kernel source; it stays in the tree id and out of sight.
        let Ok(name) = std::str::from_utf8(entry.filename) else {
            continue;
        };
        let path = format!("{}{name}", directory.path);
        let id = entry.oid.to_owned();
        match entry.mode.kind() {
            EntryKind::Tree => listed.below.push(Directory {
                path: path + "/",
                id,
                known: directory.known.and_then(|known| {
                    let mut below = known.children.iter();
                    below.find(|it| it.name[..] == *name.as_bytes())
                }),
            }),
            kind => {
                let path = TreePath::parse(&path);
                listed.files.extend(path.map(|it| file_entry(it, kind, id)));
            }
        }
    }
    Ok(())
}

/// The entries of the index that are the files of `directory`, where git itself would write the same tree from them.
fn added(index: &index::State, directory: &Directory<'_>) -> Option<Range<usize>> {
    let known = directory.known.filter(|it| it.id == directory.id)?;
    let range = index.prefixed_entries_range(directory.path.as_bytes().as_bstr())?;
    let entries = &index.entries()[range.clone()];
    // Sparse directories, conflicts, and what is only meant to be added are in no tree as they stand here.
    let is_plain = |it: &index::Entry| {
        it.stage() == entry::Stage::Unconflicted
            && it.mode != entry::Mode::DIR
            && !it.flags.contains(entry::Flags::INTENT_TO_ADD)
    };
    let whole = known
        .num_entries
        .is_some_and(|it| it as usize == entries.len());
    (whole && entries.iter().all(is_plain)).then_some(range)
}

fn added_entry(entry: &index::Entry, index: &index::State) -> Option<FileEntry> {
    let path = std::str::from_utf8(entry.path(index)).ok()?;
    let kind = match entry.mode {
        entry::Mode::FILE_EXECUTABLE => EntryKind::BlobExecutable,
        entry::Mode::SYMLINK => EntryKind::Link,
        entry::Mode::COMMIT => EntryKind::Commit,
        _ => EntryKind::Blob,
    };
    Some(file_entry(TreePath::parse(path)?, kind, entry.id))
}
