use echorift_tests::{Look as _, TestServer, refused};
use serde_json::json;

use super::hooks::{hooks, make};

#[tokio::test]
async fn hooks_are_for_those_who_may_change_the_room() {
    let server = TestServer::shared().await;
    let [alice, bob, mallory] = server.register(["alice", "bob", "mallory"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let body = json!({ "direction": "incoming", "name": "Build" });
    refused(
        bob.post(hooks(&room, &[]), body.clone()).await,
        403,
        "M_FORBIDDEN",
    );
    refused(mallory.get(hooks(&room, &[])).await, 403, "M_FORBIDDEN");
    refused(
        server.anonymous().get(hooks(&room, &[])).await,
        401,
        "M_MISSING_TOKEN",
    );
    // Who may set widgets may set hooks.
    let levels = json!({ "events": { "im.vector.modular.widgets": 0 } });
    alice
        .change_state(&room, "m.room.power_levels", levels)
        .await
        .unwrap();
    alice
        .change_state(&room, "m.room.power_levels", json!({ "invite": 0 }))
        .await
        .unwrap();
    let hook = make(&bob, &room, "incoming", json!({})).await;
    let listed = alice.get(hooks(&room, &[])).await.unwrap();
    assert_eq!(listed.text("/hooks/0/id"), hook.id);
    assert_eq!(listed.text("/hooks/0/created_by"), bob.id);
    // Not by way of another room.
    let other = mallory.create_room(json!({})).await.unwrap();
    refused(
        mallory.delete(hooks(&other, &[&hook.id])).await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn a_hook_can_be_changed_and_turned_off() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({})).await;
    let path = hooks(&room, &[&hook.id]);
    let changed = alice
        .put(&path, json!({ "name": "Deploy", "enabled": false }))
        .await
        .unwrap();
    assert_eq!((changed.text("/name"), changed.text("/state")), ("Deploy", "off"));
    let member = alice.state(&room, "m.room.member", &hook.user_id).await.unwrap();
    assert_eq!(member.text("/displayname"), "Deploy");
    let post = server.anonymous().post(hook.path(), json!({ "text": "x" })).await;
    assert_eq!(post.unwrap_err().status, 403);
    alice.put(&path, json!({ "enabled": true })).await.unwrap();
    server
        .anonymous()
        .post(hook.path(), json!({ "text": "x" }))
        .await
        .unwrap();
    let tested = alice
        .post(hooks(&room, &[&hook.id, "test"]), json!({}))
        .await
        .unwrap();
    assert_eq!(tested, json!({ "delivered": true }));
}

#[tokio::test]
async fn bad_hooks_and_too_many_are_refused() {
    let server = TestServer::builder().set("webhooks.per_room", 2).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    for (body, errcode) in [
        (json!({ "direction": "incoming", "name": " " }), "M_INVALID_PARAM"),
        (json!({ "direction": "sideways", "name": "x" }), "M_BAD_JSON"),
        (json!({ "direction": "outgoing", "name": "x" }), "M_MISSING_PARAM"),
        (
            json!({ "direction": "outgoing", "name": "x", "url": "http://x.example/" }),
            "M_INVALID_PARAM",
        ),
        (
            json!({ "direction": "outgoing", "name": "x", "url": "https://x.example/", "event_types": [] }),
            "M_INVALID_PARAM",
        ),
    ] {
        refused(alice.post(hooks(&room, &[]), body).await, 400, errcode);
    }
    for _ in 0..2 {
        make(&alice, &room, "incoming", json!({})).await;
    }
    let body = json!({ "direction": "incoming", "name": "x" });
    refused(
        alice.post(hooks(&room, &[]), body).await,
        400,
        "M_RESOURCE_LIMIT_EXCEEDED",
    );
    // They outlive a restart, and so does their end.
    let listed = alice.get(hooks(&room, &[])).await.unwrap();
    let [first, second] = [0, 1].map(|index| listed["hooks"][index].text("/id").to_owned());
    alice.delete(hooks(&room, &[&first])).await.unwrap();
    server.kill();
    server.restart().await;
    let listed = alice.get(hooks(&room, &[])).await.unwrap();
    assert_eq!(listed.list("/hooks").len(), 1);
    assert_eq!(listed.text("/hooks/0/id"), second);
}
