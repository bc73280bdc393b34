use echorift_tests::{PeerEvent, now_ms};
use reqwest::Method;
use serde_json::{Value, json};

use crate::Scene;

#[tokio::test]
async fn events_over_64_kib_are_dropped() {
    let scene = Scene::new().await;
    let large = scene
        .room
        .seal(&scene.room.message("mallory", &"x".repeat(66_000)));
    let huge = scene
        .room
        .seal(&scene.room.message("mallory", &"x".repeat(700_000)));
    // Small as it is signed; `unsigned` does not count.
    let mut small = scene.room.seal(&scene.room.message("mallory", "small"));
    small.json["unsigned"] = json!({ "filling": "x".repeat(10_000) });
    scene.refuses(&[&large, &huge]).await;
    scene.room.append(&small);
    scene.room.send(&scene.server, &[&small]).await;
    scene.alice.sees(&scene.room.id, &small.id).await;
}

#[tokio::test]
async fn an_event_of_just_under_64_kib_is_taken() {
    let scene = Scene::new().await;
    let size = |event: &PeerEvent| event.json.to_string().len();
    let empty = size(&scene.room.seal(&scene.room.message("mallory", "")));
    let full = scene
        .room
        .seal(&scene.room.message("mallory", &"x".repeat(65_536 - empty - 16)));
    assert!(size(&full) > 65_400 && size(&full) <= 65_536);
    scene.room.append(&full);
    scene.room.send(&scene.server, &[&full]).await;
    scene.alice.sees(&scene.room.id, &full.id).await;
    scene.still_works().await;
}

#[tokio::test]
async fn fields_have_their_limits() {
    let scene = Scene::new().await;
    let long = "x".repeat(300);
    let attempts = [
        scene
            .room
            .seal(&scene.room.draft("mallory", &long, None, &json!({}))),
        scene.room.seal(
            &scene
                .room
                .draft("mallory", "org.example", Some(&long), &json!({})),
        ),
        changed(&scene, "depth", json!(-1)),
        changed(&scene, "depth", json!("deep")),
        changed(&scene, "content", json!([])),
        changed(&scene, "content", json!("text")),
        changed(&scene, "type", json!(7)),
        changed(&scene, "state_key", json!(7)),
        changed(&scene, "prev_events", json!({})),
        changed(&scene, "prev_events", json!([[1, 2]])),
        changed(&scene, "prev_events", json!(vec!["$AAAA"; 21])),
        changed(&scene, "auth_events", json!(vec!["$AAAA"; 11])),
        changed(&scene, "origin_server_ts", json!("now")),
        changed(&scene, "sender", json!("mallory")),
        changed(&scene, "sender", json!(format!("@{long}:{}", scene.peer.name()))),
    ];
    scene.refuses(&attempts.iter().collect::<Vec<_>>()).await;
}

fn changed(scene: &Scene, key: &str, value: Value) -> PeerEvent {
    let mut draft = scene.room.message("mallory", "wrong in its form");
    draft[key] = value;
    scene.room.seal(&draft)
}

#[tokio::test]
async fn a_depth_at_the_limit_is_no_end() {
    let scene = Scene::new().await;
    let mut draft = scene.room.message("mallory", "deep");
    draft["depth"] = json!(9_007_199_254_740_991_u64);
    let deep = scene.room.seal(&draft);
    scene.room.send(&scene.server, &[&deep]).await;
    scene.alice.sees(&scene.room.id, &deep.id).await;
    let answer = scene.alice.send_text(&scene.room.id, "and deeper").await.unwrap();
    scene.peer_knows(&answer).await;
}

#[tokio::test]
async fn what_is_no_canonical_json_is_dropped() {
    let scene = Scene::new().await;
    let sealed = scene.room.seal(&scene.room.message("mallory", "with a float"));
    let mut float = sealed.clone();
    float.json["content"]["n"] = json!(1.5);
    let mut large = sealed.clone();
    large.json["content"]["n"] = json!(9_007_199_254_740_993_u64);
    scene.room.send(&scene.server, &[&float, &large]).await;
    scene.still_works().await;
    let timeline = scene.alice.whole_history(&scene.room.id).await.unwrap();
    assert!(timeline.iter().all(|event| event["content"]["n"].is_null()));
}

#[tokio::test]
async fn transactions_hold_so_much_and_no_more() {
    let scene = Scene::new().await;
    let events: Vec<PeerEvent> = (0..51)
        .map(|number| {
            scene
                .room
                .seal(&scene.room.message("mallory", &number.to_string()))
        })
        .collect();
    let refusal = scene
        .peer
        .send(&scene.server, &events.iter().collect::<Vec<_>>(), &[])
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 400, "{refusal}");
    let typing = json!({
        "edu_type": "m.typing",
        "content": { "room_id": scene.room.id, "user_id": scene.peer.user("mallory"), "typing": true },
    });
    let refusal = scene
        .peer
        .send(&scene.server, &[], &vec![typing.clone(); 101])
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 400, "{refusal}");
    scene
        .peer
        .send(&scene.server, &[], &vec![typing; 100])
        .await
        .unwrap();
    scene.still_works().await;
    scene.has_none_of(&events.iter().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn nonsense_in_transactions_is_answered() {
    let scene = Scene::new().await;
    let name = scene.peer.name().to_owned();
    let nested = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for (index, pdus) in [
        json!([1, null, "text", [], {}]),
        json!([{ "room_id": scene.room.id }]),
        json!([{ "room_id": 5, "type": "m.room.message" }]),
        json!([{ "room_id": "!unknown:victim.test", "type": "m.room.message", "sender": "@a:b" }]),
        json!({}),
        json!("pdus"),
        json!([{ "content": nested }]),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "origin": name, "origin_server_ts": now_ms(), "pdus": pdus });
        let target = format!("/_matrix/federation/v1/send/nonsense{index}");
        let answer = scene
            .peer
            .ask(&scene.server, Method::PUT, &target, Some(body))
            .await;
        if let Err(refusal) = answer {
            assert_eq!(refusal.status, 400, "{refusal}");
        }
    }
    scene.still_works().await;
}
