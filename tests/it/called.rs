//! Members that somebody begins to call, or calls no more, in trees that change.

use std::sync::LazyLock;

use lorelint::tree::{MemTree, Overlay};
use lorelint_tests::states::{Changes, check_in_a_row, file};

const SUPER: &str = "fs/example/super.c";
const HELPER: &str = "fs/example/helper.c";
const OTHER: &str = "fs/example/other.c";
const HEADER: &str = "fs/example/example.h";

/// `last` is of a type that does not say that it is a pointer to a function.
const TYPES: &str = "typedef int example_fn(struct inode *inode);
struct example { int (*done)(struct inode *inode); example_fn *last; };
void example_set(struct example *example, example_fn *done, example_fn *last);
#define example_mark(example, fn) ((example)->last = (fn))
";

const STORES: &str = "#include \"example.h\"

void example_set(struct example *example, example_fn *done, example_fn *last)
{
	example->done = done;
	example->last = last;
}
";

const CALLS: &str = "#include \"example.h\"

int example_run(struct example *example, struct inode *inode)
{
	return example->last(inode);
}
";

/// A source that gives a function to who puts it into `last`, and runs what is there.
fn source(gives: &str) -> String {
    format!(
        "#include \"example.h\"

static int example_put(struct inode *inode)
{{
	iput(inode);
	return 0;
}}

void example_begin(struct example *example)
{{
	{gives}
}}

static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
	struct example *example = mapping->i_private_data;
	example_fn *last;

	last = example->last;
	example->done(mapping->host);
	return last(mapping->host);
}}

static const struct address_space_operations example_aops = {{
	.writepages = example_writepages,
}};
"
    )
}

#[test]
fn a_member_that_is_called_comes_and_goes() {
    static EMPTY: LazyLock<MemTree> = LazyLock::new(MemTree::default);
    let helper = source("example_set(example, NULL, example_put);");
    let marked = source("example_mark(example, example_put);");
    let waits = CALLS.replace("example->last(inode)", "example_wait(inode)");
    let declared = TYPES.replace("example_fn *last;", "int (*last)(struct inode *inode);");
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("nothing changes", &[], true),
        ("another calls it no more", &[(OTHER, Some(&waits))], false),
        (
            "its type says what it is",
            &[(HEADER, Some(&declared))],
            true,
        ),
        ("a macro sets it", &[(SUPER, Some(&marked))], true),
        ("its type says nothing", &[(HEADER, Some(TYPES))], false),
        ("another calls it again", &[(OTHER, Some(CALLS))], true),
        ("the helper sets it again", &[(SUPER, Some(&helper))], true),
        ("the helper goes", &[(HELPER, None)], false),
    ];
    let files = [
        (SUPER, helper.as_str()),
        (HELPER, STORES),
        (OTHER, CALLS),
        (HEADER, TYPES),
    ];
    let files = files.map(|(path, text)| file(path, text));
    let base = Overlay::new(&*EMPTY).with(files.map(|it| (it.0, Some(it.1))));
    check_in_a_row(&base, states);
}

/// A source that puts a function into an object on its stack.
fn on_stack(calls: &str) -> String {
    format!(
        "struct example_parm {{ int (*done)(struct inode *inode); struct inode *inode; }};

static int example_put(struct inode *inode)
{{
	struct inode *other = example_other(inode);

	if (other)
		example_note(other);
	iput(other);
	return 0;
}}

static int example_run(struct example_parm *parm)
{{
	return {calls}(parm->inode);
}}

static int example_begin(struct inode *inode, int (*done)(struct inode *inode))
{{
	struct example_parm parm = {{ .done = done, .inode = inode }};

	return example_run(&parm);
}}

static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
	return example_begin(mapping->host, example_put);
}}

static const struct address_space_operations example_aops = {{
	.writepages = example_writepages,
}};
"
    )
}

#[test]
fn a_call_of_what_lies_on_a_stack_comes_and_goes() {
    static EMPTY: LazyLock<MemTree> = LazyLock::new(MemTree::default);
    let (calls, waits) = (on_stack("parm->done"), on_stack("example_wait"));
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("nothing changes", &[], true),
        ("it is called no more", &[(SUPER, Some(&waits))], false),
        ("it is called again", &[(SUPER, Some(&calls))], true),
    ];
    let files = [(SUPER, calls.as_str())].map(|(path, text)| file(path, text));
    let base = Overlay::new(&*EMPTY).with(files.map(|it| (it.0, Some(it.1))));
    check_in_a_row(&base, states);
}
