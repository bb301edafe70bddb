//! One file of the cache: a header with the sections' lengths and a hash of each part of what follows, the sections.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rayon::prelude::*;
use zerocopy::IntoBytes as _;

use crate::rows::Lent;

const MAGIC: &[u8; 8] = b"lorelint";
/// Another build reads items differently: what it wrote is not for us. Nor is what another machine wrote.
const BUILD: &str = env!("LORELINT_SOURCES");
const ORDER: u32 = 0x0102_0304;
const MAX_SECTIONS: usize = 64;
const HASH: usize = 32;
/// What is hashed at once, right after it was read.
const PART: usize = 1 << 20;
/// Sections start at multiples of this.
const ALIGN: usize = 8;

/// Sections to be written.
#[derive(Default)]
pub(crate) struct Parts(pub(crate) Vec<Vec<u8>>);

impl Parts {
    /// Hands the bytes of the file to `out`, in order.
    pub(crate) fn write(&self, mut out: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let sizes = self.0.iter().map(|it| it.len().next_multiple_of(ALIGN));
        let mut body = Vec::with_capacity(sizes.sum());
        for section in &self.0 {
            body.extend_from_slice(section);
            body.resize(body.len().next_multiple_of(ALIGN), 0);
        }
        let hashes: Vec<[u8; HASH]> = body.par_chunks(PART).map(hash).collect();
        let mut head = start();
        head.extend((self.0.len() as u64).to_le_bytes());
        for section in &self.0 {
            head.extend((section.len() as u64).to_le_bytes());
        }
        head.extend(hashes.as_flattened());
        head.extend(hash(&head));
        out(&head)?;
        out(&body)
    }
}

fn start() -> Vec<u8> {
    let mut start = MAGIC.to_vec();
    start.extend(BUILD.as_bytes());
    start.extend(ORDER.to_ne_bytes());
    start
}

/// A file that was read and found whole.
pub(crate) struct Frame {
    sections: Vec<Lent>,
}

impl Frame {
    /// `None` for the file of another build, for one that is not as it was written, and for one that cannot be read.
    pub(crate) fn open(file: &File, most: u64) -> Option<Self> {
        let size = file.metadata().ok()?.len();
        if size > most {
            return None;
        }
        let size = usize::try_from(size).ok()?;
        // More than the hashes of the largest file.
        let mut head = vec![0; size.min(1 << 16)];
        file.read_exact_at(&mut head, 0).ok()?;
        let start = start();
        let mut at = start.len();
        if head.get(..at)? != start {
            return None;
        }
        let count = number(&head, &mut at)?;
        if count > MAX_SECTIONS {
            return None;
        }
        let mut sizes = Vec::with_capacity(count);
        let mut total = 0usize;
        for _ in 0..count {
            let size = number(&head, &mut at)?;
            total = total.checked_add(size.checked_next_multiple_of(ALIGN)?)?;
            sizes.push(size);
        }
        if total > size {
            return None;
        }
        let claims = head.get(at..at + total.div_ceil(PART) * HASH)?;
        at += claims.len();
        let is_whole = hash(head.get(..at)?) == *head.get(at..at + HASH)?;
        at += HASH;
        if !is_whole || size != at + total {
            return None;
        }
        let body = Arc::new(body(file, at, total, claims.as_chunks().0)?);
        let mut place = 0;
        let sections = sizes.into_iter().map(|size| {
            let range = place..place + size;
            place = range.end.next_multiple_of(ALIGN);
            Lent::new(&body, range)
        });
        Some(Self {
            sections: sections.collect::<Option<_>>()?,
        })
    }

    /// The n-th section.
    pub(crate) fn section(&self, index: usize) -> Option<&Lent> {
        self.sections.get(index)
    }

    /// The n-th section and those behind it.
    pub(crate) fn sections_from(&self, index: usize) -> impl Iterator<Item = Lent> {
        self.sections.iter().skip(index).cloned()
    }
}

/// Reads and hashes part by part; `None` unless each is what it claims to be.
fn body(file: &File, start: usize, size: usize, claims: &[[u8; HASH]]) -> Option<Vec<u32>> {
    let mut body = vec![0u32; size / size_of::<u32>()];
    let parts = body.as_mut_bytes().par_chunks_mut(PART).enumerate();
    let is_whole = parts.zip(claims).all(|((at, part), claim)| {
        let place = (start + at * PART) as u64;
        file.read_exact_at(part, place).is_ok() && hash(part) == *claim
    });
    is_whole.then_some(body)
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
    use std::io::Write as _;

    use super::*;

    fn opened(bytes: &[u8]) -> Option<Frame> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Frame::open(&file, 1 << 30)
    }

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
        let frame = opened(&bytes).unwrap();
        let section = |at: usize| frame.section(at).map(Lent::bytes);
        assert_eq!(section(0), Some(&[1u8; 40][..]));
        assert_eq!(section(1), Some(&[][..]));
        assert_eq!(section(2), Some(&[2u8; 7][..]));
        assert_eq!(section(3), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(opened(&damaged).is_none(), "byte {at}");
            assert!(opened(&bytes[..at]).is_none(), "cut at {at}");
        }
        bytes.push(0);
        assert!(opened(&bytes).is_none(), "something behind it");
    }

    #[test]
    fn a_file_of_several_parts_is_read() {
        let mut bytes = Vec::new();
        let parts = Parts(vec![vec![7; PART + 3], vec![9; PART]]);
        let out = |it: &[u8]| {
            bytes.extend_from_slice(it);
            Ok(())
        };
        parts.write(out).unwrap();
        let frame = opened(&bytes).unwrap();
        let section = |at: usize| frame.section(at).unwrap().bytes();
        assert!(section(0) == vec![7; PART + 3] && section(1) == vec![9; PART]);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(opened(&bytes).is_none());
    }
}
