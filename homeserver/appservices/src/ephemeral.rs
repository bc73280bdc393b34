//! What happens and is not kept: typing, presence, receipts (AS API § Pushing ephemeral data).
//!
//! Of each thing only the latest is held, and only until the services were told, once: a service that is away has missed
//! it, as a client has that was not connected.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use echorift_rooms::{ReceiptKind, Room, Rooms};
use echorift_storage::{LogListener, Position, Record, RoomNumber, StorageError, UserNumber};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How many rooms and users may wait to be told of. With more, the rest is not told.
const WAITING_MAX: usize = 10_000;

/// What waits to be told.
#[derive(Default)]
pub(crate) struct Ephemeral {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

/// What was taken out to be told.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Whether any service wants to hear of it.
    is_wanted: bool,
    /// Who types in which rooms now.
    pub typing: HashMap<RoomNumber, Vec<UserNumber>>,
    /// The content of `m.presence`.
    pub presence: HashMap<UserNumber, Value>,
    /// In which rooms receipts have come, with the position of the first.
    pub receipts: HashMap<RoomNumber, Position>,
}

impl Waiting {
    pub fn is_empty(&self) -> bool {
        self.typing.is_empty() && self.presence.is_empty() && self.receipts.is_empty()
    }
}

impl Ephemeral {
    /// Says whether any service wants to hear of it. Nothing is held otherwise.
    pub fn want(&self, is_wanted: bool) {
        *self.waiting.lock() = Waiting {
            is_wanted,
            ..Waiting::default()
        };
    }

    pub fn set_typing(&self, room: RoomNumber, users: Vec<UserNumber>) {
        self.note(|waiting| {
            if waiting.typing.len() < WAITING_MAX {
                waiting.typing.insert(room, users);
            }
        });
    }

    pub fn set_presence(&self, user: UserNumber, content: Value) {
        self.note(|waiting| {
            if waiting.presence.len() < WAITING_MAX {
                waiting.presence.insert(user, content);
            }
        });
    }

    /// Resolves when there may be something to take.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub fn take(&self) -> Waiting {
        let mut waiting = self.waiting.lock();
        let is_wanted = waiting.is_wanted;
        std::mem::replace(
            &mut *waiting,
            Waiting {
                is_wanted,
                ..Waiting::default()
            },
        )
    }

    fn note(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.waiting.lock();
        if waiting.is_wanted {
            change(&mut waiting);
            self.changed.notify_one();
        }
    }
}

impl LogListener for Ephemeral {
    fn on_records(&self, records: &[(Position, Record)]) {
        let mut waiting = self.waiting.lock();
        if !waiting.is_wanted {
            return;
        }
        for (position, record) in records {
            if let Record::Receipt { room, .. } = record
                && waiting.receipts.len() < WAITING_MAX
            {
                waiting.receipts.entry(*room).or_insert(*position);
            }
        }
    }

    fn on_visible(&self) {
        if !self.waiting.lock().receipts.is_empty() {
            self.changed.notify_one();
        }
    }
}

/// `m.typing` with the room that it is about.
pub(crate) async fn typing_event(
    rooms: &Rooms,
    room: &Room,
    users: &[UserNumber],
) -> Result<Value, StorageError> {
    let users = rooms.user_ids(users).await?;
    Ok(json!({ "type": "m.typing", "room_id": room.id, "content": { "user_ids": users } }))
}

/// `m.receipt` with the receipts that came from position `since` on: public ones, and private ones of users who are
/// `own`. `None` if none is left.
pub(crate) async fn receipt_event(
    rooms: &Rooms,
    room: &Arc<Room>,
    since: Position,
    own: impl Fn(&ruma::UserId) -> bool,
) -> Result<Option<Value>, StorageError> {
    let receipts = room.receipts().all();
    let new: Vec<_> = receipts
        .iter()
        .filter(|(_, receipt)| receipt.position >= since)
        .collect();
    let users: Vec<UserNumber> = new.iter().map(|(key, _)| key.user).collect();
    // By event, kind and user.
    let mut content: BTreeMap<String, BTreeMap<&str, BTreeMap<String, Value>>> = BTreeMap::new();
    for ((key, receipt), user) in new.into_iter().zip(rooms.user_ids(&users).await?) {
        if key.kind == ReceiptKind::Private && !own(&user) {
            continue;
        }
        let data = if key.thread.is_empty() {
            json!({ "ts": receipt.ts.0 })
        } else {
            json!({ "ts": receipt.ts.0, "thread_id": &*key.thread })
        };
        let of_event = content.entry(receipt.event_id.to_string()).or_default();
        let of_kind = of_event.entry(key.kind.as_str()).or_default();
        of_kind.insert(user.to_string(), data);
    }
    Ok((!content.is_empty()).then(|| json!({ "type": "m.receipt", "room_id": room.id, "content": content })))
}

/// `m.presence` of a user.
pub(crate) fn presence_event(user: &ruma::UserId, content: &Value) -> Value {
    json!({ "type": "m.presence", "sender": user, "content": content })
}
