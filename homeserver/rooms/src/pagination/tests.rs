#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use ruma::{OwnedUserId, api::client::filter::RoomEventFilter};
use serde_json::json;

use super::*;
use crate::testing::{TestRooms, on_both_databases};

const MESSAGES: usize = 200;

/// A room with more events than stay in memory: messages, and now and then another type.
async fn long_room(server: &TestRooms) -> (Arc<Room>, OwnedUserId, Vec<EventNumber>) {
    let alice = server.register("alice").await;
    let room = server.public_room(&alice).await;
    for index in 0..MESSAGES {
        let event_type = if index % 7 == 0 {
            "org.example.rare"
        } else {
            "m.room.message"
        };
        server
            .say(&room, &alice, event_type, json!({ "body": index.to_string() }))
            .await;
    }
    let all = (Position(i64::MIN), Position(i64::MAX));
    let events = server
        .rooms
        .timeline(&room, all, Order::OldestFirst, 1_000)
        .await
        .unwrap();
    let rare = events
        .iter()
        .filter(|event| event.pdu.event_type.to_string() == "org.example.rare");
    let rare = rare.map(|event| event.number).collect();
    (room, alice, rare)
}

/// All pages from one end to the other.
async fn walk(
    server: &TestRooms,
    room: &Room,
    reader: &Reader,
    order: Order,
    limits: &[usize],
    matcher: &EventMatcher,
) -> Vec<EventNumber> {
    let mut found = Vec::new();
    let mut from = None;
    for limit in limits.iter().copied().cycle() {
        let request = PageRequest {
            from,
            to: None,
            order,
            limit,
        };
        let page = server
            .rooms
            .page(room, reader, Access::Joined, request, matcher)
            .await
            .unwrap();
        assert!(page.events.len() <= limit);
        found.extend(page.events.iter().map(|event| event.number));
        match page.end {
            Some(end) => from = Some(end.to_string().parse().unwrap()),
            None => break,
        }
    }
    if order == Order::NewestFirst {
        found.reverse();
    }
    found
}

#[test]
fn pages_lose_and_double_nothing_whatever_their_sizes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = TestRooms::start().await;
        let (room, alice, rare) = long_room(&server).await;
        let reader = server.reader(&alice).await;
        let whole = (Position(i64::MIN), Position(i64::MAX));
        let all = server
            .rooms
            .timeline(&room, whole, Order::OldestFirst, 1_000)
            .await
            .unwrap();
        let all: Vec<EventNumber> = all.iter().map(|event| event.number).collect();
        assert!(all.len() > MESSAGES);
        let filter = RoomEventFilter {
            types: Some(vec!["org.*".to_owned()]),
            ..RoomEventFilter::default()
        };
        let (every, some) = (EventMatcher::default(), EventMatcher::new(&filter));
        assert_eq!(
            walk(
                &server,
                &room,
                &reader,
                Order::OldestFirst,
                &[1_000],
                &EventMatcher::new(&RoomEventFilter::default())
            )
            .await,
            all
        );
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
        let limits = prop::collection::vec(1_usize..90, 1..6);
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            runner
                .run(
                    &(limits, any::<bool>(), any::<bool>()),
                    |(limits, forwards, filtered)| {
                        let order = if forwards {
                            Order::OldestFirst
                        } else {
                            Order::NewestFirst
                        };
                        let (matcher, expected) = if filtered { (&some, &rare) } else { (&every, &all) };
                        let found = handle.block_on(walk(&server, &room, &reader, order, &limits, matcher));
                        prop_assert_eq!(&found, expected);
                        Ok(())
                    },
                )
                .unwrap();
        });
    });
}

on_both_databases! {
    async fn tokens_stop_a_page_and_ignored_users_do_not_appear(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        server.join(&room, &bob).await.unwrap();
        let first = server.send(&room, &alice, "1").await.unwrap();
        let second = server.send(&room, &bob, "2").await.unwrap();
        let third = server.send(&room, &alice, "3").await.unwrap();
        let mut reader = server.reader(&alice).await;
        let request = PageRequest {
            from: Some(TimelineToken(first.position())),
            to: Some(TimelineToken(third.position())),
            order: Order::OldestFirst,
            limit: 10,
        };
        let matcher = EventMatcher::default();
        let page = server
            .rooms
            .page(&room, &reader, Access::Joined, request, &matcher)
            .await
            .unwrap();
        let numbers: Vec<_> = page.events.iter().map(|event| event.number).collect();
        assert_eq!((numbers, page.end), (vec![second.number, third.number], None));
        reader.ignored = [bob].into_iter().collect();
        let page = server
            .rooms
            .page(&room, &reader, Access::Joined, request, &matcher)
            .await
            .unwrap();
        assert_eq!(
            page.events.iter().map(|event| event.number).collect::<Vec<_>>(),
            [third.number]
        );
    }

    async fn the_closest_event_and_the_context_around_it_are_found(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let mut sent = Vec::new();
        for body in ["1", "2", "3", "4", "5"] {
            server.clock.advance_ms(1_000);
            sent.push(server.send(&room, &alice, body).await.unwrap());
        }
        let reader = server.reader(&alice).await;
        let ts = |index: usize| echorift_storage::Timestamp(i64::from(sent[index].pdu.origin_server_ts.get()));
        let closest = async |ts, order| server.rooms.closest_event(&room, &reader, ts, order).await;
        assert_eq!(
            closest(ts(2).plus_ms(1), Order::OldestFirst)
                .await
                .unwrap()
                .number,
            sent[3].number
        );
        assert_eq!(
            closest(ts(2).plus_ms(1), Order::NewestFirst)
                .await
                .unwrap()
                .number,
            sent[2].number
        );
        assert!(matches!(
            closest(ts(4).plus_ms(1), Order::OldestFirst).await,
            Err(RoomError::NotFound(_))
        ));

        let matcher = EventMatcher::default();
        let request = crate::ContextRequest {
            limit: 2,
            matcher: &matcher,
            lazy_members: true,
        };
        let context = server
            .rooms
            .context(&room, &reader, &sent[2].pdu.event_id, request)
            .await
            .unwrap();
        assert_eq!(
            (context.before[0].number, context.after[0].number),
            (sent[1].number, sent[3].number)
        );
        assert_eq!(
            (context.start.0, context.end.0),
            (TimelineToken::before(sent[1].position()).0, sent[3].position())
        );
        let members = context
            .state
            .iter()
            .filter(|event| event.pdu.event_type.to_string() == "m.room.member");
        assert_eq!(members.count(), 1);
    }
}
