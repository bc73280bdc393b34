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

#[tokio::test]
async fn suspension_closes_what_reaches_others_and_nothing_else() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let [room, left, open] = [
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
        alice.create_public_room().await,
    ];
    let rule = json!({ "type": "m.room.join_rules", "content": { "join_rule": "knock" } });
    let club = alice
        .create_room(json!({ "initial_state": [rule] }))
        .await
        .unwrap();
    let invited = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    let declined = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    let heard = alice.send_text(&room, "heard").await.unwrap();
    admin
        .put(admin_path("suspend", &bob), json!({ "suspended": true }))
        .await
        .unwrap();

    let name = json!({ "name": "mine" });
    for refusal in [
        bob.join(&open).await,
        bob.join(&invited).await,
        bob.knock(&club).await,
        bob.invite(&room, &alice).await,
        bob.kick(&room, &alice).await,
        bob.set_display_name("Somebody else").await,
        bob.set_state(&room, "m.room.name", "", name)
            .await
            .map(Value::from),
        bob.redact(&room, &heard).await.map(Value::from),
        bob.react(&room, &heard, "👎").await.map(Value::from),
    ] {
        refused(refusal, 403, "M_USER_SUSPENDED");
    }
    bob.sync_all().await;
    bob.leave(&left).await.unwrap();
    bob.leave(&declined).await.unwrap();
    bob.send_receipt(&room, "m.read.private", &heard).await.unwrap();
    let phone = bob.on_another_device().await;
    phone.post(v3(["logout"]), json!({})).await.unwrap();
    bob.get(v3(["devices"])).await.unwrap();
}
