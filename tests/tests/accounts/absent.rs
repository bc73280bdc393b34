//! What this server does not have is refused as the specification has it.

use echorift_tests::{TestServer, refused, v1, v3};
use serde_json::json;

#[tokio::test]
async fn no_third_party_network_can_be_reached() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    assert_eq!(
        alice.get(v3(["thirdparty", "protocols"])).await.unwrap(),
        json!({})
    );
    for path in [
        v3(["thirdparty", "protocol", "irc"]),
        v3(["thirdparty", "location", "irc"]),
        v3(["thirdparty", "user", "irc"]),
        format!("{}?alias=%23a:test.example", v3(["thirdparty", "location"])),
        format!("{}?userid=@a:test.example", v3(["thirdparty", "user"])),
    ] {
        refused(alice.get(&path).await, 404, "M_NOT_FOUND");
        refused(server.anonymous().get(&path).await, 401, "M_MISSING_TOKEN");
    }
}

#[tokio::test]
async fn nobody_is_an_application_service() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let ping = alice.post(v1(["appservice", "bridge", "ping"]), json!({})).await;
    refused(ping, 403, "M_FORBIDDEN");
    let room = alice.create_room_with(&[]).await;
    let path = v3(["directory", "list", "appservice", "network", &room]);
    let listed = alice.put(path, json!({ "visibility": "public" })).await;
    refused(listed, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn single_sign_on_of_the_old_kind_is_not_offered() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    for path in [
        v3(["login", "sso", "redirect"]),
        v3(["login", "sso", "redirect", "provider"]),
    ] {
        let answer = anyone
            .get(format!("{path}?redirectUrl=https://example.org/"))
            .await;
        refused(answer, 404, "M_NOT_FOUND");
    }
    refused(
        anyone.get("/.well-known/matrix/policy_server").await,
        404,
        "M_NOT_FOUND",
    );
}
