//! The identity of a change, as `git patch-id --stable` computes it.
//!
//! `prerequisite-patch-id:` lines name patches by it. Line numbers and blanks do not count, nor does the order of
//! the files.

use gix::hash::{Kind, hasher};

/// Returns the 40 hex digits, or `None` where the text holds no git diff, or one made to collide under SHA-1.
///
/// Text before the first `diff ` line and after the last hunk does not count. Time is linear.
///
/// Source: git, builtin/patch-id.c.
pub fn patch_id(text: &[u8]) -> Option<String> {
    let mut state = State::new();
    for line in text.split_inclusive(|&it| it == b'\n') {
        if !state.read(line)? {
            break;
        }
    }
    state.is_begun.then_some(())?;
    state.flush()?;
    Some(gix::ObjectId::from_bytes_or_panic(&state.sum).to_string())
}

struct State {
    hasher: gix::hash::Hasher,
    sum: [u8; 20],
    /// Lines that the hunk still has before and after; `None` inside of a header.
    left: Option<(i64, i64)>,
    is_begun: bool,
    is_binary: bool,
    /// The ids of the `index` line: all that a binary change shows.
    ids: Vec<u8>,
}

impl State {
    fn new() -> Self {
        Self {
            hasher: hasher(Kind::Sha1),
            sum: [0; 20],
            left: None,
            is_begun: false,
            is_binary: false,
            ids: Vec::new(),
        }
    }

    /// Takes one line; `Some(false)` after the last one that counts.
    fn read(&mut self, line: &[u8]) -> Option<bool> {
        if line.starts_with(b"\\ ") && line.len() > 12 {
            return Some(true);
        }
        let begins = line.starts_with(b"diff ");
        if !self.is_begun && !begins {
            return Some(true);
        }
        if self.left.is_none() {
            if line.starts_with(b"GIT binary patch") || line.starts_with(b"Binary files") {
                self.is_binary = true;
                self.left = Some((0, 0));
                self.hasher.update(&self.ids);
                self.flush()?;
                return Some(true);
            }
            if let Some(ids) = line.strip_prefix(b"index ") {
                let end = ids.iter().position(u8::is_ascii_whitespace);
                let ids = &ids[..end.unwrap_or(ids.len())];
                self.ids = ids.iter().filter(|it| **it != b'.').copied().collect();
                return Some(true);
            }
            if line.starts_with(b"--- ") {
                self.left = Some((1, 1));
            } else if !line.first().is_some_and(u8::is_ascii_alphabetic) {
                return Some(false);
            }
        }
        if self.is_binary {
            if begins {
                self.is_binary = false;
                self.left = None;
            }
            // git forgets the first line of the file after a binary one, and so do the ids that it makes.
            return Some(true);
        }
        if self.left == Some((0, 0)) {
            if line.starts_with(b"@@ -") {
                self.left = Some(hunk_lengths(line)?);
                return Some(true);
            }
            if !begins {
                return Some(false);
            }
            self.flush()?;
            self.left = None;
        }
        if let Some((before, after)) = &mut self.left {
            *before -= i64::from(matches!(line.first(), Some(b'-' | b' ')));
            *after -= i64::from(matches!(line.first(), Some(b'+' | b' ')));
        }
        let bare: Vec<u8> = line
            .iter()
            .filter(|it| !matches!(it, b' ' | b'\t' | b'\n' | b'\r'))
            .copied()
            .collect();
        self.hasher.update(&bare);
        self.is_begun = true;
        Some(true)
    }

    /// Adds the hash of one file to the sum: addition makes the order of files not matter.
    fn flush(&mut self) -> Option<()> {
        let hasher = std::mem::replace(&mut self.hasher, hasher(Kind::Sha1));
        let hash = hasher.try_finalize().ok()?;
        let mut carry = 0_u16;
        for (sum, byte) in self.sum.iter_mut().zip(hash.as_bytes()) {
            carry += u16::from(*sum) + u16::from(*byte);
            *sum = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        Some(())
    }
}

/// The two lengths of `@@ -1,3 +1,4 @@`.
fn hunk_lengths(line: &[u8]) -> Option<(i64, i64)> {
    let text = std::str::from_utf8(line.get(4..line.len().min(80))?).unwrap_or_default();
    let (old, rest) = text.split_once(" +")?;
    let new = rest.split_once(' ').map_or(rest, |it| it.0);
    let length = |range: &str| {
        let count = range.split_once(',').map_or("1", |it| it.1);
        count.trim().parse::<u32>().ok().map(i64::from)
    };
    Some((length(old)?, length(new)?))
}
