use std::time::{Duration, Instant};

use echorift_tests::{Answer, Look as _, Sync, TestServer, User, refused, v3};
use serde_json::{Value, json};

use super::joined;

/// A long poll that is under way when `act` begins.
async fn woken_by<F: Future<Output = ()>>(reader: &User, act: impl FnOnce() -> F) -> Value {
    let since = reader.now().await;
    let poll = tokio::spawn({
        let reader = reader.clone();
        async move {
            reader
                .sync(Sync {
                    since: Some(&since),
                    timeout_ms: 30_000,
                    ..Sync::default()
                })
                .await
        }
    });
    act().await;
    poll.await.unwrap().unwrap()
}

#[tokio::test]
async fn every_kind_of_news_ends_the_wait() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let started = Instant::now();

    let answer = woken_by(&bob, async || {
        alice.send_text(&room, "wake up").await.unwrap();
    })
    .await;
    assert_eq!(joined(&answer, &room).bodies("/timeline/events"), ["wake up"]);
    let event_id = joined(&answer, &room).ids("/timeline/events")[0].clone();

    let answer = woken_by(&bob, async || {
        bob.on_another_device()
            .await
            .set_account_data("org.example.x", json!({}))
            .await
            .unwrap();
    })
    .await;
    assert_eq!(answer.events("/account_data/events").len(), 1);

    let answer = woken_by(&alice, async || {
        bob.send_receipt(&room, "m.read", &event_id).await.unwrap();
    })
    .await;
    assert!(answer.to_string().contains("m.receipt"), "{answer}");

    let mut invited_to = String::new();
    let answer = woken_by(&bob, async || {
        invited_to = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    })
    .await;
    assert!(answer["rooms"]["invite"][&invited_to].is_object(), "{answer}");
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "one of the waits ran into its timeout"
    );
}

#[tokio::test]
async fn a_wait_without_news_ends_empty() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    alice.create_room_with(&[]).await;
    // Settles: the first sync makes the user online, which is news of its own.
    let mut since = alice.now().await;
    loop {
        let options = Sync {
            since: Some(&since),
            timeout_ms: 200,
            ..Sync::default()
        };
        let answer = alice.sync(options).await.unwrap();
        let next = answer.text("/next_batch").to_owned();
        if answer.events("/presence/events").is_empty() {
            assert!(
                answer
                    .pointer("/rooms/join")
                    .is_none_or(|rooms| rooms == &json!({})),
                "{answer}"
            );
            return;
        }
        since = next;
    }
}

#[tokio::test]
async fn many_readers_of_one_room_all_wake() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let mut readers = Vec::new();
    for _ in 0..20 {
        let [reader] = server.register(["reader"]).await;
        reader.join(&room).await.unwrap();
        let since = reader.now().await;
        readers.push(tokio::spawn(async move {
            reader
                .sync_until(&since, |answer| answer.to_string().contains("for everybody"))
                .await
        }));
    }
    alice.send_text(&room, "for everybody").await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn a_stopping_server_ends_the_polls_in_order() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    alice.create_room_with(&[]).await;
    // Settled: nothing but the stop can end the last poll.
    let mut since = alice.now().await;
    loop {
        let options = Sync {
            since: Some(&since),
            timeout_ms: 200,
            ..Sync::default()
        };
        let answer = alice.sync(options).await.unwrap();
        let next = answer.text("/next_batch").to_owned();
        let is_settled = next == since;
        since = next;
        if is_settled {
            break;
        }
    }
    let poll = tokio::spawn({
        let (alice, since) = (alice.clone(), since.clone());
        async move {
            alice
                .sync(Sync {
                    since: Some(&since),
                    timeout_ms: 60_000,
                    ..Sync::default()
                })
                .await
        }
    });
    assert!(server.stop().await, "the server ends in order");
    // It may have come too late to be heard at all.
    match poll.await.unwrap() {
        Ok(answer) => assert!(!answer.text("/next_batch").is_empty()),
        Err(refusal) => assert!(refusal.is_no_answer() || refusal.status == 503, "{refusal}"),
    }
    server.restart().await;
    alice.sync_from(&since).await;
}

/// Follows a room with polls longer than the test's patience, telling of each message it hears.
async fn follow(reader: User, mut since: String, heard: tokio::sync::mpsc::UnboundedSender<String>) {
    loop {
        let options = Sync {
            since: Some(&since),
            timeout_ms: 60_000,
            ..Sync::default()
        };
        let Ok(answer) = reader.sync(options).await else {
            return;
        };
        for (_, room) in answer["rooms"]["join"].as_object().into_iter().flatten() {
            for body in room.bodies("/timeline/events") {
                if heard.send(body).is_err() {
                    return;
                }
            }
        }
        answer.text("/next_batch").clone_into(&mut since);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_slips_in_between_two_polls() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let phone = alice.on_another_device().await;
    let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
    let mut readers = Vec::new();
    for reader in [&alice, &phone, &bob] {
        let since = reader.now().await;
        readers.push(tokio::spawn(follow(reader.clone(), since, heard.clone())));
    }
    // Each message is sent the moment all have heard the one before, when they are just about to poll again.
    for number in 0..300 {
        let sender = [&alice, &phone, &bob][number % 3];
        sender.send_text(&room, &number.to_string()).await.unwrap();
        for _ in 0..readers.len() {
            let body = tokio::time::timeout(echorift_tests::PATIENCE, hearing.recv()).await;
            assert_eq!(
                body.expect("nobody waits for the poll's end"),
                Some(number.to_string())
            );
        }
    }
    for reader in readers {
        reader.abort();
    }
}

/// A poll of one device, while `act` has its session end or its account locked.
async fn broken_off<F: Future<Output = ()>>(phone: &User, act: impl FnOnce() -> F) -> Answer {
    let since = phone.now().await;
    let poll = async {
        let options = Sync {
            since: Some(&since),
            timeout_ms: 30_000,
            ..Sync::default()
        };
        phone.sync(options).await
    };
    tokio::join!(poll, act()).0
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_wait() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let root = server.register_admin().await;
    let phone = alice.on_another_device().await;
    let ended = broken_off(&phone, async || {
        let answer = alice.post(v3(["delete_devices"]), json!({ "devices": [phone.device_id] }));
        let refusal = answer.await.unwrap_err();
        let session = refusal.body["session"].as_str().unwrap();
        let auth = alice.password_stage(session);
        let body = json!({ "devices": [phone.device_id], "auth": auth });
        alice.post(v3(["delete_devices"]), body).await.unwrap();
    });
    refused(ended.await, 401, "M_UNKNOWN_TOKEN");

    let locked = broken_off(&alice, async || {
        let path = format!("/_matrix/client/v1/admin/lock/{}", alice.id);
        root.put(path, json!({ "locked": true })).await.unwrap();
    });
    refused(locked.await, 401, "M_USER_LOCKED");
}
