//! Functions in tables, as they are listed: forms in which a macro makes the table.

use lorelint_tests::graph_case::ask;

const WAIT: (&str, &str) = (
    "include/linux/wait.h",
    "struct waiter { int (*func)(int key); void *task; };
struct watcher { int (*run)(int key); int order; };
int wake_default(int key);
#define INIT_WAIT_FUNC(name, function) struct waiter name = { .task = 0, .func = function }
#define INIT_WAIT(name) INIT_WAIT_FUNC(name, wake_default)
#ifdef CONFIG_WATCH
#define watch_hot(fn, pri) \\\n({ \\
\tstatic __meminitdata struct watcher fn##_nb = { .run = fn, .order = pri }; \\
\tregister_watcher(&fn##_nb); \\\n})
#else\n#define watch_hot(fn, pri) ({ (void)(fn); 0; })\n#endif
#define set_waiter(w, fn) ((w)->func = fn)
",
);
const WAKE: (&str, &str) = (
    "kernel/wake.c",
    "#include <linux/wait.h>\nint wake_default(int key)\n{\n\treturn key;\n}\n",
);

/// The entries of one file, one `table struct.member function` a line.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let files = [
        WAIT,
        WAKE,
        (
            "include/linux/percpu.h",
            "#define DEFINE_PER_CPU(type, name) __attribute__((section(\"x\"))) __typeof__(type) name\n",
        ),
        ("fs/example/a.c", text),
    ];
    let found = ask(&files, |graph| graph.tables("fs/example"));
    let found: Vec<String> = found
        .into_iter()
        .map(|it| {
            format!(
                "{} {}.{} {}",
                it.table, it.structure, it.member, it.function
            )
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_object_that_a_macro_declares_before_its_value_has_its_name_and_type() {
    check(
        "#include <linux/percpu.h>\n#include <linux/wait.h>
static int first(int key)\n{\n\treturn key;\n}\n
static DEFINE_PER_CPU(struct watcher, watcher) = { .run = first };
DEFINE_PER_CPU(struct waiter, waiters) = {\n\tfirst,\n};
static DEFINE_PER_CPU(int, count) = 1;\n",
        &["waiters waiter.func first", "watcher watcher.run first"],
    );
}

#[test]
fn a_macro_may_declare_an_object_inside_of_a_function() {
    check(
        "#include <linux/wait.h>
static int first(int key)\n{\n\treturn key;\n}\n
int start(struct waiter *other)\n{\n\tINIT_WAIT_FUNC(wait, first);\n\tINIT_WAIT(more);
\tset_waiter(other, first);\n\treturn watch_hot(first, 3) + sleep_on(&wait, &more);\n}\n",
        &[
            "start waiter.func first",
            "start waiter.func first",
            "start waiter.func wake_default",
            "start watcher.run first",
        ],
    );
}

#[test]
fn a_value_may_be_a_function_or_what_the_other_arm_has_instead() {
    check(
        "#include <linux/wait.h>
#ifdef DEBUG
static int checked(int key)\n{\n\treturn key;\n}
#else\n#define checked wake_default\n#endif
static const struct watcher watcher = { .run = checked };\n",
        &[
            "watcher watcher.run checked",
            "watcher watcher.run wake_default",
        ],
    );
}
