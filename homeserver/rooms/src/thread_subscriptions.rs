//! The threads that users follow (MSC4306).

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::{Change, Database, Position, Record, RoomNumber, StorageError, UserNumber};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{EventId, OwnedEventId};

use crate::{Reader, Room, RoomError, Rooms, store};

/// How many users' subscriptions are kept in memory; most have a handful.
const CACHED_USERS: usize = 20_000;
/// How many threads one user may follow or have followed.
const SUBSCRIPTIONS_MAX: usize = 10_000;

/// Whether somebody follows a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscription {
    /// The user wished it.
    Manual,
    /// A client did it on its own, because the user was mentioned.
    Automatic,
    /// Not any more.
    Ended,
}

/// How a user stands to a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadSubscription {
    pub subscription: Subscription,
    /// Events up to here were acknowledged when the user last unsubscribed: they subscribe nobody by themselves.
    pub(crate) refused_up_to: Position,
    /// When this became visible.
    pub position: Position,
}

/// The threads of one user, by room and root.
pub type ThreadsOfUser = BTreeMap<(RoomNumber, OwnedEventId), ThreadSubscription>;

/// The subscriptions of users who are about, kept current by every commit.
pub(crate) struct ThreadSubscriptions {
    database: Database,
    users: Cache<UserNumber, Arc<List>>,
}

#[derive(Default)]
struct List {
    threads: Mutex<Arc<ThreadsOfUser>>,
    loaded: tokio::sync::OnceCell<()>,
    /// Held while a subscription is changed: what it becomes depends on what it was.
    changing: tokio::sync::Mutex<()>,
}

impl List {
    fn put(&self, key: (RoomNumber, OwnedEventId), subscription: ThreadSubscription) {
        let mut threads = self.threads.lock();
        let is_newer = threads
            .get(&key)
            .is_none_or(|known| known.position < subscription.position);
        if is_newer {
            Arc::make_mut(&mut threads).insert(key, subscription);
        }
    }
}

impl ThreadSubscriptions {
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            users: Cache::new(CACHED_USERS),
        }
    }

    async fn of(&self, user: UserNumber) -> Result<Arc<List>, StorageError> {
        // The list is in the cache before the query, so that no commit in between is missed.
        let list = match self.users.get(&user) {
            Some(list) => list,
            None => self
                .users
                .get_or_insert_with::<_, std::convert::Infallible>(&user, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        let load = async || {
            for (key, subscription) in store::thread_subscriptions::of_user(&self.database, user).await? {
                list.put(key, subscription);
            }
            Ok::<_, StorageError>(())
        };
        list.loaded.get_or_try_init(load).await?;
        Ok(list)
    }
}

impl Rooms {
    /// All threads that the user follows or followed; from memory after the first call.
    pub async fn threads_of(&self, user: UserNumber) -> Result<Arc<ThreadsOfUser>, StorageError> {
        let list = self.0.thread_subscriptions.of(user).await?;
        let threads = Arc::clone(&list.threads.lock());
        Ok(threads)
    }

    /// How the reader stands to a thread; `None` if they never followed it. Errors: `UnknownEvent` if they may not see
    /// its root.
    pub async fn thread_subscription(
        &self,
        room: &Room,
        reader: &Reader,
        root: &EventId,
    ) -> Result<Option<Subscription>, RoomError> {
        self.check_thread_root(room, reader, root).await?;
        let threads = self.threads_of(reader.user).await?;
        let found = threads.get(&(room.number, root.to_owned()));
        Ok(found.map(|found| found.subscription))
    }

    /// Follows a thread: because the user wishes it, or because of the event `cause` (MSC4306 § Server-side automatic
    /// subscription ordering). What the user wished is not undone by a cause.
    ///
    /// Errors: `UnknownEvent`, `NotInThread` for a cause from elsewhere, `UnsubscribedSince` for one that the user has
    /// unsubscribed after, `BadRequest` for one thread too many.
    pub async fn subscribe_thread(
        &self,
        room: &Room,
        reader: &Reader,
        root: &EventId,
        cause: Option<&EventId>,
    ) -> Result<(), RoomError> {
        self.check_thread_root(room, reader, root).await?;
        let caused_at = match cause {
            Some(cause) => Some(self.position_in_thread(room, reader, root, cause).await?),
            None => None,
        };
        let list = self.0.thread_subscriptions.of(reader.user).await?;
        let _changing = list.changing.lock().await;
        let key = (room.number, root.to_owned());
        let (known, count) = {
            let threads = list.threads.lock();
            (threads.get(&key).copied(), threads.len())
        };
        match known {
            None if count >= SUBSCRIPTIONS_MAX => {
                return Err(RoomError::BadRequest("You follow too many threads.".to_owned()));
            }
            Some(known) => match (known.subscription, caused_at) {
                (Subscription::Manual, _) | (Subscription::Automatic, Some(_)) => return Ok(()),
                (Subscription::Ended, Some(caused_at)) if caused_at <= known.refused_up_to => {
                    return Err(RoomError::UnsubscribedSince);
                }
                _ => {}
            },
            None => {}
        }
        let mut change = Change::new();
        let record = change.record(thread_record(reader.user, room.number));
        let is_automatic = caused_at.is_some();
        let subscription = if is_automatic {
            Subscription::Automatic
        } else {
            Subscription::Manual
        };
        store::thread_subscriptions::subscribe(
            &mut change,
            (reader.user, room.number, root),
            is_automatic,
            record,
        );
        let refused_up_to = known.map(|known| known.refused_up_to).unwrap_or_default();
        let followed = Arc::clone(&list);
        change.on_commit(move |position| {
            let subscription = ThreadSubscription {
                subscription,
                refused_up_to,
                position,
            };
            followed.put(key, subscription);
        });
        Ok(self.database().writer().commit(change).await?)
    }

    /// Ceases to follow a thread; nothing happens to one that is not followed. Errors: `UnknownEvent`.
    pub async fn unsubscribe_thread(
        &self,
        room: &Room,
        reader: &Reader,
        root: &EventId,
    ) -> Result<(), RoomError> {
        self.check_thread_root(room, reader, root).await?;
        let list = self.0.thread_subscriptions.of(reader.user).await?;
        let _changing = list.changing.lock().await;
        let key = (room.number, root.to_owned());
        let known = list.threads.lock().get(&key).copied();
        if known.is_none_or(|known| known.subscription == Subscription::Ended) {
            return Ok(());
        }
        let mut change = Change::new();
        let record = change.record(thread_record(reader.user, room.number));
        store::thread_subscriptions::unsubscribe(&mut change, (reader.user, room.number, root), record);
        let followed = Arc::clone(&list);
        change.on_commit(move |position| {
            let subscription = ThreadSubscription {
                subscription: Subscription::Ended,
                refused_up_to: position,
                position,
            };
            followed.put(key, subscription);
        });
        Ok(self.database().writer().commit(change).await?)
    }

    /// A thread that has no message yet can be followed, but one within another cannot.
    async fn check_thread_root(&self, room: &Room, reader: &Reader, root: &EventId) -> Result<(), RoomError> {
        let unknown = || RoomError::UnknownEvent(root.to_owned());
        let event = match self.visible_event(room, reader, root).await {
            // Whether the room exists is nobody's business who is not in it.
            Err(RoomError::NotJoined { .. }) => return Err(unknown()),
            other => other?,
        };
        let is_within = event
            .relation
            .as_ref()
            .is_some_and(|relation| relation.rel_type == "m.thread");
        if is_within { Err(unknown()) } else { Ok(()) }
    }

    /// Where the event of a thread stands. Errors: `NotInThread`, also for events that the reader cannot see.
    async fn position_in_thread(
        &self,
        room: &Room,
        reader: &Reader,
        root: &EventId,
        event: &EventId,
    ) -> Result<Position, RoomError> {
        let not_in_thread = || RoomError::NotInThread(event.to_owned());
        let found = match self.visible_event(room, reader, event).await {
            Err(RoomError::UnknownEvent(_)) => return Err(not_in_thread()),
            other => other?,
        };
        let thread = self.thread_of(room, &found).await?;
        if thread.as_deref() != Some(root) {
            return Err(not_in_thread());
        }
        Ok(found.position())
    }
}

fn thread_record(user: UserNumber, room: RoomNumber) -> Record {
    Record::ThreadSubscription { user, room }
}

#[cfg(test)]
mod tests;
