//! Keyset paging: a page starts after a row, never at a number of rows, so that it stays right while rows arrive.

use std::fmt;

/// The place after which a page starts: the sort key and the id of the last row seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by, in the unit of that column.
    pub key: i64,
    /// Breaks ties.
    pub id: i64,
}

impl Cursor {
    /// Reads the text of [`Cursor`]'s `Display`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (key, id) = text.split_once('.')?;
        Some(Self {
            key: key.parse().ok()?,
            id: id.parse().ok()?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.key, self.id)
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// `None` starts at the top.
    pub after: Option<Cursor>,
    /// At most this many rows; the store takes 1 to [`PageRequest::MAX`].
    pub limit: u32,
}

impl PageRequest {
    /// The most rows of one page.
    pub const MAX: u32 = 500;
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            after: None,
            limit: 50,
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In list order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Cursor>,
}
