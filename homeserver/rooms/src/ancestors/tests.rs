#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ruma::{UserId, event_id, server_name};
use serde_json::json;

use super::*;
use crate::testing::{TestRooms, on_both_databases};

/// A room with so many messages in it, and their events.
async fn talk(server: &TestRooms, alice: &UserId, count: usize) -> (Arc<Room>, Vec<Arc<Event>>) {
    let room = server.public_room(alice).await;
    let mut events = Vec::new();
    for number in 0..count {
        server.clock.advance_ms(1_000);
        events.push(server.send(&room, alice, &number.to_string()).await.unwrap());
    }
    (room, events)
}

fn ids(events: &[Arc<Event>]) -> Vec<OwnedEventId> {
    events.iter().map(|event| event.pdu.event_id.clone()).collect()
}

on_both_databases! {
    async fn backfill_goes_back_from_the_given_events_and_has_them(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (room, events) = talk(server, &alice, 8).await;
        let before = server.rooms.events_before(&room, &ids(&events[4..6]), 4).await.unwrap();
        assert_eq!(ids(&before), [5, 4, 3, 2].map(|at| events[at].pdu.event_id.clone()));
        // To the beginning, and no further.
        let all = server.rooms.events_before(&room, &ids(&events[7..]), 100).await.unwrap();
        assert!(all.last().unwrap().pdu.prev_events.is_empty());
        let depths: Vec<u64> = all.iter().map(|event| event.pdu.depth).collect();
        assert!(depths.is_sorted_by(|one, next| one > next), "{depths:?}");

        let (other, _) = talk(server, &alice, 1).await;
        let foreign = server.rooms.events_before(&other, &ids(&events), 10).await.unwrap();
        assert!(foreign.is_empty(), "events of another room lead nowhere");
        let unknown = [event_id!("$nothing").to_owned()];
        assert!(server.rooms.events_before(&room, &unknown, 10).await.unwrap().is_empty());
    }

    async fn missing_events_lie_between_and_come_oldest_first(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (room, events) = talk(server, &alice, 8).await;
        let (latest, earliest) = (ids(&events[6..7]), ids(&events[1..2]));
        let wanted = MissingEvents { latest: &latest, earliest: &earliest, min_depth: 0, limit: 10 };
        let missing = server.rooms.missing_events(&room, wanted).await.unwrap();
        assert_eq!(ids(&missing), ids(&events[2..6]));
        // Cut at the far end: what is next to the latest is needed first.
        let few = server.rooms.missing_events(&room, MissingEvents { limit: 2, ..wanted }).await.unwrap();
        assert_eq!(ids(&few), ids(&events[4..6]));
        let min_depth = events[4].pdu.depth;
        let deep = server.rooms.missing_events(&room, MissingEvents { min_depth, ..wanted }).await.unwrap();
        assert_eq!(ids(&deep), ids(&events[4..6]));
        let known = ids(&events[5..6]);
        let nothing = server.rooms.missing_events(&room, MissingEvents { earliest: &known, ..wanted }).await.unwrap();
        assert!(nothing.is_empty());
    }

    async fn the_state_before_an_event_lacks_what_the_event_set(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (room, events) = talk(server, &alice, 1).await;
        let set = async |topic: &str| {
            server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": topic })).await.unwrap()
        };
        let (first, second) = (set("first").await, set("second").await);
        let topic = async |event: &Event| {
            server.rooms.state_before_event(&room, event).await.unwrap().get("m.room.topic", "")
        };
        assert_eq!(topic(&events[0]).await, None);
        assert_eq!(topic(&first).await, None);
        assert_eq!(topic(&second).await, Some(first.number));
        let later = server.send(&room, &alice, "later").await.unwrap();
        assert_eq!(topic(&later).await, Some(second.number));
        let create = server.rooms.state_event(&room.view().state, "m.room.create", "").await.unwrap().unwrap();
        assert!(server.rooms.state_before_event(&room, &create).await.unwrap().is_empty());
    }

    async fn a_moment_is_answered_within_what_the_server_may_see(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (room, events) = talk(server, &alice, 3).await;
        let two = server_name!("two.example");
        let at = Timestamp(events[1].pdu.origin_server_ts.get().into());
        let closest = async |ts, order| server.rooms.closest_event_for_server(&room, two, ts, order).await;
        let found = closest(at.plus_ms(1), Order::NewestFirst).await.unwrap();
        assert_eq!(found.number, events[1].number);
        let found = closest(at.plus_ms(1), Order::OldestFirst).await.unwrap();
        assert_eq!(found.number, events[2].number);
        assert!(matches!(closest(at.plus_ms(1_000_000), Order::OldestFirst).await, Err(RoomError::NotFound(_))));

        let key = ("m.room.history_visibility", "");
        server.clock.advance_ms(1_000);
        server.set(&room, &alice, key, json!({ "history_visibility": "joined" })).await.unwrap();
        server.clock.advance_ms(1_000);
        let secret = server.send(&room, &alice, "secret").await.unwrap();
        let found = closest(Timestamp(i64::MAX / 2), Order::NewestFirst).await.unwrap();
        assert!(found.number != secret.number && found.pdu.is_state());
    }
}
