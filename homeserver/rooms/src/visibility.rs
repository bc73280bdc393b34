//! Who may see which events (CS API § Room History Visibility).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::{EventNumber, Position, RoomNumber, SnapshotNumber, StorageError};
use ruma::events::{
    TimelineEventType,
    room::{history_visibility::HistoryVisibility, member::MembershipState},
};
use serde::Deserialize;

use crate::{
    Event, Outcome, Reader, Room, RoomError, Rooms, State, append::membership_of,
    membership_history::Departure, store,
};

/// In what capacity somebody reads a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Joined now.
    Joined,
    /// Was joined. Sees what was there until then: events up to and including the one at `until`, which ended it, and
    /// the state after that event. Of later events only those that everyone may see.
    Left {
        until: Position,
        snapshot: SnapshotNumber,
    },
    /// Never was joined, but everyone may read the room.
    Peeking,
}

impl Access {
    /// The last position that the reader's own membership opens.
    pub fn until(self) -> Position {
        match self {
            Self::Joined | Self::Peeking => Position(i64::MAX),
            Self::Left { until, .. } => until,
        }
    }
}

/// Which values a room's history visibility ever had, the default at the room's beginning included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Visibilities {
    /// `invited` or `joined` at some time: who may see an event depends on the state at that event.
    has_restricted: bool,
    /// `world_readable` at some time: events may be open to everyone.
    has_world_readable: bool,
}

impl Visibilities {
    fn add(&mut self, visibility: &HistoryVisibility) {
        match visibility {
            HistoryVisibility::Invited | HistoryVisibility::Joined => self.has_restricted = true,
            HistoryVisibility::WorldReadable => self.has_world_readable = true,
            _ => {}
        }
    }
}

impl Rooms {
    /// In what capacity the reader may see anything of the room. Errors: `NotJoined` if in none.
    pub async fn access(&self, room: &Room, reader: &Reader) -> Result<Access, RoomError> {
        let not_joined = || RoomError::NotJoined {
            user_id: reader.user_id.clone(),
            room_id: room.id.clone(),
        };
        self.find_access(room, reader).await?.ok_or_else(not_joined)
    }

    /// As [`Rooms::access`]; `None` if the reader may see nothing of the room.
    pub async fn find_access(&self, room: &Room, reader: &Reader) -> Result<Option<Access>, RoomError> {
        let view = room.view();
        if view.members.joined.contains(&reader.user) {
            return Ok(Some(Access::Joined));
        }
        if self.own_membership(room, reader.user).await?.is_some() {
            let departure = self.membership_history(room, reader.user).await?.last_departure();
            if let Some(Departure { position, snapshot }) = departure {
                return Ok(Some(Access::Left {
                    until: position,
                    snapshot,
                }));
            }
        }
        let is_open = self.history_visibility(&view.state).await? == HistoryVisibility::WorldReadable;
        Ok(is_open.then_some(Access::Peeking))
    }

    /// The history visibility in a state; `shared` if it has none, or one that we do not know.
    pub async fn history_visibility(&self, state: &State) -> Result<HistoryVisibility, StorageError> {
        let event = self.state_event(state, "m.room.history_visibility", "").await?;
        Ok(visibility_of(event.as_deref()))
    }

    /// The state that somebody with this access may see: that of now, or that of when they left.
    pub async fn state_for(&self, room: &Room, access: Access) -> Result<State, StorageError> {
        match access {
            Access::Joined | Access::Peeking => Ok(room.view().state.clone()),
            Access::Left { snapshot, .. } => self.state(snapshot).await,
        }
    }

    /// Reads with one query what [`Rooms::visible`] wants to know about each of these rooms, for whoever asks about
    /// many. Without it the first question about a room costs a query.
    pub async fn prepare_visibility(&self, rooms: &[Arc<Room>]) -> Result<(), StorageError> {
        let rooms: Vec<&Room> = rooms.iter().map(|room| &**room).collect();
        self.load_visibilities(&rooms).await
    }

    /// Those of a room's events that the reader may see, in their order. Of events that are not part of the timeline
    /// none. Ignored users' events are not looked for.
    ///
    /// Loads states only if the room's history was ever closed to members, or the reader is none. Source: CS API §
    /// Room History Visibility.
    pub async fn visible(
        &self,
        room: &Room,
        reader: &Reader,
        mut events: Vec<Arc<Event>>,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        events.retain(|event| event.outcome == Outcome::Accepted && event.position() != Position(0));
        if events.is_empty() {
            return Ok(events);
        }
        let Some(access) = self.find_access(room, reader).await? else {
            return Ok(Vec::new());
        };
        let visibilities = self.visibilities(room).await?;
        if !visibilities.has_world_readable {
            // Nothing is open to those who are not, or no longer, members.
            events.retain(|event| access != Access::Peeking && event.position() <= access.until());
        }
        let is_open_to_members = !visibilities.has_restricted;
        let is_settled = |event: &Event| {
            is_open_to_members && access != Access::Peeking && event.position() <= access.until()
        };
        if events.iter().all(|event| is_settled(event)) {
            return Ok(events);
        }
        let mut states = StatesAround::load(self, reader, &events).await?;
        events.retain(|event| is_settled(event) || states.allow(access, reader, event));
        Ok(events)
    }

    /// Up to where the reader sees every event of the room, whatever it is, for whoever asks about events that are not
    /// loaded; `None` if that depends on the event, which [`Rooms::visible`] decides.
    pub async fn sees_all_until(&self, room: &Room, reader: &Reader) -> Result<Option<Position>, RoomError> {
        let visibilities = self.visibilities(room).await?;
        let access = match self.find_access(room, reader).await? {
            Some(access) if access != Access::Peeking && !visibilities.has_restricted => access,
            _ => return Ok(None),
        };
        Ok(Some(access.until()))
    }

    /// Whether the reader's own membership is all that opens the room's events to them.
    pub(crate) async fn is_closed_to_others(&self, room: &Room) -> Result<bool, StorageError> {
        Ok(!self.visibilities(room).await?.has_world_readable)
    }

    /// Whether the room's history was ever open only to who was there.
    pub(crate) async fn was_ever_closed(&self, room: &Room) -> Result<bool, StorageError> {
        Ok(self.visibilities(room).await?.has_restricted)
    }

    async fn visibilities(&self, room: &Room) -> Result<Visibilities, StorageError> {
        if let Some(visibilities) = self.cached_visibilities(room) {
            return Ok(visibilities);
        }
        self.load_visibilities(&[room]).await?;
        self.cached_visibilities(room)
            .ok_or_else(|| StorageError::corrupt("visibilities", room.number))
    }

    /// What is known holds as long as the room's history visibility event is the same.
    fn cached_visibilities(&self, room: &Room) -> Option<Visibilities> {
        let current = room.view().state.get("m.room.history_visibility", "");
        let (of, visibilities) = self.0.visibilities.get(&room.number)?;
        (of == current).then_some(visibilities)
    }

    async fn load_visibilities(&self, rooms: &[&Room]) -> Result<(), StorageError> {
        let unknown = rooms
            .iter()
            .filter(|room| self.cached_visibilities(room).is_none());
        // Looked up before the query, so that a change in between is noticed the next time.
        let unknown: HashMap<RoomNumber, Option<EventNumber>> = unknown
            .map(|room| {
                (
                    room.number,
                    room.view().state.get("m.room.history_visibility", ""),
                )
            })
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let numbers: Vec<RoomNumber> = unknown.keys().copied().collect();
        let stored = store::timeline::history_visibilities(self.database(), &numbers).await?;
        let events: Vec<EventNumber> = stored.into_iter().map(|(_, event)| event).collect();
        let mut found: HashMap<RoomNumber, Visibilities> = HashMap::new();
        for event in self.events(&events).await? {
            found
                .entry(event.room)
                .or_default()
                .add(&visibility_of(Some(&event)));
        }
        for (room, current) in unknown {
            self.0
                .visibilities
                .insert(room, (current, found.remove(&room).unwrap_or_default()));
        }
        Ok(())
    }
}

/// The history visibility that an event sets.
pub(crate) fn visibility_of(event: Option<&Event>) -> HistoryVisibility {
    #[derive(Deserialize)]
    struct Content {
        history_visibility: HistoryVisibility,
    }
    let content = event.and_then(|event| event.pdu.content_as::<Content>().ok());
    match content.map(|content| content.history_visibility) {
        Some(
            known @ (HistoryVisibility::Invited
            | HistoryVisibility::Joined
            | HistoryVisibility::Shared
            | HistoryVisibility::WorldReadable),
        ) => known,
        _ => HistoryVisibility::Shared,
    }
}

/// The membership that a member event sets; `leave` for who has none.
pub(crate) fn membership_in(event: Option<&Event>) -> MembershipState {
    event
        .and_then(|event| membership_of(&event.pdu).ok())
        .unwrap_or(MembershipState::Leave)
}

/// What the states around some events say about visibility, looked at once for each state.
struct StatesAround {
    by_snapshot: HashMap<SnapshotNumber, (HistoryVisibility, MembershipState)>,
    /// The state events that decide.
    events: HashMap<EventNumber, Arc<Event>>,
}

impl StatesAround {
    /// Three queries at most, however many events there are.
    async fn load(rooms: &Rooms, reader: &Reader, events: &[Arc<Event>]) -> Result<Self, RoomError> {
        let snapshots: HashSet<SnapshotNumber> = events.iter().map(|event| event.snapshot).collect();
        let states = rooms.states(snapshots).await?;
        let keys = |state: &State| {
            let visibility = state.get("m.room.history_visibility", "");
            (visibility, state.get("m.room.member", reader.user_id.as_str()))
        };
        let mut wanted: HashSet<EventNumber> = HashSet::new();
        for state in states.values() {
            let (visibility, member) = keys(state);
            wanted.extend(visibility.into_iter().chain(member));
        }
        wanted.extend(
            events
                .iter()
                .filter(|event| decides(event, reader))
                .filter_map(|event| event.replaces),
        );
        let wanted: Vec<EventNumber> = wanted.into_iter().collect();
        let found = rooms.events(&wanted).await?;
        let events: HashMap<EventNumber, Arc<Event>> =
            found.into_iter().map(|event| (event.number, event)).collect();
        let find = |number: Option<EventNumber>| {
            number
                .and_then(|number| events.get(&number))
                .map(|event| &**event)
        };
        let by_snapshot = states.iter().map(|(snapshot, state)| {
            let (visibility, member) = keys(state);
            (
                *snapshot,
                (visibility_of(find(visibility)), membership_in(find(member))),
            )
        });
        Ok(Self {
            by_snapshot: by_snapshot.collect(),
            events,
        })
    }

    /// Whether the state after the event lets the reader see it, or for those events that change the answer the state
    /// before.
    fn allow(&mut self, access: Access, reader: &Reader, event: &Event) -> bool {
        let Some((visibility, membership)) = self.by_snapshot.get(&event.snapshot) else {
            return false;
        };
        if is_allowed(access, event, visibility, membership) {
            return true;
        }
        if !decides(event, reader) {
            return false;
        }
        let before = event
            .replaces
            .and_then(|number| self.events.get(&number))
            .map(|event| &**event);
        if event.pdu.event_type == TimelineEventType::RoomMember {
            is_allowed(access, event, visibility, &membership_in(before))
        } else {
            is_allowed(access, event, &visibility_of(before), membership)
        }
    }
}

/// Whether the event itself changes what the reader may see: it may be seen with what stood before it as well.
fn decides(event: &Event, reader: &Reader) -> bool {
    match (&event.pdu.event_type, event.pdu.state_key.as_deref()) {
        (TimelineEventType::RoomHistoryVisibility, Some("")) => true,
        (TimelineEventType::RoomMember, Some(user)) => user == reader.user_id.as_str(),
        _ => false,
    }
}

/// The five rules of CS API § Room History Visibility § Server behaviour, within what the access opens.
fn is_allowed(
    access: Access,
    event: &Event,
    visibility: &HistoryVisibility,
    membership: &MembershipState,
) -> bool {
    if *visibility == HistoryVisibility::WorldReadable {
        return true;
    }
    let has_joined_later = match access {
        // In all other cases one has to join before one sees anything.
        Access::Peeking => return false,
        Access::Left { until, .. } if event.position() > until => return false,
        Access::Left { until, .. } => event.position() < until,
        Access::Joined => true,
    };
    match membership {
        MembershipState::Join => true,
        MembershipState::Invite if *visibility == HistoryVisibility::Invited => true,
        _ => *visibility == HistoryVisibility::Shared && has_joined_later,
    }
}

#[cfg(test)]
mod tests;
