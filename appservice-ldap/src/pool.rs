//! The connections of the service account: kept open between logins, bounded, replaced when they break.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, Fault};
use crate::endpoints::{Credentials, Endpoints};
use crate::measure;

/// Firewalls forget silent connections after some minutes, and a server that was restarted is found again sooner.
const IDLE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Pool {
    size: usize,
    permits: Semaphore,
    /// Most recently used last. Nothing is awaited while it is held.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// A connection on loan. Dropped, the connection is closed; [`Lease::give_back`] keeps it for the next.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pub connection: Connection,
    /// It was idle before: if it breaks, the directory may still be well.
    pub was_idle: bool,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
    _loan: Loan,
}

/// Counted as long as it lives.
#[derive(Debug)]
struct Loan;

impl Loan {
    fn begin() -> Self {
        measure::connection_lent();
        Self
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        measure::connection_returned();
    }
}

impl Pool {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            permits: Semaphore::new(size),
            idle: Mutex::new(Vec::with_capacity(size)),
        }
    }

    /// Waits for a free place, as long as one operation may take, then reuses or opens a connection.
    pub(crate) async fn lease<'a>(
        &'a self,
        endpoints: &Endpoints,
        account: &Credentials,
    ) -> Result<Lease<'a>, Fault> {
        let permit = self.permit(endpoints.dialling().request_timeout).await?;
        let (connection, was_idle) = match self.take_idle() {
            Some(connection) => (connection, true),
            None => (endpoints.connect_as_service(account).await?, false),
        };
        Ok(Lease {
            connection,
            was_idle,
            pool: self,
            _permit: permit,
            _loan: Loan::begin(),
        })
    }

    async fn permit(&self, limit: Duration) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout(limit, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Fault::Busy(self.size)),
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|(connection, since)| since.elapsed() < IDLE_MAX && !connection.is_closed());
        idle.pop().map(|(connection, _)| connection)
    }
}

impl Lease<'_> {
    /// Opens a new connection in place of one that broke, and forgets the other idle ones, which are as old.
    pub(crate) async fn replace(
        &mut self,
        endpoints: &Endpoints,
        account: &Credentials,
    ) -> Result<(), Fault> {
        self.pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.connection = endpoints.connect_as_service(account).await?;
        self.was_idle = false;
        Ok(())
    }

    /// Keeps a connection that works.
    pub(crate) fn give_back(self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((self.connection, Instant::now()));
    }
}
