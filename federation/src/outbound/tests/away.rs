//! Destinations that are away, and a server that is.

use std::{sync::atomic::Ordering, time::Duration};

use echorift_storage::{Position, Timestamp};
use ruma::{server_name, user_id};

use crate::outbound::{
    DestinationState, cursors, store,
    testing::{Manner, TestSender, message, on_both_databases, until},
};

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

on_both_databases! {
    async fn nothing_is_lost_over_an_outage(server: &TestSender) {
        let alice = server.register("alice").await;
        let (room, other) = (server.public_room(&alice).await, server.public_room(&alice).await);
        let two = server_name!("two.example");
        let bob = user_id!("@bob:two.example");
        server.join(&room, bob).await;
        server.send_all(&room, &alice, &numbers(0..10)).await;
        server.settled(two).await;
        server.network.set(two, Manner::Away);
        server.send_all(&room, &alice, &numbers(10..100)).await;
        server.send(&other, &alice, "of a room without them").await;
        until(|| server.network.attempts() > 3).await;
        let status = server.outbound.destinations();
        assert_eq!((status.len(), status[0].queued), (1, 0), "nothing is held for who is away");
        for part in numbers(100..350).chunks(25) {
            server.send_all(&room, &alice, part).await;
        }
        server.member(&room, &alice, bob, "leave").await;
        server.send(&room, &alice, "after they left").await;
        server.network.set(two, Manner::Takes);
        server.settled(two).await;
        let mut expected = numbers(0..350);
        expected.push("leave @bob:two.example".to_owned());
        assert_eq!(server.network.messages(two), expected);
        // Once caught up, it is served live.
        server.join(&room, bob).await;
        server.send(&room, &alice, "again").await;
        server.settled(two).await;
        expected.push("again".to_owned());
        assert_eq!(server.network.messages(two), expected);
        assert_eq!(server.outbound.destinations()[0].state, DestinationState::Live);
    }

    async fn a_slow_destination_is_served_from_the_database_and_misses_nothing(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Slow(Duration::from_millis(20)));
        let bodies = numbers(0..1_500);
        for part in bodies.chunks(300) {
            server.send_all(&room, &alice, part).await;
        }
        assert!(server.outbound.destinations()[0].queued <= 1_000);
        server.settled(two).await;
        assert_eq!(server.network.messages(two), bodies);
    }

    async fn who_was_away_for_long_gets_the_latest_event_of_each_room(server: &TestSender) {
        let alice = server.register("alice").await;
        let (one, other) = (server.public_room(&alice).await, server.public_room(&alice).await);
        let left = server.public_room(&alice).await;
        let two = server_name!("two.example");
        let bob = user_id!("@bob:two.example");
        server.join(&one, bob).await;
        server.join(&other, bob).await;
        server.join(&left, bob).await;
        server.network.set(two, Manner::Away);
        // Not asked again before all is there: what is the latest of a room is looked up then.
        server.network.back_off_ms.store(3_600_000, Ordering::SeqCst);
        let mut old = message(&alice, "old");
        old.origin_server_ts = Some(Timestamp(1_000));
        server.rooms.append(&one, old).await.unwrap();
        until(|| server.outbound.destinations().iter().any(|d| d.state == DestinationState::BackingOff)).await;
        server.send(&other, &alice, "other early").await;
        server.send(&left, &alice, "left early").await;
        server.member(&left, &alice, bob, "leave").await;
        server.send(&left, &alice, "left late").await;
        server.send(&one, &alice, "one late").await;
        server.send(&other, &alice, "other late").await;
        server.network.hear_of(two);
        server.settled(two).await;
        let expected = ["leave @bob:two.example", "one late", "other late"];
        assert_eq!(server.network.messages(two), expected);
        server.send(&one, &alice, "live").await;
        server.settled(two).await;
        assert_eq!(server.network.messages(two).last().unwrap(), "live");
    }

    async fn a_start_goes_on_where_the_stop_left_off(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        server.join(&room, user_id!("@bob:two.example")).await;
        server.join(&room, user_id!("@carol:three.example")).await;
        server.send_all(&room, &alice, &numbers(0..5)).await;
        server.settled(two).await;
        server.settled(three).await;
        server.network.set(two, Manner::Away);
        server.send_all(&room, &alice, &numbers(5..60)).await;
        server.settled(three).await;
        until(|| server.outbound.destinations().iter().any(|d| d.state == DestinationState::BackingOff)).await;
        server.network.set(two, Manner::Takes);
        let before = server.network.received_by(three).len();
        let restarted = server.restart(true, None).await;
        restarted.settled(two).await;
        restarted.settled(three).await;
        let expected: Vec<String> = ["join @carol:three.example".to_owned()].into_iter().chain(numbers(0..60)).collect();
        assert_eq!(server.network.messages(two), expected);
        assert_eq!(server.network.received_by(three).len(), before, "who had everything gets nothing twice");
        cursors::flush(&restarted.outbound).await.unwrap();
        let cursors = store::load_cursors(&restarted.database).await.unwrap();
        assert!(cursors.behind.is_empty(), "nobody is behind any more");
        restarted.end().await;
    }

    async fn nothing_is_lost_when_the_server_is_killed(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.send_all(&room, &alice, &numbers(0..5)).await;
        server.settled(two).await;
        cursors::flush(&server.outbound).await.unwrap();
        server.network.set(two, Manner::Silent(Duration::from_secs(3_600)));
        server.send_all(&room, &alice, &numbers(5..30)).await;
        until(|| server.network.attempts() > 1).await;
        // The network of the killed server is gone with it.
        let restarted = server.restart(false, None).await;
        let network = &restarted.network;
        network.forget_under_way();
        network.set(two, Manner::Takes);
        restarted.settled(two).await;
        let messages = network.messages(two);
        let position = messages.iter().position(|body| body == "5").unwrap();
        assert_eq!(messages[position..], numbers(5..30));
        restarted.end().await;
    }

    async fn cursors_are_written_for_all_together_and_apart_for_who_is_behind(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        server.join(&room, user_id!("@bob:two.example")).await;
        server.join(&room, user_id!("@carol:three.example")).await;
        let first = server.send(&room, &alice, "first").await;
        server.settled(two).await;
        server.settled(three).await;
        cursors::flush(&server.outbound).await.unwrap();
        let stored = store::load_cursors(&server.database).await.unwrap();
        assert!(stored.behind.is_empty() && stored.others.unwrap() >= first.position());
        server.network.set(two, Manner::Away);
        let second = server.send(&room, &alice, "second").await;
        server.settled(three).await;
        until(|| server.outbound.destinations().iter().any(|d| d.state == DestinationState::BackingOff)).await;
        cursors::flush(&server.outbound).await.unwrap();
        let stored = store::load_cursors(&server.database).await.unwrap();
        assert!(stored.others.unwrap() >= second.position());
        let (name, (events, _)) = &stored.behind[0];
        assert_eq!((stored.behind.len(), &**name), (1, two));
        assert!(*events >= first.position() && *events < second.position(), "{events}");
        // Nothing new, nothing to write.
        let before = server.outbound.stored_others();
        cursors::flush(&server.outbound).await.unwrap();
        assert_eq!(server.outbound.stored_others(), before);
        assert!(before > Position(0));
    }

    async fn who_is_heard_of_is_served_before_its_time(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Away);
        server.network.back_off_ms.store(3_600_000, Ordering::SeqCst);
        server.send(&room, &alice, "early").await;
        until(|| server.outbound.destinations().iter().any(|d| d.state == DestinationState::BackingOff)).await;
        server.send(&room, &alice, "late").await;
        assert_eq!(server.network.attempts(), 1, "it is left alone");
        server.network.hear_of(two);
        server.settled(two).await;
        assert_eq!(server.network.messages(two), ["early", "late"]);
    }

    async fn a_transaction_without_an_answer_is_repeated_under_its_id(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Away);
        server.send_all(&room, &alice, &numbers(0..3)).await;
        until(|| server.network.attempts() > 0).await;
        server.send_all(&room, &alice, &numbers(3..6)).await;
        until(|| server.network.attempts() > 3).await;
        server.network.set(two, Manner::Takes);
        server.settled(two).await;
        assert_eq!(server.network.messages(two), numbers(0..6));
        let received = server.network.received_by(two);
        let first: Vec<_> = received[0].body["pdus"].as_array().unwrap().iter().map(|pdu| &pdu["content"]["body"]).collect();
        assert_eq!(first, ["0", "1", "2"], "what came later waits for the answer");
        let ids = server.network.transaction_ids.lock().clone();
        let (last, repeated) = ids.split_last().unwrap();
        assert!(repeated.iter().all(|id| *id == received[0].transaction_id), "{ids:?}");
        assert!(last != &repeated[0] && received.len() == 2);
    }
}
