use echorift_tests::{Look as _, Sync, TestServer};
use serde_json::json;

use super::{joined, state_keys};

#[tokio::test]
async fn state_comes_once_and_before_the_timeline() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for number in 0..25 {
        alice.send_text(&room, &number.to_string()).await.unwrap();
    }
    let initial = bob.sync_all().await;
    let keys = state_keys(joined(&initial, &room), "/state/events");
    for key in ["m.room.create|", "m.room.power_levels|", "m.room.join_rules|"] {
        assert!(keys.contains(&key.to_owned()), "{keys:?}");
    }
    let mut distinct = keys.clone();
    distinct.dedup();
    assert_eq!(keys, distinct, "no state twice");

    let since = initial.text("/next_batch");
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "first" }))
        .await
        .unwrap();
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "second" }))
        .await
        .unwrap();
    let answer = bob.sync_from(since).await;
    let part = joined(&answer, &room);
    assert!(
        part.events("/state/events").is_empty(),
        "what is in the timeline is not repeated: {part}"
    );
    let topics = part.events("/timeline/events");
    assert_eq!(topics.len(), 2);
    assert_eq!(topics[1].text("/unsigned/prev_content/topic"), "first");
    assert_eq!(
        topics[1].text("/unsigned/replaces_state"),
        topics[0].text("/event_id")
    );
}

#[tokio::test]
async fn state_after_holds_the_state_at_the_end() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "first" }))
        .await
        .unwrap();
    let initial = bob
        .sync(Sync {
            state_after: true,
            ..Sync::default()
        })
        .await
        .unwrap();
    let part = joined(&initial, &room);
    assert!(part.get("state").is_none());
    let topic = part
        .events("/state_after/events")
        .into_iter()
        .find(|event| event["type"] == "m.room.topic");
    assert_eq!(topic.expect("the topic").text("/content/topic"), "first");

    let since = initial.text("/next_batch");
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "second" }))
        .await
        .unwrap();
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "third" }))
        .await
        .unwrap();
    let options = Sync {
        since: Some(since),
        state_after: true,
        ..Sync::default()
    };
    let answer = bob.sync(options).await.unwrap();
    let changes = joined(&answer, &room).events("/state_after/events");
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].text("/content/topic"), "third");
}

#[tokio::test]
async fn full_state_repeats_the_state() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (room, other) = (
        alice.create_room_with(&[]).await,
        alice.create_room_with(&[]).await,
    );
    let since = alice.now().await;
    alice.send_text(&room, "x").await.unwrap();
    let options = Sync {
        since: Some(&since),
        full_state: true,
        ..Sync::default()
    };
    let answer = alice.sync(options).await.unwrap();
    for id in [&room, &other] {
        let keys = state_keys(joined(&answer, id), "/state/events");
        assert!(keys.contains(&"m.room.create|".to_owned()), "{keys:?}");
    }
    assert_eq!(joined(&answer, &room).bodies("/timeline/events"), ["x"]);
}

#[tokio::test]
async fn a_room_joined_since_comes_whole() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "Hall" }))
        .await
        .unwrap();
    for number in 0..15 {
        alice.send_text(&room, &number.to_string()).await.unwrap();
    }
    let since = bob.now().await;
    bob.join(&room).await.unwrap();
    let answer = bob.sync_from(&since).await;
    let part = joined(&answer, &room);
    let timeline = part.events("/timeline/events");
    assert_eq!(timeline.last().unwrap()["state_key"], bob.id.as_str());
    let keys = [
        state_keys(part, "/state/events"),
        state_keys(part, "/timeline/events"),
    ]
    .concat();
    for key in [
        "m.room.create|".to_owned(),
        "m.room.name|".to_owned(),
        format!("m.room.member|{}", alice.id),
    ] {
        assert!(keys.contains(&key), "{key} is missing: {keys:?}");
    }
    assert_eq!(part["timeline"]["limited"], true);
    assert_eq!(part.number("/summary/m.joined_member_count"), 2);
}

#[tokio::test]
async fn a_summary_names_the_heroes() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.invite(&room, &carol).await.unwrap();
    let filter = json!({ "room": { "state": { "lazy_load_members": true } } });
    let answer = alice
        .sync(Sync {
            filter: Some(filter),
            ..Sync::default()
        })
        .await
        .unwrap();
    let summary = &joined(&answer, &room)["summary"];
    assert_eq!(
        (
            summary.number("/m.joined_member_count"),
            summary.number("/m.invited_member_count")
        ),
        (2, 1)
    );
    let mut heroes: Vec<&str> = summary
        .list("/m.heroes")
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    heroes.sort_unstable();
    let mut expected = [bob.id.as_str(), carol.id.as_str()];
    expected.sort_unstable();
    assert_eq!(heroes, expected);
}
