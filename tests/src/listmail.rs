//! Invented mails, and the places that mails come from.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mail to be written; every field may be changed before [`Mail::raw`].
#[derive(Clone, Debug)]
pub struct Mail {
    /// Message id without brackets.
    pub id: String,
    /// `Name <address>`.
    pub from: String,
    /// The whole subject.
    pub subject: String,
    /// The parent's message id.
    pub parent: Option<String>,
    /// Minutes after the first mail of the test.
    pub minute: u32,
    /// Everything after the header.
    pub body: String,
}

impl Mail {
    /// A mail without a diff.
    pub fn new(id: &str, subject: &str) -> Self {
        Self {
            id: id.to_owned(),
            from: "Ann Author <ann@dev.example>".to_owned(),
            subject: subject.to_owned(),
            parent: None,
            minute: 0,
            body: "Some words.\n".to_owned(),
        }
    }

    /// A mail with a patch that adds a line to `file`.
    pub fn patch(id: &str, subject: &str, file: &str) -> Self {
        let body = format!(
            "What it does and why.\n\nSigned-off-by: Ann Author <ann@dev.example>\n---\n {file} | 1 +\n \
             1 file changed, 1 insertion(+)\n\ndiff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n\
             @@ -1,2 +1,3 @@\n one\n+added by {id}\n two\n-- \n2.51.0\n"
        );
        Self {
            body,
            ..Self::new(id, subject)
        }
    }

    /// The same mail as an answer to another.
    #[must_use]
    pub fn under(mut self, parent: &str) -> Self {
        self.parent = Some(parent.to_owned());
        self
    }

    /// The same mail some minutes later.
    #[must_use]
    pub fn at(mut self, minute: u32) -> Self {
        self.minute = minute;
        self
    }

    /// The bytes of it, LF.
    pub fn raw(&self) -> Vec<u8> {
        let mut text = String::new();
        let (hour, minute) = (8 + self.minute / 60, self.minute % 60);
        write!(
            text,
            "From: {}\nTo: list@lists.example\nSubject: {}\nMessage-ID: <{}>\nDate: Mon, 6 Oct 2025 {hour:02}:{minute:02}:00 +0000\n",
            self.from, self.subject, self.id
        )
        .expect("writing to a string");
        if let Some(parent) = &self.parent {
            write!(text, "In-Reply-To: <{parent}>\nReferences: <{parent}>\n")
                .expect("writing to a string");
        }
        format!("{text}\n{}", self.body).into_bytes()
    }
}

/// A cover letter with two patches under it: `c@x`, `p1@x`, `p2@x`.
pub fn small_series() -> Vec<Mail> {
    vec![
        Mail {
            body: "Ann Author (2):\n  fs: one\n  fs: two\n\n fs/one.c | 1 +\n fs/two.c | 1 +\n 2 files changed\n".to_owned(),
            ..Mail::new("c@x", "[PATCH 0/2] fs: both")
        },
        Mail::patch("p1@x", "[PATCH 1/2] fs: one", "fs/one.c").under("c@x").at(1),
        Mail::patch("p2@x", "[PATCH 2/2] fs: two", "fs/two.c").under("c@x").at(2),
    ]
}

/// One file of an archive's commit.
pub enum Commit<'a> {
    /// A mail arrives.
    Mail(&'a [u8]),
    /// A mail is taken back.
    Removed(&'a [u8]),
}

/// Writes a public-inbox v2 archive with one epoch anew, as `git fast-import` has it, and returns its directory.
pub fn write_archive(dir: &Path, commits: &[Commit<'_>]) -> PathBuf {
    write_epoch(dir, 0, commits)
}

/// Writes one epoch of the archive in `dir` anew and returns the archive's directory.
pub fn write_epoch(dir: &Path, epoch: u32, commits: &[Commit<'_>]) -> PathBuf {
    let archive = dir.join("archive");
    let repository = archive.join(format!("git/{epoch}.git"));
    if repository.exists() {
        std::fs::remove_dir_all(&repository).expect("an own directory goes away");
    }
    std::fs::create_dir_all(&repository).expect("a directory can be made");
    git(
        &repository,
        &["init", "--quiet", "--bare", "--initial-branch=master"],
        b"",
    );
    let mut stream = Vec::new();
    for (number, commit) in (1..).zip(commits) {
        let (file, other, bytes) = match commit {
            Commit::Mail(bytes) => ("m", "d", bytes),
            Commit::Removed(bytes) => ("d", "m", bytes),
        };
        let parent = if number > 1 {
            format!("from :{}\n", number - 1)
        } else {
            String::new()
        };
        let drop = if number > 1 {
            format!("D {other}\n")
        } else {
            String::new()
        };
        write!(
            stream,
            "commit refs/heads/master\nmark :{number}\ncommitter A <a@x> {} +0000\ndata 1\nx\n{parent}{drop}M 100644 inline {file}\ndata {}\n",
            1_759_740_000 + number * 60,
            bytes.len()
        )
        .expect("writing to memory");
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    }
    git(&repository, &["fast-import", "--quiet", "--force"], &stream);
    archive
}

fn git(repository: &Path, arguments: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(repository)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is installed");
    child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input)
        .expect("git reads its input");
    assert!(
        child.wait().expect("git ends").success(),
        "git {arguments:?}"
    );
}

/// The mails as one mboxrd.
pub fn mbox(mails: &[Mail]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mail in mails {
        bytes.extend_from_slice(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n");
        bytes.extend_from_slice(&mail.raw());
        bytes.push(b'\n');
    }
    bytes
}
