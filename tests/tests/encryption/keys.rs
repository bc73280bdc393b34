//! Device keys, one-time keys and fallback keys.

use std::collections::BTreeSet;

use echorift_tests::{Look as _, TestServer, User, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::{device_keys, publish_device, query, signed_keys};

async fn upload(user: &User, body: Value) -> echorift_tests::Answer {
    user.post(v3(["keys", "upload"]), body).await
}

/// The name of the key that a claim gives, if any.
async fn claim(asker: &User, owner: &User) -> Option<String> {
    let wanted = json!({ "one_time_keys": { &owner.id: { &owner.device_id: "signed_curve25519" } } });
    let answer = asker
        .post(v3(["keys", "claim"]), wanted)
        .await
        .expect("keys may be claimed");
    let keys = answer["one_time_keys"][&owner.id][&owner.device_id]
        .as_object()?
        .clone();
    assert_eq!(keys.len(), 1, "{answer}");
    keys.keys().next().cloned()
}

#[tokio::test]
async fn published_keys_are_shown_with_the_name_of_the_device() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    assert_eq!(query(&bob, &[&alice]).await["device_keys"][&alice.id], json!({}));
    // Some clients take an answer without these parts for broken.
    assert_eq!(
        query(&bob, &[]).await,
        json!({ "device_keys": {}, "failures": {} })
    );
    publish_device(&alice).await;
    let path = v3(["devices", &alice.device_id]);
    alice
        .put(&path, json!({ "display_name": "a telephone" }))
        .await
        .unwrap();

    let shown = query(&bob, &[&alice]).await;
    let mut expected = device_keys(&alice);
    expected["unsigned"] = json!({ "device_display_name": "a telephone" });
    assert_eq!(shown["device_keys"][&alice.id][&alice.device_id], expected);
    let named = json!({ "device_keys": { &alice.id: ["NONE"], "@nobody:elsewhere.example": [] } });
    let answer = bob.post(v3(["keys", "query"]), named).await.unwrap();
    assert_eq!(answer["device_keys"][&alice.id], json!({}));
    assert!(answer["failures"]["elsewhere.example"].is_object(), "{answer}");
}

#[tokio::test]
async fn keys_without_signatures_are_shown_as_such() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let mut keys = device_keys(&alice);
    keys.as_object_mut().unwrap().remove("signatures");
    upload(&alice, json!({ "device_keys": keys })).await.unwrap();
    keys["signatures"] = json!({});
    let shown = query(&bob, &[&alice]).await;
    assert_eq!(shown["device_keys"][&alice.id][&alice.device_id], keys);
}

#[tokio::test]
async fn keys_of_others_and_what_is_no_key_are_refused() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let of_bob = json!({ "device_keys": device_keys(&bob) });
    refused(upload(&alice, of_bob).await, 400, "M_INVALID_PARAM");
    let mut unreadable = device_keys(&alice);
    unreadable["algorithms"] = json!("one");
    refused(
        upload(&alice, json!({ "device_keys": unreadable })).await,
        400,
        "M_BAD_JSON",
    );
    for keys in [
        json!({ "signed_curve25519:A": "no signatures" }),
        json!({ "signed_curve25519:A": { "signatures": {} } }),
        json!({ "signed_curve25519:A": { "key": 1.5, "signatures": {} } }),
        json!({ "signed_curve25519:A": [] }),
    ] {
        let answer = upload(&alice, json!({ "one_time_keys": keys })).await;
        assert_eq!(answer.map_err(|refusal| refusal.status), Err(400));
    }
    let two = signed_keys(&alice, ["F1".to_owned(), "F2".to_owned()]);
    refused(
        upload(&alice, json!({ "fallback_keys": two })).await,
        400,
        "M_INVALID_PARAM",
    );
    let answer = upload(&alice, json!({})).await.unwrap();
    assert_eq!(answer["one_time_key_counts"], json!({ "signed_curve25519": 0 }));
}

#[tokio::test]
async fn one_time_keys_are_given_out_in_upload_order_and_then_the_fallback_key() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    publish_device(&alice).await;
    assert_eq!(claim(&bob, &alice).await, None);
    for name in ["Z", "A", "M"] {
        let keys = signed_keys(&alice, [name.to_owned()]);
        // Sent twice, as if the answer had been lost.
        for _ in 0..2 {
            upload(&alice, json!({ "one_time_keys": keys })).await.unwrap();
        }
    }
    let other = json!({ "one_time_keys": { "signed_curve25519:Z": { "key": "other", "signatures": {} } } });
    refused(upload(&alice, other).await, 400, "M_INVALID_PARAM");
    let fallback = signed_keys(&alice, ["F".to_owned()]);
    let answer = upload(&alice, json!({ "fallback_keys": fallback }))
        .await
        .unwrap();
    assert_eq!(answer["one_time_key_counts"], json!({ "signed_curve25519": 3 }));
    let seen = alice.sync_all().await;
    assert_eq!(
        seen["device_unused_fallback_key_types"],
        json!(["signed_curve25519"])
    );

    for name in ["Z", "A", "M", "F", "F"] {
        assert_eq!(
            claim(&bob, &alice).await.unwrap(),
            format!("signed_curve25519:{name}")
        );
    }
    let seen = alice.sync_from(seen.text("/next_batch")).await;
    assert_eq!(
        seen["device_one_time_keys_count"],
        json!({ "signed_curve25519": 0 })
    );
    assert_eq!(seen["device_unused_fallback_key_types"], json!([]));
    // The same key once more is still a used one; another is not.
    upload(&alice, json!({ "fallback_keys": fallback }))
        .await
        .unwrap();
    assert_eq!(
        alice.sync_all().await["device_unused_fallback_key_types"],
        json!([])
    );
    let another = signed_keys(&alice, ["G".to_owned()]);
    upload(&alice, json!({ "fallback_keys": another })).await.unwrap();
    let unused = &alice.sync_all().await["device_unused_fallback_key_types"];
    assert_eq!(unused, &json!(["signed_curve25519"]));
}

#[tokio::test]
async fn fifty_who_claim_at_once_get_fifty_keys() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    publish_device(&alice).await;
    for batch in 0..6 {
        let names = (0..10).map(|number| format!("K{batch}{number}"));
        let keys = signed_keys(&alice, names);
        upload(&alice, json!({ "one_time_keys": keys })).await.unwrap();
    }
    let claims = (0..50).map(|_| {
        let (alice, bob) = (alice.clone(), bob.clone());
        tokio::spawn(async move { claim(&bob, &alice).await.unwrap() })
    });
    let mut given = BTreeSet::new();
    for claimed in claims.collect::<Vec<_>>() {
        assert!(given.insert(claimed.await.unwrap()), "a key was given out twice");
    }
    // The first fifty uploaded are gone, the last ten are left.
    assert!(
        given.iter().all(|key| !key.starts_with("signed_curve25519:K5")),
        "{given:?}"
    );
    let counts = upload(&alice, json!({})).await.unwrap();
    assert_eq!(counts["one_time_key_counts"]["signed_curve25519"], 10);
}

#[tokio::test]
async fn keys_go_with_their_device() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    alice.create_room_with(&[&bob]).await;
    let other = alice.on_another_device().await;
    publish_device(&other).await;
    let keys = signed_keys(&other, ["A".to_owned()]);
    upload(&other, json!({ "one_time_keys": keys })).await.unwrap();
    let since = bob.now().await;

    let path = v3(["devices", &other.device_id]);
    alice.confirm(Method::DELETE, path, json!({})).await.unwrap();
    let told = bob
        .sync_until(&since, |answer| answer["device_lists"].is_object())
        .await;
    assert_eq!(told["device_lists"]["changed"], json!([alice.id]));
    assert_eq!(claim(&bob, &other).await, None);
    assert_eq!(query(&bob, &[&alice]).await["device_keys"][&alice.id], json!({}));
}
