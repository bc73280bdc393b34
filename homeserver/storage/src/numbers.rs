use tokio::sync::Mutex;

use crate::{Database, StorageError, Value, Writer};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl From<$name> for Value {
            fn from(number: $name) -> Self {
                Self::Int(Some(number.0))
            }
        }

        impl crate::Cell for $name {
            fn write(&self, out: &mut String) {
                self.0.write(out);
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A place in the deployment's one log; given out in commit order, starting at 1.
    Position
}
number! {
    /// Stands for a room ID inside the database and memory.
    RoomNumber
}
number! {
    /// Stands for a user ID, local or remote.
    UserNumber
}
number! {
    /// Stands for an event ID; says nothing about order.
    EventNumber
}
number! {
    /// Stands for one state of a room (see `rooms`).
    SnapshotNumber
}

/// Gives out integers, each once in the life of the deployment, in blocks reserved from the database, so that an
/// event has its number before it is committed and several nodes never collide. Numbers of a block that was not
/// used up before a restart are skipped.
#[derive(Debug)]
pub struct Sequence {
    name: &'static str,
    writer: Writer,
    block: Mutex<std::ops::Range<i64>>,
}

/// How many numbers are reserved at a time: one small write in a thousand appends.
const BLOCK: i64 = 1024;

impl Sequence {
    pub fn new(name: &'static str, database: &Database) -> Self {
        Self {
            name,
            writer: database.writer().clone(),
            block: Mutex::new(0..0),
        }
    }

    pub async fn next(&self) -> Result<i64, StorageError> {
        let mut block = self.block.lock().await;
        if let Some(number) = block.next() {
            return Ok(number);
        }
        let name = self.name;
        let end = self
            .writer
            .transact(move |tx| {
                Box::pin(async move {
                    const SQL: &str = "
                        INSERT INTO sequences (name, reserved) VALUES ($1, $2)
                        ON CONFLICT (name) DO UPDATE SET reserved = sequences.reserved + $2
                        RETURNING reserved";
                    let row = tx.fetch_optional(SQL, &[name.into(), BLOCK.into()]).await?;
                    row.ok_or_else(|| StorageError::corrupt("sequences.reserved", "no row returned"))?
                        .int(0)
                })
            })
            .await?;
        *block = end - BLOCK + 1..end + 1;
        block
            .next()
            .ok_or_else(|| StorageError::corrupt("sequences.reserved", "empty block"))
    }
}
