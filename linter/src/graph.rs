//! The call graph: facts of a whole tree linked, lazily and only where somebody asks.

pub(crate) mod explore;
pub(crate) mod index;
pub(crate) mod reading;
pub(crate) mod resolve;
pub(crate) mod sieve;
mod tables;
mod typing;

pub(crate) use index::{Index, ItemId};
pub(crate) use resolve::{Edge, EdgeKind, Resolver, Target, Through};
