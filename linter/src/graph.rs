//! The call graph: facts of a whole tree linked, lazily and only where somebody asks.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

mod aliases;
mod bare;
mod below;
pub(crate) mod bits;
mod bodies;
mod callbacks;
mod cleanups;
mod closure;
mod compiled;
mod constants;
mod copies;
pub(crate) mod crossings;
mod deferred;
pub(crate) mod domains;
pub(crate) mod drops;
pub(crate) mod explore;
mod files;
pub(crate) mod focused;
mod gifts;
mod given;
mod handed;
pub(crate) mod held;
pub(crate) mod hops;
pub(crate) mod image;
pub(crate) mod includes;
pub(crate) mod index;
mod items;
mod joined;
pub(crate) mod known;
pub(crate) mod limits;
mod loose;
mod may_paste;
mod meaning;
mod named;
mod objects;
pub(crate) mod over;
mod pasted;
mod queued;
pub(crate) mod reading;
mod registers;
mod remade;
pub(crate) mod resolve;
mod results;
pub(crate) mod reuse;
mod roots;
pub(crate) mod sieve;
mod site;
mod stored;
pub(crate) mod table;
mod tables;
mod texts;
mod ties;
pub(crate) mod typing;
mod unbound;
mod users;
pub(crate) mod values;
mod variables;
mod weigh;
mod work;

pub(crate) use index::{Index, ItemId};
pub(crate) use resolve::{Edge, EdgeKind, Resolver, Scope, Target, Through};
