//! Requests with a transaction ID take effect once (CS API § Transaction identifiers).

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::Arc,
};

use echorift_storage::{Database, StorageError};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use crate::store;

/// How many sessions' transactions are remembered in memory.
const SESSIONS: usize = 20_000;
/// How many of its latest transactions a session remembers. A client repeats a request within minutes, long before
/// it has sent so many others.
const TRANSACTIONS: usize = 1_000;
/// How long a transaction is remembered across restarts.
pub(crate) const LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;

/// Event type and transaction ID.
pub(crate) type Key = (String, String);

/// The transactions of the sessions that sent something to devices of late.
pub(crate) struct Transactions(Cache<i64, Arc<OfSession>>);

#[derive(Default)]
struct OfSession {
    loaded: OnceCell<()>,
    done: Mutex<Done>,
}

/// The transactions of one session, and the order in which they came.
#[derive(Default)]
struct Done {
    cells: HashMap<Arc<Key>, Arc<OnceCell<()>>>,
    order: VecDeque<Arc<Key>>,
}

impl Done {
    /// The place of a transaction. The oldest is forgotten for one too many.
    fn cell(&mut self, key: Key) -> Arc<OnceCell<()>> {
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

impl Transactions {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SESSIONS))
    }

    /// Filled when the transaction is done: whoever fills it does it, and a repetition that arrives meanwhile waits.
    pub(crate) async fn cell(
        &self,
        database: &Database,
        session: i64,
        key: Key,
    ) -> Result<Arc<OnceCell<()>>, StorageError> {
        let of_session = match self.0.get(&session) {
            Some(of_session) => of_session,
            None => self
                .0
                .get_or_insert_with::<_, Infallible>(&session, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        of_session
            .loaded
            .get_or_try_init(|| async {
                let limit = i64::try_from(TRANSACTIONS).unwrap_or(i64::MAX);
                let stored = store::to_device::transactions(database, session, limit).await?;
                let mut done = of_session.done.lock();
                for key in stored.into_iter().rev() {
                    // Fails only for a transaction that is in the map already.
                    let _ = done.cell(key).set(());
                }
                Ok::<_, StorageError>(())
            })
            .await?;
        let cell = of_session.done.lock().cell(key);
        Ok(cell)
    }
}
