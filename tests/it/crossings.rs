//! Chains that go from one filesystem into another one by a plain call, in trees that change.

use lorelint::tree::{MemTree, Overlay};
use lorelint_tests::states::{Changes, check_in_a_row, file};

const ONE: &str = "fs/one/super.c";
const TWO: &str = "fs/two/super.c";

/// A filesystem whose writeback does something.
fn filesystem(name: &str, line: &str) -> String {
    format!(
        "static struct file_system_type {name}_type = {{
	.name = \"{name}\",
}};

static int {name}_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
	{line}
	return 0;
}}

static const struct address_space_operations {name}_aops = {{
	.writepages = {name}_writepages,
}};
"
    )
}

/// With a function that others may call.
fn with_put(name: &str, line: &str, put: &str) -> String {
    let own = filesystem(name, line);
    format!("void {name}_put(struct inode *inode)\n{{\n\t{put}\n}}\n\n{own}")
}

#[track_caller]
fn check([one, two]: [&str; 2], states: &[(&str, Changes<'_>, bool)]) {
    let empty = MemTree::default();
    let files = [file(ONE, one), file(TWO, two)];
    let base = Overlay::new(&empty).with(files.map(|it| (it.0, Some(it.1))));
    check_in_a_row(&base, states);
}

#[test]
fn a_call_into_another_filesystem_comes_and_goes() {
    let calls = filesystem("one", "two_put(mapping->host);");
    let other = filesystem("one", "if (wbc->sync_mode)\n\t\ttwo_put(mapping->host);");
    let waits = filesystem("one", "one_wait(mapping);");
    let drops = with_put("two", "two_wait(mapping);", "iput(inode);");
    check(
        [&waits, &drops],
        &[
            ("the caller changes", &[(ONE, Some(&calls))], true),
            ("it calls it otherwise", &[(ONE, Some(&other))], true),
            ("it waits", &[(ONE, Some(&waits))], false),
            ("it calls it again", &[(ONE, Some(&calls))], true),
            ("it goes", &[(ONE, None)], false),
        ],
    );
}

#[test]
fn what_is_called_in_another_filesystem_changes() {
    let calls = filesystem("one", "two_put(mapping->host);");
    let waits = with_put("two", "two_wait(mapping);", "two_wait(inode);");
    let drops = with_put("two", "two_wait(mapping);", "iput(inode);");
    let moved = with_put(
        "two",
        "two_wait(mapping);",
        "two_wait(inode);\n\tiput(inode);",
    );
    check(
        [&calls, &drops],
        &[
            ("it moves", &[(TWO, Some(&moved))], true),
            ("it waits", &[(TWO, Some(&waits))], false),
            ("it drops", &[(TWO, Some(&drops))], true),
        ],
    );
}

#[test]
fn of_two_that_call_a_third_one_goes() {
    const OTHER: &str = "fs/other/super.c";
    let calls = filesystem("one", "two_put(mapping->host);");
    let waits = filesystem("one", "one_wait(mapping);");
    let others = filesystem("other", "two_put(mapping->host);");
    let drops = with_put("two", "two_wait(mapping);", "iput(inode);");
    check(
        [&calls, &drops],
        &[
            ("another one calls it", &[(OTHER, Some(&others))], true),
            ("the first waits", &[(ONE, Some(&waits))], true),
            ("the first calls it", &[(ONE, Some(&calls))], true),
            ("the other one goes", &[(OTHER, None)], true),
            ("the first waits again", &[(ONE, Some(&waits))], false),
        ],
    );
}
