//! Base64 and quoted-printable, undone byte for byte.
//!
//! The decoders of mail libraries turn LF into CRLF or stop at the first bad byte; a diff survives neither.

/// Decodes base64; bytes outside the alphabet are skipped, an incomplete end is cut.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut count = 0;
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            // Padding ends a group; some senders concatenate several encoded blocks.
            b'=' => {
                bits = 0;
                count = 0;
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 1;
        match count {
            2 => out.push(low_byte(bits >> 4)),
            3 => out.push(low_byte(bits >> 2)),
            4 => {
                out.push(low_byte(bits));
                bits = 0;
                count = 0;
            }
            _ => {}
        }
    }
    out
}

fn low_byte(bits: u32) -> u8 {
    bits.to_le_bytes()[0]
}

/// Decodes a quoted-printable body: line ends stay what they are, soft line breaks go.
pub(crate) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|it| *it == b'\n') {
        let (content, end) = split_line_end(line);
        // Blanks at the end of an encoded line were added on the way (RFC 2045, section 6.7, rule 3).
        let content = trim_blanks_end(content);
        if let Some(soft) = content.strip_suffix(b"=") {
            decode_line(soft, &mut out);
        } else {
            decode_line(content, &mut out);
            out.extend_from_slice(end);
        }
    }
    out
}

/// Decodes the text of an encoded word.
pub(crate) fn quoted_printable_word(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    decode_line(text, &mut out);
    out
}

fn decode_line(line: &[u8], out: &mut Vec<u8>) {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(&rest[..at]);
        let decoded = rest
            .get(at + 1)
            .and_then(|it| hex(*it))
            .zip(rest.get(at + 2).and_then(|it| hex(*it)));
        if let Some((high, low)) = decoded {
            out.push(high << 4 | low);
            rest = &rest[at + 3..];
        } else {
            out.push(b'=');
            rest = &rest[at + 1..];
        }
    }
    out.extend_from_slice(rest);
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|it| u8::try_from(it).ok())
}

fn split_line_end(line: &[u8]) -> (&[u8], &[u8]) {
    let content = crate::headers::trim_line_end(line);
    line.split_at(content.len())
}

fn trim_blanks_end(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|it| !matches!(it, b' ' | b'\t'))
        .map_or(0, |it| it + 1);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::{base64, quoted_printable};

    #[test]
    fn bytes_survive() {
        assert_eq!(base64(b"YWJj\nZGU=\n"), b"abcde");
        assert_eq!(base64(b"YQ==YQ=="), b"aa");
        assert_eq!(quoted_printable(b"a=3Db=\nc =20\nd=0D\n"), b"a=bc  \nd\r\n");
        assert_eq!(quoted_printable(b"a=ZZ\r\nb= \r\nc"), b"a=ZZ\r\nbc");
    }
}
