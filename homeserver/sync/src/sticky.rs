//! Sticky events (MSC4354), as both kinds of sync tell them: each once, whatever the timeline shows of its room.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use echorift_rooms::{Event, Reader, Room, RoomError};
use echorift_storage::{EventNumber, Position, RoomNumber};

use crate::{Syncs, token::BadToken};

/// The most sticky events of one answer.
pub(crate) const STICKY_EVENTS_MAX: usize = 100;
/// How many events that stand ahead and were shown already are remembered in a token. Beyond, one may be told again.
const SHOWN_MAX: usize = 200;

/// Where an event stands among the sticky ones that are for a reader: they come in the order in which they became the
/// reader's. One that a room had before the reader came is theirs from the join on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    due: Position,
    position: Position,
}

/// Up to where a reader was told sticky events, and which behind that place they have seen in a timeline. As text
/// `<due>-<position>`, with `-<position>` for each of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StickyPlace {
    told: Place,
    shown: Vec<Position>,
}

impl StickyPlace {
    /// That of a reader who was told none.
    pub fn start() -> Self {
        Self::at(Place {
            due: Position(i64::MIN),
            position: Position(i64::MIN),
        })
    }

    /// That of a reader who was told all that were theirs at a position.
    pub fn all_until(due: Position) -> Self {
        Self::at(Place {
            due,
            position: Position(i64::MAX),
        })
    }

    fn at(told: Place) -> Self {
        let shown = Vec::new();
        Self { told, shown }
    }
}

impl fmt::Display for StickyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.told.due, self.told.position)?;
        self.shown
            .iter()
            .try_for_each(|position| write!(f, "-{position}"))
    }
}

impl FromStr for StickyPlace {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let mut positions = text.split('-').map(|number| {
            // Digits only: the places of sticky events are in the log.
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            let number = Some(number).filter(|_| is_number).ok_or(BadToken)?;
            number.parse().map(Position).map_err(|_| BadToken)
        });
        let mut next = || positions.next().ok_or(BadToken)?;
        let told = Place {
            due: next()?,
            position: next()?,
        };
        let shown: Vec<Position> = positions.take(SHOWN_MAX + 1).collect::<Result<_, _>>()?;
        if shown.len() > SHOWN_MAX {
            return Err(BadToken);
        }
        Ok(Self { told, shown })
    }
}

/// A room whose sticky events are wanted.
pub(crate) struct StickyRoom<'a> {
    pub room: &'a Arc<Room>,
    /// What the timeline of the same answer shows.
    pub shown: HashSet<EventNumber>,
}

/// The sticky events of one answer.
pub(crate) struct StickyPage {
    /// Oldest first.
    pub events: BTreeMap<RoomNumber, Vec<Arc<Event>>>,
    /// Where the reader is then.
    pub place: StickyPlace,
    pub has_more: bool,
}

/// An event that the reader has not been told.
struct Pending {
    place: Place,
    event: EventNumber,
    room: RoomNumber,
    /// Whether a timeline shows it.
    is_shown: bool,
}

impl Syncs {
    /// The first `limit` sticky events behind `after` of these rooms, which the reader is joined to, as of `to`. What a
    /// timeline shows is not among them, nor what ignored users send. From memory, if the rooms and events are.
    pub(crate) async fn sticky_page(
        &self,
        reader: &Reader,
        rooms: &[StickyRoom<'_>],
        (after, to): (&StickyPlace, Position),
        limit: usize,
    ) -> Result<StickyPage, RoomError> {
        let pending = self.pending_sticky(reader, rooms, (after, to)).await?;
        let mut page = StickyPage {
            events: BTreeMap::new(),
            place: after.clone(),
            has_more: false,
        };
        let mut room_for = limit;
        let mut rest = pending.as_slice();
        while !page.has_more && !rest.is_empty() {
            let numbers: Vec<EventNumber> = rest.iter().take(limit).map(|next| next.event).collect();
            let events = self.rooms().events(&numbers).await?;
            let events: HashMap<EventNumber, Arc<Event>> =
                events.into_iter().map(|event| (event.number, event)).collect();
            for _ in 0..numbers.len() {
                let Some((next, others)) = rest.split_first() else {
                    break;
                };
                let event = events.get(&next.event).filter(|_| !next.is_shown);
                if let Some(event) = event.filter(|event| !reader.ignored.hides(event)) {
                    if room_for == 0 {
                        page.has_more = true;
                        break;
                    }
                    room_for -= 1;
                    page.events.entry(next.room).or_default().push(Arc::clone(event));
                }
                page.place.told = next.place;
                rest = others;
            }
        }
        let shown_ahead = rest.iter().filter(|next| next.is_shown);
        page.place.shown = shown_ahead
            .map(|next| next.place.position)
            .take(SHOWN_MAX)
            .collect();
        Ok(page)
    }

    /// All that the reader has not been told, in the order in which it became theirs.
    async fn pending_sticky(
        &self,
        reader: &Reader,
        rooms: &[StickyRoom<'_>],
        (after, to): (&StickyPlace, Position),
    ) -> Result<Vec<Pending>, RoomError> {
        let now = self.clock().now();
        let mut pending = Vec::new();
        for StickyRoom { room, shown } in rooms {
            let sticky = room.sticky_events(now);
            let Some(first) = sticky.first() else { continue };
            let since = self.sticky_since(reader, room, first.position).await?;
            let Some(since) = since else { continue };
            let new = sticky.into_iter().map(|sticky| {
                let place = Place {
                    due: sticky.position.max(since),
                    position: sticky.position,
                };
                (place, sticky.event)
            });
            let new = new.filter(|(place, _)| *place > after.told && place.due <= to);
            pending.extend(new.map(|(place, event)| Pending {
                is_shown: shown.contains(&event) || after.shown.contains(&place.position),
                room: room.number,
                place,
                event,
            }));
        }
        pending.sort_unstable_by_key(|next| next.place);
        Ok(pending)
    }

    /// Since when the reader is in the room, or any earlier position if that is before `first`; `None` if they are not.
    async fn sticky_since(
        &self,
        reader: &Reader,
        room: &Room,
        first: Position,
    ) -> Result<Option<Position>, RoomError> {
        let memberships = self.rooms().rooms_of(reader.user).await?;
        match memberships.get(&room.number) {
            // The membership's event of now is a join, or a later change of name.
            Some(own) if own.position <= first && room.view().members.joined.contains(&reader.user) => {
                Ok(Some(own.position))
            }
            Some(_) => Ok(self.rooms().joined_since(room, reader.user).await?),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_place_survives_its_text_form() {
        let place = StickyPlace {
            told: Place {
                due: Position(17),
                position: Position(5),
            },
            shown: vec![Position(19), Position(23)],
        };
        assert_eq!(place.to_string(), "17-5-19-23");
        assert_eq!(place.to_string().parse(), Ok(place));
        let all = StickyPlace::all_until(Position(9));
        assert_eq!(all.to_string().parse(), Ok(all));
        let many = ["1"; SHOWN_MAX + 3].join("-");
        for bad in [
            "", "17", "17-", "-17-5", "17-5-", "17-5-x", "+17-5", "17--5", &many,
        ] {
            assert_eq!(bad.parse::<StickyPlace>(), Err(BadToken), "{bad}");
        }
    }

    #[test]
    fn what_a_room_had_before_a_join_comes_with_the_join() {
        let place = |due, position| Place {
            due: Position(due),
            position: Position(position),
        };
        assert!(place(9, 1) > StickyPlace::all_until(Position(8)).told);
        assert!(place(8, 8) < StickyPlace::all_until(Position(8)).told);
        assert!(place(9, 1) < place(9, 2));
        assert!(StickyPlace::start().told < place(1, 1));
    }
}
