//! Calls through members that nothing is seen to set: how many there are is said.

use lorelint::{Linter, Options};
use lorelint_tests::graph_case::tree;

/// How many such calls there are in a file which `sets` a member and calls through it.
#[track_caller]
fn check(sets: &str, expected: u64) {
    let text = format!(
        "struct box {{
	int size;
	int (*end)(struct box *box, int error);
	int (*note)(struct box *box);
}};

static int box_end(struct box *box, int error)
{{
	return error;
}}

static int box_close(struct box *box)
{{
	int size = box->size;

	if (size)
		return box->end(box, size);
	return box->end(box, 0);
}}

{sets}"
    );
    let report = Linter::new(Options::default()).check(&tree(&[("fs/example/box.c", &text)]));
    assert_eq!(report.unwrap().stats.unbound_calls, expected, "{sets}");
}

#[test]
fn a_member_that_nobody_sets() {
    check("", 1);
}

#[test]
fn a_member_that_gets_what_a_function_returns() {
    check(
        "void box_open(struct box *box)
{
	box->end = box_choose(box);
}
",
        1,
    );
}

#[test]
fn a_member_that_a_table_sets() {
    check(
        "static const struct box a_box = {
	.end = box_end,
};
",
        0,
    );
}

#[test]
fn a_member_that_a_table_sets_by_position() {
    check("static const struct box a_box = { 1, box_end };\n", 0);
}

#[test]
fn a_member_that_is_assigned() {
    check(
        "void box_open(struct box *box)
{
	box->end = box_end;
}
",
        0,
    );
}

/// There is nothing to call.
#[test]
fn a_member_that_is_only_set_to_nothing() {
    check(
        "static const struct box a_box = {
	.end = NULL,
};
",
        0,
    );
}

/// Each member once a function, and what only reads a member calls nothing.
#[test]
fn each_member_counts_once_a_function() {
    check(
        "static int box_shut(struct box *box)
{
	int (*note)(struct box *box) = box->note;

	return box->end(box, 0) + box->note(box) + (box->end)(box, 1);
}
",
        3,
    );
}
