//! A server without calls says so in the words that clients look for.

use echorift_tests::{TestServer, refused};
use serde_json::json;

#[tokio::test]
async fn everything_about_calls_is_unrecognised() {
    let server = TestServer::builder()
        .set("calls.livekit.mode", "off")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for path in [
        "/_matrix/client/v1/rtc/transports".to_owned(),
        "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports".to_owned(),
        format!("/_echorift/client/v1/rooms/{room}/call/participants"),
    ] {
        refused(alice.get(path).await, 404, "M_UNRECOGNIZED");
    }
    // Element Call takes 404 for "delegation does not work": a half would leave ghosts.
    for path in [
        "/livekit/jwt/delegate_delayed_leave",
        "/livekit/jwt/sfu_webhook",
        "/livekit/jwt/sfu/get",
        "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/delegate_delayed_leave",
    ] {
        let answer = server.anonymous().post(path, json!({})).await;
        assert!(
            matches!(answer, Err(refusal) if [400, 401, 404].contains(&refusal.status)),
            "{path}"
        );
    }
    let document = server
        .anonymous()
        .get("/.well-known/matrix/client")
        .await
        .unwrap();
    assert!(document.get("org.matrix.msc4143.rtc_foci").is_none());
    let versions = server.anonymous().get("/_matrix/client/versions").await.unwrap();
    assert!(versions["unstable_features"].get("org.matrix.msc4143").is_none());
}
