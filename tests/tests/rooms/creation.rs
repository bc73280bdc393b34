use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

#[tokio::test]
async fn every_preset_sets_its_rules() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    for (preset, join_rule, guest_access, power_of_invitee) in [
        ("private_chat", "invite", "can_join", 0),
        ("trusted_private_chat", "invite", "can_join", 100),
        ("public_chat", "public", "forbidden", 0),
    ] {
        // Version 11, where the power of equals is a number; version 12 is below.
        let request = json!({ "preset": preset, "room_version": "11", "invite": [bob.id] });
        let room = alice.create_room(request).await.unwrap();
        assert_eq!(
            alice
                .state(&room, "m.room.join_rules", "")
                .await
                .unwrap()
                .text("/join_rule"),
            join_rule
        );
        let history = alice.state(&room, "m.room.history_visibility", "").await.unwrap();
        assert_eq!(history.text("/history_visibility"), "shared");
        // Without the event, guests are kept out just the same.
        let guests = alice.state(&room, "m.room.guest_access", "").await;
        let guests = guests.map_or("forbidden".to_owned(), |content| {
            content.text("/guest_access").to_owned()
        });
        assert_eq!(guests, guest_access, "{preset}");
        let power = alice.state(&room, "m.room.power_levels", "").await.unwrap();
        assert_eq!(power["users"][&alice.id], 100);
        assert_eq!(
            power["users"][&bob.id].as_i64().unwrap_or(0),
            power_of_invitee,
            "{preset}"
        );
        assert_eq!(bob.membership_seen_by(&alice, &room).await, "invite");
    }
}

#[tokio::test]
async fn rooms_of_every_version_live() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    for version in 1..=12 {
        let version = version.to_string();
        let request = json!({ "room_version": version, "preset": "public_chat", "name": "Old and new" });
        let room = alice.create_room(request).await.unwrap();
        let create = alice.state(&room, "m.room.create", "").await.unwrap();
        assert_eq!(create["room_version"].as_str().unwrap_or("1"), version);

        bob.join(&room).await.unwrap();
        let event_id = bob.send_text(&room, "hello").await.unwrap();
        let redaction = bob.redact(&room, &event_id).await.unwrap();
        let shown = alice.event(&room, &event_id).await.unwrap();
        assert_eq!(shown["content"], json!({}), "version {version}");
        assert_eq!(
            shown["unsigned"]["redacted_because"]["event_id"],
            redaction.as_str()
        );
        refused(
            bob.set_state(&room, "m.room.name", "", json!({ "name": "Mine" }))
                .await
                .map(Value::from),
            403,
            "M_FORBIDDEN",
        );
        bob.leave(&room).await.unwrap();
        assert_eq!(bob.membership_seen_by(&alice, &room).await, "leave");
    }
    refused(
        alice
            .create_room(json!({ "room_version": "99" }))
            .await
            .map(Value::from),
        400,
        "M_UNSUPPORTED_ROOM_VERSION",
    );
}

#[tokio::test]
async fn creators_of_version_12_stand_above_power_levels() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice
        .create_room(json!({
            "preset": "private_chat",
            "creation_content": { "additional_creators": [bob.id] },
            "invite": [bob.id, carol.id],
        }))
        .await
        .unwrap();
    let power = alice.state(&room, "m.room.power_levels", "").await.unwrap();
    assert!(
        power["users"].get(&alice.id).is_none() && power["users"].get(&bob.id).is_none(),
        "{power}"
    );
    assert_eq!(power["events"]["m.room.tombstone"], 150);
    for user in [&bob, &carol] {
        user.join(&room).await.unwrap();
    }
    bob.set_state(&room, "m.room.name", "", json!({ "name": "Bob's say" }))
        .await
        .unwrap();
    refused(
        carol
            .set_state(&room, "m.room.name", "", json!({ "name": "x" }))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    // Nobody can be set above or beside a creator.
    let named = alice
        .change_state(&room, "m.room.power_levels", json!({ "users": { &bob.id: 50 } }))
        .await;
    assert_eq!(named.unwrap_err().status, 400);

    let trusted = json!({ "preset": "trusted_private_chat", "invite": [carol.id] });
    let room = alice.create_room(trusted).await.unwrap();
    let create = alice.state(&room, "m.room.create", "").await.unwrap();
    assert_eq!(create["additional_creators"], json!([carol.id]));
}

#[tokio::test]
async fn everything_asked_for_is_in_the_new_room() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let alias = alice.fresh_alias("workshop");
    let localpart = alias[1..].split(':').next().unwrap();
    let room = alice
        .create_room(json!({
            "preset": "public_chat",
            "name": "Workshop",
            "topic": "Tools & wood",
            "room_alias_name": localpart,
            "creation_content": { "type": "m.space", "m.federate": false, "creator": "@mallory:test.example" },
            "initial_state": [
                { "type": "m.room.join_rules", "content": { "join_rule": "knock" } },
                { "type": "org.example.wall", "state_key": "north", "content": { "colour": "white" } },
            ],
            "power_level_content_override": { "events_default": 20 },
        }))
        .await
        .unwrap();
    let create = alice.state(&room, "m.room.create", "").await.unwrap();
    assert_eq!(
        (create.text("/type"), &create["m.federate"]),
        ("m.space", &json!(false))
    );
    assert!(
        create.get("creator").is_none(),
        "protected keys are not the client's: {create}"
    );
    // initial_state goes over the preset.
    assert_eq!(
        alice
            .state(&room, "m.room.join_rules", "")
            .await
            .unwrap()
            .text("/join_rule"),
        "knock"
    );
    assert_eq!(
        alice
            .state(&room, "org.example.wall", "north")
            .await
            .unwrap()
            .text("/colour"),
        "white"
    );
    assert_eq!(
        alice.state(&room, "m.room.name", "").await.unwrap().text("/name"),
        "Workshop"
    );
    let topic = alice.state(&room, "m.room.topic", "").await.unwrap();
    assert_eq!(topic.text("/topic"), "Tools & wood");
    assert_eq!(topic.text("/m.topic/m.text/0/body"), "Tools & wood");
    assert_eq!(
        alice
            .state(&room, "m.room.canonical_alias", "")
            .await
            .unwrap()
            .text("/alias"),
        alias
    );
    assert_eq!(
        alice.state(&room, "m.room.power_levels", "").await.unwrap()["events_default"],
        20
    );
}

#[tokio::test]
async fn what_cannot_be_made_leaves_nothing_behind() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let alias = alice.fresh_alias("only-once");
    let localpart = alias[1..].split(':').next().unwrap();
    let request = json!({ "room_alias_name": localpart });
    let first = alice.create_room(request.clone()).await.unwrap();
    refused(
        alice.create_room(request).await.map(Value::from),
        400,
        "M_ROOM_IN_USE",
    );

    let other = alice.fresh_alias("never");
    let localpart = other[1..].split(':').next().unwrap();
    // Version 11 lets the creator be named too low for the room that is asked for.
    let impossible = json!({
        "room_version": "11", "room_alias_name": localpart, "name": "Unnameable",
        "power_level_content_override": { "users": { &alice.id: 0 } },
    });
    refused(
        alice.create_room(impossible).await.map(Value::from),
        400,
        "M_INVALID_ROOM_STATE",
    );
    refused(
        alice.get(v3(["directory", "room", &other])).await,
        404,
        "M_NOT_FOUND",
    );
    assert_eq!(joined(&alice).await, [first]);
}

#[tokio::test]
async fn a_direct_chat_says_so_in_the_invitation() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let request = json!({ "preset": "trusted_private_chat", "is_direct": true, "invite": [bob.id] });
    let room = alice.create_room(request).await.unwrap();
    let member = alice.state(&room, "m.room.member", &bob.id).await.unwrap();
    assert_eq!(
        (member.text("/membership"), &member["is_direct"]),
        ("invite", &json!(true))
    );
}

#[tokio::test]
async fn call_members_may_be_sent_by_everybody() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let key = format!("_{}_PHONE", bob.id);
    bob.set_state(&room, "org.matrix.msc3401.call.member", &key, json!({}))
        .await
        .unwrap();
    refused(
        bob.set_state(&room, "org.example.other", "", json!({}))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
}

async fn joined(user: &User) -> Vec<String> {
    let answer = user.get(v3(["joined_rooms"])).await.unwrap();
    answer
        .list("/joined_rooms")
        .iter()
        .map(|room| room.as_str().unwrap().to_owned())
        .collect()
}
