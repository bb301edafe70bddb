//! Trees on disk and in git, and which of them a series starts from.

use lorelint::base::{BaseRequest, BranchHint, HintStrength, Prerequisite, choose};
use lorelint::report::BaseHow;
use lorelint::tree::{BlobId, DirTree, GitRepo, Mode, TreePath, TreeSource};
use lorelint::{Linter, Options};
use lorelint_tests::git::GitFixture;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn listed(tree: &dyn TreeSource) -> Vec<(String, Mode)> {
    let files = tree.files().unwrap();
    files
        .into_iter()
        .map(|it| (it.path.to_string(), it.mode))
        .collect()
}

fn fixture() -> GitFixture {
    let git = GitFixture::new();
    git.write("fs/a.c", b"a\n");
    git.write("fs/a/b.c", b"b\n");
    git.write("fs/a-b.c", b"c\n");
    std::os::unix::fs::symlink("/etc", git.path().join("fs/etc")).unwrap();
    std::os::unix::fs::symlink("a.c", git.path().join("fs/link.c")).unwrap();
    git.commit("one");
    git
}

#[test]
fn a_directory_and_its_commit_list_the_same_files() {
    let git = fixture();
    let dir = DirTree::open(git.path()).unwrap();
    let commit = GitRepo::open(git.path()).unwrap().tree("HEAD").unwrap();
    let expected = [
        ("fs/a-b.c", Mode::Regular),
        ("fs/a.c", Mode::Regular),
        ("fs/a/b.c", Mode::Regular),
        ("fs/etc", Mode::Symlink),
        ("fs/link.c", Mode::Symlink),
    ]
    .map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(listed(&dir), expected);
    assert_eq!(listed(&commit), expected);
    for tree in [&dir as &dyn TreeSource, &commit] {
        assert_eq!(
            tree.read(&path("fs/link.c")).unwrap(),
            Some(b"a.c".to_vec())
        );
        assert_eq!(tree.read(&path("fs/etc/passwd")).unwrap(), None);
        assert_eq!(tree.entry(&path("fs/a")).unwrap(), None);
        assert!(tree.is_directory(&path("fs/a")).unwrap());
        assert!(!tree.is_directory(&path("fs/etc")).unwrap());
    }
}

#[test]
fn a_file_larger_than_any_source_is_a_gap_and_the_others_are_read() {
    let git = GitFixture::new();
    git.write("fs/small.c", b"void f(void)\n{\n\tg();\n}\n");
    // Nothing but a hole.
    let large = std::fs::File::create(git.path().join("fs/large.c")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    git.commit("one");
    let dir = DirTree::open(git.path()).unwrap();
    let commit = GitRepo::open(git.path()).unwrap().tree("HEAD").unwrap();
    for tree in [&dir as &dyn TreeSource, &commit] {
        let report = Linter::new(Options::default()).check(tree).unwrap();
        let gaps = report
            .gaps
            .iter()
            .filter(|it| it.file == path("fs/large.c"));
        let what: Vec<&str> = gaps.map(|it| it.what.as_str()).collect();
        assert!(
            what.iter().any(|it| it.contains("larger than 64 MiB")),
            "{what:?}"
        );
        assert_eq!(report.stats.functions, 1);
    }
}

/// git calls files racy that were written in the moment of the index; older ones are not.
fn settle(git: &GitFixture, names: &[&str]) {
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    for name in names {
        let file = std::fs::File::options()
            .write(true)
            .open(git.path().join(name))
            .unwrap();
        file.set_modified(old).unwrap();
    }
    git.run(&["update-index", "--refresh", "-q"]);
}

#[test]
fn a_commit_is_read_from_its_checked_out_files_only_where_those_are_the_same() {
    let names = ["fs/clean.c", "fs/edited.c", "fs/staged.c", "fs/gone.c"];
    let texts = names.map(|it| format!("/* $Id$ of {it} */\n").into_bytes());
    // Attributes, and whether what git checks out is what lies in the blobs.
    let cases = [
        ("", true),
        ("*.c diff=cpp\n", true),
        ("*.c text eol=crlf\n", false),
        ("*.c ident\n", false),
        ("*.c filter=shout\n", false),
        ("*.c working-tree-encoding=UTF-16LE\n", false),
    ];
    for (attributes, is_same) in cases {
        let git = GitFixture::new();
        git.run(&["config", "filter.shout.smudge", "tr a-z A-Z"]);
        let clean = "tr A-Z a-z | sed 's/id/Id/'";
        git.run(&["config", "filter.shout.clean", clean]);
        for (name, text) in names.iter().zip(&texts) {
            git.write(name, text);
        }
        git.commit("files");
        git.write(".gitattributes", attributes.as_bytes());
        git.run(&["add", ".gitattributes"]);
        git.run(&["commit", "-q", "-m", "attributes"]);
        std::fs::remove_dir_all(git.path().join("fs")).unwrap();
        git.run(&["checkout", "-q", "--", "fs"]);
        settle(&git, &names);
        // An even number of bytes is UTF-16 as well.
        git.write("fs/edited.c", b"edited\n\n");
        git.write("fs/staged.c", b"staged\n\n");
        git.run(&["add", "fs/staged.c"]);
        std::fs::remove_file(git.path().join("fs/gone.c")).unwrap();
        let read = |name: &str| {
            let tree = GitRepo::open(git.path()).unwrap().tree("HEAD").unwrap();
            assert_eq!(tree.files().unwrap().len(), names.len() + 1);
            tree.read(&path(name)).ok().flatten()
        };
        for (name, text) in names.iter().zip(&texts) {
            assert_eq!(read(name).as_ref(), Some(text), "{name} with {attributes}");
        }
        // Without its blob only the file itself can be read.
        for (name, is_file) in [("fs/clean.c", is_same), ("fs/edited.c", false)] {
            let blob = git.run(&["rev-parse", &format!("HEAD:{name}")]);
            let object = git
                .path()
                .join(".git/objects")
                .join(&blob[..2])
                .join(&blob[2..]);
            std::fs::remove_file(object).unwrap();
            assert_eq!(read(name).is_some(), is_file, "{name} with {attributes}");
        }
    }
}

#[test]
fn a_commit_lists_what_git_lists_whatever_is_in_the_index() {
    // Commands that change the index, and whether fs/deep stands in it as it was committed.
    let cases: [(&str, bool); 9] = [
        ("true", true),
        ("echo x > fs/top.c; git add fs/top.c", true),
        ("echo x > fs/deep/one.c; git add fs/deep/one.c", false),
        ("echo x > fs/deep/new.c; git add -N fs/deep/new.c", false),
        ("git rm -q --cached fs/deep/one.c", false),
        ("git update-index --chmod=+x fs/deep/one.c", false),
        ("git read-tree --empty", false),
        ("git sparse-checkout set --cone --sparse-index mm", false),
        ("git merge -q other >/dev/null 2>&1; test $? = 1", false),
    ];
    for (command, is_known) in cases {
        let git = GitFixture::new();
        git.write("fs/top.c", b"top\n");
        git.write("fs/deep/one.c", b"one\n");
        git.write("fs/deep/er/two.c", b"two\n");
        git.write("mm/three.c", b"three\n");
        std::os::unix::fs::symlink("one.c", git.path().join("fs/deep/link.c")).unwrap();
        git.commit("one");
        git.run(&["checkout", "-q", "-b", "other"]);
        git.write("fs/deep/one.c", b"theirs\n");
        git.commit("theirs");
        git.run(&["checkout", "-q", "main"]);
        git.write("fs/deep/one.c", b"ours\n");
        git.commit("two");
        git.run(&["reset", "-q", "--hard"]);
        git.run(&["-c", &format!("alias.sh=!{command}"), "sh"]);
        let list = |revision: &str| {
            let tree = GitRepo::open(git.path()).unwrap().tree(revision).unwrap();
            let line = |it: lorelint::tree::FileEntry| {
                let blob = it.blob.expect("the blob of a file");
                format!("{} blob {}\t{}", it.mode.as_str(), blob.to_hex(), it.path)
            };
            let files = tree.files().ok()?;
            Some(files.into_iter().map(line).collect::<Vec<_>>().join("\n"))
        };
        for revision in ["HEAD", "HEAD~1", "other"] {
            let expected = git.run(&["ls-tree", "-r", revision]);
            assert_eq!(list(revision), Some(expected), "{revision}: {command}");
        }
        // Without the object only the index can tell what is in a directory.
        let directory = git.run(&["rev-parse", "HEAD:fs/deep"]);
        let objects = git.path().join(".git/objects");
        std::fs::remove_file(objects.join(&directory[..2]).join(&directory[2..])).unwrap();
        assert_eq!(list("HEAD").is_some(), is_known, "{command}");
    }
}

#[test]
fn the_index_knows_unchanged_files_and_only_those() {
    let git = fixture();
    settle(&git, &["fs/a.c", "fs/a/b.c"]);
    git.write("fs/a/b.c", b"B\n");
    git.write("fs/untracked.c", b"u\n");
    let dir = DirTree::open(git.path()).unwrap();
    let blob = |name: &str| dir.entry(&path(name)).unwrap().unwrap().blob;
    assert_eq!(blob("fs/a.c"), BlobId::of(b"a\n"));
    assert_eq!(blob("fs/a/b.c"), None);
    assert_eq!(blob("fs/untracked.c"), None);
}

fn bases() -> (GitFixture, Vec<String>) {
    let git = GitFixture::new();
    let commits = ["one", "two", "three"].map(|it| {
        git.write("fs/a.c", it.as_bytes());
        git.write("fs/b.c", b"same");
        git.commit(it)
    });
    (git, commits.to_vec())
}

fn list_branch(branch: &str) -> BranchHint {
    BranchHint {
        strength: HintStrength::List,
        branch: branch.to_owned(),
        why: format!("the list's branch {branch}"),
    }
}

#[track_caller]
fn chooses(git: &GitFixture, request: &BaseRequest<'_>, expected: Option<(BaseHow, &str, &str)>) {
    let repo = GitRepo::open(git.path()).unwrap();
    let actual = choose(&repo, request).unwrap();
    let actual = actual
        .as_ref()
        .map(|it| (it.how, it.revision.as_str(), it.why.as_str()));
    assert_eq!(actual, expected);
}

#[test]
fn the_base_is_what_the_series_says_or_where_its_blobs_are() {
    let (git, commits) = bases();
    let blob = |content: &[u8]| BlobId::of(content).unwrap().to_hex()[..10].to_owned();
    let preimages = [
        (path("fs/a.c"), blob(b"two")),
        (path("fs/b.c"), blob(b"same")),
    ];
    let candidates = ["nowhere".to_owned(), "main".to_owned()];
    let branches = [list_branch("main")];
    let request = BaseRequest {
        preimages: &preimages,
        candidates: &candidates,
        history: 10,
        branches: &branches,
        ..BaseRequest::default()
    };
    let short = |at: usize| commits[at][..12].to_owned();
    let why = format!("{} has the blobs of all 2 files", short(1));
    chooses(
        &git,
        &request,
        Some((BaseHow::BlobMatch, &commits[1], &why)),
    );
    let why = format!("the series says base-commit {}", short(1));
    let declared = BaseRequest {
        base_commit: Some(&commits[1]),
        ..request
    };
    chooses(
        &git,
        &declared,
        Some((BaseHow::BaseCommit, &commits[1], &why)),
    );
    let why = format!(
        "at base-commit {} 1 of 2 files are not as the index lines say; {} has the blobs of all 2 files",
        short(0),
        short(1)
    );
    let wrong = BaseRequest {
        base_commit: Some(&commits[0]),
        ..request
    };
    chooses(&git, &wrong, Some((BaseHow::BlobMatch, &commits[1], &why)));
    let hostile = BaseRequest {
        base_commit: Some("--output=/tmp/x"),
        ..request
    };
    let why = format!("{} has the blobs of all 2 files", short(1));
    chooses(
        &git,
        &hostile,
        Some((BaseHow::BlobMatch, &commits[1], &why)),
    );
    let near = BaseRequest {
        history: 1,
        ..request
    };
    chooses(
        &git,
        &near,
        Some((BaseHow::Branch, &commits[2], "the list's branch main")),
    );
    let given = BaseRequest {
        given: Some("HEAD~1"),
        ..request
    };
    chooses(
        &git,
        &given,
        Some((BaseHow::Given, &commits[1], "HEAD~1 was given")),
    );
    chooses(
        &git,
        &BaseRequest {
            branches: &[],
            ..near
        },
        None,
    );
}

#[test]
fn an_unknown_revision_is_named() {
    let (git, _) = bases();
    let repo = GitRepo::open(git.path()).unwrap();
    let error = repo.resolve("v9.9").unwrap_err().to_string();
    let expected = format!(
        "{} has no revision \"v9.9\": fetch it, or name another with --rev or --base",
        git.path().display()
    );
    assert_eq!(error, expected);
}

/// Five lines, one of them changed.
fn lines(changed: &[(usize, &str)]) -> Vec<u8> {
    let mut lines = vec!["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    for (at, with) in changed {
        lines[*at] = with;
    }
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn prerequisites_are_applied_between_the_base_and_the_series() {
    let git = GitFixture::new();
    git.write("fs/a.c", &lines(&[]));
    git.write("fs/b.c", b"b\n");
    let base = git.commit("base");
    git.write("fs/a.c", &lines(&[(1, "B")]));
    git.commit("first");
    git.write("fs/a.c", &lines(&[(1, "B"), (7, "H")]));
    git.commit("second");
    let series_base = git.tree("HEAD");
    let patch = |commit: &str| {
        git.output(&["format-patch", "-1", "--stdout", commit], b"")
            .stdout
    };
    let known: Vec<Prerequisite> = ["HEAD~1", "HEAD"]
        .iter()
        .map(|commit| {
            let text = patch(commit);
            let id = git.output(&["patch-id", "--stable"], &text).stdout;
            let id = String::from_utf8(id).unwrap()[..40].to_owned();
            assert_eq!(lorelint::diff::patch_id(&text), Some(id.clone()));
            Prerequisite {
                patch_id: id,
                patch: Some(lorelint::diff::parse(&text).unwrap()),
            }
        })
        .collect();
    let preimages = [(path("fs/a.c"), git.run(&["rev-parse", "HEAD:fs/a.c"]))];
    git.run(&["reset", "--hard", "--quiet", &base]);
    let repo = GitRepo::open(git.path()).unwrap();
    let short = &base[..12];
    let choice = |known: &[Prerequisite], base_commit: Option<&str>| {
        let branches = [list_branch("main")];
        let request = BaseRequest {
            base_commit,
            prerequisites: known,
            preimages: &preimages,
            branches: &branches,
            ..BaseRequest::default()
        };
        choose(&repo, &request).unwrap().unwrap()
    };

    let found = choice(&known, Some(&base));
    assert_eq!(
        found.why,
        format!("the series says base-commit {short}, with its 2 prerequisite patches")
    );
    let tree = repo.tree(&found.revision).unwrap();
    let state = lorelint::tree::Overlay::new(&tree).with(found.prerequisites);
    assert_eq!(state.tree_id().unwrap(), Some(series_base));

    let found = choice(&known, None);
    assert_eq!((found.how, found.prerequisites.len()), (BaseHow::Branch, 1));
    assert_eq!(
        found.why,
        "the list's branch main, with its 2 prerequisite patches"
    );

    let mut unknown = known.clone();
    unknown[1].patch = None;
    let found = choice(&unknown, Some(&base));
    assert_eq!(found.prerequisites.len(), 0);
    assert_eq!(
        found.why,
        format!(
            "at base-commit {short} without its 2 prerequisite patches, for no known mail is number 2, \
            1 of 1 files are not as the index lines say; no other base has the blobs"
        )
    );

    let mut turned = known;
    turned[0].patch =
        lorelint::diff::parse(b"--- a/fs/b.c\n+++ b/fs/b.c\n@@ -1 +1 @@\n-x\n+y\n").ok();
    let found = choice(&turned, Some(&base));
    assert!(found.prerequisites.is_empty());
    assert_eq!(
        found.why,
        format!(
            "at base-commit {short} without its 2 prerequisite patches, for number 1 does not apply: \
            fs/b.c: hunk 1 of 1 does not match: near line 1 it expects \"x\", the file has \"b\", \
            1 of 1 files are not as the index lines say; no other base has the blobs"
        )
    );
}

#[test]
fn patch_ids_are_those_of_git() {
    let git = GitFixture::new();
    git.write("a", &lines(&[]));
    git.write("b.bin", &[0, 1, 2, 255]);
    git.write("run", b"x\n");
    git.write("gone", b"one\ntwo");
    git.commit("base");
    git.write("a", &lines(&[(0, "\tA  x"), (8, "I\r")]));
    git.write("b.bin", &[0, 9, 2, 255]);
    git.write("new", b"no newline");
    git.run(&["mv", "run", "ran"]);
    git.run(&["rm", "-q", "gone"]);
    git.commit("change");
    for args in [
        &["--binary"][..],
        &["--full-index"],
        &["-M", "-U1"],
        &["--no-renames", "-U9"],
        &["-R"],
    ] {
        let mut all = vec!["diff", "HEAD~1", "HEAD"];
        all.extend(args);
        let text = git.output(&all, b"").stdout;
        let expected =
            String::from_utf8(git.output(&["patch-id", "--stable"], &text).stdout).unwrap();
        let actual = lorelint::diff::patch_id(&text);
        assert_eq!(actual.as_deref(), expected.get(..40), "{args:?}");
    }
    assert_eq!(lorelint::diff::patch_id(b"no diff\n"), None);
}
