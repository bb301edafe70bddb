//! What the sources on other machines share: their addresses, the logins for them, and the connection.
//!
//! Clients of our own, because few commands are needed and none of the libraries bounds what a hostile server may
//! send: each is a protocol core that only sees bytes, and a thin source around it that talks.

mod address;
mod lines;
mod wire;

pub use address::{Access, Login, ServerAddress};
pub(super) use lines::{LineBuffer, Overlong};
pub(super) use wire::{Wire, WireError};
