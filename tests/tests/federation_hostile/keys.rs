use echorift_tests::{Answer, Peer, Reply, User, authorization, key_of, now_ms, refused, signed};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Scene, shared};

/// A signed request that every server answers.
fn profile(user: &User) -> String {
    format!(
        "/_matrix/federation/v1/query/profile?user_id={}",
        user.id.replace('@', "%40").replace(':', "%3A")
    )
}

#[track_caller]
fn not_believed(answer: Answer, why: &str) {
    let refusal = answer.expect_err(why);
    assert!(matches!(refusal.status, 401 | 403), "{why}: {refusal}");
}

#[tokio::test]
async fn requests_need_the_right_signature() {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let peer = Peer::start(&shared.authority).await;
    let target = profile(&alice);
    peer.get(&server, &target).await.unwrap();

    let header =
        |key: &echorift_tests::SigningKey, origin: &str, destination: &str, method: &Method, target: &str| {
            authorization(key, origin, destination, method, target, None)
        };
    let (name, victim) = (peer.name(), server.name());
    let right = header(peer.key(), name, victim, &Method::GET, &target);
    for (why, header) in [
        ("no signature at all", String::new()),
        ("another scheme", right.replace("X-Matrix", "Bearer")),
        ("a broken header", "X-Matrix origin=,key=,sig=".to_owned()),
        ("half a header", right[..right.len() / 2].to_owned()),
        (
            "another key",
            header(&peer.wrong_key(), name, victim, &Method::GET, &target),
        ),
        (
            "an unpublished key",
            header(&key_of(name, "hidden"), name, victim, &Method::GET, &target),
        ),
        (
            "for another method",
            header(peer.key(), name, victim, &Method::PUT, &target),
        ),
        (
            "for another path",
            header(
                peer.key(),
                name,
                victim,
                &Method::GET,
                "/_matrix/federation/v1/version",
            ),
        ),
        (
            "in the server's own name",
            header(peer.key(), victim, victim, &Method::GET, &target),
        ),
        (
            "in the name of a server that is not there",
            header(peer.key(), "127.0.0.1:1", victim, &Method::GET, &target),
        ),
    ] {
        not_believed(
            peer.ask_as(&server, Method::GET, &target, None, &header).await,
            why,
        );
    }
    // SS API § Request Authentication: 401, for this one alone it is written down.
    let elsewhere = header(peer.key(), name, "elsewhere.test", &Method::GET, &target);
    let refusal = peer
        .ask_as(&server, Method::GET, &target, None, &elsewhere)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 401, "{refusal}");
    // As older servers send it.
    let old = authorization(peer.key(), name, victim, &Method::GET, &target, None);
    let old = old.replace(&format!("destination=\"{victim}\","), "");
    let _ = peer.ask_as(&server, Method::GET, &target, None, &old).await;
    peer.get(&server, &target).await.unwrap();
}

#[tokio::test]
async fn the_body_is_signed_as_well() {
    let scene = Scene::new().await;
    let event = scene
        .room
        .seal(&scene.room.message("mallory", "in a forged transaction"));
    let target = "/_matrix/federation/v1/send/forged";
    let empty = json!({ "origin": scene.peer.name(), "origin_server_ts": now_ms(), "pdus": [] });
    let mut full = empty.clone();
    full["pdus"] = json!([event.json]);
    let header = authorization(
        scene.peer.key(),
        scene.peer.name(),
        scene.server.name(),
        &Method::PUT,
        target,
        Some(&empty),
    );
    let answer = scene
        .peer
        .ask_as(&scene.server, Method::PUT, target, Some(full), &header)
        .await;
    not_believed(answer, "another body");
    scene.still_works().await;
    scene.has_none_of(&[&event]).await;
}

/// What a peer whose key document is this gets as an answer.
async fn with_keys(make: impl Fn(&Peer) -> Value) -> Answer {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let [alice] = server.register(["alice"]).await;
    let peer = Peer::start(&shared.authority).await;
    let document = make(&peer);
    peer.when("/_matrix/key/v2/server", move |_| {
        Reply::Json(200, document.clone())
    });
    let answer = peer.get(&server, &profile(&alice)).await;
    alice.set_display_name("Still here").await.unwrap();
    answer
}

#[tokio::test]
async fn key_documents_must_be_right() {
    with_keys(|peer| signed(peer.unsigned_keys(), peer.name(), peer.key()))
        .await
        .unwrap();

    let expired = with_keys(|peer| {
        let mut keys = peer.unsigned_keys();
        keys["valid_until_ts"] = json!(now_ms() - 1_000);
        signed(keys, peer.name(), peer.key())
    });
    not_believed(expired.await, "the keys have expired");

    let of_another = with_keys(|peer| {
        let mut keys = peer.unsigned_keys();
        keys["server_name"] = json!("somebody.test");
        signed(keys, "somebody.test", &key_of("somebody.test", "peer"))
    });
    not_believed(of_another.await, "the keys are another server's");

    let unsigned = with_keys(Peer::unsigned_keys);
    not_believed(unsigned.await, "the keys are not signed");

    let by_another = with_keys(|peer| signed(peer.unsigned_keys(), peer.name(), &peer.wrong_key()));
    not_believed(by_another.await, "the keys are signed by another key");

    let retired = with_keys(|peer| {
        let new = key_of(peer.name(), "new");
        let mut keys = peer.unsigned_keys();
        keys["verify_keys"] = json!({ new.key_id().as_str(): { "key": new.public_key() } });
        keys["old_verify_keys"] = json!({
            peer.key().key_id().as_str(): { "key": peer.key().public_key(), "expired_ts": now_ms() - 1_000 },
        });
        signed(keys, peer.name(), &new)
    });
    not_believed(retired.await, "the key is retired");

    for nonsense in [json!({}), json!([]), json!({ "verify_keys": 1 }), json!("keys")] {
        not_believed(with_keys(|_| nonsense.clone()).await, "the document is nonsense");
    }
}

#[tokio::test]
async fn a_peer_whose_keys_never_come_delays_nobody_else() {
    let scene = Scene::new().await;
    let silent = Peer::start(&scene.authority).await;
    for reply in [Reply::Silence, Reply::Drip, Reply::Flood] {
        silent.when("/_matrix/key/", move |_| reply.clone());
        let target = profile(&scene.alice);
        let (answer, ()) = tokio::join!(silent.get(&scene.server, &target), scene.still_works());
        not_believed(answer, "there are no keys");
    }
}

#[tokio::test]
async fn the_servers_own_keys_are_published_and_signed() {
    let shared = shared().await;
    let server = shared.server.for_this_test();
    let peer = Peer::start(&shared.authority).await;
    let target = "/_matrix/key/v2/server";
    let keys = peer.ask_as(&server, Method::GET, target, None, "").await.unwrap();
    assert_eq!(keys["server_name"], server.name());
    assert!(keys["valid_until_ts"].as_u64().unwrap() > now_ms());
    for id in keys["verify_keys"].as_object().unwrap().keys() {
        assert!(keys["signatures"][server.name()][id].is_string(), "{keys:#}");
    }
    let other = "/_matrix/federation/v1/nothing/at/all";
    refused(peer.get(&server, other).await, 404, "M_UNRECOGNIZED");
}
