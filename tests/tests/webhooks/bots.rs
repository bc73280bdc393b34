use echorift_tests::{Caller, Look as _, TestServer, User, fresh, refused, v1, v3};
use serde_json::json;

use super::tokens::ours;

/// A bot of this person, and somebody with its token.
async fn bot(user: &User, scopes: &[&str]) -> (String, Caller) {
    let body = json!({ "localpart": fresh("helper"), "display_name": "Helper" });
    let made = user.post(ours(&["bots"]), body).await.unwrap();
    let user_id = made.text("/user_id").to_owned();
    let body = json!({ "name": "main", "scopes": scopes });
    let token = user
        .post(ours(&["bots", &user_id, "tokens"]), body)
        .await
        .unwrap();
    (user_id, user.server.with_token(token.text("/token")))
}

#[tokio::test]
async fn a_bot_acts_by_its_token_alone() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (user_id, helper) = bot(&alice, &["read", "send", "manage"]).await;
    let room = alice.create_room(json!({ "invite": [user_id] })).await.unwrap();
    helper
        .post(v3(["rooms", &room, "join"]), json!({}))
        .await
        .unwrap();
    let path = v3(["rooms", &room, "send", "m.room.message", "1"]);
    helper
        .put(path, json!({ "msgtype": "m.notice", "body": "beep" }))
        .await
        .unwrap();
    let event = &alice.newest(&room, 1).await["chunk"][0];
    assert_eq!(
        (event.text("/sender"), event.text("/content/body")),
        (&*user_id, "beep")
    );
    let member = alice.state(&room, "m.room.member", &user_id).await.unwrap();
    assert_eq!(member.text("/displayname"), "Helper");
    refused(
        server.anonymous().log_in(&user_id, "", json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    // It is nobody else's.
    let body = json!({ "name": "theft", "scopes": ["read"] });
    refused(
        bob.post(ours(&["bots", &user_id, "tokens"]), body.clone()).await,
        404,
        "M_NOT_FOUND",
    );
    refused(bob.delete(ours(&["bots", &user_id])).await, 404, "M_NOT_FOUND");
    refused(
        alice.post(ours(&["bots", &bob.id, "tokens"]), body).await,
        404,
        "M_NOT_FOUND",
    );
    let listed = alice.get(ours(&["bots"])).await.unwrap();
    assert_eq!(listed.text("/bots/0/user_id"), user_id);
    assert!(bob.get(ours(&["bots"])).await.unwrap().list("/bots").is_empty());
    alice.delete(ours(&["bots", &user_id])).await.unwrap();
    refused(helper.get(v3(["joined_rooms"])).await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn whoever_answers_for_a_bot_takes_it_along() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (user_id, helper) = bot(&alice, &["read"]).await;
    let (_, other) = bot(&bob, &["read"]).await;
    let lock = v1(["admin", "lock", &alice.id]);
    root.put(&lock, json!({ "locked": true })).await.unwrap();
    refused(helper.get(v3(["joined_rooms"])).await, 401, "M_USER_LOCKED");
    other.get(v3(["joined_rooms"])).await.unwrap();
    root.put(&lock, json!({ "locked": false })).await.unwrap();
    helper.get(v3(["joined_rooms"])).await.unwrap();
    // Administrators see who answers for it.
    let mut page = root.get("/_echorift/admin/v1/bots?limit=500").await.unwrap();
    let bots = page["items"].as_array_mut().unwrap();
    let entry = bots.iter().find(|entry| entry["user_id"] == *user_id).unwrap();
    assert_eq!(entry.text("/owner"), alice.id);
    let overview = root
        .get(echorift_tests::path("/_echorift/admin/v1/users", &[&user_id]))
        .await
        .unwrap();
    assert_eq!(overview.text("/source"), "bot");
    let end = echorift_tests::path("/_echorift/admin/v1/users", &[&alice.id, "deactivate"]);
    root.post(end, json!({})).await.unwrap();
    refused(helper.get(v3(["joined_rooms"])).await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn the_operator_says_who_makes_how_many() {
    let server = TestServer::builder().set("bots.per_person", 1).start().await;
    let [alice] = server.register(["alice"]).await;
    bot(&alice, &["read"]).await;
    let body = json!({ "localpart": "another" });
    refused(
        alice.post(ours(&["bots"]), body.clone()).await,
        400,
        "M_RESOURCE_LIMIT_EXCEEDED",
    );
    server.kill();
    server.set("bots.makers", "admins");
    server.restart().await;
    refused(
        alice.post(ours(&["bots"]), body.clone()).await,
        403,
        "M_FORBIDDEN",
    );
    let root = server.register_admin().await;
    root.post(ours(&["bots"]), body.clone()).await.unwrap();
    refused(
        root.post(ours(&["bots"]), json!({ "localpart": alice.localpart }))
            .await,
        400,
        "M_USER_IN_USE",
    );
}
