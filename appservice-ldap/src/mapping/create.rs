//! Making the spaces and channels that mappings wish for.

use std::sync::Arc;

use echorift_rooms::{EventDraft, Room, RoomError, Rooms};
use ruma::{
    RoomId, UserId,
    api::client::room::create_room::v3::{Request, RoomPreset},
    events::StateEventType,
    serde::Raw,
};
use serde_json::{Value, json, value::to_raw_value};

use super::{
    config::Visibility,
    mapper::Mapper,
    target::{Blueprint, RoomKind},
};

/// Makes a room in the name of the directory's account.
pub(super) async fn room(
    mapper: &Mapper,
    kind: RoomKind,
    blueprint: &Blueprint,
    space: Option<&Room>,
) -> Result<Arc<Room>, RoomError> {
    let rooms = mapper.rooms();
    let mut initial_state = Vec::new();
    if let Some(space) = space {
        let parent = json!({ "via": [rooms.server_name()], "canonical": true });
        initial_state.push(state("m.space.parent", space.id.as_str(), &parent)?);
        if blueprint.visibility == Visibility::Space {
            let members = json!({ "type": "m.room_membership", "room_id": space.id });
            let rules = json!({ "join_rule": "restricted", "allow": [members] });
            initial_state.push(state("m.room.join_rules", "", &rules)?);
        }
    }
    let mut request = Request::new();
    request.preset = Some(match blueprint.visibility {
        Visibility::Private | Visibility::Space => RoomPreset::PrivateChat,
        Visibility::Public => RoomPreset::PublicChat,
    });
    request.room_alias_name = Some(blueprint.localpart.clone());
    request.name = Some(blueprint.name.clone());
    request.topic = blueprint.topic.clone();
    request.initial_state = initial_state;
    if kind == RoomKind::Space {
        request.creation_content = Some(raw(&json!({ "type": "m.space" }))?);
        // Nobody writes into a space, and who is let in is the directory's to say.
        let levels = json!({ "events_default": 100, "invite": 50 });
        request.power_level_content_override = Some(raw(&levels)?);
    }
    rooms
        .create_room(mapper.accounts(), mapper.account(), request)
        .await
}

/// Makes a room part of a space.
pub(super) async fn add_child(
    rooms: &Rooms,
    account: &UserId,
    space: &Arc<Room>,
    child: &RoomId,
) -> Result<(), RoomError> {
    let content = to_raw_value(&json!({ "via": [rooms.server_name()] }));
    let content = content.map_err(|error| RoomError::BadRequest(error.to_string()))?;
    let draft = EventDraft::state(account, StateEventType::SpaceChild, child.as_str(), content);
    rooms.append(space, draft).await?;
    Ok(())
}

fn state<T>(event_type: &str, state_key: &str, content: &Value) -> Result<Raw<T>, RoomError> {
    raw(&json!({ "type": event_type, "state_key": state_key, "content": content }))
}

fn raw<T>(value: &Value) -> Result<Raw<T>, RoomError> {
    let text = to_raw_value(value).map_err(|error| RoomError::BadRequest(error.to_string()))?;
    Ok(Raw::from_json(text))
}
