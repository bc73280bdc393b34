//! Formats, hashes and signatures of received events (SS API § Checks performed on receipt of a PDU, steps 1 to 3).

use std::collections::{BTreeMap, BTreeSet};

use echorift_events::{EventError, Incoming, Pdu, RoomVersionRules};
use ruma::OwnedServerName;
use serde_json::value::RawValue;

use crate::{
    Federation, FederationError,
    keys::{HeldKeys, ValidAt, WantedKeys},
};

/// Up to so many events are checked where they are; more go to a thread of their own. A check takes some 50 µs.
const IN_PLACE_MAX: usize = 4;

type Checked = Result<Pdu, FederationError>;

impl Federation {
    /// Checks events and returns them in their order, those with a wrong content hash redacted.
    ///
    /// All keys are fetched together. Errors: `Event` for what is malformed or not signed by whom it must be.
    pub(crate) async fn verify_pdus(
        &self,
        rules: &RoomVersionRules,
        texts: Vec<Box<RawValue>>,
    ) -> Vec<Checked> {
        let is_small = texts.len() <= IN_PLACE_MAX;
        let parsing = rules.clone();
        let parse = move || -> Vec<Result<Incoming, EventError>> {
            texts
                .iter()
                .map(|text| Incoming::parse(text.get(), &parsing))
                .collect()
        };
        let parsed = if is_small { parse() } else { apart(parse).await };
        self.verify_parsed(rules, parsed).await
    }

    async fn verify_parsed(
        &self,
        rules: &RoomVersionRules,
        parsed: Vec<Result<Incoming, EventError>>,
    ) -> Vec<Checked> {
        let keys = match self.keys().load(&keys_of(rules, parsed.iter().flatten())).await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(%error, "signing keys could not be had");
                HeldKeys::default()
            }
        };
        let (is_small, checking) = (parsed.len() <= IN_PLACE_MAX, rules.clone());
        let check = move || -> Vec<Result<Pdu, EventError>> {
            parsed
                .into_iter()
                .map(|incoming| check_event(incoming?, &keys, &checking))
                .collect()
        };
        let checked = if is_small { check() } else { apart(check).await };
        checked
            .into_iter()
            .map(|result| result.map_err(FederationError::from))
            .collect()
    }
}

/// Checks the signatures of one event.
pub(super) async fn verify_event(
    federation: &Federation,
    rules: &RoomVersionRules,
    incoming: Incoming,
) -> Checked {
    let checked = federation.verify_parsed(rules, vec![Ok(incoming)]).await.pop();
    checked.unwrap_or_else(|| Err(EventError::BadFormat("it could not be checked".to_owned()).into()))
}

fn check_event(incoming: Incoming, keys: &HeldKeys, rules: &RoomVersionRules) -> Result<Pdu, EventError> {
    let servers = incoming.required_servers(rules)?;
    let keys = keys.of(servers.iter().map(|server| &**server), validity(&incoming, rules));
    incoming.verify(&keys, rules)?;
    incoming.into_pdu(rules)
}

/// When the keys must have been valid (rooms § Signing key validity period).
fn validity(event: &Incoming, rules: &RoomVersionRules) -> ValidAt {
    match rules.enforce_key_validity {
        true => ValidAt::Time(event.origin_server_ts()),
        false => ValidAt::Any,
    }
}

/// The keys that the events name, each server's with the latest time at which one of them must be valid.
fn keys_of<'e>(rules: &RoomVersionRules, events: impl IntoIterator<Item = &'e Incoming>) -> Vec<WantedKeys> {
    let mut wanted: BTreeMap<OwnedServerName, (BTreeSet<String>, ValidAt)> = BTreeMap::new();
    for event in events {
        let at = validity(event, rules);
        for server in event.required_servers(rules).unwrap_or_default() {
            let ids: Vec<String> = event.key_ids_of(&server).map(ToOwned::to_owned).collect();
            let (all, latest) = wanted.entry(server).or_insert_with(|| (BTreeSet::new(), at));
            all.extend(ids);
            *latest = (*latest).max(at);
        }
    }
    wanted
        .into_iter()
        .map(|(server, (ids, at))| (server, ids.into_iter().collect(), at))
        .collect()
}

/// Runs what takes long away from the threads that serve requests.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Vec<T> + Send + 'static) -> Vec<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "events could not be checked");
            Vec::new()
        }
    }
}
