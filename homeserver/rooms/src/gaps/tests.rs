use super::*;

fn gap(lower: i64, upper: i64) -> HistoryGap {
    HistoryGap {
        lower: Position(lower),
        upper: Position(upper),
    }
}

#[test]
fn known_parts_end_at_the_gaps_around_them() {
    let gaps = RoomGaps::new([gap(100, 200), gap(300, 400)]);
    let all = (Position(i64::MIN), Position(i64::MAX));
    assert_eq!(
        gaps.known_above(HistoryPart::Beginning),
        Some((all.0, Position(100)))
    );
    assert_eq!(
        gaps.known_above(HistoryPart::Gap(Position(100))),
        Some((Position(199), Position(300)))
    );
    gaps.move_edge(Position(300), Position(350));
    assert_eq!(
        gaps.known_above(HistoryPart::Gap(Position(300))),
        Some((Position(349), all.1))
    );
    gaps.close(Position(300));
    assert_eq!(gaps.known_above(HistoryPart::Gap(Position(300))), None);
    assert_eq!(RoomGaps::default().known_above(HistoryPart::Beginning), Some(all));
}

#[test]
fn readers_go_on_without_after_some_tries_and_others_are_asked_again_later() {
    let gaps = RoomGaps::new([gap(100, 200)]);
    let lower = Position(100);
    let mut now = Timestamp(1_700_000_000_000);
    assert!(gaps.is_worth_asking(lower, now));
    for count in 1..=TRIES_MAX {
        let is_enough = count == TRIES_MAX;
        // Clients that ask again at once do not use the tries up.
        for _ in 0..10 {
            assert_eq!(gaps.has_failed(lower, now), is_enough, "{count}");
            assert_eq!(gaps.is_worth_asking(lower, now), !is_enough);
        }
        now = now.plus_ms(TRY_MS);
    }
    assert!(!gaps.is_worth_asking(lower, now));
    now = now.plus_ms(TRY_AGAIN_MS);
    assert!(gaps.is_worth_asking(lower, now));
    assert!(gaps.has_failed(lower, now), "and not waited for any more");

    gaps.move_edge(lower, Position(150));
    assert!(gaps.is_worth_asking(lower, now));
    gaps.is_given_up(lower, now);
    assert!(!gaps.is_worth_asking(lower, now));
    assert!(!gaps.is_worth_asking(Position(7), now), "there is no such gap");
    assert!(gaps.has_failed(Position(7), now));
}

#[test]
fn the_lowest_gap_goes_when_there_are_too_many() {
    let gaps = RoomGaps::default();
    for index in 0..i64::try_from(OPEN_MAX).unwrap_or(i64::MAX) {
        assert_eq!(gaps.surplus(), None);
        gaps.open(gap(index * 100, index * 100 + 50));
    }
    assert_eq!(gaps.surplus(), Some(Position(0)));
}

#[test]
fn a_gap_has_its_places_below_the_event_that_opens_it() {
    let opened = HistoryGap::below(Position(5_000_000));
    assert_eq!(opened.upper, Position(5_000_000));
    assert_eq!(opened.free_positions(), GAP_POSITIONS);
    assert_eq!(
        opened.edge(Order::NewestFirst),
        TimelineToken(Position(4_999_999))
    );
    assert_eq!(gap(7, 8).free_positions(), 0);
}
