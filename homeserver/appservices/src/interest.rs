//! Which services an event concerns (AS API § Pushing events): those with a namespace for its sender, for whose membership
//! it is about, for its room or an alias of it, and those with a user in the room.
//!
//! What follows from a user's name or a room's members is worked out once and kept. It is the room as it was at the event
//! that counts: a service that was away for an hour is told what its users would have seen, no more and no less.

use std::{collections::HashMap, sync::Arc};

use echorift_rooms::{Room, Rooms};
use echorift_storage::{Position, RoomNumber, StorageError, UserNumber};
use quick_cache::sync::Cache;
use ruma::{UserId, events::room::member::MembershipState};

use crate::{
    registry::{Registry, ServiceIndex, ServiceSet},
    store::{self, LoggedEvent},
};

/// Of how many users it is kept whose they are; some 100 bytes each.
const CACHED_USERS: usize = 100_000;
/// Of how many rooms it is kept who has users there.
const CACHED_ROOMS: usize = 20_000;
/// How many of a service's users are asked what they were at an event of the past.
const ASKED_MAX: usize = 50;

/// Who is concerned by what, for one registry.
pub(crate) struct Interest {
    pub registry: Arc<Registry>,
    rooms: Rooms,
    users: Cache<UserNumber, ServiceSet>,
    by_room: Cache<RoomNumber, Arc<RoomInterest>>,
}

/// Whom a room concerns.
struct RoomInterest {
    /// What is visible up to here was looked at.
    as_of: Position,
    /// The aliases were as they were after so many changes.
    alias_changes: u64,
    /// By the room's ID and aliases.
    by_name: ServiceSet,
    /// By that, or by a user who is joined now.
    now: ServiceSet,
    /// Since when the users of services are what they are now, at the latest.
    settled_at: Position,
    /// The users of each service who are or were in the room, and since when they are what they are.
    users: HashMap<ServiceIndex, Vec<Place>>,
}

#[derive(Clone, Copy)]
struct Place {
    user: UserNumber,
    is_joined: bool,
    since: Position,
}

impl Interest {
    pub fn new(registry: Arc<Registry>, rooms: &Rooms) -> Self {
        Self {
            registry,
            rooms: rooms.clone(),
            users: Cache::new(CACHED_USERS),
            by_room: Cache::new(CACHED_ROOMS),
        }
    }

    /// The services that an event concerns.
    pub async fn in_event(&self, event: &LoggedEvent) -> Result<ServiceSet, StorageError> {
        let mut concerned = self.of_user(event.sender).await?;
        if let Some(member) = event.member {
            let of_member = self.of_user(member).await?;
            if !of_member.is_empty() {
                self.forget_before(event.room, event.position);
            }
            concerned = concerned.and(&of_member);
        }
        Ok(concerned.and(&self.in_room_at(event.room, event.position).await?))
    }

    /// The services in whose namespaces a user is.
    pub async fn of_user(&self, user: UserNumber) -> Result<ServiceSet, StorageError> {
        if let Some(known) = self.users.get(&user) {
            return Ok(known);
        }
        let found = self.registry.of_user(&self.rooms.user_id(user).await?);
        self.users.insert(user, found.clone());
        Ok(found)
    }

    /// The services that a room concerns now.
    pub async fn in_room(&self, room: RoomNumber) -> Result<ServiceSet, StorageError> {
        Ok(self.of_room(room).await?.now.clone())
    }

    /// The users of a service who are in a room now.
    pub async fn users_in(
        &self,
        service: ServiceIndex,
        room: RoomNumber,
    ) -> Result<Vec<UserNumber>, StorageError> {
        let interest = self.of_room(room).await?;
        let places = interest.users.get(&service).into_iter().flatten();
        Ok(places
            .filter(|place| place.is_joined)
            .map(|place| place.user)
            .collect())
    }

    async fn in_room_at(&self, room: RoomNumber, position: Position) -> Result<ServiceSet, StorageError> {
        let interest = self.of_room(room).await?;
        if position >= interest.settled_at {
            return Ok(interest.now.clone());
        }
        let Some(loaded) = self.rooms.load(&[room]).await?.pop() else {
            return Ok(interest.by_name.clone());
        };
        let mut concerned = Vec::new();
        for (service, places) in &interest.users {
            if self.was_in(&loaded, places, position).await? {
                concerned.push(*service);
            }
        }
        Ok(interest.by_name.and(&concerned.into_iter().collect()))
    }

    /// Whether one of these users was in the room right after the event at `position`.
    async fn was_in(&self, room: &Room, places: &[Place], position: Position) -> Result<bool, StorageError> {
        if places
            .iter()
            .any(|place| place.is_joined && place.since <= position)
        {
            return Ok(true);
        }
        let changed = places.iter().filter(|place| place.since > position);
        for place in changed.take(ASKED_MAX) {
            if self.rooms.membership_at(room, place.user, position).await? == MembershipState::Join {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn of_room(&self, room: RoomNumber) -> Result<Arc<RoomInterest>, StorageError> {
        let alias_changes = self.rooms.alias_changes();
        if let Some(known) = self.by_room.get(&room)
            && (known.alias_changes == alias_changes || !self.registry.has_aliases())
        {
            return Ok(known);
        }
        let found = Arc::new(self.look_at(room, alias_changes).await?);
        self.by_room.insert(room, Arc::clone(&found));
        Ok(found)
    }

    async fn look_at(&self, room: RoomNumber, alias_changes: u64) -> Result<RoomInterest, StorageError> {
        let database = self.rooms.database();
        // Before the look, so that what becomes visible meanwhile is looked at again.
        let as_of = database.log().visible();
        let mut by_name = ServiceSet::default();
        if let Some(loaded) = self.rooms.load(&[room]).await?.pop() {
            by_name = self.registry.of_room(&loaded.id);
        }
        if self.registry.has_aliases() {
            for alias in self.rooms.aliases_of(&[room]).await?.into_values().flatten() {
                by_name = by_name.and(&self.registry.of_alias(&alias));
            }
        }
        let mut interest = RoomInterest {
            as_of,
            alias_changes,
            now: by_name.clone(),
            by_name,
            settled_at: Position(0),
            users: HashMap::new(),
        };
        let mut joined = Vec::new();
        for member in store::local_members(database, room).await? {
            let services = self.of_member(&member)?;
            if services.is_empty() {
                continue;
            }
            let place = Place {
                user: member.user,
                is_joined: member.membership == MembershipState::Join,
                since: member.position,
            };
            interest.settled_at = interest.settled_at.max(place.since);
            for service in services.iter() {
                interest.users.entry(service).or_default().push(place);
                joined.extend(place.is_joined.then_some(service));
            }
        }
        interest.now = interest.now.and(&joined.into_iter().collect());
        Ok(interest)
    }

    fn of_member(&self, member: &store::LocalMember) -> Result<ServiceSet, StorageError> {
        if let Some(known) = self.users.get(&member.user) {
            return Ok(known);
        }
        let user = UserId::parse_with_server_name(member.localpart.as_str(), self.rooms.server_name())
            .map_err(|error| StorageError::corrupt("accounts.localpart", error))?;
        let found = self.registry.of_user(&user);
        self.users.insert(member.user, found.clone());
        Ok(found)
    }

    /// Somebody's place in the room has changed at `position`: what was worked out before that does not hold any more.
    fn forget_before(&self, room: RoomNumber, position: Position) {
        if self
            .by_room
            .get(&room)
            .is_some_and(|known| known.as_of < position)
        {
            self.by_room.remove(&room);
        }
    }
}
