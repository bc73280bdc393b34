use echorift_tests::{TestServer, User, refused, v3};
use serde_json::{Value, json};

fn admin_path(act: &str, whom: &User) -> String {
    format!("/_matrix/client/v1/admin/{act}/{}", whom.id)
}

#[tokio::test]
async fn a_suspended_person_looks_on_and_does_nothing() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let slip = bob.send_text(&room, "regrettable").await.unwrap();
    refused(
        alice
            .put(admin_path("suspend", &bob), json!({ "suspended": true }))
            .await,
        403,
        "M_FORBIDDEN",
    );
    admin
        .put(admin_path("suspend", &bob), json!({ "suspended": true }))
        .await
        .unwrap();

    refused(
        bob.send_text(&room, "more").await.map(Value::from),
        403,
        "M_USER_SUSPENDED",
    );
    refused(
        bob.create_room(json!({})).await.map(Value::from),
        403,
        "M_USER_SUSPENDED",
    );
    bob.newest(&room, 10).await;
    bob.redact(&room, &slip)
        .await
        .expect("one's own words may be taken back");
    admin
        .put(admin_path("suspend", &bob), json!({ "suspended": false }))
        .await
        .unwrap();
    bob.send_text(&room, "sorry").await.unwrap();
}

#[tokio::test]
async fn a_locked_account_waits_for_its_key() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    admin
        .put(admin_path("lock", &bob), json!({ "locked": true }))
        .await
        .unwrap();
    let refusal = refused(bob.get(v3(["account", "whoami"])).await, 401, "M_USER_LOCKED");
    assert_eq!(refusal.body["soft_logout"], true);
    assert_eq!(
        admin.get(admin_path("lock", &bob)).await.unwrap(),
        json!({ "locked": true })
    );
    admin
        .put(admin_path("lock", &bob), json!({ "locked": false }))
        .await
        .unwrap();
    bob.get(v3(["account", "whoami"]))
        .await
        .expect("the session is still there");
}
