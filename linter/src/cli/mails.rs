//! Mails out of a SOURCE: a directory, a maildir, an mbox, one mail, any of them gzipped, or standard input.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Io;

/// The largest source that is read, in bytes, inflated.
const MAX_SOURCE_BYTES: usize = 4 << 30;
/// The largest size that a gzipped source may grow to.
const MAX_INFLATED_BYTES: usize = 1 << 30;

/// One mail and what to call it.
#[derive(Debug)]
pub(super) struct SourceMail {
    /// File name, or `0001.eml` by position in a mailbox.
    pub(super) name: String,
    /// The mail as it came.
    pub(super) raw: Vec<u8>,
}

/// The mails of a source, in order, and what was left out.
pub(super) struct Source {
    /// In the order of the file names or of the mailbox.
    pub(super) mails: Vec<SourceMail>,
    /// One sentence each.
    pub(super) warnings: Vec<String>,
}

/// Reads `source`; `-` is standard input.
///
/// # Errors
///
/// When the source cannot be read or holds no mail at all.
pub(super) fn read(source: &str, io: &mut Io<'_>) -> anyhow::Result<Source> {
    if source == "-" {
        let mut raw = Vec::new();
        let mut limited = std::io::Read::take(&mut *io.stdin, MAX_SOURCE_BYTES as u64);
        std::io::Read::read_to_end(&mut limited, &mut raw).context("cannot read standard input")?;
        return from_bytes("standard input", raw);
    }
    let path = io.working_dir.join(source);
    let kind = fs::metadata(&path).with_context(|| format!("cannot read {source}"))?;
    if kind.is_dir() {
        return from_dir(&path, source);
    }
    if kind.len() > MAX_SOURCE_BYTES as u64 {
        bail!("{source} is larger than {MAX_SOURCE_BYTES} bytes: split it");
    }
    let raw = fs::read(&path).with_context(|| format!("cannot read {source}"))?;
    from_bytes(source, raw)
}

fn from_dir(path: &Path, source: &str) -> anyhow::Result<Source> {
    let is_maildir = path.join("cur").is_dir();
    let mut files = Vec::new();
    if is_maildir {
        files.extend(list(&path.join("cur"))?);
        if path.join("new").is_dir() {
            files.extend(list(&path.join("new"))?);
        }
    } else {
        files.extend(list(path)?.into_iter().filter(|it| has_mail_name(it)));
    }
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let mut found = Source {
        mails: Vec::new(),
        warnings: Vec::new(),
    };
    for file in files {
        let name = file
            .file_name()
            .map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        match fs::read(&file) {
            Ok(raw) => found.mails.push(SourceMail { name, raw }),
            Err(error) => found.warnings.push(format!("{name} was not read: {error}")),
        }
    }
    if found.mails.is_empty() {
        bail!(
            "{source} holds no mail: a directory needs files called .eml, .patch or .mail, or must be a maildir"
        );
    }
    Ok(found)
}

fn list(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot read {}", path.display()))?
            .path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn has_mail_name(path: &Path) -> bool {
    path.extension()
        .and_then(|it| it.to_str())
        .is_some_and(|it| {
            matches!(
                it.to_ascii_lowercase().as_str(),
                "eml" | "patch" | "mail" | "msg"
            )
        })
}

fn from_bytes(source: &str, raw: Vec<u8>) -> anyhow::Result<Source> {
    let raw = if raw.starts_with(&[0x1f, 0x8b]) {
        inflate(source, &raw)?
    } else {
        raw
    };
    let mut warnings = Vec::new();
    let mut mailbox = lorelint_mail::mbox::split(&raw);
    let garbage = mailbox.leading_garbage;
    let mails: Vec<SourceMail> = mailbox
        .by_ref()
        .enumerate()
        .map(|(index, entry)| SourceMail {
            name: format!("{:04}.eml", index + 1),
            raw: entry.mail.into_owned(),
        })
        .collect();
    if mails.is_empty() {
        if garbage < raw.len() || raw.trim_ascii().is_empty() {
            bail!("{source} holds no mail");
        }
        // Without any separator the bytes are one mail or one patch file.
        let mail = SourceMail {
            name: "0001.eml".to_owned(),
            raw,
        };
        return Ok(Source {
            mails: vec![mail],
            warnings,
        });
    }
    if garbage > 0 {
        warnings.push(format!(
            "{source}: {garbage} bytes before the first mail are no mail and were left out"
        ));
    }
    Ok(Source { mails, warnings })
}

/// Inflates a gzip file; its members follow each other.
fn inflate(source: &str, raw: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = raw;
    while rest.len() > 18 && rest.starts_with(&[0x1f, 0x8b, 8]) {
        let body =
            gzip_header_len(rest).with_context(|| format!("{source} is a broken gzip file"))?;
        let mut state = miniz_oxide::inflate::core::DecompressorOxide::new();
        let mut member = vec![0; (rest.len() * 4).clamp(1 << 16, MAX_INFLATED_BYTES)];
        let (mut read, mut written) = (body, 0);
        loop {
            let flags =
                miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let (status, consumed, produced) = miniz_oxide::inflate::core::decompress(
                &mut state,
                &rest[read..],
                &mut member,
                written,
                flags,
            );
            read += consumed;
            written += produced;
            match status {
                miniz_oxide::inflate::TINFLStatus::Done => break,
                miniz_oxide::inflate::TINFLStatus::HasMoreOutput
                    if out.len() + member.len() < MAX_INFLATED_BYTES =>
                {
                    member.resize(member.len() * 2, 0);
                }
                miniz_oxide::inflate::TINFLStatus::HasMoreOutput => {
                    bail!(
                        "{source} inflates to more than {MAX_INFLATED_BYTES} bytes: inflate and split it first"
                    )
                }
                _ => bail!("{source} is a broken gzip file"),
            }
        }
        member.truncate(written);
        out.append(&mut member);
        // Eight bytes of checksum and length follow each member.
        rest = rest.get(read + 8..).unwrap_or_default();
    }
    Ok(out)
}

/// Length of a member's header; `None` where it is cut. Source: RFC 1952, section 2.3.
fn gzip_header_len(raw: &[u8]) -> Option<usize> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECKSUM: u8 = 2;
    let flags = *raw.get(3)?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*raw.get(at)?, *raw.get(at + 1)?]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            at += raw.get(at..)?.iter().position(|it| *it == 0)? + 1;
        }
    }
    if flags & CHECKSUM != 0 {
        at += 2;
    }
    (at < raw.len()).then_some(at)
}
