//! Rows of numbers, sorted, found by their first.

use rayon::prelude::*;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::rows::{Lent, Rows};

/// Sorted rows without repeats. The first number is a key that spreads evenly over 30 bits, as
/// [`Sym::short`](crate::lex::Sym::short) does.
pub(crate) struct Table<const N: usize>
where
    [u32; N]: FromBytes + IntoBytes + Immutable,
{
    rows: Rows<[u32; N]>,
    /// Where the rows begin whose key has these upper bits; one more than there are.
    buckets: Rows<u32>,
}

const KEY_BITS: u32 = 30;
/// Rows that share a bucket, about.
const BUCKET: usize = 8;

impl<const N: usize> Default for Table<N>
where
    [u32; N]: FromBytes + IntoBytes + Immutable,
{
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            buckets: vec![0, 0].into(),
        }
    }
}

impl<const N: usize> Table<N>
where
    [u32; N]: FromBytes + IntoBytes + Immutable + Ord + Send + Copy,
{
    /// Sorts the rows.
    pub(crate) fn new(mut rows: Vec<[u32; N]>) -> Self {
        rows.par_sort_unstable();
        rows.dedup();
        let bits = bits_of(rows.len());
        let shift = KEY_BITS - bits;
        let mut buckets = vec![0u32; (1 << bits) + 1];
        for row in &rows {
            buckets[((row[0] >> shift) as usize).min((1 << bits) - 1) + 1] += 1;
        }
        let mut sum = 0;
        for it in &mut buckets {
            sum += *it;
            *it = sum;
        }
        Self {
            rows: rows.into(),
            buckets: buckets.into(),
        }
    }

    /// Two sections, for [`Table::read`].
    pub(crate) fn write(&self) -> [Vec<u8>; 2] {
        [self.rows.write(), self.buckets.write()]
    }

    /// Takes what [`Table::write`] wrote; `None` unless it is whole rows.
    pub(crate) fn read(rows: Lent, buckets: Lent) -> Option<Self> {
        let (rows, buckets) = (Rows::read(rows)?, Rows::read(buckets)?);
        let is_whole = buckets.len() == (1 << bits_of(rows.len())) + 1
            && buckets.last().is_some_and(|it| *it as usize == rows.len());
        is_whole.then_some(Self { rows, buckets })
    }

    /// The rows of one key, in order.
    pub(crate) fn of(&self, key: u32) -> &[[u32; N]] {
        let (rows, buckets) = (&*self.rows, &*self.buckets);
        let shift = KEY_BITS - bits_of(rows.len());
        let bucket = buckets.get((key >> shift) as usize..);
        let Some([start, end, ..]) = bucket else {
            return &[];
        };
        let rows = rows.get(*start as usize..*end as usize).unwrap_or_default();
        let first = rows.partition_point(|it| it[0] < key);
        let count = rows[first..].iter().take_while(|it| it[0] == key).count();
        &rows[first..first + count]
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[[u32; N]] {
        &self.rows
    }
}

/// Of a key, the upper bits that tell buckets apart in a table of that many rows.
fn bits_of(rows: usize) -> u32 {
    (rows / BUCKET).max(1).ilog2().min(KEY_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_key() {
        let keys: Vec<u32> = (0..500u32)
            .map(|it| it.wrapping_mul(0x9e37_79b9) >> 2)
            .collect();
        let table = Table::new(
            keys.iter()
                .flat_map(|it| [[*it, 2], [*it, 1], [*it, 2]])
                .collect(),
        );
        for key in &keys {
            assert_eq!(table.of(*key), [[*key, 1], [*key, 2]]);
        }
        assert_eq!(table.of(1), <[[u32; 2]; 0]>::default());
        assert_eq!(table.of(u32::MAX), <[[u32; 2]; 0]>::default());
        assert_eq!(Table::<2>::default().of(3), <[[u32; 2]; 0]>::default());
    }
}
