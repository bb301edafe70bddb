//! Rows of numbers, sorted, found by their first.

use rayon::prelude::*;

/// Sorted rows without repeats. The first number is a key that spreads evenly over 30 bits, as
/// [`Sym::short`](crate::lex::Sym::short) does.
#[derive(Default)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[u32; N]>,
    /// Where the rows begin whose key has these upper bits; one more than there are.
    buckets: Vec<u32>,
    shift: u32,
}

const KEY_BITS: u32 = 30;

impl<const N: usize> Table<N>
where
    [u32; N]: Ord + Send + Copy,
{
    /// Sorts the rows.
    pub(crate) fn new(mut rows: Vec<[u32; N]>) -> Self {
        rows.par_sort_unstable();
        rows.dedup();
        Self::of_sorted(rows)
    }

    /// Takes rows that [`Table::rows`] gave.
    pub(crate) fn of_sorted(rows: Vec<[u32; N]>) -> Self {
        let bits = rows.len().max(2).ilog2().min(KEY_BITS);
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
            rows,
            buckets,
            shift,
        }
    }

    /// All numbers, row by row.
    pub(crate) fn write(&self) -> Vec<u8> {
        super::stored::bytes_of(self.rows.as_flattened())
    }

    /// Reads what [`Table::write`] wrote; `None` unless it is whole rows.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let (rows, more) = numbers.as_chunks::<N>();
        let row = |it: &[[u8; 4]; N]| it.map(u32::from_le_bytes);
        (rest.is_empty() && more.is_empty())
            .then(|| Self::of_sorted(rows.iter().map(row).collect()))
    }

    /// The rows of one key, in order.
    pub(crate) fn of(&self, key: u32) -> &[[u32; N]] {
        let Some(bucket) = self.buckets.get((key >> self.shift) as usize..) else {
            return &[];
        };
        let [start, end, ..] = bucket else {
            return &[];
        };
        let rows = &self.rows[*start as usize..*end as usize];
        let first = rows.partition_point(|it| it[0] < key);
        let count = rows[first..].iter().take_while(|it| it[0] == key).count();
        &rows[first..first + count]
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[[u32; N]] {
        &self.rows
    }
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
