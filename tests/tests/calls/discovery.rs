use echorift_tests::{Look as _, refused};
use serde_json::json;

use crate::caller::server_with_calls;

const PATHS: [&str; 2] = [
    "/_matrix/client/v1/rtc/transports",
    "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports",
];

#[tokio::test]
async fn users_learn_where_calls_go() {
    let (server, sfu) = server_with_calls().await;
    let [alice] = server.register(["alice"]).await;
    for path in PATHS {
        let transports = alice.get(path).await.unwrap();
        let transport = &transports["rtc_transports"][0];
        assert_eq!(transport.text("/type"), "livekit");
        assert_eq!(transport.text("/url"), sfu.url());
        assert!(transport.text("/livekit_service_url").ends_with("/livekit/jwt"));
        refused(server.anonymous().get(path).await, 401, "M_MISSING_TOKEN");
        refused(server.with_token("x").get(path).await, 401, "M_UNKNOWN_TOKEN");
    }
}

#[tokio::test]
async fn clients_that_do_not_ask_find_it_in_the_documents() {
    let (server, _sfu) = server_with_calls().await;
    let document = server
        .anonymous()
        .get("/.well-known/matrix/client")
        .await
        .unwrap();
    let focus = &document["org.matrix.msc4143.rtc_foci"][0];
    assert_eq!(focus.text("/type"), "livekit");
    assert!(focus.text("/livekit_service_url").ends_with("/livekit/jwt"));
    let versions = server.anonymous().get("/_matrix/client/versions").await.unwrap();
    assert_eq!(versions["unstable_features"]["org.matrix.msc4143"], json!(true));
}
