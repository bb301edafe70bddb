//! How statements are written, run and told apart when they fail.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite};

use super::{Result, StoreError};
use crate::model::{Person, Timestamp};

/// Names each statement of a file and lists them all for the test that prepares them.
macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*
        pub(super) const STATEMENTS: &[&str] = &[$($name,)*];
    };
}
pub(super) use statements;

/// Turns a failure of the database into ours: a lock that was not given in time is named as such.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| {
        // SQLITE_BUSY, SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_TIMEOUT, SQLITE_LOCKED.
        let is_locked = source
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| matches!(&*code, "5" | "6" | "261" | "517" | "773"));
        if is_locked {
            StoreError::Locked
        } else {
            StoreError::Database { doing, source }
        }
    }
}

/// Reads columns by position, in the order of the statement.
pub(super) struct Columns<'row> {
    row: &'row SqliteRow,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(super) fn new(row: &'row SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    /// The next column; fails when its type is not what the program expects.
    pub(super) fn take<T>(&mut self) -> Result<T>
    where
        T: sqlx::Decode<'row, Sqlite> + sqlx::Type<Sqlite>,
    {
        let at = self.next;
        self.next += 1;
        self.row.try_get(at).map_err(failed("reading a row"))
    }

    /// Leaves out the next columns.
    pub(super) fn skip(&mut self, count: usize) {
        self.next += count;
    }

    /// The next column as a count or number that fits its model type; negative or too large is 0 or the largest.
    pub(super) fn number<T: TryFrom<i64> + Bounds>(&mut self) -> Result<T> {
        let value: i64 = self.take()?;
        Ok(T::try_from(value).unwrap_or(if value < 0 { T::LOWEST } else { T::HIGHEST }))
    }

    /// The `1` of `v5.1`.
    pub(super) fn fraction(&mut self) -> Result<Option<u32>> {
        let fraction: Option<i64> = self.take()?;
        Ok(fraction.and_then(|it| u32::try_from(it).ok()))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp(self.take()?))
    }

    pub(super) fn person(&mut self) -> Result<Person> {
        Ok(Person {
            name: self.take()?,
            address: self.take()?,
        })
    }

    /// The next column as an enum, read by its `parse`.
    pub(super) fn state<T>(
        &mut self,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let text: String = self.take()?;
        parse(&text).ok_or(StoreError::UnknownValue { what, value: text })
    }

    /// The next column as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self, what: &'static str) -> Result<T> {
        let text: String = self.take()?;
        serde_json::from_str(&text).map_err(|_| StoreError::UnknownValue { what, value: text })
    }
}

/// The ends of the number types that columns are read into.
pub(super) trait Bounds {
    const LOWEST: Self;
    const HIGHEST: Self;
}

impl Bounds for u32 {
    const LOWEST: Self = u32::MIN;
    const HIGHEST: Self = u32::MAX;
}

impl Bounds for u64 {
    const LOWEST: Self = u64::MIN;
    const HIGHEST: Self = u64::MAX;
}

/// A count as a column holds it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Text for a column of either database: PostgreSQL refuses U+0000.
pub(super) fn clean(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.to_owned()
    }
}

/// JSON for a column; our own types always serialise.
pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value)
        .expect("plain data serialises")
        .replace("\\u0000", "\\ufffd")
}

/// A pattern for `LIKE … ESCAPE '!'` that matches `part` anywhere.
pub(super) fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for it in part.chars() {
        if matches!(it, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(it);
    }
    pattern.push('%');
    pattern
}
