//! Raw list mail to message, patch and series, without any I/O.
//!
//! ```
//! let raw = b"From: A <a@example.org>\nSubject: [PATCH] x: y\nMessage-ID: <1@example.org>\n\nText.\n";
//! let message = lorelint_mail::parse_message(raw);
//! let heads = vec![message.head(None)];
//! let assembly = lorelint_mail::assemble(&heads);
//! assert_eq!(assembly.placements.len(), 1);
//! ```
//!
//! The way of one mail: [`mbox::split`] cuts a mailbox, [`parse_message`] reads one mail and never fails,
//! [`Message::head`] is the small digest that [`assemble`] needs, and [`assemble`] says what each mail is
//! and which series there are. [`Head::keys`] tells which other heads one must be assembled together with.
#![warn(missing_docs)]

mod address;
mod body;
mod codec;
mod diffscan;
mod encoded_words;
pub mod export;
mod flags;
mod headers;
mod id;
pub mod mbox;
mod message;
mod mime;
mod people;
mod series;
mod subject;
mod trailers;
mod transfer;

pub use address::Address;
pub use flags::Flags;
pub use id::MessageId;
pub use message::{MAX_MAIL_BYTES, Message, parse_message};
pub use series::{
    Assembly, ChangeId, Content, Head, MessageClass, Part, Placement, Series, SeriesState, assemble,
};
pub use subject::Subject;
pub use trailers::{Declared, Trailer};
