use echorift_tests::Look as _;
use serde_json::json;

use super::gateway::{Gateway, server};

#[tokio::test]
async fn the_count_is_of_all_rooms_and_falls_when_something_is_read() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (one, other) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    alice.send_text(&one, "before the pusher").await.unwrap();
    gateway.register(&bob, json!({})).await;
    alice.send_text(&other, "two").await.unwrap();
    assert_eq!(gateway.next_event().await.number("/counts/unread"), 2);
    let last = alice.send_text(&one, "three").await.unwrap();
    assert_eq!(gateway.next_event().await.number("/counts/unread"), 3);

    bob.send_receipt(&one, "m.read.private", &last).await.unwrap();
    let told = gateway.wait_for_count(1).await;
    assert!(told["event_id"].is_null() && told["room_id"].is_null(), "{told}");
    // Who answers has read.
    bob.send_text(&other, "an answer").await.unwrap();
    let told = gateway.wait_for_count(0).await;
    assert!(told["event_id"].is_null(), "{told}");
}

#[tokio::test]
async fn a_room_that_was_left_counts_no_more() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({})).await;
    alice.send_text(&room, "one").await.unwrap();
    gateway.wait_for_count(1).await;
    bob.leave(&room).await.unwrap();
    gateway.wait_for_count(0).await;
}
