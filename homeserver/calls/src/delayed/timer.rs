//! The one task that sends events when their time has come.
//!
//! It keeps none of them in memory: the database is asked for the next ones, and the task sleeps until the first is due.
//! Restarting an event, the heartbeat of every device in a call, does not wake it. Events into one room are sent in
//! order, and those into another do not wait for them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::Ordering,
    time::Duration,
};

use echorift_rooms::DelayId;
use echorift_storage::Timestamp;
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

use super::{DelayedError, DelayedEvents, store};

/// How many events are looked at together.
const PAGE: usize = 500;
/// Into how many rooms events are sent at the same time.
const ROOMS_AT_ONCE: usize = 32;
/// The longest sleep: the clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// How long to wait when the database cannot be asked.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

pub(super) async fn run(delayed: DelayedEvents, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        // An error is the end of whoever could have said so.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        () = stopped => {}
        () = send_forever(delayed) => {}
    }
}

async fn send_forever(delayed: DelayedEvents) {
    let mut rooms = RoomsUnderWay::default();
    loop {
        // Whoever schedules from here on wakes the task.
        delayed.0.next_due.store(i64::MAX, Ordering::SeqCst);
        let pause = match send_on(&delayed, &mut rooms).await {
            Ok(Next::AtOnce) => continue,
            Ok(Next::At(due)) => {
                delayed.0.next_due.store(due.0, Ordering::SeqCst);
                let wait_ms = due.0.saturating_sub(delayed.now().0);
                Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(SLEEP_MAX)
            }
            Ok(Next::Unknown) => SLEEP_MAX,
            Err(error) => {
                tracing::error!(%error, "delayed events could not be sent and are tried again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = delayed.0.sooner.notified() => {}
            () = rooms.one_is_done() => {}
        }
    }
}

/// When the timer has to look again.
enum Next {
    AtOnce,
    At(Timestamp),
    /// When something changes.
    Unknown,
}

/// Begins to send what is due, into rooms into which nothing is being sent yet.
async fn send_on(delayed: &DelayedEvents, rooms: &mut RoomsUnderWay) -> Result<Next, DelayedError> {
    if rooms.are_all_taken() {
        return Ok(Next::Unknown);
    }
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let page = store::upcoming(delayed.database(), rooms.names.values(), limit).await?;
    let (is_full, now) = (page.len() == PAGE, delayed.now());
    let mut due: BTreeMap<String, Vec<DelayId>> = BTreeMap::new();
    let mut next = Next::Unknown;
    for upcoming in page {
        if upcoming.due_at > now {
            next = Next::At(upcoming.due_at);
            break;
        }
        due.entry(upcoming.room_id).or_default().push(upcoming.id);
    }
    let begins = !due.is_empty();
    for (room, ids) in due {
        if rooms.are_all_taken() {
            // Looked for again when one of them is done.
            return Ok(Next::Unknown);
        }
        rooms.send(delayed.clone(), room, ids);
    }
    match next {
        // Behind a page of events into the same rooms there may be others.
        Next::Unknown if begins && is_full => Ok(Next::AtOnce),
        next => Ok(next),
    }
}

/// The rooms into which something is being sent.
#[derive(Default)]
struct RoomsUnderWay {
    tasks: JoinSet<()>,
    names: HashMap<Id, String>,
}

impl RoomsUnderWay {
    fn are_all_taken(&self) -> bool {
        self.tasks.len() >= ROOMS_AT_ONCE
    }

    /// Sends the events into the room, one after the other.
    fn send(&mut self, delayed: DelayedEvents, room: String, ids: Vec<DelayId>) {
        let task = self.tasks.spawn(async move {
            for id in ids {
                if let Err(error) = delayed.send_due(&id).await {
                    tracing::error!(%error, "a delayed event could not be sent and is tried again");
                    // It is still due: without a pause it would be tried again at once.
                    tokio::time::sleep(AFTER_FAILURE).await;
                    return;
                }
            }
        });
        self.names.insert(task.id(), room);
    }

    /// Waits until a room is done; forever if there is none.
    async fn one_is_done(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            None => return std::future::pending().await,
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
        };
        self.names.remove(&id);
    }
}
