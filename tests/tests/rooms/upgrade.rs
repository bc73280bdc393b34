use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::{Value, json};

#[tokio::test]
async fn an_upgraded_room_goes_on_under_its_name_and_alias() {
    let server = TestServer::shared().await;
    let [alice, bob, mallory] = server.register(["alice", "bob", "mallory"]).await;
    let alias = alice.fresh_alias("square");
    let localpart = alias[1..].split(':').next().unwrap();
    let request = json!({
        "preset": "public_chat", "room_version": "10", "name": "Square", "topic": "All around",
        "room_alias_name": localpart,
    });
    let old = alice.create_room(request).await.unwrap();
    bob.join(&old).await.unwrap();
    alice.ban(&old, &mallory).await.unwrap();
    refused(
        bob.post(v3(["rooms", &old, "upgrade"]), json!({ "new_version": "12" }))
            .await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        alice
            .post(v3(["rooms", &old, "upgrade"]), json!({ "new_version": "99" }))
            .await,
        400,
        "M_UNSUPPORTED_ROOM_VERSION",
    );
    let answer = alice
        .post(v3(["rooms", &old, "upgrade"]), json!({ "new_version": "12" }))
        .await
        .unwrap();
    let new = answer.text("/replacement_room");

    let tombstone = bob.state(&old, "m.room.tombstone", "").await.unwrap();
    assert_eq!(tombstone.text("/replacement_room"), new);
    let create = alice.state(new, "m.room.create", "").await.unwrap();
    assert_eq!(
        (create.text("/predecessor/room_id"), create.text("/room_version")),
        (old.as_str(), "12")
    );
    for (kind, pointer, value) in [
        ("m.room.name", "/name", "Square"),
        ("m.room.topic", "/topic", "All around"),
        ("m.room.join_rules", "/join_rule", "public"),
        ("m.room.canonical_alias", "/alias", alias.as_str()),
    ] {
        assert_eq!(alice.state(new, kind, "").await.unwrap().text(pointer), value);
    }
    assert_eq!(mallory.membership_seen_by(&alice, new).await, "ban");
    // Aliases lead to the new room, and ordinary members can no longer talk in the old one.
    assert_eq!(
        bob.get(v3(["directory", "room", &alias]))
            .await
            .unwrap()
            .text("/room_id"),
        new
    );
    refused(
        bob.send_text(&old, "anyone?").await.map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    bob.join(&alias).await.unwrap();
    bob.send_text(new, "here we are").await.unwrap();
}

#[tokio::test]
async fn what_people_have_set_up_follows_them_into_the_new_room() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let request = json!({ "preset": "public_chat", "visibility": "public", "room_version": "10" });
    let old = alice.create_room(request).await.unwrap();
    bob.join(&old).await.unwrap();
    let tags = |room: &str| bob.own_path(&["rooms", room, "tags"]);
    bob.put(format!("{}/m.favourite", tags(&old)), json!({ "order": 0.5 }))
        .await
        .unwrap();
    let rule = |kind: &str, room: &str| v3(["pushrules", "global", kind, room]);
    let condition = json!({ "kind": "event_match", "key": "room_id", "pattern": old });
    let mute = json!({ "actions": [], "conditions": [condition] });
    bob.put(rule("override", &old), mute).await.unwrap();
    bob.put(rule("room", &old), json!({ "actions": ["notify"] }))
        .await
        .unwrap();

    let answer = alice
        .post(v3(["rooms", &old, "upgrade"]), json!({ "new_version": "12" }))
        .await
        .unwrap();
    let new = answer.text("/replacement_room");
    let listed = |room: &str| v3(["directory", "list", "room", room]);
    assert_eq!(
        alice.get(listed(new)).await.unwrap().text("/visibility"),
        "public"
    );
    assert_eq!(
        alice.get(listed(&old)).await.unwrap().text("/visibility"),
        "private"
    );

    bob.join(new).await.unwrap();
    let tags = bob.get(tags(new)).await.unwrap();
    assert_eq!(tags["tags"]["m.favourite"]["order"], 0.5);
    let muted = bob.get(rule("override", new)).await.unwrap();
    assert_eq!(muted.text("/conditions/0/pattern"), new);
    assert_eq!(
        bob.get(rule("room", new)).await.unwrap()["actions"],
        json!(["notify"])
    );
    bob.get(rule("override", &old))
        .await
        .expect("the old room stays mute");
}
