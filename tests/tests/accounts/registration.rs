use echorift_tests::{Answer, Look as _, SHARED_SECRET, TestServer, fresh, refused, register_by_secret, v3};
use serde_json::{Value, json};

async fn register(server: &TestServer, body: Value) -> Answer {
    server.anonymous().post(v3(["register"]), body).await
}

#[tokio::test]
async fn registration_is_closed_unless_opened() {
    let server = TestServer::shared().await;
    // As long as nobody administers the server, it waits for the one who will.
    server.register_admin().await;
    let body = json!({ "username": fresh("eve"), "password": "a long password", "auth": { "type": "m.login.dummy" } });
    refused(register(&server, body).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn open_registration_asks_for_the_dummy_stage_only() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .start()
        .await;
    let asked = register(
        &server,
        json!({ "username": "carol", "password": "a long password" }),
    )
    .await
    .unwrap_err();
    assert_eq!(asked.status, 401, "{asked}");
    let dummy = json!(["m.login.dummy"]);
    assert!(
        asked
            .body
            .list("/flows")
            .iter()
            .any(|flow| flow["stages"] == dummy),
        "{asked}"
    );
    let auth = json!({ "type": "m.login.dummy", "session": asked.body.text("/session") });
    let body = json!({
        "username": "carol", "password": "a long password", "device_id": "CAR", "auth": auth,
        "initial_device_display_name": "Carol's laptop",
    });
    let made = register(&server, body).await.unwrap();
    assert_eq!(
        (made.text("/user_id"), made.text("/device_id")),
        ("@carol:test.example", "CAR")
    );
    server
        .anonymous()
        .log_in("carol", "a long password", json!({}))
        .await
        .unwrap();
    let auth = json!({ "type": "m.login.dummy" });
    let taken = json!({ "username": "carol", "password": "a long password", "auth": auth });
    refused(register(&server, taken).await, 400, "M_USER_IN_USE");

    let quiet =
        json!({ "username": "dave", "password": "a long password", "inhibit_login": true, "auth": auth });
    let made = register(&server, quiet).await.unwrap();
    assert_eq!(made.text("/user_id"), "@dave:test.example");
    assert!(made.get("access_token").is_none());

    for name in ["no spaces", "ümlaut", "_", "UPPER:colon"] {
        let body = json!({ "username": name, "password": "a long password", "auth": auth });
        if name != "_" {
            refused(register(&server, body).await, 400, "M_INVALID_USERNAME");
        }
    }
    let available = |name: &'static str| {
        let anyone = server.anonymous();
        async move {
            anyone
                .get(format!("{}?username={name}", v3(["register", "available"])))
                .await
        }
    };
    assert_eq!(available("erin").await.unwrap(), json!({ "available": true }));
    refused(available("carol").await, 400, "M_USER_IN_USE");
    refused(available("a%20b").await, 400, "M_INVALID_USERNAME");

    let guest = server
        .anonymous()
        .post(format!("{}?kind=guest", v3(["register"])), json!({}))
        .await;
    assert_eq!(guest.unwrap_err().status, 403);
}

#[tokio::test]
async fn who_did_not_hear_of_their_registration_asks_again() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .start()
        .await;
    let mut body = json!({
        "username": "carol", "password": "a long password", "initial_device_display_name": "Carol's laptop",
    });
    let asked = register(&server, body.clone()).await.unwrap_err();
    let auth = json!({ "type": "m.login.dummy", "session": asked.body.text("/session") });
    // The session knows what was asked for.
    let first = register(&server, json!({ "auth": auth })).await.unwrap();
    body["auth"] = auth.clone();
    let again = register(&server, body.clone()).await.unwrap();
    for answer in [&first, &again] {
        assert_eq!(answer.text("/user_id"), "@carol:test.example");
        assert_eq!(answer.text("/device_id"), first.text("/device_id"));
    }
    let laptop = server
        .anonymous()
        .log_in("carol", "a long password", json!({}))
        .await
        .unwrap();
    let laptop = server.with_token(laptop.text("/access_token"));
    let devices = laptop.get(v3(["devices"])).await.unwrap();
    let named: Vec<&Value> = devices
        .list("/devices")
        .iter()
        .filter(|device| device["display_name"] == "Carol's laptop")
        .collect();
    assert_eq!(named.len(), 1, "{devices}");
    assert_eq!(named[0]["device_id"], first.text("/device_id"));
    // The ID of a session is part of the addresses of pages: it alone opens nothing.
    for password in [None, Some("a guess")] {
        let body = json!({ "password": password, "auth": auth });
        refused(register(&server, body).await, 400, "M_USER_IN_USE");
    }
}

#[tokio::test]
async fn a_registration_token_opens_registration() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.token", "the company picnic")
        .start()
        .await;
    let validity = |token: &'static str| {
        let anyone = server.anonymous();
        let path = "/_matrix/client/v1/register/m.login.registration_token/validity";
        async move { anyone.get(format!("{path}?token={token}")).await.unwrap()["valid"].clone() }
    };
    assert_eq!(validity("the%20company%20picnic").await, true);
    assert_eq!(validity("guess").await, false);

    let asked = register(
        &server,
        json!({ "username": "carol", "password": "a long password" }),
    )
    .await
    .unwrap_err();
    let session = asked.body.text("/session");
    let with_token = |token: &str| {
        json!({
            "username": "carol", "password": "a long password",
            "auth": { "type": "m.login.registration_token", "token": token, "session": session },
        })
    };
    let refusal = register(&server, with_token("guess")).await.unwrap_err();
    assert_eq!(refusal.status, 401, "{refusal}");
    let dummy = json!({
        "username": "carol", "password": "a long password",
        "auth": { "type": "m.login.dummy", "session": session },
    });
    assert_eq!(register(&server, dummy).await.unwrap_err().status, 401);
    register(&server, with_token("the company picnic")).await.unwrap();
}

#[tokio::test]
async fn operators_register_with_the_shared_secret_and_nobody_without() {
    let server = TestServer::shared().await;
    let name = fresh("frank");
    let refusal = register_by_secret(&server, "a guess", &name, "a long password", false)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 403, "{refusal}");
    let made = register_by_secret(&server, SHARED_SECRET, &name, "a long password", true)
        .await
        .unwrap();
    assert_eq!(made.text("/user_id"), format!("@{name}:test.example"));
    refused(
        register_by_secret(&server, SHARED_SECRET, &name, "a long password", false).await,
        400,
        "M_USER_IN_USE",
    );
}
