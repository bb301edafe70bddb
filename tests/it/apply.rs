//! Our applier against git's, on random edits of real files and on the cases where git's rules are particular.

use std::collections::BTreeMap;

use lorelint::diff;
use lorelint::tree::{GitRepo, Overlay, TreePath, TreeSource};
use lorelint_tests::git::GitFixture;
use lorelint_tests::material::kernel_612;

/// A small generator: the cases are the same on every run and every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// Text as sources are: most lines are alike in many functions, and some are the same.
fn source(functions: usize) -> Vec<u8> {
    let mut dice = Dice(functions as u64 + 1);
    let mut text = String::from("// SPDX-License-Identifier: MIT\n#include <linux/list.h>\n\n");
    for number in 0..functions {
        text += &format!("static int step_{number}(struct thing *thing)\n{{\n\tint error;\n\n");
        for _ in 0..dice.below(12) {
            text += match dice.below(6) {
                0 => "\tif (error)\n\t\treturn error;\n",
                1 => "\tspin_lock(&thing->lock);\n",
                2 => "\tspin_unlock(&thing->lock);\n",
                3 => "\terror = poke(thing);\n",
                4 => "\n",
                _ => "\twhile (thing->next)\n\t\tthing = thing->next;\n",
            };
        }
        text += "\treturn 0;\n}\n\n";
    }
    text.into_bytes()
}

fn start() -> Files {
    let other = source(40);
    let mut files = Files::new();
    files.insert("fs/tree.c".into(), source(30));
    files.insert("fs/sub/parse file.c".into(), other.clone());
    files.insert("include/l\u{f6}re.h".into(), source(8));
    files.insert(
        "mm/blanks.c".into(),
        b"\n\n{\n}\n\n{\n}\n\n{\n}\n\n".repeat(12),
    );
    let dos = String::from_utf8_lossy(&other[..6000]).replace('\n', "\r\n");
    files.insert("dos.txt".into(), dos.into_bytes());
    files.insert("link/a".into(), b"../fs/tree.c".to_vec());
    files.insert("short".into(), b"one\ntwo\nthree".to_vec());
    files.insert("logo.bin".into(), (0..=255_u8).cycle().take(3000).collect());
    files
}

fn edit_lines(content: &[u8], dice: &mut Dice, count: usize) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = content
        .split_inclusive(|&it| it == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for _ in 0..count {
        let at = dice.below(lines.len() + 1);
        let length = dice.below(4).min(lines.len() - at);
        let with: Vec<Vec<u8>> = (0..dice.below(4))
            .map(|_| match dice.below(4) {
                0 => b"\n".to_vec(),
                1 => b"}\n".to_vec(),
                2 if !lines.is_empty() => lines[dice.below(lines.len())].clone(),
                _ => format!("\tnew line {};\n", dice.below(1000)).into_bytes(),
            })
            .collect();
        lines.splice(at..at + length, with);
    }
    let mut text = lines.concat();
    if dice.chance(15) && text.last() == Some(&b'\n') {
        text.pop();
    }
    text
}

/// What a developer might do: edits, and now and then a rename, copy, removal, new file or binary change.
fn develop(files: &Files, dice: &mut Dice, is_drift: bool) -> Files {
    let mut after = files.clone();
    let names: Vec<String> = files.keys().cloned().collect();
    for name in &names {
        if !dice.chance(60) {
            continue;
        }
        let content = &files[name];
        let edited = if name.ends_with(".bin") {
            let mut edited = content.clone();
            edited[dice.below(3000)] ^= 0x55;
            edited
        } else {
            let count = 1 + dice.below(4);
            edit_lines(content, dice, count)
        };
        match dice.below(if is_drift { 8 } else { 14 }) {
            8 => {
                after.remove(name);
                after.insert(format!("moved/{name}"), edited);
            }
            9 => {
                after.insert(format!("{name}.copy"), edited);
            }
            10 => {
                after.remove(name);
            }
            11 => {
                after.insert(format!("new/{}", dice.below(100)), edited);
            }
            _ => {
                after.insert(name.clone(), edited);
            }
        }
    }
    after
}

fn check_in(git: &GitFixture, files: &Files, executable: Option<&str>) -> String {
    git.run(&["rm", "-r", "--quiet", "--force", "--ignore-unmatch", "."]);
    for (path, content) in files {
        if path.starts_with("link/") {
            let link = git.path().join(path);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            let target =
                format!("to{}", String::from_utf8_lossy(content)).replace(['\n', '\t'], "_");
            let _absent = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(target, link).unwrap();
            continue;
        }
        git.write(path, content);
    }
    if let Some(path) = executable {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(
            git.path().join(path),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }
    git.commit("state")
}

/// The tree that we make of `diff` on `revision`, or why there is none.
fn ours(git: &GitFixture, revision: &str, diff: &[u8], may_merge: bool) -> Result<String, String> {
    let repo = GitRepo::open(git.path()).unwrap();
    let tree = repo.tree(revision).unwrap();
    let patch = diff::parse(diff).map_err(|it| it.to_string())?;
    let changes = if may_merge {
        diff::apply_or_merge(&patch, &tree).map(|it| it.changes)
    } else {
        diff::apply(&patch, &tree)
    };
    let changes = changes.map_err(|it| it.to_string())?;
    let overlay = Overlay::new(&tree).with(changes.into_iter().map(|it| (it.path, it.content)));
    Ok(overlay.tree_id().unwrap().expect("a git tree"))
}

/// The tree that `git apply` makes.
fn theirs(git: &GitFixture, revision: &str, diff: &[u8], flags: &[&str]) -> Option<String> {
    git.run(&["read-tree", revision]);
    let mut args = vec!["apply", "--cached", "--whitespace=nowarn"];
    args.extend(flags);
    let output = git.output(&args, diff);
    output.status.success().then(|| git.run(&["write-tree"]))
}

#[test]
fn random_edits_reach_the_same_tree_as_git_apply() {
    let git = GitFixture::new();
    let mut applied = 0;
    for seed in 1..=80 {
        let mut dice = Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let base = start();
        let developed = develop(&base, &mut dice, false);
        let executable = dice
            .chance(30)
            .then(|| developed.keys().next().unwrap().clone());
        let base_commit = check_in(&git, &base, None);
        let developed_commit = check_in(&git, &developed, executable.as_deref());
        let drifted = if dice.chance(70) {
            develop(&base, &mut dice, true)
        } else {
            base.clone()
        };
        git.run(&["reset", "--quiet", "--hard", &base_commit]);
        let drifted_commit = check_in(&git, &drifted, None);
        let context = format!("-U{}", 1 + dice.below(4));
        let mut args = vec!["diff", &context, "--binary"];
        args.extend([["-M"], ["-C"], ["--no-renames"]][dice.below(3)]);
        let is_bare = dice.chance(20);
        args.extend(is_bare.then_some("--no-prefix"));
        args.extend([base_commit.as_str(), developed_commit.as_str()]);
        let diff = git.output(&args, b"").stdout;
        if diff.is_empty() {
            continue;
        }
        let flags: &[&str] = if is_bare { &["-p0"] } else { &[] };
        let expected = theirs(&git, &drifted_commit, &diff, flags);
        let actual = ours(&git, &drifted_commit, &diff, false);
        let reason = actual.as_ref().err().cloned();
        assert_eq!(
            actual.ok(),
            expected,
            "seed {seed}: {reason:?}\n{}",
            String::from_utf8_lossy(&diff)
        );
        applied += usize::from(expected.is_some());
    }
    assert!(
        applied > 25,
        "only {applied} cases applied: the test has lost its teeth"
    );
}

#[test]
fn a_merge_reaches_the_same_tree_as_git_am_3() {
    let git = GitFixture::new();
    let mut merged = 0;
    // Seed 2018 wants changes slid down before conflicts are looked for.
    for seed in (1..=40).chain([2018, 2167]) {
        let mut dice = Dice(u64::wrapping_mul(seed, 0xd134_2543_de82_ef95));
        let base: Files = start()
            .into_iter()
            .filter(|(it, _)| it.starts_with("fs/"))
            .collect();
        let mut developed = base.clone();
        let mut drifted = base.clone();
        for files in [&mut developed, &mut drifted] {
            for content in files.values_mut() {
                let count = 1 + dice.below(3);
                *content = edit_lines(content, &mut dice, count);
            }
        }
        // A line that both sides touch in the same way makes the hunk fail and the merge succeed.
        for files in [&mut developed, &mut drifted] {
            let content = files.get_mut("fs/tree.c").unwrap();
            let text =
                String::from_utf8_lossy(content).replacen("<linux/list.h>", "<linux/hash.h>", 1);
            *content = text.into_bytes();
        }
        let base_commit = check_in(&git, &base, None);
        let developed_commit = check_in(&git, &developed, None);
        git.run(&["reset", "--quiet", "--hard", &base_commit]);
        let drifted_commit = check_in(&git, &drifted, None);
        let (expected, actual) = both_merge(&git, &developed_commit, &drifted_commit);
        let reason = actual.as_ref().err().cloned();
        assert_eq!(actual.ok(), expected, "seed {seed}: {reason:?}");
        merged += usize::from(expected.is_some());
    }
    assert!(
        merged > 15,
        "only {merged} cases merged: the test has lost its teeth"
    );
}

/// The sources of a real kernel where there is one.
struct Kernel {
    tree: lorelint::tree::GitTree,
    sources: Vec<TreePath>,
}

impl Kernel {
    fn open() -> Option<Self> {
        let repo = GitRepo::open(&kernel_612()?).unwrap();
        let tree = repo.tree("HEAD").unwrap();
        let listed = tree.files().unwrap();
        let is_source =
            |it: &TreePath| it.as_str().starts_with("fs/") || it.as_str().starts_with("net/");
        let sources = listed
            .into_iter()
            .map(|it| it.path)
            .filter(is_source)
            .collect();
        Some(Self { tree, sources })
    }

    fn some_files(&self, dice: &mut Dice) -> Files {
        let mut files = Files::new();
        while files.len() < 12 {
            let path = &self.sources[dice.below(self.sources.len())];
            let content = self.tree.read(path).unwrap().unwrap();
            if content.len() < 100_000 {
                files.insert(path.to_string(), content);
            }
        }
        files
    }
}

/// Files of the kernel, else invented ones.
fn real_files(kernel: Option<&Kernel>, dice: &mut Dice) -> Files {
    kernel.map_or_else(start, |it| it.some_files(dice))
}

/// Edits far from each other, as two people make them who do not know of each other.
fn edit_half(content: &[u8], dice: &mut Dice, upper: bool) -> Vec<u8> {
    let lines: Vec<&[u8]> = content.split_inclusive(|&it| it == b'\n').collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let half = if upper { first } else { second };
    let count = 1 + dice.below(2);
    let edited = edit_lines(&half.concat(), dice, count);
    let other = if upper { second } else { first };
    if upper {
        [edited, other.concat()].concat()
    } else {
        [other.concat(), edited].concat()
    }
}

/// What `git am -3` makes of the last commit on `drifted`, and what we make of it.
fn both_merge(
    git: &GitFixture,
    developed: &str,
    drifted: &str,
) -> (Option<String>, Result<String, String>) {
    let mail = git
        .output(
            &[
                "format-patch",
                "-1",
                "--stdout",
                "--binary",
                "-M",
                developed,
            ],
            b"",
        )
        .stdout;
    git.run(&["reset", "--quiet", "--hard", drifted]);
    let am = git.output(&["am", "-3", "--quiet", "--keep-cr"], &mail);
    let expected = am.status.success().then(|| git.tree("HEAD"));
    if !am.status.success() {
        git.run(&["am", "--abort"]);
    }
    (expected, ours(git, drifted, &mail, true))
}

#[test]
fn a_merge_follows_files_that_were_moved_since() {
    let git = GitFixture::new();
    let kernel = Kernel::open();
    let (mut merged, mut moved) = (0, 0);
    for seed in 1..=40 {
        let mut dice = Dice(u64::wrapping_mul(seed, 0xa076_1d64_78bd_642f));
        let base: Files = real_files(kernel.as_ref(), &mut dice)
            .into_iter()
            .filter(|(_, it)| it.split(|it| *it == b'\n').count() > 40 && !it.contains(&0))
            // Of lines that all occur dozens of times git makes one change of the whole file, and so a conflict.
            .filter(|(it, _)| it != "mm/blanks.c")
            .collect();
        let names: Vec<&String> = base.keys().collect();
        let Some(name) = names.get(dice.below(names.len())).copied() else {
            continue;
        };
        let mut developed = base.clone();
        developed.insert(name.clone(), edit_half(&base[name], &mut dice, true));
        let mut drifted = base.clone();
        let edited = if dice.chance(70) {
            edit_half(&base[name], &mut dice, false)
        } else {
            base[name].clone()
        };
        drifted.remove(name);
        let (directory, last) = name.rsplit_once('/').unwrap_or(("", name));
        let new = match dice.below(3) {
            0 => format!("moved/{last}"),
            1 => format!("{directory}/new_{last}"),
            _ => format!("{directory}/sub/{last}"),
        };
        drifted.insert(new.trim_start_matches('/').to_owned(), edited);
        let base_commit = check_in(&git, &base, None);
        let developed_commit = check_in(&git, &developed, None);
        git.run(&["reset", "--quiet", "--hard", &base_commit]);
        let drifted_commit = check_in(&git, &drifted, None);
        let (expected, actual) = both_merge(&git, &developed_commit, &drifted_commit);
        let reason = actual.as_ref().err().cloned();
        assert_eq!(
            actual.ok(),
            expected,
            "seed {seed}: {name} became {new}: {reason:?}"
        );
        merged += usize::from(expected.is_some());
        moved += 1;
        git.run(&["checkout", "--quiet", "--orphan", &format!("seed{seed}")]);
    }
    assert!(
        merged * 2 > moved,
        "only {merged} of {moved} merged: the test has lost its teeth"
    );
}

#[test]
fn random_edits_of_a_real_tree_reach_the_same_tree_as_git_am_3() {
    let git = GitFixture::new();
    let kernel = Kernel::open();
    let (mut applied, mut tried) = (0, 0);
    for seed in 1..=40 {
        let mut dice = Dice(u64::wrapping_mul(seed, 0xe703_7ed1_a0b4_28db));
        let base = real_files(kernel.as_ref(), &mut dice);
        let developed = develop(&base, &mut dice, false);
        let mut drifted = base.clone();
        for (name, content) in &mut drifted {
            if dice.chance(40) && !name.ends_with(".bin") {
                *content = edit_lines(content, &mut dice, 1);
            }
        }
        let base_commit = check_in(&git, &base, None);
        let developed_commit = check_in(&git, &developed, None);
        git.run(&["reset", "--quiet", "--hard", &base_commit]);
        let drifted_commit = check_in(&git, &drifted, None);
        let (expected, actual) = both_merge(&git, &developed_commit, &drifted_commit);
        if let Some(expected) = expected {
            let reason = actual.as_ref().err().cloned();
            assert_eq!(actual.ok(), Some(expected), "seed {seed}: {reason:?}");
            applied += 1;
        }
        tried += 1;
        git.run(&["checkout", "--quiet", "--orphan", &format!("seed{seed}")]);
    }
    assert!(
        applied * 3 > tried,
        "only {applied} of {tried} applied: the test has lost its teeth"
    );
}

#[test]
fn lines_removed_without_context_stand_after_the_line_that_is_named() {
    let file = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let diff = "diff --git a/f b/f\nindex 0719398930..2 100644\n--- a/f\n+++ b/f\n@@ -4,2 +3,0 @@\n-4\n-5\n";
    let blob = lorelint::tree::BlobId::of(file.as_bytes())
        .unwrap()
        .to_hex();
    let diff = diff.replace("0719398930", &blob);
    applies(&[("f", file)], &diff, "f", "1\n2\n3\n6\n7\n8\n9\n");
}

/// Applies `diff` to a tree with `files`, and says what became of `path`, or why not.
fn outcome(files: &[(&str, &str)], diff: &str, path: &str) -> Result<Option<String>, String> {
    let mut tree = lorelint::tree::MemTree::default();
    for (path, content) in files {
        tree.insert(TreePath::parse(path).unwrap(), *content);
    }
    let patch = diff::parse(diff.as_bytes()).map_err(|it| it.to_string())?;
    let changes = diff::apply(&patch, &tree).map_err(|it| it.to_string())?;
    let overlay = Overlay::new(&tree).with(changes.into_iter().map(|it| (it.path, it.content)));
    let content = overlay.read(&TreePath::parse(path).unwrap()).unwrap();
    Ok(content.map(|it| String::from_utf8(it).unwrap()))
}

#[track_caller]
fn applies(files: &[(&str, &str)], diff: &str, path: &str, expected: &str) {
    assert_eq!(outcome(files, diff, path), Ok(Some(expected.to_owned())));
}

#[track_caller]
fn refused(files: &[(&str, &str)], diff: &str, reason: &str) {
    assert_eq!(outcome(files, diff, "x"), Err(reason.to_owned()));
}

#[test]
fn a_moved_hunk_is_found_downwards_first() {
    let file = "a\nx\nb\n1\n2\na\nx\nb\n3\n4\na\nx\nb\nend\n";
    let diff = "--- a/f\n+++ b/f\n@@ -6,3 +6,3 @@\n a\n-x\n+y\n b\n";
    applies(
        &[("f", file)],
        diff,
        "f",
        "a\nx\nb\n1\n2\na\ny\nb\n3\n4\na\nx\nb\nend\n",
    );
    // Two lines up and three down: up is nearer.
    let diff = diff.replace("-6,3 +6,3", "-8,3 +8,3");
    applies(
        &[("f", file)],
        &diff,
        "f",
        "a\nx\nb\n1\n2\na\ny\nb\n3\n4\na\nx\nb\nend\n",
    );
}

#[test]
fn svn_and_bare_names_find_their_files() {
    let svn = "Index: linux/fs/a.c\n=====\n--- linux.orig/fs/a.c\n+++ linux/fs/a.c\n@@ -1 +1 @@\n-a\n+b\n";
    applies(&[("fs/a.c", "a\n")], svn, "fs/a.c", "b\n");
    let orig =
        "--- fs/a.c.orig\t2024-11-18 09:00:00.000000000 +0000\n+++ fs/a.c\n@@ -1 +1 @@\n-a\n+b\n";
    applies(&[("fs/a.c", "a\n")], orig, "fs/a.c", "b\n");
    let new = "--- /dev/null\n+++ b/fs/new.c\n@@ -0,0 +1 @@\n+b\n";
    applies(&[("fs/a.c", "a\n")], new, "fs/new.c", "b\n");
    let epoch = "--- a/fs/new.c\t1970-01-01 00:00:00.000000000 +0000\n+++ b/fs/new.c\t2024-11-18 09:00:00 +0000\n@@ -0,0 +1 @@\n+b\n";
    applies(&[("fs/a.c", "a\n")], epoch, "fs/new.c", "b\n");
}

#[test]
fn mail_around_the_diff_is_no_part_of_it() {
    let mail = "Subject: [PATCH] x\n\nlog\n---\n f | 2 +-\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.47.0\n\n_____\nlist footer\n";
    applies(&[("f", "a\n")], mail, "f", "b\n");
}

#[test]
fn crlf_of_the_transport_is_undone_and_that_of_the_file_kept() {
    let diff = "diff --git a/f b/f\r\n--- a/f\r\n+++ b/f\r\n@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+c\r\n";
    applies(&[("f", "a\nb\n")], diff, "f", "a\nc\n");
    applies(&[("f", "a\r\nb\r\n")], diff, "f", "a\r\nc\r\n");
    let dos = "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n";
    applies(&[("f", "a\r\nb\r\n")], dos, "f", "a\r\nc\r\n");
}

#[test]
fn nothing_is_guessed() {
    let diff = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
    refused(
        &[("f", "a\nb\nx\n")],
        diff,
        "f: hunk 1 of 1 does not match: near line 3 it expects \"c\", the file has \"x\"",
    );
    refused(
        &[("f", "a\nB\nc\n")],
        diff,
        "f: hunk 1 of 1 does not match: what it adds is there already",
    );
    refused(&[("g", "")], diff, "f: is not in the tree");
    let bare = "diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n@@ -2,0 +3 @@ x\n+new\n";
    refused(
        &[("f", "a\nb\nc\n")],
        bare,
        "f: hunk 1 of 1 adds lines without context, and nothing shows that this is the file it was made from",
    );
}

#[test]
fn damage_is_named_with_its_line() {
    refused(&[], "no diff here\n", "there is no diff in the text");
    refused(
        &[("f", "a\n")],
        "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n",
        "line 3: f: hunk 1 is corrupt: it ends early: 1 old and 2 new lines are missing",
    );
    refused(
        &[("f", "a\n")],
        "--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: refused path a/../f: it could leave the tree",
    );
    refused(
        &[("x", "x\n")],
        "diff --git a/x/y b/x/y\nnew file mode 100644\n--- /dev/null\n+++ b/x/y\n@@ -0,0 +1 @@\n+a\n",
        "x/y: x is a file, not a directory",
    );
}

#[test]
fn two_files_can_swap_their_names() {
    let diff = "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n\
        diff --git a/b b/a\nsimilarity index 100%\nrename from b\nrename to a\n";
    applies(&[("a", "1\n"), ("b", "2\n")], diff, "a", "2\n");
    applies(&[("a", "1\n"), ("b", "2\n")], diff, "b", "1\n");
}
