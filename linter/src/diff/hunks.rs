//! Applies hunks to the lines of one file: exact content, git's search order, no fuzz.

use super::{Edit, Hunk, LineKind, LineMap, quoted};

/// Line comparisons that one file may cost; a damaged or hostile patch otherwise makes the search quadratic.
const MAX_COMPARISONS: u64 = 200_000_000;

/// Why a hunk does not fit: 0-based hunk and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HunkFailure {
    pub(super) hunk: usize,
    pub(super) reason: String,
}

/// What the hunks of one file make of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patched {
    pub(super) data: Vec<u8>,
    pub(super) lines: LineMap,
}

/// Whether the blob id of the `index` line is that of the file: then hunks without context need no other witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    /// The file is byte for byte what the patch was made from.
    SameBlob,
    /// The `index` line names another blob.
    OtherBlob,
    /// There is no `index` line.
    None,
}

/// Applies `hunks` in order.
pub(super) fn apply(
    content: &[u8],
    hunks: &[Hunk],
    witness: Witness,
) -> Result<Patched, HunkFailure> {
    let is_context = |hunk: &Hunk| hunk.lines.iter().any(|it| it.kind == LineKind::Context);
    if !hunks.iter().any(is_context)
        && let Some(patched) = without_context(content, hunks, witness)?
    {
        return Ok(patched);
    }
    let mut image = Image::new(content);
    image.apply_all(hunks, Place::Search)?;
    Ok(image.finish())
}

/// Applies a diff that was made without context, for which git wants a flag: each hunk stands exactly where it says.
///
/// `None` when it may as well replace a whole file, which the usual rules decide.
fn without_context(
    content: &[u8],
    hunks: &[Hunk],
    witness: Witness,
) -> Result<Option<Patched>, HunkFailure> {
    let inserts = |hunk: &Hunk| hunk.old_len == 0;
    let is_whole = hunks.len() == 1 && hunks.iter().all(|it| it.old_start <= 1);
    if is_whole && (witness != Witness::SameBlob || content.is_empty()) {
        return Ok(None);
    }
    let is_unproved = match witness {
        Witness::SameBlob => false,
        Witness::OtherBlob => true,
        // Lines that go away show that the file is the one; without any there is nothing to hold it against.
        Witness::None => hunks.iter().all(inserts),
    };
    if let Some(hunk) = hunks.iter().position(inserts).filter(|_| is_unproved) {
        let reason =
            "adds lines without context, and nothing shows that this is the file it was made from";
        return Err(HunkFailure {
            hunk,
            reason: reason.to_owned(),
        });
    }
    let mut image = Image::new(content);
    image.apply_all(hunks, Place::Exact)?;
    Ok(Some(image.finish()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the stated line, else the nearest one, forward first.
    Search,
    /// At the stated line only.
    Exact,
}

struct Image<'a> {
    lines: Vec<Line<'a>>,
    edits: Vec<Edit>,
    comparisons: u64,
}

#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    /// Came out of an earlier hunk: no later hunk may match it.
    is_patched: bool,
}

impl<'a> Image<'a> {
    fn new(content: &'a [u8]) -> Self {
        let lines = content.split_inclusive(|&it| it == b'\n');
        Self {
            lines: lines
                .map(|text| Line {
                    text,
                    is_patched: false,
                })
                .collect(),
            edits: Vec::new(),
            comparisons: 0,
        }
    }

    fn finish(mut self) -> Patched {
        self.edits.sort_by_key(|it| it.new_start);
        Patched {
            data: self.lines.iter().flat_map(|it| it.text).copied().collect(),
            lines: LineMap::new(self.edits),
        }
    }

    fn apply_all(&mut self, hunks: &'a [Hunk], place: Place) -> Result<(), HunkFailure> {
        for (number, hunk) in hunks.iter().enumerate() {
            self.apply_one(hunk, place).map_err(|reason| HunkFailure {
                hunk: number,
                reason,
            })?;
        }
        Ok(())
    }

    fn apply_one(&mut self, hunk: &'a Hunk, place: Place) -> Result<(), String> {
        let before = side(hunk, LineKind::Added);
        let after = side(hunk, LineKind::Removed);
        // As git: a hunk that starts at the first line must match there, one without trailing context at the end.
        let limits = Limits {
            beginning: hunk.old_start == 0 || (hunk.old_start == 1 && place == Place::Search),
            end: place == Place::Search
                && hunk
                    .lines
                    .last()
                    .is_none_or(|it| it.kind != LineKind::Context),
        };
        let stated = match (place, hunk.new_len) {
            // `+9,0` means after line 9.
            (Place::Exact, 0) => hunk.new_start as usize,
            _ => hunk.new_start.saturating_sub(1) as usize,
        };
        let at = match place {
            Place::Search => self.find(&before, stated, limits)?,
            Place::Exact => self.matches(&before, stated, limits).then_some(stated),
        };
        let Some(at) = at else {
            return Err(self.explain(&before, &after, stated, limits));
        };
        let patched = after.iter().map(|text| Line {
            text,
            is_patched: true,
        });
        self.lines.splice(at..at + before.len(), patched);
        self.record(hunk, at, before.len());
        Ok(())
    }

    /// Writes down which lines changed; `at` is 0-based in the image with earlier hunks applied.
    fn record(&mut self, hunk: &Hunk, at: usize, before: usize) {
        let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX / 4);
        let (at, before) = (count(at), count(before));
        let after = count(
            hunk.lines
                .iter()
                .filter(|it| it.kind != LineKind::Removed)
                .count(),
        );
        // A hunk that landed above an earlier one moves what that one did.
        let mut shift = 0_i64;
        for edit in &mut self.edits {
            if edit.new_start > at + before {
                edit.new_start = edit.new_start + after - before;
            } else {
                shift += i64::from(edit.old_len) - i64::from(edit.new_len);
            }
        }
        let mut new = at + 1;
        let mut old = u32::try_from(i64::from(new) + shift).unwrap_or(1);
        for line in &hunk.lines {
            let (old_len, new_len) = match line.kind {
                LineKind::Context => (0, 0),
                LineKind::Removed => (1, 0),
                LineKind::Added => (0, 1),
            };
            match self.edits.last_mut() {
                Some(last)
                    if old_len + new_len > 0
                        && last.old_start + last.old_len == old
                        && last.new_start + last.new_len == new =>
                {
                    last.old_len += old_len;
                    last.new_len += new_len;
                }
                _ if old_len + new_len > 0 => self.edits.push(Edit {
                    old_start: old,
                    old_len,
                    new_start: new,
                    new_len,
                }),
                _ => {
                    old += 1;
                    new += 1;
                    continue;
                }
            }
            old += old_len;
            new += new_len;
        }
    }

    /// The 0-based line at which `before` stands: at `stated`, else one down, one up, two down, …
    fn find(
        &mut self,
        before: &[&[u8]],
        stated: usize,
        limits: Limits,
    ) -> Result<Option<usize>, String> {
        let count = self.lines.len();
        if before.len() > count {
            return Ok(None);
        }
        if limits.beginning || limits.end {
            // Only one place can match, wherever the search starts.
            let at = if limits.beginning {
                0
            } else {
                count - before.len()
            };
            return Ok(self.matches(before, at, limits).then_some(at));
        }
        let start = stated.min(count);
        for distance in 0..=count {
            let down = start.checked_add(distance).filter(|it| *it <= count);
            let up = start.checked_sub(distance).filter(|_| distance > 0);
            for at in [down, up].into_iter().flatten() {
                if self.matches(before, at, limits) {
                    return Ok(Some(at));
                }
            }
            if self.comparisons > MAX_COMPARISONS {
                return Err("costs too much to place: its lines repeat too often".to_owned());
            }
            if down.is_none() && up.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn matches(&mut self, before: &[&[u8]], at: usize, limits: Limits) -> bool {
        let Some(window) = at
            .checked_add(before.len())
            .and_then(|end| self.lines.get(at..end))
        else {
            return false;
        };
        if limits.beginning && at != 0 || limits.end && at + before.len() != self.lines.len() {
            return false;
        }
        let same = window
            .iter()
            .zip(before)
            .take_while(|(line, text)| !line.is_patched && line.text == **text)
            .count();
        self.comparisons += same as u64 + 1;
        same == before.len()
    }

    /// Says what a person needs to see: the first line that differs where the hunk should stand.
    fn explain(
        &mut self,
        before: &[&[u8]],
        after: &[&[u8]],
        stated: usize,
        limits: Limits,
    ) -> String {
        let at_edges = Limits::default();
        if !after.is_empty()
            && before != after
            && self
                .find(after, stated, at_edges)
                .is_ok_and(|it| it.is_some())
        {
            return "does not match: what it adds is there already".to_owned();
        }
        if (limits.beginning || limits.end)
            && self
                .find(before, stated, at_edges)
                .is_ok_and(|it| it.is_some())
        {
            let edge = if limits.beginning { "beginning" } else { "end" };
            return format!(
                "does not match: it belongs at the {edge} of the file, and its lines stand elsewhere"
            );
        }
        let window = self.lines.get(stated..).unwrap_or_default();
        let differs = before
            .iter()
            .enumerate()
            .find(|(place, text)| window.get(*place).is_none_or(|it| it.text != **text));
        let Some((place, expected)) = differs else {
            return "does not match: another hunk of this patch changed its lines".to_owned();
        };
        let number = stated + place + 1;
        match window.get(place) {
            Some(found) => format!(
                "does not match: near line {number} it expects \"{}\", the file has \"{}\"",
                quoted(expected),
                quoted(found.text)
            ),
            None => format!(
                "does not match: near line {number} it expects \"{}\", the file ends at line {}",
                quoted(expected),
                self.lines.len()
            ),
        }
    }
}

/// Where a hunk must stand.
#[derive(Clone, Copy, Default)]
struct Limits {
    beginning: bool,
    end: bool,
}

/// The lines of the hunk without those of kind `left_out`.
fn side(hunk: &Hunk, left_out: LineKind) -> Vec<&[u8]> {
    hunk.lines
        .iter()
        .filter(|it| it.kind != left_out)
        .map(|it| it.text.as_slice())
        .collect()
}
