//! The extended headers of a git diff: modes, renames, copies, blob ids.

use super::names::{RawNames, header_name, plain_name};
use super::{DiffError, FileKind, quoted};
use crate::tree::Mode;

/// What the headers of one section said so far.
#[derive(Default)]
pub(super) struct GitHeaders {
    pub(super) names: RawNames,
    pub(super) old_mode: Option<Mode>,
    pub(super) new_mode: Option<Mode>,
    pub(super) old_blob: Option<String>,
    pub(super) new_blob: Option<String>,
    kind: Option<FileKind>,
    is_contradictory: bool,
    old_is_null: bool,
    new_is_null: bool,
}

impl GitHeaders {
    /// Reads one line; `false` when it is no extended header.
    pub(super) fn read(&mut self, line: &[u8], number: u32) -> Result<bool, DiffError> {
        let is = |start: &str| line.strip_prefix(start.as_bytes());
        if let Some(rest) = is("--- ") {
            self.names.old = header_name(rest);
            self.old_is_null = self.names.old.is_none();
        } else if let Some(rest) = is("+++ ") {
            self.names.new = header_name(rest);
            self.new_is_null = self.names.new.is_none();
        } else if let Some(rest) = is("old mode ") {
            self.old_mode = Some(mode(rest, number)?);
        } else if let Some(rest) = is("new mode ") {
            self.new_mode = Some(mode(rest, number)?);
        } else if let Some(rest) = is("deleted file mode ") {
            self.claim(FileKind::Delete);
            self.old_mode = Some(mode(rest, number)?);
        } else if let Some(rest) = is("new file mode ") {
            self.claim(FileKind::Create);
            self.new_mode = Some(mode(rest, number)?);
        } else if let Some(rest) = is("rename from ").or_else(|| is("rename old ")) {
            self.claim(FileKind::Rename);
            self.names.from = Some(plain_name(rest));
        } else if let Some(rest) = is("rename to ").or_else(|| is("rename new ")) {
            self.claim(FileKind::Rename);
            self.names.to = Some(plain_name(rest));
        } else if let Some(rest) = is("copy from ") {
            self.claim(FileKind::Copy);
            self.names.from = Some(plain_name(rest));
        } else if let Some(rest) = is("copy to ") {
            self.claim(FileKind::Copy);
            self.names.to = Some(plain_name(rest));
        } else if let Some(rest) = is("index ") {
            self.index(rest, number)?;
        } else {
            return Ok(is("similarity index ")
                .or_else(|| is("dissimilarity index "))
                .is_some());
        }
        Ok(true)
    }

    fn claim(&mut self, kind: FileKind) {
        let earlier = self.kind.replace(kind);
        self.is_contradictory |= earlier.is_some_and(|it| it != kind);
    }

    fn index(&mut self, rest: &[u8], number: u32) -> Result<(), DiffError> {
        let Ok(text) = std::str::from_utf8(rest) else {
            return Ok(());
        };
        let mut words = text.split_ascii_whitespace();
        let is_id = |it: &str| {
            (4..=64).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let ids = words.next().and_then(|it| it.split_once(".."));
        if let Some((old, new)) = ids.filter(|(old, new)| is_id(old) && is_id(new)) {
            self.old_blob = Some(old.to_ascii_lowercase());
            self.new_blob = Some(new.to_ascii_lowercase());
        }
        if let Some(text) = words.next() {
            self.old_mode = Some(mode(text.as_bytes(), number)?);
        }
        Ok(())
    }

    /// What the section does; the headers must agree on it.
    pub(super) fn kind(&self, line: u32) -> Result<FileKind, DiffError> {
        let contradiction = |what: &str| DiffError::Header {
            line,
            what: what.to_owned(),
        };
        let kind = self.kind.unwrap_or(FileKind::Modify);
        let (is_new, is_delete) = (kind == FileKind::Create, kind == FileKind::Delete);
        if self.is_contradictory {
            return Err(contradiction("the headers say two things at once"));
        }
        if self.old_is_null && !is_new || self.new_is_null && !is_delete {
            return Err(contradiction(
                "/dev/null in a section that neither makes nor removes a file",
            ));
        }
        if is_new && self.names.old.is_some() || is_delete && self.names.new.is_some() {
            return Err(contradiction("a name where /dev/null is expected"));
        }
        let has_pair = self.names.from.is_some() && self.names.to.is_some();
        if matches!(kind, FileKind::Rename | FileKind::Copy) && !has_pair {
            return Err(contradiction("a rename or copy needs both names"));
        }
        Ok(kind)
    }
}

fn mode(text: &[u8], line: u32) -> Result<Mode, DiffError> {
    let bits = std::str::from_utf8(text.trim_ascii())
        .ok()
        .filter(|it| it.len() <= 7)
        .and_then(|it| u32::from_str_radix(it, 8).ok());
    match bits.map(|it| (it & 0o170_000, it & 0o100)) {
        Some((0o100_000, 0)) => Ok(Mode::Regular),
        Some((0o100_000, _)) => Ok(Mode::Executable),
        Some((0o120_000, _)) => Ok(Mode::Symlink),
        Some((0o160_000, _)) => Ok(Mode::Submodule),
        _ => Err(DiffError::Header {
            line,
            what: format!("no file mode: {}", quoted(text)),
        }),
    }
}
