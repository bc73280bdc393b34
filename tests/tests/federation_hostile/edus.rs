//! What is not an event and yet speaks for somebody.

use echorift_tests::{User, now_ms, v3};
use serde_json::{Value, json};

use crate::Scene;

#[expect(clippy::needless_pass_by_value, reason = "made for this one use")]
fn edu(kind: &str, content: Value) -> Value {
    json!({ "edu_type": kind, "content": content })
}

/// Sends EDUs and then, by one that is right, makes sure that they have been worked off; what alice was shown by then.
async fn shown(scene: &Scene, edus: &[Value]) -> Value {
    let since = scene.alice.now().await;
    scene.peer.send(&scene.server, &[], edus).await.unwrap();
    let mut answers = Vec::new();
    let status = echorift_tests::fresh("status");
    let presence = json!({
        "push": [{ "user_id": scene.peer.user("mallory"), "presence": "online", "status_msg": status }],
    });
    scene
        .peer
        .send(&scene.server, &[], &[edu("m.presence", presence)])
        .await
        .unwrap();
    let seen = std::sync::Mutex::new(&mut answers);
    scene
        .alice
        .sync_until(&since, |answer| {
            seen.lock().unwrap().push(answer.clone());
            answer["presence"].to_string().contains(&status)
        })
        .await;
    Value::Array(answers)
}

#[tokio::test]
async fn honest_edus_are_shown() {
    let scene = Scene::new().await;
    let mallory = scene.peer.user("mallory");
    let event = scene.alice.send_text(&scene.room.id, "read this").await.unwrap();
    scene.peer_knows(&event).await;
    let read = json!({ &mallory: { "data": { "ts": now_ms() }, "event_ids": [event] } });
    let note = json!({ &scene.alice.id: { &scene.alice.device_id: { "note": "honest" } } });
    let answers = shown(
        &scene,
        &[
            edu(
                "m.typing",
                json!({ "room_id": scene.room.id, "user_id": mallory, "typing": true }),
            ),
            edu("m.receipt", json!({ &scene.room.id: { "m.read": read } })),
            edu(
                "m.direct_to_device",
                json!({ "sender": mallory, "type": "org.example.note", "message_id": "1", "messages": note }),
            ),
        ],
    )
    .await
    .to_string();
    for part in ["m.typing", "m.receipt", "org.example.note", mallory.as_str()] {
        assert!(answers.contains(part), "no {part} in {answers}");
    }
}

#[tokio::test]
async fn nobody_types_reads_or_writes_for_others() {
    let scene = Scene::new().await;
    let [bob] = scene.server.register(["bob"]).await;
    bob.join(&scene.room.id).await.unwrap();
    let (other, _) = scene.another_peer("oscar").await;
    let event = scene.alice.send_text(&scene.room.id, "read this").await.unwrap();
    scene.peer_knows(&event).await;
    for victim in [bob.id.clone(), other.user("oscar")] {
        let read = json!({ &victim: { "data": { "ts": now_ms() }, "event_ids": [event] } });
        let note = json!({ &scene.alice.id: { "*": { "note": "forged" } } });
        let answers = shown(
            &scene,
            &[
                edu("m.typing", json!({ "room_id": scene.room.id, "user_id": victim, "typing": true })),
                edu("m.receipt", json!({ &scene.room.id: { "m.read": read } })),
                edu(
                    "m.presence",
                    json!({ "push": [{ "user_id": victim, "presence": "busy", "status_msg": "forged" }] }),
                ),
                edu(
                    "m.direct_to_device",
                    json!({ "sender": victim, "type": "org.example.note", "message_id": "1", "messages": note }),
                ),
                edu(
                    "m.device_list_update",
                    json!({ "user_id": victim, "device_id": "FORGED", "stream_id": 1, "prev_id": [] }),
                ),
                edu(
                    "m.signing_key_update",
                    json!({ "user_id": victim, "master_key": {
                        "user_id": victim, "usage": ["master"], "keys": { "ed25519:FORGED": "FORGED" },
                    } }),
                ),
            ],
        )
        .await
        .to_string();
        for part in ["m.receipt", "forged", "org.example.note", "FORGED"] {
            assert!(!answers.contains(part), "{part} in {answers}");
        }
        let body = json!({ "device_keys": { &victim: [] } });
        let keys = scene.alice.post(v3(["keys", "query"]), body).await.unwrap();
        assert!(!keys.to_string().contains("FORGED"), "{keys:#}");
    }
}

#[tokio::test]
async fn only_members_type_and_read_in_a_room() {
    let scene = Scene::new().await;
    let stranger = scene.peer.user("stranger");
    let answers = shown(
        &scene,
        &[
            edu(
                "m.typing",
                json!({ "room_id": scene.room.id, "user_id": stranger, "typing": true }),
            ),
            edu(
                "m.typing",
                json!({ "room_id": "!unknown:a.test", "user_id": stranger, "typing": true }),
            ),
        ],
    )
    .await
    .to_string();
    assert!(!answers.contains("stranger"), "{answers}");
    scene.still_works().await;
}

#[tokio::test]
async fn the_same_message_to_a_device_arrives_once() {
    let scene = Scene::new().await;
    let mallory = scene.peer.user("mallory");
    let note = json!({ &scene.alice.id: { &scene.alice.device_id: { "note": "once" } } });
    let message = edu(
        "m.direct_to_device",
        json!({ "sender": mallory, "type": "org.example.note", "message_id": "the same", "messages": note }),
    );
    let answers = shown(&scene, &[message.clone(), message.clone()]).await;
    let again = shown(&scene, &[message]).await;
    let count = |answers: &Value| answers.to_string().matches("\"note\":\"once\"").count();
    // A client repeats what it was not told to have been read: only the first answers count.
    assert_eq!(count(&answers), 1, "{answers:#}");
    assert_eq!(count(&again), 0, "{again:#}");
}

#[tokio::test]
async fn nonsense_is_passed_over() {
    let scene = Scene::new().await;
    let mut edus = vec![
        json!({}),
        json!(1),
        json!(null),
        json!([]),
        json!({ "edu_type": 5, "content": [] }),
    ];
    for kind in [
        "m.typing",
        "m.receipt",
        "m.presence",
        "m.direct_to_device",
        "m.device_list_update",
        "m.signing_key_update",
        "org.example.unknown",
    ] {
        for content in [
            json!({}),
            json!([]),
            json!("x"),
            json!({ "push": 1, "room_id": {}, "messages": [] }),
        ] {
            edus.push(edu(kind, content));
        }
    }
    let answer = scene.peer.send(&scene.server, &[], &edus).await;
    if let Err(refusal) = answer {
        assert_eq!(refusal.status, 400, "{refusal}");
    }
    scene.still_works().await;
}

#[tokio::test]
async fn device_lists_are_asked_for_when_an_update_was_missed() {
    let scene = Scene::new().await;
    let mallory: String = scene.peer.user("mallory");
    let device = json!({
        "user_id": mallory, "stream_id": 40,
        "devices": [{ "device_id": "REAL", "keys": {
            "user_id": mallory, "device_id": "REAL", "algorithms": [],
            "keys": { "ed25519:REAL": "AAAA" }, "signatures": {},
        } }],
    });
    scene.peer.when("/user/devices/", move |_| {
        echorift_tests::Reply::Json(200, device.clone())
    });
    let update = edu(
        "m.device_list_update",
        json!({ "user_id": mallory, "device_id": "REAL", "stream_id": 40, "prev_id": [39] }),
    );
    scene.peer.send(&scene.server, &[], &[update]).await.unwrap();
    echorift_tests::until("the devices are known", async || {
        let body = json!({ "device_keys": { &mallory: [] } });
        let keys = scene.alice.post(v3(["keys", "query"]), body).await.ok()?;
        keys["device_keys"][&mallory]["REAL"].is_object().then_some(())
    })
    .await;
    assert!(watches(&scene.alice).await);
}

/// Whether the server still answers this user.
async fn watches(user: &User) -> bool {
    user.get("/_matrix/client/v3/account/whoami").await.is_ok()
}
