//! Users of other servers: their devices and keys, and messages between them and local users.

mod answers;
mod lists;
mod outgoing;
mod query;
mod receive;
mod resync;
mod serve;
#[cfg(test)]
mod tests;
mod updates;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use echorift_storage::UserNumber;
use parking_lot::Mutex;
use ruma::{
    ServerName, UserId,
    api::federation::{
        device::get_devices,
        keys::{claim_keys, get_keys},
    },
};
use tokio::sync::{Notify, OnceCell};

pub(crate) use self::{
    answers::judge_claimed,
    query::{judge_queried, timeout_of},
    receive::LIFETIME_MS,
};
pub use self::{
    outgoing::OutgoingEdu,
    receive::ReceivedMessages,
    updates::{DeviceUpdate, KeyUpdate},
};
use crate::{Encryption, user_keys::PublishedKeys};

/// What a method of [`RemoteKeys`] returns.
pub type RemoteFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RemoteFailure>> + Send + 'a>>;

/// Why another server did not answer, as clients are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{errcode}: {error}")]
pub struct RemoteFailure {
    pub errcode: String,
    pub error: String,
}

/// Other servers, as far as they know of their users' devices. Federation implements it. Every method is bounded in time;
/// nothing in an answer has been checked.
pub trait RemoteKeys: Send + Sync {
    /// The keys of users of one server (SS API § End-to-End Encryption).
    fn query<'a>(
        &'a self,
        server: &'a ServerName,
        request: get_keys::v1::Request,
    ) -> RemoteFuture<'a, get_keys::v1::Response>;

    /// One-time keys of devices of one server (SS API § End-to-End Encryption).
    fn claim<'a>(
        &'a self,
        server: &'a ServerName,
        request: claim_keys::v1::Request,
    ) -> RemoteFuture<'a, claim_keys::v1::Response>;

    /// The devices of one user (SS API § Device Management).
    fn devices<'a>(&'a self, user: &'a UserId) -> RemoteFuture<'a, get_devices::v1::Response>;
}

/// A fetch of one user's list that is under way: whoever else wants it waits for the same answer.
type Flight = OnceCell<Result<Arc<PublishedKeys>, RemoteFailure>>;

/// What encryption keeps in memory of other servers.
#[derive(Default)]
pub(crate) struct Remote {
    /// Empty where the server does not federate.
    keys: OnceLock<Arc<dyn RemoteKeys>>,
    /// The fetches that are under way. Its lock is taken alone.
    flights: Mutex<HashMap<UserNumber, Weak<Flight>>>,
    /// Wakes who fetches stale lists.
    stale: Arc<Notify>,
}

impl Remote {
    fn keys(&self) -> Result<&dyn RemoteKeys, RemoteFailure> {
        let keys = self.keys.get().map(|keys| &**keys);
        keys.ok_or_else(|| RemoteFailure {
            errcode: "M_UNREACHABLE".to_owned(),
            error: "This server does not talk to others.".to_owned(),
        })
    }

    pub(crate) fn is_on(&self) -> bool {
        self.keys.get().is_some()
    }

    /// The fetch of a user's list that is under way, or is to be begun.
    fn flight(&self, user: UserNumber) -> Arc<Flight> {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(&user).and_then(Weak::upgrade) {
            return flight;
        }
        if flights.len() > FLIGHTS_SWEPT_AT {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::default();
        flights.insert(user, Arc::downgrade(&flight));
        flight
    }

    /// Ends a fetch: whoever comes later begins another one.
    fn landed(&self, user: UserNumber, flight: &Arc<Flight>) {
        let mut flights = self.flights.lock();
        let is_this = |known: &Weak<Flight>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flight));
        if flights.get(&user).is_some_and(is_this) {
            flights.remove(&user);
        }
    }
}

/// When so many fetches are noted, those that were given up are looked for.
const FLIGHTS_SWEPT_AT: usize = 1_000;

impl Encryption {
    /// Says how other servers are reached, once, and begins to fetch what is stale of their users' devices. Whether it
    /// was not said before.
    pub fn federate(&self, keys: Arc<dyn RemoteKeys>) -> bool {
        let is_first = self.0.remote.keys.set(keys).is_ok();
        if is_first {
            tokio::spawn(resync::run(Arc::downgrade(&self.0)));
        }
        is_first
    }

    /// As [`Encryption::federate`], without fetching anything in the background.
    #[cfg(test)]
    pub(crate) fn federate_quietly(&self, keys: Arc<dyn RemoteKeys>) {
        let _ = self.0.remote.keys.set(keys);
    }
}

/// Waits for `future`, but not for longer than `limit`.
async fn within<T>(
    limit: Duration,
    future: impl Future<Output = Result<T, RemoteFailure>>,
) -> Result<T, RemoteFailure> {
    let late = || RemoteFailure {
        errcode: "M_UNREACHABLE".to_owned(),
        error: "The server did not answer in time.".to_owned(),
    };
    tokio::time::timeout(limit, future)
        .await
        .unwrap_or_else(|_| Err(late()))
}
