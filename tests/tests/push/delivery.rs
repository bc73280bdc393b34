use echorift_tests::{Look as _, v3};
use serde_json::json;

use super::gateway::{Gateway, Reply, server};

#[tokio::test]
async fn a_message_reaches_the_gateway_with_all_that_the_phone_needs() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "Tea" }))
        .await
        .unwrap();
    alice.set_display_name("Alice").await.unwrap();
    let key = gateway
        .register(&bob, json!({ "custom": { "kept": true } }))
        .await;
    let event_id = alice.send_text(&room, "hello").await.unwrap();

    let told = gateway.next_event().await;
    assert_eq!(told.text("/event_id"), event_id);
    assert_eq!(
        (told.text("/room_id"), told.text("/type")),
        (&*room, "m.room.message")
    );
    assert_eq!(
        (told.text("/sender"), told.text("/sender_display_name")),
        (&*alice.id, "Alice")
    );
    assert_eq!(
        (told.text("/room_name"), told.text("/content/body")),
        ("Tea", "hello")
    );
    assert_eq!(told.number("/counts/unread"), 1);
    // A room of two makes a sound.
    assert_eq!(
        (told.text("/prio"), told.text("/devices/0/tweaks/sound")),
        ("high", "default")
    );
    let device = &told["devices"][0];
    assert_eq!(
        (device.text("/app_id"), device.text("/pushkey")),
        ("org.example.app", &*key)
    );
    assert_eq!(
        device["data"],
        json!({ "custom": { "kept": true } }),
        "all but the URL"
    );
}

#[tokio::test]
async fn by_id_only_the_gateway_learns_nothing_of_the_event() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({ "format": "event_id_only" })).await;
    let event_id = alice.send_text(&room, "secret").await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(told.text("/event_id"), event_id);
    assert_eq!(told.text("/devices/0/data/format"), "event_id_only");
    for absent in ["type", "sender", "content", "room_name", "sender_display_name"] {
        assert!(told[absent].is_null(), "{absent}: {told}");
    }
}

#[tokio::test]
async fn contents_stay_on_the_server_unless_configured() {
    let server = server().set("push.include_content", false).start().await;
    let mut gateway = Gateway::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({})).await;
    alice.send_text(&room, "secret").await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(told.text("/type"), "m.room.message");
    assert!(told["content"].is_null(), "{told}");
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_again_and_nothing_is_out_of_order() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({})).await;
    for reply in [
        Reply::Status(502),
        Reply::Body("<html>".to_owned()),
        Reply::Status(404),
    ] {
        gateway.plan(reply);
    }
    let first = alice.send_text(&room, "one").await.unwrap();
    let second = alice.send_text(&room, "two").await.unwrap();
    let mut told = Vec::new();
    while told.last() != Some(&second) {
        told.push(gateway.next_event().await.text("/event_id").to_owned());
    }
    assert_eq!(told, [first.as_str(), &first, &first, &first, &second]);
}

#[tokio::test]
async fn a_rejected_key_loses_its_pusher() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let key = gateway.register(&bob, json!({})).await;
    gateway.plan(Reply::Body(json!({ "rejected": [key] }).to_string()));
    alice.send_text(&room, "hello").await.unwrap();
    gateway.next_event().await;
    loop {
        let left = bob.get(v3(["pushers"])).await.unwrap();
        if left.list("/pushers").is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_gateway_that_hangs_holds_up_nobody_else() {
    let server = server().set("push.request_timeout", "60s").start().await;
    let (mut hanging, mut healthy) = (Gateway::start().await, Gateway::start().await);
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    hanging.register(&bob, json!({})).await;
    healthy.register(&carol, json!({})).await;
    hanging.plan(Reply::Silence);
    let first = alice.send_text(&room, "one").await.unwrap();
    assert_eq!(hanging.next_event().await.text("/event_id"), first);
    let second = alice.send_text(&room, "two").await.unwrap();
    assert_eq!(healthy.next_event().await.text("/event_id"), first);
    assert_eq!(healthy.next_event().await.text("/event_id"), second);
}

#[tokio::test]
async fn what_was_not_delivered_before_a_kill_is_delivered_after_it() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({})).await;
    gateway.plan(Reply::Silence);
    let lost = alice.send_text(&room, "one").await.unwrap();
    assert_eq!(gateway.next_event().await.text("/event_id"), lost);
    let waiting = alice.send_text(&room, "two").await.unwrap();
    server.kill();
    server.restart().await;
    assert_eq!(gateway.next_event().await.text("/event_id"), lost);
    assert_eq!(gateway.next_event().await.text("/event_id"), waiting);
}

#[tokio::test]
async fn an_invitation_rings_and_what_the_rules_silence_does_not() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    gateway.register(&bob, json!({})).await;
    let request = json!({ "preset": "private_chat", "invite": [bob.id] });
    let room = alice.create_room(request).await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(
        (told.text("/type"), told.text("/room_id")),
        ("m.room.member", &*room)
    );
    assert_eq!(told["user_is_target"], true);

    bob.join(&room).await.unwrap();
    let notice = json!({ "msgtype": "m.notice", "body": "quiet" });
    alice.send_event(&room, "m.room.message", notice).await.unwrap();
    let heard = alice.send_text(&room, "loud").await.unwrap();
    assert_eq!(gateway.next_event().await.text("/event_id"), heard);
    bob.send_text(&room, "my own").await.unwrap();
    let heard = alice.send_text(&room, "louder").await.unwrap();
    assert_eq!(gateway.next_event().await.text("/event_id"), heard);
}

#[tokio::test]
async fn ignored_people_are_not_heard() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob, mallory] = server.register(["alice", "bob", "mallory"]).await;
    let room = alice.create_room_with(&[&bob, &mallory]).await;
    gateway.register(&bob, json!({})).await;
    let ignored = json!({ "ignored_users": { mallory.id.as_str(): {} } });
    bob.set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    mallory.send_text(&room, "listen!").await.unwrap();
    let heard = alice.send_text(&room, "hello").await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(told.text("/event_id"), heard);
    assert_eq!(told.number("/counts/unread"), 1, "nor counted");
}

#[tokio::test]
async fn addresses_inside_are_not_asked_unless_allowed() {
    let server = server()
        .set("outbound.allowed_ip_ranges", json!([]))
        .start()
        .await;
    let (mut inside, [alice, bob]) = (Gateway::start().await, server.register(["alice", "bob"]).await);
    let room = alice.create_room_with(&[&bob]).await;
    inside.register(&bob, json!({})).await;
    alice.send_text(&room, "hello").await.unwrap();
    // The server says so in its log, and the gateway has heard nothing.
    loop {
        let logs = server.logs();
        if logs
            .iter()
            .any(|line| line.contains("push gateway") && line.contains("may connect to"))
        {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(inside.try_next().is_none());
}
