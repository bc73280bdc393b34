#![allow(clippy::unwrap_used, reason = "tests")]

use echorift_rooms::{ReceiptKey, ReceiptKind};
use echorift_storage::Timestamp;
use ruma::{UserId, presence::PresenceState, serde::Raw, server_name, user_id};
use serde_json::{Value, json, value::to_raw_value};

use super::{
    ReceivedPresence,
    testing::{Heard, on_both_databases},
};

fn rita() -> &'static UserId {
    user_id!("@rita:two.example")
}

fn typing(room: &str, user: &str, is_typing: bool) -> Value {
    json!({ "room_id": room, "user_id": user, "typing": is_typing })
}

on_both_databases! {
    async fn typing_is_believed_of_members_of_the_origin(server: &TestFederation) {
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let room_id = room.id.as_str();
        server.receive(two, "m.typing", typing(room_id, rita().as_str(), true)).await;
        assert!(server.heard().is_empty(), "rita is not joined");
        server.join(&room, rita()).await;
        let number = server.number(rita()).await;
        server.receive(two, "m.typing", typing(room_id, rita().as_str(), true)).await;
        server.receive(two, "m.typing", typing(room_id, rita().as_str(), false)).await;
        assert_eq!(server.heard(), [Heard::Typing(number, true), Heard::Typing(number, false)]);
        server.receive(three, "m.typing", typing(room_id, rita().as_str(), true)).await;
        server.receive(two, "m.typing", typing(room_id, alice.as_str(), true)).await;
        server.receive(two, "m.typing", typing("!unknown:two.example", rita().as_str(), true)).await;
        server.receive(two, "m.typing", json!({ "room_id": 5 })).await;
        assert!(server.heard().is_empty());
    }

    async fn who_is_kept_out_of_a_room_has_no_say_in_it(server: &TestFederation) {
        let two = server_name!("two.example");
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        server.join(&room, rita()).await;
        let draft = server.federation.rooms().state_event(&room.view().state, "m.room.create", "").await;
        let event_id = draft.unwrap().unwrap().pdu.event_id.clone();
        let acl = json!({ "allow": ["*"], "deny": ["two.example"] });
        server.set(&room, &alice, ("m.room.server_acl", ""), acl).await;
        server.receive(two, "m.typing", typing(room.id.as_str(), rita().as_str(), true)).await;
        let receipt = json!({ "event_ids": [event_id], "data": { "ts": 7 } });
        let content = json!({ room.id.as_str(): { "m.read": { rita().as_str(): receipt } } });
        server.receive(two, "m.receipt", content.clone()).await;
        assert!(server.heard().is_empty());
        assert!(room.receipts().all().is_empty());
        server.set(&room, &alice, ("m.room.server_acl", ""), json!({ "allow": ["*"] })).await;
        server.receive(two, "m.receipt", content).await;
        let number = server.number(rita()).await;
        let key = ReceiptKey { user: number, kind: ReceiptKind::Public, thread: "".into() };
        assert_eq!(room.receipts().all().get(&key).map(|receipt| receipt.ts), Some(Timestamp(7)));
    }

    async fn presence_is_believed_of_neighbours_of_the_origin(server: &TestFederation) {
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        let alice = server.register("alice").await;
        let update = |user: &str| json!({
            "user_id": user, "presence": "online", "last_active_ago": 5_000, "currently_active": true,
            "status_msg": "x".repeat(600),
        });
        let push = json!({ "push": [
            "nonsense",
            { "user_id": rita(), "presence": "org.example.odd", "last_active_ago": 0 },
            { "user_id": rita(), "presence": "online", "last_active_ago": -5 },
            update("@stranger:two.example"),
            update(alice.as_str()),
            update(rita().as_str()),
        ] });
        server.receive(two, "m.presence", push.clone()).await;
        assert!(server.heard().is_empty());
        let room = server.public_room(&alice).await;
        server.join(&room, rita()).await;
        server.receive(three, "m.presence", push.clone()).await;
        assert!(server.heard().is_empty());
        server.receive(two, "m.presence", push).await;
        let expected = ReceivedPresence {
            state: PresenceState::Online,
            status_msg: Some("x".repeat(512)),
            last_active: server.clock.now().plus_ms(-5_000),
            is_currently_active: true,
        };
        assert_eq!(server.heard(), [Heard::Presence(server.number(rita()).await, expected)]);
        server.receive(two, "m.presence", json!({ "push": 5 })).await;
        assert!(server.heard().is_empty());
    }

    async fn edus_about_users_of_others_change_nothing(server: &TestFederation) {
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        server.join(&room, rita()).await;
        let before = server.federation.database().log().visible();
        let list = json!({ "user_id": rita(), "device_id": "A", "stream_id": 5 });
        let keys = json!({
            "user_id": rita(),
            "master_key": { "user_id": rita(), "usage": ["master"], "keys": { "ed25519:MMMM": "MMMM" } },
        });
        let messages = json!({
            "sender": rita(), "type": "m.room_key", "message_id": "m1",
            "messages": { alice.as_str(): { "*": {} } },
        });
        for (edu_type, content) in [
            ("m.device_list_update", &list),
            ("m.signing_key_update", &keys),
            ("m.direct_to_device", &messages),
        ] {
            server.receive(three, edu_type, content.clone()).await;
            server.receive(two, edu_type, json!("nonsense")).await;
            server.receive(two, edu_type, json!({})).await;
        }
        server.receive(two, "org.example.unknown", json!({})).await;
        assert_eq!(server.federation.database().log().visible(), before);
        // Of the origin's own user they do.
        server.receive(two, "m.device_list_update", list).await;
        server.receive(two, "m.signing_key_update", keys).await;
        assert_eq!(server.federation.database().log().visible().0, before.0 + 2);
    }

    async fn what_is_no_edu_is_no_error(server: &TestFederation) {
        let two = server_name!("two.example");
        for nonsense in [json!(5), json!({}), json!({ "edu_type": 5, "content": {} }), json!({ "edu_type": "m.typing" })] {
            let edu = Raw::from_json(to_raw_value(&nonsense).unwrap());
            server.federation.receive_edu(two, &edu).await.unwrap();
        }
        let huge = json!({ "room_id": "x".repeat(3 << 20) });
        server.receive(two, "m.typing", huge).await;
        assert!(server.heard().is_empty());
    }
}
