//! Our own keys, as we publish them.

use std::collections::BTreeMap;

use echorift_events::SigningKey;
use echorift_storage::Timestamp;
use ruma::{CanonicalJsonObject, CanonicalJsonValue, serde::Base64, signatures::sign_json};

use super::held::{HeldKey, ServerKeys};
use crate::{FederationError, OldKey};

/// For how long others may keep what we publish. It bounds how long a stolen key is believed after it was replaced, and
/// is well above the hour below which others would ask all the time (SS API § Publishing Keys).
const VALID_MS: i64 = 24 * 3_600_000;

/// The key that signs, and those that did.
#[derive(Debug)]
pub(super) struct OwnKeys {
    pub signing_key: SigningKey,
    pub old_keys: Vec<OldKey>,
}

impl OwnKeys {
    /// `GET /_matrix/key/v2/server`: our keys, signed.
    pub(super) fn published(&self, now: Timestamp) -> Result<CanonicalJsonObject, FederationError> {
        let text = |value: &str| CanonicalJsonValue::String(value.to_owned());
        let object = |fields: Vec<(String, CanonicalJsonValue)>| {
            CanonicalJsonValue::Object(fields.into_iter().collect())
        };
        let number =
            |value: i64| ruma::Int::new(value).map_or(CanonicalJsonValue::Null, CanonicalJsonValue::Integer);
        let key = &self.signing_key;
        let current = object(vec![("key".to_owned(), text(&key.public_key()))]);
        let old = self.old_keys.iter().map(|old| {
            let fields = vec![
                ("key".to_owned(), text(&old.public_key)),
                ("expired_ts".to_owned(), number(old.expired.get().into())),
            ];
            (old.key_id.to_string(), object(fields))
        });
        let mut published = CanonicalJsonObject::from([
            ("server_name".to_owned(), text(key.server_name().as_str())),
            (
                "verify_keys".to_owned(),
                object(vec![(key.key_id().to_string(), current)]),
            ),
            ("old_verify_keys".to_owned(), object(old.collect())),
            ("valid_until_ts".to_owned(), number(now.plus_ms(VALID_MS).0)),
        ]);
        self.sign(&mut published)?;
        Ok(published)
    }

    /// Adds our signature to an object.
    pub(super) fn sign(&self, object: &mut CanonicalJsonObject) -> Result<(), FederationError> {
        sign_json(self.signing_key.server_name().as_str(), &self.signing_key, object)
            .map_err(|error| FederationError::BadRequest(error.to_string()))
    }

    /// Our keys as those of any server. The current one is valid without end: we know that it is ours.
    pub(super) fn held(&self) -> ServerKeys {
        let mut keys = BTreeMap::new();
        for old in &self.old_keys {
            if let Ok(public_key) = Base64::parse(&old.public_key) {
                let held = HeldKey {
                    public_key,
                    valid_until: Timestamp(old.expired.get().into()),
                    is_old: true,
                };
                keys.insert(old.key_id.to_string(), held);
            }
        }
        if let Ok(public_key) = Base64::parse(self.signing_key.public_key()) {
            let held = HeldKey {
                public_key,
                valid_until: Timestamp(i64::MAX),
                is_old: false,
            };
            keys.insert(self.signing_key.key_id().to_string(), held);
        }
        ServerKeys { keys }
    }
}
