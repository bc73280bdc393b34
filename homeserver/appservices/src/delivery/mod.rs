//! Telling services what concerns them, in order, and for as long as it takes (AS API § Pushing events).
//!
//! Each service has a task and a cursor. What is to be told next is decided once and written down before it is sent, so that
//! it is repeated unchanged under its transaction ID until the service has acknowledged it, whatever ends meanwhile; then
//! the cursor moves, in the commit that writes down the next. Nothing is written for an event.

mod body;
mod dispatcher;
mod ephemeral;
mod rest;
mod transaction;

use std::{sync::Arc, time::Duration};

use echorift_accounts::ApplicationService as _;
use echorift_encryption::Encryption;
use echorift_rooms::Rooms;
use echorift_storage::{Change, Position, StorageError};
use http::Method;
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::transaction::Next;
pub(crate) use self::{dispatcher::dispatch, ephemeral::tell_ephemeral, rest::Rest, transaction::Draft};
use crate::{
    client::{CallError, ServiceClient},
    pages::Pages,
    registry::{Service, ServiceIndex},
    status::Status,
    store::{self, Cursor, StoredTransaction},
};

/// How long to wait before the second attempt; each further wait is twice as long.
const RETRY_INITIAL_DELAY: Duration = Duration::from_millis(500);
/// How much of the log may be passed over as of no interest before that is written down: so much is read again at most
/// when the server starts.
pub(crate) const UNWRITTEN_MAX: i64 = 20_000;
/// How long to wait after the database has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What the tasks of one registry share.
pub(crate) struct Shared {
    pub pages: Pages,
    pub rooms: Rooms,
    pub encryption: Encryption,
    pub client: ServiceClient,
    pub retry_max_delay: Duration,
}

/// Wakes a service's task.
#[derive(Default)]
pub(crate) struct Wake {
    /// Before this there is nothing of interest that was not there when the task last looked.
    from: Mutex<Option<Position>>,
    has_more: Notify,
    /// The service was heard of: a wait for the next attempt is over.
    is_back: Notify,
}

impl Wake {
    /// Something after `position` concerns the service.
    pub fn wake(&self, position: Position) {
        self.from.lock().get_or_insert(position);
        self.has_more.notify_one();
    }

    pub fn try_again(&self) {
        self.is_back.notify_waiters();
    }
}

/// The task of one service.
pub(crate) struct Delivery {
    pub service: Arc<Service>,
    pub shared: Arc<Shared>,
    pub status: Status,
    pub wake: Arc<Wake>,
}

impl Delivery {
    /// Goes on until it is aborted.
    pub async fn run(self) {
        let mut cursor = None;
        loop {
            match self.work_off(&mut cursor).await {
                Ok(()) => self.wait(&mut cursor).await,
                Err(error) => {
                    tracing::error!(service = %self.service.id(), %error,
                        "what concerns an application service could not be read; tried again in a second");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Tells all that is there.
    async fn work_off(&self, cursor: &mut Option<Cursor>) -> Result<(), StorageError> {
        let mut at = match cursor.take() {
            Some(known) => known,
            None => self.load().await?,
        };
        loop {
            if let Some(open) = &at.open {
                self.status.work_after(at.position);
                self.deliver((at.position, at.transaction_number), open).await?;
                at.position = open.to;
                at.open = None;
                // What is acknowledged is written down with what comes next, or alone.
                let next = self.next(at.position).await;
                if let Ok(Next::Transaction(next)) = &next {
                    at.open(next.clone());
                }
                self.remember(&mut at).await?;
                if let Next::Nothing { to } = next? {
                    at.position = to;
                }
            } else {
                match self.next(at.position).await? {
                    Next::Transaction(next) => {
                        at.open(next);
                        self.remember(&mut at).await?;
                    }
                    Next::Nothing { to } => {
                        at.position = to;
                        if to.0.saturating_sub(at.written.0) >= UNWRITTEN_MAX {
                            self.remember(&mut at).await?;
                        }
                        self.status.rest_at(to);
                        self.measure_lag(to);
                        *cursor = Some(at);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits for something that concerns the service.
    async fn wait(&self, cursor: &mut Option<Cursor>) {
        self.wake.has_more.notified().await;
        if let (Some(cursor), Some(from)) = (cursor.as_mut(), self.wake.from.lock().take()) {
            cursor.position = cursor.position.max(from);
        }
    }

    /// Where the service stands. A new one begins now: history is not for it.
    async fn load(&self) -> Result<Cursor, StorageError> {
        let database = self.shared.rooms.database();
        if let Some(known) = store::find(database, self.service.id()).await? {
            return Ok(known);
        }
        let mut begin = Cursor {
            position: database.log().visible(),
            written: Position(0),
            // Not from 1: a service that remembers what it has done would take those of a new database for known.
            transaction_number: self.shared.rooms.clock().now().0,
            open: None,
        };
        self.remember(&mut begin).await?;
        Ok(begin)
    }

    async fn remember(&self, cursor: &mut Cursor) -> Result<(), StorageError> {
        let mut change = Change::new();
        store::put(&mut change, self.service.id(), cursor)?;
        self.shared.rooms.database().writer().commit(change).await?;
        cursor.written = cursor.position;
        Ok(())
    }

    /// Tells the metrics how much of the log waits for the service.
    fn measure_lag(&self, position: Position) {
        let visible = self.shared.rooms.database().log().visible();
        let lag = u32::try_from(visible.0.saturating_sub(position.0).max(0)).unwrap_or(u32::MAX);
        let id = self.service.id().to_string();
        metrics::gauge!("echorift_appservices_lag_positions", "service" => id).set(f64::from(lag));
    }

    /// Sends a transaction until the service has acknowledged it.
    async fn deliver(
        &self,
        (position, number): (Position, i64),
        open: &StoredTransaction,
    ) -> Result<(), StorageError> {
        let rest = Rest::read(&open.rest)?;
        let events = self.shared.rooms.events(&open.events).await?;
        let events = self.shared.rooms.present_to_services(&events).await?;
        let body = body::write(&events, &rest)?;
        let id = number.to_string();
        let mut delay = RETRY_INITIAL_DELAY.min(self.shared.retry_max_delay);
        while let Err(reason) = self.put(&id, body.clone()).await {
            let attempts = self.status.fail(reason.clone(), self.shared.rooms.clock().now());
            if attempts == 1 {
                tracing::warn!(service = %self.service.id(), reason,
                    "an application service does not take its events; tried until it does");
            }
            metrics::counter!("echorift_appservices_transactions_total", "outcome" => "failed").increment(1);
            self.measure_lag(position);
            let is_back = self.wake.is_back.notified();
            let _ = tokio::time::timeout(delay, is_back).await;
            delay = delay.saturating_mul(2).min(self.shared.retry_max_delay);
        }
        if self.status.of().failing.is_some() {
            tracing::info!(service = %self.service.id(), "an application service takes its events again");
        }
        self.status.succeed(self.shared.rooms.clock().now());
        metrics::counter!("echorift_appservices_transactions_total", "outcome" => "acknowledged")
            .increment(1);
        metrics::counter!("echorift_appservices_events_total")
            .increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
        for (user, device, position) in rest.taken {
            self.shared
                .encryption
                .acknowledge(user, &device, position)
                .await?;
        }
        Ok(())
    }

    /// `PUT /_matrix/app/v1/transactions/{txnId}`. Errors: why it was not acknowledged.
    async fn put(&self, id: &str, body: String) -> Result<(), String> {
        put_transaction(&self.shared.client, &self.service, id, body).await
    }

    fn index(&self) -> ServiceIndex {
        self.service.index
    }
}

impl Cursor {
    fn open(&mut self, transaction: StoredTransaction) {
        self.transaction_number = self.transaction_number.saturating_add(1);
        self.open = Some(transaction);
    }
}

async fn put_transaction(
    client: &ServiceClient,
    service: &Service,
    id: &str,
    body: String,
) -> Result<(), String> {
    let path = ["_matrix", "app", "v1", "transactions", id];
    match client.call(service, Method::PUT, &path, &[], Some(body)).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(format!("it answered {}", answer.status.as_u16())),
        Err(error @ (CallError::NoUrl | CallError::Failed(_))) => Err(error.to_string()),
    }
}
