use sqlx::migrate::Migrator;

use crate::{Database, StorageError};

pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// This release, as `major.minor.patch`.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Refuses a schema that a newer release has changed beyond what this one understands. Each migration that breaks
/// older releases raises `schema_compatibility.oldest_release`.
pub(crate) async fn check_compatibility(database: &Database) -> Result<(), StorageError> {
    let row = database
        .fetch_optional("SELECT oldest_release FROM schema_compatibility", &[])
        .await?;
    let needed = row
        .ok_or_else(|| StorageError::corrupt("schema_compatibility", "the row is missing"))?
        .text(0)?;
    if parse(&needed) > parse(RELEASE) {
        return Err(StorageError::TooNew {
            needed,
            ours: RELEASE.to_owned(),
        });
    }
    Ok(())
}

fn parse(release: &str) -> Vec<u64> {
    release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
