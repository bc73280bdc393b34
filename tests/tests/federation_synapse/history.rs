use echorift_tests::{Look as _, PATIENCE, TestServer, assert_agreement, until, within};
use serde_json::json;

crate::both_ways!(
    five_hundred_messages_from_before_are_fetched,
    history_is_shown_to_whom_it_may_be,
    events_of_before_can_be_opened_in_their_context,
);

const MESSAGES: usize = 500;

async fn five_hundred_messages_from_before_are_fetched(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = alice.create_public_room().await;
    let mut sent = Vec::with_capacity(MESSAGES);
    for number in 0..MESSAGES {
        sent.push(alice.send_text(&room, &number.to_string()).await.unwrap());
    }
    bob.join_via(&room, near).await.unwrap();
    // Page by page, which takes a busy machine its time.
    let mut seen = within(PATIENCE * 4, "the history is there", async || {
        let events = bob.whole_history(&room).await.ok()?;
        let messages = events.iter().filter(|event| event["type"] == "m.room.message");
        let seen: Vec<String> = messages.map(|event| event.text("/event_id").to_owned()).collect();
        (seen.len() >= MESSAGES).then_some(seen)
    })
    .await;
    seen.reverse();
    assert!(seen == sent, "in the order in which they were written");
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn history_is_shown_to_whom_it_may_be(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    for (visibility, sees_before_invite, sees_before_join) in [
        ("world_readable", true, true),
        ("shared", true, true),
        ("invited", false, true),
        ("joined", false, false),
    ] {
        let [bob, carol] = far.register(["bob", "carol"]).await;
        let request = json!({
            "preset": "private_chat",
            "initial_state": [
                { "type": "m.room.history_visibility", "content": { "history_visibility": visibility } },
            ],
        });
        let room = alice.create_room(request).await.unwrap();
        alice.send_text(&room, "before the invitation").await.unwrap();
        alice.invite(&room, &bob).await.unwrap();
        bob.is_invited(&room).await;
        alice.send_text(&room, "before the join").await.unwrap();
        bob.join(&room).await.unwrap();
        alice.sees_membership(&room, &bob, "join").await;
        let last = alice.send_text(&room, "after the join").await.unwrap();
        bob.sees(&room, &last).await;
        let mut expected = vec!["after the join"];
        if sees_before_join {
            expected.push("before the join");
        }
        if sees_before_invite {
            expected.push("before the invitation");
        }
        until(&format!("bob sees {expected:?} ({visibility})"), async || {
            let page = bob.messages(&room, "dir=b&limit=50").await.ok()?;
            (page.bodies("/chunk") == expected).then_some(())
        })
        .await;
        // Who is not in the room sees nothing, unless all the world does.
        let page = carol.messages(&room, "dir=b&limit=50").await;
        let is_shown = page.is_ok_and(|page| !page.bodies("/chunk").is_empty());
        assert!(!is_shown || visibility == "world_readable", "{visibility}");
    }
}

async fn events_of_before_can_be_opened_in_their_context(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = alice.create_public_room().await;
    let mut sent = Vec::new();
    for number in 0..30 {
        sent.push(alice.send_text(&room, &number.to_string()).await.unwrap());
    }
    bob.join_via(&room, near).await.unwrap();
    // Clients go back first, and then look around an event that they saw.
    until("the history is there", async || {
        let seen = bob.timeline_ids(&room).await.ok()?;
        sent.iter().all(|id| seen.contains(id)).then_some(())
    })
    .await;
    let path = echorift_tests::v3(["rooms", &room, "context", &sent[10]]);
    let context = bob.get(format!("{path}?limit=6")).await.unwrap();
    assert_eq!(context.text("/event/event_id"), sent[10]);
    // Nobody promises how many there are.
    let numbers = |pointer: &str| -> Vec<usize> {
        let bodies = context.bodies(pointer);
        bodies.iter().map(|body| body.parse().unwrap()).collect()
    };
    let (before, after) = (numbers("/events_before"), numbers("/events_after"));
    assert!(
        !before.is_empty() && before.iter().all(|number| (5..10).contains(number)),
        "{before:?}"
    );
    assert!(
        !after.is_empty() && after.iter().all(|number| (11..15).contains(number)),
        "{after:?}"
    );
    assert!(before.is_sorted_by(|left, right| left > right) && after.is_sorted());
}
