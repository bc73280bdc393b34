use echorift_storage::{RoomNumber, UserNumber};
use serde_json::{Map, Value, json};

use crate::{AccountError, Accounts};

/// CS API § Room Tagging.
const TAG_BYTES_MAX: usize = 255;
pub(crate) const TAG: &str = "m.tag";

impl Accounts {
    /// The tags of a room as its user has set them, by name.
    pub(crate) async fn tags(
        &self,
        user: UserNumber,
        room: RoomNumber,
    ) -> Result<Map<String, Value>, AccountError> {
        let rooms = self.room_account_data(user).await?;
        let content = rooms
            .get(&room)
            .and_then(|data| data.get(TAG))
            .map(|datum| &datum.content);
        let content = content.and_then(|content| serde_json::from_str(content.get()).ok());
        Ok(tags_of(content))
    }

    /// Sets a tag. Errors: `KeyTooLarge` for the name, `TooLarge` for the whole.
    pub async fn set_tag(
        &self,
        user: UserNumber,
        room: RoomNumber,
        tag: String,
        info: Value,
    ) -> Result<(), AccountError> {
        if tag.len() > TAG_BYTES_MAX {
            return Err(AccountError::KeyTooLarge { limit: TAG_BYTES_MAX });
        }
        let edit = move |content| {
            let mut tags = tags_of(content);
            tags.insert(tag, info);
            Ok(Some(json!({ "tags": tags })))
        };
        self.edit_room_account_data(user, room, TAG, edit).await
    }

    /// Removes a tag; nothing happens if it is not set.
    pub(crate) async fn remove_tag(
        &self,
        user: UserNumber,
        room: RoomNumber,
        tag: String,
    ) -> Result<(), AccountError> {
        let edit = move |content| {
            let mut tags = tags_of(content);
            Ok(tags.remove(&tag).map(|_| json!({ "tags": tags })))
        };
        self.edit_room_account_data(user, room, TAG, edit).await
    }
}

/// What a client has put in place of tags counts as none.
fn tags_of(content: Option<Value>) -> Map<String, Value> {
    let Some(Value::Object(mut content)) = content else {
        return Map::new();
    };
    match content.remove("tags") {
        Some(Value::Object(tags)) => tags,
        _ => Map::new(),
    }
}
