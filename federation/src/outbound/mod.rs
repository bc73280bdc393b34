//! Sending what is ours to those who share a room with it (SS API § Transactions).
//!
//! - The log tells the [`inbox`](inbox::Inbox) what is new; the [`router`] finds out whom it is for and queues it with
//!   each [`destination`]. While something waits for a destination, it has a [`worker`], which sends one transaction at
//!   a time, in order.
//! - A destination that does not answer costs a few words: its queue is let go of, and when it is due again, what it
//!   missed is read from the database ([`catch_up`]).
//! - How far everyone is, is remembered by [`cursors`]; nothing is written per transaction.

mod catch_up;
mod client_transport;
mod cursors;
mod destination;
mod edu;
mod inbox;
mod live_edus;
mod recipients;
mod roster;
mod router;
mod store;
mod transaction;
mod transport;
mod worker;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use echorift_rooms::Rooms;
use echorift_storage::{Clock, Database, LogListener, Position, RoomNumber, StorageError, Timestamp};
use ruma::{OwnedServerName, RoomId, ServerName, UserId, api::federation::transactions::edu::PresenceUpdate};
use tokio::sync::{broadcast::error::RecvError, watch};

pub(crate) use self::client_transport::ClientTransport;
pub use self::destination::LastFailure;
pub use self::edu::{DurableEdus, DurableFuture, DurablePage, RawEdu};
use self::{
    destination::Destination,
    inbox::{Inbox, News},
    roster::Roster,
    transaction::{Bodies, TransactionIds},
};
pub(crate) use self::{transaction::TransactionBody, transport::Transport};
use crate::Policy;

/// How long a stop waits for transactions that are under way; what is cut off is sent again after the start.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How many events that a server lacks are counted.
const BACKLOG_COUNTED_MAX: i64 = 10_000;

/// The sender. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

/// What the sender is built on.
pub(crate) struct OutboundParts {
    pub rooms: Rooms,
    pub clock: Clock,
    pub policy: Policy,
    pub transport: Arc<dyn Transport>,
}

struct Inner {
    parts: OutboundParts,
    durable: OnceLock<Arc<dyn DurableEdus>>,
    inbox: Inbox,
    roster: Roster,
    bodies: Bodies,
    transaction_ids: TransactionIds,
    /// Up to where the log was routed.
    routed: AtomicI64,
    /// The common cursor in the database.
    stored_others: AtomicI64,
    /// Whether anything was queued since the cursors were last written.
    has_changed: AtomicBool,
    /// Held while cursors are written, and nothing else is taken under it.
    flushing: tokio::sync::Mutex<()>,
    stopping: watch::Sender<bool>,
}

/// How a destination stands, for whoever operates the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationStatus {
    pub server: OwnedServerName,
    pub state: DestinationState,
    /// Up to where it has everything, if something waits for it.
    pub sent: Option<Position>,
    /// How many events wait in memory.
    pub queued: usize,
    /// How many news of the moment wait: receipts, presence, typing.
    pub live_edus: usize,
    /// When something last arrived since the start.
    pub last_success: Option<Timestamp>,
    /// Why nothing has since.
    pub failure: Option<LastFailure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationState {
    /// Served from memory.
    Live,
    /// Catching up from the database.
    Lagging,
    /// Away, and not due yet.
    BackingOff,
}

impl Outbound {
    /// Reads how far everyone is. Nothing is sent before [`Outbound::run`].
    pub(crate) async fn start(parts: OutboundParts) -> Result<Self, StorageError> {
        let database = parts.rooms.database();
        let visible = database.log().visible();
        let cursors = store::load_cursors(database).await?;
        let roster = Roster::new();
        for (server, behind) in cursors.behind {
            roster.add_behind(server, behind, visible);
        }
        let others = cursors.others.unwrap_or(visible);
        if cursors.others.is_none() {
            // The first start: from here on nothing is missed, whatever happens before cursors are next written.
            let mut change = echorift_storage::Change::new();
            store::put_others(&mut change, others);
            database.writer().commit(change).await?;
        }
        let (stopping, _) = watch::channel(false);
        Ok(Self(Arc::new(Inner {
            durable: OnceLock::new(),
            inbox: Inbox::default(),
            roster,
            bodies: Bodies::new(parts.rooms.server_name()),
            transaction_ids: TransactionIds::new(parts.clock.now()),
            routed: AtomicI64::new(others.0),
            stored_others: AtomicI64::new(others.0),
            has_changed: AtomicBool::new(false),
            flushing: tokio::sync::Mutex::default(),
            stopping,
            parts,
        })))
    }

    /// What must be made a listener of the log, before the first change.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::new(Listener(self.clone()))
    }

    /// Says who keeps the EDUs that must arrive; once, before [`Outbound::run`].
    pub fn keep_durable_edus(&self, durable: Arc<dyn DurableEdus>) -> bool {
        self.0.durable.set(durable).is_ok()
    }

    /// Starts to send, until [`Outbound::stop`].
    pub fn run(&self) {
        for destination in self.0.roster.all() {
            self.rouse(&destination, false);
        }
        tokio::spawn(router::run(self.clone()));
        tokio::spawn(cursors::run(self.clone()));
        tokio::spawn(retry(self.clone()));
        tokio::spawn(listen(self.clone()));
    }

    /// Sends nothing more, and remembers how far everyone is.
    pub async fn stop(&self) -> Result<(), StorageError> {
        self.0.stopping.send_replace(true);
        let idle = async {
            while self.0.roster.in_flight() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(STOP_PATIENCE, idle).await;
        self.set_changed();
        cursors::flush(self).await
    }

    /// Tells the other servers in a room that a local user types there, or has stopped to. Dropped for those that are
    /// away.
    pub fn send_typing(&self, room: &RoomId, user: &UserId, is_typing: bool) {
        let (room, user) = (room.to_owned(), user.to_owned());
        self.0.inbox.push(News::Typing {
            room,
            user,
            is_typing,
        });
    }

    /// Tells the presence of a local user to the servers that share a room with them. Dropped for those that are away.
    pub fn send_presence(&self, update: PresenceUpdate) {
        self.0.inbox.push(News::Presence(update));
    }

    /// The server was heard of, or is due again for another reason: what waits for it is sent now.
    pub fn wake(&self, server: &ServerName) {
        if let Some(destination) = self.0.roster.find(server) {
            self.rouse(&destination, true);
        }
    }

    /// All servers that anything was sent to since the start, or that are behind.
    pub fn destinations(&self) -> Vec<DestinationStatus> {
        let describe = |destination: Arc<Destination>| {
            let (status, answers) = (destination.status(), destination.answers());
            DestinationStatus {
                server: destination.name.clone(),
                state: match (status.is_resting, status.is_lagging) {
                    (true, _) => DestinationState::BackingOff,
                    (false, true) => DestinationState::Lagging,
                    (false, false) => DestinationState::Live,
                },
                sent: status.sent(),
                queued: status.queued,
                live_edus: status.live_edus,
                last_success: answers.last_success,
                failure: answers.failure,
            }
        };
        let mut all: Vec<_> = self.0.roster.all().into_iter().map(describe).collect();
        all.sort_unstable_by(|one, other| one.server.cmp(&other.server));
        all
    }

    /// How many events wait in memory for all destinations together.
    pub fn queued(&self) -> usize {
        let all = self.0.roster.all().into_iter();
        all.map(|destination| destination.status().queued)
            .fold(0, usize::saturating_add)
    }

    /// The rooms that a server is in now. One query.
    pub async fn rooms_with(&self, server: &ServerName) -> Result<Vec<RoomNumber>, StorageError> {
        let rooms = store::rooms_of_server(self.database(), server, Position(i64::MAX)).await?;
        let joined = rooms.into_iter().filter(|room| room.is_joined);
        Ok(joined.map(|room| room.room).collect())
    }

    /// How many events of ours a server has not got of what happened in its rooms, counted up to a bound. Three queries.
    pub async fn backlog(&self, server: &ServerName) -> Result<i64, StorageError> {
        let Some(destination) = self.0.roster.find(server) else {
            return Ok(0);
        };
        let status = destination.status();
        let Some(sent) = status.events_sent else {
            return Ok(0);
        };
        let rooms = self.rooms_with(server).await?;
        let missed = (sent, self.database().log().visible());
        let (events, _) = store::backlog(self.database(), &rooms, missed, BACKLOG_COUNTED_MAX).await?;
        Ok(events)
    }

    fn rouse(&self, destination: &Arc<Destination>, has_shown: bool) {
        if !self.is_stopping() && destination.rouse(has_shown) {
            worker::start(self, destination);
        }
    }

    fn database(&self) -> &Database {
        self.0.parts.rooms.database()
    }

    fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    fn durable(&self) -> Option<&dyn DurableEdus> {
        self.0.durable.get().map(|durable| &**durable)
    }

    fn due_at(&self, destination: &Destination) -> Option<Timestamp> {
        self.0.parts.transport.due_at(&destination.name)
    }

    fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Resolves when the server stops.
    async fn stopping(&self) {
        // The sender lives as long as this.
        let _ = self
            .0
            .stopping
            .subscribe()
            .wait_for(|is_stopping| *is_stopping)
            .await;
    }

    fn routed(&self) -> Position {
        Position(self.0.routed.load(Ordering::Acquire))
    }

    fn set_routed(&self, position: Position) {
        self.0.routed.fetch_max(position.0, Ordering::AcqRel);
    }

    fn stored_others(&self) -> Position {
        Position(self.0.stored_others.load(Ordering::Acquire))
    }

    fn set_stored_others(&self, position: Position) {
        self.0.stored_others.store(position.0, Ordering::Release);
    }

    fn set_changed(&self) {
        self.0.has_changed.store(true, Ordering::Release);
    }

    fn take_changed(&self) -> bool {
        self.0.has_changed.swap(false, Ordering::AcqRel)
    }
}

/// Asks servers again when they are due.
async fn retry(outbound: Outbound) {
    loop {
        let due = tokio::select! {
            due = outbound.0.roster.due(|| outbound.now()) => due,
            () = outbound.stopping() => return,
        };
        for server in due {
            if let Some(destination) = outbound.0.roster.find(&server) {
                outbound.rouse(&destination, false);
            }
        }
    }
}

/// Serves again who was heard of, though it was not due yet.
async fn listen(outbound: Outbound) {
    let mut heard_of = outbound.0.parts.transport.heard_of();
    loop {
        let heard = tokio::select! {
            heard = heard_of.recv() => heard,
            () = outbound.stopping() => return,
        };
        match heard {
            Ok(server) => outbound.wake(&server),
            // Whoever was missed is among these, and a worker ends at once for who is not due.
            Err(RecvError::Lagged(_)) => {
                for destination in outbound.0.roster.all() {
                    outbound.rouse(&destination, false);
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

struct Listener(Outbound);

impl LogListener for Listener {
    fn on_records(&self, records: &[(Position, echorift_storage::Record)]) {
        self.0.0.inbox.on_records(records);
    }

    fn on_visible(&self) {
        self.0.0.inbox.on_visible();
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
