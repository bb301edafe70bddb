//! Which line of the old file became which of the new one.

/// A run of lines that was replaced; either side may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// 1-based; for a pure insertion the line before which it stands.
    pub old_start: u32,
    /// Lines removed.
    pub old_len: u32,
    /// 1-based; for a pure deletion the line that follows it.
    pub new_start: u32,
    /// Lines added.
    pub new_len: u32,
}

/// The change of one file as edits: ascending, never touching each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineMap {
    edits: Vec<Edit>,
}

/// Lines that stand in both files: `old..old + len` is `new..new + len`.
#[derive(Clone, Copy)]
struct Kept {
    old: u32,
    new: u32,
    len: u32,
}

impl LineMap {
    /// Builds the map from edits in ascending order; those that touch are joined.
    pub fn new(edits: impl IntoIterator<Item = Edit>) -> Self {
        let mut joined: Vec<Edit> = Vec::new();
        for edit in edits {
            if edit.old_len == 0 && edit.new_len == 0 {
                continue;
            }
            match joined.last_mut() {
                Some(last)
                    if last.old_start + last.old_len == edit.old_start
                        && last.new_start + last.new_len == edit.new_start =>
                {
                    last.old_len += edit.old_len;
                    last.new_len += edit.new_len;
                }
                _ => joined.push(edit),
            }
        }
        Self { edits: joined }
    }

    /// The edits, ascending.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether the 1-based line of the new file was added.
    pub fn is_added(&self, new_line: u32) -> bool {
        self.old_line(new_line).is_none()
    }

    /// Whether the 1-based line of the old file was removed.
    pub fn is_removed(&self, old_line: u32) -> bool {
        self.new_line(old_line).is_none()
    }

    /// Where a line of the new file stood; `None` when it was added.
    pub fn old_line(&self, new_line: u32) -> Option<u32> {
        let after = self.edits.partition_point(|it| it.new_start <= new_line);
        let Some(edit) = after.checked_sub(1).map(|at| self.edits[at]) else {
            return Some(new_line);
        };
        let past = new_line - edit.new_start;
        (past >= edit.new_len).then(|| edit.old_start + edit.old_len + (past - edit.new_len))
    }

    /// Where a line of the old file stands now; `None` when it was removed.
    pub fn new_line(&self, old_line: u32) -> Option<u32> {
        let after = self.edits.partition_point(|it| it.old_start <= old_line);
        let Some(edit) = after.checked_sub(1).map(|at| self.edits[at]) else {
            return Some(old_line);
        };
        let past = old_line - edit.old_start;
        (past >= edit.old_len).then(|| edit.new_start + edit.new_len + (past - edit.old_len))
    }

    /// The added lines of the new file, ascending.
    pub fn added(&self) -> impl Iterator<Item = u32> + '_ {
        self.edits
            .iter()
            .flat_map(|it| it.new_start..it.new_start + it.new_len)
    }

    /// This change followed by `later`.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let (first, second) = (self.kept(), later.kept());
        let mut both = Vec::new();
        let (mut left, mut right) = (0, 0);
        while left < first.len() && right < second.len() {
            let (one, two) = (first[left], second[right]);
            let start = one.new.max(two.old);
            let one_end = one.new.saturating_add(one.len);
            let two_end = two.old.saturating_add(two.len);
            let end = one_end.min(two_end);
            if start < end {
                both.push(Kept {
                    old: one.old + (start - one.new),
                    new: two.new + (start - two.old),
                    len: end - start,
                });
            }
            if one_end <= two_end {
                left += 1;
            } else {
                right += 1;
            }
        }
        let (mut old, mut new) = (1, 1);
        let mut edits = Vec::new();
        for kept in both {
            edits.push(Edit {
                old_start: old,
                old_len: kept.old - old,
                new_start: new,
                new_len: kept.new - new,
            });
            old = kept.old.saturating_add(kept.len);
            new = kept.new.saturating_add(kept.len);
        }
        Self::new(edits)
    }

    /// The kept runs; the last one has no end.
    fn kept(&self) -> Vec<Kept> {
        let (mut old, mut new) = (1, 1);
        let mut runs = Vec::with_capacity(self.edits.len() + 1);
        for edit in &self.edits {
            runs.push(Kept {
                old,
                new,
                len: edit.old_start - old,
            });
            old = edit.old_start + edit.old_len;
            new = edit.new_start + edit.new_len;
        }
        runs.push(Kept {
            old,
            new,
            len: u32::MAX / 4,
        });
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(old_start: u32, old_len: u32, new_start: u32, new_len: u32) -> Edit {
        Edit {
            old_start,
            old_len,
            new_start,
            new_len,
        }
    }

    #[test]
    fn lines_are_found_on_both_sides() {
        let map = LineMap::new([edit(3, 1, 3, 2), edit(10, 2, 11, 0)]);
        assert_eq!(map.old_line(2), Some(2));
        assert_eq!(map.old_line(3), None);
        assert_eq!(map.old_line(4), None);
        assert_eq!(map.old_line(5), Some(4));
        assert_eq!(map.old_line(11), Some(12));
        assert_eq!(map.new_line(3), None);
        assert_eq!(map.new_line(11), None);
        assert_eq!(map.new_line(12), Some(11));
        assert_eq!(map.added().collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn two_changes_make_one() {
        let first = LineMap::new([edit(3, 1, 3, 2)]);
        let second = LineMap::new([edit(1, 1, 1, 0), edit(4, 1, 3, 1)]);
        let both = first.then(&second);
        // Line 3 became two lines, of which the second was replaced; line 1 is gone.
        assert_eq!(both.edits(), [edit(1, 1, 1, 0), edit(3, 1, 2, 2)]);
        assert_eq!(first.then(&LineMap::default()), first);
        assert_eq!(LineMap::default().then(&second), second);
    }

    #[test]
    fn an_addition_that_is_taken_back_is_no_change() {
        let first = LineMap::new([edit(3, 0, 3, 2)]);
        let second = LineMap::new([edit(3, 2, 3, 0)]);
        assert_eq!(first.then(&second), LineMap::default());
    }
}
