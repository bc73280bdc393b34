use super::*;
use crate::{OutsideMembership, Standing};

on_both_databases! {
    async fn a_room_joined_elsewhere_has_its_state_and_goes_on(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        say(server, &room, &alice, "before").await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        assert_eq!(state_of(server, &room).await, state_of(&other.server, &there).await);
        assert!(room.view().members.remote_servers.contains_key(other.server.rooms.server_name()));
        assert!(there.view().members.remote_servers.contains_key(server.rooms.server_name()));

        let reply = say(&other.server, &there, &other.user, "hello").await;
        assert_eq!(take(server, &room, &reply.pdu, false).await, Outcome::Accepted);
        server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "news" })).await.unwrap();
        catch_up((server, &room), (&other.server, &there)).await;
        assert_eq!(state_of(server, &room).await, state_of(&other.server, &there).await);
        let other = other.server.restart().await;
        let there = other.rooms.room(&room.id).await.unwrap();
        assert_eq!(state_of(server, &room).await, state_of(&other, &there).await);
        assert_eq!(there.view().members.joined.len(), 2);
        other.end().await;
    }

    async fn members_that_were_left_out_of_a_join_are_laid_under_it(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let carol = server.register("carol").await;
        server.join(&room, &carol).await.unwrap();
        let other = Other::start().await;
        let there = other.join(server, &room, true).await;
        assert_eq!(there.standing(), Standing::Partial);
        assert!(!state_of(&other.server, &there).await.contains_key(&format!("m.room.member {carol}")));

        // Meanwhile people write: here, and there somebody whose membership is not told yet.
        let mine = say(&other.server, &there, &other.user, "early").await;
        let hers = say(server, &room, &carol, "who is this?").await;
        let needed: Vec<_> = hers.pdu.auth_events.iter().map(|id| &**id).collect();
        let needed = server.rooms.known_events(&needed).await.unwrap();
        let needed = needed.values().map(|event| Pdu::clone(&event.pdu)).collect();
        other.server.rooms.admit_outliers(&there, needed).await.unwrap();
        assert_eq!(take(&other.server, &there, &hers.pdu, false).await, Outcome::Accepted);
        take(server, &room, &mine.pdu, false).await;

        // A restart in between changes nothing.
        let other = Other {
            server: other.server.restart().await,
            user: other.user,
        };
        let there = other.server.rooms.room(&room.id).await.unwrap();
        assert_eq!(there.standing(), Standing::Partial);
        assert!(there.view().members.remote_servers.contains_key(server.rooms.server_name()));
        let join = other.server.rooms.partial_joins().await.unwrap().pop().unwrap();
        let join_event = other.server.rooms.event(join.join).await.unwrap();
        let resident = find(server, &join_event.pdu.event_id).await;
        let mut before = server.rooms.state(resident.snapshot).await.unwrap();
        before.remove_key(&crate::key_of("m.room.member", other.user.as_str()));
        let numbers: Vec<_> = before.events().collect();
        let told = server.rooms.events(&numbers).await.unwrap();
        let ids: Vec<_> = told.iter().map(|event| event.pdu.event_id.clone()).collect();
        let pdus = told.iter().map(|event| Pdu::clone(&event.pdu)).collect();
        other.server.rooms.admit_outliers(&there, pdus).await.unwrap();
        other.server.rooms.complete(&there, &join, &ids).await.unwrap();

        assert_eq!(there.standing(), Standing::Resident);
        assert_eq!(state_of(server, &room).await, state_of(&other.server, &there).await);
        let server_there = other.server.restart().await;
        let there = server_there.rooms.room(&room.id).await.unwrap();
        assert_eq!(there.standing(), Standing::Resident);
        assert_eq!(state_of(server, &room).await, state_of(&server_there, &there).await);
        assert_eq!(there.view().members.joined.len(), 3);
        assert_eq!(there.view().members.remote_servers.values().sum::<usize>(), 2);
        say(server, &room, &alice, "the end").await;
        server_there.end().await;
    }

    async fn an_invite_from_outside_is_known_and_nothing_more(server: &TestRooms) {
        let (_, room) = room_of(server).await;
        let dave = server.register("dave").await;
        let other = Other::start().await;
        let eve = other.server.register("eve").await;
        let elsewhere = other.server.public_room(&eve).await;
        let content = serde_json::value::to_raw_value(&json!({ "membership": "invite" })).unwrap();
        let draft = EventDraft::state(&eve, StateEventType::RoomMember, dave.as_str(), content);
        let invite = other.server.rooms.propose(&elsewhere, draft).await.unwrap();
        let outside = OutsideMembership {
            room_id: elsewhere.id.clone(),
            version: elsewhere.version.clone(),
            event: invite.clone(),
            stripped_state: Some(vec![serde_json::value::to_raw_value(&json!({ "type": "m.room.name" })).unwrap()]),
        };
        server.rooms.record_outside(outside).await.unwrap();
        let here = server.rooms.room(&elsewhere.id).await.unwrap();
        assert_eq!(here.standing(), Standing::Outside);
        assert!(!server.rooms.is_in(&here) && server.rooms.is_elsewhere(&here));
        assert_eq!(server.rooms.stripped_state_outside(&here, &dave).await.unwrap().len(), 1);
        let mine = server.rooms.rooms_of(server.number(&dave).await).await.unwrap();
        assert_eq!(mine[&here.number].membership, ruma::events::room::member::MembershipState::Invite);
        assert_eq!(find(server, &invite.event_id).await.outcome, Outcome::Outlier);
        assert!(server.rooms.is_in(&room));
        other.server.end().await;
    }
}
