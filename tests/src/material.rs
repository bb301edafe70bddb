//! Material that lies beside the repository and may be missing.

use std::path::PathBuf;

/// The shared material: `LORELINT_SHARED`, else `../shared` beside the repository's root.
///
/// Prints loudly what is skipped and returns `None` where it does not hold `inside`.
pub fn shared(inside: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LORELINT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let path = root.join(inside);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!(
        "{inside} is not in {}: set LORELINT_SHARED",
        root.display()
    ));
    None
}

/// A git repository of Linux 6.12, by `LORELINT_KERNEL_612`.
pub fn kernel_612() -> Option<PathBuf> {
    let path = std::env::var_os("LORELINT_KERNEL_612").map(PathBuf::from);
    if path.is_none() {
        skipped("no Linux 6.12: set LORELINT_KERNEL_612 to a git repository of it");
    }
    path
}

/// Says on standard error that a test did not run.
#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
pub fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}
