use echorift_tests::PeerEvent;
use serde_json::{Value, json};

use crate::Scene;

/// State that mallory sets, right in all but what the rules say.
fn state(scene: &Scene, sender: &str, kind: &str, state_key: &str, content: &Value) -> PeerEvent {
    scene
        .room
        .seal(&scene.room.draft(sender, kind, Some(state_key), content))
}

#[tokio::test]
async fn who_is_not_in_the_room_cannot_speak() {
    let scene = Scene::new().await;
    let draft = scene.room.message("stranger", "let me in");
    let mut with_membership_of_another = draft.clone();
    let member = scene
        .room
        .state("m.room.member", &scene.peer.user("mallory"))
        .unwrap();
    let auth_events = with_membership_of_another["auth_events"].as_array_mut().unwrap();
    auth_events.push(member.into());
    scene
        .refuses(&[
            &scene.room.seal(&draft),
            &scene.room.seal(&with_membership_of_another),
        ])
        .await;
}

#[tokio::test]
async fn nobody_does_more_than_their_power_allows() {
    for version in ["6", "10", "12"] {
        let scene = Scene::of_version(version).await;
        let mallory = scene.peer.user("mallory");
        let levels = scene
            .alice
            .state(&scene.room.id, "m.room.power_levels", "")
            .await
            .unwrap();
        let mut more_power = levels.clone();
        more_power["users"][&mallory] = json!(100);
        let attempts = [
            state(
                &scene,
                "mallory",
                "m.room.name",
                "",
                &json!({ "name": "Mallory's" }),
            ),
            state(&scene, "mallory", "m.room.power_levels", "", &more_power),
            state(&scene, "mallory", "m.room.power_levels", "", &json!({})),
            state(
                &scene,
                "mallory",
                "m.room.join_rules",
                "",
                &json!({ "join_rule": "invite" }),
            ),
            state(
                &scene,
                "mallory",
                "m.room.server_acl",
                "",
                &json!({ "allow": [] }),
            ),
            state(
                &scene,
                "mallory",
                "m.room.tombstone",
                "",
                &json!({ "replacement_room": "!a:b" }),
            ),
            state(
                &scene,
                "mallory",
                "org.example.other",
                &scene.alice.id,
                &json!({}),
            ),
            state(
                &scene,
                "mallory",
                "m.room.member",
                &scene.alice.id,
                &json!({ "membership": "leave" }),
            ),
            state(
                &scene,
                "mallory",
                "m.room.member",
                &scene.alice.id,
                &json!({ "membership": "ban" }),
            ),
        ];
        scene.refuses(&attempts.iter().collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn memberships_are_not_forged() {
    let scene = Scene::new().await;
    let (other, _) = scene.another_peer("oscar").await;
    let join = json!({ "membership": "join" });
    let mut attempts = vec![
        // For somebody else.
        state(&scene, "mallory", "m.room.member", &other.user("nobody"), &join),
        state(&scene, "mallory", "m.room.member", "@somebody:victim.test", &join),
        state(
            &scene,
            "mallory",
            "m.room.member",
            &other.user("oscar"),
            &json!({ "membership": "leave" }),
        ),
        // Of no kind that there is.
        state(
            &scene,
            "mallory",
            "m.room.member",
            &scene.peer.user("mallory"),
            &json!({ "membership": "king" }),
        ),
        state(&scene, "mallory", "m.room.member", "not a user", &join),
    ];
    // Without any content that counts.
    let mut draft = scene.room.draft(
        "mallory",
        "m.room.member",
        Some(&scene.peer.user("mallory")),
        &join,
    );
    draft["content"] = json!({ "displayname": "No membership" });
    attempts.push(scene.room.seal(&draft));
    // Let in by somebody who never did.
    let content = json!({ "membership": "join", "join_authorised_via_users_server": scene.alice.id });
    attempts.push(state(
        &scene,
        "mallory",
        "m.room.member",
        &scene.peer.user("mallory"),
        &content,
    ));
    scene.refuses(&attempts.iter().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn events_of_one_room_prove_nothing_in_another() {
    let scene = Scene::new().await;
    let elsewhere = Scene::new().await;
    let mut draft = scene.room.message("mallory", "by the right of another room");
    draft["auth_events"] = elsewhere.room.message("mallory", "")["auth_events"].clone();
    let foreign_auth = scene.room.seal(&draft);
    let mut draft = scene.room.message("mallory", "without any right");
    draft["auth_events"] = json!([]);
    let no_auth = scene.room.seal(&draft);
    let mut draft = scene.room.message("mallory", "by rights unknown");
    draft["auth_events"] = json!(["$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]);
    let unknown_auth = scene.room.seal(&draft);
    let mut draft = scene.room.message("mallory", "by the same right twice");
    let auth_events = draft["auth_events"].as_array_mut().unwrap();
    auth_events.push(auth_events[0].clone());
    let doubled_auth = scene.room.seal(&draft);
    scene
        .refuses(&[&foreign_auth, &no_auth, &unknown_auth, &doubled_auth])
        .await;
}

#[tokio::test]
async fn a_room_begins_once() {
    for version in ["10", "12"] {
        let scene = Scene::of_version(version).await;
        let content = json!({ "room_version": version, "creator": scene.peer.user("mallory") });
        let mut draft = scene.room.draft("mallory", "m.room.create", Some(""), &content);
        let second = scene.room.seal(&draft);
        draft["prev_events"] = json!([]);
        draft["auth_events"] = json!([]);
        let from_nothing = scene.room.seal(&draft);
        scene.refuses(&[&second, &from_nothing]).await;
    }
}

#[tokio::test]
async fn what_stands_on_a_rejected_event_is_rejected_and_the_room_goes_on() {
    let scene = Scene::new().await;
    let mallory = scene.peer.user("mallory");
    let mut levels = scene
        .alice
        .state(&scene.room.id, "m.room.power_levels", "")
        .await
        .unwrap();
    levels["users"][&mallory] = json!(100);
    let power = state(&scene, "mallory", "m.room.power_levels", "", &levels);
    // By the power that mallory has only given to herself.
    let mut draft = scene.room.draft(
        "mallory",
        "m.room.name",
        Some(""),
        &json!({ "name": "Mallory's" }),
    );
    let old_levels = scene.room.state("m.room.power_levels", "").unwrap();
    let auth_events = draft["auth_events"].as_array_mut().unwrap();
    for id in auth_events.iter_mut().filter(|id| **id == old_levels.as_str()) {
        *id = power.id.clone().into();
    }
    draft["prev_events"] = json!([power.id]);
    let name = scene.room.seal(&draft);
    // Nothing wrong with this one but what it follows (SS API § Rejection: it should be allowed).
    let mut draft = scene.room.message("mallory", "after what was rejected");
    draft["prev_events"] = json!([name.id]);
    draft["depth"] = json!(scene.room.depth() + 3);
    let allowed = scene.room.seal(&draft);
    for event in [&power, &name] {
        scene.room.know(event);
    }
    scene.room.send(&scene.server, &[&power, &name, &allowed]).await;
    scene.alice.sees(&scene.room.id, &allowed.id).await;
    scene.room.append(&allowed);
    scene.still_works().await;
    let state = scene.alice.whole_state(&scene.room.id).await.unwrap();
    assert!(!state.values().any(|id| *id == power.id || *id == name.id));
    let timeline = scene.alice.timeline_ids(&scene.room.id).await.unwrap();
    assert!(!timeline.contains(&power.id) && !timeline.contains(&name.id));
}

#[tokio::test]
async fn redactions_beyond_ones_power_redact_nothing() {
    let scene = Scene::new().await;
    let said = scene.alice.send_text(&scene.room.id, "keep this").await.unwrap();
    scene.peer_knows(&said).await;
    let redaction = scene.room.seal(&scene.room.draft(
        "mallory",
        "m.room.redaction",
        None,
        &json!({ "redacts": said }),
    ));
    scene.room.append(&redaction);
    scene.room.send(&scene.server, &[&redaction]).await;
    scene.still_works().await;
    let event = scene.alice.event(&scene.room.id, &said).await.unwrap();
    assert_eq!(event["content"]["body"], "keep this");
    // Neither does a redaction in one room of what is in another.
    let elsewhere = Scene::new().await;
    let redaction = elsewhere.room.seal(&elsewhere.room.draft(
        "mallory",
        "m.room.redaction",
        None,
        &json!({ "redacts": said }),
    ));
    elsewhere.room.append(&redaction);
    elsewhere.room.send(&elsewhere.server, &[&redaction]).await;
    elsewhere.still_works().await;
    let event = scene.alice.event(&scene.room.id, &said).await.unwrap();
    assert_eq!(event["content"]["body"], "keep this");
}
