use echorift_tests::{Answer, Caller, Look as _, TestServer, User, path, refused, v3};
use serde_json::{Value, json};

pub(crate) fn ours(parts: &[&str]) -> String {
    path("/_echorift/v1", parts)
}

/// Makes a token for the user's own account.
async fn token(user: &User, scopes: &[&str]) -> Caller {
    let body = json!({ "name": "script", "scopes": scopes });
    let made = user.post(ours(&["tokens"]), body).await.unwrap();
    assert!(made.text("/token").starts_with("ert_"), "{made}");
    user.server.with_token(made.text("/token"))
}

async fn send(caller: &Caller, room: &str) -> Answer {
    let transaction = echorift_tests::fresh("txn");
    let path = v3(["rooms", room, "send", "m.room.message", &transaction]);
    caller
        .put(path, json!({ "msgtype": "m.text", "body": "by a script" }))
        .await
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let room = root.create_room(json!({})).await.unwrap();
    let messages = v3(["rooms", &room, "messages"]) + "?dir=b";
    let (topic, invite) = (
        v3(["rooms", &room, "state", "m.room.topic"]),
        v3(["rooms", &room, "invite"]),
    );
    let reader = token(&root, &["read"]).await;
    reader.get(&messages).await.unwrap();
    reader.get(v3(["sync"])).await.unwrap();
    assert_eq!(
        reader.get(v3(["account", "whoami"])).await.unwrap()["user_id"],
        *root.id
    );
    let refusal = refused(send(&reader, &room).await, 403, "M_FORBIDDEN");
    assert!(refusal.body.text("/error").contains("`send`"), "{refusal}");
    refused(
        reader.put(&topic, json!({ "topic": "x" })).await,
        403,
        "M_FORBIDDEN",
    );

    let sender = token(&root, &["send"]).await;
    send(&sender, &room).await.unwrap();
    refused(sender.get(&messages).await, 403, "M_FORBIDDEN");
    refused(sender.get(v3(["sync"])).await, 403, "M_FORBIDDEN");

    let manager = token(&root, &["manage"]).await;
    manager.put(&topic, json!({ "topic": "x" })).await.unwrap();
    let [bob] = server.register(["bob"]).await;
    manager.post(&invite, json!({ "user_id": bob.id })).await.unwrap();

    // Neither the account nor the server is for those three.
    let all = token(&root, &["read", "send", "manage"]).await;
    let name = v3(["profile", &root.id, "displayname"]);
    refused(
        all.put(&name, json!({ "displayname": "x" })).await,
        403,
        "M_FORBIDDEN",
    );
    refused(all.get(v3(["devices"])).await, 403, "M_FORBIDDEN");
    refused(all.get(ours(&["tokens"])).await, 403, "M_FORBIDDEN");
    refused(all.get("/_echorift/admin/v1/users").await, 403, "M_FORBIDDEN");
    let whoami = all.get("/_echorift/admin/v1/whoami").await;
    refused(whoami, 403, "M_FORBIDDEN");
    let owner = token(&root, &["account"]).await;
    owner.put(&name, json!({ "displayname": "x" })).await.unwrap();
    refused(owner.get("/_echorift/admin/v1/users").await, 403, "M_FORBIDDEN");
    let admin = token(&root, &["admin"]).await;
    admin.get("/_echorift/admin/v1/users").await.unwrap();
}

#[tokio::test]
async fn a_token_for_sending_moderates_nobody() {
    let server = TestServer::shared().await;
    let [moderator, bob] = server.register(["moderator", "bob"]).await;
    let room = moderator.create_room_with(&[&bob]).await;
    let (of_bob, own) = (
        bob.send_text(&room, "by bob").await.unwrap(),
        moderator.send_text(&room, "by the moderator").await.unwrap(),
    );
    let redact = |event: &str| v3(["rooms", &room, "redact", event, &echorift_tests::fresh("txn")]);
    let by_content = v3([
        "rooms",
        &room,
        "send",
        "m.room.redaction",
        &echorift_tests::fresh("txn"),
    ]);
    let later = |kind: &str| {
        v3([
            "rooms",
            &room,
            "delayed_event",
            kind,
            &echorift_tests::fresh("txn"),
        ])
    };
    let state = json!({ "delay_ms": 100, "state_key": "", "content": { "topic": "x" } });
    let redaction = json!({ "delay_ms": 100, "content": { "redacts": of_bob } });

    let sender = token(&moderator, &["send"]).await;
    refused(sender.put(redact(&of_bob), json!({})).await, 403, "M_FORBIDDEN");
    let refusal = sender.put(&by_content, json!({ "redacts": of_bob })).await;
    assert!(
        refused(refusal, 403, "M_FORBIDDEN")
            .body
            .text("/error")
            .contains("`manage`")
    );
    for (kind, body) in [("m.room.topic", &state), ("m.room.redaction", &redaction)] {
        refused(sender.put(later(kind), body.clone()).await, 403, "M_FORBIDDEN");
    }
    sender.put(redact(&own), json!({})).await.unwrap();

    let manager = token(&moderator, &["send", "manage"]).await;
    manager.put(later("m.room.topic"), state).await.unwrap();
    manager.put(redact(&of_bob), json!({})).await.unwrap();
}

#[tokio::test]
async fn a_token_for_one_room_sees_no_other() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (here, there) = (
        alice.create_room(json!({})).await.unwrap(),
        alice.create_room(json!({})).await.unwrap(),
    );
    let only = format!("rooms:{here}");
    let script = token(&alice, &["read", "send", &only]).await;
    send(&script, &here).await.unwrap();
    script
        .get(v3(["rooms", &here, "messages"]) + "?dir=b")
        .await
        .unwrap();
    refused(send(&script, &there).await, 403, "M_FORBIDDEN");
    refused(
        script.get(v3(["rooms", &there, "messages"]) + "?dir=b").await,
        403,
        "M_FORBIDDEN",
    );
    refused(script.get(v3(["sync"])).await, 403, "M_FORBIDDEN");
    refused(script.get(v3(["joined_rooms"])).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_token_is_shown_once_listed_and_revoked() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let body = json!({ "name": "nightly", "scopes": ["read"] });
    let made = alice.post(ours(&["tokens"]), body).await.unwrap();
    let (id, script) = (
        made.text("/id").to_owned(),
        server.with_token(made.text("/token")),
    );
    script.get(v3(["joined_rooms"])).await.unwrap();
    let listed = alice.get(ours(&["tokens"])).await.unwrap();
    assert_eq!(listed.list("/tokens").len(), 1);
    let shown = &listed["tokens"][0];
    assert_eq!(
        (shown.text("/name"), &shown["scopes"]),
        ("nightly", &json!(["read"]))
    );
    assert!(
        shown["token"].is_null() && shown["last_used_at"].is_number(),
        "{shown}"
    );
    assert!(!listed.to_string().contains(made.text("/token")));
    // It outlives a restart.
    server.kill();
    server.restart().await;
    script.get(v3(["joined_rooms"])).await.unwrap();
    refused(bob.delete(ours(&["tokens", &id])).await, 404, "M_NOT_FOUND");
    alice.delete(ours(&["tokens", &id])).await.unwrap();
    refused(script.get(v3(["joined_rooms"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(alice.delete(ours(&["tokens", &id])).await, 404, "M_NOT_FOUND");
    server.kill();
    server.restart().await;
    refused(script.get(v3(["joined_rooms"])).await, 401, "M_UNKNOWN_TOKEN");
    // Whoever logs out everywhere means these, too.
    let script = token(&alice, &["read"]).await;
    alice.post(v3(["logout", "all"]), json!({})).await.unwrap();
    refused(script.get(v3(["joined_rooms"])).await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn a_token_begets_none_and_expires() {
    let server = TestServer::builder()
        .set("bots.tokens_per_account", 2)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let script = token(&alice, &["account"]).await;
    let more = json!({ "name": "more", "scopes": ["admin"] });
    refused(script.post(ours(&["tokens"]), more).await, 403, "M_FORBIDDEN");
    let bot = json!({ "localpart": "helper" });
    refused(script.post(ours(&["bots"]), bot).await, 403, "M_FORBIDDEN");
    for body in [
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["write"] }),
        json!({ "name": "x", "scopes": ["rooms:!a:x"] }),
        json!({ "name": " ", "scopes": ["read"] }),
        json!({ "name": "x", "scopes": ["read"], "expires_at": 1 }),
    ] {
        refused(alice.post(ours(&["tokens"]), body).await, 400, "M_INVALID_PARAM");
    }
    let soon = echorift_tests::now_ms() + 1_500;
    let body = json!({ "name": "short", "scopes": ["read"], "expires_at": soon });
    let made = alice.post(ours(&["tokens"]), body.clone()).await.unwrap();
    let script = server.with_token(made.text("/token"));
    script.get(v3(["joined_rooms"])).await.unwrap();
    refused(
        alice
            .post(ours(&["tokens"]), json!({ "name": "x", "scopes": ["read"] }))
            .await,
        400,
        "M_RESOURCE_LIMIT_EXCEEDED",
    );
    loop {
        match script.get(v3(["joined_rooms"])).await {
            Ok(Value::Object(_)) => tokio::task::yield_now().await,
            answer => {
                refused(answer, 401, "M_UNKNOWN_TOKEN");
                break;
            }
        }
    }
}
