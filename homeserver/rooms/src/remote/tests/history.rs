use super::*;

on_both_databases! {
    async fn history_is_put_before_the_timeline_in_its_order(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let mut said = Vec::new();
        for index in 0..20 {
            said.push(say(server, &room, &alice, &format!("message {index}")).await);
        }
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        assert!(other.server.rooms.lacks_history(&there).await.unwrap());
        let ends = other.server.rooms.history_ends(&there, HistoryPart::Beginning).await.unwrap();
        assert_eq!(ends, [said.last().unwrap().pdu.event_id.clone()]);

        // In two steps, as a reader scrolls back.
        for step in said.chunks(10).rev() {
            let (told, count) = prepend(server, (&other.server, &there), HistoryPart::Beginning, step).await;
            assert_eq!((told, count), (1, 10));
        }
        let theirs: Vec<_> = timeline(&other.server, &there).await.iter().map(|event| event.pdu.event_id.clone()).collect();
        let mine: Vec<_> = timeline(server, &room).await.iter().map(|event| event.pdu.event_id.clone()).collect();
        assert!(mine.ends_with(&theirs), "{mine:?} {theirs:?}");
        assert_eq!(theirs.len(), 21);
        let other = other.server.restart().await;
        let there = other.rooms.room(&room.id).await.unwrap();
        assert_eq!(timeline(&other, &there).await.len(), 21);
        other.end().await;
    }

    async fn a_redaction_that_comes_first_waits_for_its_target(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let fork = say(server, &room, &alice, "base").await;
        take(&other.server, &there, &fork.pdu, false).await;
        let target = say(server, &room, &alice, "secret").await;
        let redaction = EventDraft {
            redacts: Some(target.pdu.event_id.clone()),
            ..EventDraft::message(
                &alice,
                "m.room.redaction".into(),
                serde_json::value::to_raw_value(&json!({ "redacts": target.pdu.event_id })).unwrap(),
            )
        };
        let redaction = server.rooms.append(&room, redaction).await.unwrap();
        // It is built upon the target: made as if it were upon what was before, it can come first.
        let moved = Draft {
            room_id: Some(room.id.clone()),
            sender: alice.clone(),
            event_type: "m.room.redaction".into(),
            state_key: None,
            content: redaction.pdu.content.clone(),
            redacts: Some(target.pdu.event_id.clone()),
            sticky_duration_ms: None,
            origin_server_ts: redaction.pdu.origin_server_ts,
            prev_events: vec![fork.pdu.event_id.clone()],
            auth_events: redaction.pdu.auth_events.clone(),
            depth: redaction.pdu.depth,
        };
        let moved = seal(moved, &room.rules, &server.rooms.options().signing_key).unwrap();
        assert_eq!(take(&other.server, &there, &moved, false).await, Outcome::Accepted);
        assert_eq!(take(&other.server, &there, &target.pdu, false).await, Outcome::Accepted);
        let seen = find(&other.server, &target.pdu.event_id).await;
        assert_eq!(seen.pdu.content.get(), "{}");
        let other = other.server.restart().await;
        let seen = find(&other, &target.pdu.event_id).await;
        assert_eq!(seen.pdu.content.get(), "{}");
        other.end().await;
    }

    async fn what_an_event_lacks_is_named(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let lost = say(server, &room, &alice, "lost").await;
        let next = say(server, &room, &alice, "next").await;
        let reception = other.server.rooms.receive(&there, super::super::Received::foreign(Pdu::clone(&next.pdu)), |_| {}).await.unwrap();
        let Reception::Missing(missing) = reception else { panic!("nothing is missing") };
        assert_eq!(missing.prev_events, std::slice::from_ref(&lost.pdu.event_id));
        assert!(missing.auth_events.is_empty());
        assert!(is_from(&lost, server.rooms.server_name()));
        other.server.end().await;
    }
}
