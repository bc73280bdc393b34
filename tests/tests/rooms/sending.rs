use std::time::Duration;

use echorift_tests::{Look as _, TestServer, fresh, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_transaction_sends_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (room, other) = (
        alice.create_room_with(&[]).await,
        alice.create_room_with(&[]).await,
    );
    let txn = fresh("once");
    let message = json!({ "msgtype": "m.text", "body": "only once" });
    let first = alice
        .send_in_transaction(&room, "m.room.message", &txn, message.clone())
        .await
        .unwrap();
    let again = alice
        .send_in_transaction(&room, "m.room.message", &txn, message.clone())
        .await
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(alice.newest(&room, 50).await.bodies("/chunk"), ["only once"]);

    // Another device, another room or another type is another transaction.
    let phone = alice.on_another_device().await;
    let theirs = phone
        .send_in_transaction(&room, "m.room.message", &txn, message.clone())
        .await
        .unwrap();
    let elsewhere = alice
        .send_in_transaction(&other, "m.room.message", &txn, message.clone())
        .await
        .unwrap();
    assert!(theirs != first && elsewhere != first);
}

#[tokio::test]
async fn a_send_whose_connection_breaks_off_is_not_repeated_by_its_repetition() {
    const SENDS: u64 = 60;
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for number in 0..SENDS {
        let txn = format!("broken-{number}");
        let path = v3(["rooms", &room, "send", "m.room.message", &txn]);
        let message = json!({ "msgtype": "m.text", "body": txn });
        // At another moment each time: before the request is read, while it is written to the disk, after the answer.
        let wait = Duration::from_micros(number % 20 * 500);
        let sent = alice.request(Method::PUT, &path).json(&message);
        let _ = tokio::time::timeout(wait, sent.send()).await;
        alice.put(&path, message).await.unwrap();
    }
    let mut seen = alice.newest(&room, 500).await.bodies("/chunk");
    seen.sort_unstable();
    let mut once: Vec<String> = (0..SENDS).map(|number| format!("broken-{number}")).collect();
    once.sort_unstable();
    assert_eq!(seen, once);
}

#[tokio::test]
async fn at_the_same_moment_too() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let txn = fresh("at-once");
    let message = json!({ "msgtype": "m.text", "body": "a race" });
    let tries = (0..8).map(|_| alice.send_in_transaction(&room, "m.room.message", &txn, message.clone()));
    let ids: Vec<String> = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(ids.iter().all(|id| id == &ids[0]), "{ids:?}");
    assert_eq!(alice.newest(&room, 50).await.bodies("/chunk"), ["a race"]);
}

#[tokio::test]
async fn only_the_sending_device_sees_its_transaction_id() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let phone = alice.on_another_device().await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = alice.now().await;
    let txn = fresh("mine");
    let message = json!({ "msgtype": "m.text", "body": "local echo" });
    alice
        .send_in_transaction(&room, "m.room.message", &txn, message)
        .await
        .unwrap();
    for (reader, expected) in [(&alice, Some(txn.as_str())), (&phone, None), (&bob, None)] {
        let answer = reader.sync_from(&since).await;
        let events = answer["rooms"]["join"][&room].events("/timeline/events");
        let event = events
            .iter()
            .find(|event| event["type"] == "m.room.message")
            .expect("the message");
        assert_eq!(event["unsigned"]["transaction_id"].as_str(), expected);
    }
}

#[tokio::test]
async fn an_event_larger_than_64_kib_is_too_large() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    refused(
        alice.send_text(&room, &"x".repeat(66_000)).await.map(Value::from),
        413,
        "M_TOO_LARGE",
    );
    alice.send_text(&room, &"x".repeat(60_000)).await.unwrap();
    let long_type = "t".repeat(256);
    let refusal = alice.send_event(&room, &long_type, json!({})).await.unwrap_err();
    assert!([400, 413].contains(&refusal.status), "{refusal}");
}

#[tokio::test]
async fn a_message_comes_as_it_was_sent() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let content = json!({
        "msgtype": "m.text", "body": "Grüße \u{1F600} \u{0} \"quoted\" \\ \u{2028}",
        "org.example.nested": { "list": [1, -2, [], {}, null, true], "big": 9_007_199_254_740_991_i64 },
    });
    let event_id = alice
        .send_event(&room, "m.room.message", content.clone())
        .await
        .unwrap();
    let event = bob.event(&room, &event_id).await.unwrap();
    assert_eq!(event["content"], content);
    assert_eq!(
        (event.text("/sender"), event.text("/room_id")),
        (alice.id.as_str(), room.as_str())
    );
    assert!(event["origin_server_ts"].is_i64() && event["unsigned"]["age"].is_i64());
    for inner in ["prev_events", "auth_events", "hashes", "signatures", "depth"] {
        assert!(event.get(inner).is_none(), "{inner} is not for clients");
    }
}

#[tokio::test]
async fn a_redaction_can_be_sent_like_any_event() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for version in ["1", "10", "11", "12"] {
        let room = alice
            .create_room(json!({ "room_version": version }))
            .await
            .unwrap();
        let slip = alice.send_text(&room, "a slip").await.unwrap();
        let content = json!({ "redacts": slip, "reason": "a slip" });
        let redaction = alice
            .send_event(&room, "m.room.redaction", content)
            .await
            .unwrap();
        let shown = alice.event(&room, &slip).await.unwrap();
        assert_eq!(shown["content"], json!({}), "version {version}");
        let because = &shown["unsigned"]["redacted_because"];
        assert_eq!(because.text("/event_id"), redaction, "version {version}");
        // Clients of either age find what was redacted.
        let sent = alice.event(&room, &redaction).await.unwrap();
        assert_eq!(
            (sent.text("/redacts"), sent.text("/content/redacts")),
            (slip.as_str(), slip.as_str()),
            "version {version}"
        );
    }
}
