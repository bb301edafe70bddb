//! How the work on many things is shared among threads.

use rayon::iter::{IndexedParallelIterator, MaxLen};

/// So many are one thread's at a time.
const TOGETHER: usize = 4;

/// Things that take long, or not all as long.
///
/// By itself rayon cuts a list in twice as many parts as there are threads, and nobody helps with a part that was begun:
/// with two threads one waits at the end for what may be a quarter.
pub(crate) trait InTurns: IndexedParallelIterator {
    /// The same, handed out in small parts.
    fn in_turns(self) -> MaxLen<Self> {
        self.with_max_len(TOGETHER)
    }
}

impl<T: IndexedParallelIterator> InTurns for T {}
