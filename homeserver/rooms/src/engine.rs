//! The rooms of this server: finding, loading and reading them.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicI64, AtomicU64},
    },
};

use dashmap::DashMap;
use echorift_events::SigningKey;
use echorift_storage::{
    Clock, Database, EventNumber, Names, Position, RoomNumber, Sequence, SnapshotNumber, StorageError,
    UserNumber,
};
use parking_lot::RwLock;
use quick_cache::sync::Cache;
use ruma::{EventId, OwnedEventId, OwnedServerName, OwnedUserId, RoomId, RoomVersionId, ServerName, UserId};

use crate::{
    ApplicationServices, NoticeOptions, Peers, RoomError,
    acl::{CACHED_ACLS, ServerAcl},
    aliases::{AliasClaims, AliasObserver},
    event::Event,
    membership_history::MembershipHistory,
    room::Room,
    sends::Sends,
    state::State,
    store::{self, events::StoredEvent},
    thread_subscriptions::ThreadSubscriptions,
    user_rooms::{RoomsOfUser, UserRooms},
    visibility::Visibilities,
};

/// How many states other than rooms' current ones are kept. They share most of their entries.
const CACHED_STATES: usize = 20_000;
/// Of how many events it is kept what authorises them; some 100 bytes each.
const CACHED_AUTH: usize = 200_000;
/// Of how many rooms it is known whether their history was ever closed; 40 bytes each.
const CACHED_VISIBILITIES: usize = 100_000;
/// How many memberships' histories are kept; most are one entry long.
const CACHED_HISTORIES: usize = 20_000;

/// What the operator configures, and what the server is.
pub struct RoomsOptions {
    pub server_name: OwnedServerName,
    pub signing_key: SigningKey,
    pub default_version: RoomVersionId,
    /// Who may put rooms into the directory (`rooms.publish`).
    pub publish: PublishPolicy,
    /// Whether the room directory can be read without an account (`rooms.public_directory_without_login`).
    pub directory_without_login: bool,
    /// Which new rooms are encrypted even if their creator does not say so (`rooms.encryption_by_default`).
    pub encryption: EncryptionDefault,
    /// As whom the server writes to people, and where.
    pub notices: NoticeOptions,
    /// How many bytes of events are kept in memory.
    pub event_cache_bytes: u64,
    /// How many rooms are kept in memory.
    pub loaded_rooms: usize,
}

/// Who may put rooms into the room directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishPolicy {
    Everyone,
    Admins,
    Nobody,
}

/// Which new rooms are encrypted from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionDefault {
    /// Those whose creators say so.
    Off,
    /// Those that one must be invited to.
    Private,
    All,
}

/// The room engine. Cheap to clone.
#[derive(Clone)]
pub struct Rooms(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub options: RoomsOptions,
    pub database: Database,
    pub clock: Clock,
    pub users: Names,
    pub names: Names,
    pub event_numbers: Sequence,
    pub snapshot_numbers: Sequence,
    pub report_numbers: Sequence,
    pub events: Cache<EventNumber, Arc<Event>, EventWeight>,
    pub event_ids: Cache<OwnedEventId, EventNumber>,
    states: Cache<SnapshotNumber, State>,
    /// The `auth_events` of events.
    pub auth: Cache<EventNumber, Arc<[EventNumber]>>,
    /// What history visibilities a room has had, and with which event of now.
    pub visibilities: Cache<RoomNumber, (Option<EventNumber>, Visibilities)>,
    /// Users' memberships in rooms, by their latest member event.
    pub membership_histories: Cache<EventNumber, Arc<MembershipHistory>>,
    /// Rooms' server ACLs by their event, and whether that was redacted.
    pub acls: Cache<(EventNumber, bool), Arc<ServerAcl>>,
    /// Every room that was ever loaded. The weak pointer keeps it unique while anyone still holds it.
    pub slots: DashMap<RoomNumber, Arc<Slot>>,
    /// Keeps the rooms that were used of late.
    pub loaded: Cache<RoomNumber, Arc<Room>>,
    pub user_rooms: UserRooms,
    pub thread_subscriptions: ThreadSubscriptions,
    pub sends: Sends,
    pub alias_claims: AliasClaims,
    /// Held while a user's room for notices is looked for, and made if there is none.
    pub notice_rooms: tokio::sync::Mutex<()>,
    /// Other servers, once federation has started.
    peers: OnceLock<Arc<dyn Peers>>,
    pub alias_observer: OnceLock<Arc<dyn AliasObserver>>,
    pub alias_changes: AtomicU64,
    pub services: OnceLock<Arc<dyn ApplicationServices>>,
    /// The `origin_server_ts` of the room that was made last.
    pub last_creation: AtomicI64,
}

#[derive(Default)]
pub(crate) struct Slot {
    pub room: RwLock<Weak<Room>>,
    /// Held while the room is being loaded.
    pub loading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
pub(crate) struct EventWeight;

impl quick_cache::Weighter<EventNumber, Arc<Event>> for EventWeight {
    fn weight(&self, _: &EventNumber, event: &Arc<Event>) -> u64 {
        event.weight()
    }
}

/// The mean size of a cached event, for the cache's own tables.
const EVENT_BYTES: u64 = 2_500;

impl Rooms {
    pub fn new(options: RoomsOptions, database: &Database, users: Names, clock: Clock) -> Self {
        let estimated = usize::try_from(options.event_cache_bytes / EVENT_BYTES)
            .unwrap_or(1)
            .max(1);
        Self(Arc::new(Inner {
            database: database.clone(),
            clock,
            users,
            names: Names::rooms(database),
            event_numbers: Sequence::new("event_number", database),
            snapshot_numbers: Sequence::new("snapshot_number", database),
            report_numbers: Sequence::new("report_number", database),
            events: Cache::with_weighter(estimated, options.event_cache_bytes, EventWeight),
            event_ids: Cache::new(estimated),
            states: Cache::new(CACHED_STATES),
            auth: Cache::new(CACHED_AUTH),
            visibilities: Cache::new(CACHED_VISIBILITIES),
            membership_histories: Cache::new(CACHED_HISTORIES),
            acls: Cache::new(CACHED_ACLS),
            slots: DashMap::new(),
            loaded: Cache::new(options.loaded_rooms),
            user_rooms: UserRooms::new(database),
            thread_subscriptions: ThreadSubscriptions::new(database),
            sends: Sends::default(),
            alias_claims: AliasClaims::default(),
            notice_rooms: tokio::sync::Mutex::default(),
            peers: OnceLock::new(),
            alias_observer: OnceLock::new(),
            alias_changes: AtomicU64::new(0),
            services: OnceLock::new(),
            last_creation: AtomicI64::new(0),
            options,
        }))
    }

    /// Says how other servers are reached, once; without it, rooms and users of other servers are out of reach.
    pub fn federate(&self, peers: Arc<dyn Peers>) -> bool {
        self.0.peers.set(peers).is_ok()
    }

    /// How other servers are reached. Errors: `NoFederation` if they are not.
    pub fn peers(&self) -> Result<&dyn Peers, RoomError> {
        self.0
            .peers
            .get()
            .map(|peers| &**peers)
            .ok_or(RoomError::NoFederation)
    }

    pub fn server_name(&self) -> &ServerName {
        &self.0.options.server_name
    }

    pub fn options(&self) -> &RoomsOptions {
        &self.0.options
    }

    pub fn database(&self) -> &Database {
        &self.0.database
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub fn users(&self) -> &Names {
        &self.0.users
    }

    pub fn is_local(&self, user: &UserId) -> bool {
        user.server_name() == self.server_name()
    }

    /// The number of a user, made if need be.
    pub async fn user_number(&self, user: &UserId) -> Result<UserNumber, StorageError> {
        self.0.users.intern(user.as_str()).await.map(UserNumber)
    }

    /// The ID of a user.
    pub async fn user_id(&self, user: UserNumber) -> Result<OwnedUserId, StorageError> {
        let name = self.0.users.name(user.0).await?;
        UserId::parse(&*name).map_err(|error| StorageError::corrupt("user_numbers.user_id", error))
    }

    /// The IDs of these users, in their order. One query at most.
    pub async fn user_ids(&self, users: &[UserNumber]) -> Result<Vec<OwnedUserId>, StorageError> {
        let numbers: Vec<i64> = users.iter().map(|user| user.0).collect();
        let names = self.0.users.names(&numbers).await?;
        let parse = |name: &Arc<str>| UserId::parse(&**name);
        let ids = names
            .iter()
            .map(|name| parse(name).map_err(|error| StorageError::corrupt("user_numbers.user_id", error)));
        ids.collect()
    }

    /// A room by its ID. Errors: `UnknownRoom`.
    pub async fn room(&self, id: &RoomId) -> Result<Arc<Room>, RoomError> {
        let unknown = || RoomError::UnknownRoom(id.to_owned());
        let number = self
            .0
            .names
            .find(id.as_str())
            .await?
            .map(RoomNumber)
            .ok_or_else(unknown)?;
        if let Some(room) = self.loaded(number) {
            return Ok(room);
        }
        self.load(&[number]).await?.pop().ok_or_else(unknown)
    }

    /// Keeps an event in memory; of two copies of one event the first stays.
    pub(crate) fn remember(&self, event: Event) -> Arc<Event> {
        if let Some(known) = self.0.events.get(&event.number) {
            return known;
        }
        let event = Arc::new(event);
        self.0.event_ids.insert(event.pdu.event_id.clone(), event.number);
        self.0.events.insert(event.number, Arc::clone(&event));
        event
    }

    /// An event that is known to exist.
    pub async fn event(&self, number: EventNumber) -> Result<Arc<Event>, StorageError> {
        if let Some(event) = self.0.events.get(&number) {
            return Ok(event);
        }
        let event = self.events(&[number]).await?.pop();
        event.ok_or_else(|| StorageError::corrupt("events", format!("event {number} is missing")))
    }

    /// These events, in their order; those that are not stored are left out. A query or two, however many events.
    pub async fn events(&self, numbers: &[EventNumber]) -> Result<Vec<Arc<Event>>, StorageError> {
        let mut found: Vec<Option<Arc<Event>>> =
            numbers.iter().map(|number| self.0.events.get(number)).collect();
        let missing: Vec<EventNumber> = numbers
            .iter()
            .zip(&found)
            .filter(|(_, event)| event.is_none())
            .map(|(number, _)| *number)
            .collect();
        if !missing.is_empty() {
            let stored = store::events::by_numbers(&self.0.database, missing).await?;
            let loaded = self.parse_events(stored).await?;
            let loaded: HashMap<EventNumber, Arc<Event>> =
                loaded.into_iter().map(|event| (event.number, event)).collect();
            for (number, event) in numbers.iter().zip(&mut found) {
                if event.is_none() {
                    *event = loaded.get(number).cloned();
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Reads stored events by the rules of their rooms, in the order given.
    pub(crate) async fn parse_events(
        &self,
        stored: Vec<StoredEvent>,
    ) -> Result<Vec<Arc<Event>>, StorageError> {
        let mut numbers: Vec<RoomNumber> = stored.iter().map(|event| event.room).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let rooms: HashMap<RoomNumber, Arc<Room>> = self
            .load(&numbers)
            .await?
            .into_iter()
            .map(|room| (room.number, room))
            .collect();
        let parsed = stored.into_iter().filter_map(|event| {
            let room = rooms.get(&event.room)?;
            Some(
                event
                    .parse(room.id.clone(), &room.rules)
                    .map(|event| self.remember(event)),
            )
        });
        parsed.collect()
    }

    /// A committed event of `room` by its ID. Errors: `UnknownEvent`, also for events of other rooms.
    pub async fn event_by_id(&self, room: &Room, id: &EventId) -> Result<Arc<Event>, RoomError> {
        let number = match self.0.event_ids.get(id) {
            Some(number) => Some(number),
            None => store::events::numbers_of(&self.0.database, &[id])
                .await?
                .remove(id),
        };
        let unknown = || RoomError::UnknownEvent(id.to_owned());
        let event = self
            .events(&[number.ok_or_else(unknown)?])
            .await?
            .pop()
            .ok_or_else(unknown)?;
        // An event that is not yet committed has no position; neither have those outside the timeline.
        let is_visible = event.room == room.number && event.position().0 != 0;
        if is_visible { Ok(event) } else { Err(unknown()) }
    }

    /// These events whatever became of them, by their IDs; those that this server does not hold are left out. Events
    /// that are not yet committed are among them.
    pub async fn known_events(
        &self,
        ids: &[&EventId],
    ) -> Result<HashMap<OwnedEventId, Arc<Event>>, StorageError> {
        let mut numbers: HashMap<OwnedEventId, EventNumber> = HashMap::with_capacity(ids.len());
        let mut unknown = Vec::new();
        for id in ids {
            match self.0.event_ids.get(*id) {
                Some(number) => drop(numbers.insert((*id).to_owned(), number)),
                None => unknown.push(*id),
            }
        }
        if !unknown.is_empty() {
            numbers.extend(store::events::numbers_of(&self.0.database, &unknown).await?);
        }
        let numbers: Vec<EventNumber> = numbers.into_values().collect();
        let events = self.events(&numbers).await?;
        Ok(events
            .into_iter()
            .map(|event| (event.pdu.event_id.clone(), event))
            .collect())
    }

    /// The room of an event; `None` if the event is not known here.
    pub async fn room_of_event(&self, id: &EventId) -> Result<Option<Arc<Room>>, StorageError> {
        let number = match self.0.event_ids.get(id) {
            Some(number) => Some(number),
            None => store::events::numbers_of(&self.0.database, &[id])
                .await?
                .remove(id),
        };
        let Some(number) = number else { return Ok(None) };
        let event = self.events(&[number]).await?.pop();
        let Some(room) = event.map(|event| event.room) else {
            return Ok(None);
        };
        Ok(self.load(&[room]).await?.pop())
    }

    /// The state stored under a snapshot number.
    pub async fn state(&self, snapshot: SnapshotNumber) -> Result<State, StorageError> {
        let mut states = self.states([snapshot]).await?;
        states
            .remove(&snapshot)
            .ok_or_else(|| StorageError::corrupt("state_snapshots", snapshot))
    }

    /// The states stored under these numbers. Two queries at most.
    pub async fn states(
        &self,
        snapshots: impl IntoIterator<Item = SnapshotNumber>,
    ) -> Result<HashMap<SnapshotNumber, State>, StorageError> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for snapshot in snapshots {
            match self.0.states.get(&snapshot) {
                Some(state) => {
                    found.insert(snapshot, state);
                }
                None => missing.push(snapshot),
            }
        }
        if !missing.is_empty() {
            for (snapshot, state) in store::snapshots::load(&self.0.database, missing).await? {
                self.0.states.insert(snapshot, state.clone());
                found.insert(snapshot, state);
            }
        }
        Ok(found)
    }

    /// Keeps a state that was just made.
    pub(crate) fn remember_state(&self, state: &State) {
        self.0.states.insert(state.snapshot, state.clone());
    }

    /// Up to `limit` timeline events of a room with `after < position <= to`: the earliest or the latest of them, in
    /// the order asked for.
    pub async fn timeline(
        &self,
        room: &Room,
        (after, to): (Position, Position),
        order: store::events::Order,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StorageError> {
        if order == store::events::Order::NewestFirst
            && let Some((events, _)) = room.latest(to, limit)
        {
            return Ok(events
                .into_iter()
                .rev()
                .take_while(|event| event.position() > after)
                .collect());
        }
        if let Some(mut events) = room.recent(after, to) {
            if order == store::events::Order::NewestFirst {
                events.reverse();
            }
            events.truncate(limit);
            return Ok(events);
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let numbers = store::events::page(&self.0.database, room.number, (after, to), order, limit).await?;
        self.events(&numbers).await
    }

    /// The state of a room after its last timeline event with `position <= to`; empty before the first.
    pub async fn state_at(&self, room: &Room, to: Position) -> Result<State, StorageError> {
        let view = room.view();
        if view.position <= to {
            return Ok(view.state.clone());
        }
        let last = match room.latest(to, 1) {
            Some((events, _)) => events.into_iter().next(),
            None => {
                let order = store::events::Order::NewestFirst;
                let page =
                    store::events::page(&self.0.database, room.number, (Position(i64::MIN), to), order, 1);
                self.events(&page.await?).await?.into_iter().next()
            }
        };
        match last {
            Some(event) => self.state(event.room_snapshot).await,
            None => Ok(State::default()),
        }
    }

    /// All rooms that the user has or had a membership in.
    pub async fn rooms_of(&self, user: UserNumber) -> Result<Arc<RoomsOfUser>, StorageError> {
        self.0.user_rooms.of(user).await
    }
}
