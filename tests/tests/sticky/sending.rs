use echorift_tests::{Look as _, TestServer, fresh, refused, v3};
use serde_json::json;

use crate::{HOUR, KIND, UNSTABLE, ask_to_send, send_sticky, sticky, sync, timeline};

#[tokio::test]
async fn the_server_says_that_it_speaks_of_sticky_events() {
    let server = TestServer::shared().await;
    let versions = server.anonymous().get("/_matrix/client/versions").await.unwrap();
    assert_eq!(versions["unstable_features"]["org.matrix.msc4354"], true);
}

#[tokio::test]
async fn a_duration_under_either_name_becomes_part_of_the_event() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    for (name, duration_ms) in [(UNSTABLE, 60_000), ("sticky_duration_ms", HOUR)] {
        let query = format!("{name}={duration_ms}");
        let sent = ask_to_send(&alice, &room, &query, "here").await.unwrap();
        let event = alice.event(&room, sent.text("/event_id")).await.unwrap();
        assert_eq!(event["msc4354_sticky"], json!({ "duration_ms": duration_ms }));
        let ttl_ms = event.number("/unsigned/msc4354_sticky_duration_ttl_ms");
        assert!(
            (1..=i64::try_from(duration_ms).unwrap()).contains(&ttl_ms),
            "{ttl_ms}"
        );
    }
    let zero = send_sticky(&alice, &room, "gone", 0).await;
    let event = alice.event(&room, &zero).await.unwrap();
    assert_eq!(event["msc4354_sticky"], json!({ "duration_ms": 0 }));
    assert!(event["unsigned"].get("msc4354_sticky_duration_ttl_ms").is_none());
    let plain = alice.send_text(&room, "plain").await.unwrap();
    let event = alice.event(&room, &plain).await.unwrap();
    assert!(event.get("msc4354_sticky").is_none());
    assert!(event["unsigned"].get("msc4354_sticky_duration_ttl_ms").is_none());
}

#[tokio::test]
async fn what_is_no_duration_is_refused_and_nothing_is_sent() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let since = alice.now().await;
    for name in [UNSTABLE, "sticky_duration_ms"] {
        for bad in ["-1", "3600001", "1.5", "1e3", "soon", "", "99999999999999999999"] {
            let query = format!("{name}={bad}");
            refused(
                ask_to_send(&alice, &room, &query, "no").await,
                400,
                "M_INVALID_PARAM",
            );
            for path in [
                v3(["rooms", &room, "state", KIND, "key"]),
                v3(["rooms", &room, "state", KIND]),
            ] {
                let answer = alice.put(format!("{path}?{query}"), json!({})).await;
                refused(answer, 400, "M_INVALID_PARAM");
            }
        }
    }
    let answer = sync(&alice, Some(&since), 10).await;
    assert!(answer["rooms"].get("join").is_none(), "{answer}");
}

#[tokio::test]
async fn state_sticks_like_messages_and_is_sent_again_though_it_is_the_same() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    let path = v3(["rooms", &room, "state", KIND, "device"]);
    let path = format!("{path}?{UNSTABLE}=60000");
    let content = json!({ "body": "state" });
    let first = alice.put(&path, content.clone()).await.unwrap();
    let second = alice.put(&path, content).await.unwrap();
    assert_ne!(first["event_id"], second["event_id"]);
    alice.send_text(&room, "later").await.unwrap();
    let answer = sync(&bob, Some(&since), 1).await;
    assert_eq!(timeline(&answer, &room), ["later"]);
    assert_eq!(sticky(&answer, &room), ["state", "state"]);
    let standing = alice.state(&room, KIND, "device").await.unwrap();
    assert_eq!(standing.text("/body"), "state");
    // Where state is listed, it says how long it sticks as well.
    let state = alice.get(v3(["rooms", &room, "state"])).await.unwrap();
    let events = state.as_array().unwrap();
    let event = events
        .iter()
        .find(|event| event["event_id"] == second["event_id"]);
    assert!(event.unwrap().number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    // A membership is not for that.
    let member = v3(["rooms", &room, "state", "m.room.member", &alice.id]);
    let content = json!({ "membership": "join" });
    let answer = alice.put(format!("{member}?{UNSTABLE}=1"), content).await;
    refused(answer, 400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn one_transaction_makes_one_sticky_event() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let path = v3(["rooms", &room, "send", KIND, &fresh("txn")]);
    let path = format!("{path}?{UNSTABLE}=60000");
    let first = alice.put(&path, json!({ "body": "once" })).await.unwrap();
    let second = alice.put(&path, json!({ "body": "once" })).await.unwrap();
    assert_eq!(first, second);
    alice.send_text(&room, "later").await.unwrap();
    assert_eq!(sticky(&sync(&alice, None, 1).await, &room), ["once"]);
}

#[tokio::test]
async fn a_user_has_a_thousand_sticky_events_in_a_room_at_most() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for part in crate::numbers(0..1_000).chunks(50) {
        let sends = part.iter().map(|body| send_sticky(&alice, &room, body, HOUR));
        futures_util::future::join_all(sends).await;
    }
    let query = format!("{UNSTABLE}={HOUR}");
    let refusal = refused(
        ask_to_send(&alice, &room, &query, "more").await,
        429,
        "M_LIMIT_EXCEEDED",
    );
    assert!(refusal.body.number("/retry_after_ms") > 0);
    // That is theirs alone, and for sticky events alone.
    alice.send_text(&room, "not sticky").await.unwrap();
    send_sticky(&bob, &room, "bob's", HOUR).await;
}
