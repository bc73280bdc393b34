//! What changed for whom: one small feed for each user who syncs.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use dashmap::DashMap;
use echorift_accounts::SessionObserver;
use echorift_rooms::Rooms;
use echorift_storage::{Log, LogListener, Position, Record, RoomNumber, UserNumber};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::token::SyncToken;

/// After so long without a sync a user's feed is dropped; the next sync then asks the rooms instead.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// The feeds of all users who sync. Listens to the log.
pub struct Feeds {
    rooms: Rooms,
    feeds: DashMap<UserNumber, Arc<Feed>>,
    /// The position up to which every feed was told. Held while records are told, so that a new feed knows from
    /// where on it hears everything.
    told: RwLock<Position>,
    /// The feeds that were told of records that are not yet visible.
    to_wake: Mutex<Vec<Arc<Feed>>>,
}

/// What changed for one user since the feed exists: for each room the latest position, and no list of changes, so
/// that it cannot outgrow the user's rooms.
pub struct Feed {
    state: Mutex<FeedState>,
    wake: Notify,
}

struct FeedState {
    /// The feed knows of everything after this position.
    complete_after: Position,
    rooms: HashMap<RoomNumber, Position>,
    /// The latest change of any kind that is in the log.
    latest: Position,
    /// The latest version of typing or presence that concerns the user.
    ephemeral: u64,
    used: Instant,
}

/// What a feed says about the time since a token.
#[derive(Debug, PartialEq, Eq)]
pub enum Changes {
    Nothing,
    /// These rooms changed, and perhaps account data, typing or presence.
    In(Vec<RoomNumber>),
    /// The token is from before the feed: anything may have changed.
    Unknown,
}

impl Feeds {
    pub fn new(rooms: &Rooms, log: &Log) -> Arc<Self> {
        Arc::new(Self {
            rooms: rooms.clone(),
            feeds: DashMap::new(),
            told: RwLock::new(log.visible()),
            to_wake: Mutex::default(),
        })
    }

    /// The feed of a user, made on first use.
    pub fn of(&self, user: UserNumber) -> Arc<Feed> {
        if let Some(feed) = self.feeds.get(&user) {
            feed.state.lock().used = Instant::now();
            return Arc::clone(&feed);
        }
        let told = self.told.read();
        let feed = self
            .feeds
            .entry(user)
            .or_insert_with(|| Arc::new(Feed::new(*told)));
        Arc::clone(&feed)
    }

    /// Says that typing or presence of this version concerns these users.
    pub fn tell_ephemeral(&self, users: impl IntoIterator<Item = UserNumber>, version: u64) {
        for user in users {
            if let Some(feed) = self.feeds.get(&user) {
                feed.state.lock().ephemeral = version;
                feed.wake.notify_waiters();
            }
        }
    }

    /// Drops the feeds of users who are gone.
    pub fn sweep(&self) {
        let is_used =
            |feed: &Arc<Feed>| Arc::strong_count(feed) > 1 || feed.state.lock().used.elapsed() < IDLE;
        self.feeds.retain(|_, feed| is_used(feed));
    }

    /// How many users have a feed, for the metrics.
    pub fn len(&self) -> usize {
        self.feeds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    fn tell(&self, user: UserNumber, room: Option<RoomNumber>, position: Position) {
        let Some(feed) = self.feeds.get(&user) else {
            return;
        };
        {
            let mut state = feed.state.lock();
            state.latest = position;
            if let Some(room) = room {
                state.rooms.insert(room, position);
            }
        }
        self.to_wake.lock().push(Arc::clone(&feed));
    }

    /// Tells everyone in the room, and `also`, who may have left it by this very record.
    fn tell_room(&self, room: RoomNumber, also: Option<UserNumber>, position: Position) {
        match self.rooms.loaded(room) {
            Some(loaded) => {
                let view = loaded.view();
                for user in &view.members.joined_local {
                    self.tell(*user, Some(room), position);
                }
                if let Some(user) = also
                    && !view.members.joined_local.contains(&user)
                {
                    self.tell(user, Some(room), position);
                }
            }
            // The room has fallen out of memory between commit and here: let every sync look for itself.
            None => self.forget_all(position),
        }
    }

    /// Tells the user and everyone who shares a room with them.
    fn tell_neighbours(&self, user: UserNumber, position: Position) {
        let Some(neighbours) = self.rooms.loaded_neighbours(user) else {
            // They are not at hand: whoever waits looks for themselves, which is cheap.
            for feed in &self.feeds {
                feed.state.lock().latest = position;
                self.to_wake.lock().push(Arc::clone(&feed));
            }
            return;
        };
        for neighbour in neighbours {
            self.tell(neighbour, None, position);
        }
    }

    fn forget_all(&self, position: Position) {
        for feed in &self.feeds {
            let mut state = feed.state.lock();
            state.complete_after = position;
            state.latest = position;
            self.to_wake.lock().push(Arc::clone(&feed));
        }
    }
}

impl LogListener for Feeds {
    fn on_records(&self, records: &[(Position, Record)]) {
        let mut told = self.told.write();
        for (position, record) in records {
            match *record {
                Record::Event { room, member, .. } => self.tell_room(room, member, *position),
                Record::Receipt {
                    room,
                    user,
                    private: true,
                } => self.tell(user, Some(room), *position),
                Record::Receipt { room, .. } | Record::Sticky { room } => {
                    self.tell_room(room, None, *position);
                }
                Record::AccountData { user } => self.tell(user, None, *position),
                Record::RoomAccountData { user, room }
                | Record::ThreadSubscription { user, room }
                | Record::Membership { user, room } => {
                    self.tell(user, Some(room), *position);
                }
                Record::ToDevice { user } | Record::KeySignature { user } => self.tell(user, None, *position),
                Record::DeviceList { user } => self.tell_neighbours(user, *position),
            }
            *told = *position;
        }
    }

    fn on_visible(&self) {
        for feed in std::mem::take(&mut *self.to_wake.lock()) {
            feed.wake.notify_waiters();
        }
    }
}

impl SessionObserver for Feeds {
    /// Whoever waits with a session that has ended is woken, and finds that out.
    fn sessions_ended(&self, user: UserNumber) {
        if let Some(feed) = self.feeds.get(&user) {
            feed.wake.notify_waiters();
        }
    }
}

impl Feed {
    fn new(complete_after: Position) -> Self {
        let state = FeedState {
            complete_after,
            rooms: HashMap::new(),
            latest: complete_after,
            ephemeral: 0,
            used: Instant::now(),
        };
        Self {
            state: Mutex::new(state),
            wake: Notify::new(),
        }
    }

    /// Resolves at the next change. It hears of every change after its `enable`.
    pub fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.wake.notified()
    }

    /// The latest change that the feed has heard of; it is visible in an instant, if not already.
    pub fn latest(&self) -> Position {
        self.state.lock().latest
    }

    pub fn since(&self, token: SyncToken) -> Changes {
        let state = self.state.lock();
        if token.position < state.complete_after {
            return Changes::Unknown;
        }
        if state.latest <= token.position && state.ephemeral <= token.ephemeral {
            return Changes::Nothing;
        }
        let changed = state
            .rooms
            .iter()
            .filter(|(_, position)| **position > token.position);
        Changes::In(changed.map(|(room, _)| *room).collect())
    }
}
