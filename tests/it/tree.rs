//! Trees on disk and in git, and which of them a series starts from.

use lorelint::base::{BaseRequest, choose};
use lorelint::report::BaseHow;
use lorelint::tree::{BlobId, DirTree, GitRepo, Mode, TreePath, TreeSource};
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
fn the_index_knows_unchanged_files_and_only_those() {
    let git = fixture();
    // git calls files racy that were written in the moment of the index; older ones are not.
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    for name in ["fs/a.c", "fs/a/b.c"] {
        let file = std::fs::File::options()
            .write(true)
            .open(git.path().join(name))
            .unwrap();
        file.set_modified(old).unwrap();
    }
    git.run(&["update-index", "--refresh", "-q"]);
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
    let request = BaseRequest {
        preimages: &preimages,
        candidates: &candidates,
        history: 10,
        branch: Some("main"),
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
            branch: None,
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
