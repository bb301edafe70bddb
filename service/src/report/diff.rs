//! A unified diff as lines to show or to quote. Keeps what it does not understand; applies nothing.

/// The largest number of lines that are kept for showing; the rest is counted only.
pub const MAX_DIFF_LINES: usize = 20_000;

/// What a line of a hunk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Only in the new file.
    Added,
    /// Only in the old file.
    Removed,
    /// In both.
    Context,
    /// `\ No newline at end of file`.
    Note,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// What it does.
    pub kind: LineKind,
    /// 1-based, in the old file.
    pub old: Option<u32>,
    /// 1-based, in the new file.
    pub new: Option<u32>,
    /// As it stands in the mail, with its first character.
    pub raw: String,
}

/// One `@@` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffHunk {
    /// The whole `@@ … @@ function` line.
    pub header: String,
    /// In order.
    pub lines: Vec<DiffLine>,
}

/// The part of a diff that speaks of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffFile {
    /// Path before, without `a/`; `None` for a new file.
    pub old_path: Option<String>,
    /// Path after, without `b/`; `None` for a deleted file.
    pub new_path: Option<String>,
    /// `diff --git` to `+++`, as they stand.
    pub header: Vec<String>,
    /// In order; empty for renames and mode changes.
    pub hunks: Vec<DiffHunk>,
}

impl DiffFile {
    /// The path to show: the new one, else the old one.
    pub fn path(&self) -> &str {
        self.new_path
            .as_deref()
            .or(self.old_path.as_deref())
            .unwrap_or("?")
    }
}

/// Reads the files of a diff; mail text before the first header and after the last hunk is skipped.
pub fn parse_diff(diff: &[u8]) -> Vec<DiffFile> {
    let text = String::from_utf8_lossy(diff);
    let mut reader = Reader::default();
    for line in text.lines().take(MAX_DIFF_LINES) {
        reader.line(line.strip_suffix('\r').unwrap_or(line));
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    files: Vec<DiffFile>,
    old_left: u32,
    new_left: u32,
    old: u32,
    new: u32,
    in_header: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if (self.old_left > 0 || self.new_left > 0) && self.hunk_line(line) {
            return;
        }
        if line.starts_with("diff --git ") {
            self.open_file(line);
        } else if line.starts_with("--- ") && !self.in_header {
            self.open_file(line);
            self.header_line(line);
        } else if self.in_header && !line.starts_with("@@ ") {
            self.header_line(line);
        } else if let Some(counts) = hunk_counts(line)
            && let Some(file) = self.files.last_mut()
        {
            (self.old, self.old_left, self.new, self.new_left) = counts;
            self.in_header = false;
            file.hunks.push(DiffHunk {
                header: line.to_owned(),
                lines: Vec::new(),
            });
        } else if line.starts_with('\\') {
            self.push(LineKind::Note, line);
        }
    }

    fn open_file(&mut self, line: &str) {
        let mut file = DiffFile::default();
        if let Some((old, new)) = line
            .strip_prefix("diff --git ")
            .and_then(|it| it.split_once(" b/"))
        {
            file.old_path = old.strip_prefix("a/").map(str::to_owned);
            file.new_path = Some(new.to_owned());
            file.header.push(line.to_owned());
        }
        self.in_header = true;
        (self.old_left, self.new_left) = (0, 0);
        self.files.push(file);
    }

    fn header_line(&mut self, line: &str) {
        let Some(file) = self.files.last_mut() else {
            return;
        };
        if let Some(path) = line.strip_prefix("--- ") {
            file.old_path = header_path(path, "a/");
        } else if let Some(path) = line.strip_prefix("+++ ") {
            file.new_path = header_path(path, "b/");
        } else if !GIT_HEADERS.iter().any(|it| line.starts_with(it)) {
            // A mode change or a rename has no `@@`: what follows is the next mail part.
            self.in_header = false;
            return;
        }
        file.header.push(line.to_owned());
    }

    /// Returns whether the line belongs to the open hunk.
    fn hunk_line(&mut self, line: &str) -> bool {
        // Mail software strips the blank of an empty context line.
        let kind = match line.as_bytes().first() {
            Some(b'+') if self.new_left > 0 => LineKind::Added,
            Some(b'-') if self.old_left > 0 => LineKind::Removed,
            Some(b' ') | None => LineKind::Context,
            Some(b'\\') => LineKind::Note,
            _ => {
                (self.old_left, self.new_left) = (0, 0);
                return false;
            }
        };
        self.push(kind, line);
        true
    }

    fn push(&mut self, kind: LineKind, line: &str) {
        let Some(hunk) = self.files.last_mut().and_then(|it| it.hunks.last_mut()) else {
            return;
        };
        let in_old = matches!(kind, LineKind::Removed | LineKind::Context);
        let in_new = matches!(kind, LineKind::Added | LineKind::Context);
        hunk.lines.push(DiffLine {
            kind,
            old: in_old.then_some(self.old),
            new: in_new.then_some(self.new),
            raw: line.to_owned(),
        });
        if in_old {
            self.old = self.old.saturating_add(1);
            self.old_left = self.old_left.saturating_sub(1);
        }
        if in_new {
            self.new = self.new.saturating_add(1);
            self.new_left = self.new_left.saturating_sub(1);
        }
    }

    fn finish(mut self) -> Vec<DiffFile> {
        // A line of prose may start with `--- `: only what git or a hunk vouches for is a file.
        self.files.retain(|it| {
            !it.hunks.is_empty()
                || it
                    .header
                    .first()
                    .is_some_and(|line| line.starts_with("diff --git "))
        });
        self.files
    }
}

const GIT_HEADERS: &[&str] = &[
    "index ",
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "similarity index ",
    "dissimilarity index ",
    "rename from ",
    "rename to ",
    "copy from ",
    "copy to ",
    "Binary files ",
    "GIT binary patch",
];

fn header_path(text: &str, prefix: &str) -> Option<String> {
    let text = text.split('\t').next().unwrap_or(text).trim_end();
    (text != "/dev/null").then(|| text.strip_prefix(prefix).unwrap_or(text).to_owned())
}

/// `@@ -a,b +c,d @@` to (a, b, c, d).
fn hunk_counts(line: &str) -> Option<(u32, u32, u32, u32)> {
    let ranges = line.strip_prefix("@@ -")?.split(" @@").next()?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| -> Option<(u32, u32)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    let (old_start, old_count) = range(old)?;
    let (new_start, new_count) = range(new)?;
    Some((old_start, old_count, new_start, new_count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "mail text\n--\ndiff --git a/fs/x.c b/fs/x.c\nindex 1..2 100644\n--- a/fs/x.c\n+++ b/fs/x.c\n\
        @@ -3,3 +3,4 @@ int f(void)\n \ta();\n-\tb();\n+\tc();\n+--d;\n\n-- \n2.51\ndiff --git a/old b/new\nsimilarity index 100%\n\
        rename from old\nrename to new\n";

    #[test]
    fn lines_carry_the_numbers_of_both_files() {
        let files = parse_diff(DIFF.as_bytes());
        let lines: Vec<_> = files[0].hunks[0]
            .lines
            .iter()
            .map(|it| (it.raw.as_str(), it.old, it.new))
            .collect();
        assert_eq!(
            lines,
            [
                (" \ta();", Some(3), Some(3)),
                ("-\tb();", Some(4), None),
                ("+\tc();", None, Some(4)),
                ("+--d;", None, Some(5)),
                ("", Some(5), Some(6)),
            ]
        );
    }

    #[test]
    fn a_rename_without_hunks_is_a_file() {
        let files = parse_diff(DIFF.as_bytes());
        assert_eq!(files.len(), 2);
        assert_eq!((files[1].path(), files[1].hunks.len()), ("new", 0));
    }
}
