use echorift_tests::{Look as _, TestServer, User, fresh, until, v3};
use serde_json::{Value, json};

use crate::membership::shared_room;

crate::both_ways!(
    messages_to_devices_arrive_once,
    keys_are_queried_and_claimed_across,
    changes_of_device_lists_are_told,
    cross_signing_keys_are_seen_across,
    devices_of_who_shares_no_room_can_still_be_asked_for,
);

/// Gives the user's device keys that look real; nobody here checks their signatures.
async fn upload_keys(user: &User, one_time_keys: usize) -> Value {
    let device = &user.device_id;
    let key = |number: usize| format!("signed_curve25519:AAAA{number}");
    let device_keys = json!({
        "user_id": user.id, "device_id": device,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": { format!("curve25519:{device}"): fresh("curve"), format!("ed25519:{device}"): fresh("ed") },
        "signatures": { &user.id: { format!("ed25519:{device}"): "signature" } },
    });
    let one_time: serde_json::Map<String, Value> = (0..one_time_keys)
        .map(|number| {
            let signatures = json!({ &user.id: { format!("ed25519:{device}"): "signature" } });
            (
                key(number),
                json!({ "key": fresh("once"), "signatures": signatures }),
            )
        })
        .collect();
    let body = json!({ "device_keys": device_keys, "one_time_keys": one_time });
    user.post(v3(["keys", "upload"]), body).await.unwrap();
    device_keys
}

/// The keys of the other's devices, as the asker's server knows them.
async fn query(asker: &User, of: &User) -> Value {
    let body = json!({ "device_keys": { &of.id: [] } });
    let answer = asker.post(v3(["keys", "query"]), body).await.unwrap();
    answer["device_keys"][&of.id].clone()
}

async fn messages_to_devices_arrive_once(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    shared_room(&alice, &bob).await;
    for (writer, reader) in [(&alice, &bob), (&bob, &alice)] {
        let since = reader.now().await;
        for number in 0..3 {
            let path = v3(["sendToDevice", "org.example.note", &fresh("txn")]);
            let body = json!({ "messages": { &reader.id: { &reader.device_id: { "number": number } } } });
            writer.put(path, body).await.unwrap();
        }
        // To all of the reader's devices.
        let path = v3(["sendToDevice", "org.example.note", &fresh("txn")]);
        let body = json!({ "messages": { &reader.id: { "*": { "number": 3 } } } });
        writer.put(path, body).await.unwrap();
        let mut since = since;
        let mut numbers = Vec::new();
        while numbers.len() < 4 {
            let answer = reader
                .sync_until(&since, |answer| !answer.events("/to_device/events").is_empty())
                .await;
            for event in answer.events("/to_device/events") {
                assert_eq!(event.text("/sender"), writer.id);
                numbers.push(event.number("/content/number"));
            }
            answer.text("/next_batch").clone_into(&mut since);
        }
        assert_eq!(numbers, [0, 1, 2, 3]);
        // A sentinel: nothing came twice before it.
        let path = v3(["sendToDevice", "org.example.last", &fresh("txn")]);
        let body = json!({ "messages": { &reader.id: { "*": {} } } });
        writer.put(path, body).await.unwrap();
        let answer = reader
            .sync_until(&since, |answer| !answer.events("/to_device/events").is_empty())
            .await;
        assert_eq!(answer.text("/to_device/events/0/type"), "org.example.last");
    }
}

async fn keys_are_queried_and_claimed_across(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    shared_room(&alice, &bob).await;
    for (asker, owner) in [(&alice, &bob), (&bob, &alice)] {
        let keys = upload_keys(owner, 3).await;
        let device = until("the keys can be asked for", async || {
            let devices = query(asker, owner).await;
            devices[&owner.device_id]
                .is_object()
                .then(|| devices[&owner.device_id].clone())
        })
        .await;
        assert_eq!(device["keys"], keys["keys"]);
        assert_eq!(device["algorithms"], keys["algorithms"]);
        assert_eq!(device["signatures"], keys["signatures"]);
        let mut claimed = Vec::new();
        for _ in 0..4 {
            let body = json!({ "one_time_keys": { &owner.id: { &owner.device_id: "signed_curve25519" } } });
            let answer = asker.post(v3(["keys", "claim"]), body).await.unwrap();
            let keys = answer["one_time_keys"][&owner.id][&owner.device_id].clone();
            claimed.extend(keys.as_object().into_iter().flatten().map(|(id, _)| id.clone()));
        }
        claimed.sort();
        assert_eq!(
            claimed,
            [
                "signed_curve25519:AAAA0",
                "signed_curve25519:AAAA1",
                "signed_curve25519:AAAA2"
            ],
            "each is given once"
        );
    }
}

async fn changes_of_device_lists_are_told(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    let is_changed = |answer: &Value, of: &User| {
        let changed = answer["device_lists"]["changed"].as_array();
        changed.is_some_and(|users| users.contains(&json!(of.id)))
    };
    for (watcher, owner) in [(&alice, &bob), (&bob, &alice)] {
        let since = watcher.now().await;
        upload_keys(owner, 0).await;
        let answer = watcher
            .sync_until(&since, |answer| is_changed(answer, owner))
            .await;
        let second = owner.on_another_device().await;
        upload_keys(&second, 0).await;
        watcher
            .sync_until(answer.text("/next_batch"), |answer| is_changed(answer, owner))
            .await;
        until("both devices are known", async || {
            let devices = query(watcher, owner).await;
            (devices[&owner.device_id].is_object() && devices[&second.device_id].is_object()).then_some(())
        })
        .await;
        let since = watcher.now().await;
        second.post(v3(["logout"]), json!({})).await.unwrap();
        watcher
            .sync_until(&since, |answer| is_changed(answer, owner))
            .await;
        until("the device is gone", async || {
            query(watcher, owner).await[&second.device_id]
                .is_null()
                .then_some(())
        })
        .await;
    }
    let since = alice.now().await;
    bob.leave(&room).await.unwrap();
    alice
        .sync_until(&since, |answer| {
            let left = answer["device_lists"]["left"].as_array();
            left.is_some_and(|users| users.contains(&json!(bob.id)))
        })
        .await;
}

async fn cross_signing_keys_are_seen_across(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    shared_room(&alice, &bob).await;
    for (watcher, owner) in [(&alice, &bob), (&bob, &alice)] {
        let master = json!({
            "user_id": owner.id, "usage": ["master"],
            "keys": { "ed25519:nqOvzeuGWT/sRx3h7+MHoInYj3Uk2LD/unI9kDYcHwk": "nqOvzeuGWT/sRx3h7+MHoInYj3Uk2LD/unI9kDYcHwk" },
        });
        let since = watcher.now().await;
        let body = json!({ "master_key": master });
        let path = v3(["keys", "device_signing", "upload"]);
        if let Err(refusal) = owner.post(&path, body.clone()).await {
            assert_eq!(refusal.status, 401, "{refusal}");
            owner.confirm(reqwest::Method::POST, &path, body).await.unwrap();
        }
        watcher
            .sync_until(&since, |answer| {
                let changed = answer["device_lists"]["changed"].as_array();
                changed.is_some_and(|users| users.contains(&json!(owner.id)))
            })
            .await;
        until("the master key can be asked for", async || {
            let body = json!({ "device_keys": { &owner.id: [] } });
            let answer = watcher.post(v3(["keys", "query"]), body).await.ok()?;
            (answer["master_keys"][&owner.id]["keys"] == master["keys"]).then_some(())
        })
        .await;
    }
}

async fn devices_of_who_shares_no_room_can_still_be_asked_for(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let keys = upload_keys(&bob, 0).await;
    assert_eq!(query(&alice, &bob).await[&bob.device_id]["keys"], keys["keys"]);
    // Nobody there: an answer for whom there is one, and a word on the others.
    let nobody = "@nobody:localhost:1";
    let body = json!({ "device_keys": { &bob.id: [], nobody: [] } });
    let answer = alice.post(v3(["keys", "query"]), body).await.unwrap();
    assert!(answer["device_keys"][&bob.id].is_object());
    assert!(answer["failures"]["localhost:1"].is_object(), "{answer:#}");
}
