use echorift_events::SigningKey;
use ruma::canonical_json::redact;
use ruma::room_version_rules::RoomVersionRules;
use ruma::signatures::{hash_and_sign_event, reference_hash, sign_json};
use ruma::{CanonicalJsonObject, CanonicalJsonValue};
use serde_json::Value;

/// An event as it travels, with its id. The id is computed and never checked: the event may be any JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerEvent {
    pub id: String,
    pub json: Value,
}

impl PeerEvent {
    /// Hashes and signs a draft, made by [`crate::PeerRoom::draft`] and changed at will.
    pub fn sealed(draft: &Value, rules: &RoomVersionRules, key: &SigningKey) -> Self {
        let mut object = canonical(draft);
        hash_and_sign_event(key.server_name().as_str(), key, &mut object, &rules.redaction)
            .expect("a draft can be signed");
        Self::received(&CanonicalJsonValue::Object(object).into(), rules)
    }

    /// Signs an event that has hashes already, right or wrong.
    pub fn signed(hashed: &Value, rules: &RoomVersionRules, key: &SigningKey) -> Self {
        let mut event = canonical(hashed);
        let mut redacted = redact(event.clone(), &rules.redaction, None).expect("an event can be redacted");
        sign_json(key.server_name().as_str(), key, &mut redacted).expect("an event can be signed");
        event.insert(
            "signatures".to_owned(),
            redacted.remove("signatures").expect("signatures"),
        );
        Self::received(&CanonicalJsonValue::Object(event).into(), rules)
    }

    /// An event of somebody else. Room versions 3 and later.
    pub fn received(json: &Value, rules: &RoomVersionRules) -> Self {
        let hash = reference_hash(&canonical(json), rules).expect("an event has a reference hash");
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

fn canonical(json: &Value) -> CanonicalJsonObject {
    serde_json::from_value(json.clone()).expect("an event is an object of canonical JSON")
}
