use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use echorift_accounts::{AccountError, Accounts};
use echorift_storage::{Position, UserNumber};
use quick_cache::sync::Cache;
use serde_json::Value;

/// How many users' direct rooms are kept.
const CACHED: usize = 20_000;

/// The rooms that users have marked as direct messages (`m.direct`), taken apart once for each version of the list.
pub(crate) struct DirectRooms(Cache<UserNumber, (Position, Arc<HashSet<String>>)>);

impl DirectRooms {
    pub fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    /// The IDs of the user's direct rooms; what is malformed counts for nothing.
    pub async fn of(
        &self,
        accounts: &Accounts,
        user: UserNumber,
    ) -> Result<Arc<HashSet<String>>, AccountError> {
        let data = accounts.global_account_data(user).await?;
        let Some(datum) = data.get("m.direct") else {
            return Ok(Arc::default());
        };
        if let Some((position, rooms)) = self.0.get(&user)
            && position == datum.position
        {
            return Ok(rooms);
        }
        let by_user: BTreeMap<String, Value> = serde_json::from_str(datum.content.get()).unwrap_or_default();
        let rooms = by_user.values().filter_map(Value::as_array).flatten();
        let rooms = rooms.filter_map(Value::as_str).map(ToOwned::to_owned);
        let rooms: Arc<HashSet<String>> = Arc::new(rooms.collect());
        self.0.insert(user, (datum.position, Arc::clone(&rooms)));
        Ok(rooms)
    }
}
