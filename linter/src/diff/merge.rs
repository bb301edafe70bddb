//! Three-way merge of one file, as `git am -3` does it after a hunk failed.

use imara_diff::{Algorithm, Diff, InternedInput};

use super::{Edit, LineMap};

/// The lines `start..end` of the base, 1-based and inclusive, on which both sides disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Brings what `theirs` changed in `base` to `ours`.
///
/// Changes that overlap or touch conflict unless both sides made the same, which is where git stops too.
pub(super) fn merge(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Conflict> {
    if base == ours || ours == theirs {
        return Ok(theirs.to_vec());
    }
    if base == theirs {
        return Ok(ours.to_vec());
    }
    let (base, ours, theirs) = (split(base), split(ours), split(theirs));
    let mut left = changes(&base, &ours).into_iter().peekable();
    let mut right = changes(&base, &theirs).into_iter().peekable();
    let mut merged = Vec::new();
    let mut done = 0;
    let (mut left_shift, mut right_shift) = (0_isize, 0_isize);
    while left.peek().is_some() || right.peek().is_some() {
        let first = left
            .peek()
            .into_iter()
            .chain(right.peek())
            .map(|it| it.old.start)
            .min();
        let start = first.expect("one side has a change");
        let mut end = start;
        let (mut left_grow, mut right_grow) = (0_isize, 0_isize);
        let (mut left_count, mut right_count) = (0, 0);
        // Everything that touches what is already in the group joins it.
        loop {
            if let Some(next) = left.next_if(|it| it.old.start <= end) {
                end = end.max(next.old.end);
                left_grow += next.growth();
                left_count += 1;
            } else if let Some(next) = right.next_if(|it| it.old.start <= end) {
                end = end.max(next.old.end);
                right_grow += next.growth();
                right_count += 1;
            } else {
                break;
            }
        }
        merged.extend(base[done..start].iter().copied());
        let side = |lines: &[&'_ [u8]], shift: isize, growth: isize| -> std::ops::Range<usize> {
            let from = start.saturating_add_signed(shift);
            from..end.saturating_add_signed(shift + growth).min(lines.len())
        };
        let mine = &ours[side(&ours, left_shift, left_grow)];
        let other = &theirs[side(&theirs, right_shift, right_grow)];
        match (left_count, right_count) {
            (0, _) => merged.extend(other.iter().copied()),
            (_, 0) => merged.extend(mine.iter().copied()),
            _ if mine == other => merged.extend(mine.iter().copied()),
            _ => {
                return Err(Conflict {
                    start: start + 1,
                    end: end.max(start + 1),
                });
            }
        }
        left_shift += left_grow;
        right_shift += right_grow;
        done = end;
    }
    merged.extend(base[done..].iter().copied());
    Ok(merged.concat())
}

/// Which lines of `old` became which of `new`, by comparing them.
pub(super) fn line_map(old: &[u8], new: &[u8]) -> LineMap {
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX / 4);
    LineMap::new(
        changes(&split(old), &split(new))
            .into_iter()
            .map(|it| Edit {
                old_start: count(it.old.start) + 1,
                old_len: count(it.old.len()),
                new_start: count(it.new.start) + 1,
                new_len: count(it.new.len()),
            }),
    )
}

struct Run {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

impl Run {
    fn growth(&self) -> isize {
        self.new.len().cast_signed() - self.old.len().cast_signed()
    }
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&it| it == b'\n').collect()
}

fn changes(old: &[&[u8]], new: &[&[u8]]) -> Vec<Run> {
    let mut input = InternedInput::default();
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    // git slides each change down as far as it goes before it looks for conflicts; left where the comparison
    // happened to put them, changes that touch for git would not touch here.
    diff.postprocess_no_heuristic(&input);
    diff.hunks()
        .map(|hunk| Run {
            old: hunk.before.start as usize..hunk.before.end as usize,
            new: hunk.after.start as usize..hunk.after.end as usize,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_apart_from_each_other_are_both_taken() {
        let merged = merge(b"a\nb\nc\nd\ne\n", b"A\nb\nc\nd\ne\n", b"a\nb\nc\nd\nE\n");
        assert_eq!(merged, Ok(b"A\nb\nc\nd\nE\n".to_vec()));
    }

    #[test]
    fn the_same_change_on_both_sides_is_one() {
        let merged = merge(b"a\nb\nc\nd\n", b"0\na\nB\nc\nd\n", b"a\nB\nc\nd\n");
        assert_eq!(merged, Ok(b"0\na\nB\nc\nd\n".to_vec()));
    }

    #[test]
    fn changes_that_touch_conflict() {
        let merged = merge(b"a\nb\nc\n", b"A\nb\nc\n", b"a\nB\nc\n");
        assert_eq!(merged, Err(Conflict { start: 1, end: 2 }));
    }
}
