//! Cross-signing keys, the signatures made with them, and who may see which.

use echorift_tests::{Look as _, TestServer, User, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::{CrossSigning, Key, device_key, device_keys, publish_device, query};

const UPLOAD: [&str; 3] = ["keys", "device_signing", "upload"];

/// Publishes a device and first cross-signing keys.
async fn set_up(user: &User) -> CrossSigning {
    publish_device(user).await;
    let keys = CrossSigning::of(user, 1);
    user.post(v3(UPLOAD), keys.upload(user))
        .await
        .expect("the first keys need no proof");
    keys
}

async fn sign(user: &User, whose: &User, key: &str, object: &Value) -> Value {
    let body = json!({ &whose.id: { key: object } });
    let answer = user.post(v3(["keys", "signatures", "upload"]), body).await;
    answer.expect("signatures may be uploaded")["failures"].clone()
}

#[tokio::test]
async fn the_first_keys_need_no_proof_and_others_do() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let first = set_up(&alice).await;
    // The same once more, as if the answer had been lost.
    alice.post(v3(UPLOAD), first.upload(&alice)).await.unwrap();
    let shown = query(&alice, &[&alice]).await;
    assert_eq!(
        shown["master_keys"][&alice.id]["keys"][first.master.id()],
        first.master.public()
    );
    assert_eq!(
        shown["user_signing_keys"][&alice.id]["keys"][first.user_signing.id()],
        first.user_signing.public()
    );
    // Whom Alice has met is for nobody else to see.
    let shown = query(&bob, &[&alice]).await;
    assert!(shown["self_signing_keys"][&alice.id].is_object());
    assert!(shown.get("user_signing_keys").is_none(), "{shown}");

    let second = CrossSigning::of(&alice, 2);
    let refusal = alice.post(v3(UPLOAD), second.upload(&alice)).await.unwrap_err();
    assert_eq!(refusal.status, 401);
    assert_eq!(refusal.body["flows"], json!([{ "stages": ["m.login.password"] }]));
    let shown = query(&bob, &[&alice]).await;
    assert_eq!(
        shown["master_keys"][&alice.id]["keys"][first.master.id()],
        first.master.public()
    );
    alice
        .confirm(Method::POST, v3(UPLOAD), second.upload(&alice))
        .await
        .unwrap();
    let shown = query(&bob, &[&alice]).await;
    assert_eq!(
        shown["master_keys"][&alice.id]["keys"][second.master.id()],
        second.master.public()
    );
}

#[tokio::test]
async fn keys_that_nobody_signed_and_names_that_are_taken_are_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    publish_device(&alice).await;
    let keys = CrossSigning::of(&alice, 1);
    let whole = keys.upload(&alice);
    let alone = json!({ "self_signing_key": whole["self_signing_key"] });
    refused(alice.post(v3(UPLOAD), alone).await, 400, "M_MISSING_PARAM");
    let mut unsigned = whole.clone();
    unsigned["self_signing_key"] = CrossSigning::public(&alice, "self_signing", &keys.self_signing);
    refused(alice.post(v3(UPLOAD), unsigned).await, 400, "M_INVALID_SIGNATURE");
    let mut wrong = whole.clone();
    wrong["self_signing_key"]["signatures"][&alice.id][keys.master.id()] =
        whole["user_signing_key"]["signatures"][&alice.id][keys.master.id()].clone();
    refused(alice.post(v3(UPLOAD), wrong).await, 400, "M_INVALID_SIGNATURE");
    let mut other_usage = whole.clone();
    other_usage["master_key"]["usage"] = json!(["self_signing"]);
    refused(alice.post(v3(UPLOAD), other_usage).await, 400, "M_INVALID_PARAM");

    let master = keys.master.public();
    let more = json!({ "device_id": master });
    let taken = server
        .anonymous()
        .log_in(&alice.localpart, &alice.password, more)
        .await;
    assert_eq!(taken.unwrap().text("/device_id"), master);
    refused(alice.post(v3(UPLOAD), whole).await, 403, "M_FORBIDDEN");
    assert!(query(&alice, &[&alice]).await.get("master_keys").is_none());
}

#[tokio::test]
async fn signatures_are_checked_and_shown_to_those_whom_they_concern() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    alice.create_room_with(&[&bob, &carol]).await;
    let (of_alice, of_bob) = (set_up(&alice).await, set_up(&bob).await);

    // Alice's device, by her self-signing key: everyone sees it.
    let since = carol.now().await;
    let mut device = device_keys(&alice);
    of_alice
        .self_signing
        .sign(&mut device, &alice.id, &of_alice.self_signing.id());
    assert_eq!(sign(&alice, &alice, &alice.device_id, &device).await, json!({}));
    let told = carol
        .sync_until(&since, |answer| answer["device_lists"].is_object())
        .await;
    assert_eq!(told["device_lists"]["changed"], json!([alice.id]));
    let shown = query(&carol, &[&alice]).await;
    let signatures = &shown["device_keys"][&alice.id][&alice.device_id]["signatures"];
    assert_eq!(signatures, &device["signatures"]);

    // Her master key, by her device: everyone sees it.
    let mut master = CrossSigning::public(&alice, "master", &of_alice.master);
    let device_id = format!("ed25519:{}", alice.device_id);
    device_key(&alice).sign(&mut master, &alice.id, &device_id);
    assert_eq!(
        sign(&alice, &alice, &of_alice.master.public(), &master).await,
        json!({})
    );
    let shown = query(&carol, &[&alice]).await;
    assert_eq!(
        shown["master_keys"][&alice.id]["signatures"],
        master["signatures"]
    );

    // Bob's master key, by her user-signing key: only she sees it, on all her devices.
    let other = alice.on_another_device().await;
    let (for_other, for_carol) = (other.now().await, carol.now().await);
    let mut bobs = CrossSigning::public(&bob, "master", &of_bob.master);
    of_alice
        .user_signing
        .sign(&mut bobs, &alice.id, &of_alice.user_signing.id());
    assert_eq!(
        sign(&alice, &bob, &of_bob.master.public(), &bobs).await,
        json!({})
    );
    let told = other
        .sync_until(&for_other, |answer| answer["device_lists"].is_object())
        .await;
    assert_eq!(told["device_lists"]["changed"], json!([bob.id]));
    let shown = query(&other, &[&bob]).await;
    assert_eq!(shown["master_keys"][&bob.id]["signatures"], bobs["signatures"]);
    for reader in [&bob, &carol] {
        let shown = query(reader, &[&bob]).await;
        assert!(
            shown["master_keys"][&bob.id].get("signatures").is_none(),
            "{shown}"
        );
    }
    assert!(carol.sync_from(&for_carol).await.get("device_lists").is_none());
}

#[tokio::test]
async fn one_wrong_signature_is_told_apart_from_the_others() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let keys = set_up(&alice).await;
    let self_signing = keys.self_signing.id();
    let mut forged = device_keys(&alice);
    Key::of("somebody").sign(&mut forged, &alice.id, &self_signing);
    let mut changed = device_keys(&alice);
    changed["algorithms"] = json!([]);
    keys.self_signing.sign(&mut changed, &alice.id, &self_signing);
    let mut right = CrossSigning::public(&alice, "master", &keys.master);
    device_key(&alice).sign(&mut right, &alice.id, &format!("ed25519:{}", alice.device_id));
    let body = json!({
        &alice.id: { &alice.device_id: forged, "NONE": changed, keys.master.public(): right },
        &bob.id: { "AAAA": {} },
    });
    let path = v3(["keys", "signatures", "upload"]);
    let failures = &alice.post(&path, body).await.unwrap()["failures"];
    let of = |user: &User, key: &str| failures[&user.id][key]["errcode"].as_str().map(ToOwned::to_owned);
    assert_eq!(
        of(&alice, &alice.device_id).as_deref(),
        Some("M_INVALID_SIGNATURE")
    );
    assert_eq!(of(&alice, "NONE").as_deref(), Some("M_NOT_FOUND"));
    assert_eq!(of(&bob, "AAAA").as_deref(), Some("M_NOT_FOUND"));
    assert_eq!(of(&alice, &keys.master.public()), None);
    let failures = sign(&alice, &alice, &alice.device_id, &changed).await;
    assert!(failures[&alice.id][&alice.device_id].is_object(), "{failures}");

    let shown = query(&bob, &[&alice]).await;
    let signatures = &shown["device_keys"][&alice.id][&alice.device_id]["signatures"][&alice.id];
    assert!(signatures.get(&self_signing).is_none(), "{signatures}");
    assert!(shown["master_keys"][&alice.id]["signatures"].is_object());
}
