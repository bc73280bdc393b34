#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::testing::{TestRooms, on_both_databases};

async fn read(
    server: &TestRooms,
    room: &Arc<Room>,
    user: &UserId,
    event: &Event,
    thread: ReceiptThread,
) -> Result<(), RoomError> {
    let read = ReadUpTo {
        kind: ReceiptKind::Public,
        thread,
        event_id: event.pdu.event_id.clone(),
    };
    server
        .rooms
        .receive_receipts(room, (server.number(user).await, user), vec![read])
        .await
}

on_both_databases! {
    async fn receipts_go_forwards_only_and_belong_to_their_thread(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let first = server.send(&room, &alice, "1").await.unwrap();
        let reply = json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": first.pdu.event_id } });
        let reply = server.say(&room, &alice, "m.room.message", reply).await;
        let reaction = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": reply.pdu.event_id, "key": "+" } });
        let reaction = server.say(&room, &alice, "m.reaction", reaction).await;
        let last = server.send(&room, &alice, "2").await.unwrap();
        let user = server.number(&alice).await;

        read(server, &room, &alice, &last, ReceiptThread::Unthreaded).await.unwrap();
        read(server, &room, &alice, &first, ReceiptThread::Unthreaded).await.unwrap();
        assert_eq!(room.receipts().read_up_to(user, None), last.position());

        let thread = ReceiptThread::Thread(first.pdu.event_id.clone());
        read(server, &room, &alice, &reaction, thread.clone()).await.unwrap();
        let key = ReceiptKey { user, kind: ReceiptKind::Public, thread: first.pdu.event_id.as_str().into() };
        assert_eq!(room.receipts().all().get(&key).unwrap().event_id, reaction.pdu.event_id);
        for (event, thread) in [(&reply, ReceiptThread::Main), (&last, thread)] {
            assert!(matches!(read(server, &room, &alice, event, thread).await, Err(RoomError::BadRequest(_))));
        }
    }

    async fn the_fully_read_marker_goes_forwards_only_and_needs_an_event_of_the_room(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        let other = server.public_room(&alice).await;
        let first = server.send(&room, &alice, "1").await.unwrap();
        let second = server.send(&room, &alice, "2").await.unwrap();
        let elsewhere = server.send(&other, &alice, "3").await.unwrap();
        let user = server.number(&alice).await;
        let mark = async |event: &Event| {
            server.rooms.mark_fully_read(&server.accounts, &room, (user, &alice), &event.pdu.event_id).await
        };
        mark(&second).await.unwrap();
        mark(&first).await.unwrap();
        assert!(matches!(mark(&elsewhere).await, Err(RoomError::UnknownEvent(_))));
        let data = server.accounts.room_account_data(user).await.unwrap();
        let marked: FullyRead =
            serde_json::from_str(data.get(&room.number).unwrap().get("m.fully_read").unwrap().content.get()).unwrap();
        assert_eq!(marked.event_id, second.pdu.event_id);
        assert!(matches!(read(server, &room, &bob, &first, ReceiptThread::Unthreaded).await, Err(RoomError::NotJoined { .. })));
    }
}
