//! What a name means where it is used, as the compiler has it: which macro, which function, whose.

use lorelint_tests::graph_case::{ask, check_edges};

#[test]
fn the_number_of_arguments_may_choose_the_macro_that_is_used() {
    let header = (
        "include/linux/later.h",
        "#define CHOOSE(_1, _2, NAME, ...) NAME
#define give_later(it, member...) give_any(it, ## member)
#define give_any(...) CHOOSE(__VA_ARGS__, give_2, give_1)(__VA_ARGS__)
#define give_2(it, member) do { queue_give(&(it)->member); } while (0)
#define give_1(it) do { wait_and_give(it); } while (0)
void queue_give(struct later *it);
void wait_and_give(void *it);
",
    );
    let made = (
        "kernel/later.c",
        "void queue_give(struct later *it)\n{\n\tkeep(it);\n}\n
void wait_and_give(void *it)\n{\n\tsleep();\n}\n",
    );
    let user = (
        "fs/example/a.c",
        "void one(struct node *it)\n{\n\tgive_later(it, later);\n}\n
void two(struct node *it)\n{\n\tgive_later(it);\n}\n",
    );
    let files = [header, made, user];
    check_edges(&files, "one", &["macro queue_give"]);
    check_edges(&files, "two", &["macro wait_and_give"]);
}

#[test]
fn a_block_that_another_source_names_makes_nothing_of_calls_elsewhere() {
    let header = (
        "include/linux/spin.h",
        "#define take_saved(lock, flags) \\\ndo { \\\n\tflags = real_take(lock); \\\n} while (0)\n",
    );
    let other = (
        "include/linux/spin_other.h",
        "#define take_saved(lock, flags) \\\ndo { \\\n\tcheck(unsigned long, flags); \\\n\tother_take(lock); \\\n} while (0)\n",
    );
    let apart = (
        "arch/parisc/kernel/early.c",
        "# define take_saved(a, b) { b = 1; }\n
void early(int x)\n{\n\tint flags;\n\ttake_saved(x, flags);\n}\n",
    );
    let user = (
        "fs/example/a.c",
        "#include <linux/spin.h>\n
#define MAKE_TEST(name) \\\nint test_##name(struct x *x) \\\n{ \\\n\tint flags; \\\n\ttake_saved(x, flags); \\\n\treturn x->name; \\\n}
MAKE_TEST(dirty)\nMAKE_TEST(clean)\n",
    );
    let files = [header, other, apart, user];
    check_edges(&files, "test_dirty", &["macro real_take"]);
}

#[test]
fn what_a_header_holds_for_user_space_is_not_meant() {
    let header = (
        "include/linux/parity.h",
        "#ifdef __KERNEL__
#define have_room(x) ask_kernel(x)
#else
#define have_room(x) ask_user(x)
#endif
#ifndef __KERNEL__
#define say(fmt, ...) print_to_user(fmt, ## __VA_ARGS__)
#ifdef DEBUG
#define say_more(fmt) print_to_user(fmt)
#endif
static inline void user_only(void) { exit(1); }
#else
#define say_more(fmt) print_more(fmt)
#endif
#if defined(__KERNEL__) && defined(CONFIG_X)
#define two_arms(x) first(x)
#else
#define two_arms(x) second(x)
#endif
",
    );
    let print = (
        "include/linux/print.h",
        "#define say(fmt, ...) print(fmt, ## __VA_ARGS__)\n",
    );
    let between = ("include/linux/between.h", "#include <linux/print.h>\n");
    let user = (
        "fs/example/a.c",
        "#include <linux/parity.h>\n#include <linux/between.h>\n
void one(int x)\n{\n\thave_room(x);\n\tsay(\"x\");\n\tsay_more(\"x\");\n\ttwo_arms(x);\n}\n",
    );
    let files = [header, print, between, user];
    check_edges(
        &files,
        "one",
        &[
            "macro ask_kernel",
            "macro first",
            "macro print",
            "macro print_more",
            "macro second",
        ],
    );
    let functions = ask(&files, |graph| graph.functions(""));
    let names: Vec<&str> = functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["one"]);
}

#[test]
fn a_macro_does_not_hide_the_function_that_a_source_includes_as_a_header() {
    let header = (
        "include/linux/later.h",
        "#ifdef CONFIG_TASKS\nvoid call_tasks(struct node *it);\n#else
#define call_tasks call_plain\n#endif\nvoid call_plain(struct node *it);\n
#ifdef CONFIG_TINY\n#define in_place(it) call_plain(it)\n#endif\n",
    );
    let body = (
        "kernel/later/tasks.h",
        "void call_tasks(struct node *it)\n{\n\tkeep(it);\n}\n
static inline void in_place(struct node *it)\n{\n\tkeep(it);\n}\n",
    );
    let plain = (
        "kernel/later/plain.c",
        "#include \"tasks.h\"\nvoid call_plain(struct node *it)\n{\n\tkeep(it);\n}\n",
    );
    let user = (
        "fs/example/a.c",
        "#include <linux/later.h>\nvoid one(struct node *it)\n{\n\tcall_tasks(it);\n}\n
void two(struct node *it)\n{\n\tin_place(it);\n}\n",
    );
    let files = [header, body, plain, user];
    check_edges(&files, "one", &["direct call_tasks", "macro call_plain"]);
    check_edges(&files, "two", &["macro call_plain"]);
}

#[test]
fn what_a_use_makes_in_one_file_is_not_taken_for_what_it_makes_in_another() {
    let header = (
        "include/linux/make.h",
        "#define KIND(n) common_##n
#define MAKE(n, t) t KIND(n)(t it) { return work_for_##n(it); }
#define word another
",
    );
    let users = [
        ("fs/a/a.c", "MAKE(one, int)\nMAKE(word, int)\n"),
        ("fs/b/b.c", "#define KIND(n) own_##n\nMAKE(two, int)\n"),
        ("fs/c/c.h", "#define KIND(n) near_##n\n"),
        ("fs/c/c.c", "MAKE(three, int)\n"),
        ("fs/d/d.c", "MAKE(four, int)\n"),
    ];
    let files: Vec<(&str, &str)> = [header].into_iter().chain(users).collect();
    for (function, called) in [
        ("common_one", "work_for_one"),
        ("common_word", "work_for_word"),
        ("own_two", "work_for_two"),
        ("near_three", "work_for_three"),
        ("common_four", "work_for_four"),
    ] {
        check_edges(&files, function, &[&format!("macro {called}")]);
    }
}

/// Two implementations with functions of the same names; the headers of one give its functions others.
const RENAMED: [(&str, &str); 6] = [
    (
        "fs/box/box.h",
        "int box_find(int key);\nvoid box_put(int key);\n",
    ),
    (
        "fs/box/find.c",
        "#include \"box.h\"\nint box_find(int key)\n{\n\treturn low(key);\n}\n
void box_put(int key)\n{\n\tbox_find(key);\n}\n
int box_user(int key)\n{\n\treturn box_find(key);\n}\n",
    ),
    (
        "fs/boxplus/boxplus.h",
        "#define box_find boxplus_find\n#define box_put boxplus_put\nint box_find(int key);
#ifdef CONFIG_BOX_CHECK\nint box_check(int key);\n#else\n#define box_check NULL\n#endif
#ifndef CONFIG_BOX_SCAN\n#define box_scan box_not_there\n#endif\n",
    ),
    (
        "fs/boxplus/find.c",
        "#include \"boxplus.h\"\nint box_find(int key)\n{\n\treturn high(key);\n}\n
void box_put(int key)\n{\n\tbox_find(key);\n}\n
int box_check(int key)\n{\n\treturn key;\n}\n
int box_scan(int key)\n{\n\treturn key;\n}\n
int box_not_there(int key)\n{\n\treturn -1;\n}\n",
    ),
    (
        "fs/boxplus/dir.c",
        "#include \"boxplus.h\"\nstruct ops { int (*find)(int key); };
static const struct ops dir_ops = { .find = box_find };
int plus_user(int key)\n{\n\tbox_put(key);\n\treturn box_find(key) + dir_ops.find(key);\n}\n",
    ),
    (
        "fs/boxplus/apart.c",
        "static int box_put(int key)\n{\n\treturn key;\n}\n
int apart_user(int key)\n{\n\treturn box_put(key);\n}\n",
    ),
];

#[test]
fn a_macro_may_give_the_functions_of_a_directory_other_names() {
    let functions = ask(&RENAMED, |graph| graph.functions("fs/boxplus"));
    let names: Vec<String> = functions
        .into_iter()
        .map(|it| format!("{} {}", it.file, it.name))
        .collect();
    assert_eq!(
        names,
        [
            "fs/boxplus/apart.c apart_user",
            "fs/boxplus/apart.c box_put",
            "fs/boxplus/dir.c plus_user",
            "fs/boxplus/find.c box_check",
            "fs/boxplus/find.c box_not_there",
            "fs/boxplus/find.c box_scan",
            "fs/boxplus/find.c boxplus_find",
            "fs/boxplus/find.c boxplus_put",
        ]
    );
    check_edges(&RENAMED, "boxplus_put", &["direct boxplus_find"]);
    check_edges(
        &RENAMED,
        "plus_user",
        &[
            "direct boxplus_find",
            "direct boxplus_put",
            "ops boxplus_find",
        ],
    );
    check_edges(&RENAMED, "apart_user", &["direct box_put"]);
    check_edges(&RENAMED, "box_user", &["direct box_find"]);
    check_edges(&RENAMED, "box_put", &["direct box_find"]);
}

#[test]
fn a_renamed_function_is_found_by_both_names() {
    let callers = |name: &str| {
        let rows = ask(&RENAMED, |graph| graph.callers(name).unwrap());
        let rows = rows.into_iter();
        rows.map(|it| format!("{} {} {}", it.kind.as_str(), it.caller, it.callee))
            .collect::<Vec<_>>()
    };
    let plus = [
        "direct plus_user boxplus_find",
        "ops plus_user boxplus_find",
        "direct boxplus_put boxplus_find",
    ];
    assert_eq!(callers("boxplus_find"), plus);
    assert_eq!(callers("fs/boxplus:box_find"), plus);
    let tables = ask(&RENAMED, |graph| graph.tables(""));
    let tables: Vec<String> = tables.into_iter().map(|it| it.function).collect();
    assert_eq!(tables, ["boxplus_find"]);
}

#[test]
fn a_macro_gives_way_to_the_function_of_the_other_arm() {
    let fetch = (
        "include/linux/fetch.h",
        "#ifndef ARCH_HAS_FETCH\n#define fetch_line(x) generic_fetch(x)\n#endif
#ifdef CONFIG_BUS\nvoid bus_put(struct bus *bus);\n#else\n#define bus_put(bus) do { } while (0)\n#endif
#define bus_get(bus) do { } while (0)\n#define bus_use(bus) bus_get(bus)\n",
    );
    let arch = (
        "arch/x86/include/asm/fetch.h",
        "#define ARCH_HAS_FETCH\nstatic inline void fetch_line(const void *x)\n{\n\town_fetch(x);\n}\n",
    );
    let driver = (
        "drivers/bus/bus.c",
        "#include <linux/fetch.h>\nvoid bus_put(struct bus *bus)\n{\n\tfree_bus(bus);\n}\n
int bus_get(struct bus *bus)\n{\n\treturn 0;\n}\n",
    );
    let user = (
        "fs/example/a.c",
        "#include <asm/fetch.h>\n#include <linux/fetch.h>
void one(struct bus *bus)\n{\n\tfetch_line(bus);\n\tbus_put(bus);\n\tbus_get(bus);\n}\n",
    );
    check_edges(
        &[fetch, arch, driver, user],
        "one",
        &["direct bus_put", "direct fetch_line", "macro generic_fetch"],
    );
}
