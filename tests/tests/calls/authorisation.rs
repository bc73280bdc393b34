use echorift_tests::{Look as _, ScriptedSfu, TestServer, refused};
use serde_json::{Value, json};

use crate::caller::{member_request, openid, server_with_calls, service, sfu_get, token, with};

/// `H(["!abc:example.org","m.call#ROOM"])` and its like.
fn hash(parts: &[&str]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    use sha2::{Digest as _, Sha256};
    STANDARD_NO_PAD.encode(Sha256::digest(json!(parts).to_string()))
}

#[tokio::test]
async fn a_member_of_the_room_gets_a_token_for_its_call() {
    let (server, sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let answer = sfu_get(&server, &alice, &room).await.unwrap();
    assert_eq!(answer.text("/url"), sfu.url());
    let claims = ScriptedSfu::claims(answer.text("/jwt"));
    assert_eq!(claims.sub, format!("{}:{}", alice.id, alice.device_id));
    assert_eq!(claims.video.room, hash(&[&room, "m.call#ROOM"]));
    assert!(claims.video.room_join && claims.video.can_publish() && claims.video.can_subscribe());
    assert!(!claims.video.room_create && !claims.video.room_admin && !claims.video.room_list);
    assert!(claims.video.can_publish_sources.is_empty());
    assert_eq!(claims.exp - claims.nbf, 3600);
    // The room is open before the answer leaves.
    assert_eq!(sfu.rooms().await, [claims.video.room]);
}

#[tokio::test]
async fn members_of_the_sticky_dialect_are_named_by_their_hash() {
    let (server, sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let body = member_request(&alice, &room, "0b9c").await;
    let answer = server.anonymous().post(service("get_token"), body).await.unwrap();
    assert_eq!(answer.text("/url"), sfu.url());
    let claims = ScriptedSfu::claims(answer.text("/jwt"));
    assert_eq!(claims.sub, hash(&[&alice.id, &alice.device_id, "0b9c"]));
    // All dialects of one room meet in one place.
    let state = ScriptedSfu::claims(&token(&server, &alice, &room).await);
    assert_eq!(claims.video.room, state.video.room);
}

#[tokio::test]
async fn an_openid_token_is_good_more_than_once() {
    let (server, _sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let body = json!({ "room": room, "openid_token": openid(&alice).await, "device_id": "ANY" });
    for _ in 0..2 {
        server
            .anonymous()
            .post(service("sfu/get"), body.clone())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn who_is_not_in_the_room_gets_nothing() {
    let (server, sfu) = server_with_calls().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    refused(sfu_get(&server, &carol, &room).await, 403, "M_FORBIDDEN");
    refused(
        sfu_get(&server, &alice, "!nowhere:test.example").await,
        403,
        "M_FORBIDDEN",
    );
    alice.ban(&room, &bob).await.unwrap();
    refused(sfu_get(&server, &bob, &room).await, 403, "M_FORBIDDEN");
    let body = member_request(&bob, &room, "0b9c").await;
    refused(
        server.anonymous().post(service("get_token"), body).await,
        403,
        "M_FORBIDDEN",
    );
    // Nothing was opened for them.
    assert!(sfu.rooms().await.is_empty());
}

#[tokio::test]
async fn tokens_that_are_not_the_users_own_are_refused() {
    let (server, _sfu) = server_with_calls().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let ask = async |path: &str, body: Value| server.anonymous().post(service(path), body).await;

    let invented = json!({ "access_token": "invented", "matrix_server_name": "test.example" });
    let body = json!({ "room": room, "openid_token": invented, "device_id": "DEV" });
    refused(ask("sfu/get", body).await, 401, "M_UNAUTHORIZED");
    // An access token is no OpenID token.
    let access = json!({ "access_token": alice.token, "matrix_server_name": "test.example" });
    let body = json!({ "room": room, "openid_token": access, "device_id": "DEV" });
    refused(ask("sfu/get", body).await, 401, "M_UNAUTHORIZED");
    // A good one, but of somebody else than who is claimed.
    let mut body = member_request(&alice, &room, "0b9c").await;
    body["member"]["claimed_user_id"] = bob.id.clone().into();
    refused(ask("get_token", body).await, 401, "M_UNAUTHORIZED");
    // A good one, sent to the wrong place.
    let mut body = json!({ "room": room, "openid_token": openid(&alice).await, "device_id": "DEV" });
    body["openid_token"]["matrix_server_name"] = "elsewhere.invalid".into();
    refused(ask("sfu/get", body).await, 401, "M_UNAUTHORIZED");
}

#[tokio::test]
async fn requests_must_be_complete() {
    let (server, _sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let sfu_get = json!({ "room": room, "openid_token": openid(&alice).await, "device_id": "DEV" });
    let get_token = member_request(&alice, &room, "0b9c").await;
    let ask = async |path: &str, body: Value| server.anonymous().post(service(path), body).await;
    for (path, body, fields) in [
        (
            "sfu/get",
            &sfu_get,
            ["room", "openid_token", "device_id"].as_slice(),
        ),
        (
            "get_token",
            &get_token,
            &["room_id", "slot_id", "openid_token", "member"],
        ),
    ] {
        for field in fields {
            let mut lacking = body.clone();
            lacking.as_object_mut().unwrap().remove(*field);
            refused(ask(path, lacking).await, 400, "M_BAD_JSON");
            let mut empty = body.clone();
            empty[*field] = "".into();
            refused(ask(path, empty).await, 400, "M_BAD_JSON");
        }
        for half in [
            json!({ "delay_id": "x" }),
            json!({ "delay_timeout": 1000 }),
            json!({ "delay_id": "", "delay_timeout": 1000 }),
            json!({ "delay_id": "x", "delay_timeout": 0 }),
        ] {
            refused(ask(path, with(body.clone(), &half)).await, 400, "M_BAD_JSON");
        }
        // What nobody knows is passed over.
        ask(
            path,
            with(body.clone(), &json!({ "delay_cs_api_url": "x", "more": 1 })),
        )
        .await
        .unwrap();
    }
    for field in ["id", "claimed_user_id", "claimed_device_id"] {
        let mut lacking = get_token.clone();
        lacking["member"].as_object_mut().unwrap().remove(field);
        refused(ask("get_token", lacking).await, 400, "M_BAD_JSON");
    }
    let not_json = server
        .anonymous()
        .send_bytes(reqwest::Method::POST, service("sfu/get"), "{")
        .await;
    refused(not_json, 400, "M_NOT_JSON");
}

#[tokio::test]
async fn any_web_page_may_ask() {
    let (server, _sfu) = server_with_calls().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["sfu/get", "get_token", "delegate_delayed_leave"] {
        let url = format!("{}{}", server.base_url(), service(path));
        let preflight = http.request(reqwest::Method::OPTIONS, &url).send().await.unwrap();
        let refusal = http.post(&url).body("{}").send().await.unwrap();
        assert_eq!(
            (preflight.status(), refusal.status()),
            (200.try_into().unwrap(), 400.try_into().unwrap())
        );
        for answer in [preflight, refusal] {
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("access-control-allow-origin"), "*");
            assert!(header("access-control-allow-methods").contains("POST"));
            assert!(header("access-control-allow-headers").contains("Content-Type"));
        }
        let other = http.get(&url).send().await.unwrap();
        assert_eq!(other.status(), 405);
    }
    let health = http.get(format!("{}{}", server.base_url(), service("healthz")));
    assert_eq!(health.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_sfu_that_is_away_is_told() {
    let (server, sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    sfu.set_down(true).await;
    refused(sfu_get(&server, &alice, &room).await, 500, "M_UNKNOWN");
    sfu.set_down(false).await;
    sfu_get(&server, &alice, &room).await.unwrap();
}

#[tokio::test]
async fn tokens_are_limited_by_user() {
    let sfu = ScriptedSfu::start().await;
    let builder = sfu.of(TestServer::builder());
    let server = builder
        .set("rate_limits.enabled", true)
        .set("rate_limits.calls.burst", 3)
        .set("rate_limits.calls.per_second", 0.01)
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for _ in 0..3 {
        sfu_get(&server, &alice, &room).await.unwrap();
    }
    refused(sfu_get(&server, &alice, &room).await, 429, "M_LIMIT_EXCEEDED");
    sfu_get(&server, &bob, &room).await.unwrap();
}
