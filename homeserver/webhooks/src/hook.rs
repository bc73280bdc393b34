use echorift_storage::{Position, RoomNumber, StorageError, Timestamp, UserNumber};
use parking_lot::Mutex;
use ruma::{OwnedMxcUri, OwnedUserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Notify;

/// A webhook as it is now. Changed ones take the place of those before, and share their progress.
#[derive(Debug, Clone)]
pub struct Hook {
    pub id: String,
    pub room: RoomNumber,
    /// As whom it is a member of the room.
    pub user: UserNumber,
    pub user_id: OwnedUserId,
    pub name: String,
    pub avatar_url: Option<OwnedMxcUri>,
    pub created_by: String,
    pub created: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) disabled: Option<Disabled>,
    pub(crate) progress: Arc<Progress>,
}

/// Which way the events go.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Incoming(Incoming, Lock),
    Outgoing(Outgoing, Key),
}

/// How an incoming hook knows who may write.
#[derive(Debug, Clone)]
pub(crate) enum Lock {
    /// A secret in the address; its hash.
    Secret(String),
    /// A signature of each request.
    Signature(Key),
}

/// The key of signatures. Not shown in logs.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// What is set of an incoming hook; stored as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Incoming {
    /// Whether a message may say under which name it is shown.
    #[serde(default)]
    pub(crate) allow_name_override: bool,
}

/// What is set of an outgoing hook; stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) url: String,
    /// Of these types; `*` stands for all.
    pub(crate) event_types: Vec<String>,
    /// If there are any, only messages that hold one of them, in any case of letters.
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    /// Whether the target may answer with a message.
    #[serde(default)]
    pub(crate) allow_replies: bool,
}

/// Since when a hook is off, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disabled {
    pub(crate) at: Timestamp,
    pub(crate) why: String,
}

/// How far an outgoing hook has come.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) state: Mutex<ProgressState>,
    /// Something was said in the room, or the hook was changed.
    pub(crate) wake: Notify,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgressState {
    /// Everything up to here was delivered, or is not to be.
    pub(crate) position: Position,
    pub(crate) failing: Option<Failing>,
    /// Whether this is not written yet.
    pub(crate) is_dirty: bool,
}

/// Since when deliveries fail, and what the last one met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) since: Timestamp,
    pub(crate) failure: String,
}

/// How a hook fares, for those who manage it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookState {
    Working,
    /// Deliveries fail since then, and are tried again.
    Failing {
        since: Timestamp,
        failure: String,
    },
    Off {
        since: Timestamp,
        why: String,
    },
}

impl Hook {
    pub fn is_outgoing(&self) -> bool {
        matches!(self.kind, Kind::Outgoing(..))
    }

    /// `incoming` or `outgoing`.
    pub fn direction(&self) -> &'static str {
        match self.kind {
            Kind::Incoming(..) => "incoming",
            Kind::Outgoing(..) => "outgoing",
        }
    }

    pub fn state(&self) -> HookState {
        if let Some(Disabled { at, why }) = self.disabled.clone() {
            return HookState::Off { since: at, why };
        }
        match self.progress.state.lock().failing.clone() {
            Some(Failing { since, failure }) => HookState::Failing { since, failure },
            None => HookState::Working,
        }
    }

    /// What is stored as `settings`.
    pub(crate) fn settings(&self) -> Result<String, StorageError> {
        let json = match &self.kind {
            Kind::Incoming(incoming, _) => serde_json::to_string(incoming),
            Kind::Outgoing(outgoing, _) => serde_json::to_string(outgoing),
        };
        json.map_err(|error| StorageError::corrupt("webhooks.settings", error))
    }
}

impl Progress {
    pub(crate) fn new(position: Position, failing: Option<Failing>) -> Self {
        Self {
            state: Mutex::new(ProgressState {
                position,
                failing,
                is_dirty: false,
            }),
            wake: Notify::new(),
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.state.lock().position
    }

    /// Everything up to here is done.
    pub(crate) fn advance(&self, position: Position) {
        let mut state = self.state.lock();
        if position > state.position {
            state.position = position;
            state.is_dirty = true;
        }
    }

    pub(crate) fn set_failing(&self, failing: Option<Failing>) {
        let mut state = self.state.lock();
        if state.failing != failing {
            state.failing = failing;
            state.is_dirty = true;
        }
    }
}
