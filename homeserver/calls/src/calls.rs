use std::sync::{Arc, OnceLock, atomic::AtomicUsize};

use dashmap::DashSet;
use echorift_accounts::Accounts;
use echorift_rooms::Rooms;
use echorift_storage::{Clock, Database, LogListener, RoomNumber, Timestamp, UserNumber};
use echorift_web::RateLimits;
use ruma::{OwnedDeviceId, ServerName};
use tokio::sync::watch;

use crate::{
    CallError, CallPeers, CallsOptions, DelayedEvents, Permission, Sfus,
    authorisation::OpenIdCache,
    leaving::{self, Departures, Settling},
    rights::{self, Changes},
    store::grants,
    sweep,
    webhooks::SeenWebhooks,
};

/// Calls: who gets into them, and who has to leave. Cheap to clone.
#[derive(Clone)]
pub struct Calls(pub(crate) Arc<Inner>);

/// What calls are built on.
pub struct CallsParts {
    pub database: Database,
    pub clock: Clock,
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub limits: Arc<RateLimits>,
    pub delayed_events: DelayedEvents,
    pub sfus: Sfus,
}

pub(crate) struct Inner {
    pub options: CallsOptions,
    pub parts: CallsParts,
    /// Other servers, once federation has started.
    pub peers: OnceLock<Arc<dyn CallPeers>>,
    pub openid: OpenIdCache,
    pub departures: Departures,
    pub settling: Settling,
    pub webhooks: SeenWebhooks,
    pub changes: Changes,
    /// Moves on when the SFUs are to be asked at once.
    pub nudges: watch::Sender<u64>,
    /// How many people were in calls at the last sweep.
    pub people_seen: AtomicUsize,
    /// The rooms that anybody holds a grant for: what happens in the others is of no interest here. It may hold a room for
    /// too long, never too short.
    pub rooms_with_grants: DashSet<RoomNumber>,
}

/// A place in a call: who somebody is, in which room of which SFU.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seat {
    /// The name of the SFU in the configuration.
    pub sfu: String,
    pub livekit_room: String,
    pub identity: String,
}

/// That somebody was given a token for a seat.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grant {
    pub seat: Seat,
    pub room: RoomNumber,
    pub user: UserNumber,
    /// The device that asked, if this server knows it: the grant ends with it.
    pub device_id: Option<OwnedDeviceId>,
    pub issued: Timestamp,
    pub expires: Timestamp,
    pub permission: Permission,
    /// Whether they were let in to listen and watch, whatever the room would let them send.
    pub is_listener: bool,
    /// Whether it was taken back. The token still opens the SFU's door, so that its holder is put out when they come.
    pub is_revoked: bool,
}

impl Calls {
    /// Builds calls; nothing is enforced before [`Calls::run`]. Error: `Storage`.
    pub async fn start(options: CallsOptions, parts: CallsParts) -> Result<Self, CallError> {
        let rooms_with_grants = grants::rooms(&parts.database).await?;
        Ok(Self(Arc::new(Inner {
            options,
            peers: OnceLock::new(),
            openid: OpenIdCache::default(),
            departures: Departures::default(),
            settling: Settling::default(),
            webhooks: SeenWebhooks::default(),
            changes: Changes::default(),
            nudges: watch::Sender::new(0),
            people_seen: AtomicUsize::new(0),
            rooms_with_grants: rooms_with_grants.into_iter().collect(),
            parts,
        })))
    }

    /// What must be made a listener of the log, before the first change.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::new(rights::Listener(Arc::downgrade(&self.0)))
    }

    /// Goes on with what was left to this server before the last stop, and enforces rights from now on, until `stopping` turns
    /// true. Errors: `Delayed`, `Storage`.
    pub async fn run(&self, stopping: watch::Receiver<bool>) -> Result<(), CallError> {
        if !self.is_on() {
            return Ok(());
        }
        self.resume_departures().await?;
        spawn_until(stopping.clone(), leaving::run(self.clone()));
        spawn_until(stopping.clone(), rights::follow(self.clone()));
        spawn_until(stopping, sweep::run(self.clone()));
        Ok(())
    }

    pub fn is_on(&self) -> bool {
        self.0.options.is_on
    }

    pub fn server_name(&self) -> &ServerName {
        self.rooms().server_name()
    }

    pub fn sfus(&self) -> &Sfus {
        &self.0.parts.sfus
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.parts.database
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.0.parts.rooms
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.parts.accounts
    }

    pub(crate) fn limits(&self) -> &RateLimits {
        &self.0.parts.limits
    }

    pub(crate) fn delayed(&self) -> &DelayedEvents {
        &self.0.parts.delayed_events
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Says how other servers are reached, once; without it, calls stay among users of this server.
    pub fn federate(&self, peers: Arc<dyn CallPeers>) -> bool {
        self.0.peers.set(peers).is_ok()
    }

    /// Errors: `NoFederation`.
    pub(crate) fn peers(&self) -> Result<&dyn CallPeers, CallError> {
        let peers = self.0.peers.get().map(|peers| &**peers);
        peers.ok_or(CallError::NoFederation)
    }
}

fn spawn_until(mut stopping: watch::Receiver<bool>, work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        tokio::select! {
            // An error is the end of whoever could have said so.
            _ = stopping.wait_for(|stop| *stop) => {}
            () = work => {}
        }
    });
}
