//! What a server may read of rooms that it is not in, and of history that was not for it.

use echorift_tests::{Look as _, Peer, refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Scene, shared};

fn encoded(text: &str) -> String {
    text.replace('!', "%21").replace(':', "%3A").replace('$', "%24")
}

#[tokio::test]
async fn strangers_read_nothing() {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let event = alice.send_text(&room, "among ourselves").await.unwrap();
    let peer = Peer::start(&shared.authority).await;
    let (room_id, event_id) = (encoded(&room), encoded(&event));
    for target in [
        format!("event/{event_id}"),
        format!("state/{room_id}?event_id={event_id}"),
        format!("state_ids/{room_id}?event_id={event_id}"),
        format!("backfill/{room_id}?v={event_id}&limit=10"),
        format!("event_auth/{room_id}/{event_id}"),
    ] {
        let refusal = peer
            .get(&server, &format!("/_matrix/federation/v1/{target}"))
            .await
            .expect_err(&target);
        assert!(matches!(refusal.status, 403 | 404), "{target}: {refusal}");
    }
    let body = json!({ "earliest_events": [], "latest_events": [event], "limit": 10, "min_depth": 0 });
    let target = format!("/_matrix/federation/v1/get_missing_events/{room_id}");
    let refusal = peer
        .ask(&server, Method::POST, &target, Some(body))
        .await
        .unwrap_err();
    assert!(matches!(refusal.status, 403 | 404), "{refusal}");
    let target = format!(
        "/_matrix/federation/v1/user/devices/{}",
        encoded(&alice.id).replace('@', "%40")
    );
    let devices = peer.get(&server, &target).await;
    assert!(!devices.is_ok_and(|devices| devices.to_string().contains("access_token")));
}

#[tokio::test]
async fn history_from_before_the_join_is_not_given_where_it_is_not_shared() {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let request = json!({
        "preset": "public_chat", "room_version": "11",
        "initial_state": [
            { "type": "m.room.history_visibility", "content": { "history_visibility": "joined" } },
        ],
    });
    let room = alice.create_room(request).await.unwrap();
    let secret = alice.send_text(&room, "a secret of ours").await.unwrap();
    let peer = Peer::start(&shared.authority).await;
    let joined = peer.join(&server, &room, "mallory").await.unwrap();
    let said = alice.send_text(&room, "no secret any more").await.unwrap();
    echorift_tests::until("the peer gets the event", async || {
        joined.knows(&said).then_some(())
    })
    .await;

    let target = format!("/_matrix/federation/v1/event/{}", encoded(&secret));
    let answer = peer.get(&server, &target).await;
    assert!(!tells(&answer.unwrap_or_default()), "by /event");
    let target = format!(
        "/_matrix/federation/v1/backfill/{}?v={}&limit=50",
        encoded(&room),
        encoded(&said)
    );
    let answer = peer.get(&server, &target).await.unwrap();
    assert!(!tells(&answer), "by /backfill: {answer:#}");
    assert!(answer.to_string().contains("no secret any more"), "{answer:#}");
    let body = json!({ "earliest_events": [], "latest_events": [said], "limit": 20, "min_depth": 0 });
    let target = format!("/_matrix/federation/v1/get_missing_events/{}", encoded(&room));
    let answer = peer
        .ask(&server, Method::POST, &target, Some(body))
        .await
        .unwrap();
    assert!(!tells(&answer), "by /get_missing_events: {answer:#}");
}

fn tells(answer: &Value) -> bool {
    answer.to_string().contains("a secret of ours")
}

#[tokio::test]
async fn questions_have_their_bounds() {
    let scene = Scene::new().await;
    for number in 0..30 {
        scene
            .alice
            .send_text(&scene.room.id, &number.to_string())
            .await
            .unwrap();
    }
    let last = scene.alice.send_text(&scene.room.id, "last").await.unwrap();
    scene.peer_knows(&last).await;
    let room = encoded(&scene.room.id);
    let target = format!(
        "/_matrix/federation/v1/backfill/{room}?v={}&limit=1000000000",
        encoded(&last)
    );
    let answer = scene.peer.get(&scene.server, &target).await.unwrap();
    let count = answer.list("/pdus").len();
    assert!((30..=1_000).contains(&count), "{count}");
    let body = json!({
        "earliest_events": [], "latest_events": [last], "limit": 1_000_000_000, "min_depth": 0,
    });
    let target = format!("/_matrix/federation/v1/get_missing_events/{room}");
    let answer = scene
        .peer
        .ask(&scene.server, Method::POST, &target, Some(body))
        .await
        .unwrap();
    let count = answer.list("/events").len();
    assert!((10..=100).contains(&count), "{count}");
    // Events of another room under this room's name.
    let elsewhere = Scene::new().await;
    let other = elsewhere
        .alice
        .send_text(&elsewhere.room.id, "elsewhere")
        .await
        .unwrap();
    let target = format!("/_matrix/federation/v1/state/{room}?event_id={}", encoded(&other));
    let answer = scene.peer.get(&scene.server, &target).await;
    assert!(answer.is_err());
    let nothing = format!(
        "/_matrix/federation/v1/event/{}",
        encoded("$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    );
    refused(scene.peer.get(&scene.server, &nothing).await, 404, "M_NOT_FOUND");
}
