//! Signing keys: ours, published, and those of other servers, fetched and kept (SS API § Retrieving server keys).

mod answer;
mod fetch;
mod held;
mod http;
mod notary;
mod own;
mod store;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, atomic::AtomicU64},
};

use echorift_events::SigningKey;
use echorift_storage::{Clock, Database};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{
    CanonicalJsonObject, MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName, UInt, serde::Base64,
    signatures::PublicKeyMap,
};

pub(crate) use self::answer::KeyAnswer;
pub use self::held::{HeldKeys, ValidAt};
pub(crate) use self::http::routes;
use self::{fetch::Flights, held::ServerKeys, own::OwnKeys};
use crate::{FederationClient, FederationError, OldKey};

/// Servers whose keys are kept in memory; a few hundred bytes each.
const CACHED_SERVERS: usize = 20_000;
/// Answers kept for those who ask us as a notary; up to 64 KiB each, a few hundred bytes usually.
const CACHED_ANSWERS: usize = 500;

/// The keys that somebody needs: of which server, by which IDs (any of them if none is named), valid when.
pub type WantedKeys = (OwnedServerName, Vec<String>, ValidAt);

/// The signing keys of servers. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    own: OwnKeys,
    own_held: Arc<ServerKeys>,
    database: Database,
    clock: Clock,
    client: FederationClient,
    notaries: Vec<OwnedServerName>,
    held: Cache<OwnedServerName, Arc<ServerKeys>>,
    answers: Cache<OwnedServerName, Arc<KeyAnswer>>,
    flights: Flights,
    /// One at a time changes what is held of any server, so that no merge is lost. Nothing is awaited under it.
    merging: Mutex<()>,
    writes: AtomicU64,
}

impl Keys {
    pub(crate) fn new(
        signing_key: SigningKey,
        old_keys: Vec<OldKey>,
        notaries: Vec<OwnedServerName>,
        (database, clock): (&Database, &Clock),
        client: FederationClient,
    ) -> Self {
        let own = OwnKeys {
            signing_key,
            old_keys,
        };
        let own_name = own.signing_key.server_name();
        let notaries = notaries.into_iter().filter(|notary| notary != own_name).collect();
        Self(Arc::new(Inner {
            own_held: Arc::new(own.held()),
            own,
            database: database.clone(),
            clock: clock.clone(),
            client,
            notaries,
            held: Cache::new(CACHED_SERVERS),
            answers: Cache::new(CACHED_ANSWERS),
            flights: Flights::default(),
            merging: Mutex::new(()),
            writes: AtomicU64::new(0),
        }))
    }

    /// The keys of these servers: from memory, the database, the server itself, then the trusted notaries. What cannot
    /// be had is left out, and more than was asked for may be in it. One call for any number of events.
    pub async fn load(&self, wanted: &[WantedKeys]) -> Result<HeldKeys, FederationError> {
        self.load_by(wanted, false).await
    }

    /// The keys that one event needs: as [`Keys::load`], those of them that were valid at the times given.
    ///
    /// Of a server that is named with several times, a key that was valid at one of them is in the answer; events of
    /// different times are better served by [`Keys::load`] and [`HeldKeys::of`].
    pub async fn valid_at(&self, wanted: &[WantedKeys]) -> Result<PublicKeyMap, FederationError> {
        let held = self.load(wanted).await?;
        let mut found = PublicKeyMap::new();
        for (server, _, at) in wanted {
            for (server, keys) in held.of([&**server], *at) {
                found.entry(server).or_default().extend(keys);
            }
        }
        Ok(found)
    }

    /// The keys with which a server that has just sent us a request may have signed it. It is asked for them even if it
    /// failed of late, for it lives.
    pub(crate) async fn of_requester(
        &self,
        server: &ServerName,
        key_ids: Vec<String>,
    ) -> Result<BTreeMap<String, Base64>, FederationError> {
        let now = self.0.clock.now();
        let wanted = (server.to_owned(), key_ids, ValidAt::Time(milliseconds(now.0)));
        let held = self.load_by(&[wanted], true).await?;
        Ok(held
            .0
            .get(server)
            .map(|keys| keys.current(now))
            .unwrap_or_default())
    }

    /// Checks that a signed object bears a right signature of `server` by a key that is valid now.
    ///
    /// Errors: `BadAnswer` if it does not.
    pub async fn verify_json(
        &self,
        server: &ServerName,
        object: &CanonicalJsonObject,
    ) -> Result<(), FederationError> {
        let signatures = answer::signatures_of(object, server);
        let ids: Vec<String> = signatures
            .into_iter()
            .flat_map(|ids| ids.keys().cloned())
            .collect();
        let at = ValidAt::Time(milliseconds(self.0.clock.now().0));
        // Each by itself: of several signatures one by a known key is enough.
        let wanted: Vec<WantedKeys> = ids
            .into_iter()
            .map(|id| (server.to_owned(), vec![id], at))
            .collect();
        let held = self.load(&wanted).await?;
        let keys = held.of([server], at).remove(server.as_str()).unwrap_or_default();
        let keys = keys.iter().map(|(id, key)| (id.as_str(), key));
        if answer::is_signed_by(object, server, keys) {
            return Ok(());
        }
        Err(FederationError::BadAnswer {
            server: server.to_owned(),
            reason: "its signature is missing or wrong".to_owned(),
        })
    }

    async fn load_by(&self, wanted: &[WantedKeys], is_heard_of: bool) -> Result<HeldKeys, FederationError> {
        let inner = &self.0;
        let servers: HashSet<&OwnedServerName> = wanted.iter().map(|(server, _, _)| server).collect();
        let mut found: HashMap<OwnedServerName, Arc<ServerKeys>> = HashMap::with_capacity(servers.len());
        let mut absent = Vec::new();
        for server in servers {
            if *server == inner.own.signing_key.server_name() {
                found.insert(server.clone(), Arc::clone(&inner.own_held));
            } else if let Some(keys) = inner.held.get(server) {
                found.insert(server.clone(), keys);
            } else {
                absent.push(server.clone());
            }
        }
        if !absent.is_empty() {
            for (server, keys) in store::keys_of(&inner.database, &absent).await? {
                found.insert(server.clone(), self.remember_stored(server, keys));
            }
        }
        let missing = unsatisfied(wanted, &found);
        if !missing.is_empty() {
            for server in self.fetch(wanted, missing, is_heard_of).await {
                if let Some(keys) = inner.held.get(&server) {
                    found.insert(server, keys);
                }
            }
        }
        Ok(HeldKeys(found))
    }

    /// Takes what the database knows into memory, unless a fetch was quicker.
    fn remember_stored(&self, server: OwnedServerName, keys: ServerKeys) -> Arc<ServerKeys> {
        let _merging = self.0.merging.lock();
        if let Some(known) = self.0.held.get(&server) {
            return known;
        }
        let keys = Arc::new(keys);
        self.0.held.insert(server, Arc::clone(&keys));
        keys
    }
}

/// The servers of which something that is wanted is not there.
fn unsatisfied(
    wanted: &[WantedKeys],
    found: &HashMap<OwnedServerName, Arc<ServerKeys>>,
) -> HashSet<OwnedServerName> {
    let missing = wanted
        .iter()
        .filter(|(server, key_ids, at)| found.get(server).is_none_or(|keys| !keys.satisfies(key_ids, *at)));
    missing.map(|(server, _, _)| server.clone()).collect()
}

fn milliseconds(time: i64) -> MilliSecondsSinceUnixEpoch {
    MilliSecondsSinceUnixEpoch(UInt::try_from(time).unwrap_or_default())
}

/// What a server with these keys publishes.
#[cfg(test)]
pub(crate) fn published(
    signing_key: SigningKey,
    old_keys: Vec<OldKey>,
    now: echorift_storage::Timestamp,
) -> CanonicalJsonObject {
    let own = OwnKeys {
        signing_key,
        old_keys,
    };
    own.published(now).unwrap_or_default()
}
