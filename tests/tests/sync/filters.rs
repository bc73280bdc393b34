use echorift_tests::{Look as _, Sync, TestServer, User};
use serde_json::{Value, json};

use super::{joined, state_keys};

async fn filtered(user: &User, since: Option<&str>, filter: Value) -> Value {
    user.sync(Sync {
        since,
        filter: Some(filter),
        ..Sync::default()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_stored_filter_works_by_its_id() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for body in ["a", "b", "c"] {
        alice.send_text(&room, body).await.unwrap();
    }
    let filter = json!({ "room": { "timeline": { "limit": 2 } } });
    let stored = alice.post(alice.own_path(&["filter"]), filter).await.unwrap();
    let path = format!(
        "/_matrix/client/v3/sync?timeout=0&filter={}",
        stored.text("/filter_id")
    );
    let answer = alice.get(path).await.unwrap();
    assert_eq!(joined(&answer, &room).bodies("/timeline/events"), ["b", "c"]);
    let unknown = alice
        .get("/_matrix/client/v3/sync?timeout=0&filter=987654")
        .await
        .unwrap_err();
    assert!([400, 404].contains(&unknown.status), "{unknown}");
    let broken = alice
        .get("/_matrix/client/v3/sync?timeout=0&filter=%7Bbroken")
        .await
        .unwrap_err();
    assert_eq!(broken.status, 400, "{broken}");
}

#[tokio::test]
async fn events_rooms_and_people_can_be_left_out() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (room, other) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[]).await,
    );
    alice.send_text(&room, "from alice").await.unwrap();
    bob.send_text(&room, "from bob").await.unwrap();

    let answer = filtered(&alice, None, json!({ "room": { "rooms": [room] } })).await;
    assert!(joined(&answer, &other).is_null());
    let answer = filtered(&alice, None, json!({ "room": { "not_rooms": [room] } })).await;
    assert!(joined(&answer, &room).is_null() && joined(&answer, &other).is_object());
    let answer = filtered(
        &alice,
        None,
        json!({ "room": { "timeline": { "senders": [bob.id] } } }),
    )
    .await;
    let senders = joined(&answer, &room).events("/timeline/events");
    assert!(!senders.is_empty() && senders.iter().all(|event| event["sender"] == bob.id.as_str()));
    let types = json!({ "room": { "timeline": { "types": ["m.room.message"] }, "state": { "types": ["m.room.create"] } } });
    let answer = filtered(&alice, None, types).await;
    let part = joined(&answer, &room);
    assert_eq!(part.bodies("/timeline/events"), ["from alice", "from bob"]);
    assert_eq!(part.events("/timeline/events").len(), 2);
    assert_eq!(state_keys(part, "/state/events"), ["m.room.create|"]);
}

#[tokio::test]
async fn each_section_has_its_own_filter() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = bob.send_text(&room, "x").await.unwrap();
    let since = alice.now().await;
    alice.set_account_data("org.example.a", json!({})).await.unwrap();
    alice.set_account_data("org.example.b", json!({})).await.unwrap();
    bob.send_receipt(&room, "m.read", &event_id).await.unwrap();
    bob.type_for(&room, 30_000).await.unwrap();
    let filter = json!({
        "account_data": { "types": ["org.example.a"] },
        "presence": { "types": [] },
        "room": { "ephemeral": { "not_types": ["m.typing"] } },
    });
    let answer = filtered(&alice, Some(&since), filter).await;
    let kinds = |events: Vec<Value>| {
        events
            .iter()
            .map(|event| event.text("/type").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(answer.events("/account_data/events")), ["org.example.a"]);
    assert_eq!(
        kinds(joined(&answer, &room).events("/ephemeral/events")),
        ["m.receipt"]
    );
    assert!(answer.events("/presence/events").is_empty());
}
