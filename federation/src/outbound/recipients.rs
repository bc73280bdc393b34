//! Which servers an event of ours is for.

use std::{collections::HashMap, sync::Arc};

use echorift_rooms::{Event, Room, Rooms, Standing, State};
use echorift_storage::{EventNumber, RoomNumber, SnapshotNumber, StorageError};
use imbl::OrdMap;
use ruma::{
    OwnedServerName, ServerName, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};
use serde::Deserialize;

/// The servers that an event is for, before the operator's policy is asked.
pub(super) struct Recipients {
    pub room: Arc<Room>,
    /// Those in the room after the event.
    joined: OrdMap<OwnedServerName, usize>,
    /// Those said to be in the room, as long as its members are not known.
    said: Vec<OwnedServerName>,
    /// That of the user whose membership it is about, which may just have been taken out of the room, or was never in
    /// it and has an invite.
    concerned: Option<OwnedServerName>,
    /// That which made the event and had us distribute it.
    origin: Option<OwnedServerName>,
}

impl Recipients {
    pub fn iter(&self) -> impl Iterator<Item = &ServerName> {
        let joined = self.joined.keys().map(|server| &**server);
        let concerned = self.concerned.as_deref();
        let concerned = concerned.filter(|server| !self.joined.contains_key(*server));
        let said = self.said.iter().map(|server| &**server);
        let said = said.filter(|server| {
            !self.joined.contains_key(*server) && self.concerned.as_deref() != Some(*server)
        });
        joined
            .chain(concerned)
            .chain(said)
            .filter(|server| self.origin.as_deref() != Some(*server))
    }

    pub fn contains(&self, server: &ServerName) -> bool {
        let is_there = self.joined.contains_key(server)
            || self.concerned.as_deref() == Some(server)
            || self.said.iter().any(|said| said == server);
        is_there && self.origin.as_deref() != Some(server)
    }
}

/// For each of these events whom it is for; events of rooms that are not held are left out.
///
/// That is who was in the room at the event, not who is now: nobody gets what was said before they came or after they
/// left. A handful of queries, however many events; none where all is in memory.
pub(super) async fn recipients(
    rooms: &Rooms,
    events: &[Arc<Event>],
) -> Result<Vec<(Arc<Event>, Recipients)>, StorageError> {
    let mut numbers: Vec<RoomNumber> = events.iter().map(|event| event.room).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let loaded = rooms.load(&numbers).await?;
    let views: HashMap<RoomNumber, _> = loaded
        .into_iter()
        .map(|room| (room.number, (room.view(), room)))
        .collect();
    // Nearly always the room's state is still that of the event.
    let mut differing: HashMap<SnapshotNumber, RoomNumber> = HashMap::new();
    for event in events {
        if let Some((view, _)) = views.get(&event.room)
            && view.state.snapshot != event.room_snapshot
        {
            differing.insert(event.room_snapshot, event.room);
        }
    }
    let mut changes: HashMap<SnapshotNumber, Vec<MemberChange>> = HashMap::new();
    for (snapshot, state) in rooms.states(differing.keys().copied()).await? {
        if let Some((view, _)) = differing.get(&snapshot).and_then(|room| views.get(room)) {
            changes.insert(snapshot, member_changes(&state, &view.state));
        }
    }
    let joins = joins(rooms, changes.values().flatten()).await?;
    let mut joined_at: HashMap<SnapshotNumber, OrdMap<OwnedServerName, usize>> = HashMap::new();
    for (snapshot, changes) in changes {
        if let Some((view, _)) = differing.get(&snapshot).and_then(|room| views.get(room)) {
            let mut joined = view.members.remote_servers.clone();
            for change in &changes {
                undo(&mut joined, change, &joins, rooms.server_name());
            }
            joined_at.insert(snapshot, joined);
        }
    }
    let is_partial = views
        .values()
        .any(|(_, room)| room.standing() == Standing::Partial);
    let mut said = HashMap::new();
    if is_partial {
        said = rooms.servers_of_partial().await?;
        for servers in said.values_mut() {
            servers.retain(|server| server != rooms.server_name());
            servers.sort_unstable();
            servers.dedup();
        }
    }
    let found = events.iter().filter_map(|event| {
        let (view, room) = views.get(&event.room)?;
        let joined = joined_at.get(&event.room_snapshot);
        let recipients = Recipients {
            room: Arc::clone(room),
            joined: joined.unwrap_or(&view.members.remote_servers).clone(),
            said: said.get(&event.room).cloned().unwrap_or_default(),
            concerned: concerned(event, rooms.server_name()),
            origin: Some(event.pdu.sender.server_name())
                .filter(|origin| *origin != rooms.server_name())
                .map(ToOwned::to_owned),
        };
        Some((Arc::clone(event), recipients))
    });
    Ok(found.collect())
}

/// A membership that differs between the state at an event and that of now.
struct MemberChange {
    server: OwnedServerName,
    then: Option<EventNumber>,
    now: Option<EventNumber>,
}

fn member_changes(then: &State, now: &State) -> Vec<MemberChange> {
    let changes = then.changes_to(now).into_iter().filter_map(|change| {
        let user = change.key.strip_prefix("m.room.member\0")?;
        Some(MemberChange {
            server: UserId::parse(user).ok()?.server_name().to_owned(),
            then: change.before,
            now: change.after,
        })
    });
    changes.collect()
}

/// Which of these member events are joins.
async fn joins(
    rooms: &Rooms,
    changes: impl Iterator<Item = &MemberChange>,
) -> Result<HashMap<EventNumber, bool>, StorageError> {
    let mut numbers: Vec<EventNumber> = changes
        .flat_map(|change| [change.then, change.now])
        .flatten()
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let events = rooms.events(&numbers).await?;
    let is_join = |event: &Event| membership_in(event) == Some(MembershipState::Join);
    Ok(events
        .iter()
        .map(|event| (event.number, is_join(event)))
        .collect())
}

fn membership_in(event: &Event) -> Option<MembershipState> {
    #[derive(Deserialize)]
    struct Content {
        membership: MembershipState,
    }
    let content: Content = event.pdu.content_as().ok()?;
    Some(content.membership)
}

/// Counts a server's members as they were before the change.
fn undo(
    joined: &mut OrdMap<OwnedServerName, usize>,
    change: &MemberChange,
    joins: &HashMap<EventNumber, bool>,
    own: &ServerName,
) {
    let is_join = |event: Option<EventNumber>| {
        event
            .and_then(|event| joins.get(&event).copied())
            .unwrap_or(false)
    };
    let (then, now) = (is_join(change.then), is_join(change.now));
    if then == now || *change.server == *own {
        return;
    }
    let count = joined.get(&change.server).copied().unwrap_or(0);
    let count = if then { count + 1 } else { count.saturating_sub(1) };
    if count == 0 {
        joined.remove(&change.server);
    } else {
        joined.insert(change.server.clone(), count);
    }
}

/// The server of the user of a member event. An invite reaches it by `/invite`, with what it needs to understand it.
fn concerned(event: &Event, own: &ServerName) -> Option<OwnedServerName> {
    let pdu = &event.pdu;
    if membership_in(event) == Some(MembershipState::Invite) {
        return None;
    }
    let user = pdu
        .state_key
        .as_deref()
        .filter(|_| pdu.event_type == TimelineEventType::RoomMember)?;
    let server = UserId::parse(user).ok()?.server_name().to_owned();
    (*server != *own).then_some(server)
}
