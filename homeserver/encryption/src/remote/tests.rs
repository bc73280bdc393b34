#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ruma::{OwnedDeviceId, OwnedUserId, UserId, serde::Raw, server_name, user_id};
use serde_json::{Value, json, value::to_raw_value};

use echorift_storage::Position;

use super::*;
use crate::{
    EncryptionError, KeyUpdate, ReceivedMessages,
    send::Messages,
    store,
    testing::{TestServer, cross_signing_key, device_keys, device_list, on_both_databases},
};

const REMOTE: &str = "@rita:two.example";

fn remote() -> &'static UserId {
    user_id!("@rita:two.example")
}

fn update(device: &str, stream_id: i64, prev_id: &[i64]) -> DeviceUpdate {
    DeviceUpdate {
        device_id: device.into(),
        display_name: Some("Tablet".to_owned()),
        stream_id,
        prev_id: prev_id.to_vec(),
        is_deleted: false,
        keys: Some(Raw::from_json(
            to_raw_value(&device_keys(REMOTE, device)).unwrap(),
        )),
    }
}

/// A room of a local user that the remote user has joined; the local user.
async fn shared_room(server: &TestServer) -> (OwnedUserId, Arc<echorift_rooms::Room>) {
    let alice = server.register("alice").await;
    let room = server.public_room(&alice).await;
    server.set_membership(&room, remote(), "join").await;
    (alice, room)
}

async fn receive(server: &TestServer, update: DeviceUpdate) {
    server
        .encryption
        .receive_device_update(remote(), update)
        .await
        .unwrap();
}

fn messages(sender: &str, message_id: &str, to: Value) -> ReceivedMessages {
    ReceivedMessages {
        sender: UserId::parse(sender).unwrap(),
        event_type: "m.room_key".to_owned(),
        message_id: message_id.to_owned(),
        messages: serde_json::from_value(to).unwrap(),
    }
}

async fn inbox(server: &TestServer, user: &UserId, device: &str) -> Vec<Value> {
    let user = server.number(user).await;
    let device: OwnedDeviceId = device.into();
    let page = server
        .encryption
        .to_device(user, &device, Position(0), server.encryption.now());
    let events = page.await.unwrap().events;
    events
        .iter()
        .map(|event| event.deserialize_as_unchecked().unwrap())
        .collect()
}

on_both_databases! {
    async fn a_list_is_fetched_once_and_then_kept(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A", "B"])));
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B"]);
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B"]);
        assert_eq!(server.peer.lists_asked(), 1);
        server = server.restart().await;
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B"]);
        assert_eq!(server.peer.lists_asked(), 1);
    }

    async fn users_without_a_shared_room_are_asked_for_each_time(server: TestServer) {
        let alice = server.register("alice").await;
        let answer = json!({
            "device_keys": {
                REMOTE: { "A": device_keys(REMOTE, "A") },
                "@mallory:three.example": { "M": device_keys("@mallory:three.example", "M") },
                "@other:two.example": { "O": device_keys("@other:two.example", "O") },
            },
            "master_keys": { REMOTE: cross_signing_key(REMOTE, "master", "MMMM") },
            "self_signing_keys": { REMOTE: cross_signing_key(REMOTE, "master", "SSSS") },
        });
        server.peer.set_query(answer);
        let seen = server.query(&alice, remote()).await;
        assert_eq!(seen["device_keys"], json!({ REMOTE: { "A": device_keys(REMOTE, "A") } }));
        assert_eq!(seen["master_keys"], json!({ REMOTE: cross_signing_key(REMOTE, "master", "MMMM") }));
        assert_eq!(seen["self_signing_keys"], json!({}), "it is for another usage");
        server.peer.set_query(Value::Null);
        let seen = server.query(&alice, remote()).await;
        assert_eq!(seen["failures"]["two.example"]["errcode"], "M_UNREACHABLE");
        assert_eq!(server.peer.lists_asked(), 0);
    }

    async fn what_is_not_the_keys_of_the_device_is_dropped(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        let mut list = device_list(REMOTE, 5, &["A"]);
        let bad = [
            json!({ "device_id": "B", "keys": device_keys(REMOTE, "A") }),
            json!({ "device_id": "C", "keys": device_keys("@eve:two.example", "C") }),
            json!({ "device_id": "", "keys": device_keys(REMOTE, "") }),
            json!({ "device_id": "D", "keys": "nonsense" }),
            json!({ "device_id": "x".repeat(300), "keys": device_keys(REMOTE, &"x".repeat(300)) }),
        ];
        list["devices"].as_array_mut().unwrap().extend(bad);
        let mut huge = device_keys(REMOTE, "H");
        huge["padding"] = "x".repeat(20_000).into();
        list["devices"].as_array_mut().unwrap().push(json!({ "device_id": "H", "keys": huge }));
        server.peer.set_list(remote(), Some(list));
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A"]);

        let other = user_id!("@rob:two.example");
        let (_, room) = (&alice, server.public_room(&alice).await);
        server.set_membership(&room, other, "join").await;
        server.peer.set_list(other, Some(device_list(REMOTE, 5, &["A"])));
        let seen = server.query(&alice, other).await;
        assert_eq!(seen["device_keys"], json!({}));
        assert_eq!(seen["failures"]["two.example"]["errcode"], "M_BAD_JSON");
    }

    async fn too_many_devices_are_cut(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        let names: Vec<String> = (0..700).map(|number| format!("D{number:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &names)));
        assert_eq!(server.devices_seen(&alice, remote()).await.len(), 500);
        receive(&server, update("ONE-MORE", 6, &[5])).await;
        let asked = server.peer.lists_asked();
        server.devices_seen(&alice, remote()).await;
        assert_eq!(server.peer.lists_asked(), asked + 1, "it was not simply added");
    }

    async fn updates_that_follow_are_applied_and_told(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A"])));
        server.devices_seen(&alice, remote()).await;
        let before = server.encryption.now();
        receive(&server, update("B", 6, &[5])).await;
        assert_eq!(server.lists(&alice, before).await.0, [REMOTE]);
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B"]);
        let seen = server.query(&alice, remote()).await;
        let unsigned = &seen["device_keys"][REMOTE]["B"]["unsigned"];
        assert_eq!(unsigned["device_display_name"], "Tablet");

        let deleted = DeviceUpdate { is_deleted: true, keys: None, ..update("A", 7, &[6]) };
        receive(&server, deleted).await;
        assert_eq!(server.devices_seen(&alice, remote()).await, ["B"]);
        // Said again, it changes nothing.
        let before = server.encryption.now();
        receive(&server, update("A", 7, &[6])).await;
        assert_eq!(server.encryption.now(), before);
        assert_eq!(server.devices_seen(&alice, remote()).await, ["B"]);
        assert_eq!(server.peer.lists_asked(), 1);
    }

    async fn a_gap_makes_the_list_stale_until_it_is_fetched(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A"])));
        server.devices_seen(&alice, remote()).await;
        server.peer.set_list(remote(), None);
        receive(&server, update("C", 9, &[8])).await;
        // What was known is better than nothing, and the failure is told.
        let seen = server.query(&alice, remote()).await;
        assert!(seen["device_keys"][REMOTE]["A"].is_object());
        assert_eq!(seen["failures"]["two.example"]["errcode"], "M_UNREACHABLE");
        // The mark outlives the server.
        server = server.restart().await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 9, &["A", "B", "C"])));
        let (before, asked) = (server.encryption.now(), server.peer.lists_asked());
        server.encryption.resync_round().await.unwrap();
        assert_eq!(server.peer.lists_asked(), asked + 1);
        assert!(server.encryption.now() > before, "others are told");
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B", "C"]);
        assert_eq!(server.peer.lists_asked(), asked + 1);
        receive(&server, update("D", 10, &[9])).await;
        assert_eq!(server.devices_seen(&alice, remote()).await, ["A", "B", "C", "D"]);
    }

    async fn a_server_that_is_away_is_left_alone_for_a_while(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A"])));
        server.devices_seen(&alice, remote()).await;
        server.peer.set_list(remote(), None);
        receive(&server, update("B", 6, &[])).await;
        let asked = server.peer.lists_asked();
        server.encryption.resync_round().await.unwrap();
        server.encryption.resync_round().await.unwrap();
        assert_eq!(server.peer.lists_asked(), asked + 1);
        server.clock.advance_ms(31_000);
        server.encryption.resync_round().await.unwrap();
        assert_eq!(server.peer.lists_asked(), asked + 2);
        // A word of the server makes it due at once.
        receive(&server, update("B", 7, &[])).await;
        server.encryption.resync_round().await.unwrap();
        assert_eq!(server.peer.lists_asked(), asked + 3);
    }

    async fn a_change_during_a_fetch_is_not_lost(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A"])));
        server.devices_seen(&alice, remote()).await;
        let user = server.number(remote()).await;
        let known = store::remote_lists::of_users(&server.database, &[user]).await.unwrap();
        let asked_after = known[&user].change_count;
        receive(&server, update("B", 6, &[5])).await;
        let old = get_devices::v1::Response::new(remote().to_owned(), 5_u8.into());
        let judged = answers::RemoteUser::of_list((user, remote()), &old).unwrap();
        let now = server.encryption.now();
        server.encryption.keep_list(user, asked_after, (5, now), judged).await.unwrap();
        let known = store::remote_lists::of_users(&server.database, &[user]).await.unwrap();
        assert!(known[&user].is_stale);
    }

    async fn a_list_does_not_outlive_the_last_shared_room(server: TestServer) {
        let (alice, room) = shared_room(&server).await;
        server.peer.set_list(remote(), Some(device_list(REMOTE, 5, &["A"])));
        server.devices_seen(&alice, remote()).await;
        let before = server.encryption.now();
        server.set_membership(&room, remote(), "leave").await;
        assert_eq!(server.lists(&alice, before).await, (vec![], vec![REMOTE.to_owned()]));
        receive(&server, update("B", 6, &[5])).await;
        let before = server.encryption.now();
        server.set_membership(&room, remote(), "join").await;
        assert_eq!(server.lists(&alice, before).await, (vec![REMOTE.to_owned()], vec![]));
        server.peer.set_list(remote(), Some(device_list(REMOTE, 9, &["C"])));
        assert_eq!(server.devices_seen(&alice, remote()).await, ["C"], "what was heard before is no longer believed");

        server.set_membership(&room, remote(), "leave").await;
        server.encryption.sweep_lists().await.unwrap();
        let user = server.number(remote()).await;
        let kept = store::remote_lists::of_users(&server.database, &[user]).await.unwrap();
        assert!(kept.is_empty());
    }

    async fn who_joins_hears_of_all_remote_members(server: TestServer) {
        let (alice, room) = shared_room(&server).await;
        let bob = server.register("bob").await;
        let before = server.encryption.now();
        server.join(&room, &bob).await;
        let (changed, _) = server.lists(&bob, before).await;
        assert_eq!(changed, [alice.to_string(), REMOTE.to_owned()]);
        let before = server.encryption.now();
        server.rooms.leave(&room, &bob, None).await.unwrap();
        let (_, left) = server.lists(&bob, before).await;
        assert_eq!(left, [alice.to_string(), REMOTE.to_owned()]);
    }

    async fn nothing_is_kept_of_strangers(server: TestServer) {
        server.register("alice").await;
        let before = server.encryption.now();
        receive(&server, update("B", 6, &[])).await;
        let keys = Raw::from_json(to_raw_value(&cross_signing_key(REMOTE, "master", "MMMM")).unwrap());
        let keys = KeyUpdate { master: Some(keys), self_signing: None };
        server.encryption.receive_key_update(remote(), keys).await.unwrap();
        assert_eq!(server.encryption.now(), before);
        assert_eq!(server.rooms.users().find(REMOTE).await.unwrap(), None);
    }

    async fn cross_signing_keys_are_followed(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        let mut list = device_list(REMOTE, 5, &["A"]);
        list["master_key"] = cross_signing_key(REMOTE, "master", "MMMM");
        server.peer.set_list(remote(), Some(list));
        let seen = server.query(&alice, remote()).await;
        assert_eq!(seen["master_keys"][REMOTE], cross_signing_key(REMOTE, "master", "MMMM"));
        let key = |usage: &str, public: &str| {
            Some(Raw::from_json(to_raw_value(&cross_signing_key(REMOTE, usage, public)).unwrap()))
        };
        let before = server.encryption.now();
        // A wrong key changes nothing.
        let wrong = KeyUpdate { master: key("self_signing", "XXXX"), self_signing: None };
        server.encryption.receive_key_update(remote(), wrong).await.unwrap();
        assert_eq!(server.encryption.now(), before);
        let right = KeyUpdate { master: key("master", "NNNN"), self_signing: key("self_signing", "SSSS") };
        server.encryption.receive_key_update(remote(), right).await.unwrap();
        assert_eq!(server.lists(&alice, before).await.0, [REMOTE]);
        let seen = server.query(&alice, remote()).await;
        assert_eq!(seen["master_keys"][REMOTE], cross_signing_key(REMOTE, "master", "NNNN"));
        assert_eq!(seen["self_signing_keys"][REMOTE], cross_signing_key(REMOTE, "self_signing", "SSSS"));
    }

    async fn claimed_keys_are_those_that_were_asked_for(server: TestServer) {
        let key = |name: &str| json!({ (format!("signed_curve25519:{name}")): {
            "key": "k", "signatures": { REMOTE: { "ed25519:A": "s" } } } });
        server.peer.set_claim(json!({
            REMOTE: {
                "A": key("1"),
                "B": key("2"),
                "C": { "signed_curve25519:3": "bare" },
                "D": { "curve25519:4": "other algorithm" },
            },
            "@mallory:three.example": { "A": key("5") },
        }));
        let devices = ["A", "C", "D"].map(|device| (device.into(), "signed_curve25519".into()));
        let wanted = BTreeMap::from([(remote().to_owned(), BTreeMap::from(devices))]);
        let (keys, failures) = server.encryption.claim_remote(wanted.clone(), query::TIMEOUT).await;
        assert_eq!(serde_json::to_value(keys).unwrap(), json!({ REMOTE: { "A": key("1") } }));
        assert!(failures.is_empty());
        server.peer.set_claim(Value::Null);
        let (keys, failures) = server.encryption.claim_remote(wanted, query::TIMEOUT).await;
        assert!(keys.is_empty());
        assert_eq!(failures["two.example"]["errcode"], "M_UNREACHABLE");
    }

    async fn messages_are_delivered_once(server: TestServer) {
        let alice = server.register("alice").await;
        let to = json!({
            alice.as_str(): { "ALICE": { "n": 1 }, "GONE": { "n": 2 } },
            "@nobody:one.example": { "*": { "n": 3 } },
            "@far:two.example": { "*": { "n": 4 } },
        });
        let is_new = server.encryption.receive_messages(messages(REMOTE, "m1", to.clone())).await.unwrap();
        assert!(is_new);
        let expected = json!({ "type": "m.room_key", "sender": REMOTE, "content": { "n": 1 } });
        assert_eq!(inbox(&server, &alice, "ALICE").await, std::slice::from_ref(&expected));
        server = server.restart().await;
        let is_new = server.encryption.receive_messages(messages(REMOTE, "m1", to.clone())).await.unwrap();
        assert!(!is_new);
        assert_eq!(inbox(&server, &alice, "ALICE").await, [expected]);
        // The ID counts for its sender only.
        server.encryption.receive_messages(messages("@rob:two.example", "m1", to)).await.unwrap();
        let all = json!({ alice.as_str(): { "*": { "n": 5 } } });
        server.encryption.receive_messages(messages(REMOTE, "m2", all)).await.unwrap();
        assert_eq!(inbox(&server, &alice, "ALICE").await.len(), 3);
        // After a while it is forgotten.
        server.clock.advance_ms(8 * 24 * 60 * 60 * 1000);
        let before = server.clock.now().plus_ms(-LIFETIME_MS);
        let step = server.database.writer().transact(move |tx| {
            Box::pin(async move { store::remote_messages::purge_received(tx, before).await })
        });
        assert_eq!(step.await.unwrap(), 3);
    }

    async fn hostile_messages_are_refused(server: TestServer) {
        let alice = server.register("alice").await;
        let to = json!({ alice.as_str(): { "ALICE": 5 } });
        assert!(!server.encryption.receive_messages(messages(REMOTE, "m1", to)).await.unwrap());
        let to = json!({ alice.as_str(): { "ALICE": {} } });
        let long = messages(REMOTE, &"m".repeat(256), to.clone());
        let refused = server.encryption.receive_messages(long).await;
        assert!(matches!(refused, Err(EncryptionError::TooLarge { .. })));
        let typed = ReceivedMessages { event_type: "t".repeat(256), ..messages(REMOTE, "m2", to) };
        let refused = server.encryption.receive_messages(typed).await;
        assert!(matches!(refused, Err(EncryptionError::TooLarge { .. })));
        assert!(inbox(&server, &alice, "ALICE").await.is_empty());
    }

    async fn messages_for_others_wait_for_their_server(server: TestServer) {
        let alice = server.register("alice").await;
        let two = server_name!("two.example");
        let content: Messages = serde_json::from_value(json!({
            REMOTE: { "*": { "n": 1 } },
            "@rob:two.example": { "R": { "n": 2 } },
            "@far:three.example": { "F": { "n": 3 } },
        })).unwrap();
        let before = server.encryption.now();
        let mut change = echorift_storage::Change::new();
        let sender = (&*alice, "m.room_key");
        server.encryption.address_to_servers(&mut change, sender, &content).await.unwrap();
        server.database.writer().commit(change).await.unwrap();
        let now = server.encryption.now();
        let waiting = server.encryption.edu_destinations(before, now).await.unwrap();
        assert_eq!(waiting.iter().map(|server| server.as_str()).collect::<Vec<_>>(), ["three.example", "two.example"]);
        server = server.restart().await;
        let edus = server.encryption.outgoing_edus(two, before, 10, false).await.unwrap();
        let [(position, edu)] = &edus[..] else { panic!("there is one EDU") };
        assert_eq!(edu.edu_type, "m.direct_to_device");
        let content: Value = serde_json::from_str(edu.content.get()).unwrap();
        assert_eq!(content["sender"], alice.as_str());
        assert_eq!(content["type"], "m.room_key");
        assert!(content["message_id"].as_str().is_some_and(|id| !id.is_empty() && id.len() <= 32));
        let expected = json!({ REMOTE: { "*": { "n": 1 } }, "@rob:two.example": { "R": { "n": 2 } } });
        assert_eq!(content["messages"], expected);
        server.encryption.edus_delivered(two, *position).await.unwrap();
        assert!(server.encryption.outgoing_edus(two, before, 10, false).await.unwrap().is_empty());
        let three = server_name!("three.example");
        assert_eq!(server.encryption.outgoing_edus(three, before, 10, false).await.unwrap().len(), 1);
    }

    async fn other_servers_hear_of_changes_of_local_users(server: TestServer) {
        let (alice, _) = shared_room(&server).await;
        let bob = server.register("bob").await;
        let two = server_name!("two.example");
        let before = server.encryption.now();
        for user in [&alice, &bob] {
            let number = server.number(user).await;
            let mut change = echorift_storage::Change::new();
            echorift_accounts::device_list_changed(&mut change, number);
            let record = change.record(echorift_storage::Record::DeviceList { user: number });
            store::remote_messages::keys_changed(&mut change, number, record);
            server.database.writer().commit(change).await.unwrap();
        }
        let now = server.encryption.now();
        let waiting = server.encryption.edu_destinations(before, now).await.unwrap();
        assert_eq!(waiting.iter().map(|server| server.as_str()).collect::<Vec<_>>(), ["two.example"]);
        let edus = server.encryption.outgoing_edus(two, before, 10, false).await.unwrap();
        let types: Vec<&str> = edus.iter().map(|(_, edu)| edu.edu_type).collect();
        assert_eq!(types, ["m.device_list_update", "m.signing_key_update"], "bob shares no room");
        let content: Value = serde_json::from_str(edus[0].1.content.get()).unwrap();
        assert_eq!(content["user_id"], alice.as_str());
        assert_eq!(content["stream_id"], edus[0].0.0);
        assert_eq!(content["prev_id"], json!([]));
        let one = server.encryption.outgoing_edus(two, before, 1, false).await.unwrap();
        assert_eq!(one.len(), 1);
        let rest = server.encryption.outgoing_edus(two, one[0].0, 10, false).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert!(server.encryption.outgoing_edus(two, rest[0].0, 10, false).await.unwrap().is_empty());
        let listed = server.encryption.devices_for_servers(&alice, false).await.unwrap().unwrap();
        assert_eq!(i64::from(listed.stream_id), edus[0].0.0);
        assert!(server.encryption.devices_for_servers(remote(), true).await.unwrap().is_none());
    }
}
