//! Calls through pointers: the member is that of the struct which holds it, wherever that is declared.

use lorelint_tests::graph_case::check_edges;

const OPS_H: (&str, &str) = (
    "include/linux/ops.h",
    "struct box_ops {
\tint (*done)(struct box *box);
};
struct bag_ops {
\tint (*done)(struct bag *bag, int error);
};
struct box {
\tconst struct box_ops *ops;
};
struct bag {
\tconst struct bag_ops *ops;
\tstruct box inner;
};
",
);

const TABLES: (&str, &str) = (
    "fs/example/tables.c",
    "#include <linux/ops.h>
static int box_done(struct box *box)\n{\n\treturn 1;\n}
static int bag_done(struct bag *bag, int error)\n{\n\treturn error;\n}
const struct box_ops box_ops = {\n\t.done = box_done,\n};
const struct bag_ops bag_ops = {\n\t.done = bag_done,\n};
",
);

/// Two structs have a member of this name; each way to the type of what stands before the arrow tells which.
#[test]
fn the_struct_is_found_from_whatever_declares_it() {
    let callers = (
        "fs/example/a.c",
        "#include <linux/ops.h>
struct box the_box;
static struct box *box_of(struct bag *bag)\n{\n\treturn &bag->inner;\n}
int by_declaration(void)\n{\n\treturn the_box.ops->done(&the_box);\n}
int by_parameter(const struct bag_ops *ops, struct bag *bag)\n{\n\treturn ops->done(bag, 1);\n}
int by_local(struct bag *bag)\n{\n\tstruct box *box = (void *)bag->data;\n\n\treturn box->ops->done(box);\n}
int by_return(struct bag *bag)\n{\n\treturn box_of(bag)->ops->done(box_of(bag));\n}
int by_members(struct bag *bag)\n{\n\treturn bag->inner.ops->done(&bag->inner);\n}
",
    );
    let files = [OPS_H, TABLES, callers];
    check_edges(&files, "by_declaration", &["ops box_done"]);
    check_edges(&files, "by_parameter", &["ops bag_done"]);
    check_edges(&files, "by_local", &["ops box_done"]);
    check_edges(&files, "by_return", &["direct box_of", "ops box_done"]);
    check_edges(&files, "by_members", &["ops box_done"]);
}

/// Nothing says what `lookup()` returns: how many arguments there are, and of which structs, tells as well.
#[test]
fn arity_and_types_break_ties() {
    let more = (
        "fs/example/more.c",
        "#include <linux/ops.h>
struct jar_ops {\n\tint (*done)(struct jar *jar);\n};
static int jar_done(struct jar *jar)\n{\n\treturn 2;\n}
const struct jar_ops jar_ops = {\n\t.done = jar_done,\n};
",
    );
    let callers = (
        "fs/example/a.c",
        "#include <linux/ops.h>
int two_arguments(struct bag *bag)\n{\n\treturn lookup(bag)->done(bag, 1);\n}
int of_a_box(struct box *box)\n{\n\treturn lookup(box)->done(box);\n}
int of_something(void *what)\n{\n\treturn lookup(what)->done(what);\n}
int of_nobody(struct bag *bag)\n{\n\treturn lookup(bag)->done(bag, 1, 2);\n}
",
    );
    let files = [OPS_H, TABLES, more, callers];
    check_edges(&files, "two_arguments", &["direct lookup", "ops bag_done"]);
    check_edges(&files, "of_a_box", &["direct lookup", "ops box_done"]);
    check_edges(
        &files,
        "of_something",
        &["direct lookup", "ops box_done", "ops jar_done"],
    );
    // Where none fits, none is excluded: the reading of the arguments may be what is wrong.
    check_edges(
        &files,
        "of_nobody",
        &[
            "direct lookup",
            "ops bag_done",
            "ops box_done",
            "ops jar_done",
        ],
    );
}
