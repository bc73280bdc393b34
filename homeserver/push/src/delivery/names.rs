use std::sync::Arc;

use echorift_rooms::{Event, Room, RoomError, State};
use ruma::{UserId, events::TimelineEventType};
use serde::Deserialize;

use super::{Push, notification::Told};

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

#[derive(Deserialize)]
struct CanonicalAlias {
    alias: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    displayname: Option<String>,
}

/// What a room is called.
#[derive(Debug, Default)]
pub(super) struct RoomNames {
    pub name: Option<String>,
    pub alias: Option<String>,
}

impl Push {
    /// An event as a gateway may learn of it.
    pub(super) async fn told(
        &self,
        room: &Room,
        event: &Arc<Event>,
        user_id: &UserId,
    ) -> Result<Told, RoomError> {
        let pdu = &event.pdu;
        let state = room.view().state.clone();
        let names = self.room_names(&state).await?;
        let is_member = pdu.event_type == TimelineEventType::RoomMember;
        let content = self
            .0
            .options
            .include_content
            .then(|| pdu.content_as().ok())
            .flatten();
        Ok(Told {
            event_id: pdu.event_id.to_string(),
            room_id: room.id.to_string(),
            event_type: pdu.event_type.to_string(),
            sender: pdu.sender.to_string(),
            sender_display_name: self.display_name(&state, &pdu.sender).await?,
            room_name: names.name,
            room_alias: names.alias,
            user_is_target: is_member && pdu.state_key.as_deref() == Some(user_id.as_str()),
            content,
        })
    }

    pub(super) async fn room_names(&self, state: &State) -> Result<RoomNames, RoomError> {
        let rooms = &self.0.rooms;
        let name: Option<Name> = rooms.state_content(state, "m.room.name").await?;
        let alias: Option<CanonicalAlias> = rooms.state_content(state, "m.room.canonical_alias").await?;
        let filled = |text: &String| !text.is_empty();
        Ok(RoomNames {
            name: name.and_then(|content| content.name).filter(filled),
            alias: alias.and_then(|content| content.alias).filter(filled),
        })
    }

    /// What somebody is called in the room; `None` if they have no name there.
    pub(super) async fn display_name(
        &self,
        state: &State,
        user_id: &UserId,
    ) -> Result<Option<String>, RoomError> {
        let member = self
            .0
            .rooms
            .state_event(state, "m.room.member", user_id.as_str())
            .await?;
        let member = member.and_then(|event| event.pdu.content_as::<Member>().ok());
        Ok(member
            .and_then(|member| member.displayname)
            .filter(|name| !name.is_empty()))
    }
}
