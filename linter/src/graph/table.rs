//! Rows of numbers, sorted, found by their first.

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
const BUCKET: usize = 2;

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
    [u32; N]: FromBytes + IntoBytes + Immutable + Ord + Send + Sync + Copy,
{
    /// Sorts the rows.
    pub(crate) fn new(rows: Vec<[u32; N]>) -> Self {
        let mut rows = sorted(rows);
        rows.dedup();
        let buckets = starts(&rows, bits_of(rows.len()));
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

/// The bucket of a row among 2 to the power of `bits`.
fn bucket<const N: usize>(row: &[u32; N], bits: u32) -> usize {
    ((row[0] >> (KEY_BITS - bits)) as usize).min((1 << bits) - 1)
}

/// Where each bucket's rows begin, and where the last one's end.
fn starts<const N: usize>(rows: &[[u32; N]], bits: u32) -> Vec<u32> {
    let mut starts = vec![0u32; (1 << bits) + 1];
    for row in rows {
        starts[bucket(row, bits) + 1] += 1;
    }
    let mut sum = 0;
    for it in &mut starts {
        sum += *it;
        *it = sum;
    }
    starts
}

/// Puts the rows into their buckets, and then in order: keys spread evenly, so that a bucket holds few.
fn sorted<const N: usize>(rows: Vec<[u32; N]>) -> Vec<[u32; N]>
where
    [u32; N]: Ord + Send + Sync + Copy,
{
    let bits = bits_of(rows.len());
    let starts = starts(&rows, bits);
    let mut sorted = vec![[0; N]; rows.len()];
    scatter(&rows, bits, &mut sorted, (0, &starts));
    drop(rows);
    sort_buckets(&mut sorted, &starts);
    sorted
}

/// Puts the rows of the buckets from the `first` on, which begin at `starts`, where they belong.
fn scatter<const N: usize>(
    rows: &[[u32; N]],
    bits: u32,
    sorted: &mut [[u32; N]],
    (first, starts): (usize, &[u32]),
) where
    [u32; N]: Send + Sync + Copy,
{
    /// To read all rows twice costs less than to put so many in their places.
    const ALONE: usize = 1 << 16;
    let count = starts.len() - 1;
    if sorted.len() > ALONE && sorted.len() == rows.len() && count > 1 {
        let half = count / 2;
        let (left, right) = sorted.split_at_mut((starts[half] - starts[0]) as usize);
        rayon::join(
            || scatter(rows, bits, left, (first, &starts[..=half])),
            || scatter(rows, bits, right, (first + half, &starts[half..])),
        );
        return;
    }
    let mut next: Vec<u32> = starts[..count].iter().map(|it| it - starts[0]).collect();
    for row in rows {
        if let Some(at) = next.get_mut(bucket(row, bits).wrapping_sub(first)) {
            sorted[*at as usize] = *row;
            *at += 1;
        }
    }
}

/// Sorts each of the buckets that begin at `starts`, the first of which is where `rows` begin.
fn sort_buckets<const N: usize>(rows: &mut [[u32; N]], starts: &[u32])
where
    [u32; N]: Ord + Send + Copy,
{
    const TOGETHER: usize = 4096;
    let count = starts.len() - 1;
    if count > TOGETHER {
        let (left, right) = rows.split_at_mut((starts[count / 2] - starts[0]) as usize);
        rayon::join(
            || sort_buckets(left, &starts[..=count / 2]),
            || sort_buckets(right, &starts[count / 2..]),
        );
        return;
    }
    for bounds in starts.windows(2) {
        let (start, end) = (bounds[0] - starts[0], bounds[1] - starts[0]);
        rows[start as usize..end as usize].sort_unstable_by_key(in_order);
    }
}

/// A row as one number, of the same order.
fn in_order<const N: usize>(row: &[u32; N]) -> u128 {
    const { assert!(N <= 4, "four numbers fit") };
    row.iter().fold(0, |sum, it| sum << 32 | u128::from(*it))
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
