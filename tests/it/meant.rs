//! What a name means where it is used, as the compiler has it: which macro, which function, whose.

use lorelint_tests::graph_case::check_edges;

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
