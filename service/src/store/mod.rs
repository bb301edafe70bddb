//! The database: typed methods that return model types; the only user of sqlx.
//!
//! One connection writes, in transactions that take the write lock at their start; some more only read.
//! Every statement uses `$1` placeholders and no state literal, so that PostgreSQL can take it too.

mod batch;
mod error;
mod findings;
mod jobs;
mod lists;
mod mails;
mod outbox;
mod pages;
mod placement;
mod prerequisites;
mod reviews;
mod series;
mod sql;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Executor, SqlSafeStr, Sqlite, Transaction};

pub use batch::{Batch, Stored};
pub use error::StoreError;
use sql::failed;
pub use tokens::AcceptedToken;

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// How long a writer waits for the lock of another process.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const READER_COUNT: u32 = 4;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// The database. Cloning is cheap, all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
}

/// Waits until no other process creates a database in this directory or changes its schema, and keeps others waiting:
/// a mail server starts several deliveries at once. A directory that may not be listed is not locked.
async fn alone_in(directory: PathBuf) -> Option<std::fs::File> {
    let wait = move || {
        let here = Path::new(".");
        let directory = if directory.as_os_str().is_empty() {
            here
        } else {
            &directory
        };
        let file = std::fs::File::open(directory).ok()?;
        file.lock().ok()?;
        Some(file)
    };
    tokio::task::spawn_blocking(wait).await.ok().flatten()
}

impl Store {
    /// Opens `sqlite:PATH`, creates the file and its directory and brings the schema up to date where needed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the address is of another kind, the file cannot be opened, another process holds
    /// the lock, or a newer program has changed the schema.
    pub async fn open(address: &str) -> Result<Self> {
        let unknown = || StoreError::UnknownDatabase {
            address: address.to_owned(),
        };
        let path = address.strip_prefix("sqlite:").ok_or_else(unknown)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') || path.contains('\0') {
            return Err(unknown());
        }
        Self::open_file(Path::new(path)).await
    }

    async fn open_file(path: &Path) -> Result<Self> {
        let cannot_open = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(|it| cannot_open(sqlx::Error::Io(it)))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .page_size(8192)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(LOCK_WAIT)
            .foreign_keys(true)
            .statement_cache_capacity(200)
            .pragma("cache_size", "-32768")
            // 32 MiB: a step of ingest rewrites the same pages of indexes as the one before.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864");
        let alone = alone_in(path.parent().unwrap_or(path).to_owned()).await;
        let writer = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(|source| match failed("opening the database")(source) {
                StoreError::Database { source, .. } => cannot_open(source),
                other => other,
            })?;
        MIGRATIONS
            .run(&writer)
            .await
            .map_err(|source| match source {
                sqlx::migrate::MigrateError::Execute(source) => failed("migrating")(source),
                source => StoreError::Migrate { source },
            })?;
        drop(alone);
        let readers = pool(READER_COUNT).connect_lazy_with(options.read_only(true));
        Ok(Self {
            writer,
            readers,
            path: path.to_owned(),
        })
    }

    /// The file of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a consistent copy into a file that does not exist yet, while others go on writing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the copy cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&self.writer)
            .await
            .map_err(failed("writing a backup"))?;
        Ok(())
    }

    /// Ends all connections; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1")
            .execute(&self.readers)
            .await
            .map_err(failed("asking the database"))?;
        Ok(())
    }

    /// A transaction that has the write lock from its start: one that upgrades later would fail at once,
    /// whatever the time to wait.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed("taking the write lock"))
    }

    /// Prepares every fixed statement against the schema; for the test that proves them.
    ///
    /// # Errors
    ///
    /// The first statement that the database refuses.
    pub async fn prepare_all(&self) -> Result<usize> {
        let all = [
            batch::STATEMENTS,
            findings::STATEMENTS,
            jobs::STATEMENTS,
            lists::STATEMENTS,
            mails::STATEMENTS,
            outbox::STATEMENTS,
            pages::STATEMENTS,
            placement::STATEMENTS,
            prerequisites::STATEMENTS,
            reviews::STATEMENTS,
            series::STATEMENTS,
            tokens::STATEMENTS,
        ];
        let mut count = 0;
        let mut connection = self.writer.acquire().await.map_err(failed("preparing"))?;
        for statement in all.into_iter().flatten() {
            (&mut *connection)
                .prepare((*statement).into_sql_str())
                .await
                .map_err(failed(statement))?;
            count += 1;
        }
        Ok(count)
    }
}

/// Connections that live as long as the pool: a new one would lose its cache and its prepared statements.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_mins(1))
}
