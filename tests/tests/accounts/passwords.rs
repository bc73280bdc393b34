use echorift_tests::{TestServer, User, refused, v3};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_new_password_replaces_the_old_and_ends_other_sessions() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let body = json!({ "new_password": "a better password" });
    alice
        .confirm(Method::POST, v3(["account", "password"]), body)
        .await
        .unwrap();

    alice.get(v3(["account", "whoami"])).await.unwrap();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(
        server
            .anonymous()
            .log_in(&alice.id, &alice.password, json!({}))
            .await,
        403,
        "M_FORBIDDEN",
    );
    User::logged_in(&server, &alice.localpart, "a better password")
        .await
        .unwrap();
}

#[tokio::test]
async fn other_sessions_can_be_kept() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let body = json!({ "new_password": "a better password", "logout_devices": false });
    alice
        .confirm(Method::POST, v3(["account", "password"]), body)
        .await
        .unwrap();
    phone.get(v3(["account", "whoami"])).await.unwrap();
}
