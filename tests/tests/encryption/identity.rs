//! Keys as clients make them: real ones, so that the server's checks of signatures are met.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use echorift_tests::{User, v3};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value, json};

/// An ed25519 key pair whose public half names it.
pub(crate) struct Key(SigningKey);

impl Key {
    /// A key of its own for each seed.
    pub(crate) fn of(seed: &str) -> Self {
        let mut bytes = [0_u8; 32];
        for (index, byte) in seed.bytes().enumerate() {
            bytes[index % 32] = bytes[index % 32].wrapping_mul(31).wrapping_add(byte);
        }
        Self(SigningKey::from_bytes(&bytes))
    }

    pub(crate) fn public(&self) -> String {
        STANDARD_NO_PAD.encode(self.0.verifying_key().as_bytes())
    }

    /// `ed25519:<public key>`
    pub(crate) fn id(&self) -> String {
        format!("ed25519:{}", self.public())
    }

    /// Adds a signature by this key under `key_id`. The objects here have no nested order to lose: `serde_json` sorts.
    pub(crate) fn sign(&self, object: &mut Value, user: &str, key_id: &str) {
        let mut bare = object.as_object().cloned().unwrap_or_default();
        bare.remove("signatures");
        bare.remove("unsigned");
        let text = serde_json::to_string(&Value::Object(bare)).unwrap();
        let signature = STANDARD_NO_PAD.encode(self.0.sign(text.as_bytes()).to_bytes());
        let signatures = object
            .as_object_mut()
            .unwrap()
            .entry("signatures")
            .or_insert_with(|| Value::Object(Map::new()));
        signatures[user][key_id] = signature.into();
    }
}

/// The key of a device.
pub(crate) fn device_key(user: &User) -> Key {
    Key::of(&format!("{} {}", user.id, user.device_id))
}

/// The identity keys of a device, signed by itself.
pub(crate) fn device_keys(user: &User) -> Value {
    let key = device_key(user);
    let id = format!("ed25519:{}", user.device_id);
    let mut keys = json!({
        "user_id": user.id,
        "device_id": user.device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": { &id: key.public(), format!("curve25519:{}", user.device_id): key.public() },
    });
    key.sign(&mut keys, &user.id, &id);
    keys
}

/// One-time or fallback keys with these names.
pub(crate) fn signed_keys(user: &User, names: impl IntoIterator<Item = String>) -> Value {
    let keys = names.into_iter().map(|name| {
        let mut key = json!({ "key": Key::of(&name).public() });
        device_key(user).sign(&mut key, &user.id, &format!("ed25519:{}", user.device_id));
        (format!("signed_curve25519:{name}"), key)
    });
    Value::Object(keys.collect())
}

/// Uploads the identity keys of the user's device.
pub(crate) async fn publish_device(user: &User) {
    let body = json!({ "device_keys": device_keys(user) });
    user.post(v3(["keys", "upload"]), body)
        .await
        .expect("keys may be uploaded");
}

/// A user's cross-signing keys.
pub(crate) struct CrossSigning {
    pub(crate) master: Key,
    pub(crate) self_signing: Key,
    pub(crate) user_signing: Key,
}

impl CrossSigning {
    /// The keys of a user's n-th identity.
    pub(crate) fn of(user: &User, generation: u32) -> Self {
        let key = |usage: &str| Key::of(&format!("{usage} {generation} of {}", user.id));
        Self {
            master: key("master"),
            self_signing: key("self"),
            user_signing: key("user"),
        }
    }

    pub(crate) fn public(user: &User, usage: &str, key: &Key) -> Value {
        json!({ "user_id": user.id, "usage": [usage], "keys": { key.id(): key.public() } })
    }

    /// The body of an upload.
    pub(crate) fn upload(&self, user: &User) -> Value {
        let signed = |usage: &str, key: &Key| {
            let mut public = Self::public(user, usage, key);
            self.master.sign(&mut public, &user.id, &self.master.id());
            public
        };
        json!({
            "master_key": Self::public(user, "master", &self.master),
            "self_signing_key": signed("self_signing", &self.self_signing),
            "user_signing_key": signed("user_signing", &self.user_signing),
        })
    }
}

/// What `reader` is told of a user's keys.
pub(crate) async fn query(reader: &User, whom: &[&User]) -> Value {
    let users: Map<String, Value> = whom.iter().map(|user| (user.id.clone(), json!([]))).collect();
    reader
        .post(v3(["keys", "query"]), json!({ "device_keys": users }))
        .await
        .expect("keys may be asked for")
}
