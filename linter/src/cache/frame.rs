//! One file of the cache: a header, the sections' lengths, a checksum, the sections.

use std::io;

use rayon::prelude::*;

const MAGIC: &[u8; 8] = b"lorelint";
/// Another build reads items differently: what it wrote is not for us.
const BUILD: &str = env!("LORELINT_SOURCES");
const MAX_SECTIONS: usize = 64;
const HASH: usize = 32;

/// Sections to be written.
#[derive(Default)]
pub(crate) struct Parts(pub(crate) Vec<Vec<u8>>);

impl Parts {
    /// Hands the bytes of the file to `out`, in order.
    pub(crate) fn write(&self, mut out: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let hashes: Vec<[u8; HASH]> = self.0.par_iter().map(|it| hash(it)).collect();
        let mut head = MAGIC.to_vec();
        head.extend(BUILD.as_bytes());
        head.extend((self.0.len() as u64).to_le_bytes());
        for (section, hash) in self.0.iter().zip(&hashes) {
            head.extend((section.len() as u64).to_le_bytes());
            head.extend(hash);
        }
        out(&head)?;
        out(&hash(&head))?;
        self.0.iter().try_for_each(|it| out(it))
    }
}

/// A file that was read and found whole.
pub(crate) struct Frame {
    bytes: Vec<u8>,
    sections: Vec<std::ops::Range<usize>>,
}

impl Frame {
    /// `None` for the file of another build, and for one that is not as it was written.
    pub(crate) fn open(bytes: Vec<u8>) -> Option<Self> {
        let mut at = MAGIC.len() + BUILD.len();
        let is_ours =
            bytes.get(..MAGIC.len())? == MAGIC && bytes.get(MAGIC.len()..at)? == BUILD.as_bytes();
        if !is_ours {
            return None;
        }
        let count = number(&bytes, &mut at)?;
        if count > MAX_SECTIONS {
            return None;
        }
        let mut claims = Vec::with_capacity(count);
        for _ in 0..count {
            let size = number(&bytes, &mut at)?;
            let hash = bytes.get(at..at.checked_add(HASH)?)?;
            claims.push((size, hash));
            at += HASH;
        }
        if hash(bytes.get(..at)?) != *bytes.get(at..at + HASH)? {
            return None;
        }
        at += HASH;
        let mut sections = Vec::with_capacity(count);
        for (size, _) in &claims {
            let end = at.checked_add(*size)?;
            sections.push(at..end);
            at = end;
        }
        if at != bytes.len() {
            return None;
        }
        let is_whole = sections
            .par_iter()
            .zip(&claims)
            .all(|(range, (_, claim))| hash(&bytes[range.clone()]) == **claim);
        is_whole.then_some(Self { bytes, sections })
    }

    /// The n-th section.
    pub(crate) fn section(&self, index: usize) -> Option<&[u8]> {
        self.sections.get(index).map(|it| &self.bytes[it.clone()])
    }
}

fn hash(bytes: &[u8]) -> [u8; HASH] {
    *blake3::hash(bytes).as_bytes()
}

fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let end = at.checked_add(8)?;
    let value = u64::from_le_bytes(bytes.get(*at..end)?.try_into().ok()?);
    *at = end;
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_no_file() {
        let mut bytes = Vec::new();
        let parts = Parts(vec![vec![1; 40], Vec::new(), vec![2; 7]]);
        parts
            .write(|it| {
                bytes.extend_from_slice(it);
                Ok(())
            })
            .unwrap();
        let frame = Frame::open(bytes.clone()).unwrap();
        assert_eq!(frame.section(0), Some(&[1u8; 40][..]));
        assert_eq!(frame.section(1), Some(&[][..]));
        assert_eq!(frame.section(3), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(Frame::open(damaged).is_none(), "byte {at}");
            assert!(Frame::open(bytes[..at].to_vec()).is_none(), "cut at {at}");
        }
    }
}
