use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use echorift_storage::Timestamp;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName, serde::Base64, signatures::PublicKeyMap,
};

/// Keys kept of one server, however often it changes them.
pub(super) const KEYS_PER_SERVER_MAX: usize = 128;

/// At which time a key must have been valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValidAt {
    /// It does not matter: events of room versions 1 to 4.
    Any,
    /// The `origin_server_ts` of an event (room version 5 § Signing key validity period).
    Time(MilliSecondsSinceUnixEpoch),
}

impl From<MilliSecondsSinceUnixEpoch> for ValidAt {
    fn from(time: MilliSecondsSinceUnixEpoch) -> Self {
        Self::Time(time)
    }
}

/// A public key of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldKey {
    pub public_key: Base64,
    /// What is signed later is not believed: `expired_ts` of an old key, otherwise the answer's `valid_until_ts`, but no
    /// more than a week after it was fetched.
    pub valid_until: Timestamp,
    /// Its server signs with it no more.
    pub is_old: bool,
}

impl HeldKey {
    fn is_valid(&self, at: ValidAt) -> bool {
        match at {
            ValidAt::Any => true,
            ValidAt::Time(time) => i64::from(time.get()) <= self.valid_until.0,
        }
    }
}

/// What is known of one server's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServerKeys {
    /// By key ID, with its algorithm.
    pub keys: BTreeMap<String, HeldKey>,
}

impl ServerKeys {
    /// Whether all of these keys are here and valid then; without names, whether any is.
    pub(super) fn satisfies(&self, key_ids: &[String], at: ValidAt) -> bool {
        if key_ids.is_empty() {
            return self.keys.values().any(|key| key.is_valid(at));
        }
        key_ids
            .iter()
            .all(|id| self.keys.get(id).is_some_and(|key| key.is_valid(at)))
    }

    /// The keys that sign requests at this moment.
    pub(super) fn current(&self, now: Timestamp) -> BTreeMap<String, Base64> {
        let current = self
            .keys
            .iter()
            .filter(|(_, key)| !key.is_old && key.valid_until >= now);
        current
            .map(|(id, key)| (id.clone(), key.public_key.clone()))
            .collect()
    }

    /// Adds what the server itself says now. Keys that it no longer names stay for old events.
    pub(super) fn merge_own(&mut self, told: BTreeMap<String, HeldKey>) {
        for key in self.keys.values_mut() {
            key.is_old = true;
        }
        self.keys.extend(told);
        self.shrink();
    }

    /// Adds what a notary says, which never replaces what is known.
    pub(super) fn merge_hearsay(&mut self, told: BTreeMap<String, HeldKey>) {
        for (id, key) in told {
            match self.keys.get_mut(&id) {
                None => {
                    self.keys.insert(id, key);
                }
                Some(known) if known.public_key == key.public_key && known.valid_until < key.valid_until => {
                    *known = key;
                }
                Some(_) => {}
            }
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.keys.len() > KEYS_PER_SERVER_MAX {
            let oldest = self
                .keys
                .iter()
                .min_by_key(|(_, key)| (!key.is_old, key.valid_until));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else {
                return;
            };
            self.keys.remove(&id);
        }
    }
}

/// The keys of some servers, to check any number of events with.
#[derive(Debug, Clone, Default)]
pub struct HeldKeys(pub(super) HashMap<OwnedServerName, Arc<ServerKeys>>);

impl HeldKeys {
    /// The keys that were valid at one moment, of every server here.
    pub fn valid_at(&self, at: ValidAt) -> PublicKeyMap {
        let servers = self
            .0
            .iter()
            .map(|(server, keys)| (server.to_string(), valid(keys, at)));
        servers
            .filter(|(_, keys): &(_, BTreeMap<_, _>)| !keys.is_empty())
            .collect()
    }

    /// The keys of some servers that were valid at one moment: what one event needs.
    pub fn of<'s>(&self, servers: impl IntoIterator<Item = &'s ServerName>, at: ValidAt) -> PublicKeyMap {
        let found = servers.into_iter().filter_map(|server| {
            let keys = self.0.get(server)?;
            Some((server.to_string(), valid(keys, at)))
        });
        found.filter(|(_, keys)| !keys.is_empty()).collect()
    }
}

fn valid(keys: &ServerKeys, at: ValidAt) -> BTreeMap<String, Base64> {
    let valid = keys.keys.iter().filter(|(_, key)| key.is_valid(at));
    valid
        .map(|(id, key)| (id.clone(), key.public_key.clone()))
        .collect()
}
