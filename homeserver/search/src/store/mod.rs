//! The SQL of search. Texts and people are found by tokens, which SQLite keeps in FTS5 tables and PostgreSQL in columns
//! of type `tsvector`; beside them stand ordinary tables with what is found.

pub(crate) mod log;
pub(crate) mod neighbours;
pub(crate) mod people;
pub(crate) mod texts;

use echorift_storage::{Cells, Value};

/// Rows for a statement that takes many at once (`FROM json_each($1)`).
fn rows(rows: impl IntoIterator<Item = Cells>) -> Value {
    let rows: Vec<String> = rows.into_iter().map(Cells::into_row).collect();
    Value::Text(Some(format!("[{}]", rows.join(","))))
}
