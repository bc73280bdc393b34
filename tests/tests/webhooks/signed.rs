use echorift_tests::{Caller, TestServer};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::json;
use sha2::Sha256;

use super::hooks::{make, newest};

pub(crate) fn sign(key: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[expect(clippy::disallowed_methods, reason = "programs have clocks of their own")]
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

async fn post(caller: &Caller, path: &str, signature: &str, seconds: u64, body: &str) -> u16 {
    let request = caller
        .request(Method::POST, path)
        .header("content-type", "text/plain")
        .header("x-echorift-signature", signature)
        .header("x-echorift-timestamp", seconds)
        .body(body.to_owned());
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_signature_is_good_once_for_one_body_at_its_time() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = make(&alice, &room, "incoming", json!({ "signed": true })).await;
    let (program, seconds) = (server.anonymous(), now());
    let signature = sign(hook.key(), seconds, "hello");

    assert_eq!(
        post(&program, hook.path(), &signature, seconds, "hello!").await,
        401,
        "another body"
    );
    assert_eq!(
        post(&program, hook.path(), &signature, seconds - 1, "hello").await,
        401,
        "another time"
    );
    let forged = sign("another key", seconds, "hello");
    assert_eq!(post(&program, hook.path(), &forged, seconds, "hello").await, 401);
    let old = seconds - 400;
    assert_eq!(
        post(
            &program,
            hook.path(),
            &sign(hook.key(), old, "hello"),
            old,
            "hello"
        )
        .await,
        401
    );
    let unsigned = program
        .request(Method::POST, hook.path())
        .body("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(unsigned.status(), 401);

    assert_eq!(
        post(&program, hook.path(), &signature, seconds, "hello").await,
        200
    );
    let first = newest(&alice, &room).await;
    assert_eq!(first["content"]["body"], "hello");
    assert_eq!(
        post(&program, hook.path(), &signature, seconds, "hello").await,
        409
    );
    let louder = signature.to_uppercase().replace("SHA256", "sha256");
    assert_eq!(post(&program, hook.path(), &louder, seconds, "hello").await, 409);
    // After a crash as well.
    server.kill();
    server.restart().await;
    assert_eq!(
        post(&program, hook.path(), &signature, seconds, "hello").await,
        409
    );
    assert_eq!(newest(&alice, &room).await["event_id"], first["event_id"]);
    let next = sign(hook.key(), seconds + 1, "hello");
    assert_eq!(
        post(&program, hook.path(), &next, seconds + 1, "hello").await,
        200
    );
}
