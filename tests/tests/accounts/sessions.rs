use echorift_tests::{Caller, Look as _, PATIENCE, Refusal, TestServer, refused, v3};
use serde_json::{Value, json};

const WHOAMI: &str = "/_matrix/client/v3/account/whoami";

async fn refresh(server: &TestServer, refresh_token: &str) -> Result<Value, Refusal> {
    server
        .anonymous()
        .post(v3(["refresh"]), json!({ "refresh_token": refresh_token }))
        .await
}

/// Asks until the token is refused; bounded by the test's patience.
async fn until_refused(caller: &Caller) -> Refusal {
    let asking = async {
        loop {
            if let Err(refusal) = caller.get(WHOAMI).await {
                return refusal;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("the token expires")
}

#[tokio::test]
async fn refreshing_gives_new_tokens_and_ends_the_old_ones() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let login = server
        .anonymous()
        .log_in(&alice.id, &alice.password, json!({ "refresh_token": true }))
        .await
        .unwrap();
    assert!(login.number("/expires_in_ms") > 0);

    let second = refresh(&server, login.text("/refresh_token")).await.unwrap();
    assert_ne!(second.text("/access_token"), login.text("/access_token"));
    assert_ne!(second.text("/refresh_token"), login.text("/refresh_token"));
    let who = server
        .with_token(second.text("/access_token"))
        .get(WHOAMI)
        .await
        .unwrap();
    assert_eq!(who.text("/device_id"), login.text("/device_id"));

    let third = refresh(&server, second.text("/refresh_token")).await.unwrap();
    server
        .with_token(third.text("/access_token"))
        .get(WHOAMI)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_can_be_repeated() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let login = server
        .anonymous()
        .log_in(&alice.id, &alice.password, json!({ "refresh_token": true }))
        .await
        .unwrap();
    refresh(&server, login.text("/refresh_token")).await.unwrap();
    let again = refresh(&server, login.text("/refresh_token")).await.unwrap();
    server
        .with_token(again.text("/access_token"))
        .get(WHOAMI)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refresh_token_used_after_its_successor_ends_the_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let login = server
        .anonymous()
        .log_in(&alice.id, &alice.password, json!({ "refresh_token": true }))
        .await
        .unwrap();
    let second = refresh(&server, login.text("/refresh_token")).await.unwrap();
    let current = server.with_token(second.text("/access_token"));
    current.get(WHOAMI).await.unwrap();
    refresh(&server, second.text("/refresh_token")).await.unwrap();

    refused(
        refresh(&server, login.text("/refresh_token")).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    refused(current.get(WHOAMI).await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn an_unknown_refresh_token_is_refused() {
    let server = TestServer::shared().await;
    refused(refresh(&server, "made-up").await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn an_expired_access_token_asks_for_a_refresh() {
    let server = TestServer::builder()
        .set("sessions.access_token_lifetime", "1s")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let login = server
        .anonymous()
        .log_in(&alice.id, &alice.password, json!({ "refresh_token": true }))
        .await
        .unwrap();
    assert!(login.number("/expires_in_ms") <= 1000);
    let refusal = until_refused(&server.with_token(login.text("/access_token"))).await;
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (401, "M_UNKNOWN_TOKEN")
    );
    assert_eq!(refusal.body["soft_logout"], true);
    refresh(&server, login.text("/refresh_token")).await.unwrap();
}

#[tokio::test]
async fn a_session_without_refresh_ends_softly_and_its_device_stays() {
    let server = TestServer::builder()
        .set("sessions.without_refresh_lifetime", "1s")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let refusal = until_refused(&alice).await;
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (401, "M_UNKNOWN_TOKEN")
    );
    assert_eq!(refusal.body["soft_logout"], true);
    let more = json!({ "device_id": alice.device_id });
    let again = server
        .anonymous()
        .log_in(&alice.id, &alice.password, more)
        .await
        .unwrap();
    assert_eq!(again.text("/device_id"), alice.device_id);
}

#[tokio::test]
async fn logging_out_ends_the_session_and_removes_the_device() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    phone.post(v3(["logout"]), json!({})).await.unwrap();
    let refusal = refused(phone.get(WHOAMI).await, 401, "M_UNKNOWN_TOKEN");
    assert_ne!(refusal.body["soft_logout"], true);
    let devices = alice.get(v3(["devices"])).await.unwrap();
    assert!(
        devices
            .list("/devices")
            .iter()
            .all(|device| device["device_id"] != phone.device_id.as_str())
    );
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    alice.post(v3(["logout", "all"]), json!({})).await.unwrap();
    refused(phone.get(WHOAMI).await, 401, "M_UNKNOWN_TOKEN");
    refused(alice.get(WHOAMI).await, 401, "M_UNKNOWN_TOKEN");
    alice.on_another_device().await.get(WHOAMI).await.unwrap();
}

#[tokio::test]
async fn sessions_and_log_outs_survive_a_kill() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    phone.post(v3(["logout"]), json!({})).await.unwrap();
    server.kill();
    server.restart().await;
    alice.get(WHOAMI).await.unwrap();
    refused(phone.get(WHOAMI).await, 401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn tokens_missing_or_forged_are_told_apart() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    refused(server.anonymous().get(WHOAMI).await, 401, "M_MISSING_TOKEN");
    refused(
        server.with_token("made-up").get(WHOAMI).await,
        401,
        "M_UNKNOWN_TOKEN",
    );

    // A token whose last letter differs in a bit that counts, and one that claims to need no signature.
    let token = alice.token.clone().unwrap();
    let middle = token.len() - 10;
    let other = if token.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let forged = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
    refused(
        server.with_token(&forged).get(WHOAMI).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    let unsigned = format!(
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.",
        token.split('.').nth(1).unwrap_or_default()
    );
    refused(
        server.with_token(&unsigned).get(WHOAMI).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
}
