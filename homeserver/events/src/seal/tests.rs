#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use ruma::{UInt, UserId};
use serde_json::{Value, json, value::to_raw_value};

use super::*;
use crate::{
    FIELD_BYTES_MAX, PDU_BYTES_MAX, canonical_json,
    testing::{key, rules},
};

fn draft(content: &str) -> Draft {
    Draft {
        room_id: Some(RoomId::parse("!room:one").unwrap()),
        sender: UserId::parse("@alice:one").unwrap(),
        event_type: "m.room.message".into(),
        state_key: None,
        content: RawValue::from_string(content.to_owned()).unwrap(),
        redacts: None,
        sticky_duration_ms: None,
        origin_server_ts: MilliSecondsSinceUnixEpoch(UInt::from(1_u32)),
        prev_events: vec![EventId::parse("$previous:one").unwrap()],
        auth_events: vec![EventId::parse("$create:one").unwrap()],
        depth: 2,
    }
}

fn sealed(version: u8, draft: Draft) -> Result<Pdu, EventError> {
    seal(draft, &rules(version), &key("one"))
}

#[test]
fn what_is_sealed_is_canonical_in_every_version() {
    for version in 1..=12 {
        let mut draft = draft(r#"{ "b": 1, "a": "\u65e5" }"#);
        draft.state_key = Some("\"odd\" \\ key\n".to_owned());
        draft.redacts = Some(EventId::parse("$target:one").unwrap());
        let pdu = sealed(version, draft).unwrap();
        assert_eq!(
            canonical_json(pdu.json()).unwrap(),
            pdu.json(),
            "version {version}"
        );
    }
}

#[test]
fn references_are_pairs_in_versions_1_and_2() {
    for version in 1..=12 {
        let pdu = sealed(version, draft("{}")).unwrap();
        let json: Value = serde_json::from_str(pdu.json()).unwrap();
        let expected = if version < 3 {
            json!([["$previous:one", {}]])
        } else {
            json!(["$previous:one"])
        };
        assert_eq!(json.get("prev_events"), Some(&expected));
        assert_eq!(pdu.prev_events, [EventId::parse("$previous:one").unwrap()]);
        assert_eq!(pdu.auth_events, [EventId::parse("$create:one").unwrap()]);
    }
}

#[test]
fn the_same_draft_gives_the_same_event_and_another_draft_another() {
    for version in 1..=12 {
        let first = sealed(version, draft("{}")).unwrap();
        assert_eq!(first.event_id, sealed(version, draft("{}")).unwrap().event_id);
        assert_ne!(
            first.event_id,
            sealed(
                version,
                Draft {
                    depth: 3,
                    ..draft("{}")
                }
            )
            .unwrap()
            .event_id
        );
        assert_ne!(
            first.event_id,
            sealed(version, draft(r#"{"a":1}"#)).unwrap().event_id
        );
    }
}

#[test]
fn content_that_canonical_json_cannot_hold_is_bad_from_version_6_on() {
    for content in [
        r#"{"a":1.5}"#,
        r#"{"a":9007199254740992}"#,
        r#"{"a":1e3}"#,
        r#"{"a":-0}"#,
    ] {
        for version in 1..=12 {
            let outcome = sealed(version, draft(content));
            assert_eq!(
                matches!(outcome, Err(EventError::BadJson(_))),
                version >= 6,
                "version {version}: {content}"
            );
        }
    }
    assert!(matches!(sealed(1, draft("[]")), Err(EventError::BadJson(_))));
}

#[test]
fn sizes_are_limited() {
    let empty = sealed(10, draft(r#"{"body":""}"#)).unwrap().json().len();
    let of_size = |bytes: usize| {
        sealed(
            10,
            draft(&json!({ "body": "x".repeat(bytes - empty) }).to_string()),
        )
    };
    assert_eq!(of_size(PDU_BYTES_MAX).unwrap().json().len(), PDU_BYTES_MAX);
    assert_eq!(
        of_size(PDU_BYTES_MAX + 1).unwrap_err(),
        EventError::TooLarge {
            bytes: PDU_BYTES_MAX + 1
        }
    );
    let long = "x".repeat(FIELD_BYTES_MAX + 1);
    let too_large = |field| EventError::FieldTooLarge {
        field,
        bytes: FIELD_BYTES_MAX + 1,
    };
    let with_type = Draft {
        event_type: long.as_str().into(),
        ..draft("{}")
    };
    assert_eq!(sealed(10, with_type).unwrap_err(), too_large("type"));
    let with_key = Draft {
        state_key: Some(long),
        ..draft("{}")
    };
    assert_eq!(sealed(10, with_key).unwrap_err(), too_large("state_key"));
}

#[test]
fn a_room_id_is_missing_from_version_12_create_events_only() {
    let create = |room_id| Draft {
        room_id,
        event_type: TimelineEventType::RoomCreate,
        state_key: Some(String::new()),
        ..draft("{}")
    };
    let room_id = draft("{}").room_id;
    for version in [11, 12] {
        assert_eq!(sealed(version, create(room_id.clone())).is_ok(), version == 11);
        assert_eq!(sealed(version, create(None)).is_ok(), version == 12);
        assert!(
            sealed(
                version,
                Draft {
                    room_id: None,
                    ..draft("{}")
                }
            )
            .is_err()
        );
    }
}

#[test]
fn depth_stops_at_what_canonical_json_holds() {
    let pdu = sealed(
        10,
        Draft {
            depth: u64::MAX,
            ..draft("{}")
        },
    )
    .unwrap();
    assert_eq!(pdu.depth, INTEGER_MAX.unsigned_abs());
}

#[test]
fn references_are_limited_in_number() {
    let ids = |count: usize| vec![EventId::parse("$id:one").unwrap(); count];
    assert!(
        sealed(
            10,
            Draft {
                prev_events: ids(20),
                auth_events: ids(10),
                ..draft("{}")
            }
        )
        .is_ok()
    );
    assert!(
        sealed(
            10,
            Draft {
                prev_events: ids(21),
                ..draft("{}")
            }
        )
        .is_err()
    );
    assert!(
        sealed(
            10,
            Draft {
                auth_events: ids(11),
                ..draft("{}")
            }
        )
        .is_err()
    );
}

proptest! {
    #[test]
    fn whatever_is_sealed_is_received_again(
        version in 1_u8..=12,
        body in any::<String>(),
        state_key in prop::option::of("[^\u{0}]{0,20}"),
        event_type in "[^\u{0}]{1,20}",
        number in -INTEGER_MAX..=INTEGER_MAX,
    ) {
        let content = to_raw_value(&json!({ "body": body, "number": number })).unwrap();
        let draft = Draft { content, state_key, event_type: event_type.into(), ..draft("{}") };
        if let Ok(pdu) = sealed(version, draft) {
            let received = Pdu::receive(pdu.json(), &rules(version)).unwrap();
            prop_assert_eq!(&received.event_id, &pdu.event_id);
            prop_assert_eq!(received.json(), pdu.json());
        }
    }
}
