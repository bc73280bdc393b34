use echorift_tests::{Look as _, v3};
use serde_json::{Value, json};

use crate::service::Service;

/// A device's keys; nothing here looks at signatures.
pub(crate) fn device_keys(user: &str, device: &str) -> Value {
    let (curve, ed) = (format!("curve25519:{device}"), format!("ed25519:{device}"));
    json!({
        "user_id": user,
        "device_id": device,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": { curve: "3C5BFWi2Y8MaVvjM8M22DBmh24PmgR0nPvJOIArzgyI", &ed: "lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI" },
        "signatures": { user: { ed: "dSO80A01XiigH3uBiDVx/EjzaoycHcjq9lfQX0uWsqxl2giMIiSPR8a4d291W1ihKJL/a+myXS367WT6NAIcBA" } },
    })
}

pub(crate) fn one_time_key(user: &str, device: &str) -> Value {
    json!({
        "key": "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs",
        "signatures": { user: { format!("ed25519:{device}"): "FLWxXqGbwrb8SM3Y795eB6OA8bwBcoMZFXBqnTn58AYWZSqiD45tlBVcDa2L7RwdKXebW/VzDlnfVJ+9jok1Bw" } },
    })
}

#[tokio::test]
async fn a_service_is_told_all_that_encryption_needs() {
    let service = Service::start().await;
    let wish = json!({ "org.matrix.msc3202": true });
    let server = service.server(&wish).start().await;
    let [alice] = server.register(["alice"]).await;
    let ghost = service.make_user("ghost", &server).await;
    let caller = service.caller(&server);
    let of_ghost = |path: String| format!("{path}?user_id={ghost}&device_id=GHOST");
    let device = format!("{}?user_id={ghost}", v3(["devices", "GHOST"]));
    caller.put(device, json!({})).await.unwrap();
    let keys = json!({
        "device_keys": device_keys(&ghost, "GHOST"),
        "one_time_keys": { "signed_curve25519:AAAA": one_time_key(&ghost, "GHOST") },
        "fallback_keys": { "signed_curve25519:FFFF": one_time_key(&ghost, "GHOST") },
    });
    caller.post(of_ghost(v3(["keys", "upload"])), keys).await.unwrap();
    let room = alice.create_public_room().await;
    alice
        .set_state(
            &room,
            "m.room.encryption",
            "",
            json!({ "algorithm": "m.megolm.v1.aes-sha2" }),
        )
        .await
        .unwrap();
    caller
        .post(of_ghost(v3(["join", &room])), json!({}))
        .await
        .unwrap();

    // A message to a device of its user.
    let messages = json!({ "messages": { &ghost: { "GHOST": { "secret": 1 } } } });
    alice
        .put(v3(["sendToDevice", "m.room.encrypted", "txn"]), messages)
        .await
        .unwrap();
    let message = service
        .wait_for(|service| service.all("to_device").first().cloned())
        .await;
    assert_eq!(
        (message.text("/to_user_id"), message.text("/to_device_id")),
        (&*ghost, "GHOST")
    );
    assert_eq!(
        (message.text("/sender"), message.text("/type")),
        (&*alice.id, "m.room.encrypted")
    );
    assert_eq!(message["content"]["secret"], 1);
    let with_counts = |service: &Service| {
        let bodies = service
            .transactions()
            .into_iter()
            .map(|transaction| transaction.body);
        bodies
            .rev()
            .find(|body| body["device_one_time_keys_count"].is_object())
    };
    let body = service.wait_for(with_counts).await;
    assert_eq!(
        body["device_one_time_keys_count"][&ghost]["GHOST"]["signed_curve25519"],
        1
    );
    assert_eq!(
        body["org.matrix.msc3202.device_unused_fallback_key_types"][&ghost]["GHOST"],
        json!(["signed_curve25519"])
    );

    // Whose devices change in the rooms of its users.
    alice
        .post(
            v3(["keys", "upload"]),
            json!({ "device_keys": device_keys(&alice.id, &alice.device_id) }),
        )
        .await
        .unwrap();
    service
        .wait_for(|service| {
            let lists = service
                .transactions()
                .into_iter()
                .map(|transaction| transaction.body);
            let mut changed = lists.filter_map(|body| body["device_lists"]["changed"].as_array().cloned());
            changed
                .any(|users| users.contains(&alice.id.as_str().into()))
                .then_some(())
        })
        .await;

    // And whose do not concern them any more.
    let left = |service: &Service| {
        let transactions = service.transactions().into_iter();
        let lists = transactions
            .filter_map(|transaction| transaction.body["device_lists"]["left"].as_array().cloned());
        lists.flatten().collect::<Vec<Value>>()
    };
    let [bob, carol] = server.register(["bob", "carol"]).await;
    let (apart, both) = (alice.create_public_room().await, alice.create_public_room().await);
    for other in [&bob, &carol] {
        other.join(&room).await.unwrap();
    }
    for (other, room) in [(&bob, &apart), (&carol, &both)] {
        other.join(room).await.unwrap();
    }
    caller
        .post(of_ghost(v3(["join", &both])), json!({}))
        .await
        .unwrap();
    for other in [&carol, &bob] {
        other.leave(&room).await.unwrap();
    }
    let is_told = |service: &Service| left(service).contains(&bob.id.as_str().into()).then_some(());
    service.wait_for(is_told).await;
    assert_eq!(
        left(&service),
        [bob.id.as_str()],
        "carol is in another room of the ghost's"
    );

    // What was told is not told again, nor kept for a client that would sync.
    let sent = alice.send_text(&room, "later").await.unwrap();
    service.wait_for_event(&sent).await;
    assert_eq!(service.all("to_device").len(), 1);
    let synced = caller.get(of_ghost(v3(["sync"]))).await.unwrap();
    assert_eq!(synced["to_device"]["events"].as_array().map_or(0, Vec::len), 0);
}

#[tokio::test]
async fn a_service_replaces_cross_signing_keys_without_a_password() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let ghost = service.make_user("ghost", &server).await;
    let key = |public: &str| {
        json!({ "master_key": {
            "user_id": ghost, "usage": ["master"], "keys": { format!("ed25519:{public}"): public },
        } })
    };
    let upload = format!("{}?user_id={ghost}", v3(["keys", "device_signing", "upload"]));
    let caller = service.caller(&server);
    for public in [
        "lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI",
        "3C5BFWi2Y8MaVvjM8M22DBmh24PmgR0nPvJOIArzgyI",
    ] {
        caller.post(&upload, key(public)).await.unwrap();
    }
}
