use echorift_tests::{Look as _, TestServer, refused};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_event_is_sent_when_its_time_has_come_and_not_before() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    let before = now_ms();
    let delay_id = say_later(&alice, &room, "later", 700).await;
    let told = look_up(&alice, &delay_id).await;
    assert_eq!(told["delay_ms"], 700);
    assert!(told.get("finalised_ts").is_none());

    let pointer = format!("/rooms/join/{room}/timeline/events");
    let answer = bob
        .sync_until(&since, |answer| !answer.events(&pointer).is_empty())
        .await;
    let arrived = now_ms();
    let event = &answer.events(&pointer)[0];
    assert_eq!(
        (event.text("/content/body"), event.text("/sender")),
        ("later", alice.id.as_str())
    );
    let sent = event.number("/origin_server_ts");
    assert!(sent >= before + 700, "sent {} ms too early", before + 700 - sent);
    assert!(
        arrived < before + 700 + 5_000,
        "{} ms after it was asked for",
        arrived - before
    );

    let told = finalised(&alice, &delay_id).await;
    assert_eq!(told["event_id"], event["event_id"]);
    assert!(told.number("/finalised_ts") >= told.number("/scheduled_at") + 700);
    assert_eq!(told["finalised"]["event_id"], event["event_id"]);
    assert!(waiting(&alice).await.is_empty());
}

#[tokio::test]
async fn its_sender_alone_is_told_which_delayed_event_it_was() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let tablet = alice.on_another_device().await;
    let since = alice.now().await;
    let delay_id = say_later(&alice, &room, "later", 1).await;
    let event_id = finalised(&alice, &delay_id).await.text("/event_id").to_owned();
    for device in [&alice, &tablet] {
        let event = device.event(&room, &event_id).await.unwrap();
        assert_eq!(event["unsigned"]["org.matrix.msc4140.delay_id"], json!(delay_id));
        assert_eq!(event["unsigned"]["delay_id"], json!(delay_id));
    }
    let pointer = format!("/rooms/join/{room}/timeline/events/0/unsigned/delay_id");
    let synced = alice.sync_from(&since).await;
    assert_eq!(synced.pointer(&pointer), Some(&json!(delay_id)));
    let event = bob.event(&room, &event_id).await.unwrap();
    assert!(event.get("event_id").is_some());
    assert!(!event["unsigned"].to_string().contains("delay_id"), "{event}");
}

#[tokio::test]
async fn what_its_sender_may_do_is_judged_when_it_is_sent() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let name = json!({ "name": "Bob's" });
    // Not allowed when it is asked for, and allowed when it is sent.
    let allowed = set_later(&bob, &room, "m.room.name", "", name.clone(), NEVER).await;
    refused(act(&bob, STABLE, &allowed, "send").await, 403, "M_FORBIDDEN");
    assert_eq!(waiting(&bob).await, [allowed.as_str()], "it goes on waiting");
    alice
        .change_state(
            &room,
            "m.room.power_levels",
            json!({ "users": { bob.id.as_str(): 50 } }),
        )
        .await
        .unwrap();
    act(&bob, STABLE, &allowed, "send").await.unwrap();
    assert_eq!(alice.state(&room, "m.room.name", "").await.unwrap(), name);
    // And the other way round.
    let forbidden = say_later(&bob, &room, "too late", 900).await;
    alice.ban(&room, &bob).await.unwrap();
    let told = finalised(&bob, &forbidden).await;
    assert_eq!(told["error"]["errcode"], "M_FORBIDDEN");
    assert_eq!(told["finalised"]["error"]["errcode"], "M_FORBIDDEN");
    assert!(told.get("event_id").is_none());
    refused(act(&bob, STABLE, &forbidden, "send").await, 409, "M_UNKNOWN");
    act(&bob, STABLE, &forbidden, "cancel").await.unwrap();
}

#[tokio::test]
async fn who_is_not_in_the_room_learns_nothing_of_it() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let private = alice.create_room_with(&[]).await;
    for room in [private.as_str(), "!nowhere:test.example"] {
        let delay_id = say_later(&bob, room, "hello?", 1).await;
        let told = finalised(&bob, &delay_id).await;
        assert_eq!(told["error"]["errcode"], "M_FORBIDDEN", "{told}");
    }
}

#[tokio::test]
async fn redactions_and_memberships_are_sent_by_their_own_rules() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let slip = bob.send_text(&room, "a slip").await.unwrap();
    let redaction = schedule(
        &bob,
        &room,
        "m.room.redaction",
        json!({ "delay_ms": 1, "content": { "redacts": slip } }),
    )
    .await
    .unwrap();
    finalised(&bob, &redaction).await.text("/event_id");
    assert_eq!(alice.event(&room, &slip).await.unwrap()["content"], json!({}));

    let others = alice.send_text(&room, "mine").await.unwrap();
    let forbidden = schedule(
        &bob,
        &room,
        "m.room.redaction",
        json!({ "delay_ms": 1, "content": { "redacts": others } }),
    )
    .await
    .unwrap();
    assert_eq!(
        finalised(&bob, &forbidden).await["error"]["errcode"],
        "M_FORBIDDEN"
    );

    let leave = set_later(
        &bob,
        &room,
        "m.room.member",
        &bob.id,
        json!({ "membership": "leave" }),
        1,
    )
    .await;
    let told = finalised(&bob, &leave).await;
    assert_eq!(bob.membership_seen_by(&alice, &room).await, "leave");
    let event = alice.event(&room, told.text("/event_id")).await.unwrap();
    assert_eq!(event["content"]["membership"], "leave");
    let nonsense = set_later(
        &alice,
        &room,
        "m.room.member",
        "nobody",
        json!({ "membership": "leave" }),
        1,
    )
    .await;
    assert_eq!(
        finalised(&alice, &nonsense).await["error"]["errcode"],
        "M_INVALID_PARAM"
    );
}

#[tokio::test]
async fn state_that_stands_already_is_not_set_again() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let standing = alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "calls" }))
        .await
        .unwrap();
    let delay_id = set_later(&alice, &room, "m.room.topic", "", json!({ "topic": "calls" }), 1).await;
    assert_eq!(finalised(&alice, &delay_id).await["event_id"], json!(standing));
    act(&alice, STABLE, &delay_id, "send").await.unwrap();
}

#[tokio::test]
async fn who_sends_too_much_then_is_told_so_and_no_more_is_tried() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.messages.per_second", 0.01)
        .set("rate_limits.messages.burst", 6)
        .set("rate_limits.delayed_events.burst", 1_000)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let text = say_later(&alice, &room, "one too many", 1_500).await;
    let leave = set_later(&alice, &room, CALL_MEMBER, "_alice_m.call", json!({}), 1_500).await;
    while alice.send_text(&room, "more").await.is_ok() {}
    let told = finalised(&alice, &text).await;
    assert_eq!(told["error"]["errcode"], "M_LIMIT_EXCEEDED", "{told}");
    // Who is in a call must not stay there for hours: to leave it is tried again.
    let told = look_up(&alice, &leave).await;
    assert!(told.get("error").is_none(), "{told}");
}
