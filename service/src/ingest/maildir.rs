//! Maildirs: every file in `new` and `cur` is one mail. There is no position: the store knows what it has.

use std::path::{Path, PathBuf};

use super::source::{MailSource, RawMail, RawStep, STEP_BYTES, SourceError};

/// A maildir with its files in the order of their names, which begin with a time.
pub(super) struct Maildir {
    /// Latest first: the oldest is taken from the end.
    files: Vec<PathBuf>,
}

impl Maildir {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        let folders = [path.join("new"), path.join("cur")];
        if !folders.iter().any(|it| it.is_dir()) {
            return Err(SourceError::NotOne {
                path: path.to_owned(),
                wanted: "maildir",
                reason: "there is neither new nor cur in it".to_owned(),
            });
        }
        for folder in folders.into_iter().filter(|it| it.is_dir()) {
            let cannot = |source| SourceError::Read {
                path: folder.clone(),
                source,
            };
            for entry in std::fs::read_dir(&folder).map_err(cannot)? {
                let entry = entry.map_err(cannot)?;
                if entry.file_type().map_err(cannot)?.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort_by(|one, other| other.file_name().cmp(&one.file_name()));
        Ok(Self { files })
    }
}

impl MailSource for Maildir {
    fn next_step(&mut self, limit: usize) -> Result<Option<RawStep>, SourceError> {
        if self.files.is_empty() {
            return Ok(None);
        }
        let mut step = RawStep::default();
        let mut size = 0;
        while step.mails.len() < limit && size < STEP_BYTES {
            let Some(path) = self.files.pop() else { break };
            let place = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            match std::fs::read(&path) {
                Ok(bytes) => {
                    size += bytes.len();
                    step.mails.push(RawMail {
                        bytes,
                        place,
                        archived: None,
                    });
                }
                // A mail client moves files from new to cur and deletes them while we read.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => step.skipped += 1,
                Err(error) => step.unreadable.push((place, error.to_string())),
            }
        }
        Ok(Some(step))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.files.len() as u64)
    }
}
