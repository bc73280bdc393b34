use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::{Value, json};

#[tokio::test]
async fn an_alias_is_made_followed_listed_and_removed() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    let alias = alice.fresh_alias("hall");
    let path = v3(["directory", "room", &alias]);
    refused(bob.get(&path).await, 404, "M_NOT_FOUND");
    alice.put(&path, json!({ "room_id": room })).await.unwrap();
    refused(
        alice.put(&path, json!({ "room_id": room })).await,
        409,
        "M_UNKNOWN",
    );

    let found = server.anonymous().get(&path).await.unwrap();
    assert_eq!(
        (found.text("/room_id"), found.list("/servers")),
        (room.as_str(), &[json!("test.example")][..])
    );
    assert_eq!(bob.join(&alias).await.unwrap().text("/room_id"), room);
    assert_eq!(
        alice.get(v3(["rooms", &room, "aliases"])).await.unwrap(),
        json!({ "aliases": [alias] })
    );

    let elsewhere = v3(["directory", "room", "#hall:elsewhere.example"]);
    refused(
        alice.put(&elsewhere, json!({ "room_id": room })).await,
        400,
        "M_INVALID_PARAM",
    );

    refused(bob.delete(&path).await, 403, "M_FORBIDDEN");
    alice.delete(&path).await.unwrap();
    refused(bob.get(&path).await, 404, "M_NOT_FOUND");
    refused(alice.delete(&path).await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_canonical_alias_must_lead_to_its_room() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (room, other) = (alice.create_public_room().await, alice.create_public_room().await);
    let (mine, elsewhere) = (alice.fresh_alias("mine"), alice.fresh_alias("elsewhere"));
    for (alias, room) in [(&mine, &room), (&elsewhere, &other)] {
        alice
            .put(v3(["directory", "room", alias]), json!({ "room_id": room }))
            .await
            .unwrap();
    }
    let set = |content: Value| {
        let (alice, room) = (alice.clone(), room.clone());
        async move {
            alice
                .set_state(&room, "m.room.canonical_alias", "", content)
                .await
                .map(Value::from)
        }
    };
    set(json!({ "alias": mine })).await.unwrap();
    refused(set(json!({ "alias": elsewhere })).await, 400, "M_BAD_ALIAS");
    refused(
        set(json!({ "alias": mine, "alt_aliases": [elsewhere] })).await,
        400,
        "M_BAD_ALIAS",
    );
    refused(
        set(json!({ "alias": mine, "alt_aliases": [alice.fresh_alias("none")] })).await,
        400,
        "M_BAD_ALIAS",
    );
    refused(set(json!({ "alias": "no alias" })).await, 400, "M_INVALID_PARAM");
    assert_eq!(
        alice.state(&room, "m.room.canonical_alias", "").await.unwrap(),
        json!({ "alias": mine })
    );
}
