use echorift_tests::{Look as _, Sync, TestServer, User, v3};
use serde_json::{Value, json};

use super::joined;

fn counts(answer: &Value, room: &str) -> (i64, i64) {
    let part = &joined(answer, room)["unread_notifications"];
    (
        part["notification_count"].as_i64().unwrap_or(0),
        part["highlight_count"].as_i64().unwrap_or(0),
    )
}

async fn mention(from: &User, room: &str, whom: &User) -> String {
    let content = json!({
        "msgtype": "m.text", "body": format!("{}: look", whom.localpart),
        "m.mentions": { "user_ids": [whom.id] },
    });
    from.send_event(room, "m.room.message", content).await.unwrap()
}

#[tokio::test]
async fn unread_messages_and_mentions_are_counted_until_read() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    bob.send_receipt(&room, "m.read", &alice.send_text(&room, "start").await.unwrap())
        .await
        .unwrap();
    let since = bob.now().await;
    alice.send_text(&room, "one").await.unwrap();
    let second = alice.send_text(&room, "two").await.unwrap();
    let answer = bob.sync_from(&since).await;
    assert_eq!(counts(&answer, &room), (2, 0));

    let mention_id = mention(&alice, &room, &bob).await;
    let answer = bob.sync_from(answer.text("/next_batch")).await;
    assert_eq!(counts(&answer, &room), (3, 1));
    assert_eq!(counts(&bob.sync_all().await, &room), (3, 1));
    assert_eq!(
        counts(&carol.sync_all().await, &room).1,
        0,
        "the mention is Bob's"
    );

    bob.send_receipt(&room, "m.read", &second).await.unwrap();
    let answer = bob.sync_from(answer.text("/next_batch")).await;
    assert_eq!(counts(&answer, &room), (1, 1));
    bob.send_receipt(&room, "m.read.private", &mention_id)
        .await
        .unwrap();
    assert_eq!(counts(&bob.sync_all().await, &room), (0, 0));
}

#[tokio::test]
async fn what_one_sends_oneself_is_read() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "one").await.unwrap();
    bob.send_text(&room, "an answer").await.unwrap();
    assert_eq!(counts(&bob.sync_all().await, &room), (0, 0));
    assert_eq!(counts(&alice.sync_all().await, &room), (1, 0));
}

#[tokio::test]
async fn threads_count_apart_for_clients_that_ask() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    bob.send_receipt(&room, "m.read", &root).await.unwrap();
    alice.send_in_thread(&room, &root, "in the thread").await.unwrap();
    let last = alice.send_in_thread(&room, &root, "and again").await.unwrap();
    alice.send_text(&room, "outside").await.unwrap();

    assert_eq!(
        counts(&bob.sync_all().await, &room).0,
        3,
        "without asking, all together"
    );
    let filter = json!({ "room": { "timeline": { "unread_thread_notifications": true } } });
    let apart = async || {
        bob.sync(Sync {
            filter: Some(filter.clone()),
            ..Sync::default()
        })
        .await
        .unwrap()
    };
    let answer = apart().await;
    assert_eq!(counts(&answer, &room).0, 1);
    let thread = &joined(&answer, &room)["unread_thread_notifications"][&root];
    assert_eq!(thread.number("/notification_count"), 2);

    let path = v3(["rooms", &room, "receipt", "m.read", &last]);
    bob.post(path, json!({ "thread_id": root })).await.unwrap();
    let answer = apart().await;
    assert_eq!(counts(&answer, &room).0, 1, "the main timeline is still unread");
    let thread = &joined(&answer, &room)["unread_thread_notifications"][&root];
    assert_eq!(thread["notification_count"].as_i64().unwrap_or(0), 0);
}

#[tokio::test]
async fn counts_survive_a_kill() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let read = alice.send_text(&room, "read").await.unwrap();
    bob.send_receipt(&room, "m.read", &read).await.unwrap();
    alice.send_text(&room, "one").await.unwrap();
    mention(&alice, &room, &bob).await;
    server.kill();
    server.restart().await;
    assert_eq!(counts(&bob.sync_all().await, &room), (2, 1));
}
