//! Where a series starts, from a mailbox to the sentence that a person reads: repositories with several branches.

use lorelint_tests::command::lorelint;
use lorelint_tests::git::GitFixture;
use lorelint_tests::listmail::{Mail, mbox};
use lorelintd::config::TreeConfig;
use lorelintd::model::{LintInput, LintPart, SeriesId};
use lorelintd::trees::Trees;
use serde_json::Value;

const MAINTAINERS: &str = "List of maintainers\n\nLAKE FILE SYSTEM\nM:\tAnn <ann@dev.example>\n\
    T:\tgit git://git.example/pub/lake.git for-next\nF:\tfs/lake/\n\n\
    THE REST\nT:\tgit git://git.example/pub/linux.git\nF:\t*\nF:\t*/\n";

/// Nine lines, the fourth and one more of them with other words.
fn lines(fourth: &str, other: (usize, &str)) -> String {
    let mut lines: Vec<String> = (0..9).map(|it| format!("line {it}")).collect();
    fourth.clone_into(&mut lines[3]);
    other.1.clone_into(&mut lines[other.0]);
    lines.join("\n") + "\n"
}

/// `main` of two commits, a branch `lake-fixes`, and `for-next` of the remote `lake`; with their commits.
struct Kernel {
    git: GitFixture,
    first: String,
    main: String,
    fixes: String,
    next: String,
}

fn kernel() -> Kernel {
    let git = GitFixture::new();
    let commit = |fourth: &str| {
        git.write("fs/lake/a.c", lines(fourth, (8, "end")).as_bytes());
        git.write("fs/pond/a.c", lines(fourth, (8, "pond")).as_bytes());
        git.commit(fourth)
    };
    git.write("MAINTAINERS", MAINTAINERS.as_bytes());
    let first = commit("as it began");
    let main = commit("in main");
    git.run(&["checkout", "-q", "-b", "lake-fixes"]);
    let fixes = commit("in fixes");
    git.run(&["checkout", "-q", "-b", "next", "main"]);
    let next = commit("in next");
    git.run(&["update-ref", "refs/remotes/lake/for-next", &next]);
    git.run(&["checkout", "-q", "main"]);
    git.run(&["branch", "-q", "-D", "next"]);
    Kernel {
        git,
        first,
        main,
        fixes,
        next,
    }
}

/// A diff of line 7 of a file, with its `index` line where a blob is given.
fn diff(path: &str, blob: Option<&str>) -> String {
    let index = blob.map_or_else(String::new, |it| format!("index {it}..1234567 100644\n"));
    format!(
        "diff --git a/{path} b/{path}\n{index}--- a/{path}\n+++ b/{path}\n@@ -6,3 +6,3 @@\n line 5\n-line 6\n+better\n line 7\n"
    )
}

fn patch(subject: &str, diff: &str, trailer: &str) -> Mail {
    let body = format!(
        "Why.\n\nSigned-off-by: Ann Author <ann@dev.example>\n---\n{diff}-- \n2.51.0\n\n{trailer}\n"
    );
    Mail {
        body,
        ..Mail::new("p@x", subject)
    }
}

/// What `lorelint series` says of the base: how, and why with the commits by name.
fn of_command(kernel: &Kernel, mails: &[Mail]) -> (String, String) {
    kernel.git.write(".git/series.mbox", &mbox(mails));
    let tree = kernel.git.path().display().to_string();
    let args = ["series", ".git/series.mbox", "--tree", &tree];
    let ended = lorelint(kernel.git.path(), &args, b"");
    let report: Value = serde_json::from_str(&ended.output).expect("it prints JSON");
    let series = report["series"].as_array().expect("a list").last();
    let base = &series.expect("a series")["base"];
    assert_eq!(series.expect("a series")["applied"], true, "{series:?}");
    let text = |key: &str| base[key].as_str().expect("a text").to_owned();
    let why = named(kernel, &text("why"));
    (
        format!("{} {}", text("how"), named(kernel, &text("rev"))),
        why,
    )
}

/// The same of the service, for trees `lake` and `linux` that are this one repository.
fn of_service(kernel: &Kernel, prefixes: &[&str], path: &str) -> (String, String) {
    let tree = |name: &str, branches: &[&str]| TreeConfig {
        name: name.to_owned(),
        path: kernel.git.path().to_owned(),
        branches: branches.iter().map(|it| (*it).to_owned()).collect(),
    };
    let trees = [
        tree("linux", &["main", "lake-fixes"]),
        tree("lake", &["main", "for-next"]),
    ];
    kernel
        .git
        .run(&["branch", "-f", "for-next", "lake/for-next"]);
    let input = LintInput {
        id: SeriesId(1),
        lists: Vec::new(),
        base_commit: None,
        prefixes: prefixes.iter().map(|it| (*it).to_owned()).collect(),
        heads: Vec::new(),
        parts: vec![LintPart {
            index: 1,
            mail: None,
            message_id: None,
            subject: String::new(),
            diff: diff(path, None).into_bytes(),
        }],
        input_digest: String::new(),
        reviewed: None,
    };
    let found = Trees::default().choose(&trees.iter().collect::<Vec<_>>(), &input, &[]);
    let base = found.expect("the tree is read").expect("a base").base;
    let rev = named(kernel, &base.rev);
    (
        format!("{} {} {rev}", base.how.as_str(), base.tree),
        named(kernel, &base.why),
    )
}

/// A text with commits by the names of their branches.
fn named(kernel: &Kernel, text: &str) -> String {
    let names = [
        (&kernel.first, "FIRST"),
        (&kernel.main, "MAIN"),
        (&kernel.fixes, "FIXES"),
        (&kernel.next, "NEXT"),
    ];
    names.iter().fold(text.to_owned(), |text, (commit, name)| {
        text.replace(commit.as_str(), name)
            .replace(&commit[..12], name)
    })
}

#[track_caller]
fn says((how, why): (String, String), expected: [&str; 2]) {
    assert_eq!([how.as_str(), why.as_str()], expected);
}

#[test]
fn a_declared_base_comes_first_and_blobs_before_any_branch() {
    let kernel = kernel();
    let blob = |rev: &str| {
        kernel
            .git
            .run(&["rev-parse", &format!("{rev}:fs/lake/a.c")])
    };
    let tagged = "[PATCH lake-fixes] lake: better";
    let with = |blob: Option<&str>, trailer: &str| {
        let mail = patch(tagged, &diff("fs/lake/a.c", blob), trailer);
        of_command(&kernel, &[mail])
    };
    let first = format!("base-commit: {}", kernel.first);
    says(
        with(None, &first),
        ["base-commit FIRST", "the series says base-commit FIRST"],
    );
    says(
        with(Some(&blob("lake/for-next")[..12]), ""),
        ["blob-match NEXT", "NEXT has the blob of its file"],
    );
    says(
        with(Some(&blob("lake/for-next")), &first),
        [
            "blob-match NEXT",
            "at base-commit FIRST 1 of 1 files are not as the index lines say; NEXT has the blob of its file",
        ],
    );
    says(
        with(
            None,
            "base-commit: 0123456789012345678901234567890123456789",
        ),
        [
            "branch FIXES",
            "base-commit 012345678901 is not in the repository; the subject says lake-fixes, and \
             refs/heads/lake-fixes is that branch",
        ],
    );
}

#[test]
fn a_tag_names_the_branch_then_maintainers_then_what_is_checked_out() {
    let kernel = kernel();
    let with =
        |subject: &str, path: &str| of_command(&kernel, &[patch(subject, &diff(path, None), "")]);
    says(
        with("[PATCH lake-fixes] lake: better", "fs/lake/a.c"),
        [
            "branch FIXES",
            "the subject says lake-fixes, and refs/heads/lake-fixes is that branch",
        ],
    );
    says(
        with("[PATCH] lake: better", "fs/lake/a.c"),
        [
            "branch NEXT",
            "MAINTAINERS names lake for-next for LAKE FILE SYSTEM",
        ],
    );
    says(
        with("[PATCH] pond: better", "fs/pond/a.c"),
        ["branch MAIN", "what is checked out"],
    );
}

#[test]
fn the_service_picks_the_tree_and_the_branch_that_are_named() {
    let kernel = kernel();
    says(
        of_service(&kernel, &["lake-fixes"], "fs/lake/a.c"),
        [
            "branch linux FIXES",
            "the subject says lake-fixes, which is branch lake-fixes of linux",
        ],
    );
    says(
        of_service(&kernel, &["RFC"], "fs/lake/a.c"),
        [
            "branch lake NEXT",
            "MAINTAINERS names lake for LAKE FILE SYSTEM: branch for-next of lake",
        ],
    );
    says(
        of_service(&kernel, &[], "fs/pond/a.c"),
        ["branch linux MAIN", "the list's branch main"],
    );
}

#[test]
fn a_series_stands_on_the_one_that_it_depends_on() {
    let kernel = kernel();
    let below = Mail {
        id: "below@x".to_owned(),
        ..patch("[PATCH] pond: better", &diff("fs/pond/a.c", None), "")
    };
    let on_it = diff("fs/pond/a.c", None).replace("-line 6\n+better\n", "-better\n+best\n");
    let cover = Mail {
        body: "Why.\n\nDepends-on: <below@x>\nDepends-on: <c@x>\n".to_owned(),
        ..Mail::new("c@x", "[PATCH 0/1] pond: even better")
    };
    let above = Mail {
        id: "above@x".to_owned(),
        ..patch("[PATCH 1/1] pond: best", &on_it, "")
    };
    let mails = [below, cover, above.under("c@x")];
    says(
        of_command(&kernel, &mails),
        [
            "branch MAIN",
            "what is checked out, with its prerequisite patch",
        ],
    );
    let tree = kernel.git.path().display().to_string();
    let args = [
        "review",
        ".git/series.mbox",
        "--tree",
        &tree,
        "--base",
        "main",
        "--format",
        "json",
    ];
    let ended = lorelint(kernel.git.path(), &args, b"");
    let report: Value = serde_json::from_str(&ended.output).expect("it prints JSON");
    assert_eq!(report["series"]["title"], "pond: even better");
    assert_eq!(report["patches"][0]["reason"], Value::Null);
    assert!(!ended.errors.contains("another series"), "{}", ended.errors);
}
