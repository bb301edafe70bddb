//! Material that lies beside the repository and may be missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

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

/// What is directly in a directory, sorted.
pub fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .expect("the directory is here")
        .map(|it| it.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// The bytes of a file, inflated where its name ends in `.gz`.
pub fn unpacked(path: &Path) -> Vec<u8> {
    if path.extension().is_none_or(|it| it != "gz") {
        return std::fs::read(path).expect("the file can be read");
    }
    let inflated = Command::new("gzip").arg("-dc").arg(path).output();
    inflated.expect("gzip is installed").stdout
}

/// A hostile mail and what it may cost.
pub struct HostileMail {
    /// What the corpus calls it.
    pub name: String,
    /// As it comes.
    pub raw: Vec<u8>,
    /// Its limits, as the corpus has them.
    pub limits: Value,
}

/// The hostile mails of the shared material; `None` where it is not there.
pub fn hostile_mails() -> Option<Vec<HostileMail>> {
    let corpus = shared("corpus/nasty")?;
    let text = std::fs::read(corpus.join("expected.json")).expect("the corpus has its limits");
    let expected: Value = serde_json::from_slice(&text).expect("the limits are JSON");
    let mails = expected["mails"].as_object().expect("an object of mails");
    let mail = |(name, mail): (&String, &Value)| HostileMail {
        name: name.clone(),
        raw: unpacked(&corpus.join(mail["file"].as_str().expect("a file"))),
        limits: mail["limits"].clone(),
    };
    Some(mails.iter().map(mail).collect())
}

/// A git repository of Linux 6.12, by `LORELINT_KERNEL_612`.
pub fn kernel_612() -> Option<PathBuf> {
    let path = std::env::var_os("LORELINT_KERNEL_612").map(PathBuf::from);
    if path.is_none() {
        skipped("no Linux 6.12: set LORELINT_KERNEL_612 to a git repository of it");
    }
    path
}

/// The kernels that there are, with their versions: `LORELINT_KERNEL_612`, and `LORELINT_KERNEL_61` where it is set.
pub fn kernels() -> Vec<(&'static str, PathBuf)> {
    let old = std::env::var_os("LORELINT_KERNEL_61").map(|it| ("6.1", PathBuf::from(it)));
    if old.is_none() {
        skipped("no Linux 6.1: set LORELINT_KERNEL_61 to a git repository of it");
    }
    let new = kernel_612().map(|it| ("6.12", it));
    new.into_iter().chain(old).collect()
}

/// Says on standard error that a test did not run.
#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
pub fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}
