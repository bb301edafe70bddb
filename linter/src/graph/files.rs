//! The files of an image, which a cached image reads one by one when somebody asks.

use std::ops;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::index::SourceFile;
use crate::rows::{Lent, Rows};
use crate::tree::TreePath;

/// Files in path order.
pub(crate) struct Files(Kept);

enum Kept {
    Own(Vec<SourceFile>),
    Lent(Stored),
}

struct Stored {
    read: Vec<OnceLock<Box<SourceFile>>>,
    /// One past the last byte of each.
    ends: Rows<u32>,
    bytes: Lent,
}

impl Default for Files {
    fn default() -> Self {
        Self(Kept::Own(Vec::new()))
    }
}

impl From<Vec<SourceFile>> for Files {
    fn from(files: Vec<SourceFile>) -> Self {
        Self(Kept::Own(files))
    }
}

impl Files {
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Kept::Own(files) => files.len(),
            Kept::Lent(stored) => stored.read.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SourceFile> {
        (0..self.len()).map(|it| &self[it])
    }

    /// Reads all of them, for whoever is going to ask for each.
    pub(crate) fn read_all(&self) {
        if let Kept::Lent(stored) = &self.0 {
            (0..stored.read.len())
                .into_par_iter()
                .with_min_len(512)
                .for_each(|it| {
                    stored.get(it);
                });
        }
    }

    /// The place of the first file of which this does not hold, where it holds of none behind that one.
    pub(crate) fn partition_point(&self, holds: impl Fn(&SourceFile) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if holds(&self[middle]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Where the file of this path is, or where it would be.
    pub(crate) fn place(&self, path: &TreePath) -> Result<usize, usize> {
        let place = self.partition_point(|it| it.path < *path);
        if place < self.len() && self[place].path == *path {
            Ok(place)
        } else {
            Err(place)
        }
    }

    /// Two sections, for [`Files::read`]; `None` where something cannot be written.
    pub(crate) fn write(&self) -> Option<[Vec<u8>; 2]> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut ends = Vec::with_capacity(self.len());
        for file in self.iter() {
            bytes = postcard::to_extend(file, bytes).ok()?;
            ends.push(u32::try_from(bytes.len()).ok()?);
        }
        Some([Rows::from(ends).write(), bytes])
    }

    /// Takes what [`Files::write`] wrote.
    pub(crate) fn read(ends: Lent, bytes: Lent) -> Option<Self> {
        let ends: Rows<u32> = Rows::read(ends)?;
        let last = ends.last().map_or(0, |it| *it as usize);
        (ends.is_sorted() && last == bytes.bytes().len()).then(|| {
            Self(Kept::Lent(Stored {
                read: (0..ends.len()).map(|_| OnceLock::new()).collect(),
                ends,
                bytes,
            }))
        })
    }
}

impl ops::Index<usize> for Files {
    type Output = SourceFile;

    fn index(&self, at: usize) -> &SourceFile {
        match &self.0 {
            Kept::Own(files) => &files[at],
            Kept::Lent(stored) => stored.get(at),
        }
    }
}

impl Stored {
    fn get(&self, at: usize) -> &SourceFile {
        self.read[at].get_or_init(|| {
            let start = at.checked_sub(1).map_or(0, |it| self.ends[it] as usize);
            let bytes = &self.bytes.bytes()[start..self.ends[at] as usize];
            Box::new(postcard::from_bytes(bytes).expect("this build wrote it, as its hash tells"))
        })
    }
}
