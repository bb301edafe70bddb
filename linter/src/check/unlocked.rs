//! Chains out of `->drop_inode` that begin where it has given `i_lock` back.

use super::findings::Run;
use crate::contexts::{Context, Sink};
use crate::graph::ItemId;
use crate::graph::explore::Reached;

const LOCK: &[u8] = b"i_lock";

impl Run<'_, '_, '_> {
    /// Whether the entry point of a chain does not hold `i_lock` any more where it goes on, or at `offset` of `id`, the
    /// chain's end, where that is the entry point.
    pub(super) fn is_unlocked(
        &self,
        context: &Context,
        chain: &Reached,
        (id, offset): (ItemId, usize),
    ) -> bool {
        let first = chain.calls.first();
        let (root, at) = first.map_or((id, offset), |it| (it.0, it.1 as usize));
        let text = self.index.item_text(root);
        context.sink == Sink::DropInode && text.get(..at).is_some_and(gives_back)
    }
}

/// Whether the last that a text does with a lock of an inode is to give it back.
fn gives_back(text: &[u8]) -> bool {
    let mut locks = memchr::memmem::rfind_iter(text, LOCK);
    let statement = locks.find_map(|at| {
        let start = text[..at]
            .iter()
            .rposition(|it| matches!(it, b';' | b'{' | b'}'));
        let before = &text[start.map_or(0, |it| it + 1)..at];
        let has = |word: &[u8]| memchr::memmem::find(before, word).is_some();
        if has(b"spin_unlock") {
            Some(true)
        } else {
            has(b"spin_lock").then_some(false)
        }
    });
    statement.unwrap_or(false)
}
