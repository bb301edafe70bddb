//! Trees that change in a row: a linter that knows the one before must say what one says that knows none.

use lorelint::tree::{FileContent, MemTree, Mode, Overlay, TreePath};
use lorelint::{Linter, Options};

use crate::lint_case::said;

/// New texts of files, by path; `None` for one that goes.
pub type Changes<'c> = &'c [(&'c str, Option<&'c str>)];

/// A file of a tree.
pub fn file(path: &str, text: &str) -> (TreePath, FileContent) {
    let path = TreePath::parse(path).expect("a path inside a tree");
    let content = FileContent::new(Mode::Regular, text.as_bytes());
    (path, content.expect("a regular file"))
}

/// As [`check_in_a_row`], from a tree of these files alone.
#[track_caller]
pub fn check_files_in_a_row(files: &[(&str, &str)], states: &[(&str, Changes<'_>, bool)]) {
    let empty = MemTree::default();
    let files = files.iter().map(|it| file(it.0, it.1));
    let base = Overlay::new(&empty).with(files.map(|it| (it.0, Some(it.1))));
    check_in_a_row(&base, states);
}

/// Makes each change to what the one before left, and compares; the last value says whether there are findings then.
#[track_caller]
pub fn check_in_a_row(base: &Overlay<'_>, states: &[(&str, Changes<'_>, bool)]) {
    let warm = Linter::new(Options::default());
    warm.check(base).expect("memory can be read");
    let mut now = base.clone();
    for (what, changes, is_found) in states {
        let changes = changes.iter().map(|(path, text)| match text {
            Some(text) => {
                let (path, content) = file(path, text);
                (path, Some(content))
            }
            None => (TreePath::parse(path).expect("a path inside a tree"), None),
        });
        now = now.with(changes);
        let fresh = Linter::new(Options::default())
            .check(&now)
            .expect("memory can be read");
        let report = warm.check(&now).expect("memory can be read");
        assert_eq!(said(&report), said(&fresh), "{what}");
        assert_eq!(!report.findings.is_empty(), *is_found, "{what}");
    }
}
