#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Json, Router, routing::post};
use echorift_storage::{Change, Timestamp};
use ruma::{MilliSecondsSinceUnixEpoch, owned_server_name, server_name};
use serde_json::json;

use super::*;
use crate::testing::{NOW, Network, key_route, signing_key};

const DAY: i64 = 24 * 3_600_000;

fn at(time: Timestamp) -> ValidAt {
    ValidAt::Time(milliseconds(time.0))
}

fn wanted(server: &str, key_id: &str, time: Timestamp) -> WantedKeys {
    (
        ServerName::parse(server).unwrap(),
        vec![key_id.to_owned()],
        at(time),
    )
}

/// Counts what passes.
fn counted(router: Router, count: &Arc<AtomicUsize>) -> Router {
    let count = Arc::clone(count);
    router.layer(axum::middleware::map_request(
        move |request: axum::extract::Request| {
            count.fetch_add(1, Ordering::SeqCst);
            std::future::ready(request)
        },
    ))
}

fn old_key() -> OldKey {
    OldKey {
        key_id: "ed25519:0".try_into().unwrap(),
        public_key: signing_key("retired.example").public_key(),
        expired: milliseconds(NOW.0 - DAY),
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_outlive_their_server() {
    let mut network = Network::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let route = counted(
        key_route("peer.example", vec![old_key()], network.clock.clone()),
        &asked,
    );
    network.serve("peer.example", "peer.example", route).await;
    let node = network.node("us.example", &[]).await;
    let needs = [wanted("peer.example", "ed25519:1", NOW)];
    let loads = (0..20).map(|_| node.keys.valid_at(&needs));
    let found = futures_util::future::join_all(loads).await;
    for map in found {
        let expected = signing_key("peer.example").public_key();
        assert_eq!(map.unwrap()["peer.example"]["ed25519:1"].encode(), expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // A server that starts anew knows them from the database.
    node.database.writer().commit(Change::new()).await.unwrap();
    network.hosts.clear();
    let again = network.node("us.example", &[]).await;
    assert_eq!(again.keys.valid_at(&needs).await.unwrap().len(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_key_is_valid_up_to_its_time_and_old_ones_up_to_their_end() {
    let mut network = Network::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let route = counted(
        key_route("peer.example", vec![old_key()], network.clock.clone()),
        &asked,
    );
    network.serve("peer.example", "peer.example", route).await;
    let node = network.node("us.example", &[]).await;
    let valid = async |id: &str, time: ValidAt| {
        let needs = (owned_server_name!("peer.example"), vec![id.to_owned()], time);
        let map = node.keys.valid_at(&[needs]).await.unwrap();
        map.get("peer.example").is_some_and(|keys| keys.contains_key(id))
    };
    assert!(valid("ed25519:1", at(NOW.plus_ms(DAY))).await);
    assert!(valid("ed25519:1", at(NOW.plus_ms(-30 * DAY))).await);
    assert!(!valid("ed25519:1", at(NOW.plus_ms(DAY + 1))).await);
    assert!(valid("ed25519:1", ValidAt::Any).await);
    assert!(valid("ed25519:0", at(NOW.plus_ms(-DAY))).await);
    assert!(!valid("ed25519:0", at(NOW.plus_ms(1 - DAY))).await);
    assert!(valid("ed25519:0", ValidAt::Any).await);
    assert!(!valid("ed25519:none", ValidAt::Any).await);
    // Requests are signed with current keys alone.
    let current = node
        .keys
        .of_requester(server_name!("peer.example"), vec!["ed25519:0".to_owned()])
        .await
        .unwrap();
    assert_eq!(current.keys().collect::<Vec<_>>(), ["ed25519:1"]);
    // For all those that were not satisfied, the server was asked no more than once within half a minute.
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    network.clock.advance_ms(31_000);
    assert!(valid("ed25519:1", at(NOW.plus_ms(DAY + 1))).await);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn several_times_of_one_server_are_kept_apart() {
    let mut network = Network::new();
    let route = key_route("peer.example", vec![old_key()], network.clock.clone());
    network.serve("peer.example", "peer.example", route).await;
    let node = network.node("us.example", &[]).await;
    let held = node
        .keys
        .load(&[wanted("peer.example", "ed25519:0", NOW.plus_ms(-2 * DAY))])
        .await
        .unwrap();
    let keys = |time| {
        held.of([server_name!("peer.example")], at(time))
            .remove("peer.example")
            .unwrap_or_default()
    };
    assert_eq!(keys(NOW.plus_ms(-2 * DAY)).len(), 2);
    assert_eq!(keys(NOW).len(), 1);
    assert_eq!(keys(NOW.plus_ms(8 * DAY)).len(), 0);
    assert!(held.of([server_name!("other.example")], ValidAt::Any).is_empty());
}

#[tokio::test]
async fn our_own_keys_need_nobody() {
    let network = Network::new();
    let node = network.node("us.example", &[]).await;
    let map = node
        .keys
        .valid_at(&[wanted("us.example", "ed25519:1", NOW.plus_ms(99 * DAY))])
        .await
        .unwrap();
    assert_eq!(
        map["us.example"]["ed25519:1"].encode(),
        signing_key("us.example").public_key()
    );
}

#[test]
fn what_a_server_publishes_must_be_signed_by_itself() {
    let object = published(signing_key("peer.example"), vec![old_key()], NOW);
    let text = serde_json::to_string(&object).unwrap();
    let answer = KeyAnswer::read(&text, NOW).unwrap();
    assert_eq!(answer.server, "peer.example");
    assert_eq!(answer.valid_until, NOW.plus_ms(DAY));
    // However long a server says they hold, a week is enough.
    let long = published(signing_key("peer.example"), Vec::new(), NOW.plus_ms(365 * DAY));
    let answer = KeyAnswer::read(&serde_json::to_string(&long).unwrap(), NOW).unwrap();
    assert_eq!(answer.valid_until, NOW.plus_ms(7 * DAY));

    for (from, to) in [
        ("peer.example", "pear.example"),
        ("valid_until_ts\":1", "valid_until_ts\":2"),
        ("\"signatures\"", "\"signitures\""),
    ] {
        assert!(
            KeyAnswer::read(&text.replacen(from, to, 1), NOW).is_err(),
            "{from}"
        );
    }
    assert!(KeyAnswer::read("{}", NOW).is_err());
    assert!(KeyAnswer::read(&" ".repeat(70_000), NOW).is_err());
}

#[tokio::test]
async fn signed_objects_are_checked_against_the_keys_of_their_server() {
    let mut network = Network::new();
    let route = key_route("peer.example", Vec::new(), network.clock.clone());
    network.serve("peer.example", "peer.example", route).await;
    let node = network.node("us.example", &[]).await;
    let mut object: CanonicalJsonObject =
        serde_json::from_value(json!({ "mxid": "@a:peer.example" })).unwrap();
    ruma::signatures::sign_json("peer.example", &signing_key("peer.example"), &mut object).unwrap();
    let peer = server_name!("peer.example");
    node.keys.verify_json(peer, &object).await.unwrap();
    assert!(
        node.keys
            .verify_json(server_name!("us.example"), &object)
            .await
            .is_err()
    );
    object.insert("mxid".to_owned(), "@b:peer.example".to_owned().into());
    assert!(node.keys.verify_json(peer, &object).await.is_err());
}

#[tokio::test]
async fn a_trusted_notary_speaks_for_a_server_that_is_gone() {
    let mut network = Network::new();
    // The notary knew the server once, and answers with its keys and both signatures; another only claims to.
    let gone = published(signing_key("gone.example"), Vec::new(), NOW);
    let answer = |signer: &str| {
        let mut object = gone.clone();
        ruma::signatures::sign_json("notary.example", &signing_key(signer), &mut object).unwrap();
        let answer = json!({ "server_keys": [object] });
        Router::new()
            .route(
                "/_matrix/key/v2/query",
                post(move || std::future::ready(Json(answer.clone()))),
            )
            .merge(key_route("notary.example", Vec::new(), network.clock.clone()))
    };
    let (honest, forged) = (answer("notary.example"), answer("forger.example"));
    let needs = [wanted("gone.example", "ed25519:1", NOW)];

    network.serve("notary.example", "notary.example", forged).await;
    let deceived = network.node("deceived.example", &["notary.example"]).await;
    assert!(deceived.keys.valid_at(&needs).await.unwrap().is_empty());

    network.serve("notary.example", "notary.example", honest).await;
    let node = network.node("us.example", &["notary.example"]).await;
    let map = node.keys.valid_at(&needs).await.unwrap();
    assert_eq!(
        map["gone.example"]["ed25519:1"].encode(),
        signing_key("gone.example").public_key()
    );
    let alone = network.node("alone.example", &[]).await;
    assert!(alone.keys.valid_at(&needs).await.unwrap().is_empty());

    // As a notary itself it hands on what it learned, with its own signature beside the server's.
    let asked = [("gone.example", NOW), ("us.example", NOW), ("never.example", NOW)];
    let asked = asked
        .into_iter()
        .map(|(server, time)| (ServerName::parse(server).unwrap(), time))
        .collect();
    let told = node.keys.handed_on(&asked).await.unwrap();
    assert_eq!(told.len(), 2);
    let of_gone = told
        .iter()
        .find(|object| object["server_name"].as_str() == Some("gone.example"))
        .unwrap();
    let signers = of_gone["signatures"].as_object().unwrap();
    assert!(signers.contains_key("gone.example") && signers.contains_key("us.example"));
    let public = ruma::serde::Base64::parse(signing_key("us.example").public_key()).unwrap();
    assert!(answer::is_signed_by(
        of_gone,
        server_name!("us.example"),
        [("ed25519:1", &public)]
    ));
}

#[test]
fn a_server_may_change_its_keys_and_hearsay_may_not() {
    let key = |seed: u8, valid_until: i64, is_old: bool| held::HeldKey {
        public_key: ruma::serde::Base64::new(vec![seed; 32]),
        valid_until: Timestamp(valid_until),
        is_old,
    };
    let mut keys = ServerKeys::default();
    keys.merge_own(BTreeMap::from([("ed25519:a".to_owned(), key(1, 10, false))]));
    keys.merge_hearsay(BTreeMap::from([
        ("ed25519:a".to_owned(), key(2, 99, false)),
        ("ed25519:b".to_owned(), key(3, 99, false)),
    ]));
    assert_eq!(keys.keys["ed25519:a"], key(1, 10, false));
    assert_eq!(keys.keys["ed25519:b"], key(3, 99, false));
    keys.merge_own(BTreeMap::from([("ed25519:c".to_owned(), key(4, 20, false))]));
    // What the server no longer names is good for old events only.
    assert_eq!(keys.keys["ed25519:a"], key(1, 10, true));
    assert_eq!(
        keys.current(Timestamp(5)).keys().collect::<Vec<_>>(),
        ["ed25519:c"]
    );

    for name in 0..300 {
        keys.merge_own(BTreeMap::from([(format!("ed25519:{name}"), key(5, name, false))]));
    }
    assert_eq!(keys.keys.len(), held::KEYS_PER_SERVER_MAX);
    assert!(keys.keys.contains_key("ed25519:299"));
    let _: MilliSecondsSinceUnixEpoch = milliseconds(-1);
}
