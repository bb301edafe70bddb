//! Sets of a few names of which all names of a tree are asked.

use rustc_hash::FxHashSet;

/// Of the 30 bits of a name, those by which most that are not in the set are told from those that are.
const BITS: u32 = 16;
const SHIFT: u32 = 30 - BITS;

/// Names, as [`Sym::short`](crate::lex::Sym::short).
pub(super) struct WordSet {
    /// One bit for all names of the same upper bits.
    some: Box<[u64; 1 << (BITS - 6)]>,
    words: FxHashSet<u32>,
}

impl Default for WordSet {
    fn default() -> Self {
        Self {
            some: Box::new([0; 1 << (BITS - 6)]),
            words: FxHashSet::default(),
        }
    }
}

impl WordSet {
    pub(super) fn has(&self, word: u32) -> bool {
        let at = word >> SHIFT;
        self.some[at as usize / 64] & (1 << (at % 64)) != 0 && self.words.contains(&word)
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }
}

impl Extend<u32> for WordSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, words: I) {
        for word in words {
            let at = word >> SHIFT;
            self.some[at as usize / 64] |= 1 << (at % 64);
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
