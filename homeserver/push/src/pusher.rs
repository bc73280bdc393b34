//! Where people want to hear of what concerns them (CS API § Push notifications: pusher).

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use echorift_mail::Address;
use echorift_storage::{Position, Timestamp, UserNumber};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use url::Url;

use crate::web_push::Subscription;

/// What names a pusher: nobody has two with the same app and key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PusherKey {
    pub user: UserNumber,
    pub app_id: Arc<str>,
    pub pushkey: Arc<str>,
}

/// How a pusher reaches its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Channel {
    /// A push gateway; with `is_id_only` it learns of an event's ID and nothing else.
    Http {
        url: Url,
        is_id_only: bool,
    },
    Email(Address),
    /// A browser's push service, which carries what it cannot read.
    WebPush(Box<Subscription>),
}

impl Channel {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http { .. } => "http",
            Self::Email(_) => "email",
            Self::WebPush(subscription) => subscription.kind,
        }
    }

    /// Whether it learns of an event's ID and nothing else.
    pub fn is_id_only(&self) -> bool {
        match self {
            Self::Http { is_id_only, .. } => *is_id_only,
            Self::WebPush(subscription) => subscription.is_id_only,
            Self::Email(_) => false,
        }
    }

    /// Whether it is told how many messages are unread, also when nothing else is new.
    pub fn shows_counts(&self) -> bool {
        match self {
            Self::Http { .. } => true,
            Self::WebPush(subscription) => !subscription.is_events_only,
            Self::Email(_) => false,
        }
    }
}

/// A pusher as its client has set it.
#[derive(Debug)]
pub(crate) struct Pusher {
    pub key: PusherKey,
    pub channel: Channel,
    /// Whose end is its end; e-mail pushers have none.
    pub device_id: Option<String>,
    pub app_display_name: String,
    pub device_display_name: String,
    pub profile_tag: Option<String>,
    pub lang: String,
    /// As the client gave it, `url` included.
    pub data: Map<String, Value>,
    pub is_enabled: bool,
    /// Whether its client has shown that it gets what is sent (MSC4174); always so for other kinds than `webpush`.
    pub is_activated: AtomicBool,
    pub set: Timestamp,
    /// Everything up to here was delivered, or is not to be.
    pub delivered: AtomicI64,
    pub letters: Mutex<Letters>,
}

/// When an e-mail pusher writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Letters {
    /// When the next letter is to be looked at.
    pub due: Option<Timestamp>,
    /// When the last one was sent.
    pub mailed: Option<Timestamp>,
    /// How long to pause after that.
    pub pause_ms: i64,
}

impl Pusher {
    pub fn delivered(&self) -> Position {
        Position(self.delivered.load(Ordering::Acquire))
    }

    /// Whether it is told anything at present.
    pub fn is_told(&self) -> bool {
        self.is_enabled && self.is_activated.load(Ordering::Acquire)
    }

    /// Moves on; never back.
    pub fn deliver_up_to(&self, position: Position) {
        self.delivered.fetch_max(position.0, Ordering::AcqRel);
    }

    /// Whether the two differ in nothing but being switched on.
    pub fn is_same_but_for_enabled(&self, other: &Self) -> bool {
        self.channel == other.channel
            && self.app_display_name == other.app_display_name
            && self.device_display_name == other.device_display_name
            && self.profile_tag == other.profile_tag
            && self.lang == other.lang
            && self.data == other.data
    }
}
