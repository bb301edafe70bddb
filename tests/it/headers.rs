//! Which headers of a whole kernel are read: those that somebody includes who matters.

use std::sync::LazyLock;

use lorelint::tree::{FileContent, Overlay, TreePath, TreeSource};
use lorelint::{Linter, Options};
use lorelint_tests::lint_case::said;
use lorelint_tests::states::{Changes, check_in_a_row, file};

/// A part of `include/` that no filesystem sees.
const LAMPS: usize = 1000;

const HEADER: &str = "
static inline void example_put(struct inode *inode)
{
	iput(inode);
}
";

/// A source whose writeback calls what `HEADER` has.
fn source(includes: &[&str]) -> String {
    let mut text = String::new();
    for it in includes {
        text.extend(["#include ", it, "\n"]);
    }
    text + "
static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	example_put(mapping->host);
	return 0;
}

static const struct address_space_operations example_aops = {
	.writepages = example_writepages,
};
"
}

/// A driver whose writeback calls a function.
macro_rules! driver {
    ($includes:literal, $called:literal) => {
        concat!(
            $includes,
            "
static int lamp_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	",
            $called,
            "(mapping->host);
	return 0;
}

static const struct address_space_operations lamp_aops = {
	.writepages = lamp_writepages,
};
"
        )
    };
}

/// Files of a tree, by path.
type Files<'f> = &'f [(&'f str, &'f str)];

/// All of a kernel's lamps.
static LAMP_FILES: LazyLock<Vec<(TreePath, FileContent)>> = LazyLock::new(|| {
    let lamp = |it: usize| {
        file(
            &format!("include/dt-bindings/lamp/lamp{it}.h"),
            "#define LAMP 1\n",
        )
    };
    (0..LAMPS).map(lamp).collect()
});

fn kernel(files: Files<'_>) -> Overlay<'static> {
    static EMPTY: LazyLock<lorelint::tree::MemTree> = LazyLock::new(Default::default);
    let all = files.iter().map(|it| file(it.0, it.1));
    let all = all.chain(LAMP_FILES.iter().cloned());
    Overlay::new(&*EMPTY).with(all.map(|it| (it.0, Some(it.1))))
}

/// Whether there is a finding, whatever is read.
#[track_caller]
fn is_found(tree: &dyn TreeSource, what: &str) -> bool {
    let check = |no_sieve| {
        let options = Options {
            no_sieve,
            ..Options::default()
        };
        Linter::new(options)
            .check(tree)
            .expect("memory can be read")
    };
    let (report, all) = (check(false), check(true));
    assert_eq!(said(&report), said(&all), "{what}");
    // It is counted wherever it stands.
    assert_eq!(report.sites.len(), 1, "{what}");
    !report.findings.is_empty()
}

/// What a header is, where it lies, what the source includes, which files there are beside, whether it is read.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    Files<'static>,
    bool,
);

const CASES: &[Case] = &[
    (
        "by its path",
        "include/linux/ex.h",
        &["<linux/ex.h>"],
        &[],
        true,
    ),
    (
        "of user space too",
        "include/uapi/linux/ex.h",
        &["<linux/ex.h>"],
        &[],
        true,
    ),
    (
        "with a directory that is searched",
        "include/drv/deep/ex.h",
        &["\"ex.h\""],
        &[],
        true,
    ),
    (
        "from above",
        "include/linux/ex.h",
        &["\"../../include/linux/ex.h\""],
        &[],
        true,
    ),
    (
        "through another",
        "include/linux/ex.h",
        &["<linux/near.h>"],
        &[
            ("include/linux/near.h", "#include \"far.h\"\n"),
            ("include/linux/far.h", "#include <linux/ex.h>\n"),
        ],
        true,
    ),
    (
        "through an architecture's",
        "include/linux/ex.h",
        &["<asm/ex.h>"],
        &[("arch/x86/include/asm/ex.h", "#include <linux/ex.h>\n")],
        true,
    ),
    (
        "generic",
        "include/asm-generic/ex.h",
        &["<asm/ex.h>"],
        &[],
        true,
    ),
    (
        "that the build includes",
        "include/linux/ex.h",
        &[],
        &[("include/linux/kconfig.h", "#include <linux/ex.h>\n")],
        true,
    ),
    (
        "that nobody includes",
        "include/linux/ex.h",
        &["<linux/other.h>"],
        &[],
        false,
    ),
    (
        "that only a driver includes",
        "include/linux/ex.h",
        &[],
        &[("drivers/lamp/lamp.c", "#include <linux/ex.h>\n")],
        false,
    ),
    (
        "that only a driver includes which is an entry point itself",
        "include/linux/ex.h",
        &[],
        &[(
            "drivers/lamp/lamp.c",
            driver!("#include <linux/ex.h>\n", "example_put"),
        )],
        true,
    ),
    (
        "that only a source beside such a driver includes",
        "include/linux/ex.h",
        &[],
        &[
            ("drivers/lamp/lamp.c", driver!("", "lamp_put")),
            (
                "drivers/lamp/bulb.c",
                "#include <linux/ex.h>\nvoid lamp_put(struct inode *inode)\n{\n\texample_put(inode);\n}\n",
            ),
        ],
        true,
    ),
    (
        "that only such a header includes",
        "include/linux/ex.h",
        &[],
        &[("include/linux/lamp.h", "#include <linux/ex.h>\n")],
        false,
    ),
    (
        "of the filesystem itself",
        "fs/example/ex.h",
        &[],
        &[],
        true,
    ),
];

#[test]
fn a_header_is_read_where_an_include_may_mean_it() {
    for (what, header, includes, more, is_read) in CASES {
        let text = source(includes);
        let mut files = vec![("fs/example/super.c", text.as_str()), (*header, HEADER)];
        files.extend(more.iter());
        assert_eq!(is_found(&kernel(&files), what), *is_read, "{what}");
    }
}

#[test]
fn a_part_of_a_kernel_needs_no_includes() {
    let (path, content) = file("include/linux/ex.h", HEADER);
    let text = source(&[]);
    let (unit, text) = file("fs/example/super.c", &text);
    let empty = lorelint::tree::MemTree::default();
    let tree = Overlay::new(&empty).with([(path, Some(content)), (unit, Some(text))]);
    assert!(is_found(&tree, "a part of a kernel"));
}

/// After a change, a linter that has read the tree before says what one says that has not.
#[test]
fn an_include_that_comes_or_goes_is_seen() {
    let (with, without) = (source(&["<linux/ex.h>"]), source(&[]));
    let unit = "fs/example/super.c";
    let near = ("include/linux/near.h", "#include <linux/ex.h>\n");
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("nobody includes it", &[(unit, Some(&without))], false),
        ("it is included", &[(unit, Some(&with))], true),
        (
            "it is changed",
            &[("include/linux/ex.h", Some("\nint changed;\n"))],
            false,
        ),
        (
            "it is as before",
            &[("include/linux/ex.h", Some(HEADER))],
            true,
        ),
        ("the include goes", &[(unit, Some(&without))], false),
        (
            "another source includes it",
            &[
                ("fs/other/super.c", Some("#include <linux/ex.h>\n")),
                (unit, Some(&with)),
            ],
            true,
        ),
        (
            "one of them no more",
            &[("fs/other/super.c", Some("int other;\n"))],
            true,
        ),
        (
            "it is included through a new header",
            &[
                (unit, Some(&source(&["<linux/near.h>"]))),
                (near.0, Some(near.1)),
            ],
            true,
        ),
        ("the new header goes", &[(near.0, None)], false),
        (
            "an architecture's header includes it",
            &[("arch/x86/include/asm/ex.h", Some("#include <linux/ex.h>\n"))],
            true,
        ),
        (
            "the header moves",
            &[
                ("include/linux/ex.h", None),
                ("include/uapi/linux/ex.h", Some(HEADER)),
            ],
            true,
        ),
        ("the source goes", &[(unit, None)], false),
    ];
    let base = kernel(&[(unit, &without), ("include/linux/ex.h", HEADER)]);
    check_in_a_row(&base, states);
}
