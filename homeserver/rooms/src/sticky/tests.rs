#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn sticky(event: i64, sender: i64, expires: i64) -> Sticky {
    Sticky {
        event: EventNumber(event),
        sender: UserNumber(sender),
        expires: Timestamp(expires),
    }
}

fn told(room: &RoomSticky) -> Vec<i64> {
    room.told(NOW).iter().map(|known| known.event.0).collect()
}

#[test]
fn events_stand_in_the_order_of_their_positions_until_they_end() {
    let room = RoomSticky::default();
    room.put(sticky(1, 1, 2_000), Some(Position(20)));
    room.put(sticky(2, 1, 2_000), Some(Position(10)));
    room.put(sticky(3, 1, 1_000), Some(Position(15)));
    room.put(sticky(4, 1, 2_000), None);
    assert_eq!(
        told(&room),
        [2, 1],
        "the third has expired, the fourth is withheld"
    );
    room.put(sticky(4, 1, 2_000), Some(Position(30)));
    assert!(room.withheld(NOW).is_empty());
    assert_eq!(told(&room), [2, 1, 4]);
    room.end(EventNumber(1));
    assert_eq!(told(&room), [2, 4]);
    room.sweep(Timestamp(2_000));
    assert!(!room.knows(EventNumber(2)));
}

#[test]
fn of_withheld_events_the_latest_are_remembered() {
    let room = RoomSticky::default();
    let count = i64::try_from(WITHHELD_MAX).unwrap();
    for event in 0..=count {
        room.put(sticky(event, 1, 2_000), None);
    }
    let withheld = room.withheld(NOW);
    assert_eq!(withheld.len(), WITHHELD_MAX);
    assert_eq!(withheld[0].event, EventNumber(1));
}

#[test]
fn who_has_the_most_makes_place_in_a_full_room() {
    let room = RoomSticky::default();
    let count = i64::try_from(ROOM_MAX).unwrap();
    // Alice has a few, and then somebody floods the room.
    for event in 0..3 {
        room.put(sticky(event, 1, 2_000), Some(Position(event)));
    }
    for event in 3..count {
        assert_eq!(room.one_too_many(NOW), None);
        room.put(sticky(event, 2, 2_000), Some(Position(event)));
    }
    assert_eq!(
        room.one_too_many(NOW).map(|sticky| sticky.event),
        Some(EventNumber(3))
    );
    assert_eq!(
        room.one_too_many(Timestamp(2_000)),
        None,
        "all of them have expired"
    );
}
