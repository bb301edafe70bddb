//! Where the diff begins and ends in a mail's text.
//!
//! Hunks are followed by their line counts, so a signature or a footer that looks like a diff is not one, and
//! a `-- ` line inside a hunk is not a signature.

use crate::headers::{line_end, trim_line_end};

/// A diff's place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiffRange {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A hunk is shorter than its header says: the mail was wrapped or cut.
    pub(crate) damaged: bool,
}

/// Finds the diff in `text` from `from` on; `None` where nothing at the left margin is one.
pub(crate) fn find(text: &[u8], from: usize) -> Option<DiffRange> {
    let mut scan = Scan {
        text,
        at: from,
        start: None,
        end: from,
        damaged: false,
        evidence: false,
        binary: false,
    };
    scan.run();
    let start = scan.start?;
    if !scan.evidence {
        return None;
    }
    let end = if scan.damaged {
        signature(text, scan.end)
    } else {
        scan.end
    };
    Some(DiffRange {
        start,
        end,
        damaged: scan.damaged,
    })
}

/// Offset of the line where a patch's diff part begins as `git mailinfo` sees it: `diff -`, `Index: `, `--- x`.
pub(crate) fn is_diff_start(line: &[u8]) -> bool {
    line.starts_with(b"diff -")
        || line.starts_with(b"Index: ")
        || (line.starts_with(b"--- ") && line.get(4).is_some_and(|it| !it.is_ascii_whitespace()))
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    start: Option<usize>,
    end: usize,
    damaged: bool,
    /// Seen anything that changes a file: a hunk, a mode, a rename, binary data.
    evidence: bool,
    /// Inside `GIT binary patch` data.
    binary: bool,
}

impl<'a> Scan<'a> {
    fn line(&self) -> (&'a [u8], usize) {
        let end = line_end(self.text, self.at);
        (trim_line_end(&self.text[self.at..end]), end)
    }

    fn run(&mut self) {
        let mut header_since = None;
        while self.at < self.text.len() && !self.damaged {
            let (line, end) = self.line();
            if line == b"-- " || line == b"--" {
                if self.evidence {
                    return;
                }
            } else if line.starts_with(b"@@ -") && header_since.is_some() {
                self.start = self.start.or(header_since);
                self.at = end;
                self.hunk(line);
                continue;
            } else if is_diff_start(line) {
                self.binary = false;
                header_since = header_since
                    .filter(|_| !line.starts_with(b"diff -") && !line.starts_with(b"Index: "))
                    .or(Some(self.at));
            } else if let Some(since) = header_since {
                if is_extended(line) {
                    self.keep(since, end);
                    self.binary |= line == b"GIT binary patch";
                } else if self.binary && is_binary_data(line) {
                    self.end = end;
                } else if line.starts_with(b"index ") {
                    // An empty new file has nothing but this after `new file mode`.
                    if self.start.is_some() {
                        self.end = end;
                    }
                }
            }
            self.at = end;
        }
    }

    fn keep(&mut self, since: usize, end: usize) {
        self.start = self.start.or(Some(since));
        self.evidence = true;
        self.end = end;
    }

    /// Reads a hunk's lines by its counts.
    fn hunk(&mut self, header: &[u8]) {
        self.evidence = true;
        self.end = self.at;
        let Some((mut old, mut new)) = counts(header) else {
            self.damaged = true;
            return;
        };
        while (old > 0 || new > 0) && self.at < self.text.len() {
            let (line, end) = self.line();
            match line.first() {
                None | Some(b' ') if old > 0 && new > 0 => {
                    old -= 1;
                    new -= 1;
                }
                Some(b'-') if old > 0 => old -= 1,
                Some(b'+') if new > 0 => new -= 1,
                Some(b'\\') => {}
                _ => {
                    self.damaged = true;
                    return;
                }
            }
            self.at = end;
            self.end = end;
        }
        if old > 0 || new > 0 {
            self.damaged = true;
            return;
        }
        let (line, end) = self.line();
        if line.starts_with(b"\\ ") {
            self.at = end;
            self.end = end;
        }
    }
}

fn is_extended(line: &[u8]) -> bool {
    [
        &b"old mode "[..],
        b"new mode ",
        b"deleted file mode ",
        b"new file mode ",
        b"rename from ",
        b"rename to ",
        b"copy from ",
        b"copy to ",
        b"similarity index ",
        b"dissimilarity index ",
        b"GIT binary patch",
        b"Binary files ",
        b"Files ",
    ]
    .iter()
    .any(|it| line.starts_with(it))
        && (!line.starts_with(b"Files ") || line.ends_with(b" differ"))
}

/// `literal 12`, `delta 3`, and base85 lines: a length letter and no blanks; blank lines end a block.
fn is_binary_data(line: &[u8]) -> bool {
    line.is_empty()
        || line.starts_with(b"literal ")
        || line.starts_with(b"delta ")
        || (line[0].is_ascii_alphabetic()
            && line.len() > 5
            && (line.len() - 1).is_multiple_of(5)
            && !line.contains(&b' '))
}

/// The two line counts of `@@ -a,b +c,d @@`.
fn counts(header: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(&header[..header.len().min(80)])
        .or_else(|error| std::str::from_utf8(&header[..error.valid_up_to()]))
        .ok()?;
    let inner = text.strip_prefix("@@ -")?;
    let (old, rest) = inner.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    Some((count(old)?, count(new)?))
}

fn count(range: &str) -> Option<u32> {
    let (line, count) = range.split_once(',').unwrap_or((range, "1"));
    let _: u32 = line.parse().ok()?;
    count.parse().ok()
}

/// End of the text before a mail signature, from `from` on.
fn signature(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() {
        let end = line_end(text, at);
        if trim_line_end(&text[at..end]) == b"-- " {
            return at;
        }
        at = end;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::find;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool)>) {
        let actual = find(text.as_bytes(), 0).map(|it| (&text[it.start..it.end], it.damaged));
        assert_eq!(actual, expected);
    }

    #[test]
    fn counts_decide_where_a_hunk_ends() {
        let diff = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n-- \n+b\n c\n";
        check(
            &format!(
                "log\n---\n x | 1 +\n\n{diff}-- \n2.4\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
            ),
            Some((diff, false)),
        );
        let plain = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n";
        check(&format!("{plain}\nfooter\n"), Some((plain, false)));
    }

    #[test]
    fn damage_is_seen() {
        check(
            "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\nwrapped\n",
            Some(("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\nwrapped\n", true)),
        );
        check(
            "--- a/x\n+++ b/x\n@@ -1.5,1e9 +1 @@\n a\n",
            Some(("--- a/x\n+++ b/x\n@@ -1.5,1e9 +1 @@\n a\n", true)),
        );
    }

    #[test]
    fn prose_is_no_diff() {
        check("diff between\n--- old text\nIndex: of things\n", None);
        check("> diff --git a/x b/x\n> --- a/x\n", None);
    }

    #[test]
    fn renames_modes_and_binaries_are_diffs() {
        let rename = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
        check(&format!("log\n\n{rename}-- \n2.4\n"), Some((rename, false)));
        let empty = "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n";
        check(&format!("{empty}-- \n2.4\n"), Some((empty, false)));
        let binary = "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZQz\n\nliteral 0\nHcmV?d00001\n\n";
        check(&format!("{binary}-- \n2.4\n"), Some((binary, false)));
        let none = "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n";
        check(none, Some((none, false)));
    }
}
