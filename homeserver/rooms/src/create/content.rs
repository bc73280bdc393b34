//! The content of a room's `m.room.create`.

use echorift_events::RoomVersionRules;
use ruma::{
    OwnedUserId, RoomVersionId, UserId, api::client::room::create_room::v3::CreationContent, serde::Raw,
};
use serde_json::{Map, Value, value::RawValue};

use crate::{RoomError, membership::raw};

/// The client's extra keys, with those that are the server's to say: the version, the creator of old versions, and in
/// version 12 the creators' equals among the additional creators.
pub(super) fn create_content(
    extra: Option<&Raw<CreationContent>>,
    (creator, equals): (&UserId, &[OwnedUserId]),
    version: &RoomVersionId,
    rules: &RoomVersionRules,
) -> Result<Box<RawValue>, RoomError> {
    let mut content: Map<String, Value> = match extra {
        Some(extra) => serde_json::from_str(extra.json().get())
            .map_err(|_| RoomError::BadRequest("`creation_content` must be an object.".to_owned()))?,
        None => Map::new(),
    };
    content.insert("room_version".to_owned(), version.as_str().into());
    if rules.authorization.use_room_create_sender {
        content.remove("creator");
    } else {
        content.insert("creator".to_owned(), creator.as_str().into());
    }
    if rules.authorization.additional_room_creators {
        let mut creators = additional_creators(content.remove("additional_creators"))?;
        for equal in equals {
            if !creators.contains(equal) {
                creators.push(equal.clone());
            }
        }
        if !creators.is_empty() {
            let creators = creators.iter().map(|creator| Value::from(creator.as_str()));
            content.insert("additional_creators".to_owned(), creators.collect());
        }
    }
    raw(&content)
}

/// Errors: `BadRequest` if it is not a list of user IDs.
fn additional_creators(value: Option<Value>) -> Result<Vec<OwnedUserId>, RoomError> {
    let refused = || RoomError::BadRequest("`additional_creators` must be a list of user IDs.".to_owned());
    let Some(value) = value else { return Ok(Vec::new()) };
    let users = value.as_array().ok_or_else(refused)?.iter();
    let parsed = users.map(|user| UserId::parse(user.as_str().ok_or_else(refused)?).map_err(|_| refused()));
    let mut creators: Vec<OwnedUserId> = Vec::new();
    for creator in parsed {
        let creator = creator?;
        if !creators.contains(&creator) {
            creators.push(creator);
        }
    }
    Ok(creators)
}
