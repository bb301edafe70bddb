//! Sets of a few names of which all names of a tree are asked.

use rustc_hash::FxHashSet;

use crate::graph::bits::Bits;

/// Of the 30 bits of a name, those by which most that are not in the set are told from those that are.
const BITS: u32 = 16;
const SHIFT: u32 = 30 - BITS;

/// Names, as [`Sym::short`](crate::lex::Sym::short).
pub(super) struct WordSet {
    /// One bit for all names of the same upper bits.
    some: Bits,
    words: FxHashSet<u32>,
}

impl Default for WordSet {
    fn default() -> Self {
        Self {
            some: Bits::none(1 << BITS),
            words: FxHashSet::default(),
        }
    }
}

impl WordSet {
    pub(super) fn has(&self, word: u32) -> bool {
        self.some.has(word >> SHIFT) && self.words.contains(&word)
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }
}

impl Extend<u32> for WordSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, words: I) {
        for word in words {
            self.some.set(word >> SHIFT);
            self.words.insert(word);
        }
    }
}

impl FromIterator<u32> for WordSet {
    fn from_iter<I: IntoIterator<Item = u32>>(words: I) -> Self {
        let mut set = Self::default();
        set.extend(words);
        set
    }
}
