use std::sync::{Arc, Mutex, PoisonError};

use echorift_storage::{StorageError, UserNumber};
use quick_cache::sync::Cache;

use crate::account_data::{AccountDatum, GlobalAccountData, RoomAccountDataOfUser, TypedAccountData};

/// How many users' account data is kept in memory, of each kind.
const CACHED_USERS: usize = 10_000;

/// Account data of users who were active lately. It is loaded once and then kept current by the commits.
pub(crate) struct AccountDataCache {
    pub(crate) global: CacheOf<GlobalAccountData>,
    pub(crate) rooms: CacheOf<RoomAccountDataOfUser>,
}

pub(crate) struct CacheOf<T>(Arc<Cache<i64, Arc<Slot<T>>>>);

/// One user's data. The lock guards nothing else and is never held while waiting.
struct Slot<T>(Mutex<SlotState<T>>);

enum SlotState<T> {
    /// Being read from the database; what was committed meanwhile.
    Loading(Vec<Effect<T>>),
    Loaded(Arc<T>),
}

type Effect<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

impl<T: Clone + Send + Sync + 'static> CacheOf<T> {
    fn new() -> Self {
        Self(Arc::new(Cache::new(CACHED_USERS)))
    }

    fn find(&self, user: UserNumber) -> Option<Arc<T>> {
        let slot = self.0.get(&user.0)?;
        match &*slot.lock() {
            SlotState::Loaded(data) => Some(Arc::clone(data)),
            SlotState::Loading(_) => None,
        }
    }

    /// Finds the user's data, or reads it by `load`. Commits that happen while it is being read are applied after.
    pub(crate) async fn get<F>(&self, user: UserNumber, load: F) -> Result<Arc<T>, StorageError>
    where
        F: AsyncFnOnce() -> Result<T, StorageError>,
    {
        if let Some(data) = self.find(user) {
            return Ok(data);
        }
        let slot = Arc::new(Slot(Mutex::new(SlotState::Loading(Vec::new()))));
        // Of two loaders the later one's slot stays; the earlier still answers its own caller.
        self.0.insert(user.0, Arc::clone(&slot));
        let loaded = load().await;
        let mut state = slot.lock();
        let mut data = match loaded {
            Ok(data) => data,
            Err(error) => {
                drop(state);
                self.0.remove_if(&user.0, |current| Arc::ptr_eq(current, &slot));
                return Err(error);
            }
        };
        if let SlotState::Loading(effects) = &*state {
            effects.iter().for_each(|effect| effect(&mut data));
        }
        let data = Arc::new(data);
        *state = SlotState::Loaded(Arc::clone(&data));
        Ok(data)
    }

    /// Called at each commit, in log order.
    pub(crate) fn apply(&self, user: UserNumber, effect: impl Fn(&mut T) + Send + Sync + 'static) {
        let Some(slot) = self.0.get(&user.0) else { return };
        match &mut *slot.lock() {
            SlotState::Loading(effects) => effects.push(Arc::new(effect)),
            SlotState::Loaded(data) => effect(Arc::make_mut(data)),
        }
    }

    fn forget(&self, user: UserNumber) {
        self.0.remove(&user.0);
    }
}

impl<T> Clone for CacheOf<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    fn lock(&self) -> std::sync::MutexGuard<'_, SlotState<T>> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountDataCache {
    pub(crate) fn new() -> Self {
        Self {
            global: CacheOf::new(),
            rooms: CacheOf::new(),
        }
    }

    /// After an account has ended and its data was deleted.
    pub(crate) fn forget(&self, user: UserNumber) {
        self.global.forget(user);
        self.rooms.forget(user);
    }
}

/// Of two writes the later position stands, whatever order they are told in.
pub(crate) fn put(data: &mut TypedAccountData, data_type: &Arc<str>, datum: &AccountDatum) {
    let is_older = data
        .get(data_type)
        .is_some_and(|known| known.position > datum.position);
    if !is_older {
        data.insert(Arc::clone(data_type), datum.clone());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use echorift_storage::Position;
    use serde_json::value::RawValue;
    use tokio::sync::oneshot;

    use super::*;

    fn data(content: &str, position: i64) -> GlobalAccountData {
        let content = RawValue::from_string(content.to_owned()).unwrap().into();
        GlobalAccountData::from([(
            "t".into(),
            AccountDatum {
                content,
                position: Position(position),
            },
        )])
    }

    fn commit(cache: &CacheOf<GlobalAccountData>, content: &str, position: i64) {
        let datum = data(content, position)["t"].clone();
        cache.apply(UserNumber(1), move |data| put(data, &"t".into(), &datum));
    }

    #[tokio::test]
    async fn a_commit_while_the_data_is_read_is_not_lost() {
        let cache = CacheOf::new();
        let (read, is_read) = oneshot::channel();
        let (started, has_started) = oneshot::channel();
        let reader = cache.clone();
        let reading = tokio::spawn(async move {
            let load = async || {
                started.send(()).unwrap();
                Ok(is_read.await.unwrap())
            };
            reader.get(UserNumber(1), load).await.unwrap()
        });
        has_started.await.unwrap();
        commit(&cache, "2", 20);
        // The database answers with what was before the commit.
        read.send(data("1", 10)).unwrap();
        let found = reading.await.unwrap();
        assert_eq!(
            (found["t"].content.get(), found["t"].position),
            ("2", Position(20))
        );
        // Told late.
        commit(&cache, "0", 5);
        let found = cache.find(UserNumber(1)).unwrap();
        assert_eq!(
            (found["t"].content.get(), found["t"].position),
            ("2", Position(20))
        );
    }

    #[tokio::test]
    async fn a_failed_read_leaves_nothing_behind() {
        let cache: CacheOf<GlobalAccountData> = CacheOf::new();
        assert!(
            cache
                .get(UserNumber(1), async || Err(StorageError::Closed))
                .await
                .is_err()
        );
        let found = cache
            .get(UserNumber(1), async || Ok(data("1", 10)))
            .await
            .unwrap();
        assert_eq!(found["t"].content.get(), "1");
        assert!(cache.find(UserNumber(1)).is_some());
    }
}
