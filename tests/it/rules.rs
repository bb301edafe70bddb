//! The C blocks of every rule's documentation, and the cases under `fixtures/rules`.

use lorelint_tests::lint_case::{cases, check_all, documents};

#[test]
fn examples_in_the_documentation_hold() {
    let all: Vec<_> = documents("linter/src/rules")
        .iter()
        .flat_map(|(name, text)| cases(name, text))
        .collect();
    check_all(&all);
}

#[test]
fn fixtures_hold() {
    let all: Vec<_> = documents("tests/fixtures/rules")
        .iter()
        .flat_map(|(name, text)| cases(name, text))
        .collect();
    check_all(&all);
}

#[test]
fn edits_change_what_they_make_reachable() {
    let all: Vec<_> = documents("tests/fixtures/delta")
        .iter()
        .flat_map(|(name, text)| cases(name, text))
        .collect();
    check_all(&all);
}
