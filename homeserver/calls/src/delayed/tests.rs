#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use echorift_rooms::{DelayId, Postponed};
use echorift_storage::{Timestamp, UserNumber};
use serde_json::{json, value::to_raw_value};

use super::{
    Asker, DelayedError, Fate, purge,
    testing::{TestDelays, on_both_databases},
};

const CALL: &str = "org.matrix.msc3401.call.member";
const MINUTE_MS: i64 = 60_000;

on_both_databases! {
    async fn nothing_is_sent_a_moment_before_its_time(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let id = server.set_later(&alice, &room, (CALL, "a"), json!({ "a": 1 })).await;
        server.clock.advance_ms(MINUTE_MS - 1);
        server.delayed.send_due(&id).await.unwrap();
        assert!(server.find(&id).await.is_waiting());
        server.clock.advance_ms(1);
        server.delayed.send_due(&id).await.unwrap();
        let event = server.find(&id).await;
        let Fate::Sent { at, .. } = event.fate else { panic!("{event:?}") };
        assert_eq!(at, event.send_at());
        assert_eq!(server.content(&room, CALL, "a").await, json!({ "a": 1 }));
    }

    async fn a_restart_begins_the_whole_delay_anew(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let id = server.say_later(&alice, &room, "later").await;
        server.clock.advance_ms(MINUTE_MS);
        server.delayed.restart_by_id(&id).await.unwrap();
        server.delayed.send_due(&id).await.unwrap();
        let event = server.find(&id).await;
        assert!(event.is_waiting());
        assert_eq!(event.send_at(), server.clock.now().plus_ms(MINUTE_MS));
        assert_eq!(event.due_at, event.send_at());
    }

    async fn what_is_put_off_waits_longer_but_not_for_ever(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let (held, free) = (
            server.say_later(&alice, &room, "held").await,
            server.say_later(&alice, &room, "free").await,
        );
        server.clock.advance_ms(2 * MINUTE_MS);
        let until = server.clock.now().plus_ms(5_000);
        server.delayed.put_off([&held], until).await.unwrap();
        for id in [&held, &free] {
            server.delayed.send_due(id).await.unwrap();
        }
        assert!(server.find(&held).await.is_waiting());
        assert!(!server.find(&free).await.is_waiting());
        // An earlier time takes nothing back, and a late one is cut.
        server.delayed.put_off([&held], Timestamp(0)).await.unwrap();
        assert_eq!(server.find(&held).await.due_at, until);
        server.delayed.put_off([&held], Timestamp(i64::MAX)).await.unwrap();
        assert_eq!(server.find(&held).await.due_at, server.clock.now().plus_ms(5 * MINUTE_MS));
        server.clock.advance_ms(5 * MINUTE_MS);
        server.delayed.send_due(&held).await.unwrap();
        assert!(!server.find(&held).await.is_waiting());
    }

    async fn a_session_that_ends_leaves_its_calls_and_leaves_the_rest_alone(server: &TestDelays) {
        let phone = server.register("alice", "PHONE").await;
        let tablet = server.session(phone.user_id.clone(), "TABLET").await;
        let bob = server.register("bob", "PHONE").await;
        let room = server.room(&phone).await;
        server.set(&phone, &room, CALL, "phone", json!({ "in": true })).await;
        let leave = server.set_later(&phone, &room, (CALL, "phone"), json!({})).await;
        let kept = [
            server.say_later(&phone, &room, "tomorrow").await,
            server.set_later(&phone, &room, ("m.room.topic", ""), json!({ "topic": "x" })).await,
            server.set_later(&tablet, &room, (CALL, "tablet"), json!({})).await,
            server.set_later(&bob, &room, (CALL, "bob"), json!({})).await,
        ];
        let user = UserNumber(phone.user_number);
        server.delayed.end_of_session(user, &phone.device_id).await.unwrap();
        assert!(matches!(server.find(&leave).await.fate, Fate::Sent { .. }));
        assert_eq!(server.content(&room, CALL, "phone").await, json!({}));
        for id in &kept {
            assert!(server.find(id).await.is_waiting(), "{id:?}");
        }
    }

    async fn an_account_that_ends_leaves_its_calls_and_says_nothing_more(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let leave = server.set_later(&alice, &room, (CALL, "a"), json!({})).await;
        let message = server.say_later(&alice, &room, "tomorrow").await;
        server.delayed.end_of_user(UserNumber(alice.user_number)).await.unwrap();
        assert!(matches!(server.find(&leave).await.fate, Fate::Sent { .. }));
        assert!(matches!(server.find(&message).await.fate, Fate::Cancelled { .. }));
    }

    async fn the_server_itself_sends_for_whom_it_has_suspended(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let id = server.say_later(&alice, &room, "later").await;
        server.accounts.set_suspended(&alice.user_id, true, echorift_storage::Change::new()).await.unwrap();
        let user = Asker::User(UserNumber(alice.user_number));
        let refusal = server.delayed.send(user, &id).await.unwrap_err();
        assert!(matches!(refusal, DelayedError::Suspended(_)), "{refusal}");
        assert!(server.find(&id).await.is_waiting());
        server.delayed.send_by_id(&id).await.unwrap();
        assert!(matches!(server.find(&id).await.fate, Fate::Sent { .. }));
    }

    async fn what_others_have_overtaken_is_not_sent_even_if_nobody_saw_it_happen(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let bob = server.register("bob", "PHONE").await;
        let room = server.room(&alice).await;
        server.rooms.join(&server.accounts, &room, &bob.user_id, Default::default()).await.unwrap();
        server.set(&bob, &room, "org.example.a", "before", json!({ "of": "bob" })).await;
        let [overtaken, asked, later] = [
            server.set_later(&alice, &room, ("org.example.a", "key"), json!({})).await,
            server.set_later(&alice, &room, ("org.example.a", "key"), json!({})).await,
            server.set_later(&alice, &room, ("org.example.a", "before"), json!({})).await,
        ];
        server.set(&bob, &room, "org.example.a", "key", json!({ "of": "bob" })).await;
        let refusal = server.delayed.send_by_id(&asked).await.unwrap_err();
        assert!(matches!(refusal, DelayedError::Conflict(_)), "{refusal}");
        server.clock.advance_ms(MINUTE_MS);
        for id in [&overtaken, &later] {
            server.delayed.send_due(id).await.unwrap();
        }
        for id in [&overtaken, &asked] {
            assert!(matches!(server.find(id).await.fate, Fate::Cancelled { .. }));
        }
        assert!(matches!(server.find(&later).await.fate, Fate::Sent { .. }));
        assert_eq!(server.content(&room, "org.example.a", "key").await, json!({ "of": "bob" }));
    }

    async fn what_was_asked_for_is_kept_whole(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let room = server.room(&alice).await;
        let postponed = || Postponed {
            room_id: room.id.clone(),
            event_type: "m.rtc.member".into(),
            state_key: None,
            content: to_raw_value(&json!({ "b": 1, "a": "x\u{0}\u{1F44B}" })).unwrap(),
            delay_ms: 5,
            sticky_duration_ms: Some(ruma::events::sticky::StickyDurationMs::new_clamped(3_600_000_u32)),
            transaction_id: Some("txn".into()),
        };
        let id = server.delayed.schedule(&alice, postponed()).await.unwrap();
        assert_eq!(server.delayed.schedule(&alice, postponed()).await.unwrap(), id);
        let event = server.find(&id).await;
        assert_eq!((event.user_id.as_str(), event.device_id.as_str()), ("@alice:one.example", "PHONE"));
        assert_eq!((event.event_type.as_str(), event.state_key.as_deref()), ("m.rtc.member", None));
        assert_eq!(event.content.get(), "{\"a\":\"x\\u0000\u{1F44B}\",\"b\":1}");
        assert_eq!((event.sticky_duration_ms.map(ruma::events::sticky::StickyDurationMs::get), event.delay_ms), (Some(3_600_000), 5));
        assert!(event.ends_call());
        assert!(server.delayed.find(&DelayId::from("none".to_owned())).await.unwrap().is_none());
    }

    async fn finalised_events_are_forgotten_after_a_week_or_a_thousand_others(server: &TestDelays) {
        let alice = server.register("alice", "PHONE").await;
        let bob = server.register("bob", "PHONE").await;
        let room = server.room(&alice).await;
        let waits = server.say_later(&alice, &room, "waits").await;
        let old = server.say_later(&bob, &room, "old").await;
        server.delayed.cancel(Asker::Bearer, &old).await.unwrap();
        server.clock.advance_ms(7 * 24 * 60 * MINUTE_MS);
        let recent = server.say_later(&bob, &room, "recent").await;
        server.delayed.cancel(Asker::Bearer, &recent).await.unwrap();
        let mut ids = Vec::new();
        for number in 0..1_005 {
            ids.push(server.say_later(&alice, &room, &format!("{number}")).await);
        }
        for id in &ids {
            server.delayed.cancel(Asker::Bearer, id).await.unwrap();
        }
        server.clock.advance_ms(1);
        purge::forget(server.delayed.database(), &server.clock).await.unwrap();
        let is_there = async |id: &DelayId| server.delayed.find(id).await.unwrap().is_some();
        assert!(is_there(&waits).await);
        assert!(!is_there(&old).await);
        assert!(is_there(&recent).await);
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(is_there(id).await, number >= 5, "{number}");
        }
    }
}
