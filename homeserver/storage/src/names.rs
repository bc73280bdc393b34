use std::{collections::BTreeSet, sync::Arc};

use quick_cache::sync::Cache;

use crate::{Cells, Database, Sequence, StorageError, Value, list};

/// How many names are remembered in each direction, some 20 MB at most.
const CACHED: usize = 100_000;

/// Interned texts of one kind (room IDs, user IDs): each stands for one integer for ever.
#[derive(Clone)]
pub struct Names(Arc<Inner>);

struct Inner {
    kind: Kind,
    database: Database,
    numbers: Cache<Arc<str>, i64>,
    names: Cache<i64, Arc<str>>,
    sequence: Sequence,
}

/// The SQL of one kind of names.
struct Kind {
    find: &'static str,
    name: &'static str,
    insert: &'static str,
}

const USERS: Kind = Kind {
    find: "SELECT user_number, user_id FROM user_numbers WHERE user_id IN (SELECT value ->> 0 FROM json_each($1))",
    name: "SELECT user_number, user_id FROM user_numbers
            WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
    insert: "INSERT INTO user_numbers (user_number, user_id)
             SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1) WHERE true
             ON CONFLICT (user_id) DO NOTHING",
};

const ROOMS: Kind = Kind {
    find: "SELECT room_number, room_id FROM room_numbers WHERE room_id IN (SELECT value ->> 0 FROM json_each($1))",
    name: "SELECT room_number, room_id FROM room_numbers
            WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
    insert: "INSERT INTO room_numbers (room_number, room_id)
             SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1) WHERE true
             ON CONFLICT (room_id) DO NOTHING",
};

impl Names {
    pub fn users(database: &Database) -> Self {
        Self::new(USERS, "user_number", database)
    }

    pub fn rooms(database: &Database) -> Self {
        Self::new(ROOMS, "room_number", database)
    }

    fn new(kind: Kind, sequence: &'static str, database: &Database) -> Self {
        Self(Arc::new(Inner {
            kind,
            database: database.clone(),
            numbers: Cache::new(CACHED),
            names: Cache::new(CACHED),
            sequence: Sequence::new(sequence, database),
        }))
    }

    /// The number of `name`, if it was ever interned.
    pub async fn find(&self, name: &str) -> Result<Option<i64>, StorageError> {
        if let Some(number) = self.0.numbers.get(name) {
            return Ok(Some(number));
        }
        self.load(self.0.kind.find, list([name])).await?;
        Ok(self.0.numbers.get(name))
    }

    /// The numbers of those of `names` that were ever interned. One query at most.
    pub async fn find_all(&self, names: &[&str]) -> Result<Vec<i64>, StorageError> {
        let unknown = names
            .iter()
            .copied()
            .filter(|name| self.0.numbers.get(*name).is_none());
        let unknown: Vec<&str> = unknown.collect();
        let mut found: Vec<i64> = names
            .iter()
            .filter_map(|name| self.0.numbers.get(*name))
            .collect();
        if !unknown.is_empty() {
            found.extend(self.load(self.0.kind.find, list(unknown)).await?.into_keys());
        }
        Ok(found)
    }

    /// The number of `name`, made if need be: durable before this returns.
    pub async fn intern(&self, name: &str) -> Result<i64, StorageError> {
        if let Some(number) = self.find(name).await? {
            return Ok(number);
        }
        let number = self.0.sequence.next().await?;
        let rows = Value::Text(Some(format!(
            "[{}]",
            Cells::new().with(number).with(name).into_row()
        )));
        let insert = self.0.kind.insert;
        self.0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { tx.execute(insert, &[rows]).await }))
            .await?;
        // Another node may have interned it first; the row that stands is the answer.
        let found = self.find(name).await?;
        found.ok_or_else(|| StorageError::corrupt("names", "an interned name has no row"))
    }

    /// The numbers of all these names, made if need be: durable before this returns. Two queries and one commit at most.
    pub async fn intern_all(&self, names: &[&str]) -> Result<(), StorageError> {
        let unknown: BTreeSet<&str> = names
            .iter()
            .copied()
            .filter(|name| self.0.numbers.get(*name).is_none())
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.load(self.0.kind.find, list(unknown.iter().copied())).await?;
        let mut rows = String::from("[");
        let mut made: Vec<&str> = Vec::new();
        for name in unknown {
            if self.0.numbers.get(name).is_some() {
                continue;
            }
            let number = self.0.sequence.next().await?;
            if !made.is_empty() {
                rows.push(',');
            }
            rows.push_str(&Cells::new().with(number).with(name).into_row());
            made.push(name);
        }
        if made.is_empty() {
            return Ok(());
        }
        rows.push(']');
        let rows = Value::Text(Some(rows));
        let insert = self.0.kind.insert;
        self.0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { tx.execute(insert, &[rows]).await }))
            .await?;
        self.load(self.0.kind.find, list(made)).await?;
        Ok(())
    }

    /// The name behind a number.
    ///
    /// Errors: `Corrupt` for a number that was never given out.
    pub async fn name(&self, number: i64) -> Result<Arc<str>, StorageError> {
        let names = self.names(&[number]).await?;
        names
            .into_iter()
            .next()
            .ok_or_else(|| StorageError::corrupt("names", format!("{number} has no name")))
    }

    /// The names behind `numbers`, in their order.
    pub async fn names(&self, numbers: &[i64]) -> Result<Vec<Arc<str>>, StorageError> {
        let unknown = numbers
            .iter()
            .copied()
            .filter(|number| self.0.names.get(number).is_none());
        let unknown: Vec<i64> = unknown.collect();
        let mut loaded = std::collections::HashMap::new();
        if !unknown.is_empty() {
            loaded = self.load(self.0.kind.name, list(unknown)).await?;
        }
        let find = |number: &i64| self.0.names.get(number).or_else(|| loaded.get(number).cloned());
        let missing = |number: &i64| StorageError::corrupt("names", format!("{number} has no name"));
        numbers
            .iter()
            .map(|number| find(number).ok_or_else(|| missing(number)))
            .collect()
    }

    async fn load(
        &self,
        sql: &'static str,
        wanted: Value,
    ) -> Result<std::collections::HashMap<i64, Arc<str>>, StorageError> {
        let mut loaded = std::collections::HashMap::new();
        for row in self.0.database.fetch_all(sql, &[wanted]).await? {
            let (number, name): (i64, Arc<str>) = (row.int(0)?, row.text(1)?.into());
            self.0.numbers.insert(Arc::clone(&name), number);
            self.0.names.insert(number, Arc::clone(&name));
            loaded.insert(number, name);
        }
        Ok(loaded)
    }
}
