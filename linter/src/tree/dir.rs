//! Trees on disk: a plain directory, or a git work tree as it stands, with whatever is not committed.

use std::collections::HashSet;
use std::fs::{self, File, FileType, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rayon::prelude::*;
use rustix::fs::{FileType as FileKind, Mode as FileMode, OFlags};
use rustix::io::Errno;

use super::whole::read_whole;
use super::{BlobId, FileEntry, GitRepo, Mode, TreeError, TreePath, TreeSource};

/// A directory. Symbolic links are listed and never followed, so nothing outside of it is read.
///
/// In a git work tree the index tells the blob ids of files that have not changed since `git add`, by the stat data,
/// as git itself does; those need no reading to be known.
pub struct DirTree {
    root: PathBuf,
    /// Files are opened below it: there are thousands, and the way to the root is long.
    directory: File,
    /// Read once somebody asks for what it knows.
    index: OnceLock<Option<Index>>,
    repo: Option<GitRepo>,
    /// Directories below the root that are no links.
    real: RwLock<HashSet<String>>,
}

struct Index(Arc<gix::index::File>);

/// What the file system says of a file, as git keeps it.
type Stat = gix::index::fs::Metadata;

impl DirTree {
    /// Opens the directory `root`.
    ///
    /// # Errors
    ///
    /// [`TreeError::Read`] when it is no directory. A git index that cannot be read only costs speed.
    pub fn open(root: &Path) -> Result<Self, TreeError> {
        let listing = fs::read_dir(root).map_err(|source| Self::read_error(root, source))?;
        drop(listing);
        let directory = File::open(root).map_err(|source| Self::read_error(root, source))?;
        let is_work_tree = root.join(".git").symlink_metadata().is_ok();
        let repo = is_work_tree.then(|| GitRepo::open(root).ok()).flatten();
        Ok(Self {
            index: OnceLock::new(),
            root: root.to_owned(),
            directory,
            repo,
            real: RwLock::default(),
        })
    }

    /// As it is, but no file's blob id is told, and of those that it lists not who may run them: for whoever does not
    /// ask, reading the git index and asking the file system is work for nothing.
    #[must_use]
    pub fn without_blob_ids(self) -> Self {
        Self {
            index: OnceLock::from(None),
            ..self
        }
    }

    /// The repository of a work tree.
    pub fn repo(&self) -> Option<&GitRepo> {
        self.repo.as_ref()
    }

    fn read_error(path: &Path, source: std::io::Error) -> TreeError {
        TreeError::Read {
            path: path.display().to_string(),
            source,
        }
    }

    /// Lists `directory` (`""`, or with a slash at its end) and everything below it.
    fn walk(&self, directory: &str) -> Result<Vec<FileEntry>, TreeError> {
        let full = self.root.join(directory);
        let listing = match fs::read_dir(&full) {
            Ok(listing) => listing,
            Err(error) if directory.is_empty() => return Err(Self::read_error(&full, error)),
            // Listed as if it were a file: whoever reads it gets the error, and the rest of the tree is still read.
            Err(_) => {
                let path = TreePath::parse(directory.trim_end_matches('/'));
                return Ok(path.into_iter().map(unknown_entry).collect());
            }
        };
        let mut files = Vec::new();
        let mut below = Vec::new();
        for entry in listing.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = format!("{directory}{name}");
            let Some(tree_path) = TreePath::parse(&path) else {
                continue;
            };
            if kind.is_dir() {
                below.push(path + "/");
            } else if kind.is_file() && matches!(self.index.get(), Some(None)) {
                files.push(unknown_entry(tree_path));
            } else if is_content(kind) {
                files.push(self.file_entry(tree_path));
            }
        }
        let deeper: Vec<Vec<FileEntry>> = below
            .par_iter()
            .map(|it| self.walk(it))
            .collect::<Result<_, _>>()?;
        let mut real = self.real.write().unwrap_or_else(PoisonError::into_inner);
        real.extend(below.into_iter().map(|mut it| {
            it.pop();
            it
        }));
        drop(real);
        files.extend(deeper.into_iter().flatten());
        Ok(files)
    }

    fn file_entry(&self, path: TreePath) -> FileEntry {
        let full = self.root.join(path.as_str());
        let Ok(now) = Stat::from_path_no_follow(&full) else {
            return unknown_entry(path);
        };
        let mode = if now.is_symlink() {
            Mode::Symlink
        } else if now.is_executable() {
            Mode::Executable
        } else {
            Mode::Regular
        };
        let read = || self.repo.as_ref().and_then(GitRepo::index).map(Index);
        let index = self.index.get_or_init(read);
        let blob = index.as_ref().and_then(|it| it.blob(&path, &full, &now));
        FileEntry { path, blob, mode }
    }

    /// Whether all directories above `path` are directories, not links.
    fn is_inside(&self, path: &TreePath) -> bool {
        let Some((parent, _)) = path.as_str().rsplit_once('/') else {
            return true;
        };
        let real = self.real.read().unwrap_or_else(PoisonError::into_inner);
        if real.contains(parent) {
            return true;
        }
        drop(real);
        let mut full = self.root.clone();
        let is_real = parent.split('/').all(|part| {
            full.push(part);
            full.symlink_metadata().is_ok_and(|it| it.is_dir())
        });
        if is_real {
            let mut real = self.real.write().unwrap_or_else(PoisonError::into_inner);
            real.insert(parent.to_owned());
        }
        is_real
    }

    fn metadata(&self, path: &TreePath) -> Result<Option<Metadata>, TreeError> {
        if !self.is_inside(path) {
            return Ok(None);
        }
        let full = self.root.join(path.as_str());
        match full.symlink_metadata() {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(Self::read_error(&full, error)),
        }
    }
}

impl TreeSource for DirTree {
    fn files(&self) -> Result<Vec<FileEntry>, TreeError> {
        let mut files = self.walk("")?;
        files.par_sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    fn files_under(&self, directories: &[String]) -> Result<Vec<FileEntry>, TreeError> {
        let mut files = Vec::new();
        for directory in directories {
            let Some(path) = TreePath::parse(directory.trim_end_matches('/')) else {
                return self.files();
            };
            if self.is_directory(&path)? {
                files.extend(self.walk(&format!("{path}/"))?);
            } else {
                files.extend(self.entry(&path)?);
            }
        }
        files.par_sort_unstable_by(|left, right| left.path.cmp(&right.path));
        // One directory may lie below another.
        files.dedup_by(|left, right| left.path == right.path);
        Ok(files)
    }

    fn entry(&self, path: &TreePath) -> Result<Option<FileEntry>, TreeError> {
        let metadata = self.metadata(path)?.filter(|it| is_content(it.file_type()));
        Ok(metadata.map(|_| self.file_entry(path.clone())))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, TreeError> {
        let mut text = Vec::new();
        Ok(self.read_into(path, &mut text)?.then_some(text))
    }

    fn read_into(&self, path: &TreePath, text: &mut Vec<u8>) -> Result<bool, TreeError> {
        let read = if self.is_inside(path) {
            read_file(&self.directory, path.as_str(), text)
        } else {
            Ok(false)
        };
        if !matches!(read, Ok(true)) {
            text.clear();
        }
        match read {
            Ok(is_there) => Ok(is_there),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(false)
            }
            Err(error) => Err(Self::read_error(&self.root.join(path.as_str()), error)),
        }
    }

    fn is_directory(&self, path: &TreePath) -> Result<bool, TreeError> {
        Ok(self.metadata(path)?.is_some_and(|it| it.is_dir()))
    }

    fn blob(&self, hex: &str) -> Result<Option<Vec<u8>>, TreeError> {
        match &self.repo {
            Some(repo) => repo.blob(hex),
            None => Ok(None),
        }
    }
}

impl Index {
    /// The blob id of a file that has not changed since it was added; `None` when only reading it can tell.
    fn blob(&self, path: &TreePath, full: &Path, metadata: &Stat) -> Option<BlobId> {
        let entry = self.0.entry_by_path(path.as_str().into())?;
        let options = gix::index::entry::stat::Options::default();
        let now = gix::index::entry::Stat::from_fs(metadata).ok()?;
        if !entry.stat.matches(&now, options) {
            return None;
        }
        // A file written in the same moment as the index may have changed after that without a trace.
        if entry.stat.is_racy(self.0.timestamp(), options) {
            let text = fs::read(full).ok().filter(|_| !metadata.is_symlink())?;
            let kind = gix::object::Kind::Blob;
            let id = gix::objs::compute_hash(entry.id.kind(), kind, &text).ok()?;
            if id != entry.id {
                return None;
            }
        }
        BlobId::from_bytes(entry.id.as_bytes())
    }
}

/// Puts the bytes of a file below a directory, or where a link leads, in the place of those of `text`; false for
/// whatever else is no part of a tree.
fn read_file(directory: &File, path: &str, text: &mut Vec<u8>) -> std::io::Result<bool> {
    // A pipe would block.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(directory, path, flags, FileMode::empty());
    let file = match rustix::io::retry_on_intr(open) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => {
            let target = rustix::fs::readlinkat(directory, path, Vec::new())?;
            *text = target.into_bytes();
            return Ok(true);
        }
        // What nobody listens at: a socket, or a device without a driver.
        Err(Errno::NXIO) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let stat = rustix::fs::fstat(&file)?;
    if !FileKind::from_raw_mode(stat.st_mode).is_file() {
        return Ok(false);
    }
    read_whole(&file, u64::try_from(stat.st_size).unwrap_or_default(), text)?;
    Ok(true)
}

/// Devices, sockets and pipes are no part of a tree.
fn is_content(kind: FileType) -> bool {
    kind.is_file() || kind.is_symlink()
}

fn unknown_entry(path: TreePath) -> FileEntry {
    FileEntry {
        path,
        blob: None,
        mode: Mode::Regular,
    }
}
