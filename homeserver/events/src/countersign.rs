//! Signatures beside the sender's: of a policy server (SS API § Policy Servers), say.

use std::collections::BTreeMap;

use base64::Engine as _;
use ed25519_dalek::{Signature, VerifyingKey};
use ruma::{ServerName, room_version_rules::RoomVersionRules};

use crate::{
    EventError, Pdu,
    hash::BASE64,
    json::{Json, Numbers, parse_object, write_object_without},
    redact::redact,
};

impl Pdu {
    /// Whether the event bears the server's signature by this key (unpadded base64) under this key ID.
    pub fn is_signed_with(
        &self,
        server: &ServerName,
        key_id: &str,
        public_key: &str,
        rules: &RoomVersionRules,
    ) -> bool {
        let verify = || {
            let mut event = parse_object(self.json(), Numbers::Lenient).ok()?;
            let signatures = event.get("signatures").and_then(Json::as_object)?;
            let of_server = signatures.get(server.as_str()).and_then(Json::as_object)?;
            let signature = BASE64.decode(of_server.get(key_id)?.as_str()?).ok()?;
            let signature = Signature::from_slice(&signature).ok()?;
            let public_key: [u8; 32] = BASE64.decode(public_key).ok()?.try_into().ok()?;
            let public_key = VerifyingKey::from_bytes(&public_key).ok()?;
            redact(&mut event, &rules.redaction);
            let mut signed_text = String::with_capacity(1024);
            write_object_without(&mut signed_text, &event, &["signatures", "unsigned"]);
            ed25519_dalek::Verifier::verify(&public_key, signed_text.as_bytes(), &signature).ok()
        };
        verify().is_some()
    }

    /// The same event with one more signature, which is not checked. What signatures it has stay.
    ///
    /// Errors: [`EventError::TooLarge`] if it does not fit any more.
    pub fn with_signature(
        &self,
        server: &ServerName,
        key_id: &str,
        signature: &str,
        rules: &RoomVersionRules,
    ) -> Result<Self, EventError> {
        let event = parse_object(self.json(), Numbers::Lenient)?;
        let added = BTreeMap::from([(key_id.to_owned(), Json::String(signature.to_owned()))]);
        self.with_signatures(event, server, added, rules)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::{MilliSecondsSinceUnixEpoch, RoomVersionId, owned_room_id, owned_user_id, server_name, uint};
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::{Draft, SigningKey, rules_for, seal};

    #[test]
    fn a_second_signature_is_added_and_found_and_changes_nothing_else() {
        let rules = rules_for(&RoomVersionId::V11).unwrap();
        let (ours, theirs) = (server_name!("one.example"), server_name!("policy.example"));
        let key = SigningKey::from_seed(ours, "1", &[1; 32]).unwrap();
        let draft = Draft {
            room_id: Some(owned_room_id!("!room:one.example")),
            sender: owned_user_id!("@alice:one.example"),
            event_type: "m.room.message".into(),
            state_key: None,
            content: to_raw_value(&serde_json::json!({ "body": "hello" })).unwrap(),
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: MilliSecondsSinceUnixEpoch(uint!(1)),
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
        };
        let event = seal(draft.clone(), &rules, &key).unwrap();
        // The policy server signs the same bytes; its signature is taken from its own copy of the event.
        let policy_key = SigningKey::from_seed(theirs, "policy_server", &[2; 32]).unwrap();
        let copy = seal(draft, &rules, &policy_key).unwrap();
        let copy: serde_json::Value = serde_json::from_str(copy.json()).unwrap();
        let signature = copy
            .pointer("/signatures/policy.example/ed25519:policy_server")
            .unwrap();
        let signed = event
            .with_signature(
                theirs,
                "ed25519:policy_server",
                signature.as_str().unwrap(),
                &rules,
            )
            .unwrap();
        assert_eq!(signed.event_id, event.event_id);
        let public = |seed: u8| {
            let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
            BASE64.encode(key.verifying_key().as_bytes())
        };
        let is_signed = |pdu: &Pdu, key_id: &str, key: &str| pdu.is_signed_with(theirs, key_id, key, &rules);
        assert!(is_signed(&signed, "ed25519:policy_server", &public(2)));
        assert!(
            signed.is_signed_with(ours, "ed25519:1", &public(1), &rules),
            "the sender's stays"
        );
        assert!(!is_signed(&event, "ed25519:policy_server", &public(2)));
        assert!(!is_signed(&signed, "ed25519:policy_server", &public(1)));
        assert!(!is_signed(&signed, "ed25519:other", &public(2)));
        assert!(!is_signed(&signed, "ed25519:policy_server", "nonsense"));
        let forged = event
            .with_signature(theirs, "ed25519:policy_server", "AAAA", &rules)
            .unwrap();
        assert!(!is_signed(&forged, "ed25519:policy_server", &public(2)));
    }
}
