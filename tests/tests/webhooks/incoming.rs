use echorift_tests::{Answer, Caller, Look as _, TestServer, refused};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::hooks::{hooks, make, newest};

/// Posts as a program does; the status, the text, and how long to wait.
async fn post(
    caller: &Caller,
    path: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, String, bool) {
    let request = caller
        .request(Method::POST, path)
        .header("content-type", content_type)
        .body(body);
    let response = request.send().await.unwrap();
    let (status, waits) = (
        response.status().as_u16(),
        response.headers().contains_key("retry-after"),
    );
    (status, response.text().await.unwrap(), waits)
}

async fn post_json(caller: &Caller, path: &str, body: serde_json::Value) -> (u16, String) {
    let (status, text, _) = post(caller, path, "application/json", body.to_string()).await;
    (status, text)
}

#[tokio::test]
async fn a_program_writes_into_a_room_as_a_named_member() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let hook = make(
        &alice,
        &room,
        "incoming",
        json!({ "avatar_url": "mxc://test.example/picture" }),
    )
    .await;
    let program = server.anonymous();
    assert_eq!(
        post_json(
            &program,
            hook.path(),
            json!({ "text": "*Build* 7 <https://ci.example|failed>" })
        )
        .await,
        (200, "ok".to_owned())
    );
    let event = newest(&bob, &room).await;
    assert_eq!(event.text("/sender"), hook.user_id);
    assert_eq!(event.text("/content/body"), "Build 7 failed (https://ci.example)");
    assert_eq!(
        event.text("/content/formatted_body"),
        "<strong>Build</strong> 7 <a href=\"https://ci.example\">failed</a>"
    );
    let member = bob.state(&room, "m.room.member", &hook.user_id).await.unwrap();
    assert_eq!(
        (member.text("/displayname"), member.text("/avatar_url")),
        ("Build", "mxc://test.example/picture")
    );
    // The other shapes.
    let form = "payload=%7B%22text%22%3A%22by+form%22%7D";
    post(&program, hook.path(), "application/x-www-form-urlencoded", form).await;
    assert_eq!(newest(&bob, &room).await.text("/content/body"), "by form");
    post(&program, hook.path(), "text/plain", "*plain*").await;
    let event = newest(&bob, &room).await;
    assert_eq!(event.text("/content/body"), "*plain*");
    assert!(event["content"]["formatted_body"].is_null());
    // Nobody logs in as the hook.
    let refusal = program.log_in(&hook.user_id, "", json!({})).await;
    refused(refusal, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn who_does_not_know_the_address_writes_nothing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({})).await;
    let program = server.anonymous();
    let text = json!({ "text": "let me in" });
    let without_secret = format!("/_echorift/hooks/v1/{}", hook.id);
    for path in [
        format!("{without_secret}/guess"),
        without_secret,
        "/_echorift/hooks/v1/nothing/guess".to_owned(),
    ] {
        let (status, sentence) = post_json(&program, &path, text.clone()).await;
        assert_eq!((status, &*sentence), (404, "There is no such webhook."), "{path}");
    }
    // The secret of before is none any more.
    let rotated = alice
        .post(hooks(&room, &[&hook.id, "rotate"]), json!({}))
        .await
        .unwrap();
    assert_eq!(post_json(&program, hook.path(), text.clone()).await.0, 404);
    let address = rotated.text("/post_url");
    let path = &address[address.find("/_echorift/").unwrap()..];
    assert_eq!(post_json(&program, path, text.clone()).await.0, 200);
    // Nor is it shown again.
    let shown = alice.get(hooks(&room, &[&hook.id])).await.unwrap();
    assert!(
        shown["post_url"].is_null() && shown["signing_key"].is_null(),
        "{shown}"
    );
    alice.delete(hooks(&room, &[&hook.id])).await.unwrap();
    assert_eq!(post_json(&program, path, text).await.0, 404);
    assert_eq!(newest(&alice, &room).await.text("/content/membership"), "leave");
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_a_sentence() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({})).await;
    let program = server.anonymous();
    for (content_type, body, status, sentence) in [
        ("application/json", "{", 400, "The payload is not JSON"),
        ("application/json", "{}", 400, "the message has no text."),
        (
            "application/x-www-form-urlencoded",
            "a=b",
            400,
            "The form has no field `payload`.",
        ),
        ("text/plain", " ", 400, "the message has no text."),
    ] {
        let (answered, text, _) = post(&program, hook.path(), content_type, body).await;
        assert_eq!(answered, status, "{body}");
        assert!(text.starts_with(sentence), "{text}");
    }
    let (status, sentence, _) = post(&program, hook.path(), "text/plain", "x".repeat(256 * 1024 + 1)).await;
    assert_eq!((status, &*sentence), (413, "The body is larger than 256 KiB."));
    let (status, ..) = post(&program, hook.path(), "text/plain", "x".repeat(50_000)).await;
    assert_eq!(status, 413, "longer than a message");
    let long = "ä".repeat(19_000);
    assert_eq!(
        post_json(&program, hook.path(), json!({ "text": long })).await.0,
        200
    );
}

#[tokio::test]
async fn a_name_of_its_own_is_for_hooks_that_allow_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let payload = json!({ "text": "up", "username": "Monitor", "icon_emoji": ":tada:" });
    for (allows, body) in [(false, "up"), (true, "Monitor: up")] {
        let hook = make(
            &alice,
            &room,
            "incoming",
            json!({ "allow_name_override": allows }),
        )
        .await;
        assert_eq!(
            post_json(&server.anonymous(), hook.path(), payload.clone())
                .await
                .0,
            200
        );
        let event = newest(&alice, &room).await;
        assert_eq!(event.text("/content/body"), body);
        let profile = &event["content"]["com.beeper.per_message_profile"]["displayname"];
        assert_eq!(profile.as_str(), allows.then_some("Monitor"));
    }
}

#[tokio::test]
async fn who_posts_too_much_is_told_when_to_come_again() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.webhooks.per_second", 0.01)
        .set("rate_limits.webhooks.burst", 3)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let [busy, other] = [
        make(&alice, &room, "incoming", json!({})).await,
        make(&alice, &room, "incoming", json!({})).await,
    ];
    let program = server.anonymous();
    // Who only guesses uses nothing up.
    for _ in 0..5 {
        let forged = format!("/_echorift/hooks/v1/{}/guess", busy.id);
        assert_eq!(post(&program, &forged, "text/plain", "x").await.0, 404);
    }
    for _ in 0..3 {
        assert_eq!(post(&program, busy.path(), "text/plain", "x").await.0, 200);
    }
    let (status, _, waits) = post(&program, busy.path(), "text/plain", "x").await;
    assert_eq!((status, waits), (429, true));
    assert_eq!(post(&program, other.path(), "text/plain", "x").await.0, 200);
}

#[tokio::test]
async fn the_room_has_the_last_word() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({})).await;
    let program = server.anonymous();
    let kick: Answer = alice
        .post(
            echorift_tests::v3(["rooms", &room, "kick"]),
            json!({ "user_id": hook.user_id }),
        )
        .await;
    kick.unwrap();
    let (status, sentence) = post_json(&program, hook.path(), json!({ "text": "still here" })).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{sentence}");
    // An encrypted room takes no plain text.
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({})).await;
    let algorithm = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
    alice
        .set_state(&room, "m.room.encryption", "", algorithm)
        .await
        .unwrap();
    let (status, _) = post_json(&program, hook.path(), json!({ "text": "in plain" })).await;
    assert_eq!(status, 400);
    let body = json!({ "direction": "incoming", "name": "x" });
    refused(alice.post(hooks(&room, &[]), body).await, 400, "M_BAD_STATE");
}
