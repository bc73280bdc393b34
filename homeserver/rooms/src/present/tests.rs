#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ruma::UserId;
use serde_json::{Value, json, value::to_raw_value};

use super::*;
use crate::{
    EventDraft, IgnoredUsers, Sender, Transaction,
    testing::{TestRooms, on_both_databases},
};

async fn seen(server: &TestRooms, room: &Room, reader: &Reader, event: &Event) -> Value {
    let event = server.rooms.event(event.number).await.unwrap();
    serde_json::from_str(
        server
            .rooms
            .present_one(room, &event, reader)
            .await
            .unwrap()
            .get(),
    )
    .unwrap()
}

fn relation(rel_type: &str, parent: &Event) -> Value {
    json!({ "rel_type": rel_type, "event_id": parent.pdu.event_id })
}

async fn edit(
    server: &TestRooms,
    room: &Arc<Room>,
    sender: &UserId,
    parent: &Event,
    body: &str,
) -> Arc<Event> {
    let content = json!({ "body": "*", "m.new_content": { "body": body }, "m.relates_to": relation("m.replace", parent) });
    server.say(room, sender, "m.room.message", content).await
}

async fn reply(server: &TestRooms, room: &Arc<Room>, sender: &UserId, root: &Event) -> Arc<Event> {
    server
        .say(
            room,
            sender,
            "m.room.message",
            json!({ "body": "re", "m.relates_to": relation("m.thread", root) }),
        )
        .await
}

on_both_databases! {
    async fn only_the_session_that_sent_an_event_gets_its_transaction_id(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let content = to_raw_value(&json!({ "body": "x" })).unwrap();
        let transaction = Transaction { session_number: 1, id: "a\"b".into() };
        let draft = EventDraft::message(&alice, "m.room.message".into(), content).with_transaction(Some(transaction));
        let event = server.rooms.append(&room, draft).await.unwrap();
        server.clock.advance_ms(1_500);
        let reader = server.reader(&alice).await;
        let unsigned = seen(server, &room, &reader, &event).await["unsigned"].clone();
        assert_eq!(unsigned, json!({ "age": 1_500, "membership": "join", "transaction_id": "a\"b" }));
        let elsewhere = Reader { session_number: Some(2), ..reader };
        let unsigned = seen(server, &room, &elsewhere, &event).await["unsigned"].clone();
        assert_eq!(unsigned, json!({ "age": 1_500, "membership": "join" }));
    }

    async fn state_events_tell_what_they_replace_to_who_could_see_it(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        server.set(&room, &alice, ("m.room.history_visibility", ""), json!({ "history_visibility": "joined" })).await.unwrap();
        let old = server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "old" })).await.unwrap();
        server.join(&room, &bob).await.unwrap();
        let new = server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "new" })).await.unwrap();
        let unsigned = seen(server, &room, &server.reader(&alice).await, &new).await["unsigned"].clone();
        assert_eq!(unsigned["replaces_state"], old.pdu.event_id.as_str());
        assert_eq!((&unsigned["prev_content"], &unsigned["prev_sender"]), (&json!({ "topic": "old" }), &json!(alice)));
        let unsigned = seen(server, &room, &server.reader(&bob).await, &new).await["unsigned"].clone();
        assert_eq!(unsigned["replaces_state"], old.pdu.event_id.as_str());
        assert!(unsigned.get("prev_content").is_none());
    }

    async fn the_readers_membership_is_that_at_the_event(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        let mut events = vec![server.send(&room, &alice, "1").await.unwrap()];
        server.invite(&room, &alice, &bob).await.unwrap();
        events.push(server.send(&room, &alice, "2").await.unwrap());
        server.join(&room, &bob).await.unwrap();
        events.push(server.send(&room, &alice, "3").await.unwrap());
        server.rooms.leave(&room, &bob, None).await.unwrap();
        events.push(server.send(&room, &alice, "4").await.unwrap());
        let reader = server.reader(&bob).await;
        let texts = server.rooms.present_json(&room, &events, &reader).await.unwrap();
        let memberships: Vec<Value> = texts
            .iter()
            .map(|text| serde_json::from_str::<Value>(text).unwrap()["unsigned"]["membership"].clone())
            .collect();
        assert_eq!(memberships, ["leave", "invite", "join", "leave"]);
    }

    async fn the_latest_valid_edit_comes_with_its_original(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        server.join(&room, &bob).await.unwrap();
        let original = server.send(&room, &alice, "draft").await.unwrap();
        let reader = server.reader(&bob).await;
        edit(server, &room, &bob, &original, "not mine to change").await;
        let no_content = json!({ "body": "*", "m.relates_to": relation("m.replace", &original) });
        server.say(&room, &alice, "m.room.message", no_content).await;
        assert!(seen(server, &room, &reader, &original).await["unsigned"].get("m.relations").is_none());

        let first = edit(server, &room, &alice, &original, "first").await;
        server.clock.advance_ms(1);
        let second = edit(server, &room, &alice, &original, "second").await;
        edit(server, &room, &alice, &second, "an edit of an edit").await;
        let shown = seen(server, &room, &reader, &original).await;
        assert_eq!(shown["content"]["body"], "draft");
        let replace = &shown["unsigned"]["m.relations"]["m.replace"];
        assert_eq!(replace["event_id"], second.pdu.event_id.as_str());
        assert_eq!(replace["content"]["m.new_content"]["body"], "second");

        let session = Sender { user_id: &alice, user_number: server.number(&alice).await, is_admin: false, may_moderate: true };
        let transaction = Transaction { session_number: 1, id: "r".into() };
        let empty = to_raw_value(&json!({})).unwrap();
        server.rooms.redact(&room, &session, second.pdu.event_id.clone(), empty, transaction).await.unwrap();
        let shown = seen(server, &room, &reader, &original).await;
        assert_eq!(shown["unsigned"]["m.relations"]["m.replace"]["event_id"], first.pdu.event_id.as_str());
    }

    async fn a_thread_is_summarised_at_its_root(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let carol = server.register("carol").await;
        let room = server.public_room(&alice).await;
        server.join(&room, &bob).await.unwrap();
        server.join(&room, &carol).await.unwrap();
        let root = server.send(&room, &alice, "root").await.unwrap();
        reply(server, &room, &bob, &root).await;
        let latest = reply(server, &room, &bob, &root).await;
        edit(server, &room, &bob, &latest, "better").await;
        let loud = reply(server, &room, &carol, &root).await;
        let reader = server.reader(&bob).await;
        let thread = seen(server, &room, &reader, &root).await["unsigned"]["m.relations"]["m.thread"].clone();
        assert_eq!((&thread["count"], &thread["current_user_participated"]), (&json!(3), &json!(true)));
        assert_eq!(thread["latest_event"]["event_id"], loud.pdu.event_id.as_str());

        let ignoring = Reader { ignored: IgnoredUsers::from_iter([carol.clone()]), ..server.reader(&carol).await };
        let thread = seen(server, &room, &ignoring, &root).await["unsigned"]["m.relations"]["m.thread"].clone();
        assert_eq!((&thread["count"], &thread["current_user_participated"]), (&json!(2), &json!(false)));
        assert_eq!(thread["latest_event"]["event_id"], latest.pdu.event_id.as_str());
        let inner = &thread["latest_event"]["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"];
        assert_eq!(inner["body"], "better");
        let (threads, next) = server.rooms.threads(&room, &reader, true, None, 10).await.unwrap();
        assert_eq!((threads.len(), next), (1, None));
    }

    async fn references_are_listed_and_reactions_are_not(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let event = server.send(&room, &alice, "x").await.unwrap();
        let reaction = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": event.pdu.event_id, "key": "+" } });
        server.say(&room, &alice, "m.reaction", reaction).await;
        let reader = server.reader(&alice).await;
        assert!(seen(server, &room, &reader, &event).await["unsigned"].get("m.relations").is_none());
        let reference = json!({ "m.relates_to": relation("m.reference", &event) });
        let first = server.say(&room, &alice, "org.example.a", reference.clone()).await;
        let second = server.say(&room, &alice, "org.example.b", reference).await;
        let relations = seen(server, &room, &reader, &event).await["unsigned"]["m.relations"].clone();
        let chunk = json!([{ "event_id": first.pdu.event_id }, { "event_id": second.pdu.event_id }]);
        assert_eq!(relations, json!({ "m.reference": { "chunk": chunk } }));
    }

    async fn a_redacted_event_shows_the_redaction_and_no_edit(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let event = server.send(&room, &alice, "oops").await.unwrap();
        edit(server, &room, &alice, &event, "worse").await;
        let session = Sender { user_id: &alice, user_number: server.number(&alice).await, is_admin: false, may_moderate: true };
        let transaction = Transaction { session_number: 1, id: "r".into() };
        let reason = to_raw_value(&json!({ "reason": "typo" })).unwrap();
        let redaction =
            server.rooms.redact(&room, &session, event.pdu.event_id.clone(), reason, transaction).await.unwrap();
        let shown = seen(server, &room, &server.reader(&alice).await, &event).await;
        assert_eq!(shown["content"], json!({}));
        let because = &shown["unsigned"]["redacted_because"];
        assert_eq!((&because["event_id"], &because["content"]["reason"]), (&json!(redaction), &json!("typo")));
        assert_eq!(because["redacts"], event.pdu.event_id.as_str());
        assert!(shown["unsigned"].get("m.relations").is_none());
    }
}

/// A restarted server shows the same as the one before, from the database.
async fn check_restart(server: TestRooms) {
    let alice = server.register("alice").await;
    let room = server.public_room(&alice).await;
    let root = server.send(&room, &alice, "root").await.unwrap();
    let latest = reply(&server, &room, &alice, &root).await;
    edit(&server, &room, &alice, &latest, "better").await;
    let reader = server.reader(&alice).await;
    let before = seen(&server, &room, &reader, &root).await;
    assert_eq!(before["unsigned"]["m.relations"]["m.thread"]["count"], 1);
    let server = server.restart().await;
    let reloaded = server.rooms.room(&room.id).await.unwrap();
    assert_eq!(seen(&server, &reloaded, &reader, &root).await, before);
    server.end().await;
}

#[tokio::test]
async fn a_restart_changes_nothing_on_sqlite() {
    check_restart(TestRooms::start().await).await;
}

#[tokio::test]
async fn a_restart_changes_nothing_on_postgres() {
    if let Some(server) = TestRooms::start_on_postgres().await {
        check_restart(server).await;
    }
}
