//! `lorelint review`, from a source of patches to JSON and an exit code.

use lorelint_tests::command::{Ended, lorelint};
use lorelint_tests::git::GitFixture;
use serde_json::Value;

fn run(git: &GitFixture, args: &[&str], stdin: &[u8]) -> Ended {
    let line: Vec<&str> = ["review"].into_iter().chain(args.iter().copied()).collect();
    lorelint(git.path(), &line, stdin)
}

const OPS: &str =
    "const struct address_space_operations lake_aops = {\n\t.writepages = lake_writepages,\n};\n";

fn source(put: &str) -> String {
    format!(
        "#include <linux/fs.h>\n\n\
         static int lake_writepages(struct address_space *mapping, struct writeback_control *wbc)\n{{\n\
         \tstruct inode *inode = mapping->host;\n\n\tlake_count(inode);\n{put}\treturn 0;\n}}\n\n{OPS}"
    )
}

/// A kernel with one file system, and on branch `topic` a commit that puts an inode in writeback.
fn kernel() -> GitFixture {
    let git = GitFixture::new();
    git.write(
        "include/linux/fs.h",
        b"struct address_space_operations {\n\tint (*writepages)(struct address_space *, struct writeback_control *);\n};\n",
    );
    git.write("MAINTAINERS", b"LAKE\n");
    git.write("fs/lake/file.c", source("").as_bytes());
    git.commit("lake: start");
    git.run(&["checkout", "-q", "-b", "topic"]);
    git.write("fs/lake/file.c", source("\tiput(inode);\n").as_bytes());
    git.commit("lake: put the inode");
    git.run(&["checkout", "-q", "main"]);
    git
}

/// How the base was chosen, and for each patch `index subject: applied, new, fixed` or why not.
fn digest(outcome: &Ended) -> Vec<String> {
    let report: Value =
        serde_json::from_str(&outcome.output).unwrap_or_else(|_| panic!("{}", outcome.errors));
    let mut lines = vec![report["base"]["how"].as_str().unwrap().to_owned()];
    for patch in report["patches"].as_array().unwrap() {
        let places = |list: &str| {
            let findings = patch[list].as_array().unwrap().iter();
            let places =
                findings.map(|it| format!("{}:{}", it["file"].as_str().unwrap(), it["line"]));
            places.collect::<Vec<_>>().join(" ")
        };
        let reason = patch["reason"].as_str().unwrap_or("applies").to_owned();
        lines.push(format!(
            "{} {}: {reason}, new [{}], fixed [{}]",
            patch["index"],
            patch["subject"].as_str().unwrap(),
            places("new"),
            places("fixed")
        ));
    }
    lines
}

const PUT: &str = "1 lake: put the inode: applies, new [fs/lake/file.c:8], fixed []";

#[test]
fn a_range_stands_on_the_parent_of_its_first_commit() {
    let git = kernel();
    let outcome = run(&git, &["main..topic", "--format", "json"], b"");
    assert_eq!(digest(&outcome), ["given", PUT]);
    assert_eq!(outcome.code, 1);
}

#[test]
fn mail_a_file_a_directory_and_standard_input_say_the_same() {
    let git = kernel();
    let mbox = git
        .output(&["format-patch", "-1", "--stdout", "topic"], b"")
        .stdout;
    git.write("out/series.mbox", &mbox);
    git.run(&["format-patch", "-q", "-1", "-o", "out/dir", "topic"]);
    for source in ["out/series.mbox", "out/dir", "-"] {
        let outcome = run(&git, &[source, "--format", "json"], &mbox);
        assert_eq!(digest(&outcome), ["blob-match", PUT], "{source}");
    }
    let bare = git.output(&["diff", "main", "topic"], b"").stdout;
    git.write("out/bare.diff", &bare);
    let outcome = run(&git, &["out/bare.diff", "--format", "json"], b"");
    assert_eq!(
        digest(&outcome)[1],
        PUT.replace("lake: put the inode", "out/bare.diff")
    );
}

#[test]
fn base_commit_decides_and_base_overrides_it() {
    let git = kernel();
    let mut mbox = git
        .output(
            &["format-patch", "-1", "--stdout", "--base=main", "topic"],
            b"",
        )
        .stdout;
    let outcome = run(&git, &["-", "--format", "json"], &mbox);
    assert_eq!(digest(&outcome)[0], "base-commit");
    let outcome = run(&git, &["-", "--format", "json", "--base", "main"], &mbox);
    assert_eq!(digest(&outcome)[0], "given");
    mbox.truncate(mbox.len() / 2);
    let outcome = run(&git, &["-", "--format", "json"], &mbox);
    assert_eq!(outcome.code, 2);
}

#[test]
fn a_patch_that_does_not_apply_is_shown_and_fails() {
    let git = kernel();
    let mbox = git
        .output(&["format-patch", "-1", "--stdout", "topic"], b"")
        .stdout;
    let broken = String::from_utf8(mbox)
        .unwrap()
        .replace("lake_count", "pond_count");
    // Another preimage, so that no merge can help.
    let broken: String = broken
        .lines()
        .filter(|it| !it.starts_with("index "))
        .fold(String::new(), |text, it| text + it + "\n");
    let outcome = run(&git, &["-", "--format", "json"], broken.as_bytes());
    assert_eq!(outcome.code, 2);
    assert_eq!(
        digest(&outcome),
        [
            "tree",
            "1 lake: put the inode: fs/lake/file.c: hunk 1 of 1 does not match: near line 7 it expects \
             \"\\tpond_count(inode);\", the file has \"\\tlake_count(inode);\", new [], fixed []",
        ]
    );
}

#[test]
fn what_stands_after_a_missing_patch_is_not_linted() {
    let git = kernel();
    git.run(&["checkout", "-q", "topic"]);
    for (file, text) in [("fs/lake/b.c", "int b;\n"), ("fs/lake/c.c", "int c;\n")] {
        git.write(file, text.as_bytes());
        git.commit(&format!("lake: add {file}"));
    }
    let mbox = git
        .output(
            &["format-patch", "--thread", "--stdout", "main..topic"],
            b"",
        )
        .stdout;
    let starts: Vec<usize> = lorelint_mail::mbox::split(&mbox)
        .map(|it| it.offset)
        .collect();
    let gap = [&mbox[..starts[1]], &mbox[starts[2]..]].concat();
    let outcome = run(&git, &["-", "--format", "json"], &gap);
    assert_eq!(
        digest(&outcome),
        [
            "blob-match",
            PUT,
            "3 lake: add fs/lake/c.c: not linted because patch 2 is missing, new [], fixed []",
        ]
    );
    assert_eq!(outcome.code, 2);
    let report: Value = serde_json::from_str(&outcome.output).unwrap();
    assert_eq!(report["series"]["total"], 3);
    let warnings = report["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|it| it["message"] == "patch 2 of the series is missing")
    );
}

#[test]
fn bad_input_is_named() {
    let git = kernel();
    let error = |args: &[&str], stdin: &[u8]| {
        let outcome = run(&git, args, stdin);
        assert_eq!(outcome.code, 2);
        outcome.errors.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        error(&["-"], b"no mail\n"),
        "lorelint: error: - holds no patch: a patch has a unified diff"
    );
    let top = git.path().display();
    assert_eq!(
        error(&["main..topic", "--base", "v9"], b""),
        format!(
            "lorelint: error: {top} has no revision \"v9\": fetch it, or name another with --rev or --base"
        )
    );
    assert_eq!(
        error(&["nowhere"], b""),
        "lorelint: error: cannot read nowhere: No such file or directory (os error 2)"
    );
}

/// A remark belongs to a line of the diff, and to the context that the patch brings.
#[test]
fn what_a_patch_makes_reachable_is_said_where_it_does() {
    let git = kernel();
    let header = b"struct address_space_operations {\n\
        \tint (*writepages)(struct address_space *, struct writeback_control *);\n};\n\
        struct lake;\nstruct ceph_connection_operations {\n\
        \tvoid (*dispatch)(struct ceph_connection *, struct ceph_msg *);\n};\n";
    git.write("include/linux/fs.h", header);
    let put = "int lake_put(struct inode *inode)\n{\n\tlake_note(inode);\n\tiput(lake_of(inode));\n\treturn 0;\n}\n";
    git.write("fs/lake/put.c", put.as_bytes());
    git.write("fs/lake/file.c", source("\tlake_put(inode);\n").as_bytes());
    let net = |line: &str| {
        format!(
            "#include <linux/fs.h>\n\n\
             static void lake_dispatch(struct ceph_connection *con, struct ceph_msg *msg)\n{{\n{line}}}\n\n\
             static const struct ceph_connection_operations lake_con_ops = {{\n\
             \t.dispatch = lake_dispatch,\n}};\n"
        )
    };
    git.write("fs/lake/net.c", net("").as_bytes());
    git.commit("lake: put in writeback");
    git.write(
        "fs/lake/net.c",
        net("\tlake_put(con->private);\n").as_bytes(),
    );
    git.commit("lake: put in the messenger");
    let review = |format: &str| run(&git, &["HEAD~1..HEAD", "--format", format], b"").output;

    let short = review("short");
    let start = "fs/lake/net.c:5:1: error: unsafe-iput: reaches fs/lake/put.c:4 in lake_put(): \
        iput() may drop the last reference in a ceph messenger worker: ";
    assert!(short.starts_with(start), "{short}");
    assert!(short.ends_with("; only messenger is new here\n"), "{short}");
    assert_eq!(short.lines().count(), 1, "{short}");

    let github = review("github");
    let start = "::error file=fs/lake/net.c,line=5,title=unsafe-iput::reaches fs/lake/put.c%3A4";
    assert!(
        github.replace("put.c:4", "put.c%3A4").starts_with(start),
        "{github}"
    );
    let chain = "%0Achain: lake_dispatch > lake_put%0A";
    assert!(github.contains(chain), "{github}");

    let text = review("text");
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(
        at("= chain: lake_dispatch") < at("= see: fs/lake/put.c:4: writeback: lake_writepages")
    );
    at("made reachable by fs/lake/net.c:5");

    git.write("fs/lake/net.c", net("").as_bytes());
    git.commit("lake: put in writeback alone");
    let text = review("text");
    let fixed = "fs/lake/put.c:4: unsafe-iput: iput(lake_of(inode)); in lake_put(): no longer in messenger\n";
    assert!(text.contains(fixed), "{text}");
    let json = review("json");
    assert!(json.contains("; only messenger is fixed here\""), "{json}");
}
