//! Server access control lists (SS API § Server Access Control Lists).

use echorift_tests::{Peer, refused};
use reqwest::Method;
use serde_json::json;

use crate::Scene;

/// A room that denies all servers named by an address, as the peers are.
async fn shut_out() -> Scene {
    let scene = Scene::new().await;
    let content = json!({ "allow": ["*"], "deny": [], "allow_ip_literals": false });
    scene
        .alice
        .set_state(&scene.room.id, "m.room.server_acl", "", content)
        .await
        .unwrap();
    scene
}

#[tokio::test]
async fn who_is_denied_may_neither_join_nor_ask() {
    let scene = shut_out().await;
    let late = Peer::start(&scene.authority).await;
    let room = scene.room.id.replace('!', "%21").replace(':', "%3A");
    let user = late.user("oscar").replace('@', "%40").replace(':', "%3A");
    let event = scene
        .alice
        .send_text(&scene.room.id, "only among us")
        .await
        .unwrap();
    let event_id = event.replace('$', "%24");
    for target in [
        format!("make_join/{room}/{user}?ver=11"),
        format!("make_leave/{room}/{user}"),
        format!("make_knock/{room}/{user}?ver=11"),
        format!("state/{room}?event_id={event_id}"),
        format!("state_ids/{room}?event_id={event_id}"),
        format!("backfill/{room}?v={event_id}&limit=10"),
        format!("event_auth/{room}/{event_id}"),
    ] {
        for peer in [&scene.peer, &late] {
            let answer = peer
                .get(&scene.server, &format!("/_matrix/federation/v1/{target}"))
                .await;
            refused(answer, 403, "M_FORBIDDEN");
        }
    }
    let body = json!({ "earliest_events": [], "latest_events": [event], "limit": 10, "min_depth": 0 });
    let target = format!("/_matrix/federation/v1/get_missing_events/{room}");
    refused(
        scene
            .peer
            .ask(&scene.server, Method::POST, &target, Some(body))
            .await,
        403,
        "M_FORBIDDEN",
    );
    let mallory = scene.peer.user("mallory");
    let join = scene.room.seal(&scene.room.draft(
        "mallory",
        "m.room.member",
        Some(&mallory),
        &json!({ "membership": "join" }),
    ));
    refused(
        scene.peer.send_join(&scene.server, &scene.room.id, &join).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn events_and_edus_of_who_is_denied_are_ignored() {
    let scene = shut_out().await;
    let message = scene
        .room
        .seal(&scene.room.message("mallory", "can you hear me?"));
    let mallory = scene.peer.user("mallory");
    let typing = json!({
        "edu_type": "m.typing", "content": { "room_id": scene.room.id, "user_id": mallory, "typing": true },
    });
    let said = scene.alice.send_text(&scene.room.id, "read this").await.unwrap();
    let read = json!({ &mallory: { "data": { "ts": 1 }, "event_ids": [said] } });
    let receipt = json!({ "edu_type": "m.receipt", "content": { &scene.room.id: { "m.read": read } } });
    let since = scene.alice.now().await;
    let answer = scene
        .peer
        .send(&scene.server, &[&message], &[typing, receipt])
        .await
        .unwrap();
    assert!(
        answer["pdus"][&message.id]["error"].is_string(),
        "the sender is told: {answer:#}"
    );
    // Lets the peer in again: once what it says now is seen, all before it has been worked off.
    let content = json!({ "allow": ["*"], "deny": [], "allow_ip_literals": true });
    let opened = scene
        .alice
        .set_state(&scene.room.id, "m.room.server_acl", "", content)
        .await
        .unwrap();
    let next = scene.room.say(&scene.server, "mallory", "and now?").await;
    scene.alice.sees(&scene.room.id, &next.id).await;
    let timeline = scene.alice.timeline_ids(&scene.room.id).await.unwrap();
    assert!(!timeline.contains(&message.id) && timeline.contains(&opened));
    let news = scene.alice.sync_from(&since).await["rooms"]["join"][&scene.room.id]["ephemeral"].clone();
    assert!(!news.to_string().contains(&mallory), "{news:#}");
}

#[tokio::test]
async fn another_server_does_not_carry_in_who_is_denied() {
    let scene = Scene::new().await;
    // Lists are about who asks, and the courier may; so it is the room's ban that keeps the other out.
    let (courier, couriers) = scene.another_peer("oscar").await;
    let path = echorift_tests::v3(["rooms", &scene.room.id, "ban"]);
    scene
        .alice
        .post(path, json!({ "user_id": scene.peer.user("mallory") }))
        .await
        .unwrap();
    let message = scene.room.seal(&scene.room.message("mallory", "by courier"));
    courier.send(&scene.server, &[&message], &[]).await.unwrap();
    let said = couriers.say(&scene.server, "oscar", "delivered").await;
    scene.alice.sees(&scene.room.id, &said.id).await;
    let timeline = scene.alice.timeline_ids(&scene.room.id).await.unwrap();
    assert!(!timeline.contains(&message.id));
}
