//! Who sets state speaks last: what others have scheduled for the same place before is cancelled.
//!
//! What a device schedules for its own place stands, though: it schedules that it leaves before it says that it joins.

use std::sync::Arc;

use echorift_rooms::{DelayId, Event};
use echorift_storage::{EventNumber, LogListener, Position, Record};
use tokio::sync::{mpsc, watch};

use super::{DelayedError, DelayedEvents, Fate, store};

/// How many new events may wait to be looked at. Those that find no place are found when a delayed event is sent.
const QUEUE: usize = 8_192;
/// How many are looked at together.
const BATCH: usize = 256;

/// Hears of events as they are appended.
pub(super) struct Watcher(mpsc::Sender<EventNumber>);

impl Watcher {
    pub fn new() -> (Self, mpsc::Receiver<EventNumber>) {
        let (sender, events) = mpsc::channel(QUEUE);
        (Self(sender), events)
    }
}

impl LogListener for Watcher {
    fn on_records(&self, records: &[(Position, Record)]) {
        for (_, record) in records {
            if let Record::Event { event, .. } = record {
                let _ = self.0.try_send(*event);
            }
        }
    }
}

pub(super) async fn run(
    delayed: DelayedEvents,
    mut events: mpsc::Receiver<EventNumber>,
    mut stopping: watch::Receiver<bool>,
) {
    let stopped = async move {
        // An error is the end of whoever could have said so.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let look = async {
        let mut batch = Vec::with_capacity(BATCH);
        while events.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = cancel_overtaken(&delayed, &batch).await {
                // Found again when they are sent.
                tracing::warn!(%error, "delayed events that others have overtaken could not be cancelled");
            }
            batch.clear();
        }
    };
    tokio::select! {
        () = stopped => {}
        () = look => {}
    }
}

async fn cancel_overtaken(delayed: &DelayedEvents, numbers: &[EventNumber]) -> Result<(), DelayedError> {
    let events = delayed.0.rooms.events(numbers).await?;
    let states: Vec<_> = events.iter().filter_map(set_state).collect();
    if states.is_empty() {
        return Ok(());
    }
    for id in store::overtaken_by(delayed.database(), &states).await? {
        cancel(delayed, &id).await?;
    }
    Ok(())
}

fn set_state(event: &Arc<Event>) -> Option<store::SetState<'_>> {
    Some(store::SetState {
        room_id: event.pdu.room_id.as_str(),
        event_type: event.pdu.event_type.to_string(),
        state_key: event.pdu.state_key.as_deref()?,
        sender: event.sender,
        position: event.position(),
    })
}

async fn cancel(delayed: &DelayedEvents, id: &DelayId) -> Result<(), DelayedError> {
    let _turn = delayed.0.turns.take(id).await;
    let Some(event) = delayed.find(id).await?.filter(super::DelayedEvent::is_waiting) else {
        return Ok(());
    };
    delayed
        .finalise(&event, &Fate::Cancelled { at: delayed.now() })
        .await
}
