//! Sets of small numbers, one bit each.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One bit a number.
#[derive(Clone, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// Of all numbers below `count`, none.
    pub(crate) fn none(count: usize) -> Self {
        Self(vec![0; count / 64 + 1])
    }

    /// Makes room for numbers below `count`.
    pub(super) fn resize(&mut self, count: usize) {
        self.0.resize(count / 64 + 1, 0);
    }

    #[inline]
    pub(crate) fn has(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|it| it & (1 << (number % 64)) != 0)
    }

    pub(crate) fn set(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    pub(super) fn keep_below(&mut self, number: u32) {
        self.0.truncate(number as usize / 64 + 1);
        if let Some(last) = self.0.get_mut(number as usize / 64) {
            *last &= (1 << (number % 64)) - 1;
        }
    }
}

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(
            &self
                .0
                .iter()
                .flat_map(|it| it.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(from)?;
        let words = bytes.chunks_exact(8);
        Ok(Self(
            words
                .map(|it| u64::from_le_bytes(it.try_into().expect("chunks of eight")))
                .collect(),
        ))
    }
}
