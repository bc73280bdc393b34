//! Filters by relations, and by the fields of events.

use echorift_tests::{Look as _, Sync, TestServer, User};
use serde_json::{Value, json};

use super::joined;

async fn filtered(user: &User, filter: Value) -> Value {
    let options = Sync {
        filter: Some(filter),
        ..Sync::default()
    };
    user.sync(options).await.unwrap()
}

#[tokio::test]
async fn events_are_told_as_servers_exchange_them_where_that_is_asked_for() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let event_id = alice.send_text(&room, "as it was sealed").await.unwrap();
    let answer = filtered(
        &alice,
        json!({ "event_format": "federation", "room": { "timeline": { "limit": 1 } } }),
    )
    .await;
    let told = &joined(&answer, &room).events("/timeline/events")[0];
    assert_eq!(
        (&told["event_id"], &told["content"]["body"]),
        (&json!(event_id), &json!("as it was sealed"))
    );
    for field in [
        "prev_events",
        "auth_events",
        "depth",
        "hashes",
        "signatures",
        "unsigned",
    ] {
        assert!(told.get(field).is_some(), "{field} is missing: {told}");
    }
    let state = joined(&answer, &room).events("/state/events");
    assert!(
        state.iter().all(|event| event["auth_events"].is_array()),
        "{answer}"
    );
    let usual = filtered(&alice, json!({})).await;
    assert!(
        joined(&usual, &room).events("/timeline/events")[0]
            .get("hashes")
            .is_none()
    );
}

#[tokio::test]
async fn only_events_that_others_relate_to_are_told() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let liked = alice.send_text(&room, "liked by bob").await.unwrap();
    let threaded = alice.send_text(&room, "discussed by alice").await.unwrap();
    alice.send_text(&room, "ignored by all").await.unwrap();
    bob.react(&room, &liked, "👍").await.unwrap();
    alice.send_in_thread(&room, &threaded, "well").await.unwrap();

    for (filter, expected) in [
        (
            json!({ "related_by_rel_types": ["m.thread"] }),
            vec!["discussed by alice"],
        ),
        (
            json!({ "related_by_rel_types": ["m.thread", "m.annotation"] }),
            vec!["liked by bob", "discussed by alice"],
        ),
        (json!({ "related_by_senders": [bob.id] }), vec!["liked by bob"]),
        (
            json!({ "related_by_senders": [bob.id], "related_by_rel_types": ["m.thread"] }),
            vec![],
        ),
    ] {
        let page = alice
            .messages(&room, &format!("dir=f&limit=50&{}", User::filter_query(&filter)))
            .await
            .unwrap();
        assert_eq!(page.bodies("/chunk"), expected, "{filter}");
        let answer = filtered(&alice, json!({ "room": { "timeline": filter.clone() } })).await;
        assert_eq!(
            joined(&answer, &room).bodies("/timeline/events"),
            expected,
            "{filter}"
        );

        let saved = json!({ "room": { "timeline": filter.clone() } });
        let saved = alice.post(alice.own_path(&["filter"]), saved).await.unwrap();
        let path = format!(
            "/_matrix/client/v3/sync?timeout=0&filter={}",
            saved.text("/filter_id")
        );
        for _ in 0..2 {
            let answer = alice.get(&path).await.unwrap();
            assert_eq!(
                joined(&answer, &room).bodies("/timeline/events"),
                expected,
                "{filter}"
            );
        }
    }
}

#[tokio::test]
async fn events_have_only_the_fields_that_were_asked_for() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    alice.send_text(&room, "hello").await.unwrap();
    let filter = json!({ "event_fields": ["type", "content.body"], "room": { "timeline": { "limit": 1 } } });
    let answer = filtered(&alice, filter).await;
    assert_eq!(
        joined(&answer, &room)["timeline"]["events"],
        json!([{ "type": "m.room.message", "content": { "body": "hello" } }])
    );
}
