//! The one file that names mailparse: header parameters, dates and charsets.
//!
//! It gets header values and leaf parts only: its body parser is recursive and would overflow the stack on
//! deeply nested mail.

use std::borrow::Cow;

/// Longest `Content-Type:` or `Content-Disposition:` that is looked at.
const MAX_PARAMETERS_BYTES: usize = 2048;
/// 1970-01-02: mailparse answers 0 where it finds no date at all.
const MIN_TIME: i64 = 86_400;
/// 9999-12-31T23:59:59Z: databases and calendars end near here.
const MAX_TIME: i64 = 253_402_300_799;

/// The parts of `Content-Type:` that matter.
#[derive(Default)]
pub(crate) struct ContentType {
    /// `text/plain`, lower case; empty where the header is missing.
    pub(crate) mime: String,
    /// As declared, lower case; empty where it is not.
    pub(crate) charset: String,
    pub(crate) boundary: String,
    pub(crate) name: String,
    /// RFC 3676: lines may have been wrapped, and those that begin with a blank have got a second one.
    pub(crate) flowed: bool,
}

/// Reads `Content-Type:`; nonsense reads as far as it makes sense.
pub(crate) fn content_type(raw: &[u8]) -> ContentType {
    let text = crate::headers::lossy(crate::headers::bounded(raw, MAX_PARAMETERS_BYTES));
    let text = text.replace(['\r', '\n', '\0'], " ");
    let mut parsed = mailparse::parse_content_type(&text);
    ContentType {
        charset: parsed
            .params
            .remove("charset")
            .unwrap_or_default()
            .to_ascii_lowercase(),
        boundary: parsed.params.remove("boundary").unwrap_or_default(),
        name: parsed.params.remove("name").unwrap_or_default(),
        flowed: parsed
            .params
            .get("format")
            .is_some_and(|it| it.eq_ignore_ascii_case("flowed")),
        mime: parsed.mimetype.trim().to_ascii_lowercase(),
    }
}

/// Reads `Content-Disposition:` as (is attachment, file name).
pub(crate) fn disposition(raw: &[u8]) -> (bool, String) {
    let text = crate::headers::lossy(crate::headers::bounded(raw, MAX_PARAMETERS_BYTES));
    let text = text.replace(['\r', '\n', '\0'], " ");
    let mut parsed = mailparse::parse_content_disposition(&text);
    let attachment = matches!(parsed.disposition, mailparse::DispositionType::Attachment);
    (
        attachment,
        parsed.params.remove("filename").unwrap_or_default(),
    )
}

/// Reads a date in seconds since the epoch; `None` outside of 1970 to 9999 and for nonsense.
pub(crate) fn date(raw: &[u8]) -> Option<i64> {
    let text = crate::headers::lossy(crate::headers::bounded(raw, 200));
    let text = text.replace(['\r', '\n', '\t', ','], " ");
    let seconds = mailparse::dateparse(text.trim()).ok()?;
    (MIN_TIME..=MAX_TIME).contains(&seconds).then_some(seconds)
}

/// Whether text in this charset can be decoded.
pub(crate) fn knows(charset: &str) -> bool {
    is_utf8(charset) || is_ascii(charset) || decode_with(b"a", charset).is_some()
}

/// Decodes text: by the declared charset, else as UTF-8 where it is that, else as Windows-1252.
///
/// UTF-7 counts as undeclared: it can hide markup in plain ASCII.
pub(crate) fn decode_text<'a>(bytes: &'a [u8], charset: &str) -> Cow<'a, str> {
    let utf8 = std::str::from_utf8(bytes);
    if let Ok(text) = utf8
        && (charset.is_empty() || is_utf8(charset) || is_ascii(charset) || is_plain_ascii(text))
    {
        return Cow::Borrowed(text);
    }
    if is_utf8(charset) {
        return String::from_utf8_lossy(bytes);
    }
    let label = if charset.is_empty() || is_ascii(charset) {
        "windows-1252"
    } else {
        charset
    };
    if let Some(text) = decode_with(bytes, label) {
        return Cow::Owned(text);
    }
    match utf8 {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => decode_with(bytes, "windows-1252")
            .map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned),
    }
}

/// Escape sequences make ISO-2022-JP text look like ASCII.
fn is_plain_ascii(text: &str) -> bool {
    text.is_ascii() && !text.contains(['\u{1b}', '~'])
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

fn is_ascii(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("us-ascii") || charset.eq_ignore_ascii_case("ascii")
}

fn decode_with(bytes: &[u8], charset: &str) -> Option<String> {
    let valid = charset.len() <= 40
        && charset
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b':'));
    if !valid || charset.to_ascii_lowercase().starts_with("utf-7") {
        return None;
    }
    let mut part = format!(
        "Content-Type: text/plain; charset=\"{charset}\"\nContent-Transfer-Encoding: 8bit\n\n"
    )
    .into_bytes();
    part.extend_from_slice(bytes);
    let parsed = mailparse::parse_mail(&part).ok()?;
    // An unknown charset decodes as ASCII there, silently.
    if charset_is_unknown(&parsed.ctype.charset) {
        return None;
    }
    parsed.get_body().ok()
}

/// Asks with a byte that every known 8-bit charset maps to something and that ASCII does not have.
fn charset_is_unknown(charset: &str) -> bool {
    let probe = format!("X: =?{charset}?q?a?=\n\n");
    mailparse::parse_header(probe.as_bytes()).map_or(true, |(header, _)| header.get_value() != "a")
}
