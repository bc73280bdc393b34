use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::json;

/// A room with this history visibility in which something is said at each step of Bob's way into it and out again.
async fn told(alice: &User, bob: &User, visibility: &str) -> String {
    let history =
        json!({ "type": "m.room.history_visibility", "content": { "history_visibility": visibility } });
    let request = json!({ "preset": "private_chat", "initial_state": [history] });
    let room = alice.create_room(request).await.unwrap();
    alice.send_text(&room, "before").await.unwrap();
    alice.invite(&room, bob).await.unwrap();
    alice.send_text(&room, "invited").await.unwrap();
    bob.join(&room).await.unwrap();
    alice.send_text(&room, "joined").await.unwrap();
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, "left").await.unwrap();
    room
}

#[tokio::test]
async fn each_visibility_shows_its_part_of_the_past() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    for (visibility, readable) in [
        ("joined", &["joined"][..]),
        ("invited", &["invited", "joined"]),
        ("shared", &["before", "invited", "joined"]),
        ("world_readable", &["before", "invited", "joined", "left"]),
    ] {
        let room = told(&alice, &bob, visibility).await;
        let events = bob.whole_timeline(&room, 5).await;
        let bodies: Vec<&str> = events
            .iter()
            .filter_map(|event| event["content"]["body"].as_str())
            .collect();
        assert_eq!(bodies, readable, "forwards, {visibility}");
        let mut backwards = bob.newest(&room, 100).await.bodies("/chunk");
        backwards.reverse();
        assert_eq!(backwards, readable, "backwards, {visibility}");

        // Single events and their surroundings follow the same rule.
        for event in alice.whole_timeline(&room, 100).await {
            let Some(body) = event["content"]["body"].as_str() else {
                continue;
            };
            let event_id = event.text("/event_id");
            let is_shown = bob.event(&room, event_id).await.is_ok();
            assert_eq!(is_shown, readable.contains(&body), "{body}, {visibility}");
            let context = bob
                .get(v3(["rooms", &room, "context", event_id]) + "?limit=100")
                .await;
            assert_eq!(context.is_ok(), is_shown, "context of {body}, {visibility}");
            if let Ok(context) = context {
                let around = [context.bodies("/events_before"), context.bodies("/events_after")].concat();
                assert!(
                    around.iter().all(|body| readable.contains(&body.as_str())),
                    "{around:?}, {visibility}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_change_of_visibility_does_not_open_the_past() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let set = |room: String, value: &'static str| {
        let alice = alice.clone();
        async move {
            let content = json!({ "history_visibility": value });
            alice
                .set_state(&room, "m.room.history_visibility", "", content)
                .await
                .unwrap();
        }
    };
    let room = alice.create_public_room().await;
    set(room.clone(), "joined").await;
    alice.send_text(&room, "closed").await.unwrap();
    set(room.clone(), "shared").await;
    alice.send_text(&room, "open").await.unwrap();
    bob.join(&room).await.unwrap();
    assert_eq!(bob.newest(&room, 100).await.bodies("/chunk"), ["open"]);
}

#[tokio::test]
async fn a_world_readable_room_can_be_looked_into() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let history =
        json!({ "type": "m.room.history_visibility", "content": { "history_visibility": "world_readable" } });
    let room = alice
        .create_room(json!({ "preset": "private_chat", "initial_state": [history] }))
        .await
        .unwrap();
    let event_id = alice.send_text(&room, "for all").await.unwrap();
    assert_eq!(bob.newest(&room, 10).await.bodies("/chunk"), ["for all"]);
    bob.event(&room, &event_id).await.unwrap();
    bob.get(v3(["rooms", &room, "state"])).await.unwrap();
    refused(
        bob.send_text(&room, "x").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn who_is_banned_reads_what_was_said_until_then() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "with bob").await.unwrap();
    alice.ban(&room, &bob).await.unwrap();
    alice.send_text(&room, "without bob").await.unwrap();
    assert_eq!(bob.newest(&room, 50).await.bodies("/chunk"), ["with bob"]);
}
