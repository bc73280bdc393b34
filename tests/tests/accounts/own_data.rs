use echorift_tests::{Look as _, TestServer, path, refused, v3};
use serde_json::json;

#[tokio::test]
async fn account_data_is_kept_shown_and_synced() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let since = alice.now().await;
    alice
        .set_account_data("org.example.theme", json!({ "dark": true }))
        .await
        .unwrap();
    let kept = alice
        .get(alice.own_path(&["account_data", "org.example.theme"]))
        .await
        .unwrap();
    assert_eq!(kept, json!({ "dark": true }));

    let answer = alice.sync_from(&since).await;
    let events = answer.events("/account_data/events");
    assert_eq!(
        events,
        [json!({ "type": "org.example.theme", "content": { "dark": true } })]
    );
    assert!(
        alice
            .sync_from(answer.text("/next_batch"))
            .await
            .events("/account_data/events")
            .is_empty()
    );
    refused(
        alice
            .get(alice.own_path(&["account_data", "org.example.none"]))
            .await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn account_data_of_a_room_belongs_to_that_room() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (room, other) = (
        alice.create_room_with(&[]).await,
        alice.create_room_with(&[]).await,
    );
    let since = alice.now().await;
    let at = |room: &str| alice.own_path(&["rooms", room, "account_data", "org.example.colour"]);
    alice.put(at(&room), json!({ "colour": "teal" })).await.unwrap();
    assert_eq!(alice.get(at(&room)).await.unwrap().text("/colour"), "teal");
    refused(alice.get(at(&other)).await, 404, "M_NOT_FOUND");

    let answer = alice.sync_from(&since).await;
    let events = answer["rooms"]["join"][&room].events("/account_data/events");
    assert_eq!(
        events,
        [json!({ "type": "org.example.colour", "content": { "colour": "teal" } })]
    );
    assert!(answer["rooms"]["join"].get(&other).is_none());
}

#[tokio::test]
async fn what_the_server_controls_cannot_be_put() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    refused(
        alice
            .set_account_data("m.push_rules", json!({ "global": {} }))
            .await,
        405,
        "M_BAD_JSON",
    );
    let marker = alice.own_path(&["rooms", &room, "account_data", "m.fully_read"]);
    refused(
        alice.put(marker, json!({ "event_id": "$x" })).await,
        405,
        "M_BAD_JSON",
    );
}

#[tokio::test]
async fn tags_are_set_listed_and_removed() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let since = alice.now().await;
    let tags = alice.own_path(&["rooms", &room, "tags"]);
    alice
        .put(path(&tags, &["m.favourite"]), json!({ "order": 0.25 }))
        .await
        .unwrap();
    alice.put(path(&tags, &["u.work"]), json!({})).await.unwrap();
    let listed = alice.get(&tags).await.unwrap();
    assert_eq!(listed["tags"]["m.favourite"]["order"], 0.25);

    let answer = alice.sync_from(&since).await;
    let events = answer["rooms"]["join"][&room].events("/account_data/events");
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].text("/type"), &events[0]["content"]["tags"]["u.work"]),
        ("m.tag", &json!({}))
    );

    alice.delete(path(&tags, &["m.favourite"])).await.unwrap();
    assert_eq!(
        alice.get(&tags).await.unwrap(),
        json!({ "tags": { "u.work": {} } })
    );
}

#[tokio::test]
async fn filters_are_kept_for_their_owner() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let filter = json!({ "room": { "timeline": { "limit": 7 } } });
    let id = alice
        .post(alice.own_path(&["filter"]), filter.clone())
        .await
        .unwrap()
        .text("/filter_id")
        .to_owned();
    assert!(!id.starts_with('{'));
    let kept = alice.get(alice.own_path(&["filter", &id])).await.unwrap();
    assert_eq!(kept["room"]["timeline"]["limit"], 7);
    refused(
        alice.get(alice.own_path(&["filter", "987654"])).await,
        404,
        "M_NOT_FOUND",
    );
    refused(
        bob.get(alice.own_path(&["filter", &id])).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn other_peoples_data_stay_theirs() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let paths = [
        alice.own_path(&["account_data", "org.example.theme"]),
        alice.own_path(&["rooms", &room, "account_data", "org.example.theme"]),
        alice.own_path(&["rooms", &room, "tags", "u.mine"]),
    ];
    for path in paths {
        refused(bob.put(&path, json!({})).await, 403, "M_FORBIDDEN");
    }
    refused(
        bob.get(alice.own_path(&["rooms", &room, "tags"])).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        bob.post(alice.own_path(&["filter"]), json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        bob.post(alice.own_path(&["openid", "request_token"]), json!({}))
            .await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn an_openid_token_names_this_server() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let token = alice
        .post(alice.own_path(&["openid", "request_token"]), json!({}))
        .await
        .unwrap();
    assert_eq!(
        (token.text("/matrix_server_name"), token.text("/token_type")),
        ("test.example", "Bearer")
    );
    assert!(!token.text("/access_token").is_empty() && token.number("/expires_in") > 0);
    assert_eq!(
        alice.get(v3(["account", "3pid"])).await.unwrap(),
        json!({ "threepids": [] })
    );
}
