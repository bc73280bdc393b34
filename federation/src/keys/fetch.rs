//! Asking for keys: the server itself, then the notaries, each not too often.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use echorift_storage::{Change, Timestamp};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Shared},
    stream,
};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{
    OwnedServerName, ServerName,
    api::federation::discovery::{
        get_remote_server_keys_batch::v2 as from_notary, get_server_keys::v2 as from_server,
    },
};

use super::{
    Keys, WantedKeys,
    answer::{ANSWER_BYTES_MAX, KeyAnswer, is_signed_by},
    store, unsatisfied,
};
use crate::{FederationError, client::SendOptions};

/// Servers that one call asks at the same time.
const PARALLEL: usize = 16;
/// A server that does not tell its keys within this time is taken for one that does not answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How soon a server is asked again, after an answer and after a failure: an event with an unknown key must not make
/// us ask each time, and whoever mends or renews their keys is not to wait long.
const AGAIN_MS: i64 = 30_000;
const AGAIN_AFTER_FAILURE_MS: i64 = 60_000;
/// As much for the notaries, who speak of servers that are away.
const NOTARY_AGAIN_MS: i64 = 10 * 60_000;
/// Servers of which it is remembered when they were asked.
const REMEMBERED_MAX: usize = 50_000;
/// Above this the notaries, who answer for all at once, are asked first: a large room has hundreds of servers that
/// are gone, and each would cost its time.
const ASK_NOTARIES_FIRST: usize = 32;
/// Servers named to a notary in one request, and the largest answer that is read.
const NOTARY_BATCH: usize = 250;
const NOTARY_ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Servers whose keys are kept in the database, and after how many writes that is seen to.
const STORED_SERVERS_MAX: i64 = 200_000;
const PRUNE_EVERY: u64 = 1_000;

/// Requests for keys that are under way, so that everybody who needs the same waits for the same.
pub(super) struct Flights {
    open: Mutex<HashMap<OwnedServerName, Shared<BoxFuture<'static, ()>>>>,
    /// Before these times nobody is asked again.
    not_before: Cache<OwnedServerName, Timestamp>,
    notaries_not_before: Cache<OwnedServerName, Timestamp>,
}

impl Default for Flights {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            not_before: Cache::new(REMEMBERED_MAX),
            notaries_not_before: Cache::new(REMEMBERED_MAX),
        }
    }
}

impl Keys {
    /// Asks for what is missing; the servers of which more may be known now.
    pub(super) async fn fetch(
        &self,
        wanted: &[WantedKeys],
        missing: HashSet<OwnedServerName>,
        is_heard_of: bool,
    ) -> Vec<OwnedServerName> {
        let asked: Vec<OwnedServerName> = missing.iter().cloned().collect();
        let notaries_first = missing.len() > ASK_NOTARIES_FIRST;
        let mut missing = missing;
        if notaries_first {
            self.ask_notaries(wanted, &missing).await;
            missing = self.still_missing(wanted, missing);
        }
        stream::iter(missing.iter())
            .for_each_concurrent(PARALLEL, |server| self.ask_server(server, is_heard_of))
            .await;
        if !notaries_first {
            missing = self.still_missing(wanted, missing);
            self.ask_notaries(wanted, &missing).await;
        }
        asked
    }

    fn still_missing(
        &self,
        wanted: &[WantedKeys],
        missing: HashSet<OwnedServerName>,
    ) -> HashSet<OwnedServerName> {
        let held = missing
            .iter()
            .filter_map(|server| Some((server.clone(), self.0.held.get(server)?)));
        let held = held.collect();
        let unsatisfied = unsatisfied(wanted, &held);
        missing
            .into_iter()
            .filter(|server| unsatisfied.contains(server))
            .collect()
    }

    /// `GET /_matrix/key/v2/server` of one server, unless it was asked a moment ago. Waits for one that is under way.
    pub(super) async fn ask_server(&self, server: &ServerName, is_heard_of: bool) {
        let now = self.0.clock.now();
        let flight = {
            let mut open = self.0.flights.open.lock();
            match open.get(server) {
                Some(flight) => flight.clone(),
                None if self
                    .0
                    .flights
                    .not_before
                    .get(server)
                    .is_some_and(|then| then > now) =>
                {
                    return;
                }
                None => {
                    let (keys, name) = (self.clone(), server.to_owned());
                    // A task of its own: those who wait may go away, and what was fetched is of use to others.
                    let task = tokio::spawn(async move {
                        let found = keys.fly(&name, is_heard_of).await;
                        let again = if found { AGAIN_MS } else { AGAIN_AFTER_FAILURE_MS };
                        let then = keys.0.clock.now().plus_ms(again);
                        keys.0.flights.not_before.insert(name.clone(), then);
                        keys.0.flights.open.lock().remove(&name);
                    });
                    let flight = task.map(|_| ()).boxed().shared();
                    open.insert(server.to_owned(), flight.clone());
                    flight
                }
            }
        };
        flight.await;
    }

    async fn fly(&self, server: &ServerName, is_heard_of: bool) -> bool {
        let options = SendOptions {
            timeout: Some(TIMEOUT),
            answer_bytes_max: ANSWER_BYTES_MAX,
            even_backing_off: is_heard_of,
        };
        let answer = self
            .0
            .client
            .send_unsigned(server, from_server::Request {}, options)
            .await;
        let read = answer.map_err(|error| error.to_string()).and_then(|answer| {
            let answer = KeyAnswer::read(answer.server_key.json().get(), self.0.clock.now())?;
            if answer.server != server {
                return Err(format!("it gave the keys of {}", answer.server));
            }
            Ok(answer)
        });
        match read {
            Ok(answer) => {
                self.learn(answer, false).await;
                true
            }
            Err(reason) => {
                tracing::debug!(%server, reason, "a server's keys could not be fetched");
                false
            }
        }
    }

    /// `POST /_matrix/key/v2/query` of the trusted notaries, one after the other, for what is missing.
    async fn ask_notaries(&self, wanted: &[WantedKeys], missing: &HashSet<OwnedServerName>) {
        if self.0.notaries.is_empty() {
            return;
        }
        let now = self.0.clock.now();
        let asked = &self.0.flights.notaries_not_before;
        let mut missing: HashSet<OwnedServerName> = missing
            .iter()
            .filter(|server| asked.get(*server).is_none_or(|then| then <= now))
            .cloned()
            .collect();
        for server in &missing {
            asked.insert(server.clone(), now.plus_ms(NOTARY_AGAIN_MS));
        }
        for notary in &self.0.notaries {
            let servers: Vec<&OwnedServerName> = missing.iter().filter(|server| *server != notary).collect();
            for batch in servers.chunks(NOTARY_BATCH) {
                if let Err(error) = self.ask_notary(notary, wanted, batch).await {
                    tracing::info!(%notary, %error, "a trusted key server did not help");
                    break;
                }
            }
            missing = self.still_missing(wanted, missing);
        }
    }

    async fn ask_notary(
        &self,
        notary: &ServerName,
        wanted: &[WantedKeys],
        servers: &[&OwnedServerName],
    ) -> Result<(), FederationError> {
        if servers.is_empty() {
            return Ok(());
        }
        self.know_notary(notary).await?;
        let mut query: BTreeMap<OwnedServerName, BTreeMap<_, _>> = servers
            .iter()
            .map(|server| ((*server).clone(), BTreeMap::new()))
            .collect();
        for (server, key_ids, at) in wanted {
            let Some(criteria) = query.get_mut(server) else {
                continue;
            };
            for id in key_ids.iter().filter_map(|id| id.as_str().try_into().ok()) {
                let minimum_valid_until_ts = match at {
                    super::ValidAt::Any => None,
                    super::ValidAt::Time(time) => Some(*time),
                };
                criteria.insert(
                    id,
                    from_notary::QueryCriteria {
                        minimum_valid_until_ts,
                    },
                );
            }
        }
        let options = SendOptions {
            timeout: Some(TIMEOUT),
            answer_bytes_max: NOTARY_ANSWER_BYTES_MAX,
            even_backing_off: false,
        };
        let request = from_notary::Request { server_keys: query };
        let answer = self.0.client.send_unsigned(notary, request, options).await?;
        let now = self.0.clock.now();
        let Some(notary_keys) = self.0.held.get(notary).map(|held| held.current(now)) else {
            return Err(FederationError::BadAnswer {
                server: notary.to_owned(),
                reason: "its own keys are not known".to_owned(),
            });
        };
        for told in answer.server_keys.iter().take(NOTARY_BATCH * 4) {
            let read = KeyAnswer::read(told.json().get(), now).and_then(|answer| {
                let is_asked_for = servers.iter().any(|server| **server == answer.server);
                let by_notary = notary_keys.iter().map(|(id, key)| (id.as_str(), key));
                if is_asked_for && is_signed_by(&answer.object, notary, by_notary) {
                    Ok(answer)
                } else {
                    Err("it is not signed by the notary, or was not asked for".to_owned())
                }
            });
            match read {
                Ok(answer) => self.learn(answer, true).await,
                Err(reason) => tracing::debug!(%notary, reason, "keys of a notary are not believed"),
            }
        }
        Ok(())
    }

    /// Has the notary's own keys in memory, if they can be had.
    async fn know_notary(&self, notary: &ServerName) -> Result<(), FederationError> {
        let inner = &self.0;
        if inner.held.get(notary).is_none() {
            for (server, keys) in store::keys_of(&inner.database, &[notary.to_owned()]).await? {
                self.remember_stored(server, keys);
            }
        }
        let now = inner.clock.now();
        let is_known = inner
            .held
            .get(notary)
            .is_some_and(|held| !held.current(now).is_empty());
        if !is_known {
            self.ask_server(notary, false).await;
        }
        Ok(())
    }

    /// Takes an answer in, to memory and to the database.
    async fn learn(&self, answer: KeyAnswer, is_hearsay: bool) {
        let inner = &self.0;
        // What is only in the database must not be lost by the merge.
        if inner.held.get(&answer.server).is_none()
            && let Ok(stored) = store::keys_of(&inner.database, std::slice::from_ref(&answer.server)).await
        {
            for (server, keys) in stored {
                self.remember_stored(server, keys);
            }
        }
        let (answer, keys) = {
            let _merging = inner.merging.lock();
            let mut keys = inner
                .held
                .get(&answer.server)
                .map(|held| (*held).clone())
                .unwrap_or_default();
            if is_hearsay {
                keys.merge_hearsay(answer.keys.clone());
            } else {
                keys.merge_own(answer.keys.clone());
            }
            let (answer, keys) = (Arc::new(answer), Arc::new(keys));
            inner.held.insert(answer.server.clone(), Arc::clone(&keys));
            inner.answers.insert(answer.server.clone(), Arc::clone(&answer));
            (answer, keys)
        };
        let mut change = Change::new();
        if let Err(error) = store::put(&mut change, &answer, &keys) {
            tracing::error!(%error, "a server's keys could not be written");
            return;
        }
        if inner.writes.fetch_add(1, Ordering::Relaxed) % PRUNE_EVERY == PRUNE_EVERY - 1 {
            store::prune(&mut change, STORED_SERVERS_MAX);
        }
        // Nobody waits for the disk: what is lost is fetched again.
        let _ = inner.database.writer().submit(change).await;
    }
}
