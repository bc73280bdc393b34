use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use echorift_events::SigningKey;
use ruma::canonical_json::redact;
use ruma::room_version_rules::RoomVersionRules;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::signed;

/// An event as it travels, with its id. Nothing is checked: the event may be any JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerEvent {
    pub id: String,
    pub json: Value,
}

impl PeerEvent {
    /// Hashes and signs a draft, made by [`crate::PeerRoom::draft`] and changed at will.
    pub fn sealed(draft: &Value, rules: &RoomVersionRules, key: &SigningKey) -> Self {
        let mut event = draft.clone();
        let hash = Sha256::digest(canonical(&without(draft, &["hashes", "signatures", "unsigned"])));
        event["hashes"] = serde_json::json!({ "sha256": STANDARD_NO_PAD.encode(hash) });
        let to_sign = without(&redacted(&event, rules), &["unsigned"]);
        event["signatures"] = signed(to_sign, key.server_name().as_str(), key)["signatures"].take();
        Self::received(&event, rules)
    }

    /// An event of somebody else. Room versions 4 and later.
    pub fn received(json: &Value, rules: &RoomVersionRules) -> Self {
        let hashed = without(&redacted(json, rules), &["signatures", "unsigned", "age_ts"]);
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical(&hashed)));
        Self {
            id: format!("${hash}"),
            json: json.clone(),
        }
    }

    /// The same event with one of its parts replaced, and neither hashes nor signatures renewed. The id stays that of
    /// the original, which is right for what redaction takes away.
    #[must_use]
    pub fn tampered(&self, pointer: &str, value: impl Into<Value>) -> Self {
        let mut tampered = self.clone();
        *tampered.json.pointer_mut(pointer).expect("a part of the event") = value.into();
        tampered
    }

    /// `(type, state_key)` of a state event.
    pub fn state_pair(&self) -> Option<(String, String)> {
        let state_key = self.json["state_key"].as_str()?;
        Some((self.json["type"].as_str()?.to_owned(), state_key.to_owned()))
    }
}

/// As redacted, if it can be.
fn redacted(event: &Value, rules: &RoomVersionRules) -> Value {
    let object = serde_json::from_value(event.clone()).ok();
    let redacted = object.and_then(|object| redact(object, &rules.redaction, None).ok());
    redacted.map_or_else(
        || event.clone(),
        |object| serde_json::to_value(object).expect("JSON"),
    )
}

pub(super) fn without(json: &Value, keys: &[&str]) -> Value {
    let mut json = json.clone();
    for key in keys {
        json.as_object_mut().map(|object| object.remove(*key));
    }
    json
}

/// Canonical JSON, and beyond it what others can not make: numbers as they are.
pub(super) fn canonical(json: &Value) -> String {
    match json {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            let entries: Vec<String> = keys
                .into_iter()
                .map(|key| format!("{}:{}", Value::from(key.as_str()), canonical(&object[key])))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
