//! The end of the log in memory, so that whether an event concerns a service costs no query where all services keep up.

use std::collections::VecDeque;

use echorift_storage::{LogListener, Position, Record};
use parking_lot::RwLock;

use crate::store::LoggedEvent;

/// How many events are held: some seconds of a busy server, in a quarter of a megabyte.
const EVENTS_MAX: usize = 4_096;

/// The latest events of the log. Must be made a listener of it before the first change after `heard_to`.
pub(crate) struct Recent(RwLock<Events>);

struct Events {
    /// Whether there is anyone to tell. Nothing is held otherwise.
    is_wanted: bool,
    /// Up to where the log was heard.
    heard_to: Position,
    /// All events after this position, up to `heard_to`, are held.
    complete_after: Position,
    events: VecDeque<LoggedEvent>,
}

impl Recent {
    pub fn new(heard_to: Position) -> Self {
        Self(RwLock::new(Events {
            is_wanted: false,
            heard_to,
            complete_after: heard_to,
            events: VecDeque::new(),
        }))
    }

    /// Says whether there is anyone to tell.
    pub fn want(&self, is_wanted: bool) {
        let mut held = self.0.write();
        if held.is_wanted != is_wanted {
            *held = Events {
                is_wanted,
                heard_to: held.heard_to,
                complete_after: held.heard_to,
                events: VecDeque::new(),
            };
        }
    }

    /// The first `limit` events with `after < position <= to`, which is visible, in log order; `None` if it is longer ago
    /// than is held.
    pub fn events(&self, (after, to): (Position, Position), limit: usize) -> Option<Vec<LoggedEvent>> {
        let held = self.0.read();
        if !held.is_wanted || after < held.complete_after {
            return None;
        }
        let begin = held.events.partition_point(|event| event.position <= after);
        let events = held.events.range(begin..);
        Some(
            events
                .take_while(|event| event.position <= to)
                .take(limit)
                .copied()
                .collect(),
        )
    }
}

impl LogListener for Recent {
    fn on_records(&self, records: &[(Position, Record)]) {
        let mut held = self.0.write();
        for (position, record) in records {
            held.heard_to = *position;
            if !held.is_wanted {
                continue;
            }
            let Record::Event {
                room,
                event,
                sender,
                member,
                ..
            } = *record
            else {
                continue;
            };
            held.events.push_back(LoggedEvent {
                position: *position,
                event,
                room,
                sender,
                member,
            });
            if held.events.len() > EVENTS_MAX
                && let Some(forgotten) = held.events.pop_front()
            {
                held.complete_after = forgotten.position;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use echorift_storage::{EventNumber, RoomNumber, UserNumber};

    use super::*;

    fn hear(recent: &Recent, positions: std::ops::RangeInclusive<i64>) {
        let record = |position| Record::Event {
            room: RoomNumber(1),
            event: EventNumber(position),
            sender: UserNumber(1),
            member: None,
            is_ours: true,
        };
        let records: Vec<_> = positions
            .map(|position| (Position(position), record(position)))
            .collect();
        recent.on_records(&records);
    }

    fn held(recent: &Recent, after: i64, to: i64, limit: usize) -> Option<Vec<i64>> {
        let events = recent.events((Position(after), Position(to)), limit)?;
        Some(events.iter().map(|event| event.position.0).collect())
    }

    #[test]
    fn what_is_held_is_all_of_it_or_not_given() {
        let recent = Recent::new(Position(10));
        hear(&recent, 11..=12);
        assert_eq!(held(&recent, 10, 12, 9), None, "nobody wanted it then");
        recent.want(true);
        hear(&recent, 13..=16);
        assert_eq!(held(&recent, 11, 16, 9), None, "a part of it was heard before");
        assert_eq!(held(&recent, 12, 16, 9).unwrap(), [13, 14, 15, 16]);
        assert_eq!(
            held(&recent, 13, 15, 9).unwrap(),
            [14, 15],
            "the rest is not visible yet"
        );
        assert_eq!(held(&recent, 12, 16, 2).unwrap(), [13, 14]);
        assert_eq!(held(&recent, 16, 16, 9).unwrap(), [0; 0]);
        // The same registrations anew: nothing is lost.
        recent.want(true);
        assert_eq!(held(&recent, 12, 16, 1).unwrap(), [13]);
    }

    #[test]
    fn it_does_not_grow() {
        let recent = Recent::new(Position(0));
        recent.want(true);
        let most = i64::try_from(EVENTS_MAX).unwrap();
        hear(&recent, 1..=most + 5);
        assert_eq!(held(&recent, 4, most, 1), None);
        assert_eq!(held(&recent, 5, most, 1).unwrap(), [6]);
    }
}
