//! Handshakes in which the peer signs something else than it was given.

use echorift_tests::{Peer, PeerEvent, TestServer, User, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Scene, shared};

async fn stage() -> (TestServer, User, Peer, impl Sized) {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let peer = Peer::start(&shared.authority).await;
    (server, alice, peer, shared)
}

fn encoded(text: &str) -> String {
    text.replace('!', "%21")
        .replace(':', "%3A")
        .replace('$', "%24")
        .replace('@', "%40")
}

#[tokio::test]
async fn a_join_must_be_the_join_that_was_offered() {
    let (server, alice, peer, _shared) = stage().await;
    let room = alice.create_public_room().await;
    let (_, draft) = peer.make_join(&server, &room, "mallory").await.unwrap();
    let rules = echorift_tests::rules_of("12");
    let version = alice.state(&room, "m.room.create", "").await.unwrap();
    assert_eq!(version["room_version"], "12");
    let changed = |key: &str, value: Value| {
        let mut changed = draft.clone();
        changed[key] = value;
        PeerEvent::sealed(&changed, &rules, peer.key())
    };
    for event in [
        changed("sender", json!(alice.id)),
        changed("state_key", json!(alice.id)),
        changed("state_key", json!(peer.user("another"))),
        changed("content", json!({ "membership": "invite" })),
        changed("content", json!({ "membership": "leave" })),
        changed("content", json!({})),
        changed("type", json!("m.room.name")),
        changed("room_id", json!("!another:victim.test")),
        changed("auth_events", json!([])),
        PeerEvent::sealed(&draft, &rules, &peer.wrong_key()),
    ] {
        let refusal = peer
            .send_join(&server, &room, &event)
            .await
            .expect_err(&event.json.to_string());
        assert!(
            (400..500).contains(&refusal.status),
            "{refusal}: {:#}",
            event.json
        );
    }
    let other_room = alice.create_public_room().await;
    let right = PeerEvent::sealed(&draft, &rules, peer.key());
    let refusal = peer.send_join(&server, &other_room, &right).await.unwrap_err();
    assert!((400..500).contains(&refusal.status), "{refusal}");
    let members = alice.get(v3(["rooms", &room, "joined_members"])).await.unwrap();
    assert_eq!(members["joined"].as_object().unwrap().len(), 1, "{members:#}");
    peer.send_join(&server, &room, &right).await.unwrap();
}

#[tokio::test]
async fn nobody_joins_where_they_may_not() {
    let (server, alice, peer, _shared) = stage().await;
    let private = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    refused(
        peer.make_join(&server, &private, "mallory")
            .await
            .map(|(_, draft)| draft),
        403,
        "M_FORBIDDEN",
    );
    // Without asking first.
    let open = alice.create_public_room().await;
    let (_, mut draft) = peer.make_join(&server, &open, "mallory").await.unwrap();
    alice
        .set_state(&open, "m.room.join_rules", "", json!({ "join_rule": "invite" }))
        .await
        .unwrap();
    draft["origin_server_ts"] = echorift_tests::now_ms().into();
    let join = PeerEvent::sealed(&draft, &echorift_tests::rules_of("12"), peer.key());
    let refusal = peer.send_join(&server, &open, &join).await.unwrap_err();
    assert_eq!(refusal.status, 403, "{refusal}");
    // In a version that the peer does not speak.
    let target = format!(
        "/_matrix/federation/v1/make_join/{}/{}?ver=1",
        encoded(&open),
        encoded(&peer.user("mallory"))
    );
    refused(
        peer.get(&server, &target).await,
        400,
        "M_INCOMPATIBLE_ROOM_VERSION",
    );
    let target = format!(
        "/_matrix/federation/v1/make_join/%21unknown%3Avictim.test/{}?ver=12",
        encoded(&peer.user("mallory"))
    );
    refused(peer.get(&server, &target).await, 404, "M_NOT_FOUND");
    let target = format!(
        "/_matrix/federation/v1/make_join/{}/{}?ver=12",
        encoded(&open),
        encoded(&alice.id)
    );
    refused(peer.get(&server, &target).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_leave_is_only_for_oneself() {
    let scene = Scene::new().await;
    let target = |what: &str, who: &str| {
        format!(
            "/_matrix/federation/{what}/{}/{}",
            encoded(&scene.room.id),
            encoded(who)
        )
    };
    let refusal = scene
        .peer
        .get(&scene.server, &target("v1/make_leave", &scene.alice.id))
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 403, "{refusal}");
    let mallory = scene.peer.user("mallory");
    let answer = scene
        .peer
        .get(&scene.server, &target("v1/make_leave", &mallory))
        .await
        .unwrap();
    let mut draft = answer["event"].clone();
    draft["origin_server_ts"] = echorift_tests::now_ms().into();
    for (key, value) in [
        ("state_key", json!(scene.alice.id)),
        ("sender", json!(scene.alice.id)),
        ("content", json!({ "membership": "ban" })),
        ("content", json!({ "membership": "join" })),
        ("type", json!("m.room.name")),
    ] {
        let mut changed = draft.clone();
        changed[key] = value;
        let event = scene.room.seal(&changed);
        let answer = scene
            .peer
            .ask(
                &scene.server,
                Method::PUT,
                &target("v2/send_leave", &event.id),
                Some(event.json),
            )
            .await;
        let refusal = answer.unwrap_err();
        assert!((400..500).contains(&refusal.status), "{refusal}");
    }
    let event = scene.room.seal(&draft);
    scene
        .peer
        .ask(
            &scene.server,
            Method::PUT,
            &target("v2/send_leave", &event.id),
            Some(event.json),
        )
        .await
        .unwrap();
    scene
        .alice
        .sees_state(&scene.room.id, "m.room.member", &mallory, "/membership", "leave")
        .await;
}

fn invite_target(room: &str, event: &PeerEvent) -> String {
    format!(
        "/_matrix/federation/v2/invite/{}/{}",
        encoded(room),
        encoded(&event.id)
    )
}

#[tokio::test]
async fn invitations_are_checked_before_they_are_shown() {
    let (server, alice, peer, _shared) = stage().await;
    let room = peer.create_room("11", "mallory");
    let content = json!({ "membership": "invite" });
    let draft = room.draft("mallory", "m.room.member", Some(&alice.id), &content);
    let state = json!([{ "type": "m.room.name", "state_key": "", "sender": peer.user("mallory"), "content": { "name": "Trap" } }]);
    let invite = async |event: &PeerEvent, version: &str, room_id: &str| {
        let body = json!({ "room_version": version, "event": event.json, "invite_room_state": state });
        peer.ask(&server, Method::PUT, &invite_target(room_id, event), Some(body))
            .await
    };
    let changed = |key: &str, value: Value| {
        let mut changed = draft.clone();
        changed[key] = value;
        room.seal(&changed)
    };
    for event in [
        changed("state_key", json!("@nobody-at-all:victim.test")),
        changed("state_key", json!(peer.user("another"))),
        changed("content", json!({ "membership": "join" })),
        changed("content", json!({})),
        changed("type", json!("m.room.name")),
        changed("sender", json!(alice.id)),
        changed("sender", json!("@mallory:another.test")),
        changed("room_id", json!("!another:another.test")),
        room.seal_with(&draft, &peer.wrong_key()),
    ] {
        let refusal = invite(&event, "11", &room.id)
            .await
            .expect_err(&event.json.to_string());
        assert!(
            (400..500).contains(&refusal.status),
            "{refusal}: {:#}",
            event.json
        );
    }
    let right = room.seal(&draft);
    refused(
        invite(&right, "the newest", &room.id).await,
        400,
        "M_INCOMPATIBLE_ROOM_VERSION",
    );
    assert!(
        alice.sync_all().await["rooms"]["invite"].to_string().len() < 5,
        "nothing was shown"
    );
    let answer = invite(&right, "11", &room.id).await.unwrap();
    let signatures = answer["event"]["signatures"].as_object().unwrap();
    assert!(signatures.contains_key(server.name()), "{answer:#}");
    alice.is_invited(&room.id).await;
    // And the join that follows.
    room.append(&PeerEvent {
        json: answer["event"].clone(),
        ..right
    });
    alice.join(&room.id).await.unwrap();
    let said = room.say(&server, "mallory", "welcome").await;
    alice.sees(&room.id, &said.id).await;
}
