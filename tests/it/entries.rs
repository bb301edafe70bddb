//! What makes a function an entry point, in trees that change.

use lorelint_tests::states::check_files_in_a_row;

const BIO: (&str, &str) = (
    "include/linux/bio.h",
    "struct bio {\n\tvoid (*bi_end_io)(struct bio *bio);\n\tvoid *bi_private;\n};\n",
);
const TYPES: &str = "fs/one/one.h";
const OTHER: &str = "drivers/md/other.c";
const ZERO: &str = "drivers/md/zero.c";

/// A driver's file whose end of I/O, if it has one, drops an inode.
fn driver(name: &str, is_entry: bool) -> String {
    let set = if is_entry {
        format!("bio->bi_end_io = {name}_end_io;")
    } else {
        format!("{name}_end_io(bio);")
    };
    format!(
        "#include <linux/bio.h>

static void {name}_end_io(struct bio *bio)
{{
	iput(bio->bi_private);
}}

void {name}_submit(struct bio *bio)
{{
	{set}
}}
"
    )
}

/// So many types that have such a member as well, and one that has another.
fn types(count: usize) -> String {
    let of = |at| format!("struct one_{at} {{\n\tvoid (*bi_end_io)(struct bio *bio);\n}};\n\n");
    let own = "struct one_own {\n\tvoid (*done)(struct inode *inode);\n};\n";
    (0..count).map(of).collect::<String>() + own
}

#[test]
fn a_driver_registers_beside_another_one() {
    let (other, entry, plain) = (
        driver("other", true),
        driver("zero", true),
        driver("zero", false),
    );
    let (none, all) = (driver("other", false), "");
    check_files_in_a_row(
        &[BIO, (OTHER, &other), (ZERO, &plain)],
        &[
            ("one more", &[(ZERO, Some(&entry))], true),
            ("no more", &[(ZERO, Some(&plain))], true),
            (
                "again, and the other one goes",
                &[(ZERO, Some(&entry)), (OTHER, None)],
                true,
            ),
            ("none", &[(ZERO, Some(&plain)), (OTHER, Some(&none))], false),
            (
                "the other one",
                &[(OTHER, Some(&other)), (ZERO, Some(all))],
                true,
            ),
        ],
    );
}

#[test]
fn types_declare_what_entry_points_are_set_in() {
    let (few, more, many) = (types(1), types(2), types(6));
    let (own, other) = (types(0), driver("other", true));
    check_files_in_a_row(
        &[BIO, (OTHER, &other), (TYPES, &few)],
        &[
            ("one more", &[(TYPES, Some(&more))], true),
            ("none", &[(TYPES, Some(&own))], true),
            (
                "many: the name says nothing",
                &[(TYPES, Some(&many))],
                false,
            ),
            ("few again", &[(TYPES, Some(&few))], true),
        ],
    );
}
