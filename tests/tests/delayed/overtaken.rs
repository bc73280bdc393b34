use echorift_tests::{TestServer, refused};

use super::*;

/// A room in which everybody may set any state.
async fn open_room(alice: &User, bob: &User) -> String {
    let room = alice.create_room_with(&[bob]).await;
    alice
        .change_state(&room, "m.room.power_levels", json!({ "state_default": 0 }))
        .await
        .unwrap();
    room
}

#[tokio::test]
async fn state_of_another_user_cancels_what_was_scheduled_for_its_place() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = open_room(&alice, &bob).await;
    let [overtaken, of_another_key, of_another_type] = [
        set_later(&alice, &room, "org.example.a", "key", json!({}), NEVER).await,
        set_later(&alice, &room, "org.example.a", "other", json!({}), NEVER).await,
        set_later(&alice, &room, "org.example.b", "key", json!({}), NEVER).await,
    ];
    bob.set_state(&room, "org.example.a", "key", json!({ "of": "bob" }))
        .await
        .unwrap();
    let told = finalised(&alice, &overtaken).await;
    assert!(
        told.get("event_id").is_none() && told.get("error").is_none(),
        "{told}"
    );
    assert_eq!(waiting(&alice).await, [of_another_key, of_another_type]);
    refused(
        act(&alice, UNSTABLE, &overtaken, "restart").await,
        404,
        "M_NOT_FOUND",
    );
    refused(act(&alice, STABLE, &overtaken, "send").await, 409, "M_UNKNOWN");
    // What is scheduled afterwards knows of it.
    let later = set_later(&alice, &room, "org.example.a", "key", json!({ "of": "alice" }), 1).await;
    finalised(&alice, &later).await.text("/event_id");
    assert_eq!(
        alice.state(&room, "org.example.a", "key").await.unwrap(),
        json!({ "of": "alice" })
    );
}

#[tokio::test]
async fn who_schedules_to_leave_and_then_joins_will_leave() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = open_room(&alice, &bob).await;
    let key = format!("_{}_{}_m.call", alice.id, alice.device_id);
    let leave = set_later(&alice, &room, CALL_MEMBER, &key, json!({}), 1_500).await;
    let joined = json!({ "application": "m.call", "call_id": "", "scope": "m.room" });
    alice
        .set_state(&room, CALL_MEMBER, &key, joined.clone())
        .await
        .unwrap();
    // A message of somebody else is no state.
    bob.send_text(&room, "hello").await.unwrap();
    assert_eq!(bob.state(&room, CALL_MEMBER, &key).await.unwrap(), joined);
    finalised(&alice, &leave).await.text("/event_id");
    assert_eq!(bob.state(&room, CALL_MEMBER, &key).await.unwrap(), json!({}));
}
