//! The `m.space.child` events of a space, our own or as another server tells them.

use ruma::{OwnedRoomId, OwnedServerName, RoomId, room::RoomType};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Event, RoomError, Rooms, summary::SummarisedRoom};

/// CS API § `m.space.child`: longer orders are as if absent.
const ORDER_BYTES_MAX: usize = 50;

/// One `m.space.child` event that names a child.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub room_id: OwnedRoomId,
    /// Servers to go through.
    pub via: Vec<OwnedServerName>,
    /// The stripped event, with its `origin_server_ts`.
    pub event: Value,
    order: Option<String>,
    sent: u64,
}

impl Child {
    /// `None` for events that name no child: without servers to go through, or not about a room.
    pub fn read(event: Value, is_suggested_only: bool) -> Option<Self> {
        #[derive(Deserialize)]
        struct Stripped {
            state_key: OwnedRoomId,
            content: Content,
            origin_server_ts: u64,
        }
        #[derive(Deserialize)]
        struct Content {
            via: Vec<String>,
            #[serde(default)]
            order: Value,
            #[serde(default)]
            suggested: Value,
        }
        let Stripped {
            state_key,
            content,
            origin_server_ts,
        } = Stripped::deserialize(&event).ok()?;
        if content.via.is_empty() || (is_suggested_only && content.suggested != Value::Bool(true)) {
            return None;
        }
        let is_valid = |order: &&str| {
            order.len() <= ORDER_BYTES_MAX && order.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
        };
        let order = content.order.as_str().filter(is_valid).map(ToOwned::to_owned);
        let via = content
            .via
            .iter()
            .filter_map(|server| OwnedServerName::try_from(server.as_str()).ok());
        Some(Self {
            room_id: state_key,
            via: via.collect(),
            order,
            sent: origin_server_ts,
            event,
        })
    }

    /// CS API § Ordering of children within a space: those with an order first, then by age, then by room ID.
    pub fn compare(one: &Self, other: &Self) -> std::cmp::Ordering {
        let key = |child: &Self| (child.order.is_none(), child.order.clone(), child.sent);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.room_id.cmp(&other.room_id))
    }

    /// The servers to ask about the child: those that are named, and the one that the room's ID names.
    pub fn servers(&self) -> Vec<OwnedServerName> {
        let mut servers = self.via.clone();
        servers.extend(home_of(&self.room_id).filter(|home| !self.via.contains(home)));
        servers
    }
}

/// The server that a room's ID names, where it names one: up to room version 11.
pub(crate) fn home_of(room: &RoomId) -> Option<OwnedServerName> {
    room.server_name().map(ToOwned::to_owned)
}

/// These events as children, in their order.
pub(crate) fn read_children(events: impl IntoIterator<Item = Value>, is_suggested_only: bool) -> Vec<Child> {
    let children = events
        .into_iter()
        .filter_map(|event| Child::read(event, is_suggested_only));
    let mut children: Vec<Child> = children.collect();
    children.sort_by(Child::compare);
    children
}

impl Rooms {
    /// The children that a space names, in their order; none for a room that is no space. One query at most.
    pub(crate) async fn children_of_space(
        &self,
        space: &SummarisedRoom,
        is_suggested_only: bool,
    ) -> Result<Vec<Child>, RoomError> {
        if space.summary.room_type != Some(RoomType::Space) {
            return Ok(Vec::new());
        }
        let view = space.room.view();
        let numbers = view.state.of_type("m.space.child").map(|(_, number)| number);
        let events = self.events(&numbers.collect::<Vec<_>>()).await?;
        Ok(read_children(
            events.iter().map(|event| stripped(event)),
            is_suggested_only,
        ))
    }
}

fn stripped(event: &Event) -> Value {
    let pdu = &event.pdu;
    json!({
        "type": pdu.event_type.to_string(),
        "state_key": pdu.state_key,
        "sender": pdu.sender,
        "content": pdu.content,
        "origin_server_ts": pdu.origin_server_ts,
    })
}
