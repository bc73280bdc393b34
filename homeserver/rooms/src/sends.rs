//! Requests with a transaction ID take effect once (CS API § Transaction identifiers).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use echorift_storage::RoomNumber;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{OwnedEventId, OwnedTransactionId};

use crate::{RoomError, Rooms, append::EventDraft, event::Transaction, room::Room, store};

/// How many sessions' transactions are remembered in memory.
const SESSIONS: usize = 20_000;
/// How many of its latest transactions a session remembers. A client repeats a request within minutes, long before
/// it has sent so many others.
const TRANSACTIONS: usize = 1_000;

/// The transactions of the sessions that sent something of late.
pub(crate) struct Sends(Cache<i64, Arc<SessionSends>>);

impl Default for Sends {
    fn default() -> Self {
        Self(Cache::new(SESSIONS))
    }
}

type Key = (RoomNumber, String, OwnedTransactionId);

#[derive(Default)]
struct SessionSends {
    loaded: tokio::sync::OnceCell<()>,
    done: Mutex<Done>,
}

/// The transactions of one session, and the order in which they came.
#[derive(Default)]
struct Done {
    cells: HashMap<Arc<Key>, Arc<tokio::sync::OnceCell<OwnedEventId>>>,
    order: VecDeque<Arc<Key>>,
}

impl Done {
    /// The place of a transaction's event. The oldest transaction is forgotten for one too many.
    fn cell(&mut self, key: Key) -> Arc<tokio::sync::OnceCell<OwnedEventId>> {
        if let Some(cell) = self.cells.get(&key) {
            return Arc::clone(cell);
        }
        let (key, cell) = (Arc::new(key), Arc::default());
        self.cells.insert(Arc::clone(&key), Arc::clone(&cell));
        self.order.push_back(key);
        if self.order.len() > TRANSACTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.cells.remove(&oldest);
        }
        cell
    }
}

impl Rooms {
    /// Appends the draft, unless the same session has sent the same transaction to the same endpoint before: then the
    /// event of that time is the answer. A repetition that arrives while the first is under way waits for it.
    pub async fn send_once(
        &self,
        room: &Arc<Room>,
        draft: EventDraft,
        transaction: Transaction,
    ) -> Result<OwnedEventId, RoomError> {
        let session = self.sends_of(transaction.session_number).await?;
        let key = (room.number, draft.event_type.to_string(), transaction.id.clone());
        let cell = session.done.lock().cell(key);
        let event_id = cell
            .get_or_try_init(|| async {
                let event = self
                    .append(room, draft.with_transaction(Some(transaction)))
                    .await?;
                Ok::<_, RoomError>(event.pdu.event_id.clone())
            })
            .await?;
        Ok(event_id.clone())
    }

    async fn sends_of(&self, session: i64) -> Result<Arc<SessionSends>, RoomError> {
        let sends = match self.0.sends.0.get(&session) {
            Some(sends) => sends,
            None => self
                .0
                .sends
                .0
                .get_or_insert_with::<_, std::convert::Infallible>(&session, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        sends
            .loaded
            .get_or_try_init(|| async {
                let limit = i64::try_from(TRANSACTIONS).unwrap_or(i64::MAX);
                let stored = store::events::of_session(self.database(), session, limit).await?;
                let mut done = sends.done.lock();
                for (room, event_type, transaction_id, event_id) in stored.into_iter().rev() {
                    // Fails only for a transaction that is in the map already.
                    let _ = done.cell((room, event_type, transaction_id.into())).set(event_id);
                }
                Ok::<_, RoomError>(())
            })
            .await?;
        Ok(sends)
    }
}
