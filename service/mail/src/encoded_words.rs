//! RFC 2047 encoded words in header text.

use std::borrow::Cow;

use crate::codec;
use crate::headers::lossy;
use crate::transfer;

/// Longest header value that is decoded.
const MAX_VALUE_BYTES: usize = 8192;

/// Decodes a raw header value; words that are not understood stay as they are written.
///
/// Adjacent words of one charset are joined before they are decoded, because senders cut in the middle of
/// characters. The result may hold any character: clean it before use.
pub(crate) fn decode(raw: &[u8]) -> String {
    let text = lossy(&raw[..raw.len().min(MAX_VALUE_BYTES)]);
    if memchr::memmem::find(text.as_bytes(), b"=?").is_none() {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest: &str = &text;
    while let Some(at) = rest.find("=?") {
        let between = &rest[..at];
        let Some((charset, bytes, after)) = read_word(&rest[at..]) else {
            flush(&mut pending, &mut out);
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        // White space between two encoded words belongs to neither.
        let joined = pending.is_some() && between.trim().is_empty();
        if !joined {
            flush(&mut pending, &mut out);
            out.push_str(between);
        }
        match &mut pending {
            Some((label, collected)) if joined && label.eq_ignore_ascii_case(charset) => {
                collected.extend_from_slice(&bytes);
            }
            _ => {
                flush(&mut pending, &mut out);
                pending = Some((charset.to_owned(), bytes));
            }
        }
        rest = after;
    }
    flush(&mut pending, &mut out);
    out.push_str(rest);
    out
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, out: &mut String) {
    if let Some((charset, bytes)) = pending.take() {
        out.push_str(&codec::decode_text(&bytes, &charset));
    }
}

/// `=?charset?q?text?=` at the start of `text`: charset, bytes, rest.
fn read_word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let inner = text.strip_prefix("=?")?;
    let (charset, inner) = inner.split_once('?')?;
    // RFC 2231 adds a language: `utf-8*en`.
    let charset = charset.split('*').next().unwrap_or(charset);
    let (encoding, inner) = inner.split_once('?')?;
    let end = inner.find("?=")?;
    let (word, rest) = (&inner[..end], &inner[end + 2..]);
    if charset.is_empty() || charset.len() > 40 || charset.contains(char::is_whitespace) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => transfer::base64(word.as_bytes()),
        "Q" | "q" => {
            let spaced: Cow<'_, [u8]> = word
                .bytes()
                .map(|it| if it == b'_' { b' ' } else { it })
                .collect();
            transfer::quoted_printable_word(&spaced)
        }
        _ => return None,
    };
    (codec::knows(charset)).then_some((charset, bytes, rest))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn words_join_across_folds_and_inside_characters() {
        assert_eq!(
            decode(b"=?UTF-8?q?J=C3=B6rg_M=C3=BCller?= <a@b>"),
            "J\u{f6}rg M\u{fc}ller <a@b>"
        );
        assert_eq!(decode(b"=?utf-8?b?ww==?=\n =?utf-8?b?tg==?= x"), "\u{f6} x");
        assert_eq!(decode(b"=?utf-8?q?a=C3?= =?utf-8?q?=B6b?="), "a\u{f6}b");
        assert_eq!(
            decode(b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?="),
            "\u{65e5}\u{672c}"
        );
        assert_eq!(decode(b"=?gb18030?B?1tDOxA==?="), "\u{4e2d}\u{6587}");
    }

    #[test]
    fn what_is_no_word_stays() {
        assert_eq!(decode(b"=?x?q?a?= =?"), "=?x?q?a?= =?");
        assert_eq!(decode(b"=?utf-8?z?a?="), "=?utf-8?z?a?=");
        assert_eq!(decode(b"if (a =? b)"), "if (a =? b)");
        assert_eq!(decode(b"M\xfcller"), "M\u{fc}ller");
    }
}
