use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use echorift_accounts::{Accounts, SessionObserver};
use echorift_encryption::Encryption;
use echorift_push::Unread;
use echorift_rooms::Rooms;
use echorift_storage::{Clock, Database, Position, UserNumber};
use ruma::presence::PresenceState;
use tokio::sync::watch;

use crate::{
    EphemeralListener, EphemeralObserver, Feeds, SyncToken,
    presence::Presence,
    sliding::{Connections, Departures, DirectRooms},
    typing::{Typing, Versions},
    v2::{LazyMembers, SavedFilters},
};

/// How often ended typing and silent users are looked for. Typing ends at most so much too late.
const SWEEP: Duration = Duration::from_secs(1);
/// How often presence is told, in sweeps: what changes within is told with one wake-up for each neighbour.
const PRESENCE_EVERY: u32 = 2;
/// How often unused connections of sliding sync are dropped, in sweeps.
const CONNECTION_SWEEP_EVERY: u32 = 60 * 60;
/// How often it is looked whose presence other servers should hear again, in sweeps.
const PRESENCE_AGAIN_EVERY: u32 = 60;
/// How often feeds of users who are gone are dropped, in sweeps.
const FEED_SWEEP_EVERY: u32 = 60;

/// What the operator configures.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    pub presence: bool,
}

/// Everything that clients follow. Cheap to clone.
#[derive(Clone)]
pub struct Syncs(Arc<Inner>);

struct Inner {
    options: SyncOptions,
    database: Database,
    clock: Clock,
    rooms: Rooms,
    accounts: Accounts,
    unread: Unread,
    encryption: Encryption,
    feeds: Arc<Feeds>,
    versions: Versions,
    typing: Typing,
    presence: Presence,
    lazy: LazyMembers,
    filters: SavedFilters,
    connections: Connections,
    departures: Departures,
    direct_rooms: DirectRooms,
    /// Who tells other servers of typing and presence.
    observer: OnceLock<Arc<dyn EphemeralObserver>>,
    /// Who is told of all typing and presence.
    listener: OnceLock<Arc<dyn EphemeralListener>>,
    /// Turns true when the server stops: polls end at once.
    stopping: watch::Receiver<bool>,
}

impl Syncs {
    /// Starts the housekeeping, which ends when `stopping` turns true. [`Syncs::feeds`] must be made a listener of
    /// the log before the first change.
    pub fn start(
        options: SyncOptions,
        database: &Database,
        rooms: &Rooms,
        accounts: &Accounts,
        unread: &Unread,
        encryption: &Encryption,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let clock = rooms.clock().clone();
        let versions = Versions::new(&clock);
        let syncs = Self(Arc::new(Inner {
            options,
            database: database.clone(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            unread: unread.clone(),
            encryption: encryption.clone(),
            feeds: Feeds::new(rooms, database.log()),
            typing: Typing::new(versions.clone()),
            presence: Presence::new(versions.clone()),
            lazy: LazyMembers::new(),
            filters: SavedFilters::new(),
            connections: Connections::new(database),
            departures: Departures::new(),
            direct_rooms: DirectRooms::new(),
            observer: OnceLock::new(),
            listener: OnceLock::new(),
            versions,
            clock,
            stopping,
        }));
        accounts.observe_sessions(Arc::clone(&syncs.0.feeds) as Arc<dyn SessionObserver>);
        tokio::spawn(keep_house(syncs.clone()));
        syncs
    }

    /// All endpoints of this crate.
    pub fn router(&self) -> axum::Router {
        crate::http::router().with_state(self.clone())
    }

    pub fn feeds(&self) -> &Arc<Feeds> {
        &self.0.feeds
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(crate) fn unread(&self) -> &Unread {
        &self.0.unread
    }

    pub(crate) fn encryption(&self) -> &Encryption {
        &self.0.encryption
    }

    pub(crate) fn typing(&self) -> &Typing {
        &self.0.typing
    }

    pub(crate) fn presence(&self) -> Option<&Presence> {
        self.0.options.presence.then_some(&self.0.presence)
    }

    pub(crate) fn lazy(&self) -> &LazyMembers {
        &self.0.lazy
    }

    pub(crate) fn filters(&self) -> &SavedFilters {
        &self.0.filters
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.0.connections
    }

    pub(crate) fn departures(&self) -> &Departures {
        &self.0.departures
    }

    pub(crate) fn direct_rooms(&self) -> &DirectRooms {
        &self.0.direct_rooms
    }

    pub(crate) fn observer_cell(&self) -> &OnceLock<Arc<dyn EphemeralObserver>> {
        &self.0.observer
    }

    pub(crate) fn listener_cell(&self) -> &OnceLock<Arc<dyn EphemeralListener>> {
        &self.0.listener
    }

    /// The latest version of typing and presence.
    pub(crate) fn latest_version(&self) -> u64 {
        self.0.versions.latest()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }

    /// Where a client is that has heard everything.
    pub(crate) fn now(&self) -> SyncToken {
        // The version first: what changes after it is told again, which is harmless.
        let ephemeral = self.0.versions.latest();
        SyncToken {
            position: self.0.database.log().visible(),
            ephemeral,
        }
    }

    /// Waits until everything up to `position` is visible, which it is about to be.
    pub(crate) async fn visible_at_least(&self, position: Position) -> Position {
        let mut visible = self.0.database.log().watch();
        // The log lives as long as the database that we hold.
        let reached = visible
            .wait_for(|visible| *visible >= position)
            .await
            .map(|visible| *visible);
        reached.unwrap_or(position)
    }

    /// Notes that a client polls, and that it has ended with the guard's drop.
    pub(crate) fn presence_of_poll(&self, user: UserNumber, state: PresenceState) -> Option<PollGuard> {
        // Polling with `offline` means: do not show me.
        self.presence().filter(|_| state != PresenceState::Offline)?;
        self.set_presence(user, state, None);
        Some(PollGuard {
            syncs: self.clone(),
            user,
        })
    }

    pub(crate) fn set_presence(
        &self,
        user: UserNumber,
        state: PresenceState,
        status_msg: Option<Option<String>>,
    ) {
        if let Some(presence) = self.presence() {
            presence.set(user, state, status_msg, self.0.clock.now());
        }
    }

    /// Tells the members of a room that typing has changed.
    pub(crate) fn tell_typing(&self, room: &echorift_rooms::Room, version: u64) {
        if let Some(listener) = self.0.listener.get()
            && let Some(users) = self.0.typing.changed_after(room.number, 0)
        {
            listener.on_room_typing(room.number, users);
        }
        self.0
            .feeds
            .tell_ephemeral(room.view().members.joined_local.iter().copied(), version);
    }
}

/// A poll that is under way.
pub(crate) struct PollGuard {
    syncs: Syncs,
    user: UserNumber,
}

impl Drop for PollGuard {
    fn drop(&mut self) {
        // The user was about until now, not only when the poll began.
        if let Some(presence) = self.syncs.presence() {
            presence.touch(self.user, self.syncs.0.clock.now());
        }
    }
}

/// Ends typing that has run out, tells presence, sets silent users offline, drops feeds that nobody reads.
async fn keep_house(syncs: Syncs) {
    let mut stopping = syncs.stopping();
    let mut interval = tokio::time::interval(SWEEP);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0_u32;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        round = round.wrapping_add(1);
        let now = syncs.0.clock.now();
        for end in syncs.0.typing.expire(now) {
            if let Some(room) = syncs.0.rooms.loaded(end.room) {
                syncs.tell_typing(&room, end.version);
                if let Err(error) = syncs.tell_servers_of_end(&room, &end).await {
                    tracing::warn!(%error, "the end of typing could not be told to other servers");
                }
            }
        }
        if round.is_multiple_of(10)
            && let Some(presence) = syncs.presence()
        {
            presence.expire(now);
        }
        if round.is_multiple_of(PRESENCE_EVERY)
            && let Err(error) = syncs.tell_presence().await
        {
            tracing::warn!(%error, "presence could not be told");
        }
        if round.is_multiple_of(PRESENCE_AGAIN_EVERY)
            && let Some(presence) = syncs.presence()
            && let Err(error) = syncs.tell_servers_of_presence(&presence.take_due(now)).await
        {
            tracing::warn!(%error, "presence could not be told to other servers");
        }
        if round.is_multiple_of(CONNECTION_SWEEP_EVERY)
            && let Err(error) = syncs.0.connections.expire(now).await
        {
            tracing::warn!(%error, "unused connections could not be dropped");
        }
        if round.is_multiple_of(FEED_SWEEP_EVERY) {
            syncs.0.feeds.sweep();
            metrics::gauge!("echorift_sync_feeds")
                .set(u32::try_from(syncs.0.feeds.len()).unwrap_or(u32::MAX));
        }
    }
}
