use echorift_tests::{Look as _, Sync, TestServer, User};
use serde_json::{Value, json};

use super::{joined, state_keys};

fn lazy(limit: u32) -> Value {
    json!({ "room": { "state": { "lazy_load_members": true }, "timeline": { "limit": limit } } })
}

fn member(user: &User) -> String {
    format!("m.room.member|{}", user.id)
}

#[tokio::test]
async fn only_the_members_of_the_timeline_come_and_each_once() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let others = server
        .register(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])
        .await;
    let mut everybody: Vec<&User> = others.iter().collect();
    everybody.push(&bob);
    let room = alice.create_room_with(&everybody).await;
    for body in ["a", "b", "c"] {
        bob.send_text(&room, body).await.unwrap();
    }
    // Besides the sender and oneself come the five heroes, whom the client needs to name the room.
    let initial = alice
        .sync(Sync {
            filter: Some(lazy(2)),
            ..Sync::default()
        })
        .await
        .unwrap();
    let keys = state_keys(joined(&initial, &room), "/state/events");
    assert!(keys.contains(&member(&bob)), "{keys:?}");
    let told = keys
        .iter()
        .filter(|key| key.starts_with("m.room.member|"))
        .count();
    assert!((2..=7).contains(&told), "{keys:?}");
    let quiet = others
        .iter()
        .find(|other| !keys.contains(&member(other)))
        .expect("somebody not told yet");

    // Somebody speaks for the first time and is introduced. Bob speaks again: he is known.
    let since = initial.text("/next_batch");
    quiet.send_text(&room, "hello").await.unwrap();
    bob.send_text(&room, "hello").await.unwrap();
    let options = Sync {
        since: Some(since),
        filter: Some(lazy(10)),
        ..Sync::default()
    };
    let answer = alice.sync(options).await.unwrap();
    assert_eq!(
        state_keys(joined(&answer, &room), "/state/events"),
        [member(quiet)]
    );
}

#[tokio::test]
async fn redundant_members_come_every_time_if_asked_for() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    bob.send_text(&room, "one").await.unwrap();
    let state = json!({ "lazy_load_members": true, "include_redundant_members": true });
    let filter = json!({ "room": { "state": state } });
    let initial = alice
        .sync(Sync {
            filter: Some(filter.clone()),
            ..Sync::default()
        })
        .await
        .unwrap();
    bob.send_text(&room, "two").await.unwrap();
    let options = Sync {
        since: Some(initial.text("/next_batch")),
        filter: Some(filter),
        ..Sync::default()
    };
    let answer = alice.sync(options).await.unwrap();
    assert_eq!(
        state_keys(joined(&answer, &room), "/state/events"),
        [member(&bob)]
    );
}

#[tokio::test]
async fn a_join_is_told_even_when_members_are_lazy() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    let initial = alice
        .sync(Sync {
            filter: Some(lazy(1)),
            ..Sync::default()
        })
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
    alice.send_text(&room, "1").await.unwrap();
    alice.send_text(&room, "2").await.unwrap();
    let options = Sync {
        since: Some(initial.text("/next_batch")),
        filter: Some(lazy(1)),
        ..Sync::default()
    };
    let answer = alice.sync(options).await.unwrap();
    let part = joined(&answer, &room);
    assert_eq!(part["timeline"]["limited"], true);
    assert!(
        state_keys(part, "/state/events").contains(&member(&bob)),
        "{part}"
    );
    assert_eq!(part.number("/summary/m.joined_member_count"), 2);
}
