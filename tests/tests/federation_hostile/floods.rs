//! Answers without end take no memory without end.

use echorift_tests::{Reply, now_ms};
use serde_json::json;

use crate::Scene;

/// How much more the server may hold after it was flooded; what it keeps of one answer is far less.
const GROWTH_MAX: u64 = 256 * 1024 * 1024;

#[tokio::test]
async fn answers_without_end_are_cut_off() {
    let scene = Scene::alone(|builder| builder).await;
    let before = scene.server.memory();
    for path in [
        "/get_missing_events/",
        "/state_ids/",
        "/state/",
        "/event/",
        "/event_auth/",
        "/backfill/",
    ] {
        scene.peer.when(path, |_| Reply::Flood);
    }
    for number in 0..3 {
        let mut draft = scene.room.message("mallory", "after a flood");
        draft["prev_events"] = json!([format!("${number:A>43}")]);
        let event = scene.room.seal(&draft);
        scene.room.send(&scene.server, &[&event]).await;
    }
    scene.peer.hears("/get_missing_events/", |_| true).await;
    scene.peer.when("/query/profile", |_| Reply::Flood);
    scene.peer.when("/user/keys/query", |_| Reply::Flood);
    scene.peer.when("/make_join/", |_| Reply::Flood);
    scene.peer.when("/send/", |_| Reply::Flood);
    let nobody = scene.peer.user("nobody");
    let _ = scene.alice.get(echorift_tests::v3(["profile", &nobody])).await;
    let body = json!({ "device_keys": { &nobody: [] } });
    let _ = scene
        .alice
        .post(echorift_tests::v3(["keys", "query"]), body)
        .await;
    let theirs = scene.peer.create_room("11", "mallory");
    let path = echorift_tests::v3(["join", &theirs.id]);
    let via = scene.peer.name().replace(':', "%3A");
    let joined = scene
        .alice
        .post(format!("{path}?via={via}&server_name={via}"), json!({}))
        .await;
    assert!(joined.is_err());
    scene
        .alice
        .send_text(&scene.room.id, "how wet it is")
        .await
        .unwrap();
    for path in [
        "/get_missing_events/",
        "/state_ids/",
        "/state/",
        "/event/",
        "/event_auth/",
        "/backfill/",
        "/send/",
    ] {
        scene.peer.when(path, |_| Reply::Usual);
    }
    scene.still_works().await;
    let growth = scene.server.memory().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more");
}

#[tokio::test]
async fn files_without_end_are_cut_off() {
    let scene = Scene::alone(|builder| builder.set("media.max_upload", "1MiB")).await;
    scene.peer.when("/media/download/", |_| Reply::Flood);
    scene.peer.when("/media/thumbnail/", |_| Reply::Flood);
    let before = scene.server.memory();
    for kind in ["download", "thumbnail"] {
        let query = if kind == "thumbnail" {
            "?width=32&height=32"
        } else {
            ""
        };
        let path = format!(
            "/_matrix/client/v1/media/{kind}/{}/flood{query}",
            scene.peer.name()
        );
        let refusal = scene.alice.get(path).await.unwrap_err();
        assert!(refusal.status >= 400, "{refusal}");
    }
    scene.still_works().await;
    let growth = scene.server.memory().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more");
}

#[tokio::test]
async fn many_large_transactions_take_no_memory_for_long() {
    let scene = Scene::alone(|builder| builder).await;
    let before = scene.server.memory();
    for round in 0..20 {
        // 50 events of nearly 64 KiB each, of a room that the server is not in, and as much of what nobody asked for.
        let theirs = scene.peer.create_room("11", "mallory");
        let events: Vec<_> = (0..50)
            .map(|number| {
                let body = format!("{round} {number} {}", "x".repeat(60_000));
                theirs.seal(&theirs.message("mallory", &body))
            })
            .collect();
        let edu = json!({ "edu_type": "org.example.unknown", "content": { "time": now_ms(), "x": "y".repeat(1_000) } });
        let answer = scene
            .peer
            .send(&scene.server, &events.iter().collect::<Vec<_>>(), &vec![edu; 100])
            .await;
        assert!(answer.is_ok_and(|answer| answer["pdus"].is_object()));
    }
    scene.still_works().await;
    let growth = scene.server.memory().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more");
}
