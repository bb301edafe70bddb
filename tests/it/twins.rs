//! Which of several functions of one name an edge goes to, and what is named in nested macros alone.

use lorelint_tests::graph_case::{ask, check_edges};

/// The callees of one function: file, name and how sure, in order.
#[track_caller]
fn check_callees(files: &[(&str, &str)], caller: &str, expected: &[&str]) {
    let edges = ask(files, |graph| graph.callees(caller)).unwrap();
    let found: Vec<String> = edges
        .iter()
        .map(|it| {
            let file = it.callee_file.as_ref().map_or("", |it| it.as_str());
            format!("{file} {} {}", it.callee, it.confidence.as_str())
        })
        .collect();
    assert_eq!(found, expected, "of {caller}");
}

const BODY: &str = "\n{\n\treturn x;\n}\n";

#[test]
fn each_architecture_calls_its_own() {
    let f = format!("int flush_all(int x){BODY}");
    let user = |name: &str| format!("int {name}(int x)\n{{\n\treturn flush_all(x);\n}}\n");
    let (of_x86, of_arm64, of_fs) = (user("one"), user("two"), user("three"));
    let files = [
        ("arch/arm64/mm/flush.c", f.as_str()),
        ("arch/x86/mm/flush.c", f.as_str()),
        ("arch/arm64/kernel/b.c", of_arm64.as_str()),
        ("arch/x86/kernel/a.c", of_x86.as_str()),
        ("fs/example/c.c", of_fs.as_str()),
    ];
    check_callees(&files, "one", &["arch/x86/mm/flush.c flush_all high"]);
    check_callees(&files, "two", &["arch/arm64/mm/flush.c flush_all high"]);
    // One architecture stands for all where the text is no architecture's own.
    check_callees(&files, "three", &["arch/x86/mm/flush.c flush_all high"]);
}

#[test]
fn a_weak_function_gives_way_to_the_one_of_the_architecture() {
    let weak = format!("int __weak flush_all(int x){BODY}");
    let strong = format!("int flush_all(int x){BODY}");
    let user = "int one(int x)\n{\n\treturn flush_all(x);\n}\n";
    let files = [
        ("arch/arm64/mm/flush.c", strong.as_str()),
        ("arch/x86/mm/flush.c", strong.as_str()),
        ("fs/example/c.c", user),
        ("mm/flush.c", weak.as_str()),
    ];
    let both = [
        "arch/x86/mm/flush.c flush_all high",
        "mm/flush.c flush_all medium",
    ];
    check_callees(&files, "one", &both);
    // Without one the weak function is what is linked.
    check_callees(
        &[files[0], files[2], files[3]],
        "one",
        &["mm/flush.c flush_all high"],
    );
}

#[test]
fn arms_are_all_meant_and_statics_stay_at_home() {
    let arms = "#ifdef CONFIG_FAST
static int pick(int x)\n{\n\treturn fast(x);\n}\n#else
static int pick(int x)\n{\n\treturn slow(x);\n}\n#endif
int one(int x)\n{\n\treturn pick(x);\n}\n";
    let other = format!("static int pick(int x){BODY}int two(int x)\n{{\n\treturn pick(x);\n}}\n");
    let files = [("fs/example/a.c", arms), ("fs/example/b.c", other.as_str())];
    let lines = |caller: &str| {
        let functions = ask(&files, |graph| graph.callees(caller)).unwrap();
        functions.len()
    };
    check_callees(
        &files,
        "one",
        &["fs/example/a.c pick high", "fs/example/a.c pick high"],
    );
    assert_eq!(lines("two"), 1);
    check_callees(&files, "two", &["fs/example/b.c pick high"]);
}

#[test]
fn a_macro_that_is_applied_to_a_list_makes_a_function_of_each() {
    let file = (
        "kernel/run.c",
        "#define EACH1(FN, X) FN(X)
#define EACH2(FN, X, Y...) FN(X) EACH1(FN, Y)
#define EACH3(FN, X, Y...) FN(X) EACH2(FN, Y)
#define RUN_NAME(size) run##size
#define DEFINE_RUN(size) \\
static int RUN_NAME(size)(const void *ctx) \\
{ \\
\tchar stack[size]; \\
\\
\treturn run_on(stack, ctx); \\
}

EACH3(DEFINE_RUN, 32, 64, 96);
EACH2(DEFINE_RUN, 128, 160);

#define RUN_LIST(size) RUN_NAME(size),
static int (*runners[])(const void *ctx) = {
EACH3(RUN_LIST, 32, 64, 96)
};
",
    );
    let functions = ask(&[file], |graph| graph.functions(""));
    let found: Vec<String> = functions
        .iter()
        .map(|it| format!("{}:{}", it.line, it.name))
        .collect();
    assert_eq!(
        found,
        ["15:run128", "15:run160", "14:run32", "14:run64", "14:run96"]
    );
    check_edges(&[file], "run96", &["macro run_on"]);
}

/// What is not defined in the tree is spelled where the innermost macro stands, with arguments or without.
#[test]
fn an_undefined_callee_of_a_nested_macro_has_its_name() {
    let header = (
        "include/linux/limit.h",
        "#define LIMIT (lowest_limit() + 1)
#define clamp_to(x, limit) ((x) < (limit) ? (x) : (limit))
#define within(x) clamp_to(x, LIMIT)
#define bounded(x) ((x) + LIMIT)
#define outer(x) inner(x)
#define inner(x) innermost_check(x)
",
    );
    let user = (
        "fs/example/a.c",
        "#include <linux/limit.h>
int one(int x)\n{\n\treturn within(x);\n}
int two(int x)\n{\n\treturn bounded(x);\n}
int three(int x)\n{\n\treturn outer(x);\n}\n",
    );
    check_edges(&[header, user], "one", &["macro lowest_limit"]);
    check_edges(&[header, user], "two", &["macro lowest_limit"]);
    check_edges(&[header, user], "three", &["macro innermost_check"]);
}
