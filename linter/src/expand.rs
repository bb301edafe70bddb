//! Functions and tables that macros make, expanded from the definitions of the tree.
//!
//! The lexical reading sees `DEFINE_RB_FUNCS(name, …)` as a macro use. Here the use is replaced by its
//! text, which is appended to the file's own: what it makes become items like any other, at the
//! line of the use. What is used inside of functions is not expanded, the resolver follows it; only the names that
//! it calls are added where they stand in no text.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and what macros make of it is bounded"
)]

mod applied;
mod calls;
mod chosen;
mod definition;
mod made;
mod make;
mod makers;
pub(crate) mod names;
mod pasting;
mod renamed;
mod replacement;
mod rows;
mod stages;
mod templates;
mod text;
mod view;
mod ways;
mod word_set;

pub(crate) use applied::Appliers;
pub(crate) use definition::Definition;
pub(crate) use made::Made;
pub(crate) use make::{Beside, Deciding, called, grow, is_use, mentioned, named};
pub(crate) use pasting::{MakingNames, makes_names};
pub(crate) use rows::used_in_tables;
pub(crate) use stages::Tracepoints;
pub(crate) use text::{Definitions, Expander, close_of, split};
pub(crate) use ways::Ways;
