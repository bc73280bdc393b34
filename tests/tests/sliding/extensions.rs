use echorift_tests::{Look as _, TestServer, User, fresh, v3};
use serde_json::{Value, json};

use super::{Client, list, rooms};

fn with(extensions: Value) -> Value {
    let mut body = list(json!({ "ranges": [[0, 0]] }));
    body["extensions"] = extensions;
    body
}

async fn send_to(sender: &User, to: &User, body: &str) {
    let content = json!({ "messages": { &to.id: { &to.device_id: { "body": body } } } });
    sender
        .put(v3(["sendToDevice", "org.example.note", &fresh("txn")]), content)
        .await
        .unwrap();
}

#[tokio::test]
async fn account_data_comes_whole_and_then_by_what_changes() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (aside, room) = (alice.create_public_room().await, alice.create_public_room().await);
    for room in [&aside, &room] {
        let tag = alice.own_path(&["rooms", room, "tags", "u.tag"]);
        alice.put(tag, json!({})).await.unwrap();
    }
    let mut client = Client::new(&alice, with(json!({ "account_data": { "enabled": true } })));
    let told = client.sync().await["extensions"]["account_data"].clone();
    let types: Vec<String> = told
        .events("/global")
        .iter()
        .map(|event| event.text("/type").to_owned())
        .collect();
    assert!(types.contains(&"m.push_rules".to_owned()), "{types:?}");
    assert_eq!(told["rooms"][&room][0].text("/type"), "m.tag");
    assert!(
        told["rooms"].get(&aside).is_none(),
        "only rooms that are looked at"
    );

    alice
        .set_account_data("org.example.x", json!({ "a": 1 }))
        .await
        .unwrap();
    let told = client.sync().await["extensions"]["account_data"].clone();
    assert_eq!(told.list("/global").len(), 1);
    assert!(told.get("rooms").is_none());
    client.body["lists"]["all"]["ranges"] = json!([[0, 1]]);
    let told = client.sync().await["extensions"]["account_data"].clone();
    assert!(
        told["rooms"].get(&aside).is_some() && told["rooms"].get(&room).is_none(),
        "{told}"
    );
}

#[tokio::test]
async fn receipts_and_typing_come_for_the_rooms_in_scope() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event = alice.send_text(&room, "read me").await.unwrap();
    bob.send_receipt(&room, "m.read", &event).await.unwrap();
    let both = json!({ "receipts": { "enabled": true }, "typing": { "enabled": true } });
    let mut client = Client::new(&alice, with(both.clone()));
    let told = client.sync().await["extensions"].clone();
    let receipt = &told["receipts"]["rooms"][&room]["content"][&event]["m.read"];
    assert!(receipt.get(&bob.id).is_some(), "{told}");

    let typing = v3(["rooms", &room, "typing", &bob.id]);
    let start = json!({ "typing": true, "timeout": 60_000 });
    let (answer, started) = tokio::join!(client.wait(120_000), bob.put(typing, start));
    started.unwrap();
    let told = &answer["extensions"]["typing"]["rooms"][&room];
    assert_eq!(told["content"]["user_ids"], json!([bob.id]));
    let event = alice.send_text(&room, "and me").await.unwrap();
    client.sync().await;
    bob.send_receipt(&room, "m.read", &event).await.unwrap();
    let answer = client.sync().await;
    assert!(answer["extensions"]["receipts"]["rooms"].get(&room).is_some());
    assert_eq!(
        rooms(&answer),
        [] as [String; 0],
        "another's receipt is no news of the room itself"
    );

    let mut elsewhere = with(json!({ "receipts": { "enabled": true, "lists": ["other"], "rooms": [] } }));
    elsewhere["conn_id"] = json!("elsewhere");
    let answer = Client::new(&alice, elsewhere).sync().await;
    assert!(answer["extensions"].get("receipts").is_none(), "{answer}");
}

#[tokio::test]
async fn receipts_are_caught_up_with_when_their_extension_comes_late() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event = alice.send_text(&room, "read me").await.unwrap();
    let mut client = Client::new(&bob, with(json!({})));
    client.sync().await;
    bob.send_receipt(&room, "m.read", &event).await.unwrap();
    client.sync().await;
    client.body = with(json!({ "receipts": { "enabled": true } }));
    let told = client.sync().await["extensions"]["receipts"]["rooms"][&room].clone();
    assert!(told["content"].get(&event).is_some(), "{told}");
    assert!(
        client.sync().await["extensions"].get("receipts").is_none(),
        "once"
    );
}

#[tokio::test]
async fn messages_to_a_device_are_told_until_they_are_acknowledged() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let ask = |since: Option<&str>, limit: u32| {
        with(json!({ "to_device": { "enabled": true, "limit": limit, "since": since } }))
    };
    let mut client = Client::new(&bob, ask(None, 100));
    client.sync().await;
    let (answer, ()) = tokio::join!(client.wait(120_000), send_to(&alice, &bob, "one"));
    let told = &answer["extensions"]["to_device"];
    assert_eq!(told.list("/events").len(), 1);
    assert_eq!(told.text("/events/0/content/body"), "one");
    let next = told.text("/next_batch").to_owned();
    // A connection that starts anew has not lost them.
    client.pos = None;
    assert_eq!(
        client.sync().await["extensions"]["to_device"]
            .list("/events")
            .len(),
        1
    );

    for body in ["two", "three"] {
        send_to(&alice, &bob, body).await;
    }
    client.body = ask(Some(&next), 1);
    let told = client.sync().await["extensions"]["to_device"].clone();
    assert_eq!(told.text("/events/0/content/body"), "two");
    assert_eq!(told.list("/events").len(), 1, "as many as the client takes");
    client.body = ask(Some(told.text("/next_batch")), 1);
    let told = client.sync().await["extensions"]["to_device"].clone();
    assert_eq!(told.text("/events/0/content/body"), "three");

    client.body = ask(Some("nonsense"), 1);
    let refusal = client.ask(0).await.unwrap_err();
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (400, "M_INVALID_PARAM")
    );
}

#[tokio::test]
async fn whose_devices_change_is_told_and_how_many_keys_are_left() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let encryption =
        json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
    let room = alice
        .create_room(json!({ "invite": [bob.id], "initial_state": [encryption] }))
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
    let mut client = Client::new(&alice, with(json!({ "e2ee": { "enabled": true } })));
    let told = client.sync().await["extensions"]["e2ee"].clone();
    assert_eq!(told["device_one_time_keys_count"].number("/signed_curve25519"), 0);
    assert!(told["device_unused_fallback_key_types"].is_array());
    let keys = json!({ "device_keys": {
        "user_id": bob.id, "device_id": bob.device_id, "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "keys": { format!("curve25519:{}", bob.device_id): "a", format!("ed25519:{}", bob.device_id): "b" },
        "signatures": { &bob.id: { format!("ed25519:{}", bob.device_id): "c" } },
    } });
    let (answer, uploaded) = tokio::join!(client.wait(120_000), bob.post(v3(["keys", "upload"]), keys));
    uploaded.unwrap();
    let changed = &answer["extensions"]["e2ee"]["device_lists"]["changed"];
    assert_eq!(*changed, json!([bob.id]), "{answer}");
}
