//! The database: statements, migrations, clear failures.

use std::collections::BTreeMap;
use std::path::Path;

use lorelint_tests::app::TestStore;
use lorelintd::store::{Store, StoreError};

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let test = TestStore::new().await;
    let count = test.store.prepare_all().await.unwrap();
    assert!(count > 60, "only {count} statements are listed");
}

#[tokio::test]
async fn an_unknown_kind_of_database_is_named() {
    let error = Store::open("mysql://x").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown database \"mysql://x\": use sqlite:PATH"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_is_opened_by_several_at_once() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", dir.path().join("new.sqlite").display());
        let opened: Vec<_> = (0..6)
            .map(|_| {
                let address = address.clone();
                tokio::spawn(async move { Store::open(&address).await.map(drop) })
            })
            .collect();
        for it in opened {
            it.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "these are my notes, not a database\n".repeat(100)).unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap().len(), 3500);
}

/// Table, then its columns, as the migrations of one database declare them.
fn tables(folder: &str) -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../migrations")
        .join(folder);
    let mut files: Vec<_> = std::fs::read_dir(root)
        .expect("the migrations are here")
        .map(|it| it.expect("a directory entry").path())
        .collect();
    files.sort();
    let mut tables = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a migration is text");
        let mut table: Option<(String, Vec<String>)> = None;
        for line in text
            .lines()
            .map(str::trim)
            .filter(|it| !it.starts_with("--"))
        {
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                table = Some((name.trim_end_matches(" (").to_owned(), Vec::new()));
            } else if line == ");" {
                tables.extend(table.take());
            } else if let Some((_, columns)) = &mut table {
                columns.extend(line.split_whitespace().next().map(str::to_owned));
            }
        }
    }
    tables
}

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let sqlite = tables("sqlite");
    assert_eq!(sqlite.len(), 20);
    assert_eq!(sqlite, tables("postgres"));
}
