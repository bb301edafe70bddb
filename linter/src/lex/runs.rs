//! How long a word is, or white space: sixteen bytes at a time, where a loop over bytes would mostly guess wrong when
//! it ends.

use wide::u8x16;

/// How many bytes of words a text begins with: letters, digits, `_`, `$` and what is not ASCII.
#[inline]
pub(crate) fn word_length(text: &[u8]) -> usize {
    length(text, |bytes| in_names(bytes) | equal(bytes, b'$') | bytes)
}

/// How many letters, digits and `_` of ASCII a text begins with.
#[inline]
pub(crate) fn name_length(text: &[u8]) -> usize {
    length(text, in_names)
}

/// How many blanks, tabs and line ends a text begins with.
#[inline]
pub(crate) fn space_length(text: &[u8]) -> usize {
    length(text, |bytes| {
        between(bytes, b'\t', b'\r') | equal(bytes, b' ')
    })
}

/// How many bytes a text begins with for which `of` sets the highest bit; other bits do not matter. Not a zero.
#[inline]
fn length(text: &[u8], of: impl Fn(u8x16) -> u8x16) -> usize {
    let run = |bytes: [u8; 16]| (!of(bytes.into()).to_bitmask()).trailing_zeros() as usize;
    let mut at = 0;
    let mut rest = text;
    while let Some((bytes, behind)) = rest.split_first_chunk() {
        let length = run(*bytes);
        if length < 16 {
            return at + length;
        }
        at += 16;
        rest = behind;
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    at + run(last)
}

/// The letters, digits and `_` of ASCII.
#[inline]
fn in_names(bytes: u8x16) -> u8x16 {
    let letters = between(bytes | u8x16::splat(0x20), b'a', b'z');
    letters | between(bytes, b'0', b'9') | equal(bytes, b'_')
}

#[inline]
fn between(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let from = bytes - u8x16::splat(first);
    from.min(u8x16::splat(last - first)).simd_eq(from)
}

#[inline]
fn equal(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::is_word_byte;

    #[test]
    fn runs_are_as_long_as_bytes_one_by_one_say() {
        let is_space = |it: &u8| matches!(it, b'\t'..=b'\r' | b' ');
        for byte in 0..=u8::MAX {
            for before in 0..35 {
                for behind in [0, 1, 9, 17] {
                    for fill in *b"a_\x80 \t" {
                        let mut text = vec![fill; before];
                        text.push(byte);
                        text.extend(std::iter::repeat_n(fill, behind));
                        let word = text.iter().take_while(|it| is_word_byte(**it)).count();
                        let space = text.iter().take_while(|it| is_space(it)).count();
                        assert_eq!(word_length(&text), word, "{text:?}");
                        let name = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
                        let name = text.iter().take_while(|it| name(it)).count();
                        assert_eq!(name_length(&text), name, "{text:?}");
                        assert_eq!(space_length(&text), space, "{text:?}");
                    }
                }
            }
        }
    }
}
