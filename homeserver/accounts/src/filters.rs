use echorift_storage::UserNumber;
use serde_json::Value;

use crate::{AccountError, Accounts, secret, store};

const FILTER_BYTES_MAX: usize = 32 * 1024;
/// A client makes one or two. The oldest make room.
const FILTERS_PER_USER: i64 = 200;

impl Accounts {
    /// Saves a filter and returns its ID; the same filter keeps its ID.
    ///
    /// Errors: `TooLarge`. `definition` must be one that ruma reads.
    pub async fn save_filter(&self, user: UserNumber, definition: &Value) -> Result<String, AccountError> {
        // Sorted keys and no spaces: filters that mean the same get one ID.
        let text = definition.to_string();
        if text.len() > FILTER_BYTES_MAX {
            return Err(AccountError::TooLarge {
                what: "the filter",
                limit: FILTER_BYTES_MAX,
            });
        }
        let id: String = secret::hash(&text).chars().take(22).collect();
        let (saved_id, now) = (id.clone(), self.0.clock.now());
        let saved = self.0.database.writer().transact(move |tx| {
            Box::pin(
                async move { store::filters::save(tx, user, &saved_id, &text, now, FILTERS_PER_USER).await },
            )
        });
        saved.await?;
        Ok(id)
    }

    /// A saved filter as the client gave it, fields included that this server does not know.
    pub async fn filter_json(&self, user: UserNumber, id: &str) -> Result<Option<String>, AccountError> {
        Ok(store::filters::find(&self.0.database, user, id).await?)
    }
}
