//! File names in diff headers: quoting, time stamps, prefixes.

use super::{DiffError, quoted};
use crate::tree::TreePath;

/// The names of a section as they stand in the text, unquoted, prefixes included; `None` is `/dev/null` or no name.
#[derive(Clone, Debug, Default)]
pub(super) struct RawNames {
    /// Of `diff --git`, where no other header names the file.
    pub(super) git: Option<(Vec<u8>, Vec<u8>)>,
    /// Of `---`.
    pub(super) old: Option<Vec<u8>>,
    /// Of `+++`.
    pub(super) new: Option<Vec<u8>>,
    /// Of `rename from` or `copy from`: these never have a prefix.
    pub(super) from: Option<Vec<u8>>,
    /// Of `rename to` or `copy to`.
    pub(super) to: Option<Vec<u8>>,
    /// Whether the section has git headers.
    pub(super) is_git: bool,
}

impl RawNames {
    /// The names with `strip` leading directories taken off the prefixed ones.
    pub(super) fn resolve(
        &self,
        strip: u32,
        line: u32,
    ) -> Result<(Option<TreePath>, Option<TreePath>), DiffError> {
        let path = |raw: &Vec<u8>, strip: u32| -> Result<TreePath, DiffError> {
            tree_path(raw, strip, line)
        };
        let bare = strip.saturating_sub(1);
        let mut old = self.from.as_ref().map(|it| path(it, bare)).transpose()?;
        let mut new = self.to.as_ref().map(|it| path(it, bare)).transpose()?;
        for (slot, raw) in [(&mut old, &self.old), (&mut new, &self.new)] {
            let Some(raw) = raw else { continue };
            let named = path(raw, strip)?;
            if slot.as_ref().is_some_and(|it| *it != named) {
                let what = format!("the headers name two files: {named} and another");
                return Err(DiffError::Header { line, what });
            }
            *slot = Some(named);
        }
        if !self.is_git {
            // `x.c.orig` and `x.c` are one file: the name without the ending is the file's.
            if let (Some(first), Some(second)) = (&old, &new) {
                let shorter = second.as_str().starts_with(first.as_str());
                let name = if shorter { first } else { second }.clone();
                return Ok((Some(name.clone()), Some(name)));
            }
        } else if old.is_none()
            && new.is_none()
            && let Some((first, second)) = &self.git
        {
            let (first, second) = (path(first, strip)?, path(second, strip)?);
            if first != second {
                return Err(DiffError::NoName { line });
            }
            return Ok((Some(first), Some(second)));
        }
        Ok((old, new))
    }

    /// A name for messages, before it is known what belongs to the path.
    pub(super) fn shown(&self) -> String {
        let git = self.git.as_ref().map(|(_, new)| new);
        let name = self.to.as_ref().or(self.new.as_ref()).or(self.old.as_ref());
        let name = name.or(git).map_or(&b"?"[..], |it| it);
        let prefix = [b"a/", b"b/"].iter().find_map(|it| name.strip_prefix(*it));
        quoted(prefix.unwrap_or(name))
    }

    /// What the names say about the prefix: `Some(1)`, `Some(0)`, or nothing.
    pub(super) fn strip_vote(&self) -> Option<u32> {
        let (old, new) = match (&self.old, &self.new, &self.git) {
            (Some(old), Some(new), _) | (_, _, Some((old, new))) => (old, new),
            (Some(one), None, _) | (None, Some(one), _) => {
                let prefixed = matches!(one.get(..2), Some(b"a/" | b"b/"));
                return prefixed.then_some(1);
            }
            (None, None, None) => return None,
        };
        if old == new {
            return Some(0);
        }
        let rest = stripped(old, 1);
        (rest.is_some() && rest == stripped(new, 1)).then_some(1)
    }
}

fn tree_path(raw: &[u8], strip: u32, line: u32) -> Result<TreePath, DiffError> {
    let refused = || DiffError::Path {
        line,
        path: quoted(raw),
    };
    if raw.first() == Some(&b'/') {
        return Err(refused());
    }
    let rest = stripped(raw, strip).ok_or(DiffError::NoName { line })?;
    std::str::from_utf8(rest)
        .ok()
        .and_then(TreePath::parse)
        .ok_or_else(refused)
}

/// `raw` without its first `count` directories; `None` when it has fewer.
fn stripped(raw: &[u8], count: u32) -> Option<&[u8]> {
    let mut rest = raw;
    for _ in 0..count {
        let slash = rest.iter().position(|&it| it == b'/')?;
        rest = &rest[slash + 1..];
    }
    (!rest.is_empty()).then_some(rest)
}

/// The name of a `--- ` or `+++ ` line (without that start): up to a tab or a time stamp; `None` for `/dev/null`.
pub(super) fn header_name(rest: &[u8]) -> Option<Vec<u8>> {
    if rest.starts_with(b"\"")
        && let Some((name, _)) = unquote(rest)
    {
        return Some(name);
    }
    let end = rest.iter().position(|&it| it == b'\t');
    let end = end.unwrap_or_else(|| rest.len() - time_stamp_len(rest));
    let name = rest[..end].trim_ascii_end();
    (name != b"/dev/null").then(|| name.to_vec())
}

/// The name of a `rename from` line and its like: the whole rest of the line.
pub(super) fn plain_name(rest: &[u8]) -> Vec<u8> {
    unquote(rest).map_or_else(|| rest.to_vec(), |(name, _)| name)
}

/// Splits the rest of a `diff --git` line into two names that agree without their prefix; `None` where no
/// split does, which is how a rename looks.
pub(super) fn git_names(rest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let agree = |first: &[u8], second: &[u8]| {
        first == second || stripped(first, 1).is_some_and(|it| stripped(second, 1) == Some(it))
    };
    if rest.starts_with(b"\"") {
        let (first, used) = unquote(rest)?;
        let second = plain_name(rest.get(used + 1..)?);
        return agree(&first, &second).then_some((first, second));
    }
    if let Some(at) = rest.windows(2).position(|it| it == b" \"") {
        let (second, _) = unquote(&rest[at + 1..])?;
        let first = rest[..at].to_vec();
        return agree(&first, &second).then_some((first, second));
    }
    let blanks = rest.iter().enumerate().filter(|(_, it)| **it == b' ');
    let (first, second) = blanks
        .map(|(at, _)| (&rest[..at], &rest[at + 1..]))
        .find(|(first, second)| agree(first, second))?;
    Some((first.to_vec(), second.to_vec()))
}

/// Undoes C-style quoting as git writes it: the name and how many bytes it took, quotes included.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let mut at = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'"' => return Some((name, at)),
            b'\\' => {
                let escape = *text.get(at)?;
                at += 1;
                name.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' => escape,
                    b'0'..=b'3' => {
                        let digits = text.get(at..at + 2)?;
                        at += 2;
                        if !digits.iter().all(|it| (b'0'..=b'7').contains(it)) {
                            return None;
                        }
                        (escape - b'0') * 64 + (digits[0] - b'0') * 8 + (digits[1] - b'0')
                    }
                    _ => return None,
                });
            }
            other => name.push(other),
        }
    }
}

/// How many bytes at the end of a header line are ` 2024-11-18 09:00:00.000000000 +0000` as `diff -u` writes it.
fn time_stamp_len(line: &[u8]) -> usize {
    let shape = |text: &[u8], pattern: &[u8]| {
        text.len() == pattern.len()
            && text.iter().zip(pattern).all(|(byte, want)| match want {
                b'9' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                _ => byte == want,
            })
    };
    let mut end = line.len();
    if end >= 6 && shape(&line[end - 6..end], b" +9999") {
        end -= 6;
    }
    let fraction = line[..end]
        .iter()
        .rev()
        .take_while(|it| it.is_ascii_digit())
        .count();
    if end > fraction && line[end - fraction - 1] == b'.' {
        end -= fraction + 1;
    }
    let stamp = b" 9999-99-99 99:99:99";
    if end >= stamp.len() && shape(&line[end - stamp.len()..end], stamp) {
        line.len() - (end - stamp.len())
    } else {
        0
    }
}

/// Whether a `---` or `+++` line carries the time stamp of the epoch, with which `diff -N` marks a file that is not there.
pub(super) fn has_epoch_stamp(rest: &[u8]) -> bool {
    let Some(tab) = rest.iter().position(|&it| it == b'\t') else {
        return false;
    };
    let Ok(stamp) = std::str::from_utf8(rest[tab + 1..].trim_ascii()) else {
        return false;
    };
    let mut parts = stamp.split(' ');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fields: Vec<i32> = clock.split(':').filter_map(|it| it.parse().ok()).collect();
    let [hours, minutes, 0] = fields[..] else {
        return false;
    };
    let zone = match parts.next() {
        None => 0,
        Some(zone) => match zone.parse::<i32>() {
            Ok(zone) if zone.abs() < 2400 => zone / 100 * 60 + zone % 100,
            _ => return false,
        },
    };
    let day = match date {
        "1970-01-01" => 0,
        "1969-12-31" => -24 * 60,
        _ => return false,
    };
    (0..24).contains(&hours)
        && (0..60).contains(&minutes)
        && fraction.bytes().all(|it| it == b'0')
        && day + hours * 60 + minutes - zone == 0
}
