use std::collections::BTreeMap;

use echorift_tests::{Look as _, PATIENCE, Reader, TestServer, User};
use futures_util::future::join_all;

const SENDERS: usize = 50;
const MESSAGES_EACH: usize = 10;

async fn people(server: &TestServer, count: usize) -> Vec<User> {
    let mut users = Vec::with_capacity(count);
    for _ in 0..count {
        let [user] = server.register(["sender"]).await;
        users.push(user);
    }
    users
}

/// Reads on until as many messages were seen in all rooms together, while others send.
async fn read_all(mut reader: Reader, messages: usize) -> Reader {
    let reading = async {
        loop {
            let seen: usize = reader
                .timelines
                .keys()
                .map(|room| reader.bodies(room).len())
                .sum();
            if seen >= messages {
                return;
            }
            reader.read(10_000).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE * 2, reading)
        .await
        .expect("every message arrives");
    reader
}

/// Asserts that nothing is lost, doubled or out of order: each sender's messages come as they were sent, and the
/// room's order is the same for everybody.
fn assert_whole(reader: &Reader, room: &str, expected: &BTreeMap<String, usize>, order: &[String]) {
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    for body in reader.bodies(room) {
        let (sender, number) = body.split_once(' ').expect("sender and number");
        let wanted = next.entry(sender).or_default();
        assert_eq!(number.parse::<usize>().unwrap(), *wanted, "{sender} in {room}");
        *wanted += 1;
    }
    let seen: BTreeMap<String, usize> = next
        .into_iter()
        .map(|(sender, count)| (sender.to_owned(), count))
        .collect();
    assert_eq!(&seen, expected, "in {room}");
    let ids = reader.ids(room);
    let tail = &order[order.len() - ids.len()..];
    assert!(
        ids.iter().zip(tail).all(|(left, right)| left == right),
        "the order differs from /messages in {room}"
    );
}

async fn order_of(user: &User, room: &str) -> Vec<String> {
    let events = user.whole_timeline(room, 100).await;
    events
        .iter()
        .map(|event| event.text("/event_id").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_senders_in_one_room() {
    let server = TestServer::start().await;
    let [owner] = server.register(["owner"]).await;
    let senders = people(&server, SENDERS).await;
    let room = owner.create_public_room().await;
    join_all(senders.iter().map(|sender| sender.join(&room)))
        .await
        .into_iter()
        .for_each(|joined| {
            joined.unwrap();
        });
    let readers = [&senders[0], &senders[1], &owner].map(|user| {
        let reader = Reader::new(user);
        async move {
            let mut reader = reader;
            reader.read(0).await.unwrap();
            reader
        }
    });
    let readers = join_all(readers).await;
    let reading: Vec<_> = readers
        .into_iter()
        .map(|reader| tokio::spawn(read_all(reader, SENDERS * MESSAGES_EACH)))
        .collect();

    join_all(senders.iter().map(|sender| async {
        for number in 0..MESSAGES_EACH {
            sender
                .send_text(&room, &format!("{} {number}", sender.localpart))
                .await
                .unwrap();
        }
    }))
    .await;
    let order = order_of(&owner, &room).await;
    let expected = senders
        .iter()
        .map(|sender| (sender.localpart.clone(), MESSAGES_EACH))
        .collect();
    for reader in reading {
        assert_whole(&reader.await.unwrap(), &room, &expected, &order);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_senders_in_fifty_rooms() {
    let server = TestServer::start().await;
    let [owner] = server.register(["owner"]).await;
    let senders = people(&server, SENDERS).await;
    let rooms = join_all(senders.iter().map(|sender| async {
        let room = owner.create_public_room().await;
        sender.join(&room).await.unwrap();
        room
    }))
    .await;
    let mut reader = Reader::new(&owner);
    reader.read(0).await.unwrap();
    let reading = tokio::spawn(read_all(reader, SENDERS * MESSAGES_EACH));

    join_all(senders.iter().zip(&rooms).map(|(sender, room)| async move {
        for number in 0..MESSAGES_EACH {
            sender
                .send_text(room, &format!("{} {number}", sender.localpart))
                .await
                .unwrap();
        }
    }))
    .await;
    let reader = reading.await.unwrap();
    for (sender, room) in senders.iter().zip(&rooms) {
        let order = order_of(&owner, room).await;
        let expected = BTreeMap::from([(sender.localpart.clone(), MESSAGES_EACH)]);
        assert_whole(&reader, room, &expected, &order);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_changed_by_many_at_once_stays_one_story() {
    let server = TestServer::start().await;
    let [owner] = server.register(["owner"]).await;
    let room = owner.create_public_room().await;
    let people = people(&server, 20).await;
    // Joins, a rename by each, and leaves of every second, all at once.
    join_all(people.iter().enumerate().map(|(index, user)| {
        let (owner, room) = (&owner, &room);
        async move {
            user.join(room).await.unwrap();
            owner
                .set_state(room, "org.example.last", "", serde_json::json!({ "by": index }))
                .await
                .unwrap();
            if index % 2 == 1 {
                user.leave(room).await.unwrap();
            }
        }
    }))
    .await;
    let members = owner
        .get(echorift_tests::v3(["rooms", &room, "joined_members"]))
        .await
        .unwrap();
    assert_eq!(members["joined"].as_object().unwrap().len(), 11);

    // Following the timeline leads to the state that the server names.
    let events = owner.whole_timeline(&room, 50).await;
    let last = events
        .iter()
        .rfind(|event| event["type"] == "org.example.last")
        .unwrap();
    assert_eq!(
        owner.state(&room, "org.example.last", "").await.unwrap(),
        last["content"]
    );
    for user in &people {
        let last = events
            .iter()
            .rfind(|event| event["state_key"] == user.id.as_str())
            .unwrap();
        assert_eq!(
            user.membership_seen_by(&owner, &room).await,
            last.text("/content/membership")
        );
    }
}
