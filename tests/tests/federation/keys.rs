use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use echorift_tests::{Look as _, TestServer, refused, run_cli};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use reqwest::Method;
use serde_json::{Value, json};

/// The only key, its ID, and whether it signed the object. Canonical JSON is what `serde_json` writes, for nothing in
/// these objects is written in more than one way.
fn signer(published: &Value) -> (String, bool) {
    let (id, key) = published["verify_keys"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    let bytes = |text: &str| STANDARD_NO_PAD.decode(text).unwrap();
    let key = VerifyingKey::from_bytes(&bytes(key.text("/key")).try_into().unwrap()).unwrap();
    let signature = published["signatures"]["test.example"][id].as_str().unwrap();
    let signature = Signature::from_slice(&bytes(signature)).unwrap();
    let mut unsigned = published.clone();
    unsigned.as_object_mut().unwrap().remove("signatures");
    (
        id.clone(),
        key.verify(unsigned.to_string().as_bytes(), &signature).is_ok(),
    )
}

#[tokio::test]
async fn our_key_is_published_and_handed_out_by_ourselves_as_a_notary() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    let published = anyone.get("/_matrix/key/v2/server").await.unwrap();
    assert_eq!(published.text("/server_name"), server.name());
    assert!(published.number("/valid_until_ts") > 1_700_000_000_000);
    let (id, is_signed) = signer(&published);
    assert!(is_signed, "{published}");

    let one = anyone.get("/_matrix/key/v2/query/test.example").await.unwrap();
    assert_eq!(signer(&one["server_keys"][0]), (id.clone(), true));
    let body = json!({ "server_keys": { "test.example": { id.as_str(): {} } } });
    let batch = anyone.post("/_matrix/key/v2/query", body).await.unwrap();
    assert_eq!(signer(&batch["server_keys"][0]), (id, true));
    let none = anyone
        .post("/_matrix/key/v2/query", json!({ "server_keys": {} }))
        .await
        .unwrap();
    assert_eq!(none, json!({ "server_keys": [] }));
    // A server that does not exist has no keys, and is no error.
    let gone = anyone.get("/_matrix/key/v2/query/127.0.0.1:1").await.unwrap();
    assert_eq!(gone, json!({ "server_keys": [] }));
}

#[tokio::test]
async fn a_rotated_key_is_published_as_an_old_one() {
    let server = TestServer::start().await;
    let anyone = server.anonymous();
    let (first, _) = signer(&anyone.get("/_matrix/key/v2/server").await.unwrap());
    let config = server.config_file();
    let rotate = || run_cli(["rotate-key".as_ref(), "--config".as_ref(), config.as_os_str()]);
    // PostgreSQL has no lock that tells.
    if std::env::var("ECHORIFT_TEST_DATABASE").as_deref() != Ok("postgres") {
        assert!(
            !rotate().status.success(),
            "a running server would go on with its old key"
        );
    }
    assert!(server.stop().await);
    let rotated = rotate();
    assert!(
        rotated.status.success(),
        "{}",
        String::from_utf8_lossy(&rotated.stderr)
    );
    server.restart().await;
    let published = anyone.get("/_matrix/key/v2/server").await.unwrap();
    let (second, is_signed) = signer(&published);
    assert!(is_signed && second != first, "{published}");
    assert!(
        published["old_verify_keys"][&first]["expired_ts"].is_i64(),
        "{published}"
    );
}

#[tokio::test]
async fn a_request_that_nobody_signed_is_refused() {
    let server = TestServer::shared().await;
    let path = "/_matrix/federation/v1/send/1";
    let body = json!({ "origin": "a.example", "origin_server_ts": 1, "pdus": [] });
    let answer = server.anonymous().call(Method::PUT, path, Some(body)).await;
    refused(answer, 401, "M_UNAUTHORIZED");
}

#[tokio::test]
async fn a_server_without_federation_has_no_endpoints_for_others() {
    let server = TestServer::builder().set("federation.mode", "off").start().await;
    let anyone = server.anonymous();
    for path in [
        "/_matrix/key/v2/server",
        "/_matrix/federation/v1/version",
        "/_matrix/federation/v1/publicRooms",
    ] {
        refused(anyone.get(path).await, 404, "M_UNRECOGNIZED");
    }
    refused(anyone.get("/.well-known/matrix/server").await, 404, "M_NOT_FOUND");
}
