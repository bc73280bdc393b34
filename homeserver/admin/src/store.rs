//! What is asked of the database itself.

use echorift_storage::{Database, StorageError};

/// Whether the database answers.
pub(crate) async fn ping(database: &Database) -> Result<(), StorageError> {
    database.fetch_optional("SELECT 1", &[]).await.map(drop)
}
