//! MIME structure, flattened to leaves with bounds on depth, count and size.

use std::borrow::Cow;

use crate::codec::{self, ContentType};
use crate::headers::{Headers, line_end, trim_line_end};
use crate::transfer;

/// Multiparts inside multiparts that are followed; list mail has three.
const MAX_DEPTH: usize = 12;
/// Leaves that are kept.
const MAX_LEAVES: usize = 100;

/// What a leaf is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Plain text to read.
    Text,
    /// A patch as an attachment, whatever its type says.
    PatchFile,
    /// Markup, which is not read.
    Html,
    /// Images, signatures, forwarded mails.
    Other,
}

/// One part without parts, transfer encoding undone.
pub(crate) struct Leaf<'a> {
    pub(crate) role: Role,
    pub(crate) charset: String,
    pub(crate) bytes: Cow<'a, [u8]>,
    /// A whole mail inside this one.
    pub(crate) forwarded: bool,
    /// Sent as `format=flowed`.
    pub(crate) flowed: bool,
}

/// Cuts a mail's body into leaves in order; what was left out is said in `problems`.
pub(crate) fn leaves<'a>(
    headers: &Headers<'a>,
    body: &'a [u8],
    problems: &mut Vec<String>,
) -> Vec<Leaf<'a>> {
    let mut walk = Walk {
        leaves: Vec::new(),
        too_deep: false,
        too_many: false,
    };
    walk.part(headers, body, 0);
    if walk.too_deep {
        problems.push(format!(
            "MIME parts nested deeper than {MAX_DEPTH} were not read"
        ));
    }
    if walk.too_many {
        problems.push(format!("only the first {MAX_LEAVES} MIME parts were read"));
    }
    walk.leaves
}

struct Walk<'a> {
    leaves: Vec<Leaf<'a>>,
    too_deep: bool,
    too_many: bool,
}

impl<'a> Walk<'a> {
    fn part(&mut self, headers: &Headers<'a>, body: &'a [u8], depth: usize) {
        let kind = headers
            .first("Content-Type")
            .map(codec::content_type)
            .unwrap_or_default();
        let multipart = kind.mime.starts_with("multipart/") && !kind.boundary.is_empty();
        if !multipart {
            self.leaf(headers, body, kind);
            return;
        }
        if depth >= MAX_DEPTH {
            self.too_deep = true;
            return;
        }
        let parts = split(body, kind.boundary.as_bytes());
        if parts.is_empty() {
            // A multipart without its boundary is how cut mails and broken gateways look: read it as text.
            self.leaf(headers, body, ContentType::default());
            return;
        }
        if kind.mime == "multipart/alternative" {
            self.alternative(&parts, depth);
            return;
        }
        for (index, part) in parts.iter().enumerate() {
            // The second part of a signed message is its signature.
            if index > 0 && kind.mime == "multipart/signed" {
                break;
            }
            if self.leaves.len() >= MAX_LEAVES {
                self.too_many = true;
                return;
            }
            let headers = Headers::read(part);
            let body = &part[headers.body..];
            self.part(&headers, body, depth + 1);
        }
    }

    /// Keeps the plain text of several forms of the same text.
    fn alternative(&mut self, parts: &[&'a [u8]], depth: usize) {
        let start = self.leaves.len();
        for part in parts.iter().take(MAX_LEAVES) {
            let headers = Headers::read(part);
            let body = &part[headers.body..];
            self.part(&headers, body, depth + 1);
        }
        if self.leaves[start..].iter().any(|it| it.role == Role::Text) {
            let mut index = 0;
            self.leaves.retain(|it| {
                index += 1;
                index <= start || it.role != Role::Html
            });
        }
    }

    fn leaf(&mut self, headers: &Headers<'a>, body: &'a [u8], kind: ContentType) {
        if self.leaves.len() >= MAX_LEAVES {
            self.too_many = true;
            return;
        }
        let (attached, file_name) = headers
            .first("Content-Disposition")
            .map(codec::disposition)
            .unwrap_or_default();
        let name = if file_name.is_empty() {
            &kind.name
        } else {
            &file_name
        };
        let role = role(&kind.mime, name, attached);
        let forwarded = kind.mime == "message/rfc822";
        let bytes = if role == Role::Text || role == Role::PatchFile {
            decoded(headers, body)
        } else {
            Cow::Borrowed(&body[..0])
        };
        self.leaves.push(Leaf {
            role,
            charset: kind.charset,
            bytes,
            forwarded,
            flowed: kind.flowed,
        });
    }
}

fn role(mime: &str, name: &str, attached: bool) -> Role {
    let lower = name.to_ascii_lowercase();
    let patch_name = [".patch", ".diff", ".patch.txt", ".diff.txt"]
        .iter()
        .any(|it| lower.ends_with(it));
    match mime {
        "text/x-patch"
        | "text/x-diff"
        | "text/patch"
        | "text/diff"
        | "application/x-patch"
        | "application/x-diff" => Role::PatchFile,
        "" | "text/plain" | "text" => {
            if patch_name && attached {
                Role::PatchFile
            } else if attached && !lower.is_empty() {
                Role::Other
            } else {
                Role::Text
            }
        }
        "text/html" => Role::Html,
        _ if patch_name && (mime.starts_with("application/") || mime.starts_with("text/")) => {
            Role::PatchFile
        }
        _ if mime.starts_with("text/") && !attached => Role::Text,
        // `Content-Type: multipart/mixed` without a boundary, or a value that is no type at all.
        _ if mime.starts_with("multipart/") || !mime.contains('/') => Role::Text,
        _ => Role::Other,
    }
}

fn decoded<'a>(headers: &Headers<'a>, body: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = headers
        .first("Content-Transfer-Encoding")
        .map(<[u8]>::trim_ascii)
        .unwrap_or_default();
    if encoding.eq_ignore_ascii_case(b"base64") {
        Cow::Owned(transfer::base64(body))
    } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
        Cow::Owned(transfer::quoted_printable(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// The bodies between boundary lines, without the line end that belongs to the boundary.
fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let end = line_end(body, at);
        let line = trim_line_end(&body[at..end]).trim_ascii_end();
        if let Some(rest) = line
            .strip_prefix(b"--")
            .and_then(|it| it.strip_prefix(boundary))
            && (rest.is_empty() || rest == b"--")
        {
            if let Some(start) = start {
                parts.push(trim_line_end(&body[start..at.max(start)]));
            }
            start = (rest.is_empty()).then_some(end);
            if !rest.is_empty() {
                return parts;
            }
            if parts.len() > MAX_LEAVES {
                return parts;
            }
        }
        at = end;
    }
    // The closing boundary is missing in truncated mail.
    if let Some(start) = start {
        parts.push(&body[start..]);
    }
    parts
}
