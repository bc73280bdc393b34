//! Which events another server may see (SS API § Backfilling and retrieving missing events).
//!
//! A server may see what any of its users may. It asks only about rooms that it is in, so that `shared` and
//! `world_readable` events are open to it whenever they were sent.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_events::Pdu;
use echorift_storage::{EventNumber, SnapshotNumber};
use ruma::{
    ServerName,
    events::{TimelineEventType, room::history_visibility::HistoryVisibility, room::member::MembershipState},
};

use crate::{
    Event, Room, RoomError, Rooms, State,
    servers::is_of,
    visibility::{membership_in, visibility_of},
};

impl Rooms {
    /// Those of a room's events that a server in the room may see. Three queries at most, and none if the room's history
    /// was never closed to members.
    pub async fn seen_by_server(
        &self,
        room: &Room,
        server: &ServerName,
        events: &[Arc<Event>],
    ) -> Result<HashSet<EventNumber>, RoomError> {
        if !self.was_ever_closed(room).await? {
            return Ok(events.iter().map(|event| event.number).collect());
        }
        let states = self
            .states(events.iter().map(|event| event.snapshot).collect::<HashSet<_>>())
            .await?;
        let mut deciding: HashSet<EventNumber> = HashSet::new();
        for state in states.values() {
            deciding.extend(state.get("m.room.history_visibility", ""));
            deciding.extend(members_of(state, server));
        }
        let changes = events.iter().filter(|event| decides(event, server));
        deciding.extend(changes.filter_map(|event| event.replaces));
        let deciding: Vec<EventNumber> = deciding.into_iter().collect();
        let deciding: HashMap<EventNumber, Arc<Event>> = self
            .events(&deciding)
            .await?
            .into_iter()
            .map(|event| (event.number, event))
            .collect();
        let around = StatesAround {
            server,
            open: open_states(&states, server, &deciding),
            states,
            deciding,
        };
        let seen = events.iter().filter(|event| around.allow(event));
        Ok(seen.map(|event| event.number).collect())
    }

    /// These events as a server in the room gets them: whole where it may see them, redacted where it may not. In their
    /// order.
    pub async fn for_server(
        &self,
        room: &Room,
        server: &ServerName,
        events: &[Arc<Event>],
    ) -> Result<Vec<Arc<Pdu>>, RoomError> {
        let seen = self.seen_by_server(room, server, events).await?;
        let shown = events.iter().map(|event| {
            if seen.contains(&event.number) {
                return Ok(Arc::clone(&event.pdu));
            }
            Ok(Arc::new(event.pdu.redacted(&room.rules)?))
        });
        shown.collect()
    }
}

/// What the states around some events say about a server.
struct StatesAround<'a> {
    server: &'a ServerName,
    states: HashMap<SnapshotNumber, State>,
    /// The states in which the server may see what happens.
    open: HashSet<SnapshotNumber>,
    /// The state events that decide.
    deciding: HashMap<EventNumber, Arc<Event>>,
}

impl StatesAround<'_> {
    /// By the state after the event, or for those events that change the answer by the state before.
    fn allow(&self, event: &Event) -> bool {
        if self.open.contains(&event.snapshot) {
            return true;
        }
        if !decides(event, self.server) {
            return false;
        }
        let before = event
            .replaces
            .and_then(|number| self.deciding.get(&number))
            .map(|event| &**event);
        let Some(state) = self.states.get(&event.snapshot) else {
            return false;
        };
        if event.pdu.event_type == TimelineEventType::RoomMember {
            let visibility = state.get("m.room.history_visibility", "");
            let visibility = visibility.and_then(|number| self.deciding.get(&number));
            admits(
                &visibility_of(visibility.map(|event| &**event)),
                &membership_in(before),
            )
        } else {
            let visibility = visibility_of(before);
            members_of(state, self.server)
                .filter_map(|number| self.deciding.get(&number))
                .any(|member| admits(&visibility, &membership_in(Some(member))))
                || is_open(&visibility)
        }
    }
}

/// Those of the states in which events are open to the server.
fn open_states(
    states: &HashMap<SnapshotNumber, State>,
    server: &ServerName,
    deciding: &HashMap<EventNumber, Arc<Event>>,
) -> HashSet<SnapshotNumber> {
    let find = |number: EventNumber| deciding.get(&number).map(|event| &**event);
    let is_open = |state: &State| {
        let visibility = visibility_of(state.get("m.room.history_visibility", "").and_then(find));
        is_open(&visibility)
            || members_of(state, server).any(|member| admits(&visibility, &membership_in(find(member))))
    };
    let open = states.iter().filter(|(_, state)| is_open(state));
    open.map(|(snapshot, _)| *snapshot).collect()
}

/// The member events of the server's users in a state.
fn members_of<'a>(state: &'a State, server: &'a ServerName) -> impl Iterator<Item = EventNumber> + 'a {
    state
        .of_type("m.room.member")
        .filter(|(user, _)| is_of(user, server))
        .map(|(_, event)| event)
}

/// Whether the event itself changes what the server may see.
fn decides(event: &Event, server: &ServerName) -> bool {
    match (&event.pdu.event_type, event.pdu.state_key.as_deref()) {
        (TimelineEventType::RoomHistoryVisibility, Some("")) => true,
        (TimelineEventType::RoomMember, Some(user)) => is_of(user, server),
        _ => false,
    }
}

fn is_open(visibility: &HistoryVisibility) -> bool {
    !matches!(visibility, HistoryVisibility::Invited | HistoryVisibility::Joined)
}

/// Whether a user with this membership at an event may see it, and their server with them.
fn admits(visibility: &HistoryVisibility, membership: &MembershipState) -> bool {
    match membership {
        MembershipState::Join => true,
        MembershipState::Invite => *visibility != HistoryVisibility::Joined,
        _ => is_open(visibility),
    }
}
