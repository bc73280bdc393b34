use sqlx::{Postgres, Sqlite, Transaction};

use crate::{
    Change, Dialect, Position, Record, RecordIndex, Row, Sql, StorageError, Value,
    change::{Effect, Merged},
    sql::{AnyRow, bind_all},
};

/// An open transaction of the writer.
pub struct Tx {
    inner: TxInner,
    /// What becomes visible if this commits.
    pub(crate) records: Vec<(Position, Record)>,
    pub(crate) effects: Vec<(Position, Effect)>,
}

enum TxInner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(crate) fn sqlite(tx: Transaction<'static, Sqlite>) -> Self {
        Self {
            inner: TxInner::Sqlite(tx),
            records: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(crate) fn postgres(tx: Transaction<'static, Postgres>) -> Self {
        Self {
            inner: TxInner::Postgres(tx),
            records: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub fn dialect(&self) -> Dialect {
        match self.inner {
            TxInner::Sqlite(_) => Dialect::Sqlite,
            TxInner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; how many rows it touched.
    pub async fn execute(&mut self, sql: impl Into<Sql>, values: &[Value]) -> Result<u64, StorageError> {
        let text = sql.into().text(self.dialect());
        Ok(match &mut self.inner {
            TxInner::Sqlite(tx) => bind_all!(sqlx::query(text), values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            TxInner::Postgres(tx) => bind_all!(sqlx::query(text), values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    pub async fn fetch_all(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value],
    ) -> Result<Vec<Row>, StorageError> {
        let text = sql.into().text(self.dialect());
        Ok(match &mut self.inner {
            TxInner::Sqlite(tx) => {
                let rows = bind_all!(sqlx::query(text), values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(|row| Row(AnyRow::Sqlite(row))).collect()
            }
            TxInner::Postgres(tx) => {
                let rows = bind_all!(sqlx::query(text), values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(|row| Row(AnyRow::Postgres(row))).collect()
            }
        })
    }

    /// The first row of the answer, if there is one.
    pub async fn fetch_optional(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value],
    ) -> Result<Option<Row>, StorageError> {
        Ok(self.fetch_all(sql, values).await?.into_iter().next())
    }

    /// Writes a whole change as part of this transaction.
    pub async fn apply(&mut self, change: Change) -> Result<(), StorageError> {
        self.apply_all(vec![change]).await
    }

    /// Gives the records their positions, merges the rows and writes them, each statement once.
    pub(crate) async fn apply_all(&mut self, changes: Vec<Change>) -> Result<(), StorageError> {
        let count = changes.iter().map(|change| change.span).sum();
        let mut next = self.take_positions(count).await?;
        let mut merged = Merged::default();
        for change in changes {
            merged.add(&change.rows, next);
            if let Some(effect) = change.on_commit {
                self.effects.push((next, effect));
            }
            for (offset, record) in change.records {
                self.records.push((RecordIndex(offset).position(next), record));
            }
            next = RecordIndex(change.span).position(next);
        }
        for merged in merged.into_statements() {
            self.execute(merged.statement.sql, &[Value::Text(Some(merged.json()))])
                .await?;
        }
        Ok(())
    }

    /// The first of `count` consecutive positions. The clock's row stays locked until the end of the transaction,
    /// which makes position order commit order, on one node or many.
    async fn take_positions(&mut self, count: usize) -> Result<Position, StorageError> {
        if count == 0 {
            return Ok(Position(0));
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        const SQL: &str = "UPDATE log_clock SET position = position + $1 RETURNING position";
        let row = self.fetch_optional(SQL, &[count.into()]).await?;
        let last = row
            .ok_or_else(|| StorageError::corrupt("log_clock.position", "the row is missing"))?
            .int(0)?;
        Ok(Position(last - count + 1))
    }

    pub(crate) async fn commit(self) -> Result<Committed, StorageError> {
        match self.inner {
            TxInner::Sqlite(tx) => tx.commit().await?,
            TxInner::Postgres(tx) => tx.commit().await?,
        }
        Ok(Committed {
            records: self.records,
            effects: self.effects,
        })
    }

    pub(crate) async fn rollback(self) -> Result<(), StorageError> {
        match self.inner {
            TxInner::Sqlite(tx) => tx.rollback().await?,
            TxInner::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

/// What a commit made visible.
pub(crate) struct Committed {
    pub(crate) records: Vec<(Position, Record)>,
    pub(crate) effects: Vec<(Position, Effect)>,
}
