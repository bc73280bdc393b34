#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use echorift_events::supported_versions;
use ruma::{RoomVersionId, room_alias_id};
use serde_json::{Value, json};

use crate::{RoomError, UpgradeRequest, testing::on_both_databases};

fn to(version: &RoomVersionId) -> UpgradeRequest {
    UpgradeRequest {
        version: version.clone(),
        additional_creators: Vec::new(),
    }
}

on_both_databases! {
    async fn every_version_can_be_replaced_by_every_newer_one(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        for old_version in supported_versions() {
            for new_version in [RoomVersionId::V1, RoomVersionId::V6, RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
                let place = format!("from {old_version} to {new_version}");
                let request = json!({ "room_version": old_version, "name": "Hall", "preset": "public_chat" });
                let old = server.create(&alice, request).await.unwrap();
                let new = server.rooms.upgrade(&server.accounts, &old, &alice, to(&new_version)).await;
                let new = new.map_err(|error| format!("{place}: {error}")).unwrap();
                assert_eq!(server.content(&new, "m.room.name", "").await["name"], "Hall", "{place}");
                let create = server.content(&new, "m.room.create", "").await;
                assert_eq!(create["predecessor"]["room_id"], old.id.as_str(), "{place}");
                let tombstone = server.content(&old, "m.room.tombstone", "").await;
                assert_eq!(tombstone["replacement_room"], new.id.as_str(), "{place}");
                // The upgrading user is in charge of the new room.
                server.set(&new, &alice, ("m.room.name", ""), json!({ "name": "New hall" })).await.unwrap();
                server.join(&new, &bob).await.unwrap();
                let refusal = server.send(&old, &bob, "anyone?").await.map(|_| ()).unwrap_err();
                assert!(matches!(refusal, RoomError::Refused(_)), "{place}: {refusal}");
            }
        }
    }

    async fn people_call_each_other_in_the_replacement_as_before(server: &TestRooms) {
        let alice = server.register("alice").await;
        let request = json!({ "room_version": "10", "preset": "trusted_private_chat" });
        let old = server.create(&alice, request).await.unwrap();
        let member = ("org.matrix.msc3401.call.member", "_alice_m.call");
        server.set(&old, &alice, member, json!({ "application": "m.call" })).await.unwrap();
        let new = server.rooms.upgrade(&server.accounts, &old, &alice, to(&RoomVersionId::V12)).await.unwrap();
        let slot = server.content(&new, "org.matrix.msc4143.rtc.slot", "m.call#ROOM").await;
        assert_eq!(slot["status"], "open");
        assert_eq!(server.content(&new, member.0, member.1).await, Value::Null, "nobody is in a call there yet");
        let levels = server.content(&new, "m.room.power_levels", "").await;
        assert_eq!(levels["events"]["org.matrix.msc3401.call.member"], 0);
    }

    async fn a_replacement_takes_over_state_bans_aliases_and_directory_entry(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let carol = server.register("carol").await;
        let old = server
            .create(&alice, json!({
                "room_version": "9",
                "room_alias_name": "hall",
                "visibility": "public",
                "topic": "old topic",
                "creation_content": { "type": "m.space", "m.federate": false },
                "initial_state": [
                    { "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } },
                    { "type": "org.example.private", "content": { "stays": true } },
                    { "type": "m.space.child", "state_key": "!child:one.example", "content": { "via": ["one.example"] } },
                ],
                "power_level_content_override": { "users": { alice.as_str(): 100, carol.as_str(): "60" }, "kick": "70" },
            }))
            .await
            .unwrap();
        server.rooms.ban(&old, (&alice, &bob), Some("noise".to_owned())).await.unwrap();
        let request = UpgradeRequest { version: RoomVersionId::V12, additional_creators: vec![carol.clone()] };
        let new = server.rooms.upgrade(&server.accounts, &old, &alice, request).await.unwrap();

        let create = server.content(&new, "m.room.create", "").await;
        assert_eq!((&create["type"], &create["m.federate"]), (&json!("m.space"), &json!(false)));
        assert_eq!(create["additional_creators"], json!([carol]));
        assert_eq!(server.content(&new, "m.room.topic", "").await["topic"], "old topic");
        assert_eq!(server.content(&new, "m.room.encryption", "").await["algorithm"], "m.megolm.v1.aes-sha2");
        assert_eq!(server.content(&new, "m.space.child", "!child:one.example").await["via"], json!(["one.example"]));
        assert_eq!(server.content(&new, "org.example.private", "").await, Value::Null);
        assert_eq!(server.content(&new, "m.room.member", bob.as_str()).await["membership"], "ban");
        let levels = server.content(&new, "m.room.power_levels", "").await;
        assert_eq!((&levels["users"], &levels["kick"]), (&json!({}), &json!(70)));
        assert_eq!(levels["events"]["m.room.tombstone"], 100);

        let alias = room_alias_id!("#hall:one.example");
        assert_eq!(server.rooms.room_by_alias(alias).await.unwrap().number, new.number);
        assert_eq!(server.content(&new, "m.room.canonical_alias", "").await["alias"], alias.as_str());
        assert_eq!(server.content(&old, "m.room.canonical_alias", "").await, json!({}));
        assert!(server.rooms.is_published(&new).await.unwrap());
        assert!(!server.rooms.is_published(&old).await.unwrap());
        let closed = server.content(&old, "m.room.power_levels", "").await;
        assert_eq!((&closed["events_default"], &closed["invite"]), (&json!(50), &json!(50)));
    }

    async fn who_may_not_send_tombstones_may_not_upgrade(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let upgrade = async |user: &ruma::UserId, version| {
            server.rooms.upgrade(&server.accounts, &room, user, to(&version)).await.map(|_| ()).unwrap_err()
        };
        assert!(matches!(upgrade(&bob, RoomVersionId::V12).await, RoomError::NotJoined { .. }));
        server.join(&room, &bob).await.unwrap();
        assert!(matches!(upgrade(&bob, RoomVersionId::V12).await, RoomError::Forbidden(_)));
        let unknown = RoomVersionId::try_from("99").unwrap();
        assert!(matches!(upgrade(&alice, unknown).await, RoomError::UnsupportedVersion(_)));
        assert_eq!(server.content(&room, "m.room.tombstone", "").await, Value::Null);
    }

    async fn tags_and_direct_chats_go_on_in_the_replacement(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let old = server.public_room(&alice).await;
        server.join(&old, &bob).await.unwrap();
        let number = server.number(&bob).await;
        let raw = |content: Value| serde_json::value::to_raw_value(&content).unwrap();
        let tags = json!({ "tags": { "m.favourite": {} } });
        server.accounts.set_room_account_data(number, old.number, "m.tag", raw(tags.clone())).await.unwrap();
        let direct = raw(json!({ alice.as_str(): [old.id] }));
        server.accounts.set_global_account_data(number, "m.direct", direct).await.unwrap();
        let new = server.rooms.upgrade(&server.accounts, &old, &alice, to(&RoomVersionId::V12)).await.unwrap();
        server.join(&new, &bob).await.unwrap();

        let data = server.accounts.room_account_data(number).await.unwrap();
        let copied: Value = serde_json::from_str(data[&new.number]["m.tag"].content.get()).unwrap();
        assert_eq!(copied, tags);
        let global = server.accounts.global_account_data(number).await.unwrap();
        let direct: Value = serde_json::from_str(global["m.direct"].content.get()).unwrap();
        assert_eq!(direct, json!({ alice.as_str(): [old.id, new.id] }));

        // A room that only claims to be the replacement gets nothing.
        let claim = json!({ "creation_content": { "predecessor": { "room_id": old.id } }, "preset": "public_chat" });
        let false_heir = server.create(&alice, claim).await.unwrap();
        server.join(&false_heir, &bob).await.unwrap();
        assert!(!server.accounts.room_account_data(number).await.unwrap().contains_key(&false_heir.number));
    }
}
