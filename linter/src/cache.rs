//! What was learned from trees, on disk: a few files that any number of processes read and replace whole.
//!
//! Nothing in here is trusted: a file that is damaged, or that another version wrote, is as good as none. What
//! cannot be written only costs time.

mod frame;
mod stored;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use frame::{Frame, Parts};
pub(crate) use stored::TreeFile;

/// The files together hold no more than this; the oldest go first.
const MAX_BYTES: u64 = 150 << 20;

/// A directory of cached trees and reports.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
    /// Tells the trees of one directory apart.
    place: String,
}

impl Cache {
    /// A cache in `directory`, which is made when something is kept first. `root` is where the trees to be
    /// linted lie: of each, the one read last is kept.
    pub fn new(directory: &Path, root: &Path) -> Self {
        let place = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
        Self {
            directory: directory.to_owned(),
            place: place[..16].to_owned(),
        }
    }

    fn tree_name(&self, plan: u64) -> String {
        format!("tree-{}-{plan:016x}", self.place)
    }

    /// The file of this name; `None` where there is none, or it is not whole.
    fn load(&self, name: &str) -> Option<Frame> {
        Frame::open(&File::open(self.directory.join(name)).ok()?, MAX_BYTES)
    }

    /// Puts a file in place of the one of this name; readers see the old one or the new one. Returns whether
    /// that was possible.
    fn keep(&self, name: &str, parts: &Parts) -> bool {
        let temporary = self
            .directory
            .join(format!("{name}.{}.new", std::process::id()));
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| File::create(&temporary))
            .and_then(|mut file| parts.write(|it| file.write_all(it)))
            .and_then(|()| fs::rename(&temporary, self.directory.join(name)));
        if written.is_err() {
            drop(fs::remove_file(&temporary));
            return false;
        }
        self.make_room();
        true
    }

    /// Removes the oldest files until the rest is within bounds.
    fn make_room(&self) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        let mut files: Vec<_> = entries
            .flatten()
            .filter_map(|it| {
                let about = it.metadata().ok()?;
                Some((about.modified().ok()?, about.len(), it.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|it| it.1).sum();
        for (_, size, path) in files {
            if total <= MAX_BYTES {
                break;
            }
            // Another process may have been faster.
            drop(fs::remove_file(path));
            total -= size;
        }
    }
}
