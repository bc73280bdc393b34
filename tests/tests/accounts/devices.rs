use echorift_tests::{Look as _, TestServer, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn devices_are_listed_renamed_and_shown() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let path = v3(["devices", &phone.device_id]);
    alice
        .put(&path, json!({ "display_name": "Old phone" }))
        .await
        .unwrap();

    let shown = alice.get(&path).await.unwrap();
    assert_eq!(shown.text("/display_name"), "Old phone");
    assert_eq!(shown.text("/device_id"), phone.device_id);
    let listed = alice.get(v3(["devices"])).await.unwrap();
    let mut ids: Vec<&str> = listed
        .list("/devices")
        .iter()
        .map(|device| device.text("/device_id"))
        .collect();
    ids.sort_unstable();
    let mut expected = [alice.device_id.as_str(), phone.device_id.as_str()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn deleting_a_device_needs_the_password_and_ends_its_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let path = v3(["devices", &phone.device_id]);

    let asked = alice
        .call(Method::DELETE, &path, Some(json!({})))
        .await
        .unwrap_err();
    assert_eq!(asked.status, 401, "{asked}");
    let stages = asked
        .body
        .list("/flows")
        .iter()
        .map(|flow| flow["stages"].clone());
    assert!(
        stages
            .collect::<Vec<Value>>()
            .contains(&json!(["m.login.password"])),
        "{asked}"
    );
    phone.get(v3(["account", "whoami"])).await.unwrap();

    alice.confirm(Method::DELETE, &path, json!({})).await.unwrap();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(alice.get(&path).await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_confirmation_is_good_for_the_device_that_it_was_asked_for() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (phone, tablet) = (alice.on_another_device().await, alice.on_another_device().await);
    let of = |device: &str| v3(["devices", device]);
    let asked = alice
        .call(Method::DELETE, &of(&phone.device_id), Some(json!({})))
        .await;
    let session = asked.unwrap_err().body.text("/session").to_owned();
    let auth = json!({ "auth": alice.password_stage(&session) });
    refused(
        alice
            .call(Method::DELETE, &of(&tablet.device_id), Some(auth.clone()))
            .await,
        403,
        "M_FORBIDDEN",
    );
    tablet.get(v3(["account", "whoami"])).await.unwrap();
    alice
        .call(Method::DELETE, &of(&phone.device_id), Some(auth))
        .await
        .unwrap();
    // As clients did it before there were identifiers.
    let auth = json!({ "type": "m.login.password", "user": alice.localpart, "password": alice.password });
    alice
        .call(
            Method::DELETE,
            &of(&tablet.device_id),
            Some(json!({ "auth": auth })),
        )
        .await
        .unwrap();
    refused(
        tablet.get(v3(["account", "whoami"])).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
}

#[tokio::test]
async fn a_wrong_password_leaves_the_confirmation_open() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let path = v3(["devices", &phone.device_id]);
    let asked = alice
        .call(Method::DELETE, &path, Some(json!({})))
        .await
        .unwrap_err();
    let session = asked.body.text("/session");

    let mut auth = alice.password_stage(session);
    auth["password"] = json!("wrong");
    let refusal = refused(
        alice
            .call(Method::DELETE, &path, Some(json!({ "auth": auth })))
            .await,
        401,
        "M_FORBIDDEN",
    );
    assert_eq!(refusal.body.text("/session"), session);
    assert!(!refusal.body.list("/flows").is_empty());

    let auth = alice.password_stage(session);
    alice
        .call(Method::DELETE, &path, Some(json!({ "auth": auth })))
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_confirms_for_somebody_else() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let path = v3(["devices", &alice.device_id]);
    let asked = alice
        .call(Method::DELETE, &path, Some(json!({})))
        .await
        .unwrap_err();
    let auth = bob.password_stage(asked.body.text("/session"));
    let refusal = alice
        .call(Method::DELETE, &path, Some(json!({ "auth": auth })))
        .await
        .unwrap_err();
    assert!([401, 403].contains(&refusal.status), "{refusal}");
    alice.get(v3(["account", "whoami"])).await.unwrap();
}

#[tokio::test]
async fn several_devices_are_deleted_at_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (phone, tablet) = (alice.on_another_device().await, alice.on_another_device().await);
    let body = json!({ "devices": [phone.device_id, tablet.device_id] });
    alice
        .confirm(Method::POST, v3(["delete_devices"]), body)
        .await
        .unwrap();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(
        tablet.get(v3(["account", "whoami"])).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    assert_eq!(
        alice.get(v3(["devices"])).await.unwrap().list("/devices").len(),
        1
    );
}

#[tokio::test]
async fn other_peoples_devices_do_not_exist() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let path = v3(["devices", &alice.device_id]);
    refused(bob.get(&path).await, 404, "M_NOT_FOUND");
    refused(
        bob.put(&path, json!({ "display_name": "mine" })).await,
        404,
        "M_NOT_FOUND",
    );
}
