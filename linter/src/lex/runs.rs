//! How long a word is, or white space: eight bytes at a time, where a loop over bytes would mostly guess wrong when
//! it ends.

/// The highest bit of each byte.
const HIGH: u64 = every(0x80);
const LOW: u64 = every(0x7f);

const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes of words a text begins with: letters, digits, `_`, `$` and what is not ASCII.
#[inline]
pub(crate) fn word_length(text: &[u8]) -> usize {
    length(text, |bytes| {
        let ascii = bytes & LOW;
        bytes | in_names(ascii) | equal(ascii, b'$')
    })
}

/// How many letters, digits and `_` of ASCII a text begins with.
#[inline]
pub(crate) fn name_length(text: &[u8]) -> usize {
    length(text, |bytes| in_names(bytes & LOW) & !bytes)
}

/// How many blanks, tabs and line ends a text begins with.
#[inline]
pub(crate) fn space_length(text: &[u8]) -> usize {
    length(text, |bytes| {
        let ascii = bytes & LOW;
        (between(ascii, b'\t', b'\r') | equal(ascii, b' ')) & !bytes
    })
}

/// How many bytes a text begins with for which `of` sets the highest bit; other bits do not matter. Not a zero.
#[inline]
fn length(text: &[u8], of: impl Fn(u64) -> u64) -> usize {
    let mut at = 0;
    let mut rest = text;
    while let Some((bytes, behind)) = rest.split_first_chunk::<8>() {
        let others = !of(u64::from_le_bytes(*bytes)) & HIGH;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = behind;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let others = !of(u64::from_le_bytes(last)) & HIGH;
    at + (others.trailing_zeros() / 8) as usize
}

/// The letters, digits and `_`, of bytes that are all ASCII.
#[inline]
const fn in_names(ascii: u64) -> u64 {
    let letters = between(ascii | every(0x20), b'a', b'z');
    letters | between(ascii, b'0', b'9') | equal(ascii, b'_')
}

/// The bytes from `first` to `last`, of bytes that are all ASCII.
#[inline]
const fn between(ascii: u64, first: u8, last: u8) -> u64 {
    ascii.wrapping_add(every(0x80 - first)) & !ascii.wrapping_add(every(0x7f - last))
}

/// The bytes that are `byte`, of bytes that are all ASCII.
#[inline]
const fn equal(ascii: u64, byte: u8) -> u64 {
    !(ascii ^ every(byte)).wrapping_add(LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::is_word_byte;

    #[test]
    fn runs_are_as_long_as_bytes_one_by_one_say() {
        let is_space = |it: &u8| matches!(it, b'\t'..=b'\r' | b' ');
        for byte in 0..=u8::MAX {
            for before in 0..18 {
                for behind in [0, 1, 9] {
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
