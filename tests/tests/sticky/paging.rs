use echorift_tests::{Look as _, TestServer, User};

use crate::{HOUR, joined, numbers, send_sticky, sticky, sync, timeline};

async fn send_all(user: &User, room: &str, bodies: &[String]) {
    for body in bodies {
        send_sticky(user, room, body, HOUR).await;
    }
}

/// Syncs on until nothing new comes. What the timelines and the sticky sections told of the room, by answers.
async fn read_all(
    reader: &User,
    room: &str,
    since: Option<&str>,
    limit: usize,
) -> (Vec<String>, Vec<Vec<String>>) {
    let (mut shown, mut told) = (Vec::new(), Vec::new());
    let mut since = since.map(ToOwned::to_owned);
    loop {
        let answer = sync(reader, since.as_deref(), limit).await;
        if since.is_some() && joined(&answer, room).is_null() {
            return (shown, told);
        }
        shown.extend(timeline(&answer, room));
        told.push(sticky(&answer, room));
        since = Some(answer.text("/next_batch").to_owned());
    }
}

#[tokio::test]
async fn more_than_fit_come_with_the_next_answers_each_once_and_in_order() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    send_all(&alice, &room, &numbers(0..250)).await;
    for since in [Some(&*since), None] {
        // The timeline of the first answer shows the last ten, which no later answer repeats.
        let (shown, told) = read_all(&bob, &room, since, 10).await;
        assert_eq!(shown, numbers(240..250));
        let sizes: Vec<usize> = told.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 40]);
        assert_eq!(told.concat(), numbers(0..240));
    }
}

#[tokio::test]
async fn what_happens_between_two_pages_is_neither_lost_nor_told_twice() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let other = alice.create_public_room().await;
    send_all(&alice, &other, &["old".to_owned()]).await;
    let since = bob.now().await;
    send_all(&alice, &room, &numbers(0..150)).await;
    let first = sync(&bob, Some(&since), 1).await;
    assert_eq!(sticky(&first, &room), numbers(0..100));
    // More in the same room, of which the timeline shows the last; a room that is joined meanwhile; and a restart.
    send_all(&alice, &room, &numbers(150..220)).await;
    bob.join(&other).await.unwrap();
    server.kill();
    server.restart().await;
    let second = sync(&bob, Some(first.text("/next_batch")), 1).await;
    assert_eq!(timeline(&second, &room), ["219"]);
    let mut expected = numbers(100..149);
    expected.extend(numbers(150..201));
    assert_eq!(
        sticky(&second, &room),
        expected,
        "149 was in the first answer's timeline"
    );
    assert!(sticky(&second, &other).is_empty());
    let third = sync(&bob, Some(second.text("/next_batch")), 1).await;
    assert_eq!(sticky(&third, &room), numbers(201..219));
    assert_eq!(sticky(&third, &other), ["old"]);
    let fourth = sync(&bob, Some(third.text("/next_batch")), 1).await;
    assert!(fourth["rooms"].get("join").is_none(), "{fourth}");
    // Another client, which knows nothing, gets all of them.
    let (shown, told) = read_all(&bob, &room, None, 1).await;
    assert_eq!((shown, told.concat()), (numbers(219..220), numbers(0..219)));
}

#[tokio::test]
async fn a_poll_does_not_wait_while_there_is_more() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    send_all(&alice, &room, &numbers(0..102)).await;
    let first = sync(&bob, Some(&since), 1).await;
    let options = echorift_tests::Sync {
        since: Some(first.text("/next_batch")),
        timeout_ms: 60_000,
        ..echorift_tests::Sync::default()
    };
    let second = bob.sync(options).await.unwrap();
    assert_eq!(sticky(&second, &room), ["100"]);
}
