use std::collections::VecDeque;

use echorift_storage::{EventNumber, LogListener, Position, Record, RoomNumber, UserNumber};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::pushers::Pushers;

/// How many records may wait to be looked at. With more, they are read from the database instead.
const WAITING_MAX: usize = 20_000;

/// What the log has said and nobody has looked at yet.
pub(crate) struct Inbox {
    pushers: Pushers,
    heard: Mutex<Taken>,
    wake: Notify,
}

/// What was taken out of the inbox.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// In log order.
    pub records: VecDeque<(Position, Heard)>,
    /// Whether there were more, which only the database still knows.
    pub is_cut: bool,
    /// Everything up to here was told.
    pub up_to: Position,
}

/// A record that may concern somebody with a pusher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// `member` is the user whose membership the event is about.
    Event {
        room: RoomNumber,
        event: EventNumber,
        member: Option<UserNumber>,
    },
    Read {
        room: RoomNumber,
        user: UserNumber,
    },
}

impl Inbox {
    pub fn new(pushers: Pushers) -> Self {
        Self {
            pushers,
            heard: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Resolves when there is something to take.
    pub async fn heard(&self) {
        self.wake.notified().await;
    }

    pub fn take(&self) -> Taken {
        let mut heard = self.heard.lock();
        let up_to = heard.up_to;
        std::mem::replace(
            &mut *heard,
            Taken {
                up_to,
                ..Taken::default()
            },
        )
    }

    /// Has the reader look again, also where nothing new was heard.
    pub fn knock(&self) {
        self.wake.notify_one();
    }
}

impl Heard {
    fn of(record: Record, pushers: &Pushers) -> Option<Self> {
        match record {
            Record::Event {
                room, event, member, ..
            } => Some(Self::Event { room, event, member }),
            Record::Receipt { room, user, .. } => pushers.has(user).then_some(Self::Read { room, user }),
            // Nobody's phone rings for the rest.
            _ => None,
        }
    }
}

impl LogListener for Inbox {
    fn on_records(&self, records: &[(Position, Record)]) {
        let is_idle = !self.pushers.has_any();
        let mut heard = self.heard.lock();
        for (position, record) in records {
            heard.up_to = *position;
            if is_idle || heard.is_cut {
                continue;
            }
            if let Some(concerns) = Heard::of(*record, &self.pushers) {
                heard.records.push_back((*position, concerns));
            }
        }
        if heard.records.len() > WAITING_MAX {
            heard.records.clear();
            heard.is_cut = true;
        }
    }

    fn on_visible(&self) {
        self.wake.notify_one();
    }
}
