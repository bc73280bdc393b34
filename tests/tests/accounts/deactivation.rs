use echorift_tests::{Look as _, SHARED_SECRET, TestServer, register_by_secret, v3};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_deactivated_account_is_gone_and_its_name_stays_taken() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let invited_to = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    bob.confirm(Method::POST, v3(["account", "deactivate"]), json!({}))
        .await
        .unwrap();

    let refusal = bob.get(v3(["account", "whoami"])).await.unwrap_err();
    assert_eq!(refusal.status, 401, "{refusal}");
    let refusal = server
        .anonymous()
        .log_in(&bob.id, &bob.password, json!({}))
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 403, "{refusal}");
    let taken = register_by_secret(
        &server,
        SHARED_SECRET,
        &bob.localpart,
        "x".repeat(12).as_str(),
        false,
    )
    .await;
    assert_eq!(taken.unwrap_err().errcode, "M_USER_IN_USE");

    // The person has left every room, invitations included.
    alice.sync_until(&alice.now().await, |_| true).await;
    for room in [&room, &invited_to] {
        let membership = bob.membership_seen_by(&alice, room).await;
        assert_eq!(membership, "leave", "in {room}");
    }
    assert_eq!(
        alice
            .get(v3(["joined_rooms"]))
            .await
            .unwrap()
            .list("/joined_rooms")
            .len(),
        2
    );
}
