//! Every `iput()` call and every access of `i_count` is seen, reported or not, and where the two readings of a
//! function differ the report says so.

use std::collections::BTreeSet;
use std::path::Path;

use lorelint::report::{CheckReport, SiteKind};
use lorelint::tree::{DirTree, MemTree, Overlay, TreePath, TreeSource};
use lorelint::{Linter, Options};
use lorelint_tests::material::{kernel_612, skipped};
use lorelint_tests::states::{Changes, check_in_a_row, file};

fn check(files: &[(&str, &str)]) -> CheckReport {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(TreePath::parse(path).unwrap(), text.as_bytes());
    }
    Linter::new(Options::default()).check(&tree).unwrap()
}

fn places(report: &CheckReport) -> Vec<String> {
    let sites = report.sites.iter();
    sites
        .map(|it| {
            format!(
                "{} {}:{} {}",
                it.kind.as_str(),
                it.function,
                it.line,
                it.form
            )
        })
        .collect()
}

#[test]
fn calls_and_counts_are_sites_wherever_they_stand() {
    let header = (
        "include/linux/cleanup.h",
        "#define DEFINE_FREE(_name, _type, _free) \\
\tstatic inline void __free_##_name(void *p) { _type _T = *(_type *)p; _free; }
",
    );
    let source = (
        "fs/example/a.c",
        "#define example_put(inode) do { \\
\tiput(inode); \\
} while (0)
#define example_drop(inode) \\
\tatomic_dec(&(inode)->i_count)
DEFINE_FREE(iput, struct inode *, if (_T) iput(_T))
void one(struct inode *inode)
{
\t/* iput(inode) in words */
\tiput(container_of(inode, struct inode, other));
\twith_lock(inode) {
\t\tiput(inode);
\t}
\tif (atomic_read(&inode->i_count) > 1)
\t\tpr_debug(\"iput(%p)\", inode);
}
struct stream { unsigned i_count; };
void two(struct stream *sp)
{
\tsp->i_count++;
}
",
    );
    let report = check(&[header, source]);
    assert_eq!(
        places(&report),
        [
            "iput example_put:2 iput",
            "i_count example_drop:5 atomic_dec",
            "iput iput:6 iput",
            "iput one:10 iput",
            "iput one:12 iput",
            "i_count one:14 atomic_read",
        ]
    );
    assert_eq!(report.gaps, []);
    let found: Vec<(&str, u32)> = report
        .findings
        .iter()
        .map(|it| (it.rule, it.line))
        .collect();
    assert_eq!(found, [("i-count-drop", 5)]);
}

/// Kernel C that the grammar does not know by itself: no gap.
#[test]
fn what_the_cleaner_knows_is_no_gap() {
    let body =
        |body: &str| format!("void example(struct inode *inode)\n{{\n{body}\n\tiput(inode);\n}}\n");
    for text in [
        "\tstatic DEFINE_MUTEX(lock);\n\tint x = 0;",
        "\tstatic DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);\n\tint x = 0;",
        "\tchar *name __free(kfree) = duplicate(inode);",
        "\tLIST_OF(struct inode *) boxes = {};\n\tint x = 0;",
        "\tINC_LINKS(inode)\n\n\tinode = other(inode);",
        "\tifdebug(ALL)\n\t\tshow(inode);",
        "\tlist_for_each_entry(inode, head, entry)\n\t\tshow(inode);",
        "\tssize_t (*call)(struct inode *inode, int x);\n\n\tcall = choose(inode);",
        "\tswitch (x) {\n\tALL_CASES(MAKE_CASE)\n\tdefault:\n\t\tbreak;\n\t}",
    ] {
        let report = check(&[("fs/example/a.c", &body(text))]);
        assert_eq!(report.gaps, [], "{text}");
        assert_eq!(report.site_count(SiteKind::Iput), 1, "{text}");
    }
}

/// What neither reading can be sure of is counted and shown.
#[test]
fn readings_that_differ_on_any_call_make_a_gap() {
    let report = check(&[(
        "fs/example/a.c",
        "void example(struct inode *inode)\n{\n\tu64 AUTO_KFREE(table);\n\n\tiput(inode);\n}\n",
    )]);
    let gaps: Vec<(u32, &str)> = report
        .gaps
        .iter()
        .map(|it| (it.line, it.what.as_str()))
        .collect();
    let what =
        "1 of the calls that stand in the text of example() are none to the grammar: AUTO_KFREE()";
    assert_eq!(gaps, [(3, what)]);
}

/// On a real kernel, against a reading that knows only comments and strings.
#[test]
fn no_site_of_a_real_kernel_is_missed() {
    let Some(kernel) = kernel_612() else {
        return;
    };
    if !kernel.join("fs/ceph").is_dir() {
        skipped("the kernel has no work tree");
        return;
    }
    let tree = DirTree::open(&kernel).unwrap();
    let report = Linter::new(Options::default()).check(&tree).unwrap();
    let seen: BTreeSet<(&str, String, u32)> = report
        .sites
        .iter()
        .map(|it| (it.kind.as_str(), it.file.to_string(), it.line))
        .collect();
    let under = [
        "fs",
        "net/ceph",
        "mm",
        "include/linux",
        "include/trace",
        "security",
    ];
    let under: Vec<String> = under.iter().map(|it| (*it).to_owned()).collect();
    let mut calls = 0;
    for file in tree.files_under(&under).unwrap() {
        let is_source = [".c", ".h"]
            .iter()
            .any(|it| file.path.as_str().ends_with(it));
        if !is_source {
            continue;
        }
        for (kind, line) in plain_sites(&kernel.join(file.path.as_str())) {
            let site = (kind, file.path.to_string(), line);
            calls += u32::from(kind == "iput" && !site.1.starts_with("include/"));
            // squashfs has a member of this name in its format on disk.
            assert!(
                seen.contains(&site) || site.1.starts_with("fs/squashfs/"),
                "{site:?} is no site"
            );
        }
    }
    assert!(calls >= 620, "{calls} calls");
    assert!(report.gaps.len() <= 20, "{} gaps", report.gaps.len());
}

/// Calls of `iput` and members `i_count` in a text without its comments and strings.
fn plain_sites(path: &Path) -> Vec<(&'static str, u32)> {
    let text = std::fs::read(path).unwrap();
    let (mut found, mut line, mut at) = (Vec::new(), 1, 0);
    let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    let (mut before, mut last) = (b' ', b' ');
    while at < text.len() {
        let rest = &text[at..];
        let end = match rest {
            [b'/', b'*', ..] => at + 2 + position(&rest[2..], b"*/") + 2,
            [b'/', b'/', ..] => at + position(rest, b"\n"),
            [quote @ (b'"' | b'\''), ..] => at + literal(rest, *quote),
            [first, ..] if is_word(*first) => {
                let length = rest.iter().take_while(|it| is_word(**it)).count();
                let next = rest[length..].trim_ascii_start().first();
                let is_member = last == b'.' || (before == b'-' && last == b'>');
                // A declaration or the definition has its type before the name.
                let is_declared = is_word(last) && text[..at].ends_with(b"void ");
                match &rest[..length] {
                    b"iput" if next == Some(&b'(') && !is_member && !is_declared => {
                        found.push(("iput", line));
                    }
                    b"i_count" if is_member => found.push(("i_count", line)),
                    _ => {}
                }
                (before, last) = (last, b'a');
                at + length
            }
            [byte, ..] => {
                if !byte.is_ascii_whitespace() {
                    (before, last) = (last, *byte);
                }
                at + 1
            }
            [] => at + 1,
        };
        let end = end.min(text.len()).max(at + 1);
        line += u32::try_from(text[at..end].split(|it| *it == b'\n').count() - 1).unwrap();
        at = end;
    }
    found
}

fn position(text: &[u8], wanted: &[u8]) -> usize {
    let mut windows = text.windows(wanted.len());
    windows.position(|it| it == wanted).unwrap_or(text.len())
}

fn literal(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != quote && text[at] != b'\n' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// What could not be read matters as long as it may lead to an `iput()`, also where it did a state ago.
#[test]
fn a_gap_goes_with_what_made_it_matter() {
    const END: &str = "fs/example/end.c";
    let base = file(
        "fs/example/super.c",
        "static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	u64 AUTO_KFREE(table);

	return example_end(mapping->host);
}

static const struct address_space_operations example_aops = {
	.writepages = example_writepages,
};
",
    );
    let end = |body: &str| format!("int example_end(struct inode *inode)\n{{\n\t{body}\n}}\n");
    let (drops, waits) = (end("iput(inode);"), end("return example_wait(inode);"));
    let empty = MemTree::default();
    let base = Overlay::new(&empty).with([(base.0, Some(base.1))]);
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("it drops", &[(END, Some(&drops))], true),
        ("it waits", &[(END, Some(&waits))], false),
        ("it drops again", &[(END, Some(&drops))], true),
        ("it is gone", &[(END, None)], false),
    ];
    check_in_a_row(&base, states);
}
