#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::testing::{TestRooms, on_both_databases};

async fn sender<'a>(server: &TestRooms, user: &'a UserId) -> Sender<'a> {
    Sender {
        user_id: user,
        user_number: server.number(user).await,
        is_admin: false,
        may_moderate: true,
    }
}

fn transaction(id: &str) -> Transaction {
    Transaction {
        session_number: 1,
        id: id.into(),
    }
}

async fn send(
    server: &TestRooms,
    room: &Arc<Room>,
    user: &UserId,
    event_type: &str,
    content: Value,
    id: &str,
) -> Result<OwnedEventId, RoomError> {
    let content = to_raw_value(&content).unwrap();
    server
        .rooms
        .send(
            room,
            &sender(server, user).await,
            EventDraft::message(user, event_type.into(), content),
            transaction(id),
        )
        .await
}

on_both_databases! {
    async fn a_transaction_takes_effect_once_also_for_reactions(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let event = server.send(&room, &alice, "x").await.unwrap();
        let reaction = |key: &str| {
            json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": event.pdu.event_id, "key": key } })
        };
        let first = send(server, &room, &alice, "m.reaction", reaction("+"), "1").await.unwrap();
        assert_eq!(send(server, &room, &alice, "m.reaction", reaction("+"), "1").await.unwrap(), first);
        let double = send(server, &room, &alice, "m.reaction", reaction("+"), "2").await;
        assert!(matches!(double, Err(RoomError::DuplicateAnnotation(_))));
        send(server, &room, &alice, "m.reaction", reaction("-"), "3").await.unwrap();
    }

    async fn a_thread_starts_only_from_what_relates_to_nothing(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let root = server.send(&room, &alice, "x").await.unwrap().pdu.event_id.clone();
        let reply = |parent: &EventId| json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": parent } });
        let child = send(server, &room, &alice, "m.room.message", reply(&root), "1").await.unwrap();
        let nested = send(server, &room, &alice, "m.room.message", reply(&child), "2").await;
        assert!(matches!(nested, Err(RoomError::NoThreadRoot(_))));
    }

    async fn members_redact_their_own_events_and_moderators_everyones(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        for version in ["10", "11", "12"] {
            let request = json!({ "preset": "public_chat", "room_version": version });
            let room = server.create(&alice, request).await.unwrap();
            server.join(&room, &bob).await.unwrap();
            let hers = server.send(&room, &alice, "a").await.unwrap();
            let his = server.send(&room, &bob, "b").await.unwrap();
            let also_his = server.send(&room, &bob, "c").await.unwrap();
            let redact = |target: &Event| json!({ "redacts": target.pdu.event_id, "reason": "r" });
            let id = |name: &str| format!("{version}{name}");
            let forbidden = send(server, &room, &bob, "m.room.redaction", redact(&hers), &id("1")).await;
            assert!(matches!(forbidden, Err(RoomError::Forbidden(_))), "{version}");
            let own = send(server, &room, &bob, "m.room.redaction", redact(&his), &id("2")).await.unwrap();
            send(server, &room, &alice, "m.room.redaction", redact(&also_his), &id("3")).await.unwrap();
            let redaction = server.rooms.event_by_id(&room, &own).await.unwrap();
            let content: Value = redaction.pdu.content_as().unwrap();
            assert_eq!(content.get("redacts").is_some(), version != "10", "{version}");
            assert_eq!(redaction.pdu.redacts.as_ref(), Some(&his.pdu.event_id));
            for target in [his, also_his] {
                let target = server.rooms.event(target.number).await.unwrap();
                assert_eq!(target.pdu.content.get(), "{}", "{version}");
            }
        }
    }

    async fn children_are_found_by_type_and_in_depth(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let root = server.send(&room, &alice, "x").await.unwrap();
        let relates = |rel_type: &str, parent: &Event| {
            json!({ "m.relates_to": { "rel_type": rel_type, "event_id": parent.pdu.event_id, "key": "+" } })
        };
        let reply = server.say(&room, &alice, "m.room.message", relates("m.thread", &root)).await;
        let reaction = server.say(&room, &alice, "m.reaction", relates("m.annotation", &root)).await;
        let deep = server.say(&room, &alice, "m.reaction", relates("m.annotation", &reply)).await;
        let reader = server.reader(&alice).await;
        let all = crate::ChildrenRequest {
            parent: &root.pdu.event_id,
            rel_type: None,
            event_type: None,
            from: None,
            to: None,
            order: crate::Order::NewestFirst,
            limit: 10,
            recurse: false,
        };
        let children = async |request| server.rooms.children(&room, &reader, request).await.unwrap();
        let numbers = |page: &crate::ChildrenPage| page.events.iter().map(|event| event.number).collect::<Vec<_>>();
        let page = children(crate::ChildrenRequest { ..all }).await;
        assert_eq!((numbers(&page), page.depth), (vec![reaction.number, reply.number], None));
        let page = children(crate::ChildrenRequest { rel_type: Some("m.thread"), ..all }).await;
        assert_eq!(numbers(&page), [reply.number]);
        let both = crate::ChildrenRequest { rel_type: Some("m.annotation"), event_type: Some("m.reaction"), ..all };
        let page = children(crate::ChildrenRequest { recurse: true, ..both }).await;
        assert_eq!((numbers(&page), page.depth), (vec![deep.number, reaction.number], Some(2)));
        let page = children(crate::ChildrenRequest { recurse: true, limit: 2, ..all }).await;
        assert_eq!(numbers(&page), [deep.number, reaction.number]);
        let page = children(crate::ChildrenRequest { recurse: true, limit: 2, from: page.next, ..all }).await;
        assert_eq!((numbers(&page), page.next), (vec![reply.number], None));
    }
}
