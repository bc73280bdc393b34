use std::sync::Arc;

use echorift_storage::{StorageError, UserNumber};
use quick_cache::sync::Cache;
use ruma::api::client::filter::FilterDefinition;
use serde_json::Value;

use crate::{AccountError, Accounts, secret, store};

const FILTER_BYTES_MAX: usize = 32 * 1024;
/// A client makes one or two. The oldest make room.
const FILTERS_PER_USER: i64 = 200;
const CACHED_FILTERS: usize = 10_000;

/// Filters in use, by user and ID. A filter never changes, as its ID is its hash.
pub(crate) struct FilterCache(Cache<(i64, String), Arc<FilterDefinition>>);

impl FilterCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CACHED_FILTERS))
    }
}

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

    /// A saved filter of the user, if there is one of that ID.
    pub async fn filter(
        &self,
        user: UserNumber,
        id: &str,
    ) -> Result<Option<Arc<FilterDefinition>>, AccountError> {
        let key = (user.0, id.to_owned());
        if let Some(filter) = self.0.filters.0.get(&key) {
            return Ok(Some(filter));
        }
        let Some(text) = self.filter_json(user, id).await? else {
            return Ok(None);
        };
        let filter = serde_json::from_str(&text)
            .map_err(|error| StorageError::corrupt("filters.definition", error))?;
        let filter = Arc::new(filter);
        self.0.filters.0.insert(key, Arc::clone(&filter));
        Ok(Some(filter))
    }

    /// A filter as the client gave it, fields included that this server does not know.
    pub(crate) async fn filter_json(
        &self,
        user: UserNumber,
        id: &str,
    ) -> Result<Option<String>, AccountError> {
        Ok(store::filters::find(&self.0.database, user, id).await?)
    }
}
