//! `manifest.js.gz` of a public-inbox archive on another machine: which epochs there are, and which of them changed.
//!
//! Asked for with a client of our own that knows one request. Where that fails, because of a proxy or a redirection,
//! the caller asks `git` for one epoch after the other instead.
//! Source: grokmirror's manifest format; public-inbox-httpd(1).

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Deserialize;

use super::net::{Access, ServerAddress, Wire, WireError};

/// More epochs than any list has; a server must not fill the disk.
pub(super) const MAX_EPOCHS: u32 = 500;
const MAX_HEADER_LINES: usize = 100;
const MAX_LINE_BYTES: usize = 16 << 10;
/// Of the answer; a manifest of 500 epochs has some 100 kB before it is packed.
const MAX_PACKED_BYTES: usize = 4 << 20;
const MAX_BYTES: u64 = 16 << 20;

/// Epoch to what changes when the epoch changes.
pub(super) type Manifest = BTreeMap<u32, String>;

#[derive(Deserialize)]
struct Entry {
    fingerprint: Option<String>,
}

/// Asks for the manifest of the archive at `url`; `None` where there is none to be had.
pub(super) fn ask(url: &str, access: &Access) -> Option<Manifest> {
    let file = format!("{url}/manifest.js.gz");
    let address = ServerAddress::parse(&file, ("http", 80), ("https", 443)).ok()?;
    // Its user is git's business.
    let address = Some(address).filter(|it| it.user.is_none())?;
    match get(&address, access) {
        Ok(packed) => parse(&packed),
        Err(error) => {
            tracing::debug!("{file}: {error}; the epochs are tried one by one");
            None
        }
    }
}

/// HTTP 1.0, so that the body is what comes until the end of the connection.
fn get(address: &ServerAddress, access: &Access) -> Result<Vec<u8>, WireError> {
    let mut wire = Wire::connect(address, access)?;
    let request = format!(
        "GET /{} HTTP/1.0\r\nHost: {}\r\nUser-Agent: lorelint\r\nAccept: */*\r\n\r\n",
        address.folder.replace('%', "%25").replace(' ', "%20"),
        address.server()
    );
    wire.send(request.as_bytes())?;
    let status = String::from_utf8_lossy(&wire.line(MAX_LINE_BYTES)?).into_owned();
    let code = status.strip_prefix("HTTP/1.").and_then(|it| it.get(2..5));
    if code != Some("200") {
        return Err(WireError::Refused(status));
    }
    for _ in 0..MAX_HEADER_LINES {
        if wire.line(MAX_LINE_BYTES)?.is_empty() {
            return wire.rest(MAX_PACKED_BYTES);
        }
    }
    let reason = format!("more than {MAX_HEADER_LINES} header lines");
    Err(WireError::Violation(reason))
}

fn parse(packed: &[u8]) -> Option<Manifest> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .take(MAX_BYTES)
        .read_to_end(&mut text)
        .ok()?;
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).ok()?;
    let mut manifest = Manifest::new();
    for (path, entry) in entries {
        // Such as `/ceph-devel/git/3.git`; others are the inbox itself, or older forms.
        let epoch = path
            .rsplit_once("/git/")
            .and_then(|it| it.1.strip_suffix(".git"))
            .and_then(|it| it.parse::<u32>().ok());
        if let Some(epoch) = epoch.filter(|it| *it < MAX_EPOCHS) {
            manifest.insert(epoch, entry.fingerprint.unwrap_or_default());
        }
    }
    Some(manifest).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Manifest, parse};

    fn read(text: &str) -> Option<Manifest> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).expect("memory");
        parse(&packer.finish().expect("memory"))
    }

    #[test]
    fn epochs_are_told_from_other_entries() {
        let manifest = read(
            r#"{"/x/git/0.git":{"fingerprint":"aa","owner":null},"/x/git/11.git":{"modified":5},
                "/x":{"fingerprint":"bb"},"/x/git/../../9.git":{},"/x/git/4294967295.git":{},"/x/git/-1.git":{}}"#,
        );
        let expected = [(0, "aa".to_owned()), (11, String::new())];
        assert_eq!(manifest, Some(Manifest::from(expected)));
    }

    #[test]
    fn what_is_no_manifest_is_none() {
        for text in ["", "[]", "{", "{}", r#"{"/x":{}}"#, r#"{"/x/git/0.git":5}"#] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(parse(b"<html>"), None);
        // A bomb is cut off, and is then no JSON.
        assert_eq!(
            read(&format!(
                "{{\"/x/git/0.git\":{{}},\"y\":\"{}\"}}",
                " ".repeat(20 << 20)
            )),
            None
        );
    }
}
