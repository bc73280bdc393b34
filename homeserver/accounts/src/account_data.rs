use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use echorift_storage::{
    Cells, Change, Database, Position, Record, RoomNumber, Row, Statement, StorageError, Tx, UserNumber,
};
use quick_cache::sync::Cache;
use ruma::{UserId, push::Ruleset};
use serde_json::value::{RawValue, to_raw_value};

use crate::{AccountError, Accounts};

/// How many users' account data is kept in memory, of each kind.
const CACHED_USERS: usize = 10_000;
/// Of one piece of account data. `m.direct` of a busy user takes some 100 KB.
const CONTENT_BYTES_MAX: usize = 512 * 1024;
const TYPE_BYTES_MAX: usize = 255;
/// How many types a user may have globally, and how many pieces for all rooms together; more is a client gone wild.
const TYPES_MAX: usize = 1_000;
const ROOM_PIECES_MAX: usize = 50_000;

/// Content of account data, and the position at which it became visible.
#[derive(Debug, Clone)]
pub struct AccountDatum {
    pub content: Arc<RawValue>,
    pub position: Position,
}

/// Account data by its type.
pub type TypedAccountData = BTreeMap<Arc<str>, AccountDatum>;
/// The global account data of a user.
pub type GlobalAccountData = TypedAccountData;
/// A user's account data for rooms, by room. Cloning and changing one room's shares the others.
pub type RoomAccountDataOfUser = imbl::HashMap<RoomNumber, Arc<TypedAccountData>>;

/// The push rules of a user who has not changed any (CS API § Push rules): what `m.push_rules` holds at first.
pub fn default_push_rules(user: &UserId) -> Ruleset {
    Ruleset::server_default(user)
}

static PUT: Statement = Statement::upsert(
    2,
    "INSERT INTO account_data (user_number, data_type, content, position)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, data_type) DO UPDATE SET content = excluded.content, position = excluded.position",
);

static PUT_FOR_ROOM: Statement = Statement::upsert(
    3,
    "INSERT INTO room_account_data (user_number, room_number, data_type, content, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3,
            CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, room_number, data_type)
     DO UPDATE SET content = excluded.content, position = excluded.position",
);

/// Account data of users who were active lately. It is loaded once and then kept current by the commits.
pub(crate) struct AccountDataCache {
    global: CacheOf<GlobalAccountData>,
    rooms: CacheOf<RoomAccountDataOfUser>,
}

struct CacheOf<T>(Arc<Cache<i64, Arc<Slot<T>>>>);

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
    async fn get<F>(&self, user: UserNumber, load: F) -> Result<Arc<T>, StorageError>
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
    fn apply(&self, user: UserNumber, effect: impl Fn(&mut T) + Send + Sync + 'static) {
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

impl Accounts {
    /// All global account data of a user; from memory after the first call.
    pub async fn global_account_data(
        &self,
        user: UserNumber,
    ) -> Result<Arc<GlobalAccountData>, AccountError> {
        let database = &self.0.database;
        Ok(self
            .0
            .account_data
            .global
            .get(user, async || load_global(database, user).await)
            .await?)
    }

    /// All account data that a user has for rooms, tags and fully-read markers included; from memory after the
    /// first call.
    pub async fn room_account_data(
        &self,
        user: UserNumber,
    ) -> Result<Arc<RoomAccountDataOfUser>, AccountError> {
        let database = &self.0.database;
        Ok(self
            .0
            .account_data
            .rooms
            .get(user, async || load_rooms(database, user).await)
            .await?)
    }

    /// Writes global account data; the position at which it is visible. Errors: `TooLarge`, `Storage`.
    pub async fn set_global_account_data(
        &self,
        user: UserNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Result<(), AccountError> {
        judge_size(data_type, &content)?;
        let existing = self.global_account_data(user).await?;
        if existing.len() >= TYPES_MAX && !existing.contains_key(data_type) {
            return Err(AccountError::TooLarge {
                what: "the number of account data types",
                limit: TYPES_MAX,
            });
        }
        let mut change = Change::new();
        let record = change.record(Record::AccountData { user });
        let cells = Cells::new().with(user).with(data_type).with(content.get());
        change.write_at(&PUT, cells, record);
        let (cache, data_type, content) = (
            self.0.account_data.global.clone(),
            Arc::from(data_type),
            content.into(),
        );
        change.on_commit(move |position| {
            let datum = AccountDatum { content, position };
            cache.apply(user, move |data| put(data, &data_type, &datum));
        });
        Ok(self.0.database.writer().commit(change).await?)
    }

    /// Writes account data for a room. Errors: `TooLarge`, `Storage`.
    pub async fn set_room_account_data(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Result<(), AccountError> {
        judge_size(data_type, &content)?;
        self.judge_room_pieces(user, room, data_type).await?;
        let change = self.room_account_data_change(user, room, data_type, content);
        Ok(self.0.database.writer().commit(change).await?)
    }

    /// Refuses one piece too many.
    async fn judge_room_pieces(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
    ) -> Result<(), AccountError> {
        let existing = self.room_account_data(user).await?;
        let is_new = existing
            .get(&room)
            .is_none_or(|data| !data.contains_key(data_type));
        if is_new && existing.values().map(|data| data.len()).sum::<usize>() >= ROOM_PIECES_MAX {
            return Err(AccountError::TooLarge {
                what: "the account data for rooms",
                limit: ROOM_PIECES_MAX,
            });
        }
        Ok(())
    }

    /// Refuses to keep data for yet another room that this server does not know. Error: `TooLarge`.
    pub(crate) async fn judge_new_room(&self, user: UserNumber) -> Result<(), AccountError> {
        if self.room_account_data(user).await?.len() >= ROOM_PIECES_MAX {
            return Err(AccountError::TooLarge {
                what: "the account data for rooms",
                limit: ROOM_PIECES_MAX,
            });
        }
        Ok(())
    }

    fn room_account_data_change(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Change {
        let mut change = Change::new();
        let record = change.record(Record::RoomAccountData { user, room });
        let cells = Cells::new()
            .with(user)
            .with(room)
            .with(data_type)
            .with(content.get());
        change.write_at(&PUT_FOR_ROOM, cells, record);
        let cache = self.0.account_data.rooms.clone();
        let (data_type, content): (Arc<str>, Arc<RawValue>) = (data_type.into(), content.into());
        change.on_commit(move |position| {
            let datum = AccountDatum { content, position };
            cache.apply(user, move |rooms| {
                let data = rooms.entry(room).or_default();
                put(Arc::make_mut(data), &data_type, &datum);
            });
        });
        change
    }

    /// Changes one piece of a room's account data from what it is (`None` if absent) to what `edit` makes of it; with
    /// `None` nothing is written. Two edits at once happen one after the other.
    pub async fn edit_room_account_data<F>(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &'static str,
        edit: F,
    ) -> Result<(), AccountError>
    where
        F: FnOnce(Option<serde_json::Value>) -> Result<Option<serde_json::Value>, AccountError>
            + Send
            + 'static,
    {
        self.judge_room_pieces(user, room, data_type).await?;
        let accounts = self.clone();
        let step = async move |tx: &mut Tx| {
            let stored = find_in_room(tx, user, room, data_type).await?;
            let Some(edited) = edit(stored)? else {
                return Ok(());
            };
            let content = to_raw_value(&edited)
                .map_err(|error| StorageError::corrupt("room_account_data.content", error))?;
            judge_size(data_type, &content)?;
            tx.apply(accounts.room_account_data_change(user, room, data_type, content))
                .await?;
            Ok::<_, AccountError>(())
        };
        self.0
            .database
            .writer()
            .transact(move |tx| Box::pin(step_once(step, tx)))
            .await
    }
}

/// Names the future, so that it is known to be `Send`.
async fn step_once<S>(step: S, tx: &mut Tx) -> Result<(), AccountError>
where
    S: AsyncFnOnce(&mut Tx) -> Result<(), AccountError>,
{
    step(tx).await
}

/// Of two writes the later position stands, whatever order they are told in.
fn put(data: &mut TypedAccountData, data_type: &Arc<str>, datum: &AccountDatum) {
    let is_older = data
        .get(data_type)
        .is_some_and(|known| known.position > datum.position);
    if !is_older {
        data.insert(Arc::clone(data_type), datum.clone());
    }
}

fn judge_size(data_type: &str, content: &RawValue) -> Result<(), AccountError> {
    if data_type.len() > TYPE_BYTES_MAX {
        return Err(AccountError::TooLarge {
            what: "the account data type",
            limit: TYPE_BYTES_MAX,
        });
    }
    if content.get().len() > CONTENT_BYTES_MAX {
        return Err(AccountError::TooLarge {
            what: "the account data",
            limit: CONTENT_BYTES_MAX,
        });
    }
    Ok(())
}

async fn load_global(database: &Database, user: UserNumber) -> Result<GlobalAccountData, StorageError> {
    const SQL: &str = "SELECT data_type, content, position FROM account_data WHERE user_number = $1";
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.into(), read(row, 1, "account_data.content")?)))
        .collect()
}

async fn load_rooms(database: &Database, user: UserNumber) -> Result<RoomAccountDataOfUser, StorageError> {
    const SQL: &str = "
        SELECT room_number, data_type, content, position FROM room_account_data WHERE user_number = $1";
    let mut rooms = RoomAccountDataOfUser::new();
    for row in database.fetch_all(SQL, &[user.into()]).await? {
        let data = rooms.entry(RoomNumber(row.int(0)?)).or_default();
        Arc::make_mut(data).insert(row.text(1)?.into(), read(&row, 2, "room_account_data.content")?);
    }
    Ok(rooms)
}

async fn find_in_room(
    tx: &mut Tx,
    user: UserNumber,
    room: RoomNumber,
    data_type: &str,
) -> Result<Option<serde_json::Value>, StorageError> {
    const SQL: &str = "
        SELECT content FROM room_account_data WHERE user_number = $1 AND room_number = $2 AND data_type = $3";
    let Some(row) = tx
        .fetch_optional(SQL, &[user.into(), room.into(), data_type.into()])
        .await?
    else {
        return Ok(None);
    };
    serde_json::from_str(&row.text(0)?)
        .map_err(|error| StorageError::corrupt("room_account_data.content", error))
}

fn read(row: &Row, column: usize, place: &'static str) -> Result<AccountDatum, StorageError> {
    let content =
        RawValue::from_string(row.text(column)?).map_err(|error| StorageError::corrupt(place, error))?;
    Ok(AccountDatum {
        content: content.into(),
        position: Position(row.int(column + 1)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

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
