//! What the sieve leaves out never changes a result.

use lorelint::tree::{GitRepo, TreeSource};
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
