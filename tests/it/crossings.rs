//! Chains that go from one filesystem into another one by a plain call, in trees that change.

use lorelint_tests::states::{Changes, check_files_in_a_row};

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
    check_files_in_a_row(&[(ONE, one), (TWO, two)], states);
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

/// Two filesystems and a table of nobody's, whose writeback calls `two_put()`.
fn with_nobodys(path: &str, two: &str, states: &[(&str, Changes<'_>, bool)]) {
    let table = "static void part_flush(struct inode *inode)
{
	two_put(inode);
}

static int part_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	part_flush(mapping->host);
	return 0;
}

static const struct address_space_operations part_aops = {
	.writepages = part_writepages,
};
";
    let one = filesystem("one", "one_wait(mapping);");
    check_files_in_a_row(&[(path, table), (ONE, &one), (TWO, two)], states);
}

/// Where a table is nobody's: in what serves all filesystems, and in a driver.
const NOBODYS: [&str; 3] = ["fs/parts.c", "block/parts.c", "drivers/part/parts.c"];

#[test]
fn what_is_called_from_nobodys_table_changes() {
    let waits = with_put("two", "two_wait(mapping);", "two_wait(inode);");
    let drops = with_put("two", "two_wait(mapping);", "iput(inode);");
    let both = with_put(
        "two",
        "two_wait(mapping);",
        "two_wait(inode);\n\tiput(inode);",
    );
    for path in NOBODYS {
        with_nobodys(
            path,
            &waits,
            &[
                ("it drops", &[(TWO, Some(&drops))], true),
                ("it does both", &[(TWO, Some(&both))], true),
                ("it drops alone", &[(TWO, Some(&drops))], true),
                ("it waits", &[(TWO, Some(&waits))], false),
                ("it drops again", &[(TWO, Some(&drops))], true),
            ],
        );
    }
}

#[test]
fn what_nobodys_chain_passes_on_changes() {
    let free = |what: &str| {
        let put = with_put(
            "two",
            "two_wait(mapping);",
            &format!("two_free(inode, {what});"),
        );
        format!(
            "static void two_free(struct inode *inode, struct inode *other)
{{
	two_wait(inode);
	if (other)
		iput(other);
}}

{put}"
        )
    };
    let (none, own) = (free("NULL"), free("inode"));
    let called = own.replace("two_wait(mapping);", "two_put(mapping->host);");
    for path in NOBODYS {
        with_nobodys(
            path,
            &none,
            &[
                ("its own inode", &[(TWO, Some(&own))], true),
                ("none", &[(TWO, Some(&none))], false),
                (
                    "its own, called by itself as well",
                    &[(TWO, Some(&called))],
                    true,
                ),
                ("its own again", &[(TWO, Some(&own))], true),
            ],
        );
    }
}
