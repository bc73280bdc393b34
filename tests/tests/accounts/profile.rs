use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::json;

#[tokio::test]
async fn a_profile_is_set_shown_and_emptied() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    alice.set_display_name("Alice A.").await.unwrap();
    let avatar = v3(["profile", &alice.id, "avatar_url"]);
    alice
        .put(&avatar, json!({ "avatar_url": "mxc://test.example/face" }))
        .await
        .unwrap();

    let seen = bob.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(seen.text("/displayname"), "Alice A.");
    assert_eq!(seen.text("/avatar_url"), "mxc://test.example/face");
    let field = bob.get(v3(["profile", &alice.id, "displayname"])).await.unwrap();
    assert_eq!(field, json!({ "displayname": "Alice A." }));

    alice.delete(&avatar).await.unwrap();
    assert!(
        bob.get(v3(["profile", &alice.id]))
            .await
            .unwrap()
            .get("avatar_url")
            .is_none()
    );
}

#[tokio::test]
async fn a_new_name_reaches_the_rooms() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    alice.set_display_name("Alice the Second").await.unwrap();
    bob.sync_until(&since, |answer| {
        let events = answer["rooms"]["join"][&room].events("/timeline/events");
        events
            .iter()
            .any(|event| event["content"]["displayname"] == "Alice the Second")
    })
    .await;
    let member = bob.state(&room, "m.room.member", &alice.id).await.unwrap();
    assert_eq!(
        (member.text("/displayname"), member.text("/membership")),
        ("Alice the Second", "join")
    );
}

#[tokio::test]
async fn further_fields_are_kept_within_bounds() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(capabilities["capabilities"]["m.profile_fields"]["enabled"], true);

    alice
        .put(
            v3(["profile", &alice.id, "m.tz"]),
            json!({ "m.tz": "Europe/Berlin" }),
        )
        .await
        .unwrap();
    alice
        .put(
            v3(["profile", &alice.id, "org.example.desk"]),
            json!({ "org.example.desk": { "floor": 3 } }),
        )
        .await
        .unwrap();
    let seen = bob.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(
        (seen.text("/m.tz"), &seen["org.example.desk"]["floor"]),
        ("Europe/Berlin", &json!(3))
    );

    let huge = "x".repeat(66_000);
    let refusal = alice
        .put(
            v3(["profile", &alice.id, "org.example.huge"]),
            json!({ "org.example.huge": huge }),
        )
        .await;
    assert_eq!(refusal.unwrap_err().errcode, "M_PROFILE_TOO_LARGE");
    let key = format!("org.example.{}", "k".repeat(300));
    let refusal = alice
        .put(v3(["profile", &alice.id, &key]), json!({ &key: 1 }))
        .await;
    assert_eq!(refusal.unwrap_err().errcode, "M_KEY_TOO_LARGE");
    let other_key = alice
        .put(
            v3(["profile", &alice.id, "org.example.a"]),
            json!({ "org.example.b": 1 }),
        )
        .await;
    assert_eq!(other_key.unwrap_err().status, 400);
}

#[tokio::test]
async fn other_peoples_profiles_cannot_be_changed() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let path = v3(["profile", &alice.id, "displayname"]);
    refused(
        bob.put(&path, json!({ "displayname": "Mallory" })).await,
        403,
        "M_FORBIDDEN",
    );
    refused(bob.delete(&path).await, 403, "M_FORBIDDEN");
    refused(
        bob.get(v3(["profile", "@nobody-there:test.example"])).await,
        404,
        "M_NOT_FOUND",
    );
}
