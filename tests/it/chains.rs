//! Which of several chains to one call is shown.

use lorelint::tree::{MemTree, TreePath};
use lorelint::{Linter, Options};

/// The functions of the chain that is shown for the only finding of a source.
fn shown(source: String) -> Vec<String> {
    let path = TreePath::parse("fs/example/inode.c").expect("a path inside a tree");
    let mut tree = MemTree::default();
    tree.insert(path, source);
    let report = Linter::new(Options::default()).check(&tree);
    let findings = report.expect("memory can be read").findings;
    let [finding] = &findings[..] else {
        panic!("one finding, not {findings:#?}");
    };
    let hops = finding.path.iter();
    hops.map(|it| it.function.clone()).collect()
}

const ENDS: &str = "
static void example_drop(struct inode *inode)
{
	struct inode *other = example_other(inode);

	if (other)
		example_note(other);
	iput(other);
}

static int example_a(struct inode *inode)
{
	example_note(inode);
	example_drop(inode);
	return 0;
}

static int example_b(struct inode *inode)
{
	example_wait(inode);
	example_drop(inode);
	return 0;
}
";

/// Where entry points are equally far away, the one that the context names first says most to whoever reads it.
#[test]
fn the_entry_point_of_equal_chains_is_the_best_known_one() {
    let cases: &[(&str, &str)] = &[
        (
            "const struct super_operations example_sops = {
	.write_inode = example_a,
};
const struct address_space_operations example_aops = {
	.writepages = example_b,
};
",
            "example_b",
        ),
        (
            "const struct super_operations example_sops = {
	.write_inode = example_b,
};
const struct address_space_operations example_aops = {
	.writepages = example_a,
};
",
            "example_a",
        ),
        // A shorter chain goes before.
        (
            "const struct address_space_operations example_aops = {
	.writepage = example_a,
	.writepages = example_c,
};
",
            "example_a",
        ),
    ];
    let more = "
static int example_c(struct inode *inode)
{
	example_wait(inode);
	return example_b(inode);
}
";
    for (tables, first) in cases {
        let shown = shown(format!("{ENDS}{more}{tables}"));
        assert_eq!(shown, [*first, "example_drop"], "{tables}");
    }
}
