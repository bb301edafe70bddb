//! Files of a work tree that stand for blobs: to read one costs a fraction of what inflating its blob does.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::index::entry;

use super::whole::read_whole;
use super::{BlobId, TreePath};

/// Attributes by which git writes other bytes than lie in the blob. Line ends are no matter: see [`WorkFiles::read`].
const CONVERTING: &[&str] = &["filter", "ident", "working-tree-encoding"];
/// Files that are hashed before any is trusted: attributes and filters of the user are not ours to read.
const SAMPLE: usize = 64;

/// The checked-out files of a repository.
pub(super) struct WorkFiles {
    root: PathBuf,
    index: Arc<gix::index::File>,
}

impl WorkFiles {
    /// `None` where nothing is checked out, or git may have written something else than the blobs.
    pub(super) fn of(repo: &gix::Repository, index: Arc<gix::index::File>) -> Option<Self> {
        let this = Self {
            root: repo.workdir()?.to_owned(),
            index,
        };
        (!this.has_conversions(repo) && this.is_as_committed()).then_some(this)
    }

    fn has_conversions(&self, repo: &gix::Repository) -> bool {
        let is_one = |it: &&gix::index::Entry| {
            let path: &[u8] = it.path(&self.index);
            path.ends_with(b".gitattributes")
        };
        let inside = self.index.entries().iter().filter(is_one);
        let inside = inside.map(|it| repo.find_object(it.id).map(|it| it.data.clone()));
        let own = std::fs::read(repo.common_dir().join("info/attributes")).unwrap_or_default();
        let mut all = inside.chain([Ok(own)]);
        all.any(|text| {
            let has =
                |text: &[u8], word: &&str| memchr::memmem::find(text, word.as_bytes()).is_some();
            text.is_ok_and(|text| CONVERTING.iter().any(|it| has(&text, it)))
        })
    }

    fn is_as_committed(&self) -> bool {
        let entries = self.index.entries();
        let step = entries.len() / SAMPLE + 1;
        let mut sample = entries.iter().step_by(step);
        sample.all(|it| {
            let path = std::str::from_utf8(it.path(&self.index)).ok();
            let path = path.and_then(TreePath::parse);
            let blob = BlobId::from_bytes(it.id.as_bytes());
            let mut text = Vec::new();
            let read = path
                .zip(blob)
                .and_then(|it| self.read(&it.0, it.1, &mut text));
            read.is_none_or(|()| {
                let kind = gix::object::Kind::Blob;
                gix::objs::compute_hash(it.id.kind(), kind, &text).is_ok_and(|now| now == it.id)
            })
        })
    }

    /// The content of a blob, where the file at `path` was written from it and has not changed since, as git
    /// itself tells by the stat data, in the place of `text`; `None` where only the blob has it.
    ///
    /// A file with carriage returns is left to the blob: git may have put them there, and never takes one away.
    pub(super) fn read(&self, path: &TreePath, blob: BlobId, text: &mut Vec<u8>) -> Option<()> {
        let entry = self.index.entry_by_path(path.as_str().into())?;
        let is_file = matches!(entry.mode, entry::Mode::FILE | entry::Mode::FILE_EXECUTABLE);
        if !is_file || entry.id.as_bytes() != blob.0 {
            return None;
        }
        let options = entry::stat::Options::default();
        if entry.stat.is_racy(self.index.timestamp(), options) {
            return None;
        }
        let file = open(&self.root.join(path.as_str()))?;
        let metadata = gix::index::fs::Metadata::from_file(&file).ok()?;
        let now = entry::Stat::from_fs(&metadata).ok()?;
        if !entry.stat.matches(&now, options) {
            return None;
        }
        read_whole(&file, metadata.len(), text).ok()?;
        let is_plain = memchr::memchr(b'\r', text).is_none();
        (is_plain && text.len() as u64 == metadata.len()).then_some(())
    }
}

fn open(path: &Path) -> Option<File> {
    let mut options = File::options();
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    options.read(true).custom_flags(flags).open(path).ok()
}
