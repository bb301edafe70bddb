//! Trees of a git repository: bare or with a work tree, never checked out, never written to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;
use gix::objs::tree::{EntryKind, EntryMode};
use gix::objs::{Kind, TreeRefIter};

use super::whole::bound;
use super::work::WorkFiles;
use super::{BlobId, FileChanges, FileEntry, Mode, TreeError, TreePath, TreeSource, listing};

/// Bytes of decoded directories that each thread keeps: they are read again for each path below them.
const OBJECT_CACHE_BYTES: usize = 16 << 20;

/// A repository that many threads may read; cheap to clone.
#[derive(Clone)]
pub struct GitRepo {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    repository: gix::ThreadSafeRepository,
    /// Handles that no thread uses now: they keep their caches and open packs.
    idle: Mutex<Vec<Handle>>,
    index: OnceLock<Option<Arc<gix::index::File>>>,
    work: OnceLock<Option<WorkFiles>>,
}

/// What one thread reads with.
struct Handle {
    /// For commits and trees, with a cache.
    repo: gix::Repository,
    /// For files: each is read once, and would only push directories out of the cache.
    files: gix::Repository,
}

impl GitRepo {
    /// Opens a bare repository, or the one of a work tree whose top is `path`. The configuration of the user and of
    /// the system is not read.
    ///
    /// # Errors
    ///
    /// [`TreeError::Git`] when there is no repository.
    pub fn open(path: &Path) -> Result<Self, TreeError> {
        let repository =
            gix::open::Options::isolated()
                .open(path)
                .map_err(|error| TreeError::Git {
                    path: path.display().to_string(),
                    reason: error.to_string(),
                })?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                repository,
                idle: Mutex::default(),
                index: OnceLock::new(),
                work: OnceLock::new(),
            }),
        })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The full hex id of the commit or tree that `revision` names: a branch, a tag, an id, `HEAD~3`.
    ///
    /// # Errors
    ///
    /// [`TreeError::UnknownRevision`] when there is none, or it is a file.
    pub fn resolve(&self, revision: &str) -> Result<String, TreeError> {
        self.with(|repo| Ok(self.commit_or_tree(repo, revision)?.0.to_string()))
    }

    /// The tree at `revision`.
    ///
    /// # Errors
    ///
    /// As [`GitRepo::resolve`].
    pub fn tree(&self, revision: &str) -> Result<GitTree, TreeError> {
        let (id, tree) = self.with(|repo| self.commit_or_tree(repo, revision))?;
        Ok(GitTree {
            repo: self.clone(),
            tree,
            revision: id.to_string(),
            listing: Arc::default(),
        })
    }

    /// The hex ids of `revision` and of what came before it along first parents, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`GitRepo::resolve`].
    pub fn first_parents(&self, revision: &str, limit: usize) -> Result<Vec<String>, TreeError> {
        self.with(|repo| {
            let mut next = Some(self.commit_or_tree(repo, revision)?.0);
            let mut found = Vec::new();
            while let Some(id) = next.take().filter(|_| found.len() < limit) {
                found.push(id.to_string());
                // The edge of a shallow clone ends the walk like a first commit.
                let commit = repo.find_commit(id).ok();
                next = commit.and_then(|it| it.parent_ids().next().map(gix::Id::detach));
            }
            Ok(found)
        })
    }

    /// The names of branches, local ones first, then those of remotes, then tags; sorted, at most `limit`.
    ///
    /// A repository whose references cannot be read has none.
    pub fn tips(&self, limit: usize) -> Vec<String> {
        self.with(|repo| {
            let Ok(references) = repo.references() else {
                return Vec::new();
            };
            let mut names = Vec::new();
            for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/"] {
                let Ok(found) = references.prefixed(prefix) else {
                    continue;
                };
                let mut some: Vec<String> = found
                    .flatten()
                    .take(limit)
                    .filter_map(|it| {
                        std::str::from_utf8(it.name().as_bstr())
                            .ok()
                            .map(str::to_owned)
                    })
                    .collect();
                some.sort();
                names.append(&mut some);
            }
            names.truncate(limit);
            names
        })
    }

    fn commit_or_tree(
        &self,
        repo: &gix::Repository,
        revision: &str,
    ) -> Result<(ObjectId, ObjectId), TreeError> {
        let unknown = || TreeError::UnknownRevision {
            path: self.shared.path.display().to_string(),
            revision: revision.to_owned(),
        };
        let id = repo.rev_parse_single(revision).map_err(|_| unknown())?;
        let object = id.object().map_err(|_| unknown())?;
        let object = object.peel_tags_to_end().map_err(|_| unknown())?;
        let id = object.id;
        let tree = object.peel_to_tree().map_err(|_| unknown())?;
        Ok((id, tree.id))
    }

    /// Lends a handle of this thread's own to `work`.
    pub(super) fn with<T>(&self, work: impl FnOnce(&gix::Repository) -> T) -> T {
        self.with_handle(|handle| work(&handle.repo))
    }

    fn with_handle<T>(&self, work: impl FnOnce(&Handle) -> T) -> T {
        let idle = || {
            self.shared
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let kept = idle().pop();
        let handle = kept.unwrap_or_else(|| {
            let files = self.shared.repository.to_thread_local();
            let mut repo = files.clone();
            repo.object_cache_size_if_unset(OBJECT_CACHE_BYTES);
            Handle { repo, files }
        });
        let result = work(&handle);
        idle().push(handle);
        result
    }

    pub(super) fn error(&self, what: &str, error: &impl std::fmt::Display) -> TreeError {
        TreeError::Git {
            path: self.shared.path.display().to_string(),
            reason: format!("{what}: {error}"),
        }
    }

    pub(super) fn object(
        &self,
        repo: &gix::Repository,
        id: ObjectId,
    ) -> Result<Vec<u8>, TreeError> {
        let mut object = repo
            .find_object(id)
            .map_err(|error| self.error(&id.to_string(), &error))?;
        Ok(std::mem::take(&mut object.data))
    }

    /// What is checked out, where that can stand for blobs.
    fn work_files(&self) -> Option<&WorkFiles> {
        let work = &self.shared.work;
        let found = work.get_or_init(|| {
            let index = self.index()?;
            self.with(|repo| WorkFiles::of(repo, index))
        });
        found.as_ref()
    }

    /// The index of a work tree; `None` where there is none or it cannot be read. Read once.
    pub(super) fn index(&self) -> Option<Arc<gix::index::File>> {
        let index = &self.shared.index;
        let read = || self.with(open_index).map(Arc::new);
        index.get_or_init(read).clone()
    }

    pub(super) fn blob(&self, hex: &str) -> Result<Option<Vec<u8>>, TreeError> {
        self.with(|repo| {
            let mut candidates = HashSet::new();
            let Ok(prefix) = gix::hash::Prefix::from_hex(hex) else {
                return Ok(None);
            };
            repo.objects
                .lookup_prefix(prefix, Some(&mut candidates))
                .map_err(|error| self.error(hex, &error))?;
            let mut blobs = candidates.into_iter().filter(|id| {
                repo.find_header(*id)
                    .is_ok_and(|it| it.kind() == Kind::Blob)
            });
            match (blobs.next(), blobs.next()) {
                (Some(id), None) => self.object(repo, id).map(Some),
                _ => Ok(None),
            }
        })
    }
}

/// The index of a work tree, without its hash being checked: git does not do that either.
fn open_index(repo: &gix::Repository) -> Option<gix::index::File> {
    let options = gix::index::decode::Options::default();
    gix::index::File::at(repo.index_path(), repo.object_hash(), true, options).ok()
}

/// One tree of a [`GitRepo`].
#[derive(Clone)]
pub struct GitTree {
    repo: GitRepo,
    tree: ObjectId,
    revision: String,
    /// All files, once somebody asked: then a path costs a binary search and no directory.
    listing: Arc<OnceLock<Vec<FileEntry>>>,
}

impl GitTree {
    /// The repository that holds it.
    pub fn repo(&self) -> &GitRepo {
        &self.repo
    }

    /// The full hex id of the commit, or of the tree where a tree was asked for.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The hex id of the tree itself.
    pub fn tree_id(&self) -> String {
        self.tree.to_string()
    }

    fn lookup(
        &self,
        repo: &gix::Repository,
        path: &TreePath,
    ) -> Result<Option<(EntryMode, ObjectId)>, TreeError> {
        let failed = |error: gix::Error| self.repo.error(path.as_str(), &error);
        let tree = repo.find_tree(self.tree).map_err(failed)?;
        let entry = tree
            .lookup_entry(path.as_str().split('/'))
            .map_err(failed)?;
        Ok(entry.map(|it| (it.mode(), it.object_id())))
    }
}

impl TreeSource for GitTree {
    fn files(&self) -> Result<Vec<FileEntry>, TreeError> {
        if let Some(files) = self.listing.get() {
            return Ok(files.clone());
        }
        let files = listing::of(&self.repo, self.tree)?;
        // Another thread may have been faster, with the same result.
        Ok(self.listing.get_or_init(|| files).clone())
    }

    fn entry(&self, path: &TreePath) -> Result<Option<FileEntry>, TreeError> {
        if let Some(files) = self.listing.get() {
            let found = files.binary_search_by(|it| it.path.cmp(path));
            return Ok(found.ok().map(|at| files[at].clone()));
        }
        let found = self.repo.with(|repo| self.lookup(repo, path))?;
        Ok(found
            .filter(|(mode, _)| !mode.is_tree())
            .map(|(mode, id)| file_entry(path.clone(), mode.kind(), id)))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, TreeError> {
        let mut text = Vec::new();
        Ok(self.read_into(path, &mut text)?.then_some(text))
    }

    fn read_into(&self, path: &TreePath, text: &mut Vec<u8>) -> Result<bool, TreeError> {
        text.clear();
        let Some(entry) = self.entry(path)? else {
            return Ok(false);
        };
        // Who lists a tree reads much of it.
        let work = self.listing.get().and_then(|_| self.repo.work_files());
        if work
            .zip(entry.blob)
            .and_then(|it| it.0.read(path, it.1, text))
            .is_some()
        {
            return Ok(true);
        }
        let read = self.repo.with_handle(|handle| match entry.blob {
            Some(blob) => self.repo.object(&handle.files, id(blob)).map(Some),
            None => Ok(self
                .lookup(&handle.repo, path)?
                .map(|(_, id)| format!("Subproject commit {id}\n").into_bytes())),
        })?;
        let is_there = read.is_some();
        let read = read.unwrap_or_default();
        bound(read.len() as u64).map_err(|source| TreeError::Read {
            path: path.to_string(),
            source,
        })?;
        *text = read;
        Ok(is_there)
    }

    fn is_directory(&self, path: &TreePath) -> Result<bool, TreeError> {
        let found = self.repo.with(|repo| self.lookup(repo, path))?;
        Ok(found.is_some_and(|(mode, _)| mode.is_tree()))
    }

    fn blob(&self, hex: &str) -> Result<Option<Vec<u8>>, TreeError> {
        self.repo.blob(hex)
    }

    fn tree_id_with(&self, changes: &FileChanges) -> Result<Option<String>, TreeError> {
        let changes: Vec<Leaf<'_>> = changes
            .iter()
            .map(|(path, content)| Leaf {
                rest: path.as_str(),
                entry: content.as_ref().map(|it| (kind(it.mode), id(it.blob))),
            })
            .collect();
        let root = self
            .repo
            .with(|repo| self.rewrite(repo, Some(self.tree), &changes))?;
        let root = root.unwrap_or_else(|| ObjectId::empty_tree(gix::hash::Kind::Sha1));
        Ok(Some(root.to_string()))
    }
}

/// A change below the directory that is being rewritten.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    rest: &'a str,
    entry: Option<(EntryKind, ObjectId)>,
}

impl GitTree {
    /// The id of directory `old` with `changes` (sorted by path); `None` when nothing is left in it.
    ///
    /// An editor of trees that stores what it makes would look up every entry of every directory on the way; only
    /// the ids matter here.
    fn rewrite(
        &self,
        repo: &gix::Repository,
        old: Option<ObjectId>,
        changes: &[Leaf<'_>],
    ) -> Result<Option<ObjectId>, TreeError> {
        let data = old.map(|id| self.repo.object(repo, id)).transpose()?;
        let data = data.unwrap_or_default();
        let mut entries: Vec<(Vec<u8>, EntryMode, ObjectId)> = Vec::new();
        for entry in TreeRefIter::from_bytes(&data, gix::hash::Kind::Sha1) {
            let entry = entry.map_err(|it| self.repo.error("broken tree", &it))?;
            entries.push((entry.filename.to_vec(), entry.mode, entry.oid.to_owned()));
        }
        let mut at = 0;
        while let Some(change) = changes.get(at) {
            let name = first_part(change.rest);
            let same = changes[at..]
                .iter()
                .take_while(|it| first_part(it.rest) == name)
                .count();
            let group = &changes[at..at + same];
            at += same;
            let place = entries.iter().position(|(it, ..)| it == name.as_bytes());
            let before = place.map(|place| entries.remove(place));
            let leaf = group.iter().find(|it| it.rest == name);
            let below: Vec<Leaf<'_>> = group
                .iter()
                .filter(|it| it.rest != name)
                .map(|it| Leaf {
                    rest: &it.rest[name.len() + 1..],
                    entry: it.entry,
                })
                .collect();
            let directory = before.as_ref().filter(|(_, mode, _)| mode.is_tree());
            let set = leaf.and_then(|it| it.entry);
            let mut after = set.map(|(kind, id)| (EntryMode::from(kind), id));
            if after.is_none() && !below.is_empty() {
                let id = self.rewrite(repo, directory.map(|it| it.2), &below)?;
                after = id.map(|id| (EntryMode::from(EntryKind::Tree), id));
            }
            if after.is_none() && leaf.is_none() && directory.is_none() {
                // A file that only loses what never was below it stays.
                after = before.map(|(_, mode, id)| (mode, id));
            }
            entries.extend(after.map(|(mode, id)| (name.as_bytes().to_vec(), mode, id)));
        }
        if entries.is_empty() {
            return Ok(None);
        }
        Ok(Some(hash_tree(entries)))
    }
}

fn hash_tree(mut entries: Vec<(Vec<u8>, EntryMode, ObjectId)>) -> ObjectId {
    // git sorts a directory as if its name ended in a slash.
    let key = |(name, mode, _): &(Vec<u8>, EntryMode, ObjectId)| {
        let mut key = name.clone();
        if mode.is_tree() {
            key.push(b'/');
        }
        key
    };
    entries.sort_by_cached_key(key);
    let mut data = Vec::with_capacity(entries.len() * 48);
    for (name, mode, id) in entries {
        data.extend_from_slice(format!("{:o} ", mode.value()).as_bytes());
        data.extend_from_slice(&name);
        data.push(0);
        data.extend_from_slice(id.as_bytes());
    }
    gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Tree, &data)
        .expect("a tree of a few names is no SHA-1 collision attack")
}

fn first_part(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn id(blob: BlobId) -> ObjectId {
    ObjectId::from_bytes_or_panic(&blob.0)
}

const fn kind(mode: Mode) -> EntryKind {
    match mode {
        Mode::Regular => EntryKind::Blob,
        Mode::Executable => EntryKind::BlobExecutable,
        Mode::Symlink => EntryKind::Link,
        Mode::Submodule => EntryKind::Commit,
    }
}

pub(super) fn file_entry(path: TreePath, kind: EntryKind, id: ObjectId) -> FileEntry {
    let mode = match kind {
        EntryKind::BlobExecutable => Mode::Executable,
        EntryKind::Link => Mode::Symlink,
        EntryKind::Commit => Mode::Submodule,
        EntryKind::Tree | EntryKind::Blob => Mode::Regular,
    };
    let blob = (mode != Mode::Submodule).then(|| BlobId::from_bytes(id.as_bytes()));
    FileEntry {
        path,
        blob: blob.flatten(),
        mode,
    }
}
