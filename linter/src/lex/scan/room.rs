//! Where one thread reads file after file: what it found is copied out, so that nothing grows anew for each.

use std::cell::Cell;

use super::{Group, Scanner};
use crate::lex::Sym;
use crate::lex::directive::Conditional;
use crate::lex::item::{FileScan, Pair, Ref};

thread_local! {
    static ROOM: Cell<Room> = Cell::default();
}

/// More items than this leave no room behind.
const MAX_ITEMS: usize = 1 << 16;

/// What a [`Scanner`] fills, and what it puts aside meanwhile.
#[derive(Default)]
pub(super) struct Room {
    out: FileScan,
    conditionals: Vec<Conditional>,
    refs: Vec<Ref>,
    pairs: Vec<Pair>,
    declared: Vec<Sym>,
    groups: Vec<Group>,
}

impl Room {
    /// That of this thread, empty.
    pub(super) fn take() -> Self {
        ROOM.take()
    }
}

impl<'a> Scanner<'a> {
    /// Of a text, in a room that is empty.
    pub(super) fn within(room: Room, src: &'a [u8]) -> Self {
        Self {
            src,
            out: room.out,
            conditionals: room.conditionals,
            refs: room.refs,
            pairs: room.pairs,
            calls: 0,
            returns: false,
            cut: None,
            declared: room.declared,
            groups: room.groups,
        }
    }

    /// Leaves its room to who comes next.
    pub(super) fn leave(mut self) {
        if self.out.items.len() > MAX_ITEMS {
            return;
        }
        self.out.clear();
        self.conditionals.clear();
        self.refs.clear();
        self.pairs.clear();
        self.declared.clear();
        self.groups.clear();
        ROOM.set(Room {
            out: self.out,
            conditionals: self.conditionals,
            refs: self.refs,
            pairs: self.pairs,
            declared: self.declared,
            groups: self.groups,
        });
    }
}
