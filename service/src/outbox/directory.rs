//! Replies as files: a dry run, or the hand-over to another program.

use std::path::PathBuf;

use super::{Outgoing, SendError, Sender};

/// Writes one `.eml` a reply, named by its message id.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Writes into `path`, which is made where it is missing.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Sender for Directory {
    fn send(&self, mail: &Outgoing) -> Result<(), SendError> {
        let failed = |error: std::io::Error| {
            SendError::Temporary(format!("{}: {error}", self.path.display()))
        };
        std::fs::create_dir_all(&self.path).map_err(failed)?;
        let name: String = mail
            .message_id
            .chars()
            .map(|it| {
                if it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '@' | '_') {
                    it
                } else {
                    '_'
                }
            })
            .take(200)
            .collect();
        // A reader must never see half a mail.
        let partial = self.path.join(format!(".{name}.partial"));
        std::fs::write(&partial, &mail.raw).map_err(failed)?;
        std::fs::rename(&partial, self.path.join(format!("{name}.eml"))).map_err(failed)
    }
}
