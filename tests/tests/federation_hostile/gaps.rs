use echorift_tests::{PeerEvent, Reply, until};
use serde_json::json;

use crate::Scene;

/// An id of no event.
fn nowhere(number: usize) -> String {
    format!("${number:A>43}")
}

#[tokio::test]
async fn what_was_missed_is_fetched() {
    let scene = Scene::new().await;
    let missed: Vec<PeerEvent> = (0..15)
        .map(|number| {
            let event = scene
                .room
                .seal(&scene.room.message("mallory", &format!("missed {number}")));
            scene.room.append(&event);
            event
        })
        .collect();
    let said = scene
        .room
        .say(&scene.server, "mallory", "did you get all that?")
        .await;
    scene.alice.sees(&scene.room.id, &said.id).await;
    until("the missed events are there", async || {
        let timeline = scene.alice.timeline_ids(&scene.room.id).await.ok()?;
        missed
            .iter()
            .all(|event| timeline.contains(&event.id))
            .then_some(())
    })
    .await;
    scene.still_works().await;
}

#[tokio::test]
async fn a_gap_that_nobody_can_fill_does_not_stop_the_room() {
    let scene = Scene::new().await;
    let mut draft = scene.room.message("mallory", "after nothing");
    draft["prev_events"] = json!([nowhere(1), nowhere(2)]);
    let event = scene.room.seal(&draft);
    scene.room.know(&event);
    scene.room.send(&scene.server, &[&event]).await;
    scene.still_works().await;
}

#[tokio::test]
async fn a_gap_is_bridged_by_the_state_before_the_event() {
    let scene = Scene::new().await;
    let mut draft = scene.room.message("mallory", "long after");
    draft["prev_events"] = json!([nowhere(3)]);
    draft["depth"] = json!(scene.room.depth() + 500);
    let event = scene.room.seal(&draft);
    // The peer does not tell what was between, only the state.
    scene.peer.when("/get_missing_events/", |_| {
        Reply::Json(200, json!({ "events": [] }))
    });
    scene.room.append(&event);
    scene.room.send(&scene.server, &[&event]).await;
    scene.alice.sees(&scene.room.id, &event.id).await;
    scene.still_works().await;
}

#[tokio::test]
async fn endless_ancestors_are_not_followed_for_ever() {
    let scene = Scene::new().await;
    let room = scene.room.clone();
    // Each answer holds events that nobody has asked for yet, each with a parent that is missing.
    scene.peer.when("/get_missing_events/", move |_| {
        let events: Vec<_> = (0..8)
            .map(|_| {
                let mut draft = room.message("mallory", &echorift_tests::fresh("ancestor"));
                draft["prev_events"] = json!([nowhere(rand::random_range(10..1_000_000))]);
                room.seal(&draft).json
            })
            .collect();
        Reply::Json(200, json!({ "events": events }))
    });
    let mut draft = scene.room.message("mallory", "the end of a long story");
    draft["prev_events"] = json!([nowhere(4)]);
    let event = scene.room.seal(&draft);
    scene.room.send(&scene.server, &[&event]).await;
    scene.still_works().await;
    let asked = scene.peer.heard("/get_missing_events/").len();
    assert!(asked < 100, "{asked} times");
}

#[tokio::test]
async fn circles_are_no_history() {
    let scene = Scene::new().await;
    // Real circles need a broken hash; what can be made is an answer whose events lead back to what was asked for.
    let one = scene.room.seal(&scene.room.message("mallory", "one"));
    let mut draft = scene.room.message("mallory", "two");
    draft["prev_events"] = json!([one.id]);
    let two = scene.room.seal(&draft);
    let one_again = {
        let mut again = one.clone();
        again.json["prev_events"] = json!([two.id]);
        again
    };
    let answer = json!({ "events": [one_again.json, two.json] });
    scene
        .peer
        .when("/get_missing_events/", move |_| Reply::Json(200, answer.clone()));
    scene.peer.when("/event/", move |_| {
        Reply::Json(
            200,
            json!({ "origin": "x", "origin_server_ts": 1, "pdus": [one_again.json] }),
        )
    });
    let mut draft = scene.room.message("mallory", "three");
    draft["prev_events"] = json!([two.id]);
    let three = scene.room.seal(&draft);
    scene.room.send(&scene.server, &[&three]).await;
    scene.still_works().await;
}

#[tokio::test]
async fn answers_to_other_questions_are_not_taken() {
    let scene = Scene::new().await;
    let elsewhere = Scene::new().await;
    let stray = elsewhere
        .room
        .seal(&elsewhere.room.message("mallory", "of another room"));
    let forged = scene.room.seal_with(
        &scene.room.message("mallory", "forged ancestor"),
        &scene.peer.wrong_key(),
    );
    let answer = json!({ "events": [stray.json, forged.json, 1, null, {}, { "type": "m.room.message" }] });
    scene
        .peer
        .when("/get_missing_events/", move |_| Reply::Json(200, answer.clone()));
    let mut draft = scene.room.message("mallory", "after what is forged");
    draft["prev_events"] = json!([forged.id]);
    let event = scene.room.seal(&draft);
    scene.room.send(&scene.server, &[&event]).await;
    scene.still_works().await;
    scene.has_none_of(&[&forged]).await;
    elsewhere.still_works().await;
    elsewhere.has_none_of(&[&stray]).await;
}

#[tokio::test]
async fn state_that_the_peer_makes_up_is_checked() {
    let scene = Scene::new().await;
    let mallory = scene.peer.user("mallory");
    let mut levels = scene
        .alice
        .state(&scene.room.id, "m.room.power_levels", "")
        .await
        .unwrap();
    levels["users"][&mallory] = json!(100);
    // In the state that the peer tells of, mallory has given herself the power, and the room its name.
    let power = scene.room.seal(
        &scene
            .room
            .draft("mallory", "m.room.power_levels", Some(""), &levels),
    );
    let before = scene.alice.whole_state(&scene.room.id).await.unwrap();
    let mut pretended: Vec<String> = before
        .iter()
        .filter(|((kind, _), _)| kind != "m.room.power_levels")
        .map(|(_, id)| id.clone())
        .collect();
    pretended.push(power.id.clone());
    let chain: Vec<String> = before.values().cloned().collect();
    let answer = json!({ "pdu_ids": pretended, "auth_chain_ids": chain });
    scene
        .peer
        .when("/state_ids/", move |_| Reply::Json(200, answer.clone()));
    scene.peer.when("/get_missing_events/", |_| {
        Reply::Json(200, json!({ "events": [] }))
    });
    scene.room.know(&power);
    let mut draft = scene.room.draft(
        "mallory",
        "m.room.name",
        Some(""),
        &json!({ "name": "Mallory's" }),
    );
    draft["prev_events"] = json!([nowhere(5)]);
    let auth_events = draft["auth_events"].as_array_mut().unwrap();
    let old = scene.room.state("m.room.power_levels", "").unwrap();
    for id in auth_events.iter_mut().filter(|id| **id == old.as_str()) {
        *id = power.id.clone().into();
    }
    let name = scene.room.seal(&draft);
    scene.refuses(&[&name]).await;
    scene.has_none_of(&[&power]).await;
}
