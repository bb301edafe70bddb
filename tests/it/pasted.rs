//! Names that macros paste inside of functions, in trees that change.

use std::sync::LazyLock;

use lorelint::tree::{MemTree, Overlay};
use lorelint_tests::states::{Changes, check_files_in_a_row, check_in_a_row, file};

const SUPER: &str = "fs/example/super.c";
const HEADER: &str = "fs/example/example.h";

const CALL: &str = "#define example_call(name, ...) example_##name(__VA_ARGS__)\n";
/// The same without what is called.
const NO_CALL: &str = "#define example_call(name, ...) example_no_##name(__VA_ARGS__)\n";

/// A source whose writeback does something.
fn source(line: &str) -> String {
    format!(
        "#include \"example.h\"

static void example_put(struct inode *inode)
{{
	iput(inode);
}}

static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
	{line}
	return 0;
}}

static const struct address_space_operations example_aops = {{
	.writepages = example_writepages,
}};
"
    )
}

/// Checks states of a tree that first has this source and this header.
#[track_caller]
fn check(first: [&str; 2], states: &[(&str, Changes<'_>, bool)]) {
    static EMPTY: LazyLock<MemTree> = LazyLock::new(MemTree::default);
    let files = [(SUPER, first[0]), (HEADER, first[1])];
    let files = files.map(|(path, text)| file(path, text));
    let base = Overlay::new(&*EMPTY).with(files.map(|it| (it.0, Some(it.1))));
    check_in_a_row(&base, states);
}

#[test]
fn a_name_that_a_macro_makes_comes_and_goes() {
    let nothing = source("example_wait(mapping);");
    let call = source("example_call(put, mapping->host);");
    let wrap = source("example_wrap(mapping->host);");
    let name = source("example_call(OTHER, mapping->host);");
    let wrapped = |body: &str| format!("{CALL}#define example_wrap(inode) {body}\n");
    let direct = wrapped("example_wait(inode)");
    let fixed = wrapped("example_call(put, inode)");
    let other = "#define __example_call(name, ...) example_##name(__VA_ARGS__)\n\
        #define example_call(name, ...) __example_call(name, __VA_ARGS__)\n\
        #define OTHER wait\n";
    let renamed = other.replace("OTHER wait", "OTHER put");
    let own = format!("{CALL}{call}");
    let list = "#define EXAMPLE_LIST(x, inode) x(put, inode)\n".to_owned();
    let handed = format!(
        "{CALL}{}",
        source("EXAMPLE_LIST(example_call, mapping->host)")
    );
    let states: &[(&str, Changes<'_>, bool)] = &[
        (
            "a macro of which no function knew",
            &[(SUPER, Some(&call))],
            true,
        ),
        ("it makes another name", &[(HEADER, Some(NO_CALL))], false),
        ("the first name again", &[(HEADER, Some(CALL))], true),
        ("it is used no more", &[(SUPER, Some(&nothing))], false),
        (
            "a macro that does nothing of this",
            &[(HEADER, Some(&direct)), (SUPER, Some(&wrap))],
            false,
        ),
        ("that makes a name now", &[(HEADER, Some(&fixed))], true),
        ("and no more", &[(HEADER, Some(&direct))], false),
        (
            "a name that a macro stands for",
            &[(HEADER, Some(other)), (SUPER, Some(&name))],
            false,
        ),
        ("it stands for another", &[(HEADER, Some(&renamed))], true),
        ("the header goes", &[(HEADER, None)], false),
        ("a macro of the source itself", &[(SUPER, Some(&own))], true),
        (
            "a macro that is handed to one that uses it",
            &[(HEADER, Some(&list)), (SUPER, Some(&handed))],
            true,
        ),
        (
            "that uses it for another",
            &[(HEADER, Some(&list.replace("put", "wait")))],
            false,
        ),
        ("for the first again", &[(HEADER, Some(&list))], true),
        ("the source goes", &[(SUPER, None)], false),
    ];
    check([&nothing, CALL], states);
}

#[test]
fn what_calls_a_member_that_it_is_given_comes_and_goes() {
    const BEGIN: &str = "fs/example/begin.c";
    const EACH: &str = "fs/example/each.c";
    let begin = "#include \"example.h\"
static void example_put(struct inode *inode)
{
	iput(inode);
}
void example_begin(struct example *example)
{
	example->run = example_put;
}
";
    let header = |rest: &str| format!("struct example {{ void (*run)(struct inode *); }};\n{rest}");
    let nothing = header("#define EXAMPLE_RUN(run, inode) example_note(run)\n");
    let calls = header("#define EXAMPLE_RUN(run, inode) do { if (run) (run)(inode); } while (0)\n");
    let hands = header(
        "#define EXAMPLE_CALL(run, inode) run(inode)\n\
         #define EXAMPLE_RUN(run, inode) EXAMPLE_CALL(run, inode)\n",
    );
    let names = header("#define EXAMPLE_RUN(what, inode) (current_example()->what(inode))\n");
    let in_macro =
        source("EXAMPLE_RUN(((struct example *)mapping->private_data)->run, mapping->host);");
    let by_name = source("EXAMPLE_RUN(run, mapping->host);");
    let in_function =
        source("example_each(((struct example *)mapping->private_data)->run, mapping->host);");
    let each = |body: &str| {
        format!(
            "void example_each(void (*run)(struct inode *), struct inode *inode)\n{{\n\t{body}\n}}\n"
        )
    };
    let (runs, notes) = (each("run(inode);"), each("example_note(run);"));
    check(
        [&in_macro, &nothing],
        &[
            ("a member is set", &[(BEGIN, Some(begin))], false),
            ("the macro calls it", &[(HEADER, Some(&calls))], true),
            ("it does not", &[(HEADER, Some(&nothing))], false),
            ("it hands it on", &[(HEADER, Some(&hands))], true),
            (
                "it takes a name",
                &[(HEADER, Some(&names)), (SUPER, Some(&by_name))],
                true,
            ),
            ("of nothing", &[(BEGIN, None)], false),
            (
                "a function that nobody has",
                &[(BEGIN, Some(begin)), (SUPER, Some(&in_function))],
                false,
            ),
            ("it only looks", &[(EACH, Some(&notes))], false),
            ("it calls", &[(EACH, Some(&runs))], true),
            ("it only looks again", &[(EACH, Some(&notes))], false),
            ("it calls again", &[(EACH, Some(&runs))], true),
            ("it goes", &[(EACH, None)], false),
        ],
    );
}

#[test]
fn what_a_variable_is_given_through_a_helper_comes_and_goes() {
    const HOOK: &str = "fs/example/hook.c";
    const BEGIN: &str = "fs/example/begin.c";
    let header = "extern void (*example_hook)(struct inode *inode);\n";
    let use_it = source("example_hook(mapping->host);");
    let nothing = source("example_wait(mapping);");
    let hook = |body: &str| {
        format!(
            "void (*example_hook)(struct inode *inode);\n\
             void example_register(void (*hook)(struct inode *inode))\n{{\n\t{body}\n}}\n"
        )
    };
    let (sets, notes) = (hook("example_hook = hook;"), hook("example_note(hook);"));
    let local = hook(
        "void (*example_hook)(struct inode *inode);\n\texample_hook = hook;\n\texample_note(example_hook);",
    );
    let begin = "static void example_drop(struct inode *inode)
{
	iput(inode);
}
void example_begin(void)
{
	example_register(example_drop);
}
";
    check(
        [&nothing, header],
        &[
            ("a helper", &[(HOOK, Some(&sets))], false),
            (
                "somebody gives it a function",
                &[(BEGIN, Some(begin))],
                false,
            ),
            ("the variable is called", &[(SUPER, Some(&use_it))], true),
            ("the helper only looks", &[(HOOK, Some(&notes))], false),
            ("it sets the variable again", &[(HOOK, Some(&sets))], true),
            ("a local of that name", &[(HOOK, Some(&local))], false),
            ("the variable again", &[(HOOK, Some(&sets))], true),
            ("nobody gives it anything", &[(BEGIN, None)], false),
            ("somebody does again", &[(BEGIN, Some(begin))], true),
            ("nobody calls it", &[(SUPER, Some(&nothing))], false),
        ],
    );
}

#[test]
fn what_another_file_sets_is_its_variable_once_it_can_be_seen() {
    const VARIABLE: &str = "fs/example/variable.c";
    let rest = source("example_hook(mapping->host);");
    let sets = "void example_register(void (*hook)(struct inode *inode))
{
	example_hook = hook;
}
static void example_drop(struct inode *inode)
{
	iput(inode);
}
void example_begin(void)
{
	example_register(example_drop);
}
";
    let shared = "void (*example_hook)(struct inode *inode);\n";
    let hidden = &format!("static {shared}");
    check_files_in_a_row(
        &[
            (SUPER, &rest),
            ("fs/example/hook.c", sets),
            (VARIABLE, hidden),
        ],
        &[
            ("all can see it", &[(VARIABLE, Some(shared))], true),
            ("nobody can", &[(VARIABLE, Some(hidden))], false),
        ],
    );
}

#[test]
fn what_a_name_may_stand_for_comes_and_goes() {
    const CALLS: &str = "fs/example/calls.c";
    const OTHER: &str = "fs/example/other.h";
    let use_it = source("EXAMPLE_CALL(put, mapping->host);");
    let including = format!("#include \"calls.c\"\n{use_it}");
    let header =
        |rest: &str| format!("#define EXAMPLE_CALL(name, inode) EXAMPLE_NAME(name)(inode)\n{rest}");
    let other = "#define EXAMPLE_NAME(name) example_by_another_name_##name\n";
    let this = "#define EXAMPLE_NAME(name) example_##name\n";
    let one = header(other);
    let arms = header(&format!("#ifdef A\n{other}#else\n{this}#endif\n"));
    let both = format!("#define EXAMPLE_CALL(name, inode) EXAMPLE_NAME(name)(inode)\n{this}");
    let neither = format!("#define EXAMPLE_CALL(name, inode) EXAMPLE_NAME(name)(inode)\n{other}");
    check(
        [&use_it, &one],
        &[
            ("an arm makes the name", &[(HEADER, Some(&arms))], true),
            ("it goes", &[(HEADER, Some(&one))], false),
            (
                "a header that is not included",
                &[(OTHER, Some(this))],
                false,
            ),
            (
                "they change places",
                &[(HEADER, Some(&header(this))), (OTHER, Some(other))],
                true,
            ),
            (
                "a source that is included",
                &[(HEADER, Some("")), (OTHER, None), (CALLS, Some(&both))],
                false,
            ),
            ("by this one", &[(SUPER, Some(&including))], true),
            ("it makes another name", &[(CALLS, Some(&neither))], false),
            ("the first again", &[(CALLS, Some(&both))], true),
            ("it goes", &[(CALLS, None)], false),
        ],
    );
}

#[test]
fn a_made_name_may_be_that_of_a_function_elsewhere() {
    let header = format!(
        "{CALL}#define EXAMPLE_NAME(name) example_##name\n\
         static inline void example_far(struct inode *inode)\n{{\n\tiput(inode);\n}}\n"
    );
    let nothing = source("example_wait(mapping);");
    let call = source("example_call(far, mapping->host);");
    let table = format!(
        "struct example {{ void (*run)(struct inode *inode); }};\n\
         static const struct example example_table = {{ .run = EXAMPLE_NAME(far) }};\n{}",
        source("((struct example *)mapping->private_data)->run(mapping->host);")
    );
    check(
        [&nothing, &header],
        &[
            ("it is called by a made name", &[(SUPER, Some(&call))], true),
            ("it is not", &[(SUPER, Some(&nothing))], false),
            (
                "a table holds it by a made name",
                &[(SUPER, Some(&table))],
                true,
            ),
            ("it is not called", &[(SUPER, Some(&nothing))], false),
        ],
    );
}

#[test]
fn a_word_that_a_source_defines_for_itself_comes_and_goes() {
    let header = "#define __example_join(one, other) one##other
#define _example_join(one, other) __example_join(one, other)
#define example_call(...) _example_join(EXAMPLE_WORD, _put)(__VA_ARGS__)
";
    let call = source("example_call(mapping->host);");
    let own = |word: &str| format!("#define EXAMPLE_WORD {word}\n{call}");
    let (example, none) = (own("example"), own("none"));
    let other = example.replace("example_aops", "other_aops");
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("its own word", &[(SUPER, Some(&example))], true),
        ("another word", &[(SUPER, Some(&none))], false),
        ("the first again", &[(SUPER, Some(&example))], true),
        ("none", &[(SUPER, Some(&call))], false),
        (
            "of another source",
            &[("fs/example/other.c", Some(&other))],
            true,
        ),
        (
            "the header has one",
            &[(
                HEADER,
                Some(&format!("{header}#define EXAMPLE_WORD example\n")),
            )],
            true,
        ),
        (
            "and the source another",
            &[(SUPER, Some(&none)), ("fs/example/other.c", None)],
            false,
        ),
    ];
    check([&call, header], states);
}

#[test]
fn what_a_macro_without_arguments_stands_for_comes_and_goes() {
    const TABLE: &str = "fs/example/table.c";
    let header = |rest: &str| {
        format!(
            "struct example {{ void (*run)(struct inode *inode); }};\n\
             void example_drop(struct inode *inode);\n{rest}"
        )
    };
    let (put, no) = (
        header("#define RUN example_drop\n"),
        header("#define RUN example_wait\n"),
    );
    let (does, does_not) = (
        header("#define RUN_IT example_drop(mapping->host)\n"),
        header("#define RUN_IT example_wait(mapping)\n"),
    );
    let drop = "#include \"example.h\"\n\
        void example_drop(struct inode *inode)\n{\n\tiput(example_other(inode));\n}\n";
    let table = format!("{drop}const struct example example_table = {{ .run = RUN }};\n");
    let by_place = format!("{drop}const struct example example_table = {{ RUN }};\n");
    let assigned = format!(
        "{drop}void example_begin(struct example *example)\n{{\n\texample->run = RUN;\n}}\n"
    );
    let calls = source("((struct example *)mapping->private_data)->run(mapping->host);");
    let bare = source("RUN_IT;");
    check(
        [&calls, &no],
        &[
            ("a table names it", &[(TABLE, Some(&table))], false),
            ("it stands for it", &[(HEADER, Some(&put))], true),
            ("for nothing", &[(HEADER, Some(&header("")))], false),
            ("for it again", &[(HEADER, Some(&put))], true),
            ("a table without members", &[(TABLE, Some(&by_place))], true),
            ("for another", &[(HEADER, Some(&no))], false),
            ("it is assigned", &[(TABLE, Some(&assigned))], false),
            ("and stands for it", &[(HEADER, Some(&put))], true),
            (
                "it is called",
                &[(SUPER, Some(&bare)), (HEADER, Some(&does))],
                true,
            ),
            ("it calls another", &[(HEADER, Some(&does_not))], false),
            ("it calls it again", &[(HEADER, Some(&does))], true),
            ("it is not called", &[(SUPER, Some(&source("")))], false),
            ("it is", &[(SUPER, Some(&bare))], true),
        ],
    );
}
