#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::{room_id, server_name, user_id};

use super::*;

fn destination() -> Destination {
    Destination::new(server_name!("two.example").to_owned())
}

fn event(position: i64) -> Queued {
    (Position(position), EventNumber(position * 10))
}

fn arrived(events: i64) -> Arrived {
    Arrived {
        events: Some(Position(events)),
        edus: None,
    }
}

fn typing() -> Arc<LiveEdu> {
    Arc::new(LiveEdu::Typing {
        room: room_id!("!room:one.example").to_owned(),
        user: user_id!("@alice:one.example").to_owned(),
        is_typing: true,
    })
}

#[test]
fn one_worker_is_started_and_ends_when_nothing_waits() {
    let (destination, now) = (destination(), Instant::now());
    assert!(destination.push_event(event(5)), "the first needs a worker");
    assert!(!destination.push_event(event(6)), "which serves the second");
    assert!(
        !destination.push_event(event(6)),
        "and what comes twice is sent once"
    );
    assert_eq!(destination.status().events_sent, Some(Position(4)));
    assert_eq!(destination.next_step(now), Step::Send);
    let plan = destination.plan(now);
    assert_eq!(plan.events, [event(5), event(6)]);
    destination.push_event(event(9));
    destination.arrived(arrived(6));
    assert_eq!(destination.next_step(now), Step::Send);
    assert_eq!(destination.plan(now).events, [event(9)]);
    destination.arrived(arrived(9));
    assert_eq!(destination.next_step(now), Step::Done);
    assert!(destination.push_event(event(20)));
    assert_eq!(
        destination.status().events_sent,
        Some(Position(19)),
        "what came between was for others"
    );
}

#[test]
fn who_is_away_holds_nothing_and_catches_up_from_where_it_was() {
    let (destination, now) = (destination(), Instant::now());
    destination.push_event(event(5));
    destination.push_event(event(6));
    destination.push_live(typing());
    destination.rest(true);
    assert_eq!(destination.standing(), Standing::Failing);
    assert!(!destination.push_event(event(7)), "it is not due");
    assert_eq!(destination.push_live(typing()), (false, false));
    assert_eq!(destination.status().queued, 0);
    assert!(destination.rouse(false));
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(4)));
    destination.fill(vec![event(5), event(6)], Position(6));
    // Meanwhile there is more, which is not in the page.
    destination.push_event(event(8));
    assert_eq!(destination.next_step(now), Step::Send);
    assert_eq!(destination.plan(now).events, [event(5), event(6)]);
    destination.arrived(arrived(6));
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(6)));
    destination.fill(vec![event(7), event(8)], Position(11));
    destination.plan(now);
    destination.arrived(arrived(8));
    assert_eq!(destination.next_step(now), Step::Done);
    assert!(destination.push_event(event(12)));
    assert_eq!(destination.next_step(now), Step::Send, "it is live again");
    assert_eq!(destination.standing(), Standing::Proven);
}

#[test]
fn a_page_without_anything_for_it_is_passed() {
    let (destination, now) = (destination(), Instant::now());
    destination.push_event(event(5));
    destination.rest(true);
    assert!(destination.rouse(false));
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(4)));
    destination.fill(Vec::new(), Position(90));
    assert_eq!(destination.next_step(now), Step::Done);
    assert!(!destination.rouse(false), "nothing waits");
}

#[test]
fn a_queue_that_is_full_is_dropped_and_read_again() {
    let (destination, now) = (destination(), Instant::now());
    let last = i64::try_from(QUEUE_MAX).unwrap() + 10;
    for position in 1..=last {
        destination.push_event(event(position));
    }
    assert_eq!(destination.status().queued, 0);
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(0)));
    // A transaction that was under way counts.
    destination.arrived(arrived(50));
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(50)));
}

#[test]
fn events_and_edus_that_must_arrive_are_followed_apart() {
    let (destination, now) = (destination(), Instant::now());
    assert!(destination.push_durable(Position(6), Position(7)));
    let plan = destination.plan(now);
    assert_eq!(plan.durable, Some((Position(6), EDUS_MAX)));
    assert_eq!(plan.durable_latest, Position(7));
    destination.push_durable(Position(8), Position(9));
    destination.arrived(Arrived {
        events: None,
        edus: Some(Position(7)),
    });
    assert_eq!(destination.status().edus_sent, Some(Position(7)));
    assert_eq!(destination.status().events_sent, None);
    assert_eq!(destination.plan(now).durable, Some((Position(7), EDUS_MAX)));
}

#[test]
fn after_a_refusal_items_go_one_by_one_until_the_refused_one_is_passed() {
    let (destination, now) = (destination(), Instant::now());
    for position in 1..=4 {
        destination.push_event(event(position));
    }
    assert_eq!(destination.plan(now).events.len(), 4);
    destination.be_careful();
    assert_eq!(destination.plan(now).events, [event(1)]);
    destination.arrived(arrived(1));
    assert_eq!(destination.plan(now).events, [event(2)]);
    destination.skip(arrived(2));
    assert_eq!(destination.plan(now).events, [event(3), event(4)]);
}

#[test]
fn receipts_alone_are_paced_and_typing_is_not() {
    let (destination, now) = (destination(), Instant::now());
    let receipt = || {
        Arc::new(LiveEdu::Receipt {
            room: room_id!("!room:one.example").to_owned(),
            user: user_id!("@alice:one.example").to_owned(),
            thread: "".into(),
            event_id: ruma::owned_event_id!("$event"),
            ts: echorift_storage::Timestamp(1),
        })
    };
    assert_eq!(destination.push_live(receipt()), (true, true));
    assert_eq!(destination.next_step(now), Step::Send);
    assert_eq!(destination.plan(now).edus.len(), 1);
    destination.push_live(receipt());
    assert_eq!(destination.next_step(now), Step::Pause(PACE));
    destination.push_live(typing());
    assert_eq!(destination.next_step(now), Step::Send);
    assert_eq!(destination.plan(now).edus.len(), 2);
    assert_eq!(destination.next_step(now), Step::Done);
}

#[test]
fn what_got_no_answer_is_repeated_before_anything_else() {
    let (destination, now) = (destination(), Instant::now());
    destination.push_event(event(5));
    destination.push_durable(Position(6), Position(7));
    destination.push_live(typing());
    assert_eq!(destination.plan(now).edus.len(), 1);
    let held = Arrived {
        events: Some(Position(5)),
        edus: Some(Position(7)),
    };
    destination.unanswered("one".to_owned(), held);
    destination.rest(true);
    destination.push_event(event(8));
    destination.push_durable(Position(8), Position(9));
    destination.rouse(false);
    destination.push_live(typing());
    assert_eq!(destination.next_step(now), Step::CatchUp(Position(4)));
    destination.fill(vec![event(5), event(8)], Position(8));
    let plan = destination.plan(now);
    assert_eq!(plan.transaction_id.as_deref(), Some("one"));
    assert_eq!((plan.events, plan.edus.len()), (vec![event(5)], 0));
    assert_eq!(
        (plan.durable.map(|(after, _)| after), plan.durable_latest),
        (Some(Position(6)), Position(7))
    );
    destination.arrived(held);
    let plan = destination.plan(now);
    assert_eq!(
        (plan.transaction_id, plan.events, plan.edus.len()),
        (None, vec![event(8)], 1)
    );
}

#[test]
fn a_repetition_of_nothing_is_none() {
    let (destination, now) = (destination(), Instant::now());
    destination.push_live(typing());
    destination.plan(now);
    destination.unanswered(
        "one".to_owned(),
        Arrived {
            events: None,
            edus: None,
        },
    );
    destination.push_event(event(5));
    assert_eq!(destination.plan(now).transaction_id, None);
}
