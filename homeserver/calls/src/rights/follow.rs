use std::{collections::BTreeSet, sync::Weak};

use echorift_storage::{EventNumber, LogListener, Position, Record, RoomNumber};
use parking_lot::Mutex;
use ruma::events::TimelineEventType;
use tokio::sync::Notify;

use crate::{CallError, Calls, calls::Inner};

/// So many changes wait to be looked at; with more, everything is compared.
const WAITING_MAX: usize = 10_000;

/// What happened in rooms with calls, and was not looked at yet.
#[derive(Default)]
pub(crate) struct Changes {
    /// Never held across an await.
    waiting: Mutex<Waiting>,
    has_come: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Rooms whose members changed.
    rooms: BTreeSet<RoomNumber>,
    /// Events that may say who may do what.
    events: Vec<(RoomNumber, EventNumber)>,
    is_everything: bool,
}

/// Hears of events in rooms with calls.
pub(crate) struct Listener(pub Weak<Inner>);

impl LogListener for Listener {
    fn on_records(&self, records: &[(Position, Record)]) {
        let Some(inner) = self.0.upgrade() else { return };
        if inner.rooms_with_grants.is_empty() {
            return;
        }
        let has_calls = |room: &RoomNumber| inner.rooms_with_grants.contains(room);
        let mut has_any = false;
        for (_, record) in records {
            match record {
                Record::Event {
                    room,
                    member: Some(_),
                    ..
                }
                | Record::Membership { room, .. }
                    if has_calls(room) =>
                {
                    inner.changes.waiting.lock().rooms.insert(*room);
                    has_any = true;
                }
                Record::Event { room, event, .. } if has_calls(room) => {
                    inner.changes.note(*room, *event);
                    has_any = true;
                }
                _ => {}
            }
        }
        if has_any {
            inner.changes.has_come.notify_one();
        }
    }
}

impl Changes {
    fn note(&self, room: RoomNumber, event: EventNumber) {
        let mut waiting = self.waiting.lock();
        if waiting.events.len() < WAITING_MAX {
            waiting.events.push((room, event));
        } else {
            waiting.is_everything = true;
        }
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock())
    }
}

/// Enforces what changes in rooms and accounts, as it changes, for ever.
pub(crate) async fn follow(calls: Calls) {
    let mut endings = calls.accounts().endings();
    let changes = &calls.0.changes;
    loop {
        tokio::select! {
            () = changes.has_come.notified() => {}
            Ok(()) = endings.changed() => changes.waiting.lock().is_everything = true,
        }
        if let Err(error) = enforce(&calls).await {
            tracing::error!(%error, "rights in calls could not be compared with what holds now");
        }
    }
}

async fn enforce(calls: &Calls) -> Result<(), CallError> {
    let Waiting {
        mut rooms,
        events,
        is_everything,
    } = calls.0.changes.take();
    if is_everything {
        return calls.enforce_everywhere().await;
    }
    let numbers: Vec<EventNumber> = events.iter().map(|(_, event)| *event).collect();
    for event in calls.rooms().events(&numbers).await? {
        if event.pdu.event_type == TimelineEventType::RoomPowerLevels && event.pdu.state_key.is_some() {
            rooms.insert(event.room);
        }
    }
    let rooms: Vec<RoomNumber> = rooms.into_iter().collect();
    if rooms.is_empty() {
        return Ok(());
    }
    calls.enforce_in(&rooms).await
}
