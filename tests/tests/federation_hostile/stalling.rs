//! A peer that answers late, never, or not to the point, holds up nobody but itself.

use echorift_tests::{Answer, Peer, Reply, refused};
use futures_util::future::join_all;
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
async fn joining_by_way_of_a_peer_that_stalls_fails_in_time_and_holds_up_nobody() {
    let scene = Scene::new().await;
    let joining = [Reply::Silence, Reply::Drip].map(|reply| {
        let scene = &scene;
        async move {
            let peer = Peer::start(&scene.authority).await;
            let theirs = peer.create_room("11", "mallory");
            peer.when("/make_join/", move |_| reply.clone());
            join(scene, &peer, &theirs.id).await.unwrap_err()
        }
    });
    let (refusals, ()) = tokio::join!(join_all(joining), scene.still_works());
    for refusal in refusals {
        assert!(refusal.status >= 400, "{refusal}");
    }
    // The state of a large room may take its time, which nobody else spends.
    for reply in [Reply::Silence, Reply::Drip] {
        let peer = Peer::start(&scene.authority).await;
        let theirs = peer.create_room("11", "mallory");
        peer.when("/send_join/", move |_| reply.clone());
        tokio::select! {
            answer = join(&scene, &peer, &theirs.id) => assert!(answer.is_err()),
            () = async {
                peer.hears("/send_join/", |_| true).await;
                scene.still_works().await;
            } => {}
        }
    }
}

async fn join(scene: &Scene, peer: &Peer, room: &str) -> Answer {
    let path = echorift_tests::v3(["join", room]);
    let via = peer.name().replace(':', "%3A");
    scene
        .alice
        .post(format!("{path}?via={via}&server_name={via}"), json!({}))
        .await
}

#[tokio::test]
async fn other_questions_to_a_peer_that_stalls_end_as_well() {
    let scene = Scene::new().await;
    let alias = format!("#nowhere:{}", scene.peer.name());
    let path = echorift_tests::v3(["directory", "room", &alias]);
    refused(scene.alice.get(path).await, 404, "M_NOT_FOUND");
    scene.peer.when("/query/profile", |_| Reply::Silence);
    scene.peer.when("/user/keys/query", |_| Reply::Drip);
    let nobody = scene.peer.user("nobody");
    let profile = scene.alice.get(echorift_tests::v3(["profile", &nobody])).await;
    assert!(profile.is_err());
    let body = json!({ "device_keys": { &nobody: [] }, "timeout": 1_000 });
    let path = echorift_tests::v3(["keys", "query"]);
    let keys = scene.alice.post(path, body).await.unwrap();
    assert!(keys["failures"][scene.peer.name()].is_object(), "{keys:#}");
    scene.still_works().await;
}
