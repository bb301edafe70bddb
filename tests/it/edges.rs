//! Edges of forms of C that are easily read as something else: casts, declarations, directives, pointers in variables.

use lorelint::query::Graph;
use lorelint::tree::{MemTree, TreePath};
use lorelint::{Linter, Options};

fn ask<T>(files: &[(&str, &str)], question: impl FnOnce(&Graph<'_>) -> T) -> T {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(TreePath::parse(path).unwrap(), text.as_bytes());
    }
    let linter = Linter::new(Options::default());
    question(&linter.graph(&tree).unwrap())
}

/// The edges of one function, one `kind callee confidence file` a line, in order and each once; what is direct and
/// certain, and where it leads in the same file, goes without saying.
#[track_caller]
fn check(files: &[(&str, &str)], caller: &str, expected: &[&str]) {
    let mut found: Vec<String> = ask(files, |graph| graph.edges(""))
        .into_iter()
        .filter(|it| it.caller == caller)
        .map(|it| {
            let confidence = match it.confidence.as_str() {
                "high" => String::new(),
                other => format!(" {other}"),
            };
            let file = match &it.callee_file {
                Some(file) if *file != it.caller_file => format!(" {file}"),
                Some(_) => String::new(),
                None => " nowhere".to_owned(),
            };
            format!("{} {}{confidence}{file}", it.kind.as_str(), it.callee)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, expected, "of {caller}");
}

#[track_caller]
fn check_functions(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = ask(files, |graph| graph.functions(""))
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_name_of_a_made_function_is_no_macro_of_another_architecture() {
    let port = (
        "arch/one/include/asm/port.h",
        "#define MAKE_PORT(name, size) \\
static inline u##size name(const volatile u##size *addr) \\
{ \\
\treturn read_port(addr); \\
}
#define MAKE_READ(name) static inline u8 read_##name(u8 *addr) { return port_8(addr); }
MAKE_PORT(port_8, 8);
MAKE_PORT(port_be16, 16);
MAKE_READ(first);
",
    );
    let other = (
        "arch/two/include/asm/port.h",
        "#define port_8(addr) ({ u8 __v = *(volatile u8 *)(addr); __v; })\n",
    );
    check_functions(&[port, other], &["port_8", "port_be16", "read_first"]);
}

#[test]
fn a_name_that_a_macro_makes_for_functions_of_the_file_is_expanded() {
    let header = (
        "kernel/show/show.h",
        "#define SHOW_NAME(kind) show_kind_##kind\n",
    );
    let user = (
        "kernel/show/show.c",
        "#include \"show.h\"
#define MAKE_SHOW(kind) int SHOW_NAME(kind)(struct out *out) { return put_##kind(out); }
MAKE_SHOW(byte)
int SHOW_NAME(text)(struct out *out)\n{\n\treturn 0;\n}
",
    );
    let found = ask(&[header, user], |graph| graph.functions(""));
    assert!(found.iter().any(|it| it.name == "show_kind_byte"));
}

#[test]
fn a_function_may_return_a_pointer_to_an_array_or_to_a_function() {
    let user = (
        "fs/example/a.c",
        "static const u16\n(*pick_row(struct box *box, bool wide))[4]\n{\n\treturn row_of(box);\n}
void (*pick_hook(int kind))(struct box *)\n{\n\treturn hook_of(kind);\n}
int (plain)(int x)\n{\n\treturn x;\n}
void (*declared(int kind))(struct box *);
",
    );
    check_functions(&[user], &["pick_hook", "pick_row", "plain"]);
    check(&[user], "pick_row", &["direct row_of nowhere"]);
}

#[test]
fn a_cast_is_no_call() {
    let types = (
        "include/linux/kinds.h",
        "typedef unsigned int __raw;\ntypedef __raw __ordered __be;\ntypedef unsigned short kind_t;
#define place_t unsigned long\n",
    );
    let elsewhere = (
        "drivers/example/a.c",
        "int kind_t(int x)\n{\n\treturn x;\n}\n",
    );
    let user = (
        "fs/example/a.c",
        "long one(long x)
{
\tlong a = (place_t)(x) >> 12;
\tint b = (kind_t)(x + 1);
\t__be c = (__be)(x);
\t__be d = (__force __be)(x);

\treturn a + b + c + d + (__force undefined_t)(load(x));
}
static int real(int x)
{
\treturn x;
}
int two(int x)
{
\treturn (real)(x) + (*real)(x);
}
",
    );
    let files = [types, elsewhere, user];
    check(&files, "one", &["direct load nowhere"]);
    check(&files, "two", &["direct real"]);
}

#[test]
fn a_directive_in_a_function_calls_nothing() {
    let user = (
        "fs/example/a.c",
        "long one(long x)
{
#if (RATE % 100) == 0
\treturn scaled(x);
#elif (RATE % 512) == 0
\treturn x;
#endif
#ifdef NEEDS_MORE
\t(void)x;
#endif
\tx = x |
#ifdef HAS_BIT_TWO
\t    (1 << 2) |
#endif
\t    (1 << 3);
#warning helper() is missing, and spell() too
#define STEP ({ x++; })
#define JUMP(OP) \\
\tif (x OP (far(x))) \\
\t\treturn 1;
\tJUMP(<);
\tSTEP;
#undef STEP
\treturn x;
}
",
    );
    check(
        &[user],
        "one",
        &["direct scaled nowhere", "macro far nowhere"],
    );
}

#[test]
fn an_attribute_calls_nothing() {
    let header = (
        "include/linux/place.h",
        "#define __far(base) __attribute__((address_space(base)))
#define read_far(p) (*(int __attribute__((address_space(3))) *)(p))\n",
    );
    let user = (
        "fs/example/a.c",
        "int one(int *p)
{
\tstatic int once __attribute__((section(\".once\")));
\tint __far(3) *q = find(p);

\treturn read_far(q) + once;
}
",
    );
    check(&[header, user], "one", &["direct find nowhere"]);
}

#[test]
fn the_declaration_of_a_pointer_is_no_call() {
    let user = (
        "fs/example/a.c",
        "static enum outcome outcome(int x)\n{\n\treturn x;\n}
int one(struct timer *timer)
{
\tenum outcome (*fn)(struct timer *);
\touter_t (*other)(int);

\tfn = timer->run;
\treturn fn(timer);
}
",
    );
    check(&[user], "one", &[]);
}

const DECODE: (&str, &str) = (
    "fs/example/decode.c",
    "typedef int (*decode_t)(struct stream *);
static int decode_open(struct stream *s)\n{\n\treturn s->fd;\n}
static int decode_close(struct stream *s)\n{\n\treturn s->fd;\n}
static int setup_old(int x)\n{\n\treturn x;\n}
static const decode_t decoders[] = {
\t[OPEN] = decode_open,
\t[CLOSE] = (decode_t)decode_close,
};
static int (*setups[])(int) = { setup_old };
int decode(struct stream *s)
{
\treturn decoders[s->kind](s);
}
int set_up(int kind)
{
\treturn (*setups[kind])(3) + (setups[kind])(4);
}
int locally(struct stream *s)
{
\tstatic const decode_t own[] = { decode_open };
\tint (*more[2])(int) = { [1] = setup_old };

\treturn own[s->kind](s) + more[1](2);
}
",
);

#[test]
fn a_call_through_an_array_leads_to_its_members() {
    check(
        &[DECODE],
        "decode",
        &["ops decode_close medium", "ops decode_open medium"],
    );
    check(&[DECODE], "set_up", &["ops setup_old"]);
    check(
        &[DECODE],
        "locally",
        &["callback decode_open", "callback setup_old"],
    );
    let callers = ask(&[DECODE], |graph| graph.callers("decode_open").unwrap());
    let found: Vec<_> = callers
        .iter()
        .map(|it| (it.caller.as_str(), it.through.as_str()))
        .collect();
    assert_eq!(found, [("decode", "decoders"), ("locally", "")]);
}

#[test]
fn a_call_through_a_variable_leads_to_what_is_assigned_to_it() {
    let header = (
        "include/linux/blink.h",
        "extern long (*blink)(int state);\nint other_name(void);\n",
    );
    let owner = (
        "kernel/owner.c",
        "#include <linux/blink.h>
long (*blink)(int state);
typedef void (*online_t)(int);
static void online_all(int x)\n{\n\tuse(x);\n}
static online_t online = online_all;
static long no_blink(int state)\n{\n\treturn 0;\n}
void stop(void)
{
\tif (!blink)
\t\tblink = no_blink;
\tblink(1);
\t(*online)(2);
}
",
    );
    let driver = (
        "drivers/lamp.c",
        "#include <linux/blink.h>
static long lamp_blink(int state)\n{\n\treturn 1;\n}
int lamp_start(void)\n{\n\tblink = lamp_blink;\n\treturn 0;\n}
static long not_it(int state)\n{\n\treturn 1;\n}
int lamp_local(void)\n{\n\tlong (*blink)(int state);\n\n\tblink = not_it;\n\treturn blink(1);\n}
",
    );
    let hidden = (
        "drivers/other.c",
        "static long own_blink(int state)\n{\n\treturn 1;\n}
static long (*blink)(int state) = own_blink;
long other(void)\n{\n\treturn blink(1);\n}
",
    );
    let files = [header, owner, driver, hidden];
    check(
        &files,
        "stop",
        &[
            "ops lamp_blink medium drivers/lamp.c",
            "ops no_blink medium",
            "ops online_all",
        ],
    );
    check(&files, "other", &["ops own_blink"]);
    let callers = ask(&files, |graph| graph.callers("lamp_blink").unwrap());
    assert_eq!(callers.len(), 1, "{callers:?}");
}

#[test]
fn statics_of_an_included_source_are_the_includers_own() {
    let lock = (
        "kernel/lock/lock.c",
        "#define IS_FREE(x) probe(x)
static inline int probe(int *x)\n{\n\treturn *x;\n}
static int try_lock(int *x)\n{\n\treturn IS_FREE(x);\n}
",
    );
    let more = (
        "kernel/lock/more.c",
        "#include \"lock.c\"\nstatic int try_twice(int *x)\n{\n\treturn try_lock(x);\n}\n",
    );
    let api = (
        "kernel/lock/api.c",
        "#include \"more.c\"\nint lock_it(int *x)\n{\n\treturn try_lock(x) + try_twice(x) + IS_FREE(x);\n}\n",
    );
    let elsewhere = (
        "kernel/lock/beside.c",
        "int beside(int *x)\n{\n\treturn try_lock(x);\n}\n",
    );
    let files = [lock, more, api, elsewhere];
    check(
        &files,
        "lock_it",
        &[
            "direct try_lock kernel/lock/lock.c",
            "direct try_twice kernel/lock/more.c",
            "macro probe kernel/lock/lock.c",
        ],
    );
    check(&files, "beside", &["direct try_lock nowhere"]);
}

#[test]
fn an_argument_of_a_macro_that_pastes_keeps_its_calls() {
    let bits = (
        "include/linux/flags.h",
        "#define flagop(op, nr, addr) \\
\t((__builtin_constant_p(nr) && \\
\t  __builtin_constant_p((uintptr_t)(addr) != (uintptr_t)NULL) && \\
\t  (uintptr_t)(addr) != (uintptr_t)NULL && \\
\t  __builtin_constant_p(*(const unsigned long *)(addr))) ? \\
\t const##op(nr, addr) : op(nr, addr))
#define is_set(nr, addr) flagop(_is_set, nr, addr)
static inline int _is_set(int nr, unsigned long *addr) { return *addr >> nr; }
static inline int const_is_set(int nr, unsigned long *addr) { return *addr >> nr; }
",
    );
    let user = (
        "fs/example/example.h",
        "static inline struct example *EXAMPLE_I(struct inode *inode)\n{\n\treturn inode->priv;\n}
#define MAKE_FLAGS(name, field, offset) \\
static inline int example_has_##name(struct inode *inode, int bit) \\
{ \\
\treturn is_set(bit + (offset), &EXAMPLE_I(inode)->i_##field); \\
}
MAKE_FLAGS(flag, flags, 0)
",
    );
    let trace = (
        "include/trace/events/example.h",
        "#define EXAMPLE_I(inode) (container_of(inode, struct example, inode))\n",
    );
    let program = (
        "tools/include/linux/flags.h",
        "#define is_set(nr, addr) { nr, addr }\nMAKE_FLAGS(x)\n",
    );
    check(
        &[bits, user, trace, program],
        "example_has_flag",
        &[
            "macro EXAMPLE_I",
            "macro __builtin_constant_p nowhere",
            "macro _is_set include/linux/flags.h",
            "macro const_is_set include/linux/flags.h",
        ],
    );
}

/// What initialisers set, one `struct.member = function` a line.
#[track_caller]
fn check_tables(file: (&str, &str), expected: &[&str]) {
    let found: Vec<String> = ask(&[file], |graph| graph.tables(""))
        .into_iter()
        .map(|it| format!("{}.{} = {}", it.structure, it.member, it.function))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_literal_whose_address_is_taken_is_a_table_of_its_own_type() {
    let user = (
        "fs/example/a.c",
        "struct inner { int size; int (*go)(int x); };
struct outer { const struct inner *in; int (*go)(int x); };
static int one(int x)\n{\n\treturn x;\n}
static int two(int x)\n{\n\treturn x;\n}
static int three(int x)\n{\n\treturn x;\n}
static int four(int x)\n{\n\treturn x;\n}
static const struct inner *const all[] = {
\t[0] = &(const struct inner){ .go = one },
\t&(const struct inner){ 1, two },
};
static const struct outer the_outer = { .in = &(struct inner){ .go = three }, .go = four };
static struct inner *the_inner = &(struct inner){ .size = 1, .go = one };
int by_element(int i)\n{\n\treturn all[i]->go(1);\n}
int by_member(void)\n{\n\treturn the_outer.in->go(1);\n}
int by_pointer(void)\n{\n\treturn the_inner->go(1);\n}
int by_outer(void)\n{\n\treturn the_outer.go(1);\n}
",
    );
    check_tables(
        user,
        &[
            "inner.go = one",
            "inner.go = two",
            "inner.go = one",
            "inner.go = three",
            "outer.go = four",
        ],
    );
    let inner = ["ops one", "ops three", "ops two"];
    for caller in ["by_element", "by_member", "by_pointer"] {
        check(&[user], caller, &inner);
    }
    check(&[user], "by_outer", &["ops four medium"]);
}

#[test]
fn a_struct_without_a_tag_is_the_type_of_its_variable() {
    let user = (
        "fs/example/a.c",
        "static int one(int x)\n{\n\treturn x;\n}
static int two(int x)\n{\n\treturn x;\n}
static int three(int x)\n{\n\treturn x;\n}
static const struct {\n\tunsigned flag;\n\tint (*go)(int x);\n} by_place[] = { { 1, one }, { 2, two } };
static struct {\n\tunsigned flag;\n\tint (*go)(int x);\n} by_name = { .flag = 1, .go = three };
static struct {\n\tint (*go)(int x);\n} assigned;
void set(void)\n{\n\tassigned.go = two;\n}
int first(int i)\n{\n\treturn by_place[i].go(1);\n}
int second(void)\n{\n\treturn by_name.go(1);\n}
int third(void)\n{\n\treturn assigned.go(1);\n}
",
    );
    check_tables(
        user,
        &[".go = three", ".go = one", ".go = two", ".go = two"],
    );
    check(&[user], "first", &["ops one", "ops two"]);
    check(&[user], "second", &["ops three medium"]);
    check(&[user], "third", &["ops two"]);
}

#[test]
fn structs_without_a_tag_are_different_types() {
    let table = |function: &str, members: &str| {
        format!(
            "static int {function}(int x)\n{{\n\treturn x;\n}}
static const struct {{ {members}int (*go)(int x); }} all[] = {{ {{ .go = {function} }} }};
int of_{function}(void)\n{{\n\treturn all[0].go(1);\n}}
"
        )
    };
    let (one, two) = (table("one", ""), table("two", "int size; "));
    let files = [("fs/one/a.c", &*one), ("fs/two/a.c", &*two)];
    check(&files, "of_one", &["ops one"]);
    check(&files, "of_two", &["ops two"]);
}

#[test]
fn what_an_attribute_names_is_called_at_the_end_of_the_scope() {
    let user = (
        "fs/example/a.c",
        "#define __cleanup(func) __attribute__((__cleanup__(func)))
#define __free(name) __cleanup(__free_##name)
#define __put(name) __attribute__((unused, cleanup(put_##name)))
#define __auto(func) __attribute__((cleanup(func)))
#define REF(name) struct box *name __cleanup(put_box)
static void put_box(struct box **box)\n{\n\tdrop(*box);\n}
static void cleanup(int x)\n{\n\tdone(x);\n}
int by_name(struct box *box)\n{\n\tstruct box *ref __cleanup(put_box) = box;\n\n\treturn ref->size;\n}
int by_attribute(struct box *box)\n{\n\tstruct box *ref __attribute__((unused, cleanup(put_box))) = box;\n
\treturn ref->size;\n}
int before_type(struct box *box)\n{\n\t__attribute__((__cleanup__(put_box))) struct box *ref = box;\n
\treturn ref->size;\n}
int without_value(struct box *box)\n{\n\tstruct box *ref __cleanup(put_box);\n\n\tref = box;\n\treturn ref->size;\n}
int by_macro(struct box *box)\n{\n\tstruct box *ref __auto(put_box) = box;\n\n\treturn ref->size;\n}
int by_declaring_macro(struct box *box)\n{\n\tREF(ref) = box;\n\n\treturn ref->size;\n}
int by_made_name(struct box *box)\n{\n\tstruct box *ref __put(box) = box;\n\n\treturn ref->size;\n}
int no_attribute(int x)\n{\n\tint y __attribute__((unused)) = x;\n\n\tcleanup(put_box);\n\treturn y;\n}
",
    );
    for caller in ["by_name", "by_attribute", "before_type", "without_value"] {
        check(&[user], caller, &["direct put_box"]);
    }
    for caller in ["by_macro", "by_declaring_macro", "by_made_name"] {
        check(&[user], caller, &["macro put_box"]);
    }
    check(&[user], "no_attribute", &["direct cleanup"]);
}

#[test]
fn a_keyword_is_called_by_nobody() {
    let user = (
        "fs/example/a.c",
        "#define op(q) asm q (\"x\")
#define plain(q) asm q (\"x\" : : \"r\" (x))
#define pick(x) _Generic((x), int: of_int(x), default: of_all(x))
#define quiet(q) op(q)
#define apply(f, x) f (x)
static int of_int(int x)\n{\n\treturn x;\n}
int one(int x)
{
\top(volatile);
\tplain(__volatile__);
\tquiet(volatile);
\top(inline);
\treturn pick(x);
}
int two(int x)
{
\tapply(sizeof, x);
\tapply(typeof, x) y = apply(const, x);

\tasm goto (\"x\" : : : : out);
\tasm inline (\"x\");
\tregister int (z) = _Generic(x, int: of_int)(x);
\treturn apply(of_int, y);
out:
\treturn z;
}
",
    );
    check(&[user], "one", &["macro of_all nowhere", "macro of_int"]);
    check(&[user], "two", &["direct of_int", "macro of_int"]);
}

#[test]
fn the_constraint_of_an_operand_is_no_call() {
    let user = (
        "fs/example/a.c",
        "int one(int x)
{
\tasm volatile(\"\" : \"=r\" (x) : MYCON (x), \"n\" MORE (load(x)), [in] THIRD (x));
\t__asm__(\"\" : : MYCON(x) : \"memory\");
\treturn MYCON(x);
}
int two(int x)
{
\tasm (\"\" : : MYCON (x));
\treturn 0;
}
",
    );
    check(
        &[user],
        "one",
        &["direct MYCON nowhere", "direct load nowhere"],
    );
    check(&[user], "two", &[]);
}

#[test]
fn the_parenthesised_name_of_a_variable_is_no_argument() {
    let user = (
        "fs/example/a.c",
        "int one(int x)
{
\tstruct amap (m) = { .a = 1 };
\tunion bmap (n);
\tenum cmap(o) = load(x);
\tstruct amap *(p) = &m;

\treturn m.a;
}
",
    );
    check(&[user], "one", &["direct load nowhere"]);
}

#[test]
fn any_number_of_words_may_stand_before_what_makes_functions() {
    let user = (
        "fs/example/a.c",
        "#define MODES EM(A)\n#define REASONS EM(B)\n#define MORE EM(C)
#define MAKE(name) static int make_##name(void) { return 0; }
#define EM(a) DECLARE(a);

MODES

MAKE(first);

MODES
REASONS

/* Now something else. */
#undef EM
#define EM(a) {a},

MAKE(second);
MAKE(third);
MODES /* of all */
REASONS
MORE
MAKE(fourth)
static int last(void)\n{\n\treturn 0;\n}
",
    );
    check_functions(
        &[user],
        &[
            "last",
            "make_first",
            "make_fourth",
            "make_second",
            "make_third",
        ],
    );
}

#[test]
fn what_makes_functions_may_go_by_another_name() {
    let header = (
        "include/linux/calls.h",
        "#define DEF1(n, ...) \\
static long __do_##n(__VA_ARGS__); \\
long __x64_##n(int a) { return __do_##n(a); } \\
static long __do_##n(__VA_ARGS__)
#define OTHER1(n, ...) long other_##n(__VA_ARGS__)
#ifdef OTHER
#define DEF32 OTHER1
#else
#define DEF32 DEF1
#endif
#define DEF64 DEF32
#define MAKE_GET(n) static int get_##n(void) { return n; }
#define MAKE_IT MAKE_GET
",
    );
    let user = (
        "fs/example/a.c",
        "#include <linux/calls.h>
DEF32(foo, int a)\n{\n\treturn body(a);\n}
static DEF64(bar, int a)\n{\n\treturn body(a);\n}
MAKE_IT(count);
",
    );
    check_functions(
        &[header, user],
        &[
            "__do_bar",
            "__do_foo",
            "__x64_bar",
            "__x64_foo",
            "get_count",
            "other_bar",
            "other_foo",
        ],
    );
    check(&[header, user], "__do_foo", &["direct body nowhere"]);
    check(&[header, user], "__x64_foo", &["macro __do_foo"]);
}

#[test]
fn an_attribute_with_arguments_may_stand_before_the_type() {
    let user = (
        "fs/example/a.c",
        "static inline __diag_as(__builtin_strlen, 1)
int f_diag(const char *p)\n{\n\treturn helper(p);\n}
EXAMPLE_INLINE __diag_as(__builtin_strlen, 1) __also(2)
size_t *g_diag(const char *p)\n{\n\treturn helper(p);\n}
",
    );
    check_functions(&[user], &["f_diag", "g_diag"]);
    check(&[user], "f_diag", &["direct helper nowhere"]);
}
