use std::collections::HashMap;

use echorift_rooms::{RoomError, Rooms, UserMembership};
use echorift_storage::{EventNumber, RoomNumber};
use quick_cache::sync::Cache;
use ruma::events::room::member::MembershipState;
use serde::Deserialize;

/// How many departures are remembered.
const CACHED: usize = 100_000;
/// How many member events before a departure are looked at for a time when the user was joined: a ban follows a kick,
/// an unban a ban.
const LOOKED_BACK: usize = 4;

/// Which memberships ended how, by their last member event: events do not change.
pub(crate) struct Departures(Cache<EventNumber, Departure>);

/// How somebody's membership of a room ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The user left of their own accord, or never came in.
    Left,
    /// The user was in and was kicked or banned.
    Removed,
}

impl Departures {
    pub fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    /// Those of these ended memberships that ended by a kick or a ban (MSC4186 § Lists). A handful of queries at most,
    /// however many there are.
    pub async fn removed_from(
        &self,
        rooms: &Rooms,
        ended: impl Iterator<Item = (RoomNumber, &UserMembership)>,
    ) -> Result<Vec<RoomNumber>, RoomError> {
        let ended: Vec<(RoomNumber, EventNumber)> = ended.map(|(room, last)| (room, last.event)).collect();
        let unknown: Vec<EventNumber> = ended
            .iter()
            .map(|(_, event)| *event)
            .filter(|event| self.0.get(event).is_none())
            .collect();
        if !unknown.is_empty() {
            for (event, departure) in judge(rooms, unknown).await? {
                self.0.insert(event, departure);
            }
        }
        let is_removed = |event: &EventNumber| self.0.get(event) == Some(Departure::Removed);
        Ok(ended
            .into_iter()
            .filter(|(_, event)| is_removed(event))
            .map(|(room, _)| room)
            .collect())
    }
}

async fn judge(rooms: &Rooms, last: Vec<EventNumber>) -> Result<HashMap<EventNumber, Departure>, RoomError> {
    #[derive(Deserialize)]
    struct Content {
        membership: MembershipState,
    }
    let mut judged: HashMap<EventNumber, Departure> =
        last.iter().map(|event| (*event, Departure::Left)).collect();
    // Member events to look at, each with the departure that it came before.
    let mut before: HashMap<EventNumber, EventNumber> = last.iter().map(|event| (*event, *event)).collect();
    for _ in 0..LOOKED_BACK {
        let numbers: Vec<EventNumber> = before.keys().copied().collect();
        if numbers.is_empty() {
            break;
        }
        let mut earlier = HashMap::new();
        for event in rooms.events(&numbers).await? {
            let Some(last) = before.get(&event.number) else {
                continue;
            };
            let is_own = event.pdu.state_key.as_deref() == Some(event.pdu.sender.as_str());
            match event
                .pdu
                .content_as::<Content>()
                .map(|content| content.membership)
            {
                Ok(MembershipState::Join) => {
                    judged.insert(*last, Departure::Removed);
                }
                // Who left and was banned later was banned from a room that they had been in.
                Ok(MembershipState::Leave) if is_own && event.number == *last => {}
                Ok(MembershipState::Leave | MembershipState::Ban) => {
                    earlier.extend(event.replaces.map(|replaced| (replaced, *last)));
                }
                _ => {}
            }
        }
        before = earlier;
    }
    Ok(judged)
}
