use echorift_tests::{Look as _, Reader, Sync, TestServer};
use serde_json::json;

use super::joined;

#[tokio::test]
async fn an_initial_sync_holds_the_rooms_and_an_incremental_one_what_is_new() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (room, quiet) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    alice.send_text(&room, "one").await.unwrap();
    let initial = bob.sync_all().await;
    assert_eq!(joined(&initial, &room).bodies("/timeline/events"), ["one"]);
    assert!(joined(&initial, &quiet).is_object());

    let since = initial.text("/next_batch").to_owned();
    let nothing = bob.sync_from(&since).await;
    assert!(
        nothing
            .pointer("/rooms/join")
            .is_none_or(|rooms| rooms.as_object().unwrap().is_empty()),
        "{nothing}"
    );

    alice.send_text(&room, "two").await.unwrap();
    let answer = bob.sync_from(&since).await;
    assert_eq!(joined(&answer, &room).bodies("/timeline/events"), ["two"]);
    assert_eq!(joined(&answer, &room)["timeline"]["limited"], false);
    assert_eq!(joined(&answer, &room)["state"], json!({ "events": [] }));
    assert!(joined(&answer, &quiet).is_null());
    // The same question gets the same answer, and the next one starts after it.
    assert_eq!(
        joined(&bob.sync_from(&since).await, &room).bodies("/timeline/events"),
        ["two"]
    );
    assert!(joined(&bob.sync_from(answer.text("/next_batch")).await, &room).is_null());
}

#[tokio::test]
async fn a_gap_is_filled_from_prev_batch_without_loss() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "seen").await.unwrap();
    let since = bob.now().await;
    let said: Vec<String> = (0..35).map(|number| number.to_string()).collect();
    for body in &said {
        alice.send_text(&room, body).await.unwrap();
    }
    let filter = json!({ "room": { "timeline": { "limit": 10 } } });
    let options = Sync {
        since: Some(&since),
        filter: Some(filter),
        ..Sync::default()
    };
    let answer = bob.sync(options).await.unwrap();
    let part = joined(&answer, &room);
    assert_eq!(part["timeline"]["limited"], true);
    assert_eq!(part.bodies("/timeline/events"), said[25..]);

    let mut older = Vec::new();
    let mut from = part.text("/timeline/prev_batch").to_owned();
    while !older.contains(&"seen".to_owned()) {
        let page = bob
            .messages(&room, &format!("dir=b&limit=10&from={from}"))
            .await
            .unwrap();
        older.extend(page.bodies("/chunk"));
        page.text("/end").clone_into(&mut from);
    }
    older.reverse();
    assert_eq!(older[older.len() - 25..], said[..25]);
}

#[tokio::test]
async fn a_reader_sees_a_busy_room_whole() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mut reader = Reader::new(&bob);
    reader.read(0).await.unwrap();
    let mut said = Vec::new();
    for round in 0..6 {
        for number in 0..round * 9 {
            let body = format!("{round}.{number}");
            alice.send_text(&room, &body).await.unwrap();
            said.push(body);
        }
        reader.read(0).await.unwrap();
    }
    assert_eq!(reader.bodies(&room), said);
}

#[tokio::test]
async fn a_gap_still_tells_how_the_state_changed() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "New name" }))
        .await
        .unwrap();
    alice.invite(&room, &carol).await.unwrap();
    for number in 0..15 {
        alice.send_text(&room, &number.to_string()).await.unwrap();
    }
    let filter = json!({ "room": { "timeline": { "limit": 5 } } });
    let options = Sync {
        since: Some(&since),
        filter: Some(filter),
        ..Sync::default()
    };
    let answer = bob.sync(options).await.unwrap();
    let part = joined(&answer, &room);
    assert_eq!(part["timeline"]["limited"], true);
    let mut expected = [format!("m.room.member|{}", carol.id), "m.room.name|".to_owned()];
    expected.sort();
    assert_eq!(super::state_keys(part, "/state/events"), expected);
}

#[tokio::test]
async fn a_redaction_reaches_those_who_have_the_event() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "oops").await.unwrap();
    let since = bob.now().await;
    let redaction = alice.redact(&room, &event_id).await.unwrap();
    let answer = bob.sync_from(&since).await;
    let events = joined(&answer, &room).events("/timeline/events");
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].text("/event_id"), events[0].text("/content/redacts")),
        (redaction.as_str(), event_id.as_str())
    );
    let all = bob.sync_all().await;
    assert!(
        joined(&all, &room)
            .bodies("/timeline/events")
            .iter()
            .all(|body| body != "oops")
    );
}

#[tokio::test]
async fn a_made_up_token_is_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for since in ["made-up", "s", "", "s99999999999999999999", "t-5"] {
        let answer = alice
            .sync(Sync {
                since: Some(since),
                ..Sync::default()
            })
            .await;
        if !since.is_empty() || answer.is_err() {
            let refusal = answer.unwrap_err();
            assert_eq!(refusal.status, 400, "{since:?}: {refusal}");
        }
    }
}

#[tokio::test]
async fn tokens_hold_over_a_restart() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    alice.send_text(&room, "before").await.unwrap();
    assert!(server.stop().await, "the server stops in order when asked");
    server.restart().await;
    alice.send_text(&room, "after").await.unwrap();
    let answer = bob.sync_from(&since).await;
    assert_eq!(
        joined(&answer, &room).bodies("/timeline/events"),
        ["before", "after"]
    );
}
