/// What can go wrong between us and the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    #[error("the database could not be opened ({url}): {reason}")]
    Open { url: String, reason: String },
    #[error("the database schema could not be brought up to date: {0}")]
    Migration(String),
    #[error("the database schema needs release {needed} or later, this is {ours}")]
    TooNew { needed: String, ours: String },
    #[error("the database refused or lost a request: {0}")]
    Database(String),
    #[error("stored data in {place} cannot be read: {reason}")]
    Corrupt { place: &'static str, reason: String },
    #[error("an earlier change that this one was built upon was not committed")]
    ChainBroken,
    #[error("the server is shutting down")]
    Closed,
}

impl StorageError {
    /// Stored text that no longer parses: `place` is `table.column`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over an error that they have just caught"
    )]
    pub fn corrupt(place: &'static str, reason: impl ToString) -> Self {
        Self::Corrupt {
            place,
            reason: reason.to_string(),
        }
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}
