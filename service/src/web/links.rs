//! Paths of the pages. Ids from mails are percent-encoded: they may hold anything.

use std::fmt::Write as _;

use crate::model::{OutboxId, SeriesId};

/// Encodes everything but the unreserved characters of RFC 3986, so that an id is one path segment or one query value.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // A segment of dots alone would be resolved away by the browser.
    if !out.is_empty() && out.bytes().all(|it| it == b'.') {
        return out.replace('.', "%2E");
    }
    out
}

pub(crate) fn series(id: SeriesId) -> String {
    format!("/series/{id}")
}

pub(crate) fn message(message_id: &str) -> String {
    format!("/message/{}", encode(message_id))
}

pub(crate) fn message_raw(message_id: &str) -> String {
    format!("/message/{}/raw", encode(message_id))
}

pub(crate) fn finding(fingerprint: &str) -> String {
    format!("/findings/{}", encode(fingerprint))
}

pub(crate) fn rule(name: &str) -> String {
    format!("/rules/{}", encode(name))
}

pub(crate) fn outbox(id: OutboxId) -> String {
    format!("/outbox/{id}")
}

/// `path?a=b&c=d` without the pairs whose value is empty.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", encode(value)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        assert_eq!(
            message("a/../b?c#d%\u{e9}@x"),
            "/message/a%2F..%2Fb%3Fc%23d%25%C3%A9@x"
        );
        assert_eq!(message(".."), "/message/%2E%2E");
    }
}
