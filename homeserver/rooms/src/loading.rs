//! Loading rooms: from memory, or with a handful of queries however many there are.

use std::{collections::HashMap, sync::Arc};

use echorift_events::rules_for;
use echorift_storage::{Chain, EventNumber, RoomNumber, StorageError, UserNumber};
use imbl::OrdSet;
use ruma::RoomId;

use crate::{
    RoomError, Rooms,
    engine::Slot,
    gaps::RoomGaps,
    receipts::{self, RoomReceipts},
    room::{Extremity, Head, Members, Room, Standing},
    sticky::RoomSticky,
    store::{self, events::StoredEvent, heads::StoredHead},
};

/// How many of its latest events are read with a room.
const LOADED_TAIL: i64 = 30;

impl Rooms {
    /// A room that is in memory.
    pub fn loaded(&self, number: RoomNumber) -> Option<Arc<Room>> {
        if let Some(room) = self.0.loaded.get(&number) {
            return Some(room);
        }
        let slot = Arc::clone(&*self.0.slots.get(&number)?);
        let room = slot.room.read().upgrade()?;
        self.0.loaded.insert(number, Arc::clone(&room));
        Some(room)
    }

    /// These rooms, in their order; those that are not stored are left out. A handful of queries, however many rooms.
    pub async fn load(&self, numbers: &[RoomNumber]) -> Result<Vec<Arc<Room>>, StorageError> {
        let mut missing: Vec<RoomNumber> = numbers
            .iter()
            .copied()
            .filter(|number| self.loaded(*number).is_none())
            .collect();
        let mut fresh = HashMap::new();
        if !missing.is_empty() {
            // In the same order for everyone, so that two loads never wait for each other.
            missing.sort_unstable();
            missing.dedup();
            let slots: Vec<Arc<Slot>> = missing
                .iter()
                .map(|number| Arc::clone(&*self.0.slots.entry(*number).or_default()))
                .collect();
            let mut guards = Vec::with_capacity(slots.len());
            for slot in &slots {
                guards.push(slot.loading.lock().await);
            }
            missing.retain(|number| self.loaded(*number).is_none());
            for room in self.read_rooms(&missing).await? {
                fresh.insert(room.number, self.adopt(room));
            }
        }
        let found = numbers
            .iter()
            .filter_map(|number| fresh.get(number).cloned().or_else(|| self.loaded(*number)));
        Ok(found.collect())
    }

    /// Makes a room findable.
    pub(crate) fn adopt(&self, room: Room) -> Arc<Room> {
        let room = Arc::new(room);
        *self.0.slots.entry(room.number).or_default().room.write() = Arc::downgrade(&room);
        self.0.loaded.insert(room.number, Arc::clone(&room));
        room
    }

    async fn read_rooms(&self, numbers: &[RoomNumber]) -> Result<Vec<Room>, StorageError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let database = &self.0.database;
        let heads = store::heads::load(database, numbers).await?;
        let mut loaded = self.read_heads(&heads).await?;
        let mut all_receipts: HashMap<RoomNumber, Vec<_>> = HashMap::new();
        for (room, key, receipt) in receipts::load(database, numbers).await? {
            all_receipts.entry(room).or_default().push((key, receipt));
        }
        let mut all_sticky: HashMap<RoomNumber, Vec<_>> = HashMap::new();
        for (room, sticky, position) in store::sticky::of_rooms(database, numbers, self.clock().now()).await?
        {
            all_sticky.entry(room).or_default().push((sticky, position));
        }
        let mut all_gaps: HashMap<RoomNumber, Vec<_>> = HashMap::new();
        for (room, gap) in store::gaps::open_in(database, numbers).await? {
            all_gaps.entry(room).or_default().push(gap);
        }
        let mut tails: HashMap<RoomNumber, Vec<StoredEvent>> = HashMap::new();
        for event in store::events::tails(database, numbers, LOADED_TAIL).await? {
            tails.entry(event.room).or_default().push(event);
        }
        let room_numbers: Vec<i64> = heads.iter().map(|head| head.room.0).collect();
        let ids = self.0.names.names(&room_numbers).await?;
        let mut rooms = Vec::with_capacity(heads.len());
        for (stored, id) in heads.into_iter().zip(ids) {
            let id =
                RoomId::parse(&*id).map_err(|error| StorageError::corrupt("room_numbers.room_id", error))?;
            let rules = rules_for(&stored.version)
                .ok_or_else(|| StorageError::corrupt("rooms.room_version", stored.version.as_str()))?;
            let mut tail = Vec::new();
            for event in tails.remove(&stored.room).unwrap_or_default() {
                tail.push(self.remember(event.parse(id.clone(), &rules)?));
            }
            let Some(head) = loaded.remove(&stored.room) else {
                continue;
            };
            let is_whole = tail.len() < usize::try_from(LOADED_TAIL).unwrap_or(usize::MAX);
            let receipts = RoomReceipts::new(
                all_receipts
                    .remove(&stored.room)
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
            );
            let standing = stored.standing;
            let sticky = all_sticky.remove(&stored.room).unwrap_or_default();
            let mut room = Room::new(
                (stored.room, id),
                (stored.version, rules),
                head,
                tail,
                is_whole,
                receipts,
            );
            room.sticky = RoomSticky::new(sticky);
            room.gaps = RoomGaps::new(all_gaps.remove(&stored.room).unwrap_or_default());
            room.set_standing(standing);
            rooms.push(room);
        }
        Ok(rooms)
    }

    /// The heads of rooms as the database holds them.
    async fn read_heads(&self, heads: &[StoredHead]) -> Result<HashMap<RoomNumber, Head>, StorageError> {
        let database = &self.0.database;
        let mut states = store::snapshots::load(database, heads.iter().map(|head| head.snapshot)).await?;
        let extremities = heads.iter().flat_map(|head| head.extremities.iter().copied());
        let ends = store::heads::ends(database, extremities).await?;
        let numbers: Vec<RoomNumber> = heads.iter().map(|head| head.room).collect();
        let mut members = self.read_members(&numbers).await?;
        if heads.iter().any(|head| head.standing == Standing::Partial) {
            for (join, servers) in store::partial::all(database).await? {
                if let Some(members) = members.get_mut(&join.room) {
                    members.add_servers(&servers, self.server_name());
                }
            }
        }
        let mut loaded = HashMap::with_capacity(heads.len());
        for head in heads {
            let extremity = |number: &EventNumber| {
                let end = ends.get(number).cloned();
                let end = end.ok_or_else(|| StorageError::corrupt("room_heads.extremities", number));
                end.map(|(event_id, snapshot)| Extremity {
                    number: *number,
                    event_id,
                    snapshot,
                })
            };
            let head_of_room = Head {
                extremities: head.extremities.iter().map(extremity).collect::<Result<_, _>>()?,
                depth: head.depth,
                state: states.remove(&head.snapshot).unwrap_or_default(),
                members: members.remove(&head.room).unwrap_or_default(),
                admitted: OrdSet::new(),
                chain: Chain::new(),
            };
            loaded.insert(head.room, head_of_room);
        }
        Ok(loaded)
    }

    async fn read_members(&self, rooms: &[RoomNumber]) -> Result<HashMap<RoomNumber, Members>, StorageError> {
        let present = store::memberships::present_in(&self.0.database, rooms).await?;
        let users: Vec<UserNumber> = present.iter().map(|(_, user, _)| *user).collect();
        let ids = self.user_ids(&users).await?;
        let mut members: HashMap<RoomNumber, Members> = HashMap::new();
        for ((room, user, membership), id) in present.into_iter().zip(ids) {
            members
                .entry(room)
                .or_default()
                .put(user, &id, self.is_local(&id), &membership);
        }
        Ok(members)
    }

    /// What the next event of the room builds upon; `held` is the room's own head, locked.
    pub(crate) async fn current_head(&self, room: &Room, held: &Option<Head>) -> Result<Head, RoomError> {
        match held {
            Some(head) if !head.chain.is_broken() => Ok(head.clone()),
            _ => self.reload_head(room).await,
        }
    }

    /// The head after a failed commit, from what the database holds.
    pub(crate) async fn reload_head(&self, room: &Room) -> Result<Head, RoomError> {
        let stored = store::heads::load(&self.0.database, &[room.number]).await?;
        let head = self.read_heads(&stored).await?.remove(&room.number);
        head.ok_or_else(|| RoomError::UnknownRoom(room.id.clone()))
    }
}
