//! Messages to devices: each is told until it is acknowledged, and then no more.

use std::collections::BTreeSet;

use echorift_tests::{Answer, Look as _, TestServer, User, fresh, refused, v3};
use serde_json::{Value, json};

async fn send(sender: &User, txn: &str, messages: Value) -> Answer {
    let path = v3(["sendToDevice", "m.test", txn]);
    sender.put(path, json!({ "messages": messages })).await
}

fn bodies(answer: &Value) -> Vec<String> {
    let events = answer.events("/to_device/events");
    events
        .iter()
        .map(|event| event.text("/content/body").to_owned())
        .collect()
}

#[tokio::test]
async fn a_message_is_told_until_the_client_says_that_it_has_it() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let other = bob.on_another_device().await;
    let start = bob.now().await;
    let to_bob = json!({ &bob.id: { &bob.device_id: { "body": "one" }, "NONE": { "body": "lost" } } });
    let txn = fresh("txn");
    send(&alice, &txn, to_bob.clone()).await.unwrap();
    // A repetition, as if the answer had been lost.
    send(&alice, &txn, to_bob).await.unwrap();

    let first = bob.sync_until(&start, |answer| !bodies(answer).is_empty()).await;
    assert_eq!(
        first.events("/to_device/events"),
        [json!({ "type": "m.test", "sender": alice.id, "content": { "body": "one" } })]
    );
    assert_eq!(bodies(&bob.sync_from(&start).await), ["one"]);
    let second = bob.sync_from(first.text("/next_batch")).await;
    assert_eq!(bodies(&second), [""; 0]);
    // It was acknowledged: not even the old token brings it back.
    let gone = bob.sync_until(&start, |answer| bodies(answer).is_empty()).await;
    assert_eq!(bodies(&gone), [""; 0]);
    assert_eq!(bodies(&other.sync_all().await), [""; 0]);
}

#[tokio::test]
async fn a_star_means_every_device() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let other = bob.on_another_device().await;
    let messages = json!({ &bob.id: { "*": { "body": "all" }, &other.device_id: { "body": "you" } } });
    send(&alice, &fresh("txn"), messages).await.unwrap();
    assert_eq!(bodies(&bob.sync_all().await), ["all"]);
    assert_eq!(bodies(&other.sync_all().await), ["you"]);
    refused(
        send(&alice, &fresh("txn"), json!({ &bob.id: { "*": "text" } })).await,
        400,
        "M_INVALID_PARAM",
    );
    let large = json!({ &bob.id: { "*": { "body": "x".repeat(70_000) } } });
    refused(send(&alice, &fresh("txn"), large).await, 413, "M_TOO_LARGE");
}

#[tokio::test]
async fn many_messages_come_in_pages_and_in_order() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let start = bob.now().await;
    for number in 0..250 {
        let messages = json!({ &bob.id: { &bob.device_id: { "body": number.to_string() } } });
        send(&alice, &fresh("txn"), messages).await.unwrap();
    }
    alice.send_text(&room, "hello").await.unwrap();
    let (mut since, mut heard, mut said) = (start, Vec::new(), 0);
    while heard.len() < 250 {
        let answer = bob.sync_from(&since).await;
        let page = bodies(&answer);
        assert!((1..=100).contains(&page.len()), "{}", page.len());
        heard.extend(page);
        let joined = &answer["rooms"]["join"][&room];
        said += joined.bodies("/timeline/events").len();
        answer.text("/next_batch").clone_into(&mut since);
    }
    let expected: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!(heard, expected);
    assert_eq!(said, 1, "the room's message is told once");
    assert_eq!(bodies(&bob.sync_from(&since).await), [""; 0]);
}

#[tokio::test]
async fn what_was_acknowledged_to_the_sender_outlives_a_crash() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let start = bob.now().await;
    let txn = fresh("txn");
    let messages = json!({ &bob.id: { &bob.device_id: { "body": "kept" } } });
    send(&alice, &txn, messages.clone()).await.unwrap();
    server.kill();
    server.restart().await;
    // The sender asks again, because it may not have heard the answer.
    send(&alice, &txn, messages).await.unwrap();
    let told = bob.sync_from(&start).await;
    assert_eq!(bodies(&told), ["kept"]);
    server.kill();
    server.restart().await;
    assert_eq!(bodies(&bob.sync_from(&start).await), ["kept"]);
    assert_eq!(bodies(&bob.sync_from(told.text("/next_batch")).await), [""; 0]);
}

#[tokio::test]
async fn a_waiting_poll_is_woken_and_two_senders_lose_nothing() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let mut since = bob.now().await;
    let senders = [alice, carol].map(|sender| {
        let bob = bob.clone();
        tokio::spawn(async move {
            for number in 0..40 {
                let body = format!("{} {number}", sender.localpart);
                let messages = json!({ &bob.id: { &bob.device_id: { "body": body } } });
                send(&sender, &fresh("txn"), messages).await.unwrap();
            }
        })
    });
    let mut heard = Vec::new();
    while heard.len() < 80 {
        let answer = bob.sync_until(&since, |answer| !bodies(answer).is_empty()).await;
        heard.extend(bodies(&answer));
        answer.text("/next_batch").clone_into(&mut since);
    }
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), 80, "{heard:?}");
}
