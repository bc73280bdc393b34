use std::{collections::HashMap, time::Duration};

use echorift_storage::{Change, Position, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Push;
use crate::{
    pusher::{Letters, PusherKey},
    store,
};

/// How often it is written how far pushers have come. What is delivered within the last of these intervals before a
/// crash is delivered again.
const INTERVAL: Duration = Duration::from_secs(1);

/// How far pushers have come, as far as it is not written yet.
pub(crate) struct Delivered {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    pushers: HashMap<PusherKey, Position>,
    letters: HashMap<PusherKey, Letters>,
    /// What the database has.
    cursor: Position,
}

impl Delivered {
    pub fn new(cursor: Position) -> Self {
        let state = State {
            cursor,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    pub fn note(&self, key: PusherKey, position: Position) {
        self.state.lock().pushers.insert(key, position);
        self.touch();
    }

    pub fn note_letters(&self, key: PusherKey, letters: Letters) {
        self.state.lock().letters.insert(key, letters);
        self.touch();
    }

    /// Says that the place before which nothing waits may have moved.
    pub fn touch(&self) {
        self.changed.notify_one();
    }
}

impl Push {
    /// Writes how far pushers have come, once in a while if anything has changed.
    pub(super) async fn keep_cursor(self) {
        loop {
            self.0.delivered.changed.notified().await;
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "how far pushers have come could not be written; tried again in a second");
                self.0.delivered.touch();
            }
        }
    }

    /// Writes how far pushers have come. Also called before the server stops.
    pub async fn flush(&self) -> Result<(), StorageError> {
        // First what is looked at, then what waits: whatever is looked at in between is behind the former.
        let evaluated = self.evaluated();
        let mut waiting: usize = 0;
        let mut cursor = evaluated;
        for outbox in &self.0.outboxes {
            let (count, first) = outbox.waiting();
            waiting += count;
            if let Some(first) = first {
                cursor = cursor.min(Position(first.0.saturating_sub(1)));
            }
        }
        self.0
            .outboxes
            .retain(|key, outbox| !outbox.is_idle() || self.0.pushers.find(key).is_some());
        let visible = self.0.database.log().visible();
        let lag = u32::try_from(visible.0.saturating_sub(evaluated.0)).unwrap_or(u32::MAX);
        metrics::gauge!("echorift_push_lag_positions").set(f64::from(lag));
        metrics::gauge!("echorift_push_waiting").set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));

        let mut change = Change::new();
        let (pushers, letters, written) = {
            let mut state = self.0.delivered.state.lock();
            let pushers = std::mem::take(&mut state.pushers);
            (pushers, std::mem::take(&mut state.letters), state.cursor)
        };
        if pushers.is_empty() && letters.is_empty() && cursor == written {
            return Ok(());
        }
        for (key, position) in &pushers {
            change.write(
                &store::pushers::DELIVERED,
                store::pushers::delivered(key, *position),
            );
        }
        for (key, letters) in &letters {
            change.write(&store::pushers::LETTERS, store::pushers::letters(key, *letters));
        }
        store::log::put_cursor(&mut change, cursor);
        let result = self.0.database.writer().commit(change).await;
        let mut state = self.0.delivered.state.lock();
        match result {
            Ok(()) => state.cursor = cursor,
            Err(_) => {
                for (key, position) in pushers {
                    state.pushers.entry(key).or_insert(position);
                }
                for (key, unwritten) in letters {
                    state.letters.entry(key).or_insert(unwritten);
                }
            }
        }
        result
    }
}
