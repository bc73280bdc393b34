//! The power levels of single users, changed several at once.

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::Change;
use ruma::{EventId, OwnedUserId, UserId, events::StateEventType};
use serde_json::{Map, Value};

use crate::{EventDraft, Room, RoomError, Rooms, membership::raw, upgrade::read_levels};

impl Rooms {
    /// Gives each of these users a level of their own, or with `None` the one that everybody has, by one event and in one
    /// commit with what `also` writes.
    ///
    /// Errors: `Refused` by the authorisation rules, `Event` if the levels outgrow an event, `NotFound` in a room that
    /// has no power levels.
    pub async fn set_user_levels(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        wanted: &BTreeMap<OwnedUserId, Option<i64>>,
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<(), RoomError> {
        let standing = self
            .state_event(&room.view().state, "m.room.power_levels", "")
            .await?;
        let standing =
            standing.ok_or_else(|| RoomError::NotFound("The room has no power levels.".to_owned()))?;
        let mut levels = read_levels(Some(&standing));
        let mut users = match levels.remove("users") {
            Some(Value::Object(users)) => users,
            _ => Map::new(),
        };
        for (user, level) in wanted {
            match level {
                Some(level) => drop(users.insert(user.to_string(), (*level).into())),
                None => drop(users.remove(user.as_str())),
            }
        }
        levels.insert("users".to_owned(), Value::Object(users));
        let draft = EventDraft::state(sender, StateEventType::RoomPowerLevels, "", raw(&levels)?);
        self.append_with(room, vec![draft], also).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::testing::on_both_databases;

    on_both_databases! {
        async fn levels_change_together_and_what_else_the_event_says_stays(server: &TestRooms) {
            let (host, anna) = (server.register("host").await, server.register("anna").await);
            let overrides = json!({ "power_level_content_override": { "users": { anna.as_str(): 50 }, "invite": 50 } });
            let room = server.create(&host, overrides).await.unwrap();
            let ben = server.register("ben").await;
            let wanted = BTreeMap::from([(anna.clone(), None), (ben.clone(), Some(100))]);
            server.rooms.set_user_levels(&room, &host, &wanted, |_, _| ()).await.unwrap();
            let levels = server.content(&room, "m.room.power_levels", "").await;
            assert_eq!((&levels["users"], &levels["invite"]), (&json!({ ben.as_str(): 100 }), &json!(50)));
            let wanted = BTreeMap::from([(anna.clone(), Some(100))]);
            let refusal = server.rooms.set_user_levels(&room, &anna, &wanted, |_, _| ()).await;
            assert!(matches!(refusal, Err(RoomError::Refused(_))), "{refusal:?}");
        }
    }
}
