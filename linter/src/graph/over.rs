//! Files that take the places of others in a tree that was read before.

use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::image::Image;
use crate::tree::TreePath;

/// Between two files that were read together there is room for some fewer than this.
pub(super) const RANK_STEP: u32 = 16;

/// Files in place of an image's.
pub(crate) struct Over {
    pub(super) image: Image,
    /// Of each file of `image`.
    pub(super) ranks: Vec<u32>,
    by_rank: FxHashMap<u32, u32>,
    /// Files of the base that are gone or replaced, in order.
    pub(super) hidden: Vec<u32>,
    /// The same.
    hides: Bits,
    /// Whether each file takes another one's place and none is gone.
    pub(super) keeps_paths: bool,
}

impl Over {
    /// Puts `image`'s files in their places among the base's, without the base's files in `removed`;
    /// `None` where too many new files fall between two old ones.
    pub(crate) fn new(base: &Image, image: Image, removed: &[TreePath]) -> Option<Self> {
        let place = |path: &TreePath| base.files.place(path);
        let mut hidden: Vec<u32> = removed
            .iter()
            .filter_map(|it| place(it).ok())
            .map(|it| it as u32)
            .collect();
        let mut ranks: Vec<u32> = Vec::new();
        for file in image.files.iter() {
            let rank = match place(&file.path) {
                Ok(old) => {
                    hidden.push(old as u32);
                    (old as u32 + 1) * RANK_STEP
                }
                Err(after) => {
                    let before = after as u32 * RANK_STEP;
                    let free = ranks.last().map_or(0, |it| it + 1).max(before + 1);
                    if free >= before + RANK_STEP {
                        return None;
                    }
                    free
                }
            };
            ranks.push(rank);
        }
        hidden.sort_unstable();
        hidden.dedup();
        let mut hides = Bits::none(base.files.len());
        for it in &hidden {
            hides.set(*it);
        }
        let by_rank = (0..).zip(&ranks).map(|(at, rank)| (*rank, at)).collect();
        Some(Self {
            keeps_paths: hidden.len() == ranks.len(),
            image,
            ranks,
            by_rank,
            hidden,
            hides,
        })
    }

    /// Whether a file of the base is gone or replaced.
    #[inline]
    pub(super) fn hides(&self, file: u32) -> bool {
        self.hides.has(file)
    }

    /// The file of `image` at a rank.
    #[inline]
    pub(super) fn file_at(&self, rank: u32) -> Option<u32> {
        // Most are asked for that are as they were.
        let old = rank
            .is_multiple_of(RANK_STEP)
            .then(|| (rank / RANK_STEP).wrapping_sub(1));
        if old.is_some_and(|it| !self.hides(it)) {
            return None;
        }
        self.changed_at(rank)
    }

    #[inline(never)]
    fn changed_at(&self, rank: u32) -> Option<u32> {
        self.by_rank.get(&rank).copied()
    }
}
