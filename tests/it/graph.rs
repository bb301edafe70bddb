//! The call graph of invented trees: who calls whom and how, tables, chains, and the forms of the answers.

use std::path::Path;

use lorelint::render::graph::{self as render, Form};
use lorelint::{Linter, Options};
use lorelint_tests::graph_case::{ask, check_edges};
use lorelint_tests::material::{kernel_612, shared, skipped};

const PRINTK_H: (&str, &str) = (
    "include/linux/print.h",
    "#define LEVEL_ERR \"3\"
#define wrap_format(fmt) \"example: \" fmt
#define index_wrap(_call, _fmt, ...) \\
\t({ note_format(_fmt); _call(_fmt, ##__VA_ARGS__); })
#define note_format(fmt) do { } while (0)
#define say(fmt, ...) index_wrap(real_say, fmt, ##__VA_ARGS__)
#define say_err(fmt, ...) \\
\tsay(LEVEL_ERR wrap_format(fmt), ##__VA_ARGS__)
#define say_err_limited(fmt, ...) \\
({ \\
\tstatic struct limit limit; \\
\tif (is_within(&limit)) \\
\t\tsay_err(fmt, ##__VA_ARGS__); \\
})
#define is_within(state) count_within(state, __func__)
int real_say(const char *fmt, ...);
",
);

#[test]
fn strings_in_a_row_hide_no_call_of_a_macro() {
    let user = (
        "fs/example/a.c",
        "int one(int x)\n{\n\tsay_err(\"bad %d\\n\", x);\n\treturn 0;\n}\n
int two(int x)\n{\n\tsay_err_limited(\"bad %d\\n\", load(x));\n\treturn 0;\n}\n",
    );
    check_edges(&[PRINTK_H, user], "one", &["macro real_say"]);
    check_edges(
        &[PRINTK_H, user],
        "two",
        &["direct load", "macro count_within", "macro real_say"],
    );
}

#[test]
fn pasted_names_are_those_that_the_use_makes() {
    let header = (
        "include/linux/put.h",
        "#define JOIN_(a, b) a##b\n#define JOIN(a, b) JOIN_(a, b)
#define PUT(bits, x) JOIN(put_, bits)(x)
#define __free(name) __cleanup(__free_##name)
static inline void put_8(int x) { store(x); }
static inline void put_16(int x) { store(x); }
static inline void __free_page_list(void *p) { give_back(p); }
",
    );
    let user = (
        "fs/example/a.c",
        "void one(int x)\n{\n\tPUT(8, x);\n}\n
void two(void)\n{\n\tstruct page *list __free(page_list) = NULL;\n\n\tfill(list);\n}\n",
    );
    check_edges(&[header, user], "one", &["macro put_8"]);
    check_edges(
        &[header, user],
        "two",
        &["direct fill", "macro __free_page_list"],
    );
}

#[test]
fn a_pasted_name_may_end_a_use_that_arguments_follow() {
    let header = (
        "include/linux/hold.h",
        "#define HOLD(name, var) \\\n\tname##_t var __cleanup(name##_end) = name##_begin
#define pick(op, x) (is_known(x) ? known##op(x) : op(x))
#define probe(x) pick(_probe, x)
static inline void lock_end(lock_t *it) { give_back(it); }
static inline lock_t lock_begin(int x) { return take(x); }
static inline int _probe(int x) { return x; }
static inline int known_probe(int x) { return x; }
",
    );
    let user = (
        "fs/example/a.c",
        "void one(int x)\n{\n\tHOLD(lock, it)(x);\n}\n
int two(int x)\n{\n\treturn probe(x);\n}\n",
    );
    check_edges(
        &[header, user],
        "one",
        &["macro lock_begin", "macro lock_end"],
    );
    check_edges(
        &[header, user],
        "two",
        &["macro _probe", "macro is_known", "macro known_probe"],
    );
}

#[test]
fn what_an_event_prints_is_read_as_its_stage_defines_it() {
    let events = (
        "include/trace/trace_events.h",
        "#include \"stages/stage1_fields.h\"
#define DECLARE_EVENT_CLASS(call, proto, args, tstruct, assign, print) \\\n\tstruct raw_##call { tstruct };
#include \"stages/stage2_output.h\"
#undef DECLARE_EVENT_CLASS
#define DECLARE_EVENT_CLASS(call, proto, args, tstruct, assign, print) \\
static int output_##call(struct seq *p) { print_event(p, print); return 0; }
",
    );
    let fields = (
        "include/trace/stages/stage1_fields.h",
        "#define __print_symbolic(value, symbols...)\n",
    );
    let output = (
        "include/trace/stages/stage2_output.h",
        "#define TP_printk(fmt, args...) fmt, args
#define __print_symbolic(value, symbols...) ({ print_symbols(p, value); })\n",
    );
    let header = (
        "fs/example/trace.h",
        "#define TRACE_SYSTEM example
#define STATES EM(0, \"idle\") EM(1, \"busy\")
#define EM(a, b) TRACE_DEFINE_ENUM(a);

STATES

#undef EM
#define EM(a, b) {a, b},
#define show_state(x) __print_symbolic(x, STATES)

DECLARE_EVENT_CLASS(example_op,
\tTP_PROTO(int x), TP_ARGS(x),
\tTP_STRUCT__entry(int x), TP_fast_assign(__entry->x = x),
\tTP_printk(\"%s\", show_state(__entry->x)));
",
    );
    check_edges(
        &[events, fields, output, header],
        "output_example_op",
        &["macro print_event", "macro print_symbols"],
    );
}

/// The name that is called stands nowhere, and every macro leads to it by many ways: each is searched once.
#[test]
fn a_name_that_is_spelled_nowhere_is_not_searched_without_end() {
    let mut header = String::from("#define make_0_0(x) a##_##x()\n");
    for level in 1..10 {
        for at in 0..10 {
            let calls = (0..10).map(|it| format!(" make_{}_{it}(x);", level - 1));
            header += &format!(
                "#define make_{level}_{at}(x) do {{{} }} while (0)\n",
                calls.collect::<String>()
            );
        }
    }
    let user = (
        "fs/example/a.c",
        "#include <linux/make.h>\nvoid one(int x)\n{\n\tmake_9_0(x);\n}\n",
    );
    let edges = ask(&[("include/linux/make.h", &header), user], |graph| {
        graph.edges("")
    });
    assert!(edges.len() < 200, "{} edges", edges.len());
}

#[test]
fn of_equal_names_the_one_that_is_meant() {
    let files = [
        // Sorted before the header that is included, and defining the same name otherwise.
        ("include/linux/a_tool.h", "#define note(x) tool_note(x)\n"),
        ("include/linux/note.h", "#define note(x) kernel_note(x)\n"),
        (
            "include/trace/events/example.h",
            "#define EXAMPLE_I(inode) trace_only(inode)\n",
        ),
        (
            "fs/example/example.h",
            "#include <linux/note.h>\nstatic inline void *EXAMPLE_I(void *inode) { return inode; }\n",
        ),
        (
            "fs/example/a.c",
            "#include \"example.h\"\nvoid one(void *inode)\n{\n\tnote(EXAMPLE_I(inode));\n}\n
static void fill(int *x)\n{\n\t*x = 1;\n}\nvoid two(int *x)\n{\n\tfill(x);\n}\n",
        ),
        (
            "fs/other/b.c",
            "static void fill(int *x)\n{\n\tother(x);\n}\n",
        ),
        (
            "arch/odd/lib/mem.c",
            "void *copy(void *to)\n{\n\treturn to;\n}\n",
        ),
        ("lib/mem.c", "void *copy(void *to)\n{\n\treturn to;\n}\n"),
    ];
    check_edges(&files, "one", &["direct EXAMPLE_I", "macro kernel_note"]);
    let two: Vec<String> = ask(&files, |graph| graph.callees("two").unwrap())
        .into_iter()
        .map(|it| it.callee_file.unwrap().to_string())
        .collect();
    assert_eq!(two, ["fs/example/a.c"]);
}

#[test]
fn a_comment_between_arguments_hides_none_of_them() {
    let header = (
        "include/linux/guard.h",
        "#define DEFINE_GUARD(name, lock, unlock) \\
\tstatic inline void name##_begin(void) { lock; } \\
\tstatic inline void name##_end(void) { unlock; }
DEFINE_GUARD(example,
\tdo {
\t\ttake();
\t\t/* it's not called here, or so one (or another) says */
\t\tnote();
\t} while (0),
\tgive())
",
    );
    check_edges(&[header], "example_begin", &["macro note", "macro take"]);
    check_edges(&[header], "example_end", &["macro give"]);
}

#[test]
fn macros_without_arguments_call_what_stands_in_them() {
    let files = [
        (
            "include/linux/self.h",
            "#define self get_self()\nstatic inline int get_self(void) { return 1; }\n",
        ),
        (
            "include/linux/size.h",
            "#include <linux/self.h>\n#define SIZE (is_small(self) ? small_size() : WHOLE)
#define WHOLE whole_size()\nstatic inline int whole_size(void) { return 1; }
static inline int small_size(void) { return 1; }\nstatic inline int is_small(int x) { return x; }\n#define fits(x) ((x) < SIZE)\n#define LIMIT 12\n",
        ),
        ("include/linux/other.h", "#define end other_end()\n"),
        (
            "fs/example/a.c",
            "#include <linux/size.h>
int one(int x, struct box *end)\n{\n\treturn x < SIZE && x->self != end;\n}
int two(int x)\n{\n\treturn fits(x) && x != LIMIT;\n}
int three(int x)\n{\n\treturn x == end;\n}\n",
        ),
    ];
    let size = [
        "macro get_self",
        "macro is_small",
        "macro small_size",
        "macro whole_size",
    ];
    check_edges(&files, "one", &size);
    check_edges(&files, "two", &size);
    check_edges(&files, "three", &[]);
}

#[test]
fn a_macro_without_arguments_may_be_an_operand() {
    let forms = [
        "OWN->flags",
        "!OWN",
        "*OWN",
        "&OWN->flags != 0",
        "x == OWN",
        "OWN + 1",
        "rows[OWN]",
        "(1 + TWICE)",
        "own() << OWN",
    ];
    for form in forms {
        let text = format!(
            "#define OWN get_own()\n#define TWICE (get_own() * 2)\n
int one(int x, int *rows)\n{{\n\tenter(x);\n\treturn {form};\n}}
int two(struct box *b)\n{{\n\tenter(b);\n\treturn b->OWN;\n}}\n"
        );
        let files = [("fs/example/a.c", text.as_str())];
        let mut expected = vec!["direct enter", "macro get_own"];
        if form.contains("own()") {
            expected.insert(1, "direct own");
        }
        check_edges(&files, "one", &expected);
        check_edges(&files, "two", &["direct enter"]);
        let own = ("fs/example/own.c", "int get_own(void)\n{\n\treturn 1;\n}\n");
        let callers = ask(&[files[0], own], |graph| graph.callers("get_own").unwrap());
        let callers: Vec<&str> = callers.iter().map(|it| it.caller.as_str()).collect();
        assert_eq!(callers, ["one"], "{form}");
    }
}

#[test]
fn what_a_source_is_included_with_names_its_functions_too() {
    let files = [
        (
            "fs/example/small.c",
            "#include <linux/kernel.h>\n#define open_example open_small_example\n#define load load_small
#include \"example.c\"\n#define late open_late\n",
        ),
        (
            "fs/example/example.c",
            "static int late(int x)\n{\n\treturn x;\n}
int open_example(int x)\n{\n\treturn load(x) + late(x);\n}\n",
        ),
    ];
    check_edges(&files, "open_example", &["direct late", "direct load"]);
    check_edges(
        &files,
        "open_small_example",
        &["direct late", "macro load_small"],
    );
    let functions = ask(&files, |graph| graph.functions(""));
    let lines: Vec<String> = functions
        .iter()
        .map(|it| format!("{}:{} {}", it.file, it.line, it.name))
        .collect();
    assert_eq!(
        lines,
        [
            "fs/example/example.c:1 late",
            "fs/example/example.c:5 open_example",
            "fs/example/example.c:5 open_small_example"
        ]
    );
}

#[test]
fn macro_uses_in_a_row_each_make_something() {
    let file = (
        "include/linux/bits.h",
        "#define TEST_BIT(name) static inline int test_##name(long *x) { return load(x); }
#define SET_BIT(name) static inline void set_##name(long *x) { store(x); }
TEST_BIT(one) SET_BIT(one)\n\tTEST_BIT(two)\n",
    );
    check_edges(&[file], "test_one", &["macro load"]);
    check_edges(&[file], "set_one", &["macro store"]);
    check_edges(&[file], "test_two", &["macro load"]);
}

#[test]
fn a_name_chosen_by_type_is_called_by_the_arguments_behind_it() {
    let header = (
        "include/linux/count.h",
        "#define count_of(x, what) _Generic(*(x), plain_t: plain_##what, \\
\tlocked_t: locked_##what)\n#define count_get(x) count_of(x, get)(x)
static inline int plain_get(plain_t *x) { return x->count; }
static inline int locked_get(locked_t *x) { return x->count; }\n",
    );
    let user = (
        "fs/example/a.c",
        "int one(plain_t *x)\n{\n\treturn count_get(x);\n}\n",
    );
    check_edges(
        &[header, user],
        "one",
        &["macro locked_get", "macro plain_get"],
    );
}

#[test]
fn a_made_name_may_be_another_word_for_a_function() {
    let files = [
        (
            "include/linux/clean.h",
            "#define __free(name) __cleanup(__free_##name)\n#define __free_box put_box\n",
        ),
        (
            "fs/example/a.c",
            "void put_box(struct box *box)\n{\n\tstore(box);\n}
void one(void)\n{\n\tstruct box box __free(box) = {};\n\n\tfill(&box);\n}\n",
        ),
    ];
    check_edges(&files, "one", &["direct fill", "macro put_box"]);
}

const ARCH_FILES: &[(&str, &str)] = &[
    // The generic header is not read: the architecture has its own.
    (
        "include/asm-generic/stack.h",
        "#define align_stack(x) (x)\n",
    ),
    ("arch/x86/include/asm/stack.h", "/* as it is */\n"),
    (
        "arch/odd/include/asm/page.h",
        "#define pte_num(x) odd_num(x)\nstatic inline void stop(void) { odd_stop(); }\n",
    ),
    (
        "arch/x86/include/asm/page.h",
        "#define pte_num(x) x86_num(x)\n#define has_key has_key
#ifdef CONFIG_EXAMPLE\n#define untag(x) check_tag(x)\n#endif\n",
    ),
    (
        "include/linux/page.h",
        "#include <asm/page.h>\n#include <asm/stack.h>\n#define stop() generic_stop()
#ifndef pte_num\n#define pte_num(x) generic_num(x)\n#endif
#ifndef has_key\n#define has_key(x) no_key(x)\n#endif
#ifndef untag\n#define untag(x) plain_tag(x)\n#endif\n",
    ),
    (
        "arch/x86/mm/page.c",
        "int has_key(int x)\n{\n\treturn x;\n}
int align_stack(int x)\n{\n\treturn x;\n}\n",
    ),
];

#[test]
fn the_architecture_that_stands_for_all_defines_its_own() {
    let user = (
        "fs/example/a.c",
        "#include <linux/page.h>\nvoid one(int x)\n{\n\tpte_num(x);\n}
void two(int x)\n{\n\thas_key(x);\n\talign_stack(x);\n}
void three(int x)\n{\n\tuntag(x);\n\tstop();\n}\n",
    );
    let files = [ARCH_FILES, &[user]].concat();
    check_edges(&files, "one", &["macro generic_num", "macro x86_num"]);
    check_edges(
        &files,
        "two",
        &["direct align_stack", "direct has_key", "macro no_key"],
    );
    check_edges(
        &files,
        "three",
        &["macro check_tag", "macro generic_stop", "macro plain_tag"],
    );
    let own = (
        "fs/example/b.c",
        "#include <linux/page.h>\n#ifndef pte_num\n#define pte_num(x) own_num(x)\n#endif
void four(int x)\n{\n\tpte_num(x);\n}\n",
    );
    let files = [ARCH_FILES, &[own]].concat();
    check_edges(&files, "four", &["macro own_num", "macro x86_num"]);
}

#[test]
fn macros_without_code_and_types_are_not_called() {
    let file = (
        "fs/example/a.c",
        "typedef unsigned int u32;\n#define TRACE(x) do { } while (0)
void one(int x)\n{\n\tTRACE(x);\n\tuse((u32)(x));\n\tuse(sizeof(x));\n}\n",
    );
    check_edges(&[file], "one", &["direct use"]);
}

#[test]
fn what_the_grammar_reads_wrong_in_silence_is_a_call_all_the_same() {
    let file = (
        "fs/example/a.c",
        "#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define with_lock(x) for (int once = take(x); once; once = drop(x))
void one(struct box *p)\n{\n\tiput(container_of(p, struct inode, box));\n}\n
void two(struct inode *inode)\n{\n\twith_lock(inode) {\n\t\tiput(inode);\n\t}\n\tafter(inode);\n}\n
#define DEFINE_FREE(_name, _type, _free) \\
\tstatic inline void __free_##_name(void *p) { _type _T = *(_type *)p; _free; }
DEFINE_FREE(iput, struct inode *, if (_T) iput(_T))\n",
    );
    check_edges(&[file], "one", &["direct iput"]);
    check_edges(
        &[file],
        "two",
        &["direct after", "direct iput", "macro drop", "macro take"],
    );
    check_edges(&[file], "__free_iput", &["macro iput"]);
}

const EXAMPLE: &[(&str, &str)] = &[(
    "fs/example/a.c",
    "struct box_ops {\n\tvoid (*open)(struct box *box);\n\tvoid (*close)(struct box *box);\n};
static void example_open(struct box *box)\n{\n\tstart(box);\n}
static void example_close(struct box *box)\n{\n\tstop(box);\n}
const struct box_ops example_ops = {\n\t.open = example_open,\n\t.close = example_close,\n};
void visit(struct box *box, void (*what)(struct box *))\n{\n\twhat(box);\n}
void run(struct box *box, const struct box_ops *ops)\n{\n\tops->open(box);\n\tvisit(box, example_close);\n}
",
)];

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn answers_have_four_forms() {
    let (edges, functions, tables) = ask(EXAMPLE, |graph| {
        (
            graph.callees("run").unwrap(),
            graph.functions("fs"),
            graph.tables(""),
        )
    });
    let tsv = written(|out| render::edges(&edges, Form::Tsv, out).unwrap());
    assert_eq!(
        tsv,
        "fs/example/a.c\trun\tfs/example/a.c\texample_open\t23\tops\n\
         fs/example/a.c\trun\tfs/example/a.c\texample_close\t24\tcallback\n\
         fs/example/a.c\trun\tfs/example/a.c\tvisit\t24\tdirect\n"
    );
    let json = written(|out| render::edges(&edges, Form::Json, out).unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["edges"][0]["through"], "box_ops.open");
    let dot = written(|out| render::edges(&edges, Form::Dot, out).unwrap());
    assert!(
        dot.starts_with("digraph calls {\n") && dot.ends_with("}\n"),
        "{dot}"
    );
    let text = written(|out| render::edges(&edges, Form::Text, out).unwrap());
    assert!(
        text.contains("run calls visit in fs/example/a.c (direct)"),
        "{text}"
    );
    let names: Vec<&str> = functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["example_close", "example_open", "run", "visit"]);
    let tables = written(|out| render::tables(&tables, Form::Tsv, out).unwrap());
    assert_eq!(
        tables,
        "fs/example/a.c\texample_ops\tbox_ops\tclose\texample_close\t15\n\
         fs/example/a.c\texample_ops\tbox_ops\topen\texample_open\t14\n"
    );
}

#[test]
fn callers_and_paths_go_through_tables_and_callbacks() {
    let (callers, path) = ask(EXAMPLE, |graph| {
        (
            graph.callers("example_close").unwrap(),
            graph.path("run", "example_close").unwrap().unwrap(),
        )
    });
    let callers: Vec<&str> = callers.iter().map(|it| it.caller.as_str()).collect();
    assert_eq!(callers, ["run"]);
    let hops: Vec<&str> = path.iter().map(|it| it.function.as_str()).collect();
    assert_eq!(hops, ["run", "example_close"]);
    assert!(ask(EXAMPLE, |graph| graph.callers("nobody").is_err()));
}

#[test]
fn callers_of_what_a_helper_was_given_are_found() {
    let files = &[(
        "fs/example/a.c",
        "struct box {
	void (*end)(struct box *box);
};

static void box_set(struct box *box, void (*end)(struct box *box))
{
	box->end = end;
}

static void box_end(struct box *box)
{
}

void box_open(struct box *box)
{
	box_set(box, box_end);
}

void box_shut(struct box *box)
{
	box->end(box);
}
",
    )];
    let callers = ask(files, |graph| graph.callers("box_end").unwrap());
    let callers: Vec<&str> = callers.iter().map(|it| it.caller.as_str()).collect();
    assert_eq!(callers, ["box_shut"]);
}

/// Each hop of each chain that is printed for a real kernel stands in that kernel's text.
#[test]
fn chains_on_a_real_kernel_stand_in_its_text() {
    let (Some(kernel), Some(truth)) = (kernel_612(), shared("truth/ceph-iput-6.12.tsv")) else {
        return;
    };
    if !kernel.join("fs/ceph").is_dir() {
        skipped("the kernel has no work tree");
        return;
    }
    let tree = lorelint::tree::DirTree::open(&kernel).unwrap();
    let report = Linter::new(Options::default()).check(&tree).unwrap();
    let truth = std::fs::read_to_string(truth).unwrap();
    let listed = |file: &str, line: u32| {
        truth.lines().any(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            columns[0] == file && columns[1] == line.to_string()
        })
    };
    let mut chains = 0;
    for finding in &report.findings {
        if finding.path.is_empty() || !listed(finding.file.as_str(), finding.line) {
            continue;
        }
        chains += 1;
        for (at, hop) in finding.path.iter().enumerate() {
            let line = line_of(&kernel, hop.file.as_str(), hop.line);
            // The name itself, the member that it goes through, or the macro that holds the call.
            let through = hop.through.rsplit('.').next().unwrap_or_default();
            let stands = line.contains(hop.function.as_str())
                || (!through.is_empty() && line.contains(through));
            assert!(
                stands,
                "{}:{}: hop {at} {hop:?}: {line}",
                finding.file, finding.line
            );
        }
    }
    assert!(chains >= 38, "{chains} chains");
}

fn line_of(kernel: &Path, file: &str, line: u32) -> String {
    let text = std::fs::read(kernel.join(file)).unwrap();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    // A call may stand on the lines after the statement's first.
    let from = line as usize - 1;
    lines[from..lines.len().min(from + 3)].join("\n")
}

#[test]
fn a_block_in_column_0_does_not_end_its_function() {
    let files = &[(
        "fs/example/a.c",
        "int one(int x)\n{\n\tbefore(x);\n#ifdef DEBUG\n{\n\tint y = inside(x);\n}\n#endif\n\tafter(x);\n}\n
int two(int x)\n{\n#ifdef DEBUG\n{\n\tif (x) {\n#else\n{\n\tif (!x) {\n#endif\n\t\tinside(x);\n\t}\n}\n\tafter(x);\n}\n
int three(int x)\n{\n\treturn last(x);\n}\n",
    )];
    check_edges(
        files,
        "one",
        &["direct after", "direct before", "direct inside"],
    );
    check_edges(files, "three", &["direct last"]);
}

#[test]
fn a_brace_in_column_0_that_is_not_the_last_ends_nothing() {
    let files = &[(
        "fs/example/a.c",
        "int one(int x)\n{\n\tfor (;;) {\n\t\tbefore(x);\n}\n\nout:\n\tafter(x);\n\treturn 0;\n}\n
int two(int x)\n{\n\tif (x) {\n\t\tbefore(x);\n}\n\treturn last(x);\n}\n
EXPORT_SYMBOL(two);\n",
    )];
    check_edges(files, "one", &["direct after", "direct before"]);
    check_edges(files, "two", &["direct before", "direct last"]);
}
