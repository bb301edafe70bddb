//! Functions that are made by macros whose names other macros paste.

use lorelint_tests::graph_case::ask;
use lorelint_tests::states::{Changes, check_files_in_a_row};

const HEADER: &str = "include/linux/knobs.h";
const SOURCE: &str = "fs/example/super.c";

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let functions = ask(files, |graph| graph.functions(""));
    let found: Vec<String> = functions.into_iter().map(|it| it.name).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_macro_of_a_pasted_name_makes_a_function() {
    let header = "#define __check_knob(name, p, type) \\
\tstatic inline type __unused *__check_##name(void) { return(p); }
#define check_knob_int(name, p) __check_knob(name, p, int)
#define check_knob_hex(name, p) check_knob_int(name, p)
#define check_knob_octal check_knob_int
#define knob(name, value, type, mode) \\
\tcheck_knob_##type(name, &(value)); \\
\tstatic const struct knob __knob_##name = { #name, &knob_ops_##type, &value, mode }
";
    let source = "#include <linux/knobs.h>
#define check_knob_name(name, p) __check_knob(name, p, struct name)
#define EXAMPLE_KNOBS(field) knob(fourth, state.field, int, 0644); knob(fifth, state.field, hex, 0)
knob(first, example_first, int, 0644);
knob(second, example_second, hex, 0600);
knob(third, example_third, octal, 0600);
EXAMPLE_KNOBS(wide);
knob(sixth, example_sixth, name, 0444);
knob(seventh, example_seventh, nobody, 0444);
";
    let made = ["__check_fifth", "__check_first", "__check_fourth"];
    let more = ["__check_second", "__check_sixth", "__check_third"];
    check(
        &[(HEADER, header), (SOURCE, source)],
        &[made, more].concat(),
    );
}

#[test]
fn a_macro_may_do_nothing_else() {
    let source = "#define MAKE_GET(type, name) static type get_##name(void) { return name; }
#define MAKE_SET(type, name) static void set_##name(type to) { name = to; }
#define MAKE(what, type, name) MAKE_##what(type, name)
#define MAKE_BOTH(type, name) MAKE(GET, type, name) MAKE(SET, type, name)
MAKE(GET, int, first)
MAKE_BOTH(long, second);
";
    check(
        &[(SOURCE, source)],
        &["get_first", "get_second", "set_second"],
    );
}

#[test]
fn the_name_of_a_made_function_is_no_macro() {
    let source = "#define MAKE_GET(name) static int get_##name(void) { return name; }
#define get_second() 0
#define get_third(x) ({ int y = other(x); y; })
#define get_fourth MAKE_READ
#define MAKE_READ(name) static int read_##name(void) { return name; }
#define MAKE(what, name) MAKE_##what(name)
MAKE(GET, first)
MAKE(GET, second)
MAKE(GET, third)
MAKE(GET, fourth)
";
    check(
        &[(SOURCE, source)],
        &["get_first", "get_fourth", "get_second", "get_third"],
    );
}

#[test]
fn a_macro_of_its_own_name_is_not_followed_without_end() {
    let source = "#define MAKE_A(name) MAKE(B, name); static int a_##name(void) { return 0; }
#define MAKE_B(name) MAKE(A, name); static int b_##name(void) { return 0; }
#define MAKE(what, name) MAKE_##what(name)
MAKE(A, first)
";
    check(&[(SOURCE, source)], &["a_first"]);
}

#[test]
fn a_macro_of_a_pasted_name_comes_and_goes() {
    let drop = "#define make_drop(name) \\
static int name##_writepages(struct address_space *mapping, struct writeback_control *wbc) \\
{ \\
\tiput(mapping->host); \\
\treturn 0; \\
}
";
    let keep = drop.replace("iput(mapping->host)", "example_wait(mapping)");
    let user = "#include <linux/knobs.h>
make(drop, example)
static const struct address_space_operations example_aops = {
\t.writepages = example_writepages,
};
";
    let make = "#define make(what, name) make_##what(name)\n";
    let other = "#define make(what, name) make_no_##what(name)\n";
    let hands = "#define make(what, name) __make(what, name)\n\
        #define __make(what, name) make_##what(name) static const int name##_size = { 1 };\n";
    let [makes, keeps, none, elsewhere] = [
        [make, drop].concat(),
        [make, &keep].concat(),
        [other, drop].concat(),
        [hands, drop].concat(),
    ];
    let own = [drop, user].concat();
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("it drops now", &[(HEADER, Some(&makes))], true),
        ("it has another name", &[(HEADER, Some(&none))], false),
        ("another macro uses it", &[(HEADER, Some(&elsewhere))], true),
        ("it is gone", &[(HEADER, Some(make))], false),
        ("a macro of the source", &[(SOURCE, Some(&own))], true),
        ("of nobody again", &[(SOURCE, Some(user))], false),
        ("of the header again", &[(HEADER, Some(&makes))], true),
        ("it drops no more", &[(HEADER, Some(&keeps))], false),
    ];
    check_files_in_a_row(&[(HEADER, &keeps), (SOURCE, user)], states);
}
