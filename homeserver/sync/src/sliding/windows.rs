use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Reader, Room, RoomError, RoomsOfUser, UserMembership};
use echorift_storage::RoomNumber;
use ruma::{OwnedRoomId, RoomId};

use super::{
    connection::Standing,
    filters::FilterFacts,
    request::{RoomConfig, Wishes},
    required_state::Combined,
    room_list::Entry,
};
use crate::Syncs;

/// Which rooms a client looks at, and what it wants of each.
pub(crate) struct Windows {
    /// Subscribed rooms first, then those of the lists, the most active first.
    pub rooms: Vec<Wanted>,
    /// How many rooms each list has, whatever part of it is looked at.
    pub counts: BTreeMap<String, usize>,
    pub lists: HashMap<String, HashSet<RoomNumber>>,
    pub subscribed: HashMap<OwnedRoomId, RoomNumber>,
    /// The joined rooms of lists, whatever part of them is looked at, and of subscriptions; only for who asks for what is
    /// told of all of them.
    pub followed: BTreeMap<RoomNumber, Arc<Room>>,
    pub facts: FilterFacts,
    /// Where each room stands in `rooms`.
    by_number: HashMap<RoomNumber, usize>,
}

/// A room that a client looks at, by all rules that it matches together.
pub(crate) struct Wanted {
    pub entry: Entry,
    pub timeline_limit: u32,
    pub required_state: Arc<Combined>,
    /// The names of the lists.
    pub lists: Vec<String>,
}

/// The rules that a room matches, by their place among all of the request.
#[derive(Default)]
struct Matched {
    rules: Vec<usize>,
    lists: Vec<String>,
}

impl Windows {
    /// A room that is looked at.
    pub fn room(&self, number: RoomNumber) -> Option<&Arc<Room>> {
        self.by_number
            .get(&number)
            .and_then(|index| self.rooms.get(*index))
            .map(|wanted| &wanted.entry.room)
    }
}

impl Syncs {
    /// Applies the client's lists and subscriptions to the reader's rooms.
    pub(super) async fn windows(
        &self,
        reader: &Reader,
        memberships: &RoomsOfUser,
        entries: &[Entry],
        wishes: &Wishes,
    ) -> Result<Windows, RoomError> {
        let filters = wishes.lists.iter().map(|list| &list.filters);
        let facts = self.filter_facts(reader, memberships, entries, filters).await?;
        let mut configs: Vec<&RoomConfig> = Vec::new();
        let mut matched: HashMap<RoomNumber, Matched> = HashMap::new();
        let mut subscribed = HashMap::new();
        let mut order: Vec<Entry> = Vec::new();
        let wants_sticky = wishes.extensions.sticky_events.enabled == Some(true);
        let mut followed = BTreeMap::new();
        let mut follow = |entry: &Entry| {
            if wants_sticky && entry.standing == Standing::Joined {
                followed.insert(entry.room.number, Arc::clone(&entry.room));
            }
        };
        let known: HashMap<&RoomId, &Entry> = entries.iter().map(|entry| (&*entry.room.id, entry)).collect();
        let elsewhere = wishes
            .subscriptions
            .keys()
            .filter(|room| !known.contains_key(&***room));
        let left = self
            .left_rooms(reader, memberships, &elsewhere.cloned().collect::<Vec<_>>())
            .await?;
        for (room, config) in &wishes.subscriptions {
            let is_it = |entry: &&Entry| entry.room.id == *room;
            let Some(entry) = known.get(&**room).copied().or_else(|| left.iter().find(is_it)) else {
                continue;
            };
            follow(entry);
            let number = entry.room.number;
            subscribed.insert(room.clone(), number);
            matched.entry(number).or_default().rules.push(configs.len());
            configs.push(config);
            order.push(entry.clone());
        }
        let (mut counts, mut lists) = (BTreeMap::new(), HashMap::new());
        for list in &wishes.lists {
            let of_list: Vec<&Entry> = entries
                .iter()
                .filter(|entry| facts.matches(&list.filters, entry))
                .collect();
            counts.insert(list.name.clone(), of_list.len());
            of_list.iter().for_each(|entry| follow(entry));
            let is_looked_at = |place: usize| match &list.ranges {
                None => true,
                Some(ranges) => ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&place)),
            };
            let mut seen = HashSet::new();
            for (_, entry) in of_list
                .into_iter()
                .enumerate()
                .filter(|(place, _)| is_looked_at(*place))
            {
                let number = entry.room.number;
                seen.insert(number);
                let matched = matched.entry(number).or_default();
                matched.rules.push(configs.len());
                matched.lists.push(list.name.clone());
            }
            configs.push(&list.config);
            lists.insert(list.name.clone(), seen);
        }
        let in_lists = entries.iter().filter(|entry| {
            matched
                .get(&entry.room.number)
                .is_some_and(|matched| !matched.lists.is_empty())
        });
        let is_new = |entry: &&Entry| !subscribed.values().any(|number| *number == entry.room.number);
        order.extend(in_lists.filter(is_new).cloned());
        let by_number = order
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.room.number, index));
        Ok(Windows {
            by_number: by_number.collect(),
            rooms: combine(order, &configs, matched),
            counts,
            lists,
            subscribed,
            followed,
            facts,
        })
    }

    /// Those of these rooms that the reader has been in and left: they are in no list, and may be subscribed to all the
    /// same (MSC4186 § Subscriptions). Rooms that are unknown, or none of the reader's business, are passed over.
    async fn left_rooms(
        &self,
        reader: &Reader,
        memberships: &RoomsOfUser,
        rooms: &[OwnedRoomId],
    ) -> Result<Vec<Entry>, RoomError> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let mut numbers = self.rooms().room_numbers(rooms).await?;
        let is_over = |membership: &UserMembership| {
            Standing::of(&membership.membership) == Standing::Left && !membership.is_forgotten
        };
        numbers.retain(|number| memberships.get(number).is_some_and(is_over));
        let mut left = Vec::new();
        for room in self.rooms().load(&numbers).await? {
            if let Some(membership) = memberships.get(&room.number)
                && self.was_joined(&room, reader).await?
            {
                left.push(Entry::new(room, membership));
            }
        }
        Ok(left)
    }
}

/// Joins the rules of each room (MSC4186 § Combining room configs). Rooms with the same rules share the result.
fn combine(
    order: Vec<Entry>,
    configs: &[&RoomConfig],
    mut matched: HashMap<RoomNumber, Matched>,
) -> Vec<Wanted> {
    let mut combined: HashMap<Vec<usize>, Arc<Combined>> = HashMap::new();
    let mut rooms = Vec::with_capacity(order.len());
    for entry in order {
        let Matched { rules, lists } = matched.remove(&entry.room.number).unwrap_or_default();
        let of_room = || rules.iter().filter_map(|rule| configs.get(*rule));
        let timeline_limit = of_room().map(|config| config.timeline_limit).max().unwrap_or(0);
        let required_state = combined.get(&rules).cloned().unwrap_or_else(|| {
            let states = of_room().map(|config| Arc::clone(&config.required_state));
            Arc::new(Combined::new(states.collect()))
        });
        combined.insert(rules, Arc::clone(&required_state));
        rooms.push(Wanted {
            entry,
            timeline_limit,
            required_state,
            lists,
        });
    }
    rooms
}
