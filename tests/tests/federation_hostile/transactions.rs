use echorift_tests::{Peer, PeerEvent, now_ms};
use reqwest::Method;
use serde_json::json;

use crate::{Scene, shared};

#[tokio::test]
async fn a_transaction_sent_twice_counts_once() {
    let scene = Scene::new().await;
    let event = scene.room.seal(&scene.room.message("mallory", "once"));
    scene.room.append(&event);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = scene
            .peer
            .send_in_transaction(&scene.server, "the-same", &[&event], &[])
            .await
            .unwrap();
        answers.push(answer);
    }
    assert!(
        answers
            .iter()
            .all(|answer| answer["pdus"][&event.id].get("error").is_none()),
        "{answers:#?}"
    );
    // The same event in another transaction.
    scene.room.send(&scene.server, &[&event, &event]).await;
    scene.still_works().await;
    let history = scene.alice.whole_history(&scene.room.id).await.unwrap();
    let copies = history
        .iter()
        .filter(|shown| shown["event_id"] == event.id.as_str());
    assert_eq!(copies.count(), 1);
}

#[tokio::test]
async fn the_same_transaction_at_the_same_time_counts_once() {
    let scene = Scene::new().await;
    let event = scene
        .room
        .seal(&scene.room.message("mallory", "at the same time"));
    scene.room.append(&event);
    let sending = (0..8).map(|_| async {
        scene
            .peer
            .send_in_transaction(&scene.server, "at-the-same-time", &[&event], &[])
            .await
    });
    for answer in futures_util::future::join_all(sending).await {
        // One that comes while the other is worked on may be told to come back.
        if let Err(refusal) = answer {
            assert!(matches!(refusal.status, 429 | 500..=503), "{refusal}");
        }
    }
    scene.still_works().await;
    let history = scene.alice.whole_history(&scene.room.id).await.unwrap();
    let copies = history
        .iter()
        .filter(|shown| shown["event_id"] == event.id.as_str());
    assert_eq!(copies.count(), 1);
}

#[tokio::test]
async fn one_bad_event_does_not_spoil_the_others() {
    let scene = Scene::new().await;
    let forged = scene
        .room
        .seal_with(&scene.room.message("mallory", "forged"), &scene.peer.wrong_key());
    let good: Vec<PeerEvent> = (0..3)
        .map(|number| {
            let event = scene
                .room
                .seal(&scene.room.message("mallory", &format!("good {number}")));
            scene.room.append(&event);
            event
        })
        .collect();
    scene
        .room
        .send(&scene.server, &[&good[0], &forged, &good[1], &forged, &good[2]])
        .await;
    for event in &good {
        scene.alice.sees(&scene.room.id, &event.id).await;
    }
    scene.has_none_of(&[&forged]).await;
}

#[tokio::test]
async fn a_transaction_speaks_for_its_sender_only() {
    let scene = Scene::new().await;
    let event = scene
        .room
        .seal(&scene.room.message("mallory", "in another's name"));
    let body = json!({ "origin": "another.test", "origin_server_ts": now_ms(), "pdus": [event.json] });
    let target = "/_matrix/federation/v1/send/for-another";
    // Refused, or taken as the peer's own, which it is by its signature.
    let answer = scene
        .peer
        .ask(&scene.server, Method::PUT, target, Some(body))
        .await;
    if let Err(refusal) = answer {
        assert!((400..500).contains(&refusal.status), "{refusal}");
    }
    scene.still_works().await;
}

#[tokio::test]
async fn events_of_rooms_that_nobody_is_in_are_not_kept() {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let peer = Peer::start(&shared.authority).await;
    let theirs = peer.create_room("11", "mallory");
    let said = theirs.say(&server, "mallory", "can you hear me?").await;
    assert!(alice.event(&theirs.id, &said.id).await.is_err());
    // As soon as somebody is, they are.
    let path = echorift_tests::v3(["join", &theirs.id]);
    let via = peer.name().replace(':', "%3A");
    alice
        .post(format!("{path}?via={via}&server_name={via}"), json!({}))
        .await
        .unwrap();
    let said = theirs.say(&server, "mallory", "and now?").await;
    alice.sees(&theirs.id, &said.id).await;
}
