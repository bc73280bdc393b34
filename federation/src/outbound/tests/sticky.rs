//! Sticky events (MSC4354), which reach everybody who is in the room.

use std::sync::atomic::Ordering;

use echorift_rooms::{EventDraft, Room};
use echorift_storage::Timestamp;
use ruma::{UserId, events::sticky::StickyDurationMs, server_name, user_id};

use crate::outbound::{
    DestinationState, cursors,
    testing::{Manner, TestSender, message, on_both_databases, until},
};

const HOUR_MS: u32 = 3_600_000;

fn sticking(sender: &UserId, body: &str, duration_ms: u32) -> EventDraft {
    message(sender, body).sticking_for(Some(StickyDurationMs::new_clamped(duration_ms)))
}

async fn stick(server: &TestSender, room: &std::sync::Arc<Room>, sender: &UserId, body: &str) {
    server
        .rooms
        .append(room, sticking(sender, body, HOUR_MS))
        .await
        .unwrap();
}

on_both_databases! {
    async fn a_server_that_comes_in_gets_what_sticks_and_nothing_else_of_before(server: &TestSender) {
        let alice = server.register("alice").await;
        let (room, other) = (server.public_room(&alice).await, server.public_room(&alice).await);
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        let expired = sticking(&alice, "expired", 0);
        server.rooms.append(&room, expired).await.unwrap();
        stick(server, &room, &alice, "one").await;
        server.send(&room, &alice, "plain").await;
        stick(server, &other, &alice, "of another room").await;
        stick(server, &room, &alice, "two").await;
        server.join(&room, user_id!("@carol:three.example")).await;
        server.settled(three).await;
        assert_eq!(server.network.messages(three), ["one", "two"]);
        server.join(&room, user_id!("@bob:two.example")).await;
        server.send(&room, &alice, "live").await;
        server.settled(two).await;
        server.settled(three).await;
        assert_eq!(server.network.messages(two), ["one", "two", "live"]);
        assert_eq!(server.network.messages(three), ["one", "two", "join @bob:two.example", "live"]);
        // One more of the same server brings nothing, nor does a change of name.
        server.join(&room, user_id!("@dave:two.example")).await;
        server.send(&room, &alice, "later").await;
        server.settled(two).await;
        assert_eq!(server.network.messages(two), ["one", "two", "live", "later"]);
        until(|| server.outbound.destinations().iter().all(|status| status.state == DestinationState::Live)).await;
        // Who left and comes back was not there meanwhile.
        server.member(&room, &alice, user_id!("@carol:three.example"), "leave").await;
        server.settled(three).await;
        let before = server.network.messages(three).len();
        stick(server, &room, &alice, "three").await;
        server.join(&room, user_id!("@carol:three.example")).await;
        server.settled(three).await;
        assert_eq!(server.network.messages(three)[before..], ["one", "two", "three"]);
    }

    async fn a_server_that_comes_in_while_it_is_away_gets_what_sticks_when_it_is_back(server: &TestSender) {
        let alice = server.register("alice").await;
        let (room, known) = (server.public_room(&alice).await, server.public_room(&alice).await);
        let two = server_name!("two.example");
        let bob = user_id!("@bob:two.example");
        server.join(&known, bob).await;
        stick(server, &room, &alice, "early").await;
        server.network.set(two, Manner::Away);
        server.send(&known, &alice, "missed").await;
        stick(server, &room, &alice, "meanwhile").await;
        server.join(&room, bob).await;
        until(|| server.outbound.destinations().iter().any(|status| status.state == DestinationState::BackingOff)).await;
        server.send(&room, &alice, "after the join").await;
        server.network.set(two, Manner::Takes);
        server.settled(two).await;
        let messages = server.network.messages(two);
        let mut sorted = messages.clone();
        sorted.sort();
        assert_eq!(sorted, ["after the join", "early", "meanwhile", "missed"], "each once: {messages:?}");
    }

    async fn what_a_server_that_came_in_is_owed_outlasts_a_kill(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        stick(server, &room, &alice, "one").await;
        cursors::flush(&server.outbound).await.unwrap();
        server.network.set(two, Manner::Away);
        server.join(&room, user_id!("@bob:two.example")).await;
        until(|| server.network.attempts() > 0).await;
        let restarted = server.restart(false, None).await;
        let network = &restarted.network;
        network.forget_under_way();
        network.set(two, Manner::Takes);
        until(|| !network.messages(two).is_empty()).await;
        restarted.settled(two).await;
        assert_eq!(network.messages(two), ["one"]);
        restarted.outbound.stop().await.unwrap();
    }

    async fn who_was_away_for_long_gets_all_that_still_sticks(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Away);
        // Not asked again before all is there: what is the latest of a room is looked up then.
        server.network.back_off_ms.store(3_600_000, Ordering::SeqCst);
        let mut old = message(&alice, "old");
        old.origin_server_ts = Some(Timestamp(1_000));
        server.rooms.append(&room, old).await.unwrap();
        until(|| server.outbound.destinations().iter().any(|status| status.state == DestinationState::BackingOff)).await;
        let mut bodies: Vec<String> = (0..120).map(|number| number.to_string()).collect();
        let drafts = bodies.iter().map(|body| sticking(&alice, body, HOUR_MS)).collect();
        server.rooms.append_all(&room, drafts).await.unwrap();
        server.rooms.append(&room, sticking(&alice, "expired", 0)).await.unwrap();
        server.send_all(&room, &alice, &["left out".to_owned(), "latest".to_owned()]).await;
        server.network.hear_of(two);
        server.settled(two).await;
        bodies.push("latest".to_owned());
        assert_eq!(server.network.messages(two), bodies);
        assert!(server.network.received_by(two).iter().all(|received| received.body["pdus"].as_array().unwrap().len() <= 50));
    }
}
