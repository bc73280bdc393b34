use echorift_tests::TestServer;
use serde_json::{Value, json};

async fn config(server: &TestServer) -> Value {
    server.anonymous().get("/config.json").await.unwrap()
}

#[tokio::test]
async fn the_client_learns_what_the_server_offers() {
    let server = TestServer::builder()
        .set("client.brand", "Example chat")
        .set("client.help_url", "https://intranet.example.org/chat")
        .set("support.email", "help@example.org")
        .set("media.max_upload", "5MiB")
        .set("registration.enabled", true)
        .set("registration.token", "let me in")
        .set("url_previews.enabled", false)
        .set("calls.max_delay", "0s")
        .set("federation.mode", "off")
        .set("oauth.enabled", false)
        .start()
        .await;
    let mut found = config(&server).await;
    assert!(
        found["version"]
            .as_str()
            .is_some_and(|version| !version.is_empty())
    );
    found["version"] = json!("some");
    assert_eq!(
        found,
        json!({
            "server_name": "test.example",
            "version": "some",
            "brand": "Example chat",
            "base_url": "",
            "login": { "oauth": false, "password": true, "registration": true },
            "features": {
                "calls": false, "federation": false, "push": {}, "delayed_events": false, "url_previews": false,
            },
            "limits": { "upload_bytes_max": 5 * 1024 * 1024 },
            "support": { "email": "help@example.org" },
            "help_url": "https://intranet.example.org/chat",
        })
    );
}

#[tokio::test]
async fn what_is_not_set_is_left_out() {
    let server = TestServer::shared().await;
    server.register_admin().await;
    let found = config(&server).await;
    assert_eq!(found["brand"], "EchoRift");
    assert_eq!(
        found["login"],
        json!({ "oauth": true, "password": true, "registration": false })
    );
    assert_eq!(
        (
            &found["features"]["federation"],
            &found["features"]["delayed_events"]
        ),
        (&json!(true), &json!(true))
    );
    assert!(
        found.get("support").is_none() && found.get("help_url").is_none(),
        "{found:#}"
    );
}

#[tokio::test]
async fn the_first_administrator_may_make_an_account_where_nobody_else_can() {
    let server = TestServer::start().await;
    assert_eq!(config(&server).await["login"]["registration"], true);
    server.register(["alice"]).await;
    assert_eq!(config(&server).await["login"]["registration"], true);
    server.register_admin().await;
    assert_eq!(config(&server).await["login"]["registration"], false);
}

#[tokio::test]
async fn calls_are_offered_where_there_are_some() {
    let server = TestServer::builder()
        .set("calls.livekit.mode", "external")
        .set("calls.livekit.url", "ws://127.0.0.1:1")
        .set("calls.livekit.api_key", "key")
        .set("calls.livekit.api_secret", "secret")
        .start()
        .await;
    assert_eq!(config(&server).await["features"]["calls"], true);
}
