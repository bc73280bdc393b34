//! What the log has said, and what users do that is no record, until somebody has looked whom it is for.

use std::collections::VecDeque;

use echorift_storage::{EventNumber, LogListener, Position, Record, RoomNumber, UserNumber};
use parking_lot::Mutex;
use ruma::{OwnedRoomId, OwnedUserId, api::federation::transactions::edu::PresenceUpdate};
use tokio::sync::Notify;

/// How many records may wait. With more, what must arrive is read from the database instead.
const RECORDS_MAX: usize = 20_000;
/// How many other pieces of news may wait; more are dropped.
const NEWS_MAX: usize = 5_000;

#[derive(Default)]
pub(super) struct Inbox {
    heard: Mutex<Heard>,
    wake: Notify,
}

/// What was taken out of the inbox.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// In log order.
    pub records: VecDeque<(Position, Told)>,
    /// Whether there were more, which only the database still knows.
    pub is_cut: bool,
    /// Everything up to here was told; 0 if nothing was.
    pub up_to: Position,
    pub news: Vec<News>,
}

/// A record that may concern other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Event(EventNumber),
    /// Somebody's membership in a room, whoever says so: with a join their server may have come in.
    Member {
        room: RoomNumber,
        user: UserNumber,
    },
    Receipt {
        room: RoomNumber,
        user: UserNumber,
    },
    DeviceList(UserNumber),
    ToDevice(UserNumber),
}

/// What is not in the log.
#[derive(Debug, Clone)]
pub(super) enum News {
    Typing {
        room: OwnedRoomId,
        user: OwnedUserId,
        is_typing: bool,
    },
    Presence(PresenceUpdate),
}

impl Inbox {
    /// Resolves when there is something to take.
    pub async fn heard(&self) {
        self.wake.notified().await;
    }

    /// Everything that waits.
    pub fn take(&self) -> Heard {
        std::mem::take(&mut *self.heard.lock())
    }

    pub fn push(&self, news: News) {
        {
            let mut heard = self.heard.lock();
            if heard.news.len() >= NEWS_MAX {
                metrics::counter!("echorift_federation_edus_dropped_total").increment(1);
                return;
            }
            heard.news.push(news);
        }
        self.wake.notify_one();
    }
}

impl Heard {
    pub fn is_empty(&self) -> bool {
        self.up_to == Position::default() && self.news.is_empty()
    }
}

impl Told {
    fn of(record: Record) -> Option<Self> {
        match record {
            Record::Event {
                event, is_ours: true, ..
            } => Some(Self::Event(event)),
            Record::Receipt {
                room,
                user,
                private: false,
            } => Some(Self::Receipt { room, user }),
            Record::DeviceList { user } => Some(Self::DeviceList(user)),
            Record::ToDevice { user } => Some(Self::ToDevice(user)),
            // Other servers' events, and what concerns one user only.
            _ => None,
        }
    }
}

impl LogListener for Inbox {
    fn on_records(&self, records: &[(Position, Record)]) {
        let mut heard = self.heard.lock();
        for (position, record) in records {
            heard.up_to = *position;
            if heard.is_cut {
                continue;
            }
            if let Record::Event {
                room,
                member: Some(user),
                ..
            } = *record
            {
                heard.records.push_back((*position, Told::Member { room, user }));
            }
            if let Some(told) = Told::of(*record) {
                heard.records.push_back((*position, told));
            }
        }
        if heard.records.len() > RECORDS_MAX {
            heard.records = VecDeque::new();
            heard.is_cut = true;
        }
    }

    fn on_visible(&self) {
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_fits_is_left_to_the_database() {
        let inbox = Inbox::default();
        let event = |number| {
            (
                Position(number),
                Record::Event {
                    room: RoomNumber(1),
                    event: EventNumber(number),
                    sender: UserNumber(1),
                    member: None,
                    is_ours: number % 2 == 0,
                },
            )
        };
        inbox.on_records(&[event(1), event(2)]);
        let heard = inbox.take();
        assert_eq!(heard.records, [(Position(2), Told::Event(EventNumber(2)))]);
        assert_eq!(heard.up_to, Position(2));
        for number in 3..60_000 {
            inbox.on_records(&[event(number)]);
        }
        let heard = inbox.take();
        assert!(heard.is_cut && heard.records.is_empty());
        assert_eq!(heard.up_to, Position(59_999));
        assert!(inbox.take().is_empty());
    }
}
