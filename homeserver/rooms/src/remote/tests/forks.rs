use echorift_storage::Position;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::*;

on_both_databases! {
    async fn topics_that_are_set_at_once_are_resolved_alike(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        raise(server, &room, &alice, &other.user, 50).await;
        catch_up((server, &room), (&other.server, &there)).await;

        server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "one" })).await.unwrap();
        other.server.set(&there, &other.user, ("m.room.topic", ""), json!({ "topic": "two" })).await.unwrap();
        let (mine, theirs) = (timeline(server, &room).await, timeline(&other.server, &there).await);
        take(server, &room, &theirs.last().unwrap().pdu, false).await;
        take(&other.server, &there, &mine.last().unwrap().pdu, false).await;
        assert_eq!(state_of(server, &room).await, state_of(&other.server, &there).await);
        let ends = server.rooms.forward_extremities(&room).await.unwrap();
        assert_eq!(ends.len(), 2);

        // The next event joins the ends.
        let next = say(server, &room, &alice, "joined").await;
        assert_eq!(next.pdu.prev_events.len(), 2);
        assert_eq!(take(&other.server, &there, &next.pdu, false).await, Outcome::Accepted);
        assert_eq!(other.server.rooms.forward_extremities(&there).await.unwrap(), std::slice::from_ref(&next.pdu.event_id));
        assert_eq!(state_of(server, &room).await, state_of(&other.server, &there).await);
        // What readers are told of the state at each place is what the room's state was there.
        let at = server.rooms.state_at(&room, Position(next.position().0 - 1)).await.unwrap();
        assert!(at.has_same_entries(&room.view().state));
        other.server.end().await;
    }

    async fn what_a_banned_user_sends_is_soft_failed_and_not_built_upon(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let ban = json!({ "membership": "ban" });
        server.set(&room, &alice, ("m.room.member", other.user.as_str()), ban).await.unwrap();
        let late = say(&other.server, &there, &other.user, "still here").await;
        assert_eq!(take(server, &room, &late.pdu, false).await, Outcome::SoftFailed);
        let shown = timeline(server, &room).await;
        assert!(shown.iter().all(|event| event.pdu.event_id != late.pdu.event_id));
        let next = say(server, &room, &alice, "gone").await;
        assert!(!next.pdu.prev_events.contains(&late.pdu.event_id));
        other.server.end().await;
    }

    async fn what_the_rules_never_allowed_is_rejected(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        let name = say(&other.server, &there, &other.user, "before").await;
        take(server, &room, &name.pdu, false).await;
        // A topic by somebody without the power: no server of ours would make it.
        let allowed = other.template(server, &room, ("m.room.message", None), json!({ "body": "x" })).await;
        let forged = Draft {
            room_id: Some(room.id.clone()),
            sender: other.user.clone(),
            event_type: "m.room.topic".into(),
            state_key: Some(String::new()),
            content: serde_json::value::to_raw_value(&json!({ "topic": "mine" })).unwrap(),
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: allowed.origin_server_ts,
            prev_events: allowed.prev_events.clone(),
            auth_events: allowed.auth_events.clone(),
            depth: allowed.depth,
        };
        let forged = seal(forged, &room.rules, &other.server.rooms.options().signing_key).unwrap();
        assert_eq!(take(server, &room, &forged, false).await, Outcome::Rejected);
        assert_eq!(server.content(&room, "m.room.topic", "").await, Value::Null);
        // What is built upon it has the state from before it.
        let upon = Draft {
            event_type: "m.room.message".into(),
            state_key: None,
            prev_events: vec![forged.event_id.clone()],
            room_id: Some(room.id.clone()),
            sender: other.user.clone(),
            content: serde_json::value::to_raw_value(&json!({ "body": "upon" })).unwrap(),
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: allowed.origin_server_ts,
            auth_events: allowed.auth_events.clone(),
            depth: allowed.depth + 1,
        };
        let upon = seal(upon, &room.rules, &other.server.rooms.options().signing_key).unwrap();
        assert_eq!(take(server, &room, &upon, false).await, Outcome::Accepted);
        let next = say(server, &room, &alice, "on").await;
        assert_eq!(next.pdu.prev_events, std::slice::from_ref(&upon.event_id));
        other.server.end().await;
    }
}

async fn raise(server: &TestRooms, room: &Arc<Room>, alice: &UserId, user: &UserId, level: i64) {
    let mut levels = server.content(room, "m.room.power_levels", "").await;
    levels["users"][user.as_str()] = json!(level);
    server
        .set(room, alice, ("m.room.power_levels", ""), levels)
        .await
        .unwrap();
}

/// Two servers act at random on what they know, hear of each other late, and agree in the end.
#[tokio::test]
async fn servers_that_hear_of_each_other_late_agree_in_the_end() {
    for seed in 0..6 {
        let mut random = StdRng::seed_from_u64(seed);
        let server = TestRooms::start().await;
        let (alice, room) = room_of(&server).await;
        let other = Other::start().await;
        let there = other.join(&server, &room, false).await;
        raise(&server, &room, &alice, &other.user, 100.min(seed as i64 * 30)).await;
        catch_up((&server, &room), (&other.server, &there)).await;
        for round in 0..12 {
            for (at, place, user) in [(&server, &room, &alice), (&other.server, &there, &other.user)] {
                for _ in 0..random.random_range(0..3) {
                    act(at, place, user, &mut random, round).await;
                }
            }
            if random.random_bool(0.4) {
                catch_up((&server, &room), (&other.server, &there)).await;
            }
            if random.random_bool(0.4) {
                catch_up((&other.server, &there), (&server, &room)).await;
            }
        }
        // Each has the last word once, so that what one of them did not build upon comes to both.
        for _ in 0..2 {
            catch_up((&server, &room), (&other.server, &there)).await;
            catch_up((&other.server, &there), (&server, &room)).await;
            say(&server, &room, &alice, "over").await;
        }
        catch_up((&server, &room), (&other.server, &there)).await;
        catch_up((&other.server, &there), (&server, &room)).await;
        let (mine, theirs) = (
            state_of(&server, &room).await,
            state_of(&other.server, &there).await,
        );
        assert_eq!(mine, theirs, "seed {seed}");
    }
}

async fn act(server: &TestRooms, room: &Arc<Room>, user: &UserId, random: &mut StdRng, round: i32) {
    let kinds = ["message", "topic", "name", "levels", "ban"];
    let result = match *kinds.choose(random).unwrap() {
        "topic" => {
            let topic = json!({ "topic": format!("{user} {round}") });
            server.set(room, user, ("m.room.topic", ""), topic).await
        }
        "name" => {
            let name = json!({ "name": format!("{user} {round}") });
            server.set(room, user, ("m.room.name", ""), name).await
        }
        "levels" => {
            let mut levels = server.content(room, "m.room.power_levels", "").await;
            levels["events"]["m.room.topic"] = json!(random.random_range(0..60));
            server.set(room, user, ("m.room.power_levels", ""), levels).await
        }
        "ban" => {
            let target = format!("@guest{round}:three.example");
            server
                .set(
                    room,
                    user,
                    ("m.room.member", &target),
                    json!({ "membership": "ban" }),
                )
                .await
        }
        _ => server.send(room, user, "hello").await,
    };
    // What somebody may not do is not done.
    drop(result);
}
