//! Unified diffs: parsing, and applying them to a tree in memory.
//!
//! Follows `git apply` in what it accepts, in the order in which it searches for a moved hunk and in the
//! trees that come out. It differs where git guesses: there is no fuzz, a hunk without context must stand
//! exactly where it says, and a path that could leave the tree on any file system is refused.
//!
//! [`parse()`] never looks at a tree, [`apply()`] never looks at text again.

mod apply;
mod binary;
mod content;
mod headers;
mod hunks;
mod lines;
mod merge;
mod moved;
mod names;
mod parse;
mod patch_id;
mod strip;

use std::fmt;

pub use apply::{Applied, Change, apply, apply_or_merge};
pub use lines::{Edit, LineMap};
pub use parse::parse;
pub use patch_id::patch_id;

use crate::tree::{Mode, TreePath};
use names::RawNames;

/// The largest diff that is parsed, in bytes. The largest patch of a kernel list is below 10 MiB.
pub const MAX_DIFF_BYTES: usize = 32 << 20;
/// The most files that one diff may touch.
pub const MAX_FILES: usize = 20_000;
/// The largest file that a binary patch may make, and the most that all those of a diff may make together, in bytes.
pub const MAX_BINARY_BYTES: usize = 16 << 20;

/// A parsed diff: what it does to each file, in the order of the text.
#[derive(Clone, Debug)]
pub struct Patch {
    /// One entry a file section; a file may have several.
    pub files: Vec<FilePatch>,
    /// How many leading directories of the names are no part of the path: the `-p` of `git apply`.
    pub strip: u32,
    /// The transport ended every line in CR LF; one CR of each line was taken off.
    pub crlf_transport: bool,
}

impl Patch {
    /// The same diff with another number of leading directories taken off.
    ///
    /// # Errors
    ///
    /// [`DiffError::Path`] or [`DiffError::NoName`] when a name does not have that many, or leaves the tree.
    pub fn with_strip(&self, strip: u32) -> Result<Self, DiffError> {
        let mut patch = self.clone();
        patch.strip = strip;
        for file in &mut patch.files {
            file.resolve(strip)?;
        }
        Ok(patch)
    }

    /// The paths that the diff reads or writes, sorted, each once.
    pub fn paths(&self) -> Vec<TreePath> {
        let mut paths: Vec<TreePath> = self
            .files
            .iter()
            .flat_map(|file| [&file.old_path, &file.new_path])
            .flatten()
            .cloned()
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// The paths that the patches of a series read or write, sorted, each once.
pub fn paths<'a>(series: impl IntoIterator<Item = &'a Patch>) -> Vec<TreePath> {
    let all = series.into_iter().flat_map(Patch::paths);
    let all: std::collections::BTreeSet<TreePath> = all.collect();
    all.into_iter().collect()
}

/// The blobs that the `index` lines of a series name as the state before it, one for each file that existed.
///
/// Only the first patch that touches a file speaks of the base.
pub fn preimages<'a>(series: impl IntoIterator<Item = &'a Patch>) -> Vec<(TreePath, String)> {
    let mut touched = std::collections::BTreeSet::new();
    let mut named = Vec::new();
    for file in series.into_iter().flat_map(|it| &it.files) {
        if let Some(old) = &file.old_path
            && !touched.contains(old)
            && let Some(blob) = file.old_blob.as_ref().filter(|it| !is_null_id(it))
        {
            named.push((old.clone(), blob.clone()));
        }
        touched.extend(file.old_path.clone());
        touched.extend(file.new_path.clone());
    }
    named
}

/// What a section of a diff does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Changes content or mode in place.
    Modify,
    /// A diff without git headers that could also make the file: decided when it is applied.
    ModifyOrCreate,
    /// Makes a file that must not exist.
    Create,
    /// Removes a file whose content must be as the hunks say.
    Delete,
    /// Moves, and may change, a file.
    Rename,
    /// Copies, and may change, a file.
    Copy,
}

/// What a diff does to one file.
#[derive(Clone, Debug)]
pub struct FilePatch {
    /// What kind of section it is.
    pub kind: FileKind,
    /// Where the content comes from; `None` when the file is made.
    pub old_path: Option<TreePath>,
    /// Where the content goes; `None` when the file is removed.
    pub new_path: Option<TreePath>,
    /// As the headers say.
    pub old_mode: Option<Mode>,
    /// As the headers say.
    pub new_mode: Option<Mode>,
    /// The content before, by the `index` line: hex, may be abbreviated, all zero for no file.
    pub old_blob: Option<String>,
    /// The content after, by the `index` line.
    pub new_blob: Option<String>,
    /// The change of the content.
    pub body: Body,
    /// 1-based line of the section's first header in the text.
    pub line: u32,
    names: RawNames,
}

impl FilePatch {
    /// The path that a person would name: the new one, or the one that goes away.
    pub fn path(&self) -> &TreePath {
        self.new_path
            .as_ref()
            .or(self.old_path.as_ref())
            .expect("a section without any name is no section")
    }

    fn resolve(&mut self, strip: u32) -> Result<(), DiffError> {
        let (old, new) = self.names.resolve(strip, self.line)?;
        self.old_path = old.filter(|_| self.kind != FileKind::Create);
        self.new_path = new.filter(|_| self.kind != FileKind::Delete);
        if self.old_path.is_none() && self.new_path.is_none() {
            return Err(DiffError::NoName { line: self.line });
        }
        Ok(())
    }
}

/// How the content of a file changes.
#[derive(Clone, Debug)]
pub enum Body {
    /// Not at all: mode, rename, copy, or an empty file that comes or goes.
    None,
    /// By hunks, in order.
    Text(Vec<Hunk>),
    /// To these bytes, or by a delta.
    Binary(BinaryChange),
    /// The text only says that binary files differ.
    BinaryAbsent,
}

/// The forward half of a git binary patch, inflated.
#[derive(Clone, Debug)]
pub enum BinaryChange {
    /// The whole new content.
    Literal(Vec<u8>),
    /// A git delta on the old content.
    Delta(Vec<u8>),
}

/// One hunk.
#[derive(Clone, Debug)]
pub struct Hunk {
    /// First line before; 0 when the file was empty.
    pub old_start: u32,
    /// Lines before.
    pub old_len: u32,
    /// First line after; 0 when the file becomes empty.
    pub new_start: u32,
    /// Lines after.
    pub new_len: u32,
    /// Context, removed and added lines in the order of the text.
    pub lines: Vec<HunkLine>,
    /// 1-based line of the `@@` header in the text.
    pub line: u32,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HunkLine {
    /// What the first column says.
    pub kind: LineKind,
    /// The line without its first column, with its LF unless the file ends without one.
    pub text: Vec<u8>,
}

/// The first column of a line of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Stands before and after.
    Context,
    /// Stands only before.
    Removed,
    /// Stands only after.
    Added,
}

/// Why a text is no diff that could be applied anywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Nothing in the text is a diff.
    #[error("there is no diff in the text")]
    Empty,
    /// A bound of this module is exceeded.
    #[error("line {line}: the diff is too large: {what}")]
    TooLarge {
        /// 1-based line in the text.
        line: u32,
        /// The bound.
        what: String,
    },
    /// A header that says nothing that could be done, or two things at once.
    #[error("line {line}: {what}")]
    Header {
        /// 1-based line in the text.
        line: u32,
        /// What is wrong.
        what: String,
    },
    /// A section without a file name.
    #[error("line {line}: the section names no file")]
    NoName {
        /// 1-based line in the text.
        line: u32,
    },
    /// A name that leaves the tree, reaches into `.git`, or is no UTF-8.
    #[error("line {line}: refused path {path}: it could leave the tree")]
    Path {
        /// 1-based line in the text.
        line: u32,
        /// The name with control characters escaped.
        path: String,
    },
    /// A hunk whose header or lines are damaged.
    #[error("line {line}: {file}: hunk {hunk} is corrupt: {what}")]
    Hunk {
        /// 1-based line in the text.
        line: u32,
        /// The file of the section.
        file: String,
        /// 1-based within the section.
        hunk: usize,
        /// What is wrong.
        what: String,
    },
    /// A binary patch that does not decode to what it declares.
    #[error("line {line}: {file}: binary patch is corrupt: {what}")]
    Binary {
        /// 1-based line in the text.
        line: u32,
        /// The file of the section.
        file: String,
        /// What is wrong.
        what: String,
    },
}

/// Why a patch does not apply to a tree: a result, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyFailure {
    /// The file, or what stands for it when the whole diff is refused.
    pub file: String,
    /// 1-based hunk of the section that fails, and how many it has; `None` when the file itself is the reason.
    pub hunk: Option<(usize, usize)>,
    /// Why, without final stop.
    pub reason: String,
}

impl fmt::Display for ApplyFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hunk {
            Some((hunk, count)) => {
                write!(
                    formatter,
                    "{}: hunk {hunk} of {count} {}",
                    self.file, self.reason
                )
            }
            None => write!(formatter, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for ApplyFailure {}

/// Whether a hex id is the one of no object.
fn is_null_id(hex: &str) -> bool {
    hex.bytes().all(|it| it == b'0')
}

/// Bytes of a mail as text for a message: one line, no control characters, not longer than 72 characters.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let mut shown: String = text.chars().take(72).flat_map(char::escape_debug).collect();
    // Quotes are escaped for source code; a message reads better without.
    shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(72).is_some() {
        shown.push('…');
    }
    shown
}
