use echorift_tests::{Look as _, TestServer};

use super::*;

#[tokio::test]
async fn what_was_scheduled_survives_a_kill_and_is_sent_once_and_in_order() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let mut promised = Vec::new();
    let due = now_ms() + 6_000;
    // The later they are asked for, the sooner they are due.
    for number in (0..20).rev() {
        let delay_ms = u64::try_from(due + 20 * number - now_ms()).expect("this does not take that long");
        let body = number.to_string();
        let id = say_later(&alice, &room, &body, delay_ms).await;
        let told = look_up(&alice, &id).await;
        promised.push((told.number("/scheduled_at") + told.number("/delay_ms"), body, id));
    }
    promised.sort();
    let kept = say_later(&alice, &room, "kept", NEVER).await;
    server.kill();
    let last = promised.last().expect("there are some").0;
    while now_ms() <= last {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    server.restart().await;
    for (_, _, id) in &promised {
        finalised(&alice, id).await.text("/event_id");
    }
    let bodies = json!(alice.whole_timeline(&room, 100).await).bodies("");
    let expected: Vec<&str> = promised.iter().map(|(_, body, _)| body.as_str()).collect();
    assert_eq!(bodies, expected);
    assert_eq!(waiting(&alice).await, [kept.as_str()]);
    // Actions that are replayed after the restart change nothing.
    act(&alice, STABLE, &promised[0].2, "send").await.unwrap();
    act(&alice, STABLE, &kept, "cancel").await.unwrap();
    server.kill();
    server.restart().await;
    act(&alice, STABLE, &kept, "cancel").await.unwrap();
    assert_eq!(json!(alice.whole_timeline(&room, 100).await).bodies("").len(), 20);
}

#[tokio::test]
async fn a_kill_while_events_are_being_sent_sends_none_of_them_twice() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for number in 0..100 {
        say_later(&alice, &room, &format!("{number}"), 4_000).await;
    }
    for _ in 0..4 {
        // Sooner or later in the midst of it.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        server.kill();
        server.restart().await;
    }
    let search = async {
        while !waiting(&alice).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .expect("all are sent");
    let mut bodies = json!(alice.whole_timeline(&room, 100).await).bodies("");
    assert_eq!(bodies.len(), 100, "each once");
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 100);
}
