use echorift_tests::{Look as _, TestServer, User, fresh, until, v3};
use serde_json::{Value, json};

use crate::network::Network;

crate::both_ways!(
    what_sticks_crosses_the_border_and_ends_there_too,
    a_server_that_comes_in_is_told_what_sticks_and_not_the_past,
);

const HOUR: u64 = 3_600_000;

async fn stick(user: &User, room: &str, body: &str, duration_ms: u64) -> String {
    let path = v3([
        "rooms",
        room,
        "send",
        "org.matrix.msc4143.rtc.member",
        &fresh("txn"),
    ]);
    let path = format!("{path}?org.matrix.msc4354.sticky_duration_ms={duration_ms}");
    let answer = user.put(path, json!({ "body": body })).await.unwrap();
    answer.text("/event_id").to_owned()
}

/// The bodies of what sticks to the room, as somebody is told who syncs for the first time and looks at one event.
async fn sticky(user: &User, room: &str) -> Vec<String> {
    let filter = json!({ "room": { "timeline": { "types": ["m.room.none"] } } });
    let options = echorift_tests::Sync {
        filter: Some(filter),
        ..echorift_tests::Sync::default()
    };
    let answer = user.sync(options).await.unwrap();
    let events = answer["rooms"]["join"][room].events("/msc4354_sticky/events");
    let body = |event: &Value| event.text("/content/body").to_owned();
    events.iter().map(body).collect()
}

async fn has_sticky(user: &User, room: &str, expected: &[&str]) {
    until(&format!("{} is told {expected:?}", user.id), async || {
        (sticky(user, room).await == expected).then_some(())
    })
    .await;
}

async fn what_sticks_crosses_the_border_and_ends_there_too(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = alice.create_public_room().await;
    bob.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &bob, "join").await;
    let since = bob.now().await;
    let first = stick(&alice, &room, "alice's", HOUR).await;
    let own = stick(&bob, &room, "bob's", HOUR).await;
    has_sticky(&alice, &room, &["alice's", "bob's"]).await;
    until("bob is told both", async || {
        let mut told = sticky(&bob, &room).await;
        told.sort();
        (told == ["alice's", "bob's"]).then_some(())
    })
    .await;
    let answer = bob
        .sync_until(&since, |answer| answer.to_string().contains("alice's"))
        .await;
    let event = &answer["rooms"]["join"][&room]["timeline"]["events"];
    let event = event
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["event_id"] == *first);
    let event = event.expect("the event is in the timeline");
    assert_eq!(event["msc4354_sticky"], json!({ "duration_ms": HOUR }));
    assert!(event.number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    alice.redact(&room, &first).await.unwrap();
    has_sticky(&bob, &room, &["bob's"]).await;
    bob.redact(&room, &own).await.unwrap();
    has_sticky(&alice, &room, &[]).await;
    let brief = stick(&alice, &room, "brief", 1_500).await;
    bob.sees(&room, &brief).await;
    has_sticky(&bob, &room, &[]).await;
}

async fn a_server_that_comes_in_is_told_what_sticks_and_not_the_past(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    // In a room with little and in one with more history than is asked for in one step.
    for messages in [3, 120] {
        let room = alice.create_public_room().await;
        for number in 0..messages {
            alice.send_text(&room, &format!("before {number}")).await.unwrap();
        }
        stick(&alice, &room, "one", HOUR).await;
        let redacted = stick(&alice, &room, "redacted", HOUR).await;
        stick(&alice, &room, "expired", 0).await;
        alice.redact(&room, &redacted).await.unwrap();
        stick(&alice, &room, "two", HOUR).await;
        alice.send_text(&room, "last before").await.unwrap();
        let since = bob.now().await;
        bob.join_via(&room, near).await.unwrap();
        has_sticky(&bob, &room, &["one", "two"]).await;
        alice.send_text(&room, "live").await.unwrap();
        // Told once, and nothing of the time before is taken for new.
        let (mut told, mut shown): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
        let mut next = since;
        while shown.is_empty() {
            let answer = bob
                .sync_until(&next, |answer| answer["rooms"]["join"][&room].is_object())
                .await;
            let part = &answer["rooms"]["join"][&room];
            told.extend(part.events("/msc4354_sticky/events"));
            shown.extend(part.bodies("/timeline/events"));
            answer.text("/next_batch").clone_into(&mut next);
        }
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(shown, ["live"]);
        // Scrolled back to, history is whole and in its order.
        let mut bodies: Vec<String> = Vec::new();
        let expected = messages + 2;
        until("the history is there", async || {
            let events = bob.whole_history(&room).await.ok()?;
            bodies = events
                .iter()
                .filter(|event| event["type"] == "m.room.message")
                .map(|event| event.text("/content/body").to_owned())
                .collect();
            (bodies.len() >= expected).then_some(())
        })
        .await;
        bodies.reverse();
        assert_eq!(bodies[0], "before 0");
        assert_eq!(bodies[expected - 2..], ["last before", "live"]);
        echorift_tests::assert_agreement(&room, &[&alice, &bob]).await;
        has_sticky(&bob, &room, &["one", "two"]).await;
    }
}

#[tokio::test]
async fn who_was_cut_off_gets_what_sticks_when_the_wire_is_back() {
    let network = Network::start(2).await;
    let people = network.people().await;
    let room = crate::network::common_room(&people).await;
    let (alice, bob) = (&people[0], &people[1]);
    stick(alice, &room, "before", HOUR).await;
    has_sticky(bob, &room, &["before"]).await;
    network.cut_off(1);
    stick(alice, &room, "cut off", HOUR).await;
    stick(alice, &room, "expired", 1).await;
    stick(bob, &room, "on the other side", HOUR).await;
    // The sender is killed while it has something to send.
    network.servers[0].kill();
    network.servers[0].restart().await;
    assert_eq!(sticky(alice, &room).await, ["before", "cut off"]);
    network.heal();
    until("both are told everything", async || {
        for person in [alice, bob] {
            let mut told = sticky(person, &room).await;
            told.sort();
            if told != ["before", "cut off", "on the other side"] {
                return None;
            }
        }
        Some(())
    })
    .await;
    echorift_tests::assert_agreement(&room, &[alice, bob]).await;
}
