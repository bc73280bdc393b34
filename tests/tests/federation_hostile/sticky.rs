//! What a peer says of stickiness (MSC4354), right and wrong.

use echorift_tests::{Look as _, PeerEvent, Sync, now_ms, until};
use serde_json::{Value, json};

use crate::Scene;

const HOUR: u64 = 3_600_000;

/// An event of mallory's with this as its stickiness.
fn saying(scene: &Scene, body: &str, sticky: &Value) -> PeerEvent {
    let content = json!({ "body": body });
    let mut draft = scene.room.draft("mallory", "m.rtc.member", None, &content);
    draft["msc4354_sticky"] = sticky.clone();
    scene.room.seal(&draft)
}

/// The sticky events that alice is told, by their bodies.
async fn sticky(scene: &Scene) -> Vec<(String, Value)> {
    let filter = json!({ "room": { "timeline": { "types": ["m.room.none"] } } });
    let options = Sync {
        filter: Some(filter),
        ..Sync::default()
    };
    let answer = scene.alice.sync(options).await.unwrap();
    let events = answer["rooms"]["join"][&scene.room.id].events("/msc4354_sticky/events");
    let entry = |event: Value| (event.text("/content/body").to_owned(), event);
    events.into_iter().map(entry).collect()
}

async fn bodies(scene: &Scene) -> Vec<String> {
    sticky(scene).await.into_iter().map(|(body, _)| body).collect()
}

#[tokio::test]
async fn what_is_no_stickiness_leaves_the_event_as_it_is() {
    for version in ["6", "11", "12"] {
        let scene = Scene::of_version(version).await;
        let wrong = [
            json!(null),
            json!(60_000),
            json!("60000"),
            json!(true),
            json!([]),
            json!([60_000]),
            json!({}),
            json!({ "duration": 60_000 }),
            json!({ "duration_ms": null }),
            json!({ "duration_ms": "60000" }),
            json!({ "duration_ms": -1 }),
            json!({ "duration_ms": [60_000] }),
            json!({ "duration_ms": { "ms": 60_000 } }),
            json!({ "duration_ms": 0 }),
        ];
        let mut last = String::new();
        for wrong in &wrong {
            let event = saying(&scene, &wrong.to_string(), wrong);
            scene.room.append(&event);
            scene.room.send(&scene.server, &[&event]).await;
            last.clone_from(&event.id);
        }
        scene.alice.sees(&scene.room.id, &last).await;
        assert!(bodies(&scene).await.is_empty(), "version {version}");
        let seen = scene.alice.timeline_ids(&scene.room.id).await.unwrap();
        let events = scene.alice.whole_history(&scene.room.id).await.unwrap();
        let said = events.iter().filter(|event| event["type"] == "m.rtc.member");
        assert_eq!(
            said.count(),
            wrong.len(),
            "each of them is an event like others: {seen:?}"
        );
        scene.still_works().await;
    }
}

#[tokio::test]
async fn nothing_sticks_for_longer_than_an_hour_from_when_it_came() {
    let scene = Scene::new().await;
    let day = json!({ "duration_ms": 24 * HOUR });
    let event = saying(&scene, "a day", &day);
    let mut draft = scene
        .room
        .draft("mallory", "m.rtc.member", None, &json!({ "body": "of later" }));
    draft["msc4354_sticky"] = json!({ "duration_ms": HOUR });
    draft["origin_server_ts"] = (now_ms() + HOUR / 2).into();
    let future = scene.room.seal(&draft);
    let mut draft = scene.room.draft(
        "mallory",
        "m.rtc.member",
        None,
        &json!({ "body": "of yesterday" }),
    );
    draft["msc4354_sticky"] = json!({ "duration_ms": HOUR });
    draft["origin_server_ts"] = (now_ms() - 24 * HOUR).into();
    let past = scene.room.seal(&draft);
    for event in [&event, &future, &past] {
        scene.room.append(event);
    }
    scene.room.send(&scene.server, &[&event, &future, &past]).await;
    scene.alice.sees(&scene.room.id, &past.id).await;
    let told = sticky(&scene).await;
    assert_eq!(told.len(), 2, "{told:?}");
    for (body, event) in told {
        assert!(["a day", "of later"].contains(&&*body));
        let ttl_ms = event.number("/unsigned/msc4354_sticky_duration_ttl_ms");
        assert!(ttl_ms > 0 && ttl_ms <= i64::try_from(HOUR).unwrap(), "{ttl_ms}");
    }
}

#[tokio::test]
async fn a_changed_duration_breaks_the_hash_and_nothing_sticks() {
    let scene = Scene::new().await;
    let event = saying(&scene, "changed", &json!({ "duration_ms": 1_000 }));
    let changed = event.tampered("/msc4354_sticky/duration_ms", 1_000_000);
    scene.room.append(&event);
    scene.room.send(&scene.server, &[&changed]).await;
    scene.alice.sees(&scene.room.id, &event.id).await;
    let shown = scene.alice.event(&scene.room.id, &event.id).await.unwrap();
    assert!(shown.get("msc4354_sticky").is_none(), "{shown}");
    assert!(bodies(&scene).await.is_empty());
}

#[tokio::test]
async fn who_is_banned_is_heard_when_they_are_back() {
    let scene = Scene::new().await;
    let user = scene.peer.user("mallory");
    let event = saying(&scene, "withheld", &json!({ "duration_ms": HOUR }));
    scene.room.know(&event);
    let path = |what: &str| echorift_tests::v3(["rooms", &scene.room.id, what]);
    let ban = json!({ "user_id": user });
    scene.alice.post(path("ban"), ban.clone()).await.unwrap();
    scene.room.send(&scene.server, &[&event]).await;
    // Once the next one is there, the one before it was judged.
    let [bob] = scene.server.register(["bob"]).await;
    bob.join(&scene.room.id).await.unwrap();
    let (other, room) = scene.another_peer("trent").await;
    let said = room.say(&scene.server, "trent", "later").await;
    scene.alice.sees(&scene.room.id, &said.id).await;
    assert!(bodies(&scene).await.is_empty());
    assert!(scene.alice.event(&scene.room.id, &event.id).await.is_err());
    scene.alice.post(path("unban"), ban).await.unwrap();
    assert!(bodies(&scene).await.is_empty(), "they are still not in the room");
    let since = scene.alice.now().await;
    scene
        .peer
        .join(&scene.server, &scene.room.id, "mallory")
        .await
        .unwrap();
    until("alice is told", async || {
        (bodies(&scene).await == ["withheld"]).then_some(())
    })
    .await;
    let answer = scene
        .alice
        .sync_until(&since, |answer| answer.to_string().contains("withheld"))
        .await;
    assert!(answer.to_string().contains(&event.id));
    drop(other);
}
