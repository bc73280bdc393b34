#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::{server_name, signatures::PublicKeyMap};
use serde_json::json;

use super::*;
use crate::{
    Incoming,
    testing::{Say, TestRoom, key},
};

fn keys(servers: &[&str]) -> PublicKeyMap {
    let published = servers.iter().map(|server| {
        (
            (*server).to_owned(),
            json!({ "ed25519:1": key(server).public_key() }),
        )
    });
    serde_json::from_value(published.collect()).unwrap()
}

/// Carol of server `two` knocks, or says anything else that is signed by `two` alone.
fn event(version: u8) -> (RoomVersionRules, Pdu) {
    let (room, fork) = TestRoom::public(version);
    let event = room.build(
        &fork,
        Say {
            sender: "Carol",
            event_type: "m.room.topic",
            state_key: Some(""),
            content: json!({ "topic": "Ferries \"to\" Ærø" }),
        },
    );
    (room.rules.clone(), event)
}

#[test]
fn an_event_keeps_all_but_gains_a_signature_in_every_room_version() {
    for version in 1..=12 {
        let (rules, sent) = event(version);
        let signed = sent.cosigned(&key("one"), &rules).unwrap();
        assert_eq!(signed.event_id, sent.event_id, "version {version}");
        assert_eq!(signed.content.get(), sent.content.get());
        let incoming = Incoming::parse(signed.json(), &rules).unwrap();
        assert!(incoming.is_intact());
        assert_eq!(*incoming.event_id(), sent.event_id);
        incoming.verify(&keys(&["two"]), &rules).unwrap();
        for server in [server_name!("one"), server_name!("two")] {
            incoming.verify_signed_by(server, &keys(&["one", "two"])).unwrap();
        }
        assert_eq!(incoming.into_pdu(&rules).unwrap().json(), signed.json());
    }
}

#[test]
fn a_signature_is_taken_from_another_copy() {
    let (rules, sent) = event(10);
    let copy = sent.cosigned(&key("one"), &rules).unwrap();
    let mut copy: serde_json::Value = serde_json::from_str(copy.json()).unwrap();
    copy.as_object_mut()
        .unwrap()
        .insert("unsigned".to_owned(), json!({ "invite_room_state": [] }));
    let taken = sent
        .with_signatures_of(server_name!("one"), &copy.to_string(), &rules)
        .unwrap();
    assert_eq!(taken.json(), sent.cosigned(&key("one"), &rules).unwrap().json());
    let missing = sent.with_signatures_of(server_name!("three"), &copy.to_string(), &rules);
    assert!(matches!(missing, Err(EventError::Signature(_))));
}

#[test]
fn what_is_no_copy_adds_a_signature_that_does_not_hold() {
    let ((rules, sent), (_, other)) = (event(10), event(11));
    let other = other.cosigned(&key("one"), &rules).unwrap();
    let taken = sent
        .with_signatures_of(server_name!("one"), other.json(), &rules)
        .unwrap();
    let incoming = Incoming::parse(taken.json(), &rules).unwrap();
    let refused = incoming.verify_signed_by(server_name!("one"), &keys(&["one"]));
    assert!(matches!(refused, Err(EventError::Signature(_))));
}
