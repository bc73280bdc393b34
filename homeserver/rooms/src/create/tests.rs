#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use echorift_events::supported_versions;
use ruma::{events::room::member::MembershipState, room_alias_id, user_id};
use serde_json::{Value, json};

use crate::{RoomError, testing::on_both_databases};

on_both_databases! {
    async fn every_version_can_be_created_joined_and_left(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        for version in supported_versions() {
            let request = json!({ "room_version": version, "preset": "public_chat", "name": "Hall" });
            let room = server.create(&alice, request).await.unwrap();
            assert_eq!(room.version, version);
            server.join(&room, &bob).await.unwrap();
            server.send(&room, &bob, "here I am").await.unwrap();
            server.rooms.leave(&room, &bob, None).await.unwrap();
            assert_eq!(server.membership(&room, &bob).await, Some(MembershipState::Leave), "version {version}");
            assert!(server.send(&room, &bob, "and gone").await.is_err(), "version {version}");
        }
    }

    async fn presets_give_rooms_their_rules_in_every_version(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let presets = [
            ("private_chat", "invite", "can_join"),
            ("trusted_private_chat", "invite", "can_join"),
            ("public_chat", "public", "forbidden"),
        ];
        for version in supported_versions() {
            for (preset, join_rule, guest_access) in presets {
                let request = json!({ "room_version": version, "preset": preset, "invite": [bob] });
                let room = server.create(&alice, request).await.unwrap();
                let place = format!("{preset} in version {version}");
                assert_eq!(server.content(&room, "m.room.join_rules", "").await["join_rule"], join_rule, "{place}");
                assert_eq!(server.content(&room, "m.room.guest_access", "").await["guest_access"], guest_access, "{place}");
                let visibility = server.content(&room, "m.room.history_visibility", "").await;
                assert_eq!(visibility["history_visibility"], "shared", "{place}");

                let create = server.content(&room, "m.room.create", "").await;
                let levels = server.content(&room, "m.room.power_levels", "").await;
                let is_trusted = preset == "trusted_private_chat";
                if version == ruma::RoomVersionId::V12 {
                    let expected = if is_trusted { json!([bob]) } else { Value::Null };
                    assert_eq!(create["additional_creators"], expected, "{place}");
                    assert_eq!(levels["users"], json!({}), "{place}");
                    assert_eq!(levels["events"]["m.room.tombstone"], 150, "{place}");
                } else {
                    let expected = if is_trusted { json!(100) } else { Value::Null };
                    assert_eq!(levels["users"][alice.as_str()], 100, "{place}");
                    assert_eq!(levels["users"][bob.as_str()], expected, "{place}");
                }
                for call_member in ["org.matrix.msc3401.call.member", "m.call.member", "org.matrix.msc4143.rtc.member"] {
                    assert_eq!(levels["events"][call_member], 0, "{place}");
                }
                // Calls themselves are opened and closed by who may set state.
                for slot in ["org.matrix.msc4143.rtc.slot", "org.matrix.msc3401.call"] {
                    assert!(levels["events"].get(slot).is_none(), "{place}");
                }
            }
        }
    }

    async fn what_the_client_says_stands_before_presets_and_behind_name_and_topic(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server
            .create(&alice, json!({
                "preset": "private_chat",
                "name": "By name",
                "topic": "By topic",
                "initial_state": [
                    { "type": "m.room.name", "content": { "name": "By state" } },
                    { "type": "m.room.join_rules", "content": { "join_rule": "knock" } },
                    { "type": "org.example.note", "state_key": "a", "content": { "text": "kept" } },
                ],
                "creation_content": { "type": "m.space", "room_version": "1", "creator": "@eve:one.example" },
                "power_level_content_override": { "events": { "m.room.name": 0 }, "invite": 50 },
            }))
            .await
            .unwrap();
        assert_eq!(server.content(&room, "m.room.name", "").await["name"], "By name");
        assert_eq!(server.content(&room, "m.room.join_rules", "").await["join_rule"], "knock");
        assert_eq!(server.content(&room, "org.example.note", "a").await["text"], "kept");
        let topic = server.content(&room, "m.room.topic", "").await;
        assert_eq!((&topic["topic"], &topic["m.topic"]["m.text"][0]["body"]), (&json!("By topic"), &json!("By topic")));
        let create = server.content(&room, "m.room.create", "").await;
        assert_eq!((&create["type"], &create["room_version"]), (&json!("m.space"), &json!("12")));
        assert_eq!(create["creator"], Value::Null);
        let levels = server.content(&room, "m.room.power_levels", "").await;
        assert_eq!(levels["events"], json!({ "m.room.name": 0 }));
        assert_eq!((&levels["invite"], &levels["state_default"]), (&json!(50), &json!(50)));
    }

    async fn listeners_may_take_part_in_calls_where_they_may_not_speak(server: &TestRooms) {
        let alice = server.register("alice").await;
        let levels_of = async |more: Value| {
            let mut request = json!({ "power_level_content_override": { "events_default": 50 } });
            for (key, value) in more.as_object().unwrap() {
                request[key] = value.clone();
            }
            let room = server.create(&alice, request).await.unwrap();
            server.content(&room, "m.room.power_levels", "").await["events"].clone()
        };
        let voice = json!({ "type": "org.matrix.msc3417.call" });
        let encryption =
            json!([{ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } }]);
        let announcements = levels_of(json!({ "initial_state": encryption })).await;
        for said in ["org.matrix.msc4075.rtc.notification", "org.matrix.msc4310.rtc.decline", "m.reaction"] {
            assert_eq!(announcements[said], 0, "{said}");
        }
        // Whoever may send encrypted events may say anything.
        assert_eq!(announcements["m.room.encrypted"], Value::Null);
        let stage = levels_of(json!({ "creation_content": voice, "initial_state": encryption })).await;
        assert_eq!(stage["m.room.encrypted"], 0);
        assert_eq!(levels_of(json!({ "creation_content": voice })).await["m.room.encrypted"], Value::Null);

        let own = json!({ "power_level_content_override": { "events_default": 50, "events": { "m.reaction": 60 } } });
        let room = server.create(&alice, own).await.unwrap();
        let levels = server.content(&room, "m.room.power_levels", "").await;
        assert_eq!(levels["events"], json!({ "m.reaction": 60 }));
        let room = server.create(&alice, json!({})).await.unwrap();
        assert_eq!(server.content(&room, "m.room.power_levels", "").await["events"]["m.reaction"], Value::Null);
    }

    async fn rooms_for_calls_begin_with_an_open_slot(server: &TestRooms) {
        let alice = server.register("alice").await;
        let slot_of = async |request: Value| {
            let room = server.create(&alice, request).await.unwrap();
            server.content(&room, "org.matrix.msc4143.rtc.slot", "m.call#ROOM").await
        };
        let open = json!({ "status": "open", "application": { "type": "m.call" } });
        let mut encrypted = open.clone();
        encrypted["encryption"] = json!({ "type": "org.matrix.msc4143.per_member" });
        let voice = json!({ "type": "org.matrix.msc3417.call" });
        let encryption = json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
        assert_eq!(slot_of(json!({ "preset": "trusted_private_chat" })).await, open);
        assert_eq!(slot_of(json!({ "creation_content": voice, "preset": "public_chat" })).await, open);
        let request = json!({ "preset": "trusted_private_chat", "initial_state": [encryption] });
        assert_eq!(slot_of(request).await, encrypted);
        for preset in ["private_chat", "public_chat"] {
            assert_eq!(slot_of(json!({ "preset": preset })).await, Value::Null);
        }
        // What the client says stands.
        let closed = json!({
            "type": "org.matrix.msc4143.rtc.slot", "state_key": "m.call#ROOM", "content": { "status": "closed" },
        });
        let request = json!({ "creation_content": voice, "initial_state": [closed] });
        assert_eq!(slot_of(request).await, json!({ "status": "closed" }));
        let stable = json!({ "type": "m.rtc.slot", "state_key": "m.call#ROOM", "content": { "status": "open" } });
        assert_eq!(slot_of(json!({ "creation_content": voice, "initial_state": [stable] })).await, Value::Null);
    }

    async fn a_refused_room_leaves_its_alias_free(server: &TestRooms) {
        let alice = server.register("alice").await;
        let alias = room_alias_id!("#hall:one.example");
        let refused = json!({
            "room_alias_name": "hall",
            "room_version": "11",
            "name": "Hall",
            "power_level_content_override": { "users": { alice.as_str(): 10 } },
        });
        let refusal = server.create(&alice, refused).await.map(|_| ()).unwrap_err();
        assert!(matches!(refusal, RoomError::BadInitialState(_)), "{refusal}");
        assert!(matches!(server.rooms.room_by_alias(alias).await, Err(RoomError::NotFound(_))));

        let room = server.create(&alice, json!({ "room_alias_name": "hall" })).await.unwrap();
        assert_eq!(server.rooms.room_by_alias(alias).await.unwrap().number, room.number);
        assert_eq!(server.content(&room, "m.room.canonical_alias", "").await["alias"], alias.as_str());
        let refusal = server.create(&alice, json!({ "room_alias_name": "hall" })).await.map(|_| ()).unwrap_err();
        assert!(matches!(refusal, RoomError::AliasTaken(_)), "{refusal}");
    }

    async fn requests_that_cannot_be_met_are_refused_for_the_right_reason(server: &TestRooms) {
        let alice = server.register("alice").await;
        let refusal = async |request| server.create(&alice, request).await.map(|_| ()).unwrap_err();
        assert!(matches!(refusal(json!({ "room_version": "99" })).await, RoomError::UnsupportedVersion(_)));
        assert!(matches!(refusal(json!({ "invite": ["@x:two.example"] })).await, RoomError::RemoteUser(_)));
        assert!(matches!(refusal(json!({ "preset": "open_house" })).await, RoomError::BadRequest(_)));
        assert!(matches!(refusal(json!({ "room_alias_name": "a:b" })).await, RoomError::BadRequest(_)));
        let creators = json!({ "creation_content": { "additional_creators": ["nobody"] } });
        assert!(matches!(refusal(creators).await, RoomError::BadRequest(_)));
        let third_party = json!([{ "id_server": "x", "id_access_token": "x", "medium": "email", "address": "x@y" }]);
        assert!(matches!(refusal(json!({ "invite_3pid": third_party })).await, RoomError::Forbidden(_)));
        let create_again = json!({ "initial_state": [{ "type": "m.room.create", "content": {} }] });
        assert!(matches!(refusal(create_again).await, RoomError::BadInitialState(_)));
    }

    async fn invitees_learn_that_a_chat_is_direct(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = user_id!("@not-yet-logged-in:one.example");
        let request = json!({ "is_direct": true, "invite": [bob, bob, alice], "preset": "trusted_private_chat" });
        let room = server.create(&alice, request).await.unwrap();
        let content = server.content(&room, "m.room.member", bob.as_str()).await;
        assert_eq!(content, json!({ "membership": "invite", "is_direct": true }));
        assert_eq!(server.membership(&room, &alice).await, Some(MembershipState::Join));
    }
}
