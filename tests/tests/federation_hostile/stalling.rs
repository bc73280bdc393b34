//! A peer that answers late, never, or not to the point, holds up nobody but itself.

use echorift_tests::{Reply, refused};
use serde_json::json;

use crate::Scene;

#[tokio::test]
async fn a_gap_whose_filler_stalls_does_not_stop_other_rooms() {
    for reply in [Reply::Silence, Reply::Drip] {
        let scene = Scene::new().await;
        let bystander = Scene::new().await;
        for path in [
            "/get_missing_events/",
            "/state_ids/",
            "/state/",
            "/event/",
            "/backfill/",
        ] {
            let reply = reply.clone();
            scene.peer.when(path, move |_| reply.clone());
        }
        let mut draft = scene.room.message("mallory", "after what you will never get");
        draft["prev_events"] = json!(["$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]);
        let event = scene.room.seal(&draft);
        scene.room.send(&scene.server, &[&event]).await;
        bystander.still_works().await;
        // In the room itself alice is not held up either.
        scene.alice.send_text(&scene.room.id, "anybody?").await.unwrap();
        bystander.still_works().await;
        // And when the peer has given up stalling, the room goes on.
        for path in [
            "/get_missing_events/",
            "/state_ids/",
            "/state/",
            "/event/",
            "/backfill/",
        ] {
            scene.peer.when(path, |_| Reply::Usual);
        }
        scene.still_works().await;
    }
}

#[tokio::test]
async fn a_peer_that_takes_no_transactions_gets_them_later() {
    let scene = Scene::new().await;
    let bystander = Scene::new().await;
    for reply in [
        Reply::Silence,
        Reply::Drip,
        Reply::Json(500, json!({ "errcode": "M_UNKNOWN", "error": "no" })),
        Reply::Text("nonsense".to_owned()),
    ] {
        scene.peer.when("/send/", move |_| reply.clone());
        let said = scene
            .alice
            .send_text(&scene.room.id, "are you there?")
            .await
            .unwrap();
        bystander.still_works().await;
        scene.peer.hears("/send/", |_| true).await;
        scene.peer.when("/send/", |_| Reply::Usual);
        scene.peer_knows(&said).await;
    }
}

#[tokio::test]
async fn joining_by_way_of_a_peer_that_stalls_fails_in_time() {
    let scene = Scene::new().await;
    for (path, reply) in [
        ("/make_join/", Reply::Silence),
        ("/make_join/", Reply::Drip),
        ("/send_join/", Reply::Silence),
        ("/send_join/", Reply::Drip),
    ] {
        let theirs = scene.peer.create_room("11", "mallory");
        scene.peer.when(path, move |_| reply.clone());
        let path = echorift_tests::v3(["join", &theirs.id]);
        let via = scene.peer.name().replace(':', "%3A");
        let refusal = scene
            .alice
            .post(format!("{path}?via={via}&server_name={via}"), json!({}))
            .await
            .unwrap_err();
        assert!(refusal.status >= 400, "{refusal}");
        scene.peer.when("_join/", |_| Reply::Usual);
    }
    scene.still_works().await;
}

#[tokio::test]
async fn other_questions_to_a_peer_that_stalls_end_as_well() {
    let scene = Scene::new().await;
    scene.peer.when("/query/profile", |_| Reply::Silence);
    scene.peer.when("/user/keys/query", |_| Reply::Drip);
    let nobody = scene.peer.user("nobody");
    let profile = scene.alice.get(echorift_tests::v3(["profile", &nobody])).await;
    assert!(profile.is_err());
    let body = json!({ "device_keys": { &nobody: [] }, "timeout": 1_000 });
    let path = echorift_tests::v3(["keys", "query"]);
    let keys = scene.alice.post(path, body).await.unwrap();
    assert!(keys["failures"][scene.peer.name()].is_object(), "{keys:#}");
    let alias = format!("#nowhere:{}", scene.peer.name());
    let path = echorift_tests::v3(["directory", "room", &alias]);
    refused(scene.alice.get(path).await, 404, "M_NOT_FOUND");
    scene.still_works().await;
}
