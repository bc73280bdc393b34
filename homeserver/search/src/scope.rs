//! In which rooms a reader searches.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use echorift_rooms::{Reader, Room, RoomError, Rooms};
use echorift_storage::{EventNumber, RoomNumber};
use ruma::{
    OwnedRoomId, RoomId, api::client::filter::RoomEventFilter, events::room::member::MembershipState,
};
use serde::Deserialize;

/// So many rooms are searched, those first that this server came to know last.
const ROOMS_MAX: usize = 5_000;
/// So many upgrades of a room are followed back.
const UPGRADES_MAX: usize = 20;

/// The rooms of a search. What of each room the reader sees is another question.
#[derive(Default)]
pub(crate) struct Scope {
    pub rooms: BTreeMap<RoomNumber, Arc<Room>>,
}

impl Scope {
    /// The rooms that the reader is or was in and that the filter wants, without those that are encrypted (CS API §
    /// Server Side Search). A filter that names a room means its predecessors too: to its members an upgraded room is
    /// still the same one.
    pub async fn of(rooms: &Rooms, reader: &Reader, filter: &RoomEventFilter) -> Result<Self, RoomError> {
        let mine = rooms.rooms_of(reader.user).await?;
        let was_inside = |membership: &MembershipState| {
            matches!(
                membership,
                MembershipState::Join | MembershipState::Leave | MembershipState::Ban
            )
        };
        let mine = mine
            .iter()
            .rev()
            .filter(|(_, mine)| was_inside(&mine.membership) && !mine.is_forgotten);
        let numbers: Vec<RoomNumber> = mine.map(|(room, _)| *room).take(ROOMS_MAX).collect();
        let mut loaded = rooms.load(&numbers).await?;
        loaded.retain(|room| room.view().state.get("m.room.encryption", "").is_none());
        if let Some(wanted) = &filter.rooms {
            let wanted = with_predecessors(rooms, &loaded, wanted).await?;
            loaded.retain(|room| wanted.contains(&room.id));
        }
        loaded.retain(|room| !filter.not_rooms.contains(&room.id));
        Ok(Self {
            rooms: loaded.into_iter().map(|room| (room.number, room)).collect(),
        })
    }
}

async fn with_predecessors(
    rooms: &Rooms,
    loaded: &[Arc<Room>],
    wanted: &[OwnedRoomId],
) -> Result<BTreeSet<OwnedRoomId>, RoomError> {
    let by_id: BTreeMap<&RoomId, &Arc<Room>> = loaded.iter().map(|room| (&*room.id, room)).collect();
    let mut all: BTreeSet<OwnedRoomId> = wanted.iter().cloned().collect();
    let mut next: Vec<OwnedRoomId> = all.iter().cloned().collect();
    for _ in 0..UPGRADES_MAX {
        let known = next.iter().filter_map(|id| by_id.get(&**id));
        let creations: Vec<EventNumber> = known
            .filter_map(|room| room.view().state.get("m.room.create", ""))
            .collect();
        next = predecessors(rooms, &creations).await?;
        next.retain(|room| all.insert(room.clone()));
        if next.is_empty() {
            break;
        }
    }
    Ok(all)
}

/// The rooms that these create events name as their predecessors.
async fn predecessors(rooms: &Rooms, creations: &[EventNumber]) -> Result<Vec<OwnedRoomId>, RoomError> {
    #[derive(Deserialize)]
    struct Create {
        predecessor: Option<Predecessor>,
    }
    #[derive(Deserialize)]
    struct Predecessor {
        room_id: OwnedRoomId,
    }
    let creations = rooms.events(creations).await?;
    let named = creations.iter().filter_map(|create| {
        let create: Create = create.pdu.content_as().ok()?;
        Some(create.predecessor?.room_id)
    });
    Ok(named.collect())
}
