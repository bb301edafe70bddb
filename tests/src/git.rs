//! A throw-away git repository, driven by git itself: the oracle of what we do in memory.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A repository with a work tree that is removed at the end of the test.
pub struct GitFixture {
    dir: TempDir,
}

impl Default for GitFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl GitFixture {
    /// An empty repository with branch `main`.
    pub fn new() -> Self {
        let fixture = Self {
            dir: TempDir::new().expect("a temporary directory"),
        };
        fixture.run(&["init", "--quiet", "--initial-branch=main"]);
        fixture
    }

    /// The top of the work tree.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs git and returns what it prints, trimmed; panics when it fails.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.output(args, b"");
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs git with `input` on its standard input.
    pub fn output(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("git")
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([
                ("GIT_AUTHOR_NAME", "A"),
                ("GIT_AUTHOR_EMAIL", "a@dev.example"),
                ("GIT_AUTHOR_DATE", "1700000000 +0000"),
                ("GIT_COMMITTER_NAME", "C"),
                ("GIT_COMMITTER_EMAIL", "c@dev.example"),
                ("GIT_COMMITTER_DATE", "1700000000 +0000"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        let mut stdin = child.stdin.take().expect("a pipe was asked for");
        // git may refuse before it has read everything.
        let _closed = stdin.write_all(input);
        drop(stdin);
        child.wait_with_output().expect("git ran")
    }

    /// Writes a file of the work tree.
    pub fn write(&self, path: &str, content: &[u8]) {
        let full = self.path().join(path);
        std::fs::create_dir_all(full.parent().expect("a file lies in a directory"))
            .expect("the harness works on files of its own");
        std::fs::write(full, content).expect("the harness works on files of its own");
    }

    /// Commits the whole work tree; returns the commit's id.
    #[track_caller]
    pub fn commit(&self, subject: &str) -> String {
        self.run(&["add", "--all", "--force", "."]);
        self.run(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--no-verify",
            "-m",
            subject,
        ]);
        self.run(&["rev-parse", "HEAD"])
    }

    /// The id of the tree at `revision`.
    #[track_caller]
    pub fn tree(&self, revision: &str) -> String {
        self.run(&["rev-parse", &format!("{revision}^{{tree}}")])
    }
}
