//! The texts of a tree's files, as far as somebody asked: hardly any of most trees that differ in a few files.

use std::sync::{Arc, OnceLock};

/// Files that get their places at once.
const CHUNK: usize = 128;

type Text = OnceLock<Arc<Vec<u8>>>;

/// Texts by the slots of their files.
pub(super) struct Texts {
    chunks: Box<[OnceLock<Box<[Text]>>]>,
    count: usize,
}

impl Texts {
    /// Of so many files.
    pub(super) fn of(count: usize) -> Self {
        let chunks = (0..count.div_ceil(CHUNK)).map(|_| OnceLock::new());
        Self {
            chunks: chunks.collect(),
            count,
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The text of a file, if somebody asked for it.
    pub(super) fn known(&self, file: usize) -> Option<&Arc<Vec<u8>>> {
        self.chunks[file / CHUNK].get()?[file % CHUNK].get()
    }

    /// The text of a file.
    pub(super) fn get(&self, file: usize, read: impl FnOnce() -> Arc<Vec<u8>>) -> &Arc<Vec<u8>> {
        let chunk = &self.chunks[file / CHUNK];
        let texts = chunk.get_or_init(|| (0..CHUNK).map(|_| Text::new()).collect());
        texts[file % CHUNK].get_or_init(read)
    }
}
