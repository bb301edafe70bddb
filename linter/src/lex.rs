//! The lexical reading: bounds and names of top-level items, at memory speed and never failing.
//!
//! It knows comments, strings, braces, parentheses and preprocessor lines, and nothing of grammar.
//! What it says of names is complete rather than exact: it may name a variable, it must not miss a call.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

mod body;
mod damage;
mod directive;
mod given;
mod item;
mod runs;
mod scan;
mod variables;
pub(crate) mod words;

pub(crate) use body::{count_members, each_call, each_operand, each_word, is_word as is_word_byte};
pub(crate) use directive::{define_lines, include_key, include_lines, uncommented};
pub(crate) use given::{Argument, Given, each_argument, last_word, may_return_function};
pub(crate) use item::{FileScan, Item, ItemKind, Pair, Ref, RefKind, flags};
pub(crate) use runs::{name_length, space_length, word_length};
pub(crate) use scan::{MAX_BYTES, scan};
pub(crate) use variables::{copied, variable};
pub(crate) use words::{is_annotation, is_control};

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};

/// A name's identity: the 64-bit hash of its bytes, equal in every run and on every machine.
///
/// 64 bits are taken as exact: a kernel has under two million names, so the chance of any collision is 1e-7.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Sym(pub(crate) u64);

/// The bytes behind the last whole eight of a name, as a little-endian number: without a call for a copy of a few.
fn tail(name: &[u8]) -> u64 {
    let count = name.len() % 8;
    let rest = &name[name.len() - count..];
    let byte = |at: usize| u64::from(rest[at]) << (8 * at);
    match (count, name.last_chunk::<8>()) {
        (0, _) => 0,
        (_, Some(last)) => u64::from_le_bytes(*last) >> (8 * (8 - count)),
        (1..4, None) => byte(0) | byte(count / 2) | byte(count - 1),
        (_, None) => {
            let half = |it: &[u8; 4]| u64::from(u32::from_le_bytes(*it));
            let [first, last] =
                [rest.first_chunk(), rest.last_chunk()].map(|it| it.map_or(0, half));
            first | last << (8 * (count - 4))
        }
    }
}

impl Sym {
    /// No name.
    pub(crate) const NONE: Self = Self(0);

    /// Hashes a name.
    pub(crate) fn of(name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        let mut chunks = name.chunks_exact(8);
        let mut hasher = rustc_hash::FxHasher::default();
        for chunk in chunks.by_ref() {
            hasher.write_u64(u64::from_le_bytes(
                chunk.try_into().expect("chunks of eight"),
            ));
        }
        hasher.write_u64(tail(name) ^ ((name.len() as u64) << 56));
        // FxHasher's low bits are weak; the refs keep only 30 bits, so mix once more.
        let mixed = hasher.finish();
        Self((mixed ^ (mixed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The 30 bits that a [`Ref`] keeps.
    pub(crate) fn short(self) -> u32 {
        (self.0 >> 34) as u32
    }
}
