use std::time::Duration;

use echorift_tests::{Look as _, Sync, TestServer, v3};
use serde_json::json;

use crate::{HOUR, joined, send_sticky, sticky, sync, timeline};

#[tokio::test]
async fn an_event_that_the_timeline_shows_is_not_told_apart() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    send_sticky(&alice, &room, "early", HOUR).await;
    alice.send_text(&room, "between").await.unwrap();
    send_sticky(&alice, &room, "late", HOUR).await;
    for since in [Some(&*since), None] {
        let answer = sync(&bob, since, 2).await;
        assert_eq!(timeline(&answer, &room), ["between", "late"]);
        assert_eq!(sticky(&answer, &room), ["early"]);
        let shown = &joined(&answer, &room)["timeline"]["events"][1];
        let told = &joined(&answer, &room)["msc4354_sticky"]["events"][0];
        for event in [shown, told] {
            assert_eq!(event["msc4354_sticky"], json!({ "duration_ms": HOUR }));
            let ttl_ms = event.number("/unsigned/msc4354_sticky_duration_ttl_ms");
            assert!(ttl_ms > 0 && ttl_ms <= i64::try_from(HOUR).unwrap());
            assert_eq!(event.text("/sender"), alice.id);
        }
        // Once, and with the same answer to the same question.
        let next = answer.text("/next_batch");
        assert!(sync(&bob, Some(next), 2).await["rooms"].get("join").is_none());
        assert_eq!(sticky(&sync(&bob, since, 2).await, &room), ["early"]);
    }
    let answer = sync(&bob, Some(&since), 3).await;
    assert_eq!(timeline(&answer, &room), ["early", "between", "late"]);
    assert!(joined(&answer, &room).get("msc4354_sticky").is_none());
}

#[tokio::test]
async fn a_poll_that_filters_everything_ends_with_a_sticky_event() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    let nothing = json!({ "types": [] });
    let filter = json!({ "room": { "timeline": nothing, "state": nothing, "ephemeral": nothing, "account_data": nothing } });
    let poll = bob.sync(Sync {
        since: Some(&since),
        filter: Some(filter),
        timeout_ms: 30_000,
        set_presence: Some("offline"),
        ..Sync::default()
    });
    let (answer, _) = tokio::join!(poll, async {
        alice.send_text(&room, "wakes nobody").await.unwrap();
        send_sticky(&alice, &room, "sticks", HOUR).await
    });
    let answer = answer.unwrap();
    assert_eq!(sticky(&answer, &room), ["sticks"]);
    assert!(timeline(&answer, &room).is_empty());
}

#[tokio::test]
async fn who_joins_gets_all_that_sticks_though_history_is_closed() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    let closed = json!({ "history_visibility": "joined" });
    alice
        .set_state(&room, "m.room.history_visibility", "", closed)
        .await
        .unwrap();
    send_sticky(&alice, &room, "one", HOUR).await;
    alice.send_text(&room, "secret").await.unwrap();
    send_sticky(&alice, &room, "two", HOUR).await;
    let since = bob.now().await;
    bob.join(&room).await.unwrap();
    let answer = sync(&bob, Some(&since), 20).await;
    assert!(timeline(&answer, &room).is_empty());
    assert_eq!(sticky(&answer, &room), ["one", "two"]);
    // A change of name is no join, but leaving and coming back is one.
    let since = answer.text("/next_batch").to_owned();
    bob.set_display_name("Bobby").await.unwrap();
    let answer = bob
        .sync_until(&since, |answer| joined(answer, &room).is_object())
        .await;
    assert!(sticky(&answer, &room).is_empty(), "{answer}");
    bob.leave(&room).await.unwrap();
    let since = bob.now().await;
    send_sticky(&alice, &room, "three", HOUR).await;
    bob.join(&room).await.unwrap();
    let answer = sync(&bob, Some(&since), 20).await;
    assert_eq!(sticky(&answer, &room), ["one", "two", "three"]);
}

#[tokio::test]
async fn who_left_or_is_only_invited_hears_of_nothing_that_sticks() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    send_sticky(&alice, &room, "hidden", HOUR).await;
    alice.send_text(&room, "later").await.unwrap();
    alice.invite(&room, &carol).await.unwrap();
    bob.leave(&room).await.unwrap();
    for (reader, since) in [(&bob, Some(&*since)), (&bob, None), (&carol, None)] {
        let answer = sync(reader, since, 1).await;
        assert!(!answer.to_string().contains("hidden"), "{answer}");
    }
}

#[tokio::test]
async fn ignored_users_do_not_stick() {
    let server = TestServer::shared().await;
    let [alice, bob, mallory] = server.register(["alice", "bob", "mallory"]).await;
    let room = alice.create_room_with(&[&bob, &mallory]).await;
    let ignored = json!({ "ignored_users": { &mallory.id: {} } });
    bob.set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    let since = bob.now().await;
    send_sticky(&mallory, &room, "noise", HOUR).await;
    send_sticky(&alice, &room, "signal", HOUR).await;
    alice.send_text(&room, "later").await.unwrap();
    for since in [Some(&*since), None] {
        assert_eq!(sticky(&sync(&bob, since, 1).await, &room), ["signal"]);
    }
}

#[tokio::test]
async fn an_event_sticks_no_longer_than_it_says() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let brief = send_sticky(&alice, &room, "brief", 1_500).await;
    send_sticky(&alice, &room, "lasting", HOUR).await;
    alice.send_text(&room, "later").await.unwrap();
    // Every answer that has it says that some time is left; the first without it ends the wait.
    loop {
        let answer = sync(&alice, None, 1).await;
        let told = joined(&answer, &room).events("/msc4354_sticky/events");
        if told.len() == 1 {
            assert_eq!(told[0].text("/content/body"), "lasting");
            break;
        }
        assert_eq!(told[0].text("/event_id"), brief);
        assert!(told[0].number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The event itself stays.
    let event = alice.event(&room, &brief).await.unwrap();
    assert_eq!(event["msc4354_sticky"], json!({ "duration_ms": 1_500 }));
    assert!(event["unsigned"].get("msc4354_sticky_duration_ttl_ms").is_none());
}

#[tokio::test]
async fn a_redacted_event_sticks_no_longer() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    let regretted = send_sticky(&alice, &room, "regretted", HOUR).await;
    send_sticky(&alice, &room, "kept", HOUR).await;
    alice.redact(&room, &regretted).await.unwrap();
    alice.send_text(&room, "later").await.unwrap();
    for since in [Some(&*since), None] {
        assert_eq!(sticky(&sync(&bob, since, 1).await, &room), ["kept"]);
    }
    let event = bob.event(&room, &regretted).await.unwrap();
    assert!(event.get("msc4354_sticky").is_none());
    assert!(event["unsigned"].get("msc4354_sticky_duration_ttl_ms").is_none());
}

#[tokio::test]
async fn the_timeline_of_messages_says_how_long_an_event_sticks() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let event_id = send_sticky(&alice, &room, "here", HOUR).await;
    let page = alice.messages(&room, "dir=b&limit=1").await.unwrap();
    assert_eq!(page["chunk"][0].text("/event_id"), event_id);
    assert!(page["chunk"][0].number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    let context = alice
        .get(v3(["rooms", &room, "context", &event_id]))
        .await
        .unwrap();
    assert!(context["event"].number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
}

#[tokio::test]
async fn nothing_that_sticks_is_lost_when_the_server_is_killed() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    send_sticky(&alice, &room, "one", HOUR).await;
    let redacted = send_sticky(&alice, &room, "redacted", HOUR).await;
    alice.redact(&room, &redacted).await.unwrap();
    send_sticky(&alice, &room, "two", HOUR).await;
    alice.send_text(&room, "later").await.unwrap();
    let before = sync(&bob, Some(&since), 1).await;
    server.kill();
    server.restart().await;
    for since in [Some(&*since), None] {
        let answer = sync(&bob, since, 1).await;
        assert_eq!(sticky(&answer, &room), ["one", "two"]);
        let event = &joined(&answer, &room)["msc4354_sticky"]["events"][0];
        assert!(event.number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    }
    let after = sync(&bob, Some(before.text("/next_batch")), 1).await;
    assert!(after["rooms"].get("join").is_none(), "{after}");
}
