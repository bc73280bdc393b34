//! Calls ring by mentions: they need no rules of their own (MSC4075).

use echorift_tests::{Look as _, Sync};
use serde_json::{Value, json};

use super::gateway::{Gateway, server};

/// That a call is there for whom it mentions.
fn ring(mentions: &Value) -> Value {
    json!({
        "slot_id": "m.call#ROOM", "msc4354_sticky_key": "m.call#ROOM", "notification_type": "ring",
        "m.call.intent": "video", "sender_ts": 1_790_000_000_000_i64, "lifetime": 90_000, "m.mentions": mentions,
        "m.relates_to": { "rel_type": "m.reference", "event_id": "$membership" },
    })
}

#[tokio::test]
async fn a_call_pushes_to_whom_it_mentions_and_declining_it_to_nobody() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    gateway.register(&bob, json!({})).await;
    let mut rings = Vec::new();
    for mentions in [json!({ "user_ids": [bob.id] }), json!({ "room": true })] {
        let event_id = alice
            .send_event(&room, "org.matrix.msc4075.rtc.notification", ring(&mentions))
            .await
            .unwrap();
        let told = gateway.next_event().await;
        assert_eq!(told.text("/event_id"), event_id, "{mentions}");
        assert_eq!(told.text("/type"), "org.matrix.msc4075.rtc.notification");
        assert_eq!(told.text("/prio"), "high");
        rings.push(event_id);
    }
    let counts = format!("/rooms/join/{room}/unread_notifications");
    let unread = bob.sync_all().await;
    assert_eq!(unread.number(&format!("{counts}/notification_count")), 2);
    assert_eq!(unread.number(&format!("{counts}/highlight_count")), 2);

    // Neither does one that mentions nobody, or the room by whom the room does not listen to.
    let alices = gateway.register(&alice, json!({})).await;
    bob.send_event(&room, "org.matrix.msc4075.rtc.notification", ring(&json!({})))
        .await
        .unwrap();
    bob.send_event(
        &room,
        "org.matrix.msc4075.rtc.notification",
        ring(&json!({ "room": true })),
    )
    .await
    .unwrap();
    let decline = json!({
        "m.relates_to": { "rel_type": "m.reference", "event_id": rings[0] }, "msc4354_sticky_key": rings[0],
    });
    bob.send_event(&room, "org.matrix.msc4310.rtc.decline", decline)
        .await
        .unwrap();
    // Events push in their order: what comes first is the one behind them all.
    let marker = bob.send_text(&room, "I am in a meeting").await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(told.text("/event_id"), marker);
    assert_eq!(told.text("/devices/0/pushkey"), alices);
    let unread = alice.sync(Sync::default()).await.unwrap();
    assert_eq!(unread.number(&format!("{counts}/notification_count")), 1);
}
