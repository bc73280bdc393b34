use base64::{Engine as _, engine::general_purpose::STANDARD};
use echorift_tests::{Look as _, TestServer, refused, v3};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha1::Sha1;

#[tokio::test]
async fn callers_get_credentials_that_the_turn_server_can_check() {
    let server = TestServer::builder()
        .set(
            "calls.turn.uris",
            vec!["turn:turn.example.org:3478?transport=udp"],
        )
        .set("calls.turn.secret", "the north remembers")
        .set("calls.turn.lifetime", "2h")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let answer = alice.get(v3(["voip", "turnServer"])).await.unwrap();
    assert_eq!(
        answer["uris"],
        json!(["turn:turn.example.org:3478?transport=udp"])
    );
    assert_eq!(answer.number("/ttl"), 7200);
    let username = answer.text("/username");
    let (expiry, user) = username.split_once(':').unwrap();
    assert_eq!(user, alice.id);
    assert!(expiry.parse::<i64>().unwrap() > 7200);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"the north remembers").unwrap();
    mac.update(username.as_bytes());
    assert_eq!(
        answer.text("/password"),
        STANDARD.encode(mac.finalize().into_bytes())
    );
    refused(
        server.anonymous().get(v3(["voip", "turnServer"])).await,
        401,
        "M_MISSING_TOKEN",
    );
}

#[tokio::test]
async fn without_a_turn_server_there_is_nothing_to_tell() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    assert_eq!(alice.get(v3(["voip", "turnServer"])).await.unwrap(), json!({}));
}
