#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use ruma::{EventId, MilliSecondsSinceUnixEpoch, RoomId, UInt, UserId, signatures::PublicKeyMap};
use serde_json::{Value, json};

use super::*;
use crate::{
    Draft, Pdu, canonical_json, seal,
    testing::{key, rules},
};

fn sealed(version: u8, duration_ms: Option<u32>) -> Pdu {
    let draft = Draft {
        room_id: Some(RoomId::parse("!room:one").unwrap()),
        sender: UserId::parse("@alice:one").unwrap(),
        event_type: "m.rtc.member".into(),
        state_key: None,
        content: RawValue::from_string("{}".to_owned()).unwrap(),
        redacts: None,
        sticky_duration_ms: duration_ms.map(StickyDurationMs::new_clamped),
        origin_server_ts: MilliSecondsSinceUnixEpoch(UInt::from(1_u32)),
        prev_events: vec![EventId::parse("$previous:one").unwrap()],
        auth_events: vec![EventId::parse("$create:one").unwrap()],
        depth: 2,
    };
    seal(draft, &rules(version), &key("one")).unwrap()
}

fn duration_of(text: &str) -> Option<u32> {
    let raw = RawValue::from_string(text.to_owned()).unwrap();
    read_sticky(&raw).map(StickyDurationMs::get)
}

#[test]
fn stickiness_is_hashed_and_signed_and_lost_on_redaction_in_every_version() {
    let published = json!({ "one": { "ed25519:1": key("one").public_key() } });
    let keys: PublicKeyMap = serde_json::from_value(published).unwrap();
    for version in 1..=12 {
        let event = sealed(version, Some(60_000));
        let json: Value = serde_json::from_str(event.json()).unwrap();
        assert_eq!(
            json.get("msc4354_sticky"),
            Some(&json!({ "duration_ms": 60_000 }))
        );
        assert_eq!(canonical_json(event.json()).unwrap(), event.json());
        let received = Pdu::receive(event.json(), &rules(version)).unwrap();
        assert_eq!(received.json(), event.json());
        assert_eq!(
            received.sticky_duration_ms.map(StickyDurationMs::get),
            Some(60_000)
        );
        Pdu::verify_signatures(event.json(), &keys, &rules(version)).unwrap();

        let longer = event.json().replace("60000", "60001");
        let received = Pdu::receive(&longer, &rules(version)).unwrap();
        assert_eq!(
            received.sticky_duration_ms, None,
            "the hash is wrong: it is redacted"
        );
        let redacted = event.redacted(&rules(version)).unwrap();
        assert_eq!(redacted.sticky_duration_ms, None);
        assert!(!redacted.json().contains("sticky"));
        if version > 2 {
            assert_eq!(received.event_id, event.event_id);
            assert_ne!(sealed(version, None).event_id, event.event_id);
        }
    }
}

#[test]
fn clients_get_the_duration_where_canonical_json_has_it() {
    let shown = sealed(11, Some(0)).client_json(None);
    assert!(shown.contains(r#","msc4354_sticky":{"duration_ms":0},"origin_server_ts":1,"#));
    assert!(!sealed(11, None).client_json(None).contains("sticky"));
}

#[test]
fn what_is_no_duration_makes_no_event_sticky() {
    for (text, duration_ms) in [
        (r#"{"duration_ms":0}"#, Some(0)),
        (r#"{"duration_ms":3600000}"#, Some(3_600_000)),
        (r#"{"duration_ms":3600001,"more":[]}"#, Some(3_600_000)),
        (r#"{"duration_ms":18446744073709551615}"#, Some(3_600_000)),
        (r#"{"duration_ms":18446744073709551616}"#, None),
        (r#"{"duration_ms":-1}"#, None),
        (r#"{"duration_ms":1.5}"#, None),
        (r#"{"duration_ms":"60000"}"#, None),
        (r#"{"duration_ms":null}"#, None),
        (r#"{"duration_ms":[60000]}"#, None),
        (r#"{"duration":60000}"#, None),
        ("{}", None),
        ("null", None),
        ("60000", None),
        ("[60000]", None),
        ("true", None),
    ] {
        assert_eq!(duration_of(text), duration_ms, "{text}");
    }
}

proptest! {
    #[test]
    fn a_stored_event_tells_the_duration_that_it_was_sealed_with(duration_ms in 0..=StickyDurationMs::MAX) {
        let event = sealed(12, Some(duration_ms));
        let read = Pdu::from_stored(event.event_id.clone(), event.room_id.clone(), event.json(), &rules(12)).unwrap();
        prop_assert_eq!(read.sticky_duration_ms.map(StickyDurationMs::get), Some(duration_ms));
    }
}
