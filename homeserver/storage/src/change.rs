use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Position, Record, Sql};

/// A statement that takes many rows at once: `$1` is a JSON array of rows, whose columns are `value ->> 0`,
/// `value ->> 1`, … (`CAST(value ->> 0 AS BIGINT)` for integers) of `json_each($1)`.
///
/// The writer merges the rows that all changes of a batch give to the same statement and runs it once. So the
/// statements of one change must not depend on each other's effect, and a statement that updates rows in place
/// names how many leading columns are its key: of several rows with one key only the last is written.
#[derive(Debug)]
pub struct Statement {
    pub(crate) sql: Sql,
    pub(crate) key_columns: usize,
}

impl Statement {
    /// Rows that never meet an existing one (or then change nothing: `ON CONFLICT DO NOTHING`).
    pub const fn insert(sql: &'static str) -> Self {
        Self {
            sql: Sql::same(sql),
            key_columns: 0,
        }
    }

    /// Rows that replace what stood under their first `key_columns` columns; the last one wins.
    pub const fn upsert(key_columns: usize, sql: &'static str) -> Self {
        Self {
            sql: Sql::same(sql),
            key_columns,
        }
    }
}

/// What can stand in a column of a [`Statement`]'s row or in a [`crate::list`].
pub trait Cell {
    /// Writes the value as JSON.
    fn write(&self, out: &mut String);
}

impl Cell for i64 {
    fn write(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}
impl Cell for bool {
    fn write(&self, out: &mut String) {
        out.push(if *self { '1' } else { '0' });
    }
}
impl Cell for str {
    fn write(&self, out: &mut String) {
        write_json_string(self, out);
    }
}
impl Cell for String {
    fn write(&self, out: &mut String) {
        write_json_string(self, out);
    }
}
impl Cell for crate::Timestamp {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}
impl<C: Cell + ?Sized> Cell for &C {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}
impl<C: Cell> Cell for Option<C> {
    fn write(&self, out: &mut String) {
        match self {
            Some(cell) => cell.write(out),
            None => out.push_str("null"),
        }
    }
}

/// A NUL cannot be stored by PostgreSQL; it is replaced as an unpaired surrogate would be, in both databases alike.
fn write_json_string(text: &str, out: &mut String) {
    let cleaned;
    let text = if text.contains('\0') {
        cleaned = text.replace('\0', "\u{FFFD}");
        &cleaned
    } else {
        text
    };
    match serde_json::to_string(text) {
        Ok(json) => out.push_str(&json),
        Err(_) => out.push_str("null"),
    }
}

/// One row for a [`Statement`], already in its JSON form.
#[derive(Debug, Default)]
pub struct Cells {
    text: String,
    /// Where each column ends in `text`: only the ends of key columns are asked for.
    ends: Vec<usize>,
}

impl Cells {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with(mut self, cell: impl Cell) -> Self {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        cell.write(&mut self.text);
        self.ends.push(self.text.len());
        self
    }

    /// The row by itself, for a statement that is run inside a step.
    pub fn into_row(self) -> String {
        format!("[{}]", self.text)
    }

    fn key(&self, columns: usize) -> Option<&str> {
        let end = *self.ends.get(columns.checked_sub(1)?)?;
        self.text.get(..end)
    }
}

/// Names a [`Record`] of a [`Change`] before it has its position: how far it stands behind the change's first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordIndex(pub(crate) usize);

impl RecordIndex {
    /// The record's position, if the positions of its change begin at `first`.
    pub fn position(self, first: Position) -> Position {
        Position(first.0.saturating_add(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

/// What follows a commit in memory. Sync, so that a change can be built across awaits.
pub(crate) type Effect = Box<dyn FnOnce(Position) + Send + Sync>;

/// What one caller wants to have written, all of it or nothing, and what becomes visible by it.
#[derive(Default)]
pub struct Change {
    pub(crate) rows: Vec<ChangeRow>,
    /// The records, each with how far it stands behind the change's first position.
    pub(crate) records: Vec<(usize, Record)>,
    /// How many positions the change takes.
    pub(crate) span: usize,
    pub(crate) chain: Option<Chain>,
    pub(crate) on_commit: Option<Effect>,
}

pub(crate) struct ChangeRow {
    statement: &'static Statement,
    /// The record whose position is the row's last column.
    position_of: Option<usize>,
    cells: Cells,
}

impl Change {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub fn write(&mut self, statement: &'static Statement, cells: Cells) {
        self.rows.push(ChangeRow {
            statement,
            position_of: None,
            cells,
        });
    }

    /// Adds a row whose last column, after those in `cells`, is the position that `record` gets.
    pub fn write_at(&mut self, statement: &'static Statement, cells: Cells, record: RecordIndex) {
        self.rows.push(ChangeRow {
            statement,
            position_of: Some(record.0),
            cells,
        });
    }

    /// Says that the change makes something visible; records get positions in this order, consecutive ones but for
    /// [`Change::leave_positions`].
    pub fn record(&mut self, record: Record) -> RecordIndex {
        let index = RecordIndex(self.span);
        self.records.push((self.span, record));
        self.span = self.span.saturating_add(1);
        index
    }

    /// Leaves so many positions free before the next record, for what turns out later to belong there.
    pub fn leave_positions(&mut self, count: usize) {
        self.span = self.span.saturating_add(count);
    }

    /// Ties this change to the earlier ones of `chain`: if one of them fails, so does this.
    pub fn chain(&mut self, chain: &Chain) {
        self.chain = Some(chain.clone());
    }

    /// Runs after the commit and before anyone is told of it, in log order, with the first position of the change, from
    /// which [`RecordIndex::position`] counts (one without records has none of its own: that of another change, or 0). It
    /// must be quick and must not wait.
    pub fn on_commit(&mut self, effect: impl FnOnce(Position) + Send + Sync + 'static) {
        self.on_commit = Some(Box::new(effect));
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change")
            .field("rows", &self.rows.len())
            .field("records", &self.records)
            .finish()
    }
}

/// Changes that build upon each other (the appends to one room). After a failure the chain stays broken, and whoever
/// owns it starts a new one from what the database holds.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<AtomicBool>);

impl Chain {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn break_it(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The rows of a batch, merged by statement.
#[derive(Default)]
pub(crate) struct Merged {
    statements: Vec<MergedStatement>,
}

pub(crate) struct MergedStatement {
    pub(crate) statement: &'static Statement,
    rows: Vec<String>,
    by_key: std::collections::HashMap<String, usize>,
}

impl Merged {
    /// Adds a change's rows; `first` is the first of its positions.
    pub(crate) fn add(&mut self, rows: &[ChangeRow], first: Position) {
        for row in rows {
            let merged = self.of(row.statement);
            let mut text = String::with_capacity(row.cells.text.len() + 24);
            text.push('[');
            text.push_str(&row.cells.text);
            if let Some(index) = row.position_of {
                let offset = i64::try_from(index).unwrap_or(i64::MAX);
                let _ = write!(text, ",{}", first.0.saturating_add(offset));
            }
            text.push(']');
            merged.push(row.cells.key(row.statement.key_columns), text);
        }
    }

    fn of(&mut self, statement: &'static Statement) -> &mut MergedStatement {
        let found = self
            .statements
            .iter()
            .position(|merged| std::ptr::eq(merged.statement, statement));
        let index = found.unwrap_or_else(|| {
            self.statements.push(MergedStatement {
                statement,
                rows: Vec::new(),
                by_key: Default::default(),
            });
            self.statements.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was found or made just above")]
        &mut self.statements[index]
    }

    pub(crate) fn into_statements(self) -> Vec<MergedStatement> {
        self.statements
    }
}

impl MergedStatement {
    fn push(&mut self, key: Option<&str>, text: String) {
        if let Some(key) = key {
            if let Some(row) = self.by_key.get(key).and_then(|index| self.rows.get_mut(*index)) {
                *row = text;
                return;
            }
            self.by_key.insert(key.to_owned(), self.rows.len());
        }
        self.rows.push(text);
    }

    pub(crate) fn json(&self) -> String {
        let bytes: usize = self.rows.iter().map(|row| row.len() + 1).sum();
        let mut json = String::with_capacity(bytes + 2);
        json.push('[');
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(row);
        }
        json.push(']');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ADD: Statement = Statement::insert("a");
    static PUT: Statement = Statement::upsert(1, "b");

    #[test]
    fn rows_of_one_statement_are_merged_and_the_last_of_a_key_wins() {
        let mut change = Change::new();
        let record = change.record(Record::AccountData {
            user: crate::UserNumber(1),
        });
        change.write_at(&ADD, Cells::new().with(1).with("x\"y"), record);
        change.write(&PUT, Cells::new().with(7).with("old"));
        change.write(&PUT, Cells::new().with(8).with(None::<i64>));
        change.write(&PUT, Cells::new().with(7).with("new"));
        let mut merged = Merged::default();
        merged.add(&change.rows, Position(40));
        let statements = merged.into_statements();
        assert_eq!(statements[0].json(), r#"[[1,"x\"y",40]]"#);
        assert_eq!(statements[1].json(), r#"[[7,"new"],[8,null]]"#);
    }
}
