//! Why the database did not do what was asked.

use std::path::PathBuf;

/// What went wrong, with the way out where there is one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database is of no known kind.
    #[error("unknown database {address:?}: use sqlite:PATH")]
    UnknownDatabase {
        /// As it was given.
        address: String,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the database {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
    /// Another process holds the write lock for longer than we wait.
    #[error("the database is locked by another process: stop it, or try again when it is done")]
    Locked,
    /// The schema is not the one of this program.
    #[error("cannot bring the database to this program's schema: {source}")]
    Migrate {
        /// What the database says.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A row that does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// Such as `outbox item`.
        what: &'static str,
        /// As it was asked for.
        id: String,
    },
    /// A stored value that this program does not know; a newer program may have written it.
    #[error("the database holds {value:?} as {what}, which this program does not know")]
    UnknownValue {
        /// The column.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A change that the state of the row does not allow.
    #[error("{what} {id} is {state}: only {wanted} can be changed")]
    WrongState {
        /// Such as `outbox item`.
        what: &'static str,
        /// The row.
        id: i64,
        /// Its state.
        state: String,
        /// The state that it would need.
        wanted: &'static str,
    },
    /// Any other failure of the database.
    #[error("the database failed while {doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
}
