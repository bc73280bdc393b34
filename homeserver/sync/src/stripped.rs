//! What those who are invited to a room, or knock at it, are shown of it.

use echorift_rooms::{Reader, Room, RoomError};
use echorift_storage::EventNumber;
use ruma::{UserId, events::AnyStrippedStateEvent, serde::Raw};
use serde_json::value::RawValue;

use crate::Syncs;

/// The state that an invited or knocking user is shown (CS API § Stripped state).
const STRIPPED: [&str; 8] = [
    "m.room.create",
    "m.room.join_rules",
    "m.room.canonical_alias",
    "m.room.avatar",
    "m.room.name",
    "m.room.encryption",
    "m.room.topic",
    "m.space.parent",
];

impl Syncs {
    /// What an invited or knocking reader is shown of a room; `None` if the inviter is ignored, or every invite blocked.
    pub(crate) async fn stripped_state(
        &self,
        room: &Room,
        reader: &Reader,
    ) -> Result<Option<Vec<Raw<AnyStrippedStateEvent>>>, RoomError> {
        let view = room.view();
        let own = view.state.get("m.room.member", reader.user_id.as_str());
        if self.rooms().is_elsewhere(room) {
            let told = self.rooms().stripped_state_outside(room, &reader.user_id).await?;
            if !told.is_empty() {
                return self.stripped_as_told(told, reader, own).await;
            }
        }
        let mut numbers: Vec<EventNumber> = STRIPPED
            .into_iter()
            .filter_map(|event_type| view.state.get(event_type, ""))
            .collect();
        if let Some(own) = own {
            let own = self.rooms().event(own).await?;
            let is_invite = own.pdu.sender != reader.user_id;
            if is_invite && self.is_unwelcome(reader, &own.pdu.sender).await? {
                return Ok(None);
            }
            // Who invites, by name.
            numbers.extend(view.state.get("m.room.member", own.pdu.sender.as_str()));
            numbers.retain(|number| *number != own.number);
            numbers.push(own.number);
        }
        let events = self.rooms().events(&numbers).await?;
        let stripped = events
            .iter()
            .map(|event| RawValue::from_string(event.pdu.stripped_json()));
        let stripped: Result<Vec<_>, _> = stripped.map(|json| json.map(Raw::from_json)).collect();
        stripped
            .map(Some)
            .map_err(|error| RoomError::BadRequest(error.to_string()))
    }

    /// The same of a room that this server is not in: as the other server gave it, with the reader's own membership.
    async fn stripped_as_told(
        &self,
        mut stripped: Vec<Box<RawValue>>,
        reader: &Reader,
        own: Option<EventNumber>,
    ) -> Result<Option<Vec<Raw<AnyStrippedStateEvent>>>, RoomError> {
        if let Some(own) = own {
            let own = self.rooms().event(own).await?;
            let is_invite = own.pdu.sender != reader.user_id;
            if is_invite && self.is_unwelcome(reader, &own.pdu.sender).await? {
                return Ok(None);
            }
            stripped.retain(|event| !is_member_event_of(event, &reader.user_id));
            let own = RawValue::from_string(own.pdu.stripped_json());
            stripped.push(own.map_err(|error| RoomError::BadRequest(error.to_string()))?);
        }
        Ok(Some(stripped.into_iter().map(Raw::from_json).collect()))
    }

    /// Whether the reader wants no invites at all (CS API § Invite permission), or none of this user (§ Ignoring
    /// users).
    pub(crate) async fn is_unwelcome(&self, reader: &Reader, inviter: &UserId) -> Result<bool, RoomError> {
        let is_ignored = reader.ignored.contains(inviter);
        Ok(is_ignored || self.rooms().blocks_invites(self.accounts(), reader.user).await?)
    }
}

fn is_member_event_of(event: &RawValue, user: &UserId) -> bool {
    #[derive(serde::Deserialize)]
    struct Place {
        r#type: String,
        state_key: String,
    }
    let place: Result<Place, _> = serde_json::from_str(event.get());
    place.is_ok_and(|place| place.r#type == "m.room.member" && place.state_key == user.as_str())
}
