use std::fmt::Write as _;

use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use crate::{Cell, StorageError};

/// Which database is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// One SQL text for both databases, or one for each where the dialects differ.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// Two texts that answer the same question; say at the place why they differ.
    pub const fn split(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    pub const fn same(text: &'static str) -> Self {
        Self::split(text, text)
    }

    pub(crate) fn text(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::same(text)
    }
}

/// A parameter (`$1`, `$2`, …). Booleans are stored as 0 and 1, times as milliseconds, lists as [`list`].
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<crate::Timestamp> for Value {
    fn from(value: crate::Timestamp) -> Self {
        Self::Int(Some(value.0))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(ToOwned::to_owned))
    }
}

/// A list parameter: `WHERE x IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))`, and for texts the same
/// without the cast. It is JSON (`[[1],[2]]`), so that one SQL text serves both databases: SQLite has `json_each`,
/// and the first PostgreSQL migration defines it there.
pub fn list<C: Cell>(items: impl IntoIterator<Item = C>) -> Value {
    let mut text = String::from("[");
    for (index, item) in items.into_iter().enumerate() {
        text.push_str(if index == 0 { "[" } else { ",[" });
        item.write(&mut text);
        text.push(']');
    }
    text.push(']');
    Value::Text(Some(text))
}

/// One row of an answer; columns by their place, from 0.
#[derive(Debug)]
pub struct Row(pub(crate) AnyRow);

pub(crate) enum AnyRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl std::fmt::Debug for AnyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Row")
    }
}

impl Row {
    /// The integer in `column`. Errors if it is NULL or no integer (sums need `CAST(… AS BIGINT)`).
    pub fn int(&self, column: usize) -> Result<i64, StorageError> {
        self.optional_int(column)?.ok_or_else(|| null(column))
    }

    pub fn optional_int(&self, column: usize) -> Result<Option<i64>, StorageError> {
        match &self.0 {
            AnyRow::Sqlite(row) => row.try_get_unchecked(column),
            AnyRow::Postgres(row) => row.try_get(column),
        }
        .map_err(Into::into)
    }

    /// A flag stored as 0 or 1.
    pub fn flag(&self, column: usize) -> Result<bool, StorageError> {
        Ok(self.int(column)? != 0)
    }

    pub fn text(&self, column: usize) -> Result<String, StorageError> {
        self.optional_text(column)?.ok_or_else(|| null(column))
    }

    pub fn optional_text(&self, column: usize) -> Result<Option<String>, StorageError> {
        match &self.0 {
            AnyRow::Sqlite(row) => row.try_get_unchecked(column),
            AnyRow::Postgres(row) => row.try_get(column),
        }
        .map_err(Into::into)
    }
}

fn null(column: usize) -> StorageError {
    let mut reason = String::new();
    let _ = write!(reason, "column {column} of the answer is NULL");
    StorageError::Corrupt {
        place: "query",
        reason,
    }
}

/// Binds every value and runs `$query` by `$method` on `$executor`.
macro_rules! bind_all {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                $crate::sql::Value::Int(value) => query.bind(*value),
                $crate::sql::Value::Text(value) => query.bind(value.clone()),
            };
        }
        query
    }};
}
pub(crate) use bind_all;
