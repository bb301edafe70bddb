//! What the diff parser makes of text, whatever the text.

use lorelint::diff::{self, Body, Edit, FileKind, LineMap, MAX_BINARY_BYTES};
use lorelint::tree::{MemTree, Mode, TreePath};
use proptest::prelude::*;

/// `kind old new old-mode new-mode` of each section.
fn sections(text: &str) -> Vec<String> {
    let patch = diff::parse(text.as_bytes()).unwrap();
    let path = |it: &Option<TreePath>| it.as_ref().map_or("-".to_owned(), ToString::to_string);
    let mode = |it: Option<Mode>| it.map_or("-", Mode::as_str);
    let files = patch.files.iter().map(|it| {
        let (old, new) = (path(&it.old_path), path(&it.new_path));
        format!(
            "{:?} {old} {new} {} {}",
            it.kind,
            mode(it.old_mode),
            mode(it.new_mode)
        )
    });
    files.collect()
}

#[track_caller]
fn error(text: &str, expected: &str) {
    assert_eq!(
        diff::parse(text.as_bytes()).unwrap_err().to_string(),
        expected
    );
}

#[test]
fn git_headers_say_what_happens_to_a_file() {
    let text = "diff --git a/m b/m\nold mode 100644\nnew mode 100755\n\
        diff --git a/d/x.c b/d/y.c\nsimilarity index 90%\nrename from d/x.c\nrename to d/y.c\n\
        diff --git a/c b/c2\nsimilarity index 100%\ncopy from c\ncopy to c2\n\
        diff --git a/empty b/empty\nnew file mode 100644\nindex 0000000..e69de29\n\
        diff --git a/gone b/gone\ndeleted file mode 120000\nindex 1234567..0000000\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-t\n\\ No newline at end of file\n\
        diff --git a/sub b/sub\nindex 1234567..89abcde 160000\n--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n";
    assert_eq!(
        sections(text),
        [
            "Modify m m 100644 100755",
            "Rename d/x.c d/y.c - -",
            "Copy c c2 - -",
            "Create - empty - 100644",
            "Delete gone - 120000 -",
            "Modify sub sub 160000 -",
        ]
    );
}

#[test]
fn names_are_unquoted_and_may_hold_blanks() {
    let text = "diff --git \"a/tab\\there \\303\\266\" \"b/tab\\there \\303\\266\"\nold mode 100644\nnew mode 100755\n\
        diff --git a/two words b/two words\nold mode 100644\nnew mode 100755\n\
        diff --git a/b b/b b/b b/b\nold mode 100644\nnew mode 100755\n";
    let names = sections(text);
    assert_eq!(
        names,
        [
            "Modify tab\there \u{f6} tab\there \u{f6} 100644 100755",
            "Modify two words two words 100644 100755",
            "Modify b b/b b b/b 100644 100755",
        ]
    );
}

#[test]
fn the_prefix_is_what_the_names_agree_on() {
    let with = |old: &str, new: &str| {
        let text = format!("diff --git {old} {new}\n--- {old}\n+++ {new}\n@@ -1 +1 @@\n-a\n+b\n");
        diff::parse(text.as_bytes()).unwrap().files[0]
            .path()
            .to_string()
    };
    assert_eq!(with("a/fs/x.c", "b/fs/x.c"), "fs/x.c");
    assert_eq!(with("i/fs/x.c", "w/fs/x.c"), "fs/x.c");
    assert_eq!(with("fs/x.c", "fs/x.c"), "fs/x.c");
}

#[test]
fn a_diff_that_cannot_be_right_is_refused() {
    let start = "diff --git a/f b/f\n";
    error(
        &format!("{start}new file mode 100644\ndeleted file mode 100644\n"),
        "line 1: the headers say two things at once",
    );
    error(
        &format!("{start}rename from f\n"),
        "line 1: a rename or copy needs both names",
    );
    error(
        &format!("{start}index 1234567..89abcde 100644\n"),
        "line 1: f: the section changes nothing: its hunks are missing",
    );
    error(
        &format!("{start}old mode 100644\nnew mode 0100\n"),
        "line 3: no file mode: 0100",
    );
    error(
        &format!("{start}new file mode 100644\n--- /dev/null\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"),
        "line 1: f: a new file depends on old content",
    );
    error(
        &format!("{start}--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n@@ -9999999999 +1 @@\n"),
        "line 7: g: hunk 2 is corrupt: its header is no `@@ -line,count +line,count @@`",
    );
    error(
        "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n+c\n@@ -9 +9 @@\n-a\n+b\n",
        "line 7: a hunk without a file: the lines above it are damaged",
    );
    for path in [
        "a/.git/config",
        "a/.GIT/config",
        "a/x/.gi\u{200c}t/y",
        "a/git~1/x",
        "a/..\\\\x",
        "a//x",
        "a/./x",
        "/abs",
    ] {
        let text = format!("--- {path}\n+++ {path}\n@@ -1 +1 @@\n-a\n+b\n");
        let is_refused = matches!(
            diff::parse(text.as_bytes()),
            Err(diff::DiffError::Path { .. })
        );
        assert!(is_refused, "{path}");
    }
}

#[test]
fn binary_sizes_are_bounded_before_anything_is_inflated() {
    let header =
        "diff --git a/b b/b\nnew file mode 100644\nindex 0000000..1111111\nGIT binary patch\n";
    error(
        &format!("{header}literal 99999999999999\nJc$~|~1ONd$0MY;e\n\n"),
        &format!(
            "line 4: b: binary patch is corrupt: it declares 99999999999999 bytes, more than {MAX_BINARY_BYTES}"
        ),
    );
    error(
        &format!("{header}literal 5\nA!!\n\n"),
        "line 4: b: binary patch is corrupt: a line has not the length that it declares",
    );
    error(
        &format!("{header}literal 5\n"),
        "line 4: b: binary patch is corrupt: it ends early",
    );
}

#[test]
fn a_declared_count_reserves_nothing() {
    error(
        "--- a/f\n+++ b/f\n@@ -1,1000000000 +1,1000000000 @@\n a\n",
        "line 3: f: hunk 1 is corrupt: it ends early: 999999999 old and 999999999 new lines are missing",
    );
}

/// A line of the kind that diffs are made of.
fn diff_line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("diff --git a/f b/f".to_owned()),
        Just("--- a/f".to_owned()),
        Just("+++ b/f".to_owned()),
        Just("index 1234567..89abcde 100644".to_owned()),
        Just("GIT binary patch".to_owned()),
        Just("\\ No newline at end of file".to_owned()),
        (0..4_u32, 0..4_u32, 0..4_u32, 0..4_u32)
            .prop_map(|(a, b, c, d)| format!("@@ -{a},{b} +{c},{d} @@ x")),
        "(literal|delta) [0-9]{1,3}",
        "(rename|copy) (from|to) [a-z]{1,2}",
        "(new file|old|new|deleted file) mode [0-9]{3,6}",
        "[-+ ][ab]?",
        "[A-Za-z][!-~]{0,12}",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in prop::collection::vec(diff_line(), 0..40), content in "([ab]?\n){0,6}[ab]?") {
        let text = lines.join("\n");
        let mut tree = MemTree::default();
        tree.insert(TreePath::parse("f").unwrap(), content);
        if let Ok(patch) = diff::parse(text.as_bytes()) {
            let _outcome = diff::apply(&patch, &tree);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _outcome = diff::parse(&bytes);
    }

    #[test]
    fn a_hunk_is_read_as_it_is_written(lines in prop::collection::vec("[-+ ][a-z]{0,3}", 1..20)) {
        let old = lines.iter().filter(|it| !it.starts_with('+')).count();
        let new = lines.iter().filter(|it| !it.starts_with('-')).count();
        prop_assume!(lines.iter().any(|it| !it.starts_with(' ')));
        let text = format!("--- a/f\n+++ b/f\n@@ -1,{old} +1,{new} @@\n{}\n-- \n2.47\n", lines.join("\n"));
        let patch = diff::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(patch.files.len(), 1);
        prop_assert!(matches!(patch.files[0].kind, FileKind::Modify | FileKind::ModifyOrCreate));
        let Body::Text(hunks) = &patch.files[0].body else { panic!("no hunks") };
        let read: Vec<String> = hunks[0].lines.iter().map(|it| String::from_utf8(it.text.clone()).unwrap()).collect();
        let written: Vec<String> = lines.iter().map(|it| format!("{}\n", &it[1..])).collect();
        prop_assert_eq!(read, written);
    }

    /// The map of two changes in a row says of each line what the two maps say one after the other.
    #[test]
    fn line_maps_compose(first in edits(), second in edits()) {
        let both = first.then(&second);
        for line in 1..80 {
            let stepwise = second.old_line(line).and_then(|it| first.old_line(it));
            prop_assert_eq!(both.old_line(line), stepwise, "line {}", line);
            let forward = first.new_line(line).and_then(|it| second.new_line(it));
            prop_assert_eq!(both.new_line(line), forward, "line {}", line);
        }
    }
}

fn edits() -> impl Strategy<Value = LineMap> {
    prop::collection::vec((1..6_u32, 0..4_u32, 0..4_u32), 0..6).prop_map(|runs| {
        let (mut old, mut new) = (1, 1);
        let edits = runs.into_iter().map(|(gap, old_len, new_len)| {
            old += gap;
            new += gap;
            let edit = Edit {
                old_start: old,
                old_len,
                new_start: new,
                new_len,
            };
            old += old_len;
            new += new_len;
            edit
        });
        LineMap::new(edits.collect::<Vec<_>>())
    })
}
