//! What stands around the events that were found, as a client is shown it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Event, Order, Reader, Room, RoomError, Rooms, TimelineToken};
use echorift_storage::{EventNumber, Position, RoomNumber};
use ruma::{OwnedRoomId, OwnedUserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{find::Hit, store};

/// The most events on either side of a result.
pub(crate) const SIDE_MAX: usize = 20;

/// So many state events of all rooms together are shown whole.
const STATE_MAX: usize = 20_000;

/// How much of the surroundings is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SidesWanted {
    /// At most [`SIDE_MAX`] count.
    pub before: usize,
    pub after: usize,
    /// Whether the names that the senders had then are wanted.
    pub profiles: bool,
}

/// The events around a result, and their senders.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The nearest first.
    pub before: Vec<Arc<Event>>,
    /// The nearest first.
    pub after: Vec<Arc<Event>>,
    pub profiles: BTreeMap<OwnedUserId, Profile>,
    /// To read on backwards from.
    pub start: TimelineToken,
    /// To read on forwards from.
    pub end: TimelineToken,
}

/// The name and picture of a sender at the time of the result.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    displayname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<String>,
}

/// The surroundings of each of these results, in their order. A handful of queries, however many results.
pub(crate) async fn surroundings(
    rooms: &Rooms,
    reader: &Reader,
    hits: &[Hit],
    wanted: SidesWanted,
) -> Result<Vec<Surroundings>, RoomError> {
    let (before, after) = (wanted.before.min(SIDE_MAX), wanted.after.min(SIDE_MAX));
    let neighbours = neighbours(rooms, reader, hits, (before, after)).await?;
    let mut all = Vec::with_capacity(hits.len());
    for hit in hits {
        let place = hit.event.position();
        let events = neighbours.get(&hit.room.number).map_or(&[][..], Vec::as_slice);
        let middle = events.partition_point(|event| event.position() < place);
        let (earlier, later) = events.split_at_checked(middle).unwrap_or_default();
        // What is beyond a gap of the timeline does not surround the result.
        let edge = |order| hit.room.gap_from(place, order).map(|gap| gap.edge(order).0);
        let (lowest, highest) = (edge(Order::NewestFirst), edge(Order::OldestFirst));
        let earlier = earlier
            .iter()
            .rev()
            .filter(|event| lowest.is_none_or(|lowest| event.position() > lowest));
        let later = later
            .iter()
            .filter(|event| event.position() > place)
            .filter(|event| highest.is_none_or(|highest| event.position() <= highest));
        let earlier: Vec<Arc<Event>> = earlier.take(before).cloned().collect();
        let later: Vec<Arc<Event>> = later.take(after).cloned().collect();
        all.push(Surroundings {
            start: TimelineToken::before(earlier.last().map_or(place, |first| first.position())),
            end: TimelineToken(later.last().map_or(place, |last| last.position())),
            before: earlier,
            after: later,
            profiles: BTreeMap::new(),
        });
    }
    if wanted.profiles {
        add_profiles(rooms, hits, &mut all).await?;
    }
    Ok(all)
}

/// The visible events around all results by room, oldest first.
async fn neighbours(
    rooms: &Rooms,
    reader: &Reader,
    hits: &[Hit],
    (before, after): (usize, usize),
) -> Result<HashMap<RoomNumber, Vec<Arc<Event>>>, RoomError> {
    let mut by_room: HashMap<RoomNumber, Vec<Arc<Event>>> = HashMap::new();
    if hits.is_empty() || before + after == 0 {
        return Ok(by_room);
    }
    let places: Vec<(RoomNumber, Position)> = hits
        .iter()
        .map(|hit| (hit.room.number, hit.event.position()))
        .collect();
    let rows = |side: usize| i64::try_from(side).unwrap_or(i64::MAX);
    let numbers = store::neighbours::around(rooms.database(), &places, rows(before), rows(after)).await?;
    for event in rooms.events(&numbers).await? {
        by_room.entry(event.room).or_default().push(event);
    }
    let of_hits: HashMap<RoomNumber, &Arc<Room>> =
        hits.iter().map(|hit| (hit.room.number, &hit.room)).collect();
    for (number, events) in &mut by_room {
        let Some(room) = of_hits.get(number) else { continue };
        *events = rooms.visible(room, reader, std::mem::take(events)).await?;
        events.retain(|event| !reader.ignored.hides(event));
        events.sort_by_key(|event| event.position());
    }
    Ok(by_room)
}

/// Adds the profiles of all senders, from the states at the results.
async fn add_profiles(
    rooms: &Rooms,
    hits: &[Hit],
    surroundings: &mut [Surroundings],
) -> Result<(), RoomError> {
    let snapshots: HashSet<_> = hits.iter().map(|hit| hit.event.snapshot).collect();
    let states = rooms.states(snapshots).await?;
    let member = |hit: &Hit, event: &Event| {
        let state = states.get(&hit.event.snapshot)?;
        state.get("m.room.member", event.pdu.sender.as_str())
    };
    let mut members: HashSet<EventNumber> = HashSet::new();
    for (hit, around) in hits.iter().zip(surroundings.iter()) {
        let events = around.before.iter().chain(&around.after).chain([&hit.event]);
        members.extend(events.filter_map(|event| member(hit, event)));
    }
    let members: Vec<EventNumber> = members.into_iter().collect();
    let members = rooms.events(&members).await?;
    let profiles: HashMap<EventNumber, Profile> = members
        .iter()
        .filter_map(|event| Some((event.number, event.pdu.content_as().ok()?)))
        .collect();
    for (hit, around) in hits.iter().zip(surroundings) {
        let events = around.before.iter().chain(&around.after).chain([&hit.event]);
        let senders = events.filter_map(|event| {
            let profile = profiles.get(&member(hit, event)?)?;
            Some((event.pdu.sender.clone(), profile.clone()))
        });
        around.profiles = senders.collect();
    }
    Ok(())
}

/// The state of each room with a result, as the reader may see it. With lazy members only those who sent a result are
/// among it; so it is too when the whole would be more than [`STATE_MAX`] events.
pub(crate) async fn states(
    rooms: &Rooms,
    reader: &Reader,
    hits: &[Hit],
    lazy_members: bool,
) -> Result<BTreeMap<OwnedRoomId, Vec<Arc<Event>>>, RoomError> {
    let of_hits: BTreeMap<RoomNumber, &Arc<Room>> =
        hits.iter().map(|hit| (hit.room.number, &hit.room)).collect();
    let mut states = Vec::with_capacity(of_hits.len());
    for room in of_hits.into_values() {
        let access = rooms.access(room, reader).await?;
        states.push((room, rooms.state_for(room, access).await?));
    }
    let is_lazy = lazy_members || states.iter().map(|(_, state)| state.len()).sum::<usize>() > STATE_MAX;
    let senders: HashSet<(RoomNumber, &str)> = hits
        .iter()
        .map(|hit| (hit.room.number, hit.event.pdu.sender.as_str()))
        .collect();
    let wanted = states.iter().flat_map(|(room, state)| {
        state
            .iter()
            .filter(|(event_type, key, _)| {
                !is_lazy || *event_type != "m.room.member" || senders.contains(&(room.number, *key))
            })
            .map(|(_, _, event)| event)
    });
    let wanted: Vec<EventNumber> = wanted.collect();
    let mut by_room: BTreeMap<OwnedRoomId, Vec<Arc<Event>>> = BTreeMap::new();
    for event in rooms.events(&wanted).await? {
        by_room.entry(event.pdu.room_id.clone()).or_default().push(event);
    }
    Ok(by_room)
}

/// The results and what is around them as the reader gets them, by number: each event written once.
pub(crate) async fn present(
    rooms: &Rooms,
    reader: &Reader,
    hits: &[Hit],
    surroundings: &[Surroundings],
) -> Result<HashMap<EventNumber, Box<RawValue>>, RoomError> {
    type Events<'a> = BTreeMap<Position, &'a Arc<Event>>;
    let mut by_room: BTreeMap<RoomNumber, (&Arc<Room>, Events<'_>)> = BTreeMap::new();
    for (index, hit) in hits.iter().enumerate() {
        let (_, events) = by_room
            .entry(hit.room.number)
            .or_insert_with(|| (&hit.room, BTreeMap::new()));
        events.insert(hit.event.position(), &hit.event);
        if let Some(around) = surroundings.get(index) {
            let neighbours = around.before.iter().chain(&around.after);
            events.extend(neighbours.map(|event| (event.position(), event)));
        }
    }
    let mut written = HashMap::new();
    for (room, events) in by_room.into_values() {
        let events: Vec<Arc<Event>> = events.into_values().cloned().collect();
        let texts = rooms.present(room, &events, reader).await?;
        written.extend(events.iter().map(|event| event.number).zip(texts));
    }
    Ok(written)
}
