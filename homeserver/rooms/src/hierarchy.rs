//! The tree of rooms under a space (CS API § Querying the rooms in a space).

#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use echorift_storage::{EventNumber, UserNumber};
use ruma::{OwnedRoomId, RoomId, room::RoomType};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Event, Room, RoomError, Rooms,
    summary::{Onlooker, SummarisedRoom},
};

/// How deep the tree is followed, whatever the client asks for.
const DEPTH_MAX: u64 = 50;
/// How many rooms of one tree are visited. What lies beyond is not shown.
const VISITED_MAX: usize = 5_000;
/// CS API § `m.space.child`: longer orders are as if absent.
const ORDER_BYTES_MAX: usize = 50;

/// Which part of a tree is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HierarchyQuery {
    /// How many rooms of the tree to leave out at its start.
    pub skip: usize,
    pub limit: usize,
    pub depth_max: Option<u64>,
    pub is_suggested_only: bool,
}

/// A room in the tree, with its children as stripped events that have their `origin_server_ts`.
pub struct HierarchyRoom {
    pub room: SummarisedRoom,
    pub children: Vec<Value>,
}

/// One `m.space.child` event that names a child.
#[derive(Debug, Clone)]
struct Child {
    room_id: OwnedRoomId,
    order: Option<String>,
    event: Arc<Event>,
}

impl Rooms {
    /// A part of the tree under `root`, depth first, and whether there is more of it.
    ///
    /// The tree is walked anew for each part, so that no node keeps anything between two requests; rooms that come or
    /// go meanwhile shift what follows.
    /// Errors: `Forbidden` if the user may not see the root.
    pub async fn hierarchy(
        &self,
        root: &Arc<Room>,
        user: UserNumber,
        query: HierarchyQuery,
    ) -> Result<(Vec<HierarchyRoom>, bool), RoomError> {
        let onlooker = self.onlooker(Some(user)).await?;
        let summary = self.summaries(std::slice::from_ref(root)).await?.pop();
        let summary = summary.filter(|summary| onlooker.may_see(summary));
        let root = summary.ok_or_else(|| RoomError::Forbidden("You may not see this room.".to_owned()))?;
        let mut walk = Walk {
            rooms: self,
            onlooker,
            query,
            seen: HashSet::from([root.room.id.clone()]),
        };
        let wanted = query.skip.saturating_add(query.limit);
        let mut stack = vec![(root, 0_u64)];
        let (mut visited, mut found) = (0_usize, Vec::new());
        while let Some((room, depth)) = stack.pop() {
            if visited == wanted || visited == VISITED_MAX {
                return Ok((found, visited == wanted));
            }
            let children = walk.children(&room).await?;
            if depth < query.depth_max.unwrap_or(DEPTH_MAX).min(DEPTH_MAX) {
                let next = walk.open(&children).await?;
                stack.extend(
                    next.into_iter()
                        .rev()
                        .map(|child| (child, depth.saturating_add(1))),
                );
            }
            visited = visited.saturating_add(1);
            if visited > query.skip {
                found.push(HierarchyRoom {
                    room,
                    children: children.iter().map(stripped).collect(),
                });
            }
        }
        Ok((found, false))
    }
}

struct Walk<'a> {
    rooms: &'a Rooms,
    onlooker: Onlooker,
    query: HierarchyQuery,
    /// Each room is shown where it comes first, which also ends circles.
    seen: HashSet<OwnedRoomId>,
}

impl Walk<'_> {
    /// The children that a space names, in their order; none for a room that is no space.
    async fn children(&self, space: &SummarisedRoom) -> Result<Vec<Child>, RoomError> {
        if space.summary.room_type != Some(RoomType::Space) {
            return Ok(Vec::new());
        }
        let view = space.room.view();
        let numbers: Vec<EventNumber> = view
            .state
            .of_type("m.space.child")
            .map(|(_, number)| number)
            .collect();
        let events = self.rooms.events(&numbers).await?;
        let mut children: Vec<Child> = events
            .into_iter()
            .filter_map(|event| Child::read(event, self.query.is_suggested_only))
            .collect();
        children.sort_by(Child::compare);
        Ok(children)
    }

    /// Those of the children that are known here, were not met before and may be shown.
    async fn open(&mut self, children: &[Child]) -> Result<Vec<SummarisedRoom>, RoomError> {
        let new = children
            .iter()
            .filter(|child| !self.seen.contains(&child.room_id));
        let ids: Vec<OwnedRoomId> = new.map(|child| child.room_id.clone()).collect();
        let numbers = self.rooms.room_numbers(&ids).await?;
        let rooms = self.rooms.load(&numbers).await?;
        let mut summaries = self.rooms.summaries(&rooms).await?;
        summaries.retain(|summary| self.onlooker.may_see(summary));
        let place = |summary: &SummarisedRoom| ids.iter().position(|id| *id == summary.room.id);
        summaries.sort_by_key(place);
        self.seen
            .extend(summaries.iter().map(|summary| summary.room.id.clone()));
        Ok(summaries)
    }
}

impl Child {
    /// `None` for events that name no child: without servers to go through, or not about a room.
    fn read(event: Arc<Event>, is_suggested_only: bool) -> Option<Self> {
        #[derive(Deserialize)]
        struct Content {
            via: Vec<String>,
            #[serde(default)]
            order: Value,
            #[serde(default)]
            suggested: Value,
        }
        let content: Content = event.pdu.content_as().ok()?;
        if content.via.is_empty() || (is_suggested_only && content.suggested != Value::Bool(true)) {
            return None;
        }
        let room_id = RoomId::parse(event.pdu.state_key.as_deref()?).ok()?;
        let is_valid = |order: &&str| {
            order.len() <= ORDER_BYTES_MAX && order.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
        };
        let order = content.order.as_str().filter(is_valid).map(ToOwned::to_owned);
        Some(Self {
            room_id,
            order,
            event,
        })
    }

    /// CS API § Ordering of children within a space: those with an order first, then by age, then by room ID.
    fn compare(one: &Self, other: &Self) -> std::cmp::Ordering {
        let key = |child: &Self| {
            (
                child.order.is_none(),
                child.order.clone(),
                child.event.pdu.origin_server_ts,
            )
        };
        key(one)
            .cmp(&key(other))
            .then_with(|| one.room_id.cmp(&other.room_id))
    }
}

fn stripped(child: &Child) -> Value {
    let pdu = &child.event.pdu;
    json!({
        "type": pdu.event_type.to_string(),
        "state_key": pdu.state_key,
        "sender": pdu.sender,
        "content": pdu.content,
        "origin_server_ts": pdu.origin_server_ts,
    })
}
