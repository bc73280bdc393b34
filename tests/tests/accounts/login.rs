use echorift_tests::{Look as _, TestServer, User, refused, v1, v3};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn passwords_are_offered_and_taken_with_name_or_full_id() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let flows = server.anonymous().get(v3(["login"])).await.unwrap();
    assert!(
        flows
            .list("/flows")
            .iter()
            .any(|flow| flow["type"] == "m.login.password"),
        "{flows}"
    );

    for name in [&alice.localpart, &alice.id] {
        let answer = server
            .anonymous()
            .log_in(name, &alice.password, json!({}))
            .await
            .unwrap();
        assert_eq!(answer.text("/user_id"), alice.id);
        let whoami = server
            .with_token(answer.text("/access_token"))
            .get(v3(["account", "whoami"]))
            .await
            .unwrap();
        assert_eq!(whoami.text("/user_id"), alice.id);
        assert_eq!(whoami.text("/device_id"), answer.text("/device_id"));
        assert_ne!(whoami["is_guest"], true);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let anyone = server.anonymous();
    let wrong = refused(
        anyone.log_in(&alice.id, "wrong", json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    let unknown = refused(
        anyone.log_in("nobody-at-all", "wrong", json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    assert_eq!(wrong.body, unknown.body);
    refused(
        anyone
            .log_in("@alice:elsewhere.example", "wrong", json!({}))
            .await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn an_unknown_kind_of_login_is_refused() {
    let server = TestServer::shared().await;
    refused(
        server
            .anonymous()
            .post(v3(["login"]), json!({ "type": "org.example.smile" }))
            .await,
        400,
        "M_UNKNOWN",
    );
}

#[tokio::test]
async fn logging_in_with_a_device_id_takes_that_device_over() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let more = json!({ "device_id": "LAPTOP", "initial_device_display_name": "Alice's laptop" });
    let first = server
        .anonymous()
        .log_in(&alice.id, &alice.password, more)
        .await
        .unwrap();
    assert_eq!(first.text("/device_id"), "LAPTOP");
    let second = server
        .anonymous()
        .log_in(&alice.id, &alice.password, json!({ "device_id": "LAPTOP" }))
        .await
        .unwrap();

    let before = server.with_token(first.text("/access_token"));
    let refusal = refused(
        before.get(v3(["account", "whoami"])).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    assert_ne!(refusal.body["soft_logout"], true);
    let now = server.with_token(second.text("/access_token"));
    let device = now.get(v3(["devices", "LAPTOP"])).await.unwrap();
    assert_eq!(device.text("/display_name"), "Alice's laptop");
}

#[tokio::test]
async fn a_login_token_opens_one_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(capabilities["capabilities"]["m.get_login_token"]["enabled"], true);
    let flows = server.anonymous().get(v3(["login"])).await.unwrap();
    let flow = flows
        .list("/flows")
        .iter()
        .find(|flow| flow["type"] == "m.login.token")
        .cloned();
    assert_eq!(flow.expect("tokens are taken")["get_login_token"], true);

    let made = alice
        .confirm(Method::POST, v1(["login", "get_token"]), json!({}))
        .await
        .unwrap();
    assert!(made.number("/expires_in_ms") > 0);
    let request = json!({ "type": "m.login.token", "token": made.text("/login_token") });
    let answer = server
        .anonymous()
        .post(v3(["login"]), request.clone())
        .await
        .unwrap();
    assert_eq!(answer.text("/user_id"), alice.id);
    assert_ne!(answer.text("/device_id"), alice.device_id);
    refused(
        server.anonymous().post(v3(["login"]), request).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn guessing_passwords_is_slowed_for_the_account_and_not_for_others() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.login.per_second", 0.01)
        .set("rate_limits.login.burst", 6)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let mut last = None;
    for _ in 0..10 {
        let refusal = server
            .anonymous()
            .log_in(&alice.id, "guess", json!({}))
            .await
            .unwrap_err();
        let is_slowed = refusal.status == 429;
        last = Some(refusal);
        if is_slowed {
            break;
        }
    }
    let refusal = last.unwrap();
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (429, "M_LIMIT_EXCEEDED")
    );
    assert!(refusal.body.number("/retry_after_ms") > 0);
    // Who is in stays in.
    alice.get(v3(["account", "whoami"])).await.unwrap();
}

#[tokio::test]
async fn a_slowed_client_is_told_in_the_header_as_well() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.messages.per_second", 0.01)
        .set("rate_limits.messages.burst", 3)
        .start()
        .await;
    let alice = User::register(&server, "alice", false).await;
    let room = alice.create_room_with(&[]).await;
    for txn in 0..20 {
        let path = v3(["rooms", &room, "send", "m.room.message", &txn.to_string()]);
        let message = json!({ "msgtype": "m.text", "body": "again" });
        let response = alice
            .request(Method::PUT, path)
            .json(&message)
            .send()
            .await
            .unwrap();
        if response.status() == 429 {
            let header = response
                .headers()
                .get("retry-after")
                .expect("a Retry-After header")
                .clone();
            assert!(header.to_str().unwrap().parse::<u64>().unwrap() > 0);
            return;
        }
        assert_eq!(response.status(), 200);
    }
    panic!("twenty messages at once passed a limit of three");
}
