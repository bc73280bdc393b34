//! Finding the rooms that the settings name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use echorift_rooms::{Room, RoomError, Rooms};
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedServerName};

use super::{config::RoomName, target::Target};

/// For more names than this all aliases of the server are read at once.
const ALIASES_ASKED_SINGLY: usize = 8;

/// Where a room is.
#[derive(Clone)]
pub(crate) enum Place {
    Here(Arc<Room>),
    /// Only others are in it; these may let people in.
    Elsewhere {
        id: OwnedRoomId,
        via: Vec<OwnedServerName>,
    },
    Missing,
    /// The server of the alias does not answer.
    Unreachable(String),
}

/// The rooms of these targets. A query each for a few, and two for many; other servers are asked for their aliases.
pub(crate) async fn find(rooms: &Rooms, targets: &[&Target]) -> Result<HashMap<RoomName, Place>, RoomError> {
    let own = |target: &&&Target| target.name.own_localpart(rooms.server_name()).is_some();
    let known = match targets.iter().filter(own).count() > ALIASES_ASKED_SINGLY {
        true => Some(all_own(rooms, targets).await?),
        false => None,
    };
    let mut places = HashMap::with_capacity(targets.len());
    for target in targets {
        let place = match (&target.name, &known) {
            (RoomName::Id(id), _) => at(rooms, id.clone(), Vec::new()).await?,
            (RoomName::Alias(alias), Some(known)) if alias.server_name() == rooms.server_name() => {
                known.get(alias).cloned().map_or(Place::Missing, Place::Here)
            }
            (RoomName::Alias(alias), _) => match rooms.resolve_alias(alias).await {
                Ok((id, via)) => at(rooms, id, via).await?,
                Err(RoomError::NotFound(_)) => Place::Missing,
                Err(error @ RoomError::Storage(_)) => return Err(error),
                Err(error) => Place::Unreachable(error.to_string()),
            },
        };
        places.insert(target.name.clone(), place);
    }
    Ok(places)
}

async fn at(rooms: &Rooms, id: OwnedRoomId, via: Vec<OwnedServerName>) -> Result<Place, RoomError> {
    Ok(match rooms.find_enterable(&id).await? {
        Some(room) => Place::Here(room),
        None => Place::Elsewhere { id, via },
    })
}

async fn all_own(
    rooms: &Rooms,
    targets: &[&Target],
) -> Result<HashMap<OwnedRoomAliasId, Arc<Room>>, RoomError> {
    let named: HashSet<&RoomName> = targets.iter().map(|target| &target.name).collect();
    let mut aliases = rooms.all_aliases().await?;
    aliases.retain(|(alias, _)| named.contains(&RoomName::Alias(alias.clone())));
    let ids: Vec<OwnedRoomId> = aliases.iter().map(|(_, id)| id.clone()).collect();
    let loaded = rooms.load(&rooms.room_numbers(&ids).await?).await?;
    let loaded: HashMap<OwnedRoomId, Arc<Room>> =
        loaded.into_iter().map(|room| (room.id.clone(), room)).collect();
    let found = aliases.into_iter();
    Ok(found
        .filter_map(|(alias, id)| Some((alias, Arc::clone(loaded.get(&id)?))))
        .collect())
}
