use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_accounts::RoomAccountDataOfUser;
use echorift_rooms::{Reader, RoomError, RoomsOfUser};
use echorift_storage::{EventNumber, RoomNumber};
use ruma::{OwnedRoomId, events::room::member::MembershipState};
use serde::Deserialize;

use super::{connection::Standing, request::Filters, room_list::Entry};
use crate::Syncs;

/// How many spaces one filter may name; the rest are ignored.
const SPACES_MAX: usize = 100;

/// What filters look at besides the rooms themselves, read once for all lists of a request.
pub(crate) struct FilterFacts {
    pub direct: Arc<HashSet<String>>,
    /// The types of rooms that have one.
    types: HashMap<RoomNumber, String>,
    account_data: Option<Arc<RoomAccountDataOfUser>>,
    /// The rooms of each space that is named by a filter.
    spaces: HashMap<OwnedRoomId, HashSet<String>>,
}

impl Syncs {
    /// Reads what these filters want to know. From memory for rooms that are in use.
    pub(super) async fn filter_facts<'a>(
        &self,
        reader: &Reader,
        memberships: &RoomsOfUser,
        entries: &[Entry],
        filters: impl Iterator<Item = &'a Filters> + Clone,
    ) -> Result<FilterFacts, RoomError> {
        let asks_types = |filters: &Filters| filters.room_types.is_some() || filters.not_room_types.is_some();
        let types = if filters.clone().any(asks_types) {
            self.room_types(entries).await?
        } else {
            HashMap::new()
        };
        let asks_tags = |filters: &Filters| filters.tags.is_some() || filters.not_tags.is_some();
        let account_data = if filters.clone().any(asks_tags) {
            Some(self.accounts().room_account_data(reader.user).await?)
        } else {
            None
        };
        let mut spaces = HashMap::new();
        let named = filters.filter_map(|filters| filters.spaces.as_ref());
        for space in named.flat_map(|spaces| spaces.iter().take(SPACES_MAX)) {
            if !spaces.contains_key(space) {
                spaces.insert(
                    space.clone(),
                    self.space_children(memberships, entries, space).await?,
                );
            }
        }
        Ok(FilterFacts {
            direct: self.direct_rooms().of(self.accounts(), reader.user).await?,
            types,
            account_data,
            spaces,
        })
    }

    async fn room_types(&self, entries: &[Entry]) -> Result<HashMap<RoomNumber, String>, RoomError> {
        #[derive(Deserialize)]
        struct Create {
            #[serde(rename = "type")]
            room_type: Option<String>,
        }
        let created = entries
            .iter()
            .filter_map(|entry| entry.room.view().state.get("m.room.create", ""));
        let created: Vec<EventNumber> = created.collect();
        let mut types = HashMap::new();
        for event in self.rooms().events(&created).await? {
            if !event.pdu.content.get().contains("\"type\"") {
                continue;
            }
            let create = event.pdu.content_as::<Create>();
            if let Some(room_type) = create.ok().and_then(|create| create.room_type) {
                types.insert(event.room, room_type);
            }
        }
        Ok(types)
    }

    /// The rooms that a space names as its children; none if the reader is not in it.
    async fn space_children(
        &self,
        memberships: &RoomsOfUser,
        entries: &[Entry],
        space: &OwnedRoomId,
    ) -> Result<HashSet<String>, RoomError> {
        #[derive(Deserialize)]
        struct Child {
            #[serde(default)]
            via: Vec<String>,
        }
        let is_joined = |entry: &&Entry| {
            entry.room.id == *space
                && memberships
                    .get(&entry.room.number)
                    .is_some_and(|own| own.membership == MembershipState::Join)
        };
        let Some(entry) = entries.iter().find(is_joined) else {
            return Ok(HashSet::new());
        };
        let view = entry.room.view();
        let children: Vec<EventNumber> = view
            .state
            .of_type("m.space.child")
            .map(|(_, event)| event)
            .collect();
        let events = self.rooms().events(&children).await?;
        // A child without `via` was taken out (CS API § m.space.child).
        let is_child = |content: Result<Child, _>| content.is_ok_and(|child: Child| !child.via.is_empty());
        let children = events
            .iter()
            .filter(|event| is_child(event.pdu.content_as::<Child>()));
        Ok(children.filter_map(|event| event.pdu.state_key.clone()).collect())
    }
}

impl FilterFacts {
    pub fn is_direct(&self, entry: &Entry) -> bool {
        self.direct.contains(entry.room.id.as_str())
    }

    /// Whether the room belongs into the list; all conditions must hold (MSC4186 § `SlidingRoomFilter`).
    pub fn matches(&self, filters: &Filters, entry: &Entry) -> bool {
        let room = &entry.room;
        let is_encrypted = || room.view().state.get("m.room.encryption", "").is_some();
        let room_type = self.types.get(&room.number);
        let has_type = |types: &Vec<Option<String>>| types.iter().any(|wanted| wanted.as_ref() == room_type);
        let is_in = |space: &OwnedRoomId| {
            self.spaces
                .get(space)
                .is_some_and(|rooms| rooms.contains(room.id.as_str()))
        };
        filters.is_dm.is_none_or(|wanted| wanted == self.is_direct(entry))
            && filters.is_encrypted.is_none_or(|wanted| wanted == is_encrypted())
            && filters
                .is_invited
                .is_none_or(|wanted| wanted == (entry.standing == Standing::Invited))
            && filters.room_types.as_ref().is_none_or(has_type)
            && !filters.not_room_types.as_ref().is_some_and(has_type)
            && filters
                .spaces
                .as_ref()
                .is_none_or(|spaces| spaces.iter().any(is_in))
            && self.has_wanted_tags(filters, room.number)
    }

    fn has_wanted_tags(&self, filters: &Filters, room: RoomNumber) -> bool {
        #[derive(Default, Deserialize)]
        struct Tags {
            #[serde(default)]
            tags: HashMap<String, serde::de::IgnoredAny>,
        }
        if filters.tags.is_none() && filters.not_tags.is_none() {
            return true;
        }
        let datum = self
            .account_data
            .as_ref()
            .and_then(|rooms| rooms.get(&room)?.get("m.tag"));
        let tags: Tags = datum
            .and_then(|datum| serde_json::from_str(datum.content.get()).ok())
            .unwrap_or_default();
        let has_any = |wanted: &Vec<String>| wanted.iter().any(|tag| tags.tags.contains_key(tag));
        filters.tags.as_ref().is_none_or(has_any) && !filters.not_tags.as_ref().is_some_and(has_any)
    }
}
