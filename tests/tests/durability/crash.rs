use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use echorift_tests::{Look as _, PATIENCE, Reader, TestServer, User};
use serde_json::json;

const KILLS: usize = 20;
const SENDERS: usize = 3;
/// Acknowledged messages between two kills, so that every life of the server does some work.
const ACKNOWLEDGED_PER_LIFE: usize = 100;

/// What one sender was told: the bodies in the order of sending, each with the id of its event.
type Acknowledged = Vec<(String, String)>;

/// Sends as fast as answers come, repeating what got no answer under its old transaction id, until told to stop.
async fn send_until(
    user: User,
    room: String,
    number: usize,
    count: Arc<AtomicUsize>,
    stop: Arc<AtomicUsize>,
) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    while stop.load(Ordering::SeqCst) == 0 {
        let body = format!("{number}:{}", acknowledged.len());
        let content = json!({ "msgtype": "m.text", "body": body });
        let event_id = loop {
            match user
                .send_in_transaction(&room, "m.room.message", &body, content.clone())
                .await
            {
                Ok(event_id) => break event_id,
                // The server is down or going down: the client does not know, and asks again.
                Err(refusal) if refusal.is_no_answer() => tokio::task::yield_now().await,
                Err(refusal) => panic!("{body} was refused: {refusal}"),
            }
        };
        acknowledged.push((body, event_id));
        count.fetch_add(1, Ordering::SeqCst);
    }
    acknowledged
}

async fn wait_for_more(count: &AtomicUsize, more: usize) {
    let aim = count.load(Ordering::SeqCst) + more;
    let arrival = async {
        while count.load(Ordering::SeqCst) < aim {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrival)
        .await
        .expect("messages are acknowledged");
}

/// Asserts that the events hold every acknowledged message once and each sender's in order.
fn assert_whole(events: &[serde_json::Value], acknowledged: &[Acknowledged], whose: &str) {
    for (number, sent) in acknowledged.iter().enumerate() {
        let prefix = format!("{number}:");
        let seen: Acknowledged = events
            .iter()
            .filter(|event| {
                event["content"]["body"]
                    .as_str()
                    .is_some_and(|body| body.starts_with(&prefix))
            })
            .map(|event| {
                (
                    event.text("/content/body").to_owned(),
                    event.text("/event_id").to_owned(),
                )
            })
            .collect();
        if &seen != sent {
            let at = seen
                .iter()
                .zip(sent)
                .position(|(left, right)| left != right)
                .unwrap_or(seen.len().min(sent.len()));
            panic!(
                "{whose}: sender {number} has {} acknowledged, {} seen; they differ from {at} on: {:?} instead of {:?}",
                sent.len(),
                seen.len(),
                seen.get(at),
                sent.get(at),
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_and_double_nothing() {
    let server = TestServer::start().await;
    let users = server.register(["one", "two", "three"]).await;
    let [reader] = server.register(["reader"]).await;
    let room = users[0].create_public_room().await;
    for user in users.iter().skip(1).chain([&reader]) {
        user.join(&room).await.unwrap();
    }
    // One reader follows through all the crashes; the other looks at the end with fresh eyes.
    let mut follower = Reader::new(&reader);
    follower.read(0).await.unwrap();

    let (count, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let sending = send_until(
                users[number].clone(),
                room.clone(),
                number,
                Arc::clone(&count),
                Arc::clone(&stop),
            );
            tokio::spawn(sending)
        })
        .collect();
    for _ in 0..KILLS {
        wait_for_more(&count, ACKNOWLEDGED_PER_LIFE).await;
        follower.read(0).await.unwrap();
        server.kill();
        server.restart().await;
        follower.read(0).await.unwrap();
    }
    wait_for_more(&count, ACKNOWLEDGED_PER_LIFE).await;
    stop.store(1, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.push(sender.await.unwrap());
    }
    follower.read(0).await.unwrap();

    assert_whole(
        &follower.timelines[&room],
        &acknowledged,
        "a reader through all crashes",
    );
    assert_whole(
        &reader.whole_timeline(&room, 100).await,
        &acknowledged,
        "/messages",
    );
    let mut distinct = follower.ids(&room);
    let total = distinct.len();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), total, "an event came twice");
    // Once more from cold memory.
    server.kill();
    server.restart().await;
    assert_whole(
        &reader.whole_timeline(&room, 100).await,
        &acknowledged,
        "/messages after the last start",
    );
}

#[tokio::test]
async fn whatever_was_acknowledged_is_there_after_a_kill() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    let alias = alice.fresh_alias("kept");
    alice
        .put(
            echorift_tests::v3(["directory", "room", &alias]),
            json!({ "room_id": room }),
        )
        .await
        .unwrap();
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "Kept" }))
        .await
        .unwrap();
    alice
        .set_account_data("org.example.kept", json!({ "a": 1 }))
        .await
        .unwrap();
    alice.set_display_name("Kept Alice").await.unwrap();
    let event_id = alice.send_text(&room, "kept").await.unwrap();
    bob.send_receipt(&room, "m.read", &event_id).await.unwrap();
    bob.leave(&room).await.unwrap();
    server.kill();
    server.restart().await;

    assert_eq!(
        alice
            .get(echorift_tests::v3(["directory", "room", &alias]))
            .await
            .unwrap()
            .text("/room_id"),
        room
    );
    assert_eq!(
        alice.state(&room, "m.room.name", "").await.unwrap().text("/name"),
        "Kept"
    );
    alice
        .get(alice.own_path(&["account_data", "org.example.kept"]))
        .await
        .unwrap();
    let profile = alice
        .get(echorift_tests::v3(["profile", &alice.id]))
        .await
        .unwrap();
    assert_eq!(profile.text("/displayname"), "Kept Alice");
    assert_eq!(bob.membership_seen_by(&alice, &room).await, "leave");
    assert!(alice.sync_all().await.to_string().contains("m.receipt"));
    assert!(bob.sync_from(&since).await["rooms"]["leave"][&room].is_object());
}
