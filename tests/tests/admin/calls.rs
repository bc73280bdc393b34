use echorift_tests::{Look as _, ScriptedSfu, TestServer, refused, until, v3};
use serde_json::json;

use crate::admin;

#[tokio::test]
async fn calls_are_shown_and_ended() {
    let sfu = ScriptedSfu::start().await;
    let server = sfu.of(TestServer::builder()).start().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice
        .create_room(json!({ "name": "Stand-up", "preset": "public_chat" }))
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
    let path = v3(["user", &bob.id, "openid", "request_token"]);
    let openid = bob.post(path, json!({})).await.unwrap();
    let body = json!({ "room": room, "openid_token": openid, "device_id": bob.device_id });
    let answer = server
        .anonymous()
        .post("/livekit/jwt/sfu/get", body)
        .await
        .unwrap();
    let jwt = answer.text("/jwt");
    sfu.join(&server, jwt, "PA_bob").await;

    let calls = root.get(admin(["calls"])).await.unwrap();
    let [call] = calls.list("/sfus/0/calls") else {
        panic!("{calls}")
    };
    assert_eq!((call.text("/room_id"), call.text("/name")), (&*room, "Stand-up"));
    assert_eq!(call.text("/participants/0/user_id"), bob.id);
    assert_eq!(
        call["participants"][0]["tracks"],
        json!([{ "source": "microphone", "muted": false }])
    );

    let end = admin(["calls", &room, "end"]);
    refused(bob.post(&end, json!({})).await, 403, "M_FORBIDDEN");
    let ended = root.post(&end, json!({ "reason": "late" })).await.unwrap();
    assert_eq!(ended.number("/tokens"), 1);
    until("Bob is put out", async || {
        sfu.participant(jwt).await.is_none().then_some(())
    })
    .await;
    let told = root.get(admin(["audit"]) + "?action=call.end").await.unwrap();
    assert_eq!(
        (told.text("/items/0/target"), told.text("/items/0/reason")),
        (&*room, "late")
    );
    refused(
        root.post(admin(["calls", "!nowhere:x", "end"]), json!({})).await,
        404,
        "M_NOT_FOUND",
    );
}
