//! From a source of mails to series in the database.
//!
//! One step of a source is one transaction: mails, refusals, the assembly of what they touch, the jobs that
//! follow from it and the source's position. A run that is cut off goes on where its last step ended.

mod assembly;
pub mod http;
mod imap;
mod maildir;
mod manifest;
mod mbox;
mod mirror;
mod net;
mod nntp;
mod public_inbox;
mod read;
mod run;
mod source;
mod token;

pub use net::{Access, Login, ServerAddress};
pub use read::{Incoming, Reading, read_mail};
pub use run::{IngestError, Progress, Run, deliver, ingest};
pub use source::{MailSource, RawMail, RawStep, SourceError, SourceSpec};
pub use token::{new_token, token_hash};
