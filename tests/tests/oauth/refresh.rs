use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::json;

use crate::browser::Browser;
use crate::client::{Client, metadata, post_form};

#[tokio::test]
async fn a_refresh_token_is_replaced_and_its_second_use_ends_the_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let first = client.log_in(&browser).await;
    let second = client.refresh(first.text("/refresh_token")).await.unwrap();
    // The answer was lost: the same token gives another successor, until one is used.
    let again = client.refresh(first.text("/refresh_token")).await.unwrap();
    assert_ne!(second.text("/refresh_token"), again.text("/refresh_token"));
    let third = client.refresh(again.text("/refresh_token")).await.unwrap();
    let app = server.with_token(third.text("/access_token"));
    app.get(v3(["account", "whoami"])).await.unwrap();
    refused(
        client.refresh(first.text("/refresh_token")).await,
        400,
        "invalid_grant",
    );
    refused(app.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(
        client.refresh(third.text("/refresh_token")).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn a_refresh_token_is_good_for_its_own_client_alone() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let mut other = metadata();
    other["client_name"] = json!("Another");
    let other = Client::register_as(&server, other).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let tokens = client.log_in(&browser).await;
    let token = tokens.text("/refresh_token");
    refused(other.refresh(token).await, 400, "invalid_grant");
    let legacy = server
        .anonymous()
        .post(v3(["refresh"]), json!({ "refresh_token": token }))
        .await;
    refused(legacy, 401, "M_UNKNOWN_TOKEN");
    // Neither has harmed the session.
    client.refresh(token).await.unwrap();

    let anyone = server.anonymous();
    let wants_refresh = json!({ "refresh_token": true });
    let legacy = anyone
        .log_in(&alice.localpart, &alice.password, wants_refresh)
        .await;
    let legacy = legacy.unwrap();
    refused(
        client.refresh(legacy.text("/refresh_token")).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn a_revoked_token_ends_session_and_device() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    for kind in ["access_token", "refresh_token"] {
        let tokens = client.log_in(&browser).await;
        let app = server.with_token(tokens.text("/access_token"));
        let token = tokens[kind].as_str().unwrap();
        let fields = [
            ("token", token),
            ("token_type_hint", kind),
            ("client_id", &client.id),
        ];
        post_form(&server, "/oauth2/revoke", &fields).await.unwrap();
        refused(app.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
        refused(
            client.refresh(tokens.text("/refresh_token")).await,
            400,
            "invalid_grant",
        );
        refused(
            alice.get(v3(["devices", &client.device_id])).await,
            404,
            "M_NOT_FOUND",
        );
        // Again, and nonsense: nothing to be done.
        post_form(&server, "/oauth2/revoke", &fields).await.unwrap();
    }
    post_form(&server, "/oauth2/revoke", &[("token", "nonsense")])
        .await
        .unwrap();
    alice.get(v3(["account", "whoami"])).await.unwrap();
}

#[tokio::test]
async fn a_device_that_logs_in_again_loses_its_old_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let first = client.log_in(&browser).await;
    let second = client.log_in(&browser).await;
    let whoami = v3(["account", "whoami"]);
    refused(
        server.with_token(first.text("/access_token")).get(&whoami).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    server
        .with_token(second.text("/access_token"))
        .get(&whoami)
        .await
        .unwrap();
}
