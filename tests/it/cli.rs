//! The program through `run(args, io)`: exit codes, formats, errors that say what to do.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use lorelint::cli::{ExitStatus, Io, run};

const ADDR_C: &str =
    "static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
\tstruct inode *inode = igrab(mapping->host);

\texample_send(inode);
\tiput(inode);
\treturn 0;
}

const struct address_space_operations example_aops = {
\t.writepages = example_writepages,
};
";

struct Outcome {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("there is room");
    write(dir.path(), "fs/example/addr.c", ADDR_C);
    write(
        dir.path(),
        "include/linux/fs.h",
        "void iput(struct inode *);\n",
    );
    dir
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("it lies below a root")).expect("there is room");
    std::fs::write(path, text).expect("there is room");
}

fn lorelint(dir: &Path, args: &[&str]) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = run_with(dir, args, &mut stdout, &mut stderr);
    Outcome {
        status,
        stdout: String::from_utf8(stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("output is UTF-8"),
    }
}

fn run_with(
    dir: &Path,
    args: &[&str],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitStatus {
    let args = std::iter::once("lorelint")
        .chain(args.iter().copied())
        .map(OsString::from);
    let mut io = Io {
        stdin: &mut io::empty(),
        stdout,
        stderr,
        working_dir: dir.to_owned(),
        config_dir: None,
        cache_dir: None,
        is_terminal: false,
        is_watched: false,
    };
    run(args, &mut io)
}

#[test]
fn findings_are_1_and_nothing_is_0() {
    let dir = tree();
    let found = lorelint(dir.path(), &["check", "--format", "short"]);
    assert_eq!(
        found.stdout,
        "fs/example/addr.c:6:2: error: unsafe-iput: iput() may drop the last reference in writeback: evict() waits \
         in inode_wait_for_writeback() for the I_SYNC that this task holds\n"
    );
    assert_eq!(found.status, ExitStatus::Findings);
    let elsewhere = lorelint(dir.path(), &["check", "include"]);
    assert_eq!(
        (elsewhere.status, elsewhere.stdout.as_str()),
        (ExitStatus::Clean, "no findings\n")
    );
}

#[test]
fn the_enclosing_tree_is_found_and_paths_are_those_of_the_directory() {
    let dir = tree();
    let found = lorelint(
        &dir.path().join("fs"),
        &["check", "example", "--format", "short"],
    );
    assert_eq!(found.status, ExitStatus::Findings, "{}", found.stderr);
}

#[test]
fn fail_on_decides_the_exit_code_and_confidence_the_list() {
    let dir = tree();
    write(
        dir.path(),
        ".lorelint.toml",
        "[rules]\nunsafe-iput = \"note\"\n",
    );
    assert_eq!(lorelint(dir.path(), &["check"]).status, ExitStatus::Clean);
    assert_eq!(
        lorelint(dir.path(), &["check", "--fail-on", "note"]).status,
        ExitStatus::Findings
    );
}

#[test]
fn json_has_the_shape_that_people_script_against() {
    let dir = tree();
    let found = lorelint(dir.path(), &["check", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let mut expected = ["version", "tool", "tree", "findings", "gaps", "warnings"];
    expected.sort_unstable();
    assert_eq!(keys(&document), expected);
    let finding = &document["findings"][0];
    let mut expected = [
        "rule",
        "severity",
        "confidence",
        "file",
        "line",
        "column",
        "function",
        "statement",
        "contexts",
        "path",
        "message",
        "help",
        "related",
        "fingerprint",
    ];
    expected.sort_unstable();
    assert_eq!(keys(finding), expected);
    assert_eq!(finding["contexts"], serde_json::json!(["writeback"]));
    assert_eq!(
        finding["path"],
        serde_json::json!([{
            "function": "example_writepages",
            "file": "fs/example/addr.c",
            "line": 11,
            "via": "root",
            "through": "address_space_operations.writepages",
        }])
    );
}

#[test]
fn sarif_and_github_are_well_formed() {
    let dir = tree();
    let sarif = lorelint(dir.path(), &["check", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "unsafe-iput");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        6
    );
    let github = lorelint(dir.path(), &["check", "--format", "github"]);
    assert_eq!(
        github.stdout.split("::iput").next(),
        Some("::error file=fs/example/addr.c,line=6,col=2,title=unsafe-iput")
    );
}

/// Nothing was found, but not everything was understood: the verdict says so, and so does the line.
#[test]
fn a_clean_verdict_that_depends_on_a_gap_says_so() {
    let dir = tree();
    let text = "int f(int a)\n{\n\tif (a) {\n\t\tg(a);\n\treturn 0;\n}\n\nint h(struct inode *i)\n{\n\tstart(i);\n\tiput(\n}\n";
    write(dir.path(), "fs/example/addr.c", text);
    let outcome = lorelint(dir.path(), &["check", "--tree", ".", "--no-cache"]);
    assert_eq!(outcome.status, ExitStatus::Clean);
    assert_eq!(
        outcome.stdout,
        "no findings; 2 places not understood (--format json lists them)\n"
    );
    let why = lorelint(
        dir.path(),
        &[
            "graph",
            "why",
            "fs/example/addr.c:11",
            "--tree",
            ".",
            "--no-cache",
        ],
    );
    let notes = why.stdout.lines().filter(|it| it.starts_with("note: "));
    assert_eq!(
        notes.collect::<Vec<_>>(),
        [
            "note: not all of this function was understood: 1 iput() calls stand in the text of this function, the grammar sees 0",
            "note: not all of this function was understood: 1 of the calls that stand in the text of h() are none to the grammar: iput()",
        ]
    );
}

#[test]
fn a_baseline_hides_what_it_lists() {
    let dir = tree();
    let args = ["check", "--write-baseline", "known.json"];
    assert_eq!(lorelint(dir.path(), &args).status, ExitStatus::Findings);
    let again = lorelint(dir.path(), &["check", "--baseline", "known.json"]);
    assert_eq!(
        (again.status, again.stdout.as_str()),
        (ExitStatus::Clean, "no findings\n")
    );
}

#[test]
fn errors_name_the_input_and_the_way_out() {
    let dir = tree();
    write(dir.path(), "bad.toml", "[rules]\nunsafe-ipu = \"off\"\n");
    write(dir.path(), "empty/README", "nothing\n");
    for (args, expected) in [
        (
            &["check", "--tree", "nowhere"][..],
            "lorelint: error: cannot read the tree nowhere: No such file or directory (os error 2)\n",
        ),
        (
            &["check", "--tree", "empty"],
            "lorelint: error: empty is no kernel tree: it has no C file under fs/, net/, mm/ or include/; name the \
             top of one with --tree\n",
        ),
        (
            &["check", "--tree", ".", "fs/exmaple"],
            "lorelint: error: . has no file under fs/exmaple: paths are relative to the top of the tree\n",
        ),
        (
            &["check", "--config", "bad.toml"],
            "lorelint: error: bad.toml: no rule \"unsafe-ipu\": did you mean unsafe-iput?\n",
        ),
        (
            &["explain", "writebak"],
            "lorelint: error: no rule or context \"writebak\": did you mean writeback?\n",
        ),
        (
            &["graph", "callers", "example_writepage"],
            "lorelint: error: no function or macro of this tree is named example_writepage; `lorelint graph functions` lists \
             them\n",
        ),
    ] {
        let outcome = lorelint(dir.path(), args);
        assert_eq!(outcome.status, ExitStatus::Failure, "{args:?}");
        assert!(
            outcome.stderr.starts_with(expected),
            "{args:?}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{args:?}");
    }
}

#[test]
fn usage_errors_are_2_and_help_is_0() {
    let dir = tree();
    assert_eq!(lorelint(dir.path(), &["chekc"]).status, ExitStatus::Failure);
    assert_eq!(lorelint(dir.path(), &["--help"]).status, ExitStatus::Clean);
    assert_eq!(
        lorelint(dir.path(), &["completions", "bash"]).status,
        ExitStatus::Clean
    );
    assert_eq!(
        lorelint(dir.path(), &["man", "check"]).status,
        ExitStatus::Clean
    );
}

/// A reader that went away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let dir = tree();
    for args in [
        &["check"][..],
        &["rules"],
        &["explain", "writeback"],
        &["--help"],
    ] {
        let mut stderr = Vec::new();
        let status = run_with(dir.path(), args, &mut Closed, &mut stderr);
        assert_eq!(status, ExitStatus::Clean, "{args:?}");
        assert_eq!(String::from_utf8(stderr).unwrap(), "", "{args:?}");
    }
}

#[test]
fn no_control_character_of_a_source_reaches_the_terminal() {
    let dir = tree();
    let hostile = ADDR_C.replace(
        "\tiput(inode);",
        "\tiput(/*\u{1b}[2J\u{9b}\u{202e}*/ inode);",
    );
    write(dir.path(), "fs/example/addr.c", &hostile);
    for format in ["text", "short", "github"] {
        let found = lorelint(dir.path(), &["check", "--format", format]);
        assert_eq!(found.status, ExitStatus::Findings);
        let raw: Vec<char> = found
            .stdout
            .chars()
            .filter(|it| (it.is_control() && *it != '\n') || *it == '\u{202e}')
            .collect();
        assert_eq!(raw, Vec::<char>::new(), "{format}");
    }
}

#[test]
fn the_graph_answers_in_rows() {
    let dir = tree();
    write(
        dir.path(),
        "fs/example/util.c",
        "static void helper(struct inode *i)\n{\n\texample_touch(i);\n}\n\nvoid example_send(struct inode *i)\n{\n\thelper(i);\n}\n",
    );
    let functions = lorelint(
        dir.path(),
        &["graph", "functions", "--under", "fs", "--format", "tsv"],
    );
    assert_eq!(
        functions.stdout,
        "fs/example/addr.c\texample_writepages\t1\tstatic\nfs/example/util.c\texample_send\t6\tglobal\n\
         fs/example/util.c\thelper\t1\tstatic\n"
    );
    let callers = lorelint(
        dir.path(),
        &["graph", "callers", "example_send", "--format", "tsv"],
    );
    assert_eq!(
        callers.stdout,
        "fs/example/addr.c\texample_writepages\tfs/example/util.c\texample_send\t5\tdirect\n"
    );
    let path = lorelint(
        dir.path(),
        &[
            "graph",
            "path",
            "example_writepages",
            "helper",
            "--format",
            "tsv",
        ],
    );
    assert_eq!(
        path.stdout,
        "example_writepages\tfs/example/addr.c\t1\troot\t\nexample_send\tfs/example/addr.c\t5\tdirect\t\n\
         helper\tfs/example/util.c\t8\tdirect\t\n"
    );
    let callees = lorelint(
        dir.path(),
        &["graph", "callees", "helper", "--format", "tsv"],
    );
    assert_eq!(
        callees.stdout,
        "fs/example/util.c\thelper\t\texample_touch\t3\tdirect\n"
    );
}

#[test]
fn a_series_is_listed_as_its_author_counts_it() {
    let patch = |id: &str, subject: &str, parent: &str| {
        format!(
            "From a@example.org Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\
             Message-ID: <{id}>\n{parent}Subject: {subject}\n\nWhy.\n---\n a.c | 1 +\n\ndiff --git a/a.c b/a.c\n\
             --- a/a.c\n+++ b/a.c\n@@ -1 +1,2 @@\n x\n+y\n--\n2.1\n\n"
        )
    };
    let mbox = [
        patch("a@x", "[PATCH v5 1/2] pond: one", ""),
        patch("b@x", "[PATCH v5 2/2] pond: two", "In-Reply-To: <a@x>\n"),
        patch("c@x", "[PATCH v5.1 2/2] pond: two", "In-Reply-To: <b@x>\n"),
        patch("d@x", "[PATCH 1/3] lake: one", ""),
    ]
    .concat();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("list.mbox"), mbox).unwrap();
    let listed = lorelint(
        directory.path(),
        &["series", "list.mbox", "--format", "text"],
    );
    let lines: Vec<&str> = listed.stdout.lines().collect();
    let heads: Vec<&&str> = lines.iter().filter(|it| it.starts_with('v')).collect();
    assert_eq!(
        heads,
        [
            &"v5 2/2 pond: one",
            &"v5.1 1/2 pond: two (the rest is as in the version before)",
            &"v1 1/3 lake: one (incomplete)"
        ],
        "{}{}",
        listed.stdout,
        listed.stderr
    );
}
