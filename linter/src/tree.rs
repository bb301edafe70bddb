//! Where sources come from: paths, blob ids and the one seam for reading a kernel tree.

mod dir;
mod git;
mod listing;
mod overlay;
mod whole;
mod work;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use dir::DirTree;
pub use git::{GitRepo, GitTree};
pub use overlay::Overlay;

/// A path inside a tree: relative, `/`-separated, without `.`, `..`, empty or `.git` parts and without NUL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<str>);

impl TreePath {
    /// Returns `None` for anything that could leave the tree or reach into `.git` on any file system.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = !text.is_empty() && text.len() <= 4096 && text.split('/').all(is_safe_part);
        valid.then(|| Self(text.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path is `prefix` or lies under it; an empty prefix holds everything.
    pub fn is_under(&self, prefix: &str) -> bool {
        let prefix = prefix.trim_end_matches('/');
        prefix.is_empty()
            || self
                .0
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn is_safe_part(part: &str) -> bool {
    let is_barred = |it: u8| matches!(it, b'\0' | b'\\' | b'\n' | b'\r');
    if matches!(part, "" | "." | "..") || part.bytes().any(is_barred) {
        return false;
    }
    let starts = |with: &str| {
        part.as_bytes()
            .get(..with.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    if part.is_ascii() && !starts(".git") && !starts("git~1") {
        return true;
    }
    // HFS+ ignores these code points and NTFS has `GIT~1` and trailing dots or blanks: `.git` under
    // any of these names is the repository itself on somebody's checkout.
    let folded: String = part
        .chars()
        .filter(|it| !matches!(it, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect();
    let folded = folded.trim_end_matches(['.', ' ']);
    let folded = folded.split(':').next().unwrap_or(folded);
    folded != ".git" && folded != "git~1"
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("no path inside a tree"))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

/// A git blob id (SHA-1), the key of a file's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 20]);

impl BlobId {
    /// The id that git gives to a file of these bytes; `None` for bytes made to collide under SHA-1, which git
    /// refuses too.
    pub fn of(data: &[u8]) -> Option<Self> {
        let id =
            gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, data).ok()?;
        Self::from_bytes(id.as_bytes())
    }

    /// Reads 40 hex digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let id = gix::ObjectId::from_hex(hex.as_bytes()).ok()?;
        Self::from_bytes(id.as_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 40 lower-case hex digits.
    pub fn to_hex(self) -> String {
        gix::ObjectId::from_bytes_or_panic(&self.0).to_string()
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

/// The file modes that git knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 100644
    Regular,
    /// 100755
    Executable,
    /// 120000
    Symlink,
    /// 160000
    Submodule,
}

impl Mode {
    /// The octal digits that git writes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }

    /// Whether a patch may turn one into the other: only the executable bit is no other kind of file.
    pub const fn is_same_kind(self, other: Self) -> bool {
        let regular = matches!(self, Self::Regular | Self::Executable);
        regular && matches!(other, Self::Regular | Self::Executable)
            || matches!(self, Self::Symlink) && matches!(other, Self::Symlink)
            || matches!(self, Self::Submodule) && matches!(other, Self::Submodule)
    }
}

/// A file held in memory: cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// Its mode.
    pub mode: Mode,
    /// Its bytes: the target of a symlink, `Subproject commit <id>` and LF for a submodule.
    pub data: Arc<[u8]>,
    /// The id of the bytes, or for a submodule the commit.
    pub blob: BlobId,
}

impl FileContent {
    /// Hashes `data`; `None` for a submodule whose text names no commit, and for a SHA-1 collision.
    pub fn new(mode: Mode, data: impl Into<Arc<[u8]>>) -> Option<Self> {
        let data = data.into();
        let blob = if mode == Mode::Submodule {
            let text = std::str::from_utf8(&data).ok()?;
            let hex = text.strip_prefix("Subproject commit ")?;
            BlobId::from_hex(hex.trim_end())?
        } else {
            BlobId::of(&data)?
        };
        Some(Self { mode, data, blob })
    }
}

/// What patches make of the files that they touch; `None` is a file that goes away.
pub type FileChanges = BTreeMap<TreePath, Option<FileContent>>;

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is.
    pub path: TreePath,
    /// Its content's id, where the source knows it without reading the file.
    pub blob: Option<BlobId>,
    /// Its mode.
    pub mode: Mode,
}

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file or directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path or object.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The repository cannot be read.
    #[error("cannot read git repository {path}: {reason}")]
    Git {
        /// Where the repository is.
        path: String,
        /// What git says.
        reason: String,
    },
    /// A revision that the repository does not have.
    #[error("{path} has no revision {revision:?}: fetch it, or name another with --rev or --base")]
    UnknownRevision {
        /// Where the repository is.
        path: String,
        /// As it was asked for.
        revision: String,
    },
}

/// A kernel tree at one state: a directory, a commit, or a tree with patches applied in memory.
///
/// Implementations are consistent for as long as they live: `read` answers what `files` listed.
pub trait TreeSource: Sync + Send {
    /// All files, sorted by path, each once; symlinks and submodules are listed and never followed.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the tree itself cannot be read; a single unreadable file is left for `read`.
    fn files(&self) -> Result<Vec<FileEntry>, TreeError>;

    /// The files below some directories, as [`TreeSource::files`] lists them.
    ///
    /// # Errors
    ///
    /// As [`TreeSource::files`].
    fn files_under(&self, directories: &[String]) -> Result<Vec<FileEntry>, TreeError> {
        let mut files = self.files()?;
        files.retain(|file| directories.iter().any(|it| file.path.is_under(it)));
        Ok(files)
    }

    /// The entry at `path`, or `None` where there is no file.
    fn entry(&self, path: &TreePath) -> Result<Option<FileEntry>, TreeError>;

    /// The bytes of the file at `path` (the target of a symlink, as git stores it); `None` where there is no file.
    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, TreeError>;

    /// As [`TreeSource::read`], with the bytes in the place of those of `text`; false where there is no file.
    ///
    /// # Errors
    ///
    /// As [`TreeSource::read`].
    fn read_into(&self, path: &TreePath, text: &mut Vec<u8>) -> Result<bool, TreeError> {
        let read = self.read(path)?;
        let is_there = read.is_some();
        *text = read.unwrap_or_default();
        Ok(is_there)
    }

    /// Whether files lie under `path`.
    fn is_directory(&self, path: &TreePath) -> Result<bool, TreeError> {
        let files = self.files()?;
        Ok(files
            .iter()
            .any(|it| it.path != *path && it.path.is_under(path.as_str())))
    }

    /// The one blob whose id starts with `hex`, wherever it stands in the history; `None` where there is none
    /// or more than one. Sources without history have none.
    fn blob(&self, _hex: &str) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(None)
    }

    /// The hex id of the git tree with `changes` made, without writing anything; `None` where this is no git tree.
    fn tree_id_with(&self, _changes: &FileChanges) -> Result<Option<String>, TreeError> {
        Ok(None)
    }
}

/// Memory for larger files than this is given back.
const MAX_KEPT: usize = 1 << 20;

thread_local! {
    /// What one thread read last: the next file is read into the same memory, which its cache still holds.
    static TEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What `of` says of the bytes of a file that nobody asks for again; of none where there is no file.
pub(crate) fn with_text<R>(
    tree: &dyn TreeSource,
    path: &TreePath,
    of: impl FnOnce(&[u8]) -> R,
) -> Result<R, TreeError> {
    // Whoever reads while this is read gets memory of his own.
    let mut text = TEXT.take();
    let read = tree.read_into(path, &mut text);
    let result = read.map(|is_there| of(if is_there { &text } else { &[] }));
    if text.capacity() <= MAX_KEPT {
        TEXT.set(text);
    }
    result
}

/// A tree held in memory: tests and the demo build their kernels with it.
#[derive(Clone, Debug, Default)]
pub struct MemTree {
    files: BTreeMap<TreePath, Vec<u8>>,
}

impl MemTree {
    /// Adds or replaces a file.
    pub fn insert(&mut self, path: TreePath, content: impl Into<Vec<u8>>) {
        self.files.insert(path, content.into());
    }
}

impl TreeSource for MemTree {
    fn files(&self) -> Result<Vec<FileEntry>, TreeError> {
        Ok(self
            .files
            .keys()
            .map(|path| FileEntry {
                path: path.clone(),
                blob: None,
                mode: Mode::Regular,
            })
            .collect())
    }

    fn entry(&self, path: &TreePath) -> Result<Option<FileEntry>, TreeError> {
        Ok(self.files.contains_key(path).then(|| FileEntry {
            path: path.clone(),
            blob: None,
            mode: Mode::Regular,
        }))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(self.files.get(path).cloned())
    }
}
