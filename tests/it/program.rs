//! Not a test: where a process that another test starts becomes `lorelintd`.

#[test]
fn entry() {
    lorelint_tests::program::become_lorelintd();
}
