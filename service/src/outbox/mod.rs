//! How replies leave: one trait, one file a way out.

mod directory;
mod smtp;

use crate::bot::header::Mailbox;
use crate::config::Transport;
use crate::model::OutboxItem;

pub use directory::Directory;
pub use smtp::Smtp;

/// A reply with its envelope.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The sender of the envelope: bounces go there.
    pub from: Mailbox,
    /// All recipients.
    pub to: Vec<Mailbox>,
    /// Own message id without brackets.
    pub message_id: String,
    /// The whole mail, LF.
    pub raw: String,
}

/// Why a reply did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Certainly not sent; may work later.
    #[error("not sent yet: {0}")]
    Temporary(String),
    /// Certainly not sent, and never will be.
    #[error("refused: {0}")]
    Permanent(String),
    /// Perhaps sent: it must not be sent again by itself.
    #[error("perhaps sent, look before you send it again: {0}")]
    Unknown(String),
}

/// A way out. Blocking: it is called on a thread that may wait.
pub trait Sender: Send + Sync {
    /// Sends one mail once.
    ///
    /// # Errors
    ///
    /// [`SendError`], which says whether it may be tried again.
    fn send(&self, mail: &Outgoing) -> Result<(), SendError>;
}

/// The configured way out; `None` where replies stay here.
pub fn sender(transport: &Transport) -> Option<Box<dyn Sender>> {
    match transport {
        Transport::None => None,
        Transport::Directory(path) => Some(Box::new(Directory::new(path.clone()))),
        Transport::Smtp(smtp) => Some(Box::new(Smtp::new(smtp.clone()))),
    }
}

impl Outgoing {
    /// The reply in its envelope.
    ///
    /// # Errors
    ///
    /// The recipient that is no address.
    pub fn of(item: OutboxItem, from: Mailbox) -> Result<Self, String> {
        let mut to = Vec::new();
        for text in item.entry.to.iter().chain(&item.cc) {
            to.push(Mailbox::parse(text).ok_or_else(|| format!("{text:?} is no address"))?);
        }
        if to.is_empty() {
            return Err("it has no recipient".to_owned());
        }
        Ok(Self {
            from,
            to,
            message_id: item.message_id,
            raw: item.raw,
        })
    }
}
