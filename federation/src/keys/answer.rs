//! The object in which a server publishes its keys (SS API § Publishing Keys), read and checked.

use std::collections::BTreeMap;

use echorift_storage::Timestamp;
use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, OwnedServerName, ServerName, SigningKeyAlgorithm,
    api::federation::discovery::ServerSigningKeys,
    serde::Base64,
    signatures::{to_canonical_json_string_for_signing, verify_canonical_json_bytes},
};

use super::held::{HeldKey, KEYS_PER_SERVER_MAX};

/// The largest object that is read; a hundred keys fit.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Whatever a server says, its keys are looked at again after a week (SS API § Publishing Keys, `valid_until_ts`).
const VALID_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// A server's keys as it signed them.
#[derive(Debug, Clone)]
pub(crate) struct KeyAnswer {
    pub server: OwnedServerName,
    pub keys: BTreeMap<String, HeldKey>,
    /// The object itself, with all its signatures.
    pub object: CanonicalJsonObject,
    pub fetched: Timestamp,
    pub valid_until: Timestamp,
}

impl KeyAnswer {
    /// Reads the object, which must be about a server and signed by one of the keys that it names.
    ///
    /// The error is for the log.
    pub(crate) fn read(text: &str, now: Timestamp) -> Result<Self, String> {
        if text.len() > ANSWER_BYTES_MAX {
            return Err("the keys are too many".to_owned());
        }
        let told: ServerSigningKeys = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let object: CanonicalJsonObject = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if told.verify_keys.len() + told.old_verify_keys.len() > KEYS_PER_SERVER_MAX {
            return Err("the keys are too many".to_owned());
        }
        let millis = |time: ruma::MilliSecondsSinceUnixEpoch| Timestamp(i64::from(time.get()));
        let valid_until = millis(told.valid_until_ts).min(now.plus_ms(VALID_MS_MAX));
        let mut keys = BTreeMap::new();
        for (id, key) in told.old_verify_keys {
            let held = HeldKey {
                public_key: key.key,
                valid_until: millis(key.expired_ts),
                is_old: true,
            };
            keys.insert(id.to_string(), held);
        }
        for (id, key) in told.verify_keys {
            let held = HeldKey {
                public_key: key.key,
                valid_until,
                is_old: false,
            };
            keys.insert(id.to_string(), held);
        }
        let current = keys.iter().filter(|(_, key)| !key.is_old);
        let current = current.map(|(id, key)| (id.as_str(), &key.public_key));
        if !is_signed_by(&object, &told.server_name, current) {
            return Err("the keys are not signed by one of themselves".to_owned());
        }
        Ok(Self {
            server: told.server_name,
            keys,
            object,
            fetched: now,
            valid_until,
        })
    }
}

/// Whether a signed object bears a right signature of `server` by one of these ed25519 keys.
pub(super) fn is_signed_by<'k>(
    object: &CanonicalJsonObject,
    server: &ServerName,
    keys: impl IntoIterator<Item = (&'k str, &'k Base64)>,
) -> bool {
    let Ok(text) = to_canonical_json_string_for_signing(object) else {
        return false;
    };
    keys.into_iter().any(|(id, key)| {
        let signature = signatures_of(object, server).and_then(|signatures| signatures.get(id)?.as_str());
        let signature = signature.and_then(|text| Base64::<ruma::serde::base64::Standard>::parse(text).ok());
        signature.is_some_and(|signature| {
            id.starts_with("ed25519:")
                && verify_canonical_json_bytes(
                    &SigningKeyAlgorithm::Ed25519,
                    key.as_bytes(),
                    signature.as_bytes(),
                    text.as_bytes(),
                )
                .is_ok()
        })
    })
}

/// The signatures of one server on an object, by key ID.
pub(super) fn signatures_of<'o>(
    object: &'o CanonicalJsonObject,
    server: &ServerName,
) -> Option<&'o CanonicalJsonObject> {
    match object.get("signatures")?.as_object()?.get(server.as_str())? {
        CanonicalJsonValue::Object(signatures) => Some(signatures),
        _ => None,
    }
}
