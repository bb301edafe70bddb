//! The service's parts for one test: a database of its own that goes away with it.

use lorelintd::store::Store;
use tempfile::TempDir;

/// A database in a directory that goes away with this value.
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Where it lives; files of the test may be put here.
    pub dir: TempDir,
}

impl TestStore {
    /// An empty database with the newest schema.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let store = Store::open(&Self::address(&dir))
            .await
            .expect("an empty database opens");
        Self { store, dir }
    }

    /// The address of the database in `dir`.
    pub fn address(dir: &TempDir) -> String {
        format!("sqlite:{}", dir.path().join("lorelint.sqlite").display())
    }
}
