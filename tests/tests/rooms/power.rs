use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::{Value, json};

#[tokio::test]
async fn power_is_shared_within_its_bounds() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    refused(
        bob.set_state(&room, "m.room.topic", "", json!({ "topic": "x" }))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    alice
        .change_state(&room, "m.room.power_levels", json!({ "users": { &bob.id: 100 } }))
        .await
        .unwrap();
    bob.set_state(&room, "m.room.topic", "", json!({ "topic": "Bob's" }))
        .await
        .unwrap();

    // Nobody gives more than they have, or takes from their equals.
    let give = |level: i64| json!({ "users": { &bob.id: 100, &carol.id: level } });
    refused(
        bob.change_state(&room, "m.room.power_levels", give(101))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    bob.change_state(&room, "m.room.power_levels", give(100))
        .await
        .unwrap();
    refused(
        bob.change_state(&room, "m.room.power_levels", give(0))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    refused(bob.kick(&room, &carol).await, 403, "M_FORBIDDEN");
    let step_down = json!({ "users": { &carol.id: 100 } });
    bob.change_state(&room, "m.room.power_levels", step_down)
        .await
        .expect("one may give up one's own power");
    refused(bob.kick(&room, &carol).await, 403, "M_FORBIDDEN");
    carol.kick(&room, &bob).await.unwrap();
}

#[tokio::test]
async fn a_muted_room_takes_messages_of_the_powerful_only() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice
        .change_state(&room, "m.room.power_levels", json!({ "events_default": 10 }))
        .await
        .unwrap();
    refused(
        bob.send_text(&room, "x").await.map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    alice.send_text(&room, "an announcement").await.unwrap();
    let events = json!({ "events": { "m.reaction": 0 } });
    alice
        .change_state(&room, "m.room.power_levels", events)
        .await
        .unwrap();
    let message = alice.send_text(&room, "react to this").await.unwrap();
    bob.react(&room, &message, "👍").await.unwrap();
}

#[tokio::test]
async fn state_that_names_its_owner_is_the_owners() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice
        .change_state(&room, "m.room.power_levels", json!({ "state_default": 0 }))
        .await
        .unwrap();
    bob.set_state(&room, "org.example.card", &bob.id, json!({ "a": 1 }))
        .await
        .unwrap();
    refused(
        bob.set_state(&room, "org.example.card", &alice.id, json!({}))
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    refused(
        bob.set_state(
            &room,
            "m.room.member",
            &alice.id,
            json!({ "membership": "leave" }),
        )
        .await
        .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    let create = json!({ "room_version": "12", "type": "m.space" });
    let refusal = alice
        .set_state(&room, "m.room.create", "", create)
        .await
        .unwrap_err();
    assert!([400, 403].contains(&refusal.status), "{refusal}");
}

#[tokio::test]
async fn redacting_others_takes_power() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let mine = bob.send_text(&room, "a slip of the tongue").await.unwrap();
    let theirs = alice.send_text(&room, "well said").await.unwrap();
    refused(
        carol.redact(&room, &mine).await.map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    refused(
        bob.redact(&room, &theirs).await.map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    bob.redact(&room, &mine).await.unwrap();
    let shown = carol.event(&room, &mine).await.unwrap();
    assert_eq!(shown["content"], json!({}));
    assert_eq!(shown.text("/unsigned/redacted_because/sender"), bob.id);
    assert!(
        !carol
            .newest(&room, 20)
            .await
            .bodies("/chunk")
            .contains(&"a slip of the tongue".to_owned())
    );
    alice.redact(&room, &theirs).await.unwrap();
}

#[tokio::test]
async fn state_is_read_by_type_and_key() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice
        .set_state(&room, "org.example.wall", "north", json!({ "colour": "red" }))
        .await
        .unwrap();
    let all = bob.get(v3(["rooms", &room, "state"])).await.unwrap();
    let walls = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "org.example.wall");
    assert_eq!(
        walls.map(|event| event.text("/event_id")).collect::<Vec<_>>(),
        [event_id.as_str()]
    );
    let path = v3(["rooms", &room, "state", "org.example.wall", "north"]);
    let whole = bob.get(path.clone() + "?format=event").await.unwrap();
    assert_eq!(
        (whole.text("/event_id"), whole.text("/sender")),
        (event_id.as_str(), alice.id.as_str())
    );
    refused(
        bob.state(&room, "org.example.wall", "south").await,
        404,
        "M_NOT_FOUND",
    );

    // An empty key may be left out, with the slash or without.
    alice
        .put(
            v3(["rooms", &room, "state", "m.room.name"]),
            json!({ "name": "Named" }),
        )
        .await
        .unwrap();
    let base = v3(["rooms", &room, "state", "m.room.name"]);
    for path in [base.clone(), base + "/"] {
        assert_eq!(bob.get(path).await.unwrap(), json!({ "name": "Named" }));
    }

    // Who has left sees the state as it was then.
    bob.leave(&room).await.unwrap();
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "Renamed" }))
        .await
        .unwrap();
    assert_eq!(
        bob.state(&room, "m.room.name", "").await.unwrap().text("/name"),
        "Named"
    );
}

#[tokio::test]
async fn a_list_of_servers_does_not_keep_out_its_own() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for content in [
        json!({}),
        json!({ "allow": [] }),
        json!({ "allow": ["other.example"] }),
        json!({ "allow": ["*"], "deny": ["*.example"] }),
    ] {
        refused(
            alice
                .set_state(&room, "m.room.server_acl", "", content)
                .await
                .map(Value::from),
            400,
            "M_INVALID_PARAM",
        );
    }
    let content = json!({ "allow": ["*"], "deny": ["other.example"] });
    alice
        .set_state(&room, "m.room.server_acl", "", content)
        .await
        .unwrap();
}
