use echorift_tests::TestServer;
use futures_util::{StreamExt as _, stream};

use super::*;

#[tokio::test]
async fn ten_thousand_events_of_one_user_are_refused_beyond_the_limit() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let next = say_later(&alice, &room, "next", 600_000).await;
    let (alice, room) = (&alice, &room);
    let answers = stream::iter(0..10_000)
        .map(|_| async move {
            schedule(
                alice,
                room,
                "m.room.message",
                json!({ "delay_ms": NEVER, "content": {} }),
            )
            .await
        })
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, 99);
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(
            (refusal.status, refusal.errcode.as_str()),
            (429, "M_LIMIT_EXCEEDED")
        );
        // Until the next one is sent.
        let wait = refusal.body.number("/retry_after_ms");
        assert!((1..=600_000).contains(&wait), "{wait}");
    }
    let put = v3(["rooms", room, "delayed_event", "m.room.message", &fresh("txn")]);
    let request = alice.request(reqwest::Method::PUT, put);
    let response = request
        .json(&json!({ "delay_ms": 1, "content": {} }))
        .send()
        .await
        .unwrap();
    let seconds: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    // One less, and there is room for one more.
    act(alice, STABLE, &next, "send").await.unwrap();
    say_later(alice, room, "now", NEVER).await;
    assert_eq!(waiting(alice).await.len(), 100);
}

#[tokio::test]
async fn ten_thousand_events_of_many_users_wait_without_filling_the_memory() {
    const USERS: usize = 100;
    /// Of each user: these are sent, and the others wait on.
    const SENT: usize = 20;
    const EACH: usize = 100;
    let server = TestServer::start().await;
    let mut users = Vec::new();
    for _ in 0..USERS {
        let [user] = server.register(["user"]).await;
        let room = user.create_room_with(&[]).await;
        users.push((user, room));
    }
    let before = server.memory();
    let schedule_all = stream::iter(&users).map(|(user, room)| async move {
        let mut last = String::new();
        for number in 0..EACH {
            let delay_ms = if number < SENT { 30_000 } else { NEVER };
            let id = say_later(user, room, &format!("{number}"), delay_ms).await;
            if number < SENT {
                last = id;
            }
        }
        (user, room, last)
    });
    let scheduled: Vec<_> = schedule_all.buffered(16).collect().await;
    let held = server.memory().saturating_sub(before);
    assert!(held < 64 << 20, "{held} bytes more while they wait");

    for (user, room, last) in scheduled {
        let is_sent = async {
            while look_up(user, &last).await.get("finalised_ts").is_none() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        };
        let patience = PATIENCE * 6;
        tokio::time::timeout(patience, is_sent)
            .await
            .expect("all are sent");
        let bodies = json!(user.whole_timeline(room, 200).await).bodies("");
        let expected: Vec<String> = (0..SENT).map(|number| number.to_string()).collect();
        assert_eq!(bodies, expected);
    }
    let held = server.memory().saturating_sub(before);
    assert!(held < 96 << 20, "{held} bytes more when they are sent");
}
