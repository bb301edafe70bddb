//! Rows of numbers that were computed here, or that lie in a file of the cache and are used where they lie.

use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::Arc;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A part of a file that was read and found whole.
#[derive(Clone)]
pub(crate) struct Lent {
    all: Arc<Vec<u32>>,
    /// In bytes; it starts at a whole number.
    range: Range<usize>,
}

impl Lent {
    /// `None` where the range does not start at a whole number, or lies outside.
    pub(crate) fn new(all: &Arc<Vec<u32>>, range: Range<usize>) -> Option<Self> {
        let is_inside = range.start <= range.end && range.end <= all.len() * size_of::<u32>();
        (is_inside && range.start.is_multiple_of(size_of::<u32>())).then(|| Self {
            all: Arc::clone(all),
            range,
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.all.as_bytes()[self.range.clone()]
    }
}

/// Rows of which any bits make sense.
pub(crate) struct Rows<T>(Kept<T>);

enum Kept<T> {
    Own(Vec<T>),
    Lent(Lent, PhantomData<T>),
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Kept::Own(Vec::new()))
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self(Kept::Own(rows))
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Rows<T> {
    /// Takes what [`Rows::write`] wrote; `None` unless it is whole rows.
    pub(crate) fn read(lent: Lent) -> Option<Self> {
        <[T]>::ref_from_bytes(lent.bytes()).ok()?;
        Some(Self(Kept::Lent(lent, PhantomData)))
    }

    /// The rows as they lie in memory.
    pub(crate) fn write(&self) -> Vec<u8> {
        (**self).as_bytes().to_vec()
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Kept::Own(rows) => rows,
            Kept::Lent(lent, _) => <[T]>::ref_from_bytes(lent.bytes()).unwrap_or_default(),
        }
    }
}
