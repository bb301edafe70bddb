//! Questions to the call graph of a few invented files.

use lorelint::query::Graph;
use lorelint::tree::{MemTree, TreePath};
use lorelint::{Linter, Options};

/// Some files in memory.
pub fn tree(files: &[(&str, &str)]) -> MemTree {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(
            TreePath::parse(path).expect("the files of a case can be read"),
            text.as_bytes(),
        );
    }
    tree
}

/// Asks the call graph of some files.
pub fn ask<T>(files: &[(&str, &str)], question: impl FnOnce(&Graph<'_>) -> T) -> T {
    let tree = tree(files);
    let linter = Linter::new(Options::default());
    question(
        &linter
            .graph(&tree)
            .expect("the files of a case can be read"),
    )
}

/// The edges of one function, one `kind callee` a line, sorted and each once.
#[track_caller]
pub fn check_edges(files: &[(&str, &str)], caller: &str, expected: &[&str]) {
    let mut found: Vec<String> = ask(files, |graph| graph.edges(""))
        .into_iter()
        .filter(|it| it.caller == caller)
        .map(|it| format!("{} {}", it.kind.as_str(), it.callee))
        .collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, expected, "of {caller}");
}
