//! What the sieve leaves out never changes a result.

use lorelint::tree::{GitRepo, MemTree, TreePath, TreeSource};
use lorelint::{Linter, Options, review};
use lorelint_tests::lint_case::{all_cases, said};
use lorelint_tests::material;

#[track_caller]
fn check_same(options: &Options, tree: &dyn TreeSource, what: &str) {
    let everything = Options {
        no_sieve: true,
        ..options.clone()
    };
    let [sieved, read] = [options.clone(), everything]
        .map(|it| said(&Linter::new(it).check(tree).expect("the tree can be read")));
    assert_eq!(sieved, read, "{what}");
}

#[test]
fn the_cases_are_the_same_with_every_function_read() {
    for case in all_cases() {
        let base = case.tree();
        check_same(&case.options(), &base, &case.name);
        let patched = review::patched(&base, std::slice::from_ref(&case.patch()));
        check_same(
            &case.options(),
            &patched,
            &format!("{}, patched", case.name),
        );
    }
}

#[test]
fn kernels_are_the_same_with_every_function_read() {
    for (version, kernel) in material::kernels() {
        let base = GitRepo::open(&kernel)
            .and_then(|it| it.tree("HEAD"))
            .expect("a git repository with a commit");
        check_same(&Options::default(), &base, version);
    }
}

const HUBS: &str = r"
#define x(name)	example_drop(name)
#define likely(x)	__builtin_expect(!!(x), 1)

static void example_drop(struct inode *inode)
{
	iput(inode);
}

static int example_count(struct inode *inode)
{
	x(inode);
	return 1;
}

static void example_fill(struct example_dir *dir, struct inode *inode)
{
	dir->count = example_count(inode);
}

static int example_size(struct example_dir *dir)
{
	return likely(dir->fill) ? dir->count : 0;
}

static int example_sum(struct example_dir *dir)
{
	int sum = dir->count;

	return sum;
}

#define TRACE_PART(trace, name)	((trace)->shown ## name)

#define example_trace(trace, function)	do { trace->shown = (u64)function; } while (0)

static void example_traced(struct example_trace *trace)
{
	example_trace(trace, example_drop);
}

static u64 example_shown(struct example_trace *trace)
{
	u64 shown = trace->shown;

	return shown;
}
";

/// Of the macros that stand in one not all are followed where there are thousands: those that lead nowhere do not count.
#[test]
fn thousands_of_macros_that_lead_nowhere_hide_none_that_does() {
    let notes: Vec<String> = (0..5000).map(|it| format!("NOTE(x, {it});")).collect();
    let notes = notes.join(" ");
    let text = format!(
        "#define NOTE(x, level) example_note(x, level)
#define DROP(x) iput(x)
#define ALL(x) do {{ {notes} DROP(x); }} while (0)

static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
	ALL(mapping->host);
	return 0;
}}

static const struct address_space_operations example_aops = {{
	.writepages = example_writepages,
}};
"
    );
    let mut tree = MemTree::default();
    tree.insert(TreePath::parse("fs/example/inode.c").unwrap(), text);
    let report = Linter::new(Options::default()).check(&tree).unwrap();
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    check_same(&Options::default(), &tree, "thousands of macros");
}

/// Nearly all code uses some macro with a parameter `x`, some member that a call's result was put in, and some that holds
/// a function for people to read.
#[test]
fn parameters_of_macros_and_results_of_calls_lead_nowhere() {
    let path = TreePath::parse("fs/example/dir.c").unwrap();
    let mut tree = MemTree::default();
    tree.insert(path, HUBS.as_bytes());
    let report = Linter::new(Options::default()).check(&tree).unwrap();
    let sieve = report.stages.iter().find(|it| it.name == "sieve").unwrap();
    // Those who drop, count, fill and are traced; not those who ask for the size, the sum and what is shown.
    assert_eq!(sieve.work.functions, 4);
}

const LOCALS: &str = r"
#define KEPT(name)	*name __free(kfree) = NULL

static void example_drop(struct inode *inode)
{
	iput(inode);
}

static void example_evict(struct inode *inode)
{
	void (*hook)(struct inode *);

	hook = example_drop;
	hook(inode);
}

static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	u64 KEPT(hook);

	return example_write(mapping, hook);
}

static const struct address_space_operations example_aops = {
	.writepages = example_writepages,
};
";

/// A variable of a driver, which is only read where everything is, has the name of a local that holds a function.
#[test]
fn variables_where_no_chain_goes_let_nothing_through() {
    let mut tree = MemTree::default();
    for (path, text) in [
        ("fs/example/dir.c", LOCALS),
        ("drivers/example/lamp.c", "int hook = 3;\n"),
    ] {
        tree.insert(TreePath::parse(path).unwrap(), text.as_bytes());
    }
    check_same(&Options::default(), &tree, "a driver's variable");
}
