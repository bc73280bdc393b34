use echorift_storage::{Position, Timestamp};
use ruma::events::sticky::StickyDurationMs;

use super::*;

const HOUR_MS: u32 = 3_600_000;

/// Sends an event that sticks.
async fn stick(
    server: &TestRooms,
    room: &Arc<Room>,
    user: &UserId,
    body: &str,
    duration_ms: u32,
) -> Arc<Event> {
    let content = serde_json::value::to_raw_value(&json!({ "body": body })).unwrap();
    let draft = EventDraft::message(user, "m.rtc.member".into(), content);
    let duration_ms = Some(StickyDurationMs::new_clamped(duration_ms));
    server
        .rooms
        .append(room, draft.sticking_for(duration_ms))
        .await
        .unwrap()
}

/// The events of which readers hear that they stick, in their order.
async fn sticky(server: &TestRooms, room: &Room) -> Vec<String> {
    let told = room.sticky_events(server.clock.now());
    assert!(told.is_sorted_by_key(|sticky| sticky.position));
    let numbers: Vec<_> = told.iter().map(|sticky| sticky.event).collect();
    let events = server.rooms.events(&numbers).await.unwrap();
    let body = |event: &Arc<Event>| {
        event.pdu.content_as::<Value>().unwrap()["body"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    events.iter().map(body).collect()
}

async fn set_membership(server: &TestRooms, room: &Arc<Room>, by: &UserId, user: &UserId, membership: &str) {
    let key = ("m.room.member", user.as_str());
    server
        .set(room, by, key, json!({ "membership": membership }))
        .await
        .unwrap();
}

on_both_databases! {
    async fn an_event_sticks_for_so_long_and_is_then_removed(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        stick(server, &room, &alice, "brief", 1_000).await;
        stick(server, &room, &alice, "lasting", HOUR_MS).await;
        stick(server, &room, &alice, "never", 0).await;
        assert_eq!(sticky(server, &room).await, ["brief", "lasting"]);
        let number = server.number(&alice).await;
        assert_eq!(server.rooms.rooms_with_sticky_events(number).await.unwrap(), [room.number]);
        server.clock.advance_ms(1_000);
        assert_eq!(sticky(server, &room).await, ["lasting"]);
        // What has ended is removed, and the rest stays.
        server.rooms.remove_ended_stickiness().await.unwrap();
        assert_eq!(sticky(server, &room).await, ["lasting"]);
        let stored = crate::store::sticky::of_rooms(server.rooms.database(), &[room.number], Timestamp(1)).await.unwrap();
        assert_eq!(stored.len(), 1);
        server.clock.advance_ms(i64::from(HOUR_MS));
        server.rooms.remove_ended_stickiness().await.unwrap();
        assert!(!room.has_sticky_events());
        assert!(server.rooms.rooms_with_sticky_events(number).await.unwrap().is_empty());
    }

    async fn a_time_in_the_future_makes_nothing_stick_for_longer(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let now = server.clock.now();
        for (offset_ms, sticks_for_ms) in [(i64::from(HOUR_MS) * 24, Some(60_000)), (-59_999, Some(1)), (-60_000, None)] {
            let content = serde_json::value::to_raw_value(&json!({ "body": "x" })).unwrap();
            let mut draft = EventDraft::message(&alice, "m.rtc.member".into(), content);
            draft.origin_server_ts = Some(now.plus_ms(offset_ms));
            draft.sticky_duration_ms = Some(StickyDurationMs::new_clamped(60_000_u32));
            let event = server.rooms.append(&room, draft).await.unwrap();
            assert_eq!(server.rooms.sticky_ttl_ms(&event, now), sticks_for_ms);
        }
    }

    async fn a_soft_failed_event_is_told_when_its_sender_is_back(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let bob = &other.user;
        set_membership(server, &room, &alice, bob, "ban").await;
        let late = stick(&other.server, &there, bob, "still here", HOUR_MS).await;
        let brief = stick(&other.server, &there, bob, "brief", 1_000).await;
        for event in [&late, &brief] {
            assert_eq!(take(server, &room, &event.pdu, false).await, Outcome::SoftFailed);
        }
        // No other change of the state lets them in.
        server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "x" })).await.unwrap();
        set_membership(server, &room, &alice, bob, "leave").await;
        assert!(sticky(server, &room).await.is_empty());
        server.clock.advance_ms(1_000);
        let before = room.view().position;
        let rejoin = other.template(server, &room, ("m.room.member", Some(bob.as_str())), json!({ "membership": "join" })).await;
        let ends = vec![rejoin.event_id.clone()];
        assert_eq!(take(server, &room, &rejoin, false).await, Outcome::Accepted);
        assert_eq!(sticky(server, &room).await, ["still here"], "the brief one has expired");
        let told = find(server, &late.pdu.event_id).await;
        assert_eq!(told.outcome, Outcome::Accepted);
        assert!(told.position() > before, "it is part of the timeline from now on");
        assert_eq!(server.rooms.forward_extremities(&room).await.unwrap(), ends, "and no end of the history");
        assert_eq!(find(server, &brief.pdu.event_id).await.outcome, Outcome::SoftFailed);
        let next = say(server, &room, &alice, "welcome back").await;
        assert_eq!(next.pdu.prev_events, ends);
        other.server.end().await;
    }

    async fn what_is_let_in_ahead_of_the_commits_is_told_once(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let bob = &other.user;
        set_membership(server, &room, &alice, bob, "ban").await;
        let late = stick(&other.server, &there, bob, "still here", HOUR_MS).await;
        take(server, &room, &late.pdu, false).await;
        set_membership(server, &room, &alice, bob, "leave").await;
        // Two joins, one upon the other, of which none waits for the other's commit.
        let mut commits = Vec::new();
        for name in ["Bob", "Bobby"] {
            let content = json!({ "membership": "join", "displayname": name });
            let join = other.template(server, &room, ("m.room.member", Some(bob.as_str())), content).await;
            match server.rooms.receive(&room, Received::foreign(join), |_| {}).await.unwrap() {
                Reception::Taken(_, commit) => commits.push(commit),
                _ => panic!("it is new, and lacks nothing"),
            }
        }
        for commit in commits {
            commit.done().await.unwrap();
        }
        assert_eq!(sticky(server, &room).await, ["still here"]);
        let shown = timeline(server, &room).await;
        let is_it = |event: &&Arc<Event>| event.pdu.event_id == late.pdu.event_id;
        assert_eq!(shown.iter().filter(is_it).count(), 1);
        other.server.end().await;
    }

    async fn a_withheld_event_is_stored_and_a_redaction_ends_it(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let bob = &other.user;
        for (index, name) in ["kept", "redacted"].into_iter().enumerate() {
            let key = ("m.room.name", "");
            server.set(&room, &alice, key, json!({ "name": format!("{index}") })).await.unwrap();
            catch_up((server, &room), (&other.server, &there)).await;
            stick(&other.server, &there, bob, name, HOUR_MS).await;
        }
        set_membership(server, &room, &alice, bob, "ban").await;
        let events = timeline(&other.server, &there).await;
        for event in events.iter().filter(|event| is_from(event, other.server.rooms.server_name())) {
            take(server, &room, &event.pdu, false).await;
        }
        let redacted = events.iter().find(|event| event.pdu.content.get().contains("redacted")).unwrap();
        let mut redaction = EventDraft::message(&alice, "m.room.redaction".into(),
            serde_json::value::to_raw_value(&json!({ "redacts": redacted.pdu.event_id })).unwrap());
        redaction.redacts = Some(redacted.pdu.event_id.clone());
        server.rooms.append(&room, redaction).await.unwrap();
        assert_eq!(room.sticky.withheld(server.clock.now()).len(), 1);
        let rows = crate::store::sticky::of_rooms(server.rooms.database(), &[room.number], server.clock.now()).await.unwrap();
        assert!(matches!(rows.as_slice(), [(_, _, None)]), "{rows:?}");
        set_membership(server, &room, &alice, bob, "leave").await;
        let rejoin = other.template(server, &room, ("m.room.member", Some(bob.as_str())), json!({ "membership": "join" })).await;
        take(server, &room, &rejoin, false).await;
        assert_eq!(sticky(server, &room).await, ["kept"]);
        other.server.end().await;
    }

    async fn what_a_policy_server_does_not_recommend_does_not_stick(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let event = stick(&other.server, &there, &other.user, "spam", HOUR_MS).await;
        let received = Received { is_refused: true, ..Received::foreign(Pdu::clone(&event.pdu)) };
        let Reception::Taken(taken, commit) = server.rooms.receive(&room, received, |_| {}).await.unwrap() else {
            panic!("it is known")
        };
        commit.done().await.unwrap();
        assert_eq!(taken.outcome, Outcome::SoftFailed);
        for membership in ["ban", "leave"] {
            set_membership(server, &room, &alice, &other.user, membership).await;
        }
        assert!(room.sticky.withheld(server.clock.now()).is_empty() && !room.has_sticky_events());
        other.server.end().await;
    }

    async fn what_stuck_before_a_server_came_is_told_without_a_place_in_the_timeline(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let early = stick(server, &room, &alice, "early", HOUR_MS).await;
        for body in ["a", "b", "c"] {
            say(server, &room, &alice, body).await;
        }
        for is_partial in [false, true] {
            let other = Other::start().await;
            let there = other.join(server, &room, is_partial).await;
            let (length, ends) = (timeline(&other.server, &there).await.len(), other.server.rooms.forward_extremities(&there).await.unwrap());
            let before = other.server.rooms.database().log().visible();
            let reception = other.server.rooms.receive_sticky(&there, Pdu::clone(&early.pdu), |_| {}).await.unwrap();
            let Reception::Taken(_, commit) = reception else { panic!("it is new") };
            commit.done().await.unwrap();
            assert_eq!(sticky(&other.server, &there).await, ["early"]);
            let told = there.sticky_events(other.server.clock.now());
            assert!(told[0].position > before && told[0].position <= other.server.rooms.database().log().visible());
            assert_eq!(timeline(&other.server, &there).await.len(), length);
            assert_eq!(other.server.rooms.forward_extremities(&there).await.unwrap(), ends);
            assert_eq!(find(&other.server, &early.pdu.event_id).await.position(), Position(0));
            let reader = other.server.reader(&other.user).await;
            let shown = other.server.rooms.present(&there, &[find(&other.server, &early.pdu.event_id).await], &reader).await.unwrap();
            assert!(shown[0].get().contains("msc4354_sticky_duration_ttl_ms"), "{}", shown[0]);
            if !is_partial {
                // A redaction ends it, though the event is no part of the history yet.
                let mut redaction = EventDraft::message(&alice, "m.room.redaction".into(),
                    serde_json::value::to_raw_value(&json!({ "redacts": early.pdu.event_id })).unwrap());
                redaction.redacts = Some(early.pdu.event_id.clone());
                let redaction = server.rooms.propose(&room, redaction).await.unwrap();
                assert_eq!(take(&other.server, &there, &redaction, false).await, Outcome::Accepted);
                assert!(sticky(&other.server, &there).await.is_empty());
            }
            other.server.end().await;
            // The next one meets a room without the first.
            set_membership(server, &room, &alice, user_of_other(), "leave").await;
        }
    }

    async fn history_that_still_sticks_is_told_when_it_comes(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let early = stick(server, &room, &alice, "early", HOUR_MS).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let pdus = vec![Pdu::clone(&early.pdu)];
        let id = early.pdu.event_id.clone();
        assert_eq!(other.server.rooms.in_need_of_state(&pdus).await.unwrap(), std::slice::from_ref(&id));
        let state = server.rooms.state(early.snapshot).await.unwrap();
        let numbers: Vec<_> = state.events().collect();
        let ids: Vec<_> = server.rooms.events(&numbers).await.unwrap().iter().map(|event| event.pdu.event_id.clone()).collect();
        let told = other.server.rooms.told_state(&there, &ids).await.unwrap();
        let count = other.server.rooms.prepend(&there, HistoryPart::Beginning, pdus, HashMap::from([(id, told)])).await.unwrap();
        assert_eq!(count, 1);
        assert_eq!(sticky(&other.server, &there).await, ["early"]);
        let told = there.sticky_events(other.server.clock.now());
        assert!(told[0].position > Position(0), "readers hear of it now");
        assert!(find(&other.server, &early.pdu.event_id).await.position() < Position(0));
        // Given once more by its own server, it is nothing new.
        let again = other.server.rooms.receive_sticky(&there, Pdu::clone(&early.pdu), |_| {}).await.unwrap();
        assert!(matches!(again, Reception::Known(_)));
        other.server.end().await;
    }
}

fn user_of_other() -> &'static UserId {
    ruma::user_id!("@bob:two.example")
}
