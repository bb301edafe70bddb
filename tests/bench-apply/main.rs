//! How long a one-patch series takes on a full kernel repository, beside `git apply --cached` on a partial index.
//!
//! ```text
//! LORELINT_KERNEL_612=/path/to/linux cargo bench -p lorelint-tests --bench apply
//! ```
//!
//! Each series is one patch of one to three hunks on a random source. Ours: the text is parsed, the base is found by
//! its blob, the patch is applied and the id of the whole tree computed, all in memory. git: `ls-tree` of the path,
//! `update-index --index-info` into an empty index, `apply --cached`.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lorelint::base::{BaseRequest, choose};
use lorelint::diff;
use lorelint::tree::{GitRepo, Overlay, TreePath, TreeSource as _};
use lorelint_tests::git::GitFixture;
use lorelint_tests::material::kernel_612;

const SERIES: usize = 200;

fn main() {
    let Some(kernel) = kernel_612() else { return };
    let repo = GitRepo::open(&kernel).expect("a git repository");
    let tree = repo.tree("HEAD").expect("HEAD is a commit");
    let files = tree.files().expect("the tree can be listed");
    let sources: Vec<&TreePath> = files
        .iter()
        .map(|it| &it.path)
        .filter(|it| it.as_str().strip_suffix(".c").is_some())
        .collect();
    let git = GitFixture::new();
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for number in 0..SERIES {
        let path = sources[number * 7919 % sources.len()];
        let content = tree
            .read(path)
            .expect("it can be read")
            .expect("it is there");
        let text = patch(&git, path, &content, number);
        let start = Instant::now();
        let id = apply(&repo, &text);
        ours.push(start.elapsed());
        assert!(id.is_some(), "{path}: the patch applies");
        let start = Instant::now();
        apply_with_git(&kernel, git.path(), path, &text);
        theirs.push(start.elapsed());
    }
    println!(
        "{SERIES} one-patch series on {} files of {}",
        files.len(),
        kernel.display()
    );
    println!("lorelint               {}", spread(ours));
    println!("git, partial index     {}", spread(theirs));
}

/// A patch of one to three hunks as git writes it.
fn patch(git: &GitFixture, path: &TreePath, content: &[u8], number: usize) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = content.split_inclusive(|it| *it == b'\n').collect();
    let count = lines.len();
    for hunk in 0..=number % 3 {
        let at = (number * 31 + hunk * count / 3) % count.max(1);
        lines.insert(at, b"/* a line of the benchmark */\n");
    }
    git.write(&format!("a/{path}"), content);
    git.write(&format!("b/{path}"), &lines.concat());
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    git.output(&["diff", "--no-index", "--no-prefix", &old, &new], b"")
        .stdout
}

fn apply(repo: &GitRepo, text: &[u8]) -> Option<String> {
    let patches = [diff::parse(text).ok()?];
    let preimages = diff::preimages(&patches);
    let request = BaseRequest {
        preimages: &preimages,
        candidates: &["HEAD".to_owned()],
        history: 1,
        ..BaseRequest::default()
    };
    let base = repo.tree(&choose(repo, &request).ok()??.revision).ok()?;
    let changes = diff::apply(&patches[0], &base).ok()?;
    let state = Overlay::new(&base).with(changes.into_iter().map(|it| (it.path, it.content)));
    state.tree_id().ok()?
}

fn apply_with_git(kernel: &Path, dir: &Path, path: &TreePath, text: &[u8]) {
    let index = dir.join("partial-index");
    let _absent = std::fs::remove_file(&index);
    let patch = dir.join("one.patch");
    std::fs::write(&patch, text).expect("the harness works on files of its own");
    let git = |args: &[&str], stdin: Stdio| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(kernel)
            .args(args)
            .env("GIT_INDEX_FILE", &index)
            .stdin(stdin);
        command.env("GIT_OBJECT_DIRECTORY", dir.join(".git/objects"));
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects(kernel));
        command
    };
    let mut listed = git(&["ls-tree", "HEAD", "--", path.as_str()], Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let pipe = listed.stdout.take().expect("a pipe was asked for");
    let filled = git(&["update-index", "--index-info"], pipe.into())
        .status()
        .expect("git is installed");
    let _ended = listed.wait();
    let name = patch.display().to_string();
    let applied = git(
        &["apply", "--cached", "--whitespace=nowarn", &name],
        Stdio::null(),
    )
    .status()
    .expect("git is installed");
    assert!(
        filled.success() && applied.success(),
        "{path}: git applies the patch"
    );
}

fn objects(kernel: &Path) -> std::path::PathBuf {
    let inside = kernel.join(".git/objects");
    if inside.is_dir() {
        inside
    } else {
        kernel.join("objects")
    }
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |at: usize| times[times.len() * at / 100].as_secs_f64() * 1000.0;
    format!(
        "median {:.2} ms, 90 % {:.2} ms, 99 % {:.2} ms",
        ms(50),
        ms(90),
        ms(99)
    )
}
