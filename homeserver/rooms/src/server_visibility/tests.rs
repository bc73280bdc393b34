#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::{UserId, server_name, user_id};
use serde_json::json;

use super::*;
use crate::{
    Order,
    testing::{TestRooms, on_both_databases},
};
use echorift_storage::Position;

/// Moves a user of another server, as an event of theirs would.
async fn member(server: &TestRooms, room: &Arc<Room>, (sender, user): (&UserId, &UserId), membership: &str) {
    let content = json!({ "membership": membership });
    server
        .set(room, sender, ("m.room.member", user.as_str()), content)
        .await
        .unwrap();
}

/// The texts that the other server gets whole, and how many events it gets at all.
async fn texts(server: &TestRooms, room: &Arc<Room>) -> Vec<String> {
    let all = (Position(i64::MIN), Position(i64::MAX));
    let events = server
        .rooms
        .timeline(room, all, Order::OldestFirst, 1_000)
        .await
        .unwrap();
    let shown = server
        .rooms
        .for_server(room, server_name!("two.example"), &events)
        .await
        .unwrap();
    assert_eq!(shown.len(), events.len(), "what is not seen is redacted");
    let body = |pdu: &Arc<Pdu>| {
        let content: serde_json::Value = pdu.content_as().unwrap();
        content
            .get("body")
            .and_then(serde_json::Value::as_str)
            .map(ToOwned::to_owned)
    };
    shown.iter().filter_map(body).collect()
}

async fn check(server: &TestRooms, visibility: &str, expected: &[&str]) {
    let alice = server.register(&format!("alice.{visibility}")).await;
    let (bob, carol) = (user_id!("@bob:two.example"), user_id!("@carol:two.example"));
    let room = server.public_room(&alice).await;
    let key = ("m.room.history_visibility", "");
    server
        .set(&room, &alice, key, json!({ "history_visibility": visibility }))
        .await
        .unwrap();
    server.send(&room, &alice, "before").await.unwrap();
    member(server, &room, (&alice, bob), "invite").await;
    server.send(&room, &alice, "invited").await.unwrap();
    member(server, &room, (bob, bob), "join").await;
    server.send(&room, &alice, "joined").await.unwrap();
    member(server, &room, (bob, bob), "leave").await;
    server.send(&room, &alice, "left").await.unwrap();
    member(server, &room, (carol, carol), "join").await;
    server.send(&room, &alice, "another came").await.unwrap();
    assert_eq!(texts(server, &room).await, expected, "{visibility}");
}

on_both_databases! {
    async fn a_server_sees_what_any_of_its_users_may(server: &TestRooms) {
        let all = ["before", "invited", "joined", "left", "another came"];
        check(server, "world_readable", &all).await;
        check(server, "shared", &all).await;
        check(server, "invited", &["invited", "joined", "another came"]).await;
        check(server, "joined", &["joined", "another came"]).await;
    }

    async fn events_that_change_what_is_seen_are_seen_by_either_state(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (two, bob) = (server_name!("two.example"), user_id!("@bob:two.example"));
        let room = server.public_room(&alice).await;
        let key = ("m.room.history_visibility", "");
        let closing = server.set(&room, &alice, key, json!({ "history_visibility": "joined" })).await.unwrap();
        let unseen = server.send(&room, &alice, "secret").await.unwrap();
        member(server, &room, (bob, bob), "join").await;
        let content = json!({ "membership": "leave" });
        let leaving = server.set(&room, bob, ("m.room.member", bob.as_str()), content).await.unwrap();
        let after = server.send(&room, &alice, "gone").await.unwrap();
        let asked = [closing, unseen, leaving, after];
        let seen = server.rooms.seen_by_server(&room, two, &asked).await.unwrap();
        let seen: Vec<bool> = asked.iter().map(|event| seen.contains(&event.number)).collect();
        assert_eq!(seen, [true, false, true, false]);
    }

    async fn a_redacted_event_keeps_its_name_and_its_signature(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let key = ("m.room.history_visibility", "");
        server.set(&room, &alice, key, json!({ "history_visibility": "joined" })).await.unwrap();
        let event = server.send(&room, &alice, "secret").await.unwrap();
        let shown = server.rooms.for_server(&room, server_name!("two.example"), std::slice::from_ref(&event)).await;
        let shown = shown.unwrap().pop().unwrap();
        assert_eq!(shown.event_id, event.pdu.event_id);
        assert!(!shown.json().contains("secret") && shown.json().contains("\"signatures\""));
        // Who is in the room gets the very text that is stored.
        let whole = server.rooms.for_server(&room, server_name!("one.example"), std::slice::from_ref(&event)).await;
        assert_eq!(whole.unwrap().pop().unwrap().json(), event.pdu.json());
    }
}
