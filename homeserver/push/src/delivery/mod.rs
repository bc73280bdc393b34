//! From the log to the phones: a reader of the log decides who is to be told of what ([`follow`]), an outbox for each
//! pusher keeps it in order ([`outbox`]), and whatever has one is worked off beside all others ([`send`]).
//!
//! Nothing is written for a notification. How far each pusher has come is, and so is the place in the log before which
//! nothing waits any more; after a restart the log is read again from there, and each pusher is told what it has not
//! been told. A notification can arrive twice then, which its event ID tells, and none is lost.

mod badges;
mod cursor;
mod digest;
mod follow;
mod gateways;
mod inbox;
mod names;
mod notification;
mod outbox;
mod send;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use dashmap::DashMap;
use echorift_accounts::Accounts;
use echorift_rooms::Rooms;
use echorift_storage::{Database, LogListener, Position, StorageError};
use echorift_web::outbound::Outbound;
use serde_json::{Value, json};

pub use self::digest::DigestOptions;
use self::{badges::Badges, cursor::Delivered, inbox::Inbox, outbox::Outbox};
pub(crate) use self::{
    gateways::{Answer, GatewayError, Gateways},
    notification::{Told, of_event},
};
use crate::{Unread, pusher::PusherKey, pushers::Pushers, store, web_push::VapidKey};

/// What the operator configures (`[push]`).
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// Whether what people write leaves the server, for gateways and by mail.
    pub include_content: bool,
    /// Whether gateways without TLS are accepted.
    pub allow_http: bool,
    /// Whom push services may turn to about this server's messages: a `mailto:` or `https:` URI (RFC 8292 § 2.1).
    pub contact: String,
    pub request_timeout: Duration,
    /// When a gateway that did not take a notification is asked again; doubled each time up to the longest.
    pub retry_initial_delay: Duration,
    pub retry_max_delay: Duration,
    /// What could not be delivered for so long is given up.
    pub give_up_after: Duration,
    /// Letters about what is unread (`[email]`).
    pub digest: DigestOptions,
}

/// Pushers, push rules and notifications. Cheap to clone.
#[derive(Clone)]
pub struct Push(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub options: PushOptions,
    pub database: Database,
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub unread: Unread,
    pub pushers: Pushers,
    badges: Badges,
    pub gateways: Gateways,
    pub vapid: VapidKey,
    inbox: Arc<Inbox>,
    /// Of pushers that are being told something.
    outboxes: DashMap<PusherKey, Arc<Outbox>>,
    /// Everything up to here in the log was looked at.
    evaluated: AtomicI64,
    delivered: Delivered,
    digests: tokio::sync::Notify,
}

impl Push {
    /// Loads the pushers. [`Push::listener`] is to be named to the log before [`Push::run`].
    pub async fn start(
        options: PushOptions,
        (rooms, accounts, unread): (&Rooms, &Accounts, &Unread),
        outbound: Outbound,
    ) -> Result<Self, StorageError> {
        let database = rooms.database();
        let pushers = Pushers::load(database, accounts, options.allow_http).await?;
        let cursor = store::log::cursor(database).await?;
        let vapid = VapidKey::open(database, rooms.clock().clone(), options.contact.clone()).await?;
        Ok(Self(Arc::new(Inner {
            database: database.clone(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            unread: unread.clone(),
            badges: Badges::new(rooms, unread),
            gateways: Gateways::new(outbound, options.request_timeout),
            vapid,
            inbox: Arc::new(Inbox::new(pushers.clone())),
            pushers,
            outboxes: DashMap::new(),
            evaluated: AtomicI64::new(cursor.0),
            delivered: Delivered::new(cursor),
            digests: tokio::sync::Notify::new(),
            options,
        })))
    }

    /// What the log tells of new events and receipts.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::clone(&self.0.inbox) as Arc<dyn LogListener>
    }

    /// What clients are told of it (MSC4174 § New entry in capabilities list).
    pub fn capabilities(&self) -> [(String, Value); 2] {
        let told = json!({ "enabled": true, "vapid": self.0.vapid.public_key() });
        ["m.webpush", "org.matrix.msc4174.webpush"].map(|name| (name.to_owned(), told.clone()))
    }

    /// Catches up with what happened while the server was away, and follows the log from then on.
    pub fn run(&self) {
        tokio::spawn(self.clone().follow());
        tokio::spawn(self.clone().keep_cursor());
        tokio::spawn(self.clone().write_letters());
    }

    /// The endpoints of push rules, pushers and notifications.
    pub fn router(&self) -> Router {
        crate::http::router(self.clone())
    }

    fn evaluated(&self) -> Position {
        Position(self.0.evaluated.load(Ordering::Acquire))
    }

    fn set_evaluated(&self, position: Position) {
        self.0.evaluated.fetch_max(position.0, Ordering::AcqRel);
        self.0.delivered.touch();
    }
}
