//! The header block of a mail or of a part, cut into fields; nothing here fails.

use std::borrow::Cow;

/// Fields kept per block; real mail has under 200.
const MAX_FIELDS: usize = 2000;

/// Header fields in order, and where the body starts.
pub(crate) struct Headers<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
    /// Offset of the first byte of the body.
    pub(crate) body: usize,
}

impl<'a> Headers<'a> {
    /// Reads fields until the first blank line, or until a line that is no field.
    ///
    /// `From ` and `>From ` lines before the first field, as mailboxes and some relays leave them, are skipped.
    pub(crate) fn read(raw: &'a [u8]) -> Self {
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let end = line_end(raw, at);
            let line = trim_line_end(&raw[at..end]);
            if line.is_empty() {
                // Blank lines before the first field are a delivery accident, not an empty header.
                if fields.is_empty() && at < 16 {
                    at = end;
                    continue;
                }
                return Self { fields, body: end };
            }
            if let Some(colon) = field_name_end(line) {
                let mut stop = end;
                while stop < raw.len() && matches!(raw[stop], b' ' | b'\t') {
                    let next = line_end(raw, stop);
                    // A line of blanks only is how some senders end their headers.
                    if trim_line_end(&raw[stop..next])
                        .iter()
                        .all(u8::is_ascii_whitespace)
                    {
                        break;
                    }
                    stop = next;
                }
                if fields.len() < MAX_FIELDS {
                    let name = line[..colon].trim_ascii_end();
                    fields.push((name, trim_line_end(&raw[at + colon + 1..stop])));
                }
                at = stop;
            } else if line.starts_with(b"From ") || line.starts_with(b">From ") {
                at = end;
            } else if line.iter().all(u8::is_ascii_whitespace) {
                return Self { fields, body: end };
            } else {
                return Self { fields, body: at };
            }
        }
        Self {
            fields,
            body: raw.len(),
        }
    }

    /// Raw values of the fields called `name`, in order, still folded and encoded.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.fields
            .iter()
            .filter(move |it| it.0.eq_ignore_ascii_case(name.as_bytes()))
            .map(|it| it.1)
    }

    /// Raw value of the first field called `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|it| it.0.eq_ignore_ascii_case(name.as_bytes()))
            .map(|it| it.1)
    }

    /// Whether any field's name starts with `prefix`, in lower case.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        self.fields.iter().any(|it| {
            it.0.get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
        })
    }

    /// Whether there is no field at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Offset behind the line that starts at `at`.
pub(crate) fn line_end(raw: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |it| at + it + 1)
}

/// The line without LF or CRLF.
pub(crate) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The value cut to `max_bytes`: what is longer than any real field is not worth decoding.
pub(crate) fn bounded(value: &[u8], max_bytes: usize) -> &[u8] {
    &value[..value.len().min(max_bytes)]
}

/// UTF-8 as it is, anything else byte by byte as Latin-1: headers with raw 8-bit text have no charset.
pub(crate) fn lossy(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            // Cut in the middle of a character by a size bound.
            Cow::Owned(String::from_utf8_lossy(&value[..error.valid_up_to()]).into_owned())
        }
        Err(_) => Cow::Owned(value.iter().map(|byte| char::from(*byte)).collect()),
    }
}

fn field_name_end(line: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', &line[..line.len().min(200)])?;
    let name = line[..colon].trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    valid.then_some(colon)
}
