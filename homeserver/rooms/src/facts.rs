//! What a room's state says, read from its events into types.

use std::{collections::HashMap, sync::Arc};

use echorift_events::{PowerLevels, creators_of};
use echorift_storage::{EventNumber, RoomNumber, StorageError};
use ruma::{
    OwnedRoomId, OwnedUserId, RoomAliasId, RoomId, UserId,
    events::{StateEventType, room::member::MembershipState},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Event, EventDraft, Room, RoomError, Rooms, State, append::membership_of, membership::raw};

/// Who may join (`m.room.join_rules`). A room without the event is as one for invited users only.
#[derive(Debug, Clone, Deserialize)]
pub struct JoinRules {
    pub join_rule: String,
    /// The conditions of restricted joins; those of types that we do not know satisfy nobody.
    #[serde(default)]
    allow: Value,
}

impl Default for JoinRules {
    fn default() -> Self {
        Self {
            join_rule: "invite".to_owned(),
            allow: Value::Null,
        }
    }
}

impl JoinRules {
    /// Whether the conditions of [`JoinRules::allowed_rooms`] let users in.
    pub fn is_restricted(&self) -> bool {
        matches!(self.join_rule.as_str(), "restricted" | "knock_restricted")
    }

    /// Whether users may knock.
    pub fn is_knockable(&self) -> bool {
        matches!(self.join_rule.as_str(), "knock" | "knock_restricted")
    }

    /// The rooms whose members may join (CS API § Restricted rooms); empty if the rule is another one.
    pub fn allowed_rooms(&self) -> Vec<OwnedRoomId> {
        let conditions = self.allow.as_array().filter(|_| self.is_restricted());
        let conditions = conditions.into_iter().flatten();
        let of_membership =
            conditions.filter(|condition| condition.get("type") == Some(&"m.room_membership".into()));
        of_membership
            .filter_map(|condition| RoomId::parse(condition.get("room_id")?.as_str()?).ok())
            .collect()
    }
}

/// The room's advertised aliases (`m.room.canonical_alias`).
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct CanonicalAlias {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alt_aliases: Vec<String>,
}

impl CanonicalAlias {
    /// Takes an alias out; whether it was there.
    pub fn remove(&mut self, alias: &RoomAliasId) -> bool {
        let before = self.alt_aliases.len();
        self.alt_aliases
            .retain(|alternative| alternative != alias.as_str());
        let was_main = self.alias.as_deref() == Some(alias.as_str());
        if was_main {
            self.alias = None;
        }
        was_main || self.alt_aliases.len() < before
    }

    /// The event that says so.
    pub fn draft(&self, sender: &UserId) -> Result<EventDraft, RoomError> {
        Ok(EventDraft::state(
            sender,
            StateEventType::RoomCanonicalAlias,
            "",
            raw(self)?,
        ))
    }
}

impl Rooms {
    /// The numbers of those of these rooms that were ever known here. One query at most.
    pub async fn room_numbers(&self, ids: &[OwnedRoomId]) -> Result<Vec<RoomNumber>, StorageError> {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        Ok(self
            .0
            .names
            .find_all(&ids)
            .await?
            .into_iter()
            .map(RoomNumber)
            .collect())
    }

    /// The IDs of these rooms, in their order. One query at most.
    pub async fn room_ids(&self, numbers: &[i64]) -> Result<Vec<OwnedRoomId>, StorageError> {
        let names = self.0.names.names(numbers).await?;
        let parse = |name: &Arc<str>| RoomId::parse(&**name);
        names
            .iter()
            .map(|name| parse(name).map_err(|error| StorageError::corrupt("room_numbers.room_id", error)))
            .collect()
    }

    /// The event that stands under this type and state key.
    pub async fn state_event(
        &self,
        state: &State,
        event_type: &str,
        state_key: &str,
    ) -> Result<Option<Arc<Event>>, StorageError> {
        match state.get(event_type, state_key) {
            Some(number) => self.event(number).await.map(Some),
            None => Ok(None),
        }
    }

    /// The events that stand under these types with an empty state key, by type. One query at most.
    pub async fn state_events(
        &self,
        state: &State,
        event_types: &[&'static str],
    ) -> Result<HashMap<&'static str, Arc<Event>>, StorageError> {
        let standing = event_types
            .iter()
            .filter_map(|event_type| Some((state.get(event_type, "")?, *event_type)));
        let types: HashMap<EventNumber, &'static str> = standing.collect();
        let numbers: Vec<EventNumber> = types.keys().copied().collect();
        let events = self.events(&numbers).await?;
        Ok(events
            .into_iter()
            .filter_map(|event| Some((*types.get(&event.number)?, event)))
            .collect())
    }

    /// The content under this type and an empty state key; `None` if it is absent or not of that shape, which is no
    /// fault of the reader.
    pub async fn state_content<T: DeserializeOwned>(
        &self,
        state: &State,
        event_type: &str,
    ) -> Result<Option<T>, StorageError> {
        let event = self.state_event(state, event_type, "").await?;
        Ok(event.and_then(|event| event.pdu.content_as().ok()))
    }

    pub async fn join_rules(&self, state: &State) -> Result<JoinRules, StorageError> {
        Ok(self
            .state_content(state, "m.room.join_rules")
            .await?
            .unwrap_or_default())
    }

    /// Whether everyone may read the room without joining.
    pub async fn is_world_readable(&self, state: &State) -> Result<bool, StorageError> {
        #[derive(Deserialize)]
        struct HistoryVisibility {
            history_visibility: String,
        }
        let content: Option<HistoryVisibility> =
            self.state_content(state, "m.room.history_visibility").await?;
        Ok(content.is_some_and(|content| content.history_visibility == "world_readable"))
    }

    /// The power levels in a state of this room, and its creators.
    pub async fn power_levels(
        &self,
        room: &Room,
        state: &State,
    ) -> Result<(PowerLevels, Vec<OwnedUserId>), StorageError> {
        let events = self
            .state_events(state, &["m.room.create", "m.room.power_levels"])
            .await?;
        let creators = events
            .get("m.room.create")
            .map(|create| creators_of(&create.pdu, &room.rules));
        let creators = creators.unwrap_or_default();
        let levels = events
            .get("m.room.power_levels")
            .map(|levels| &*levels.pdu.content);
        Ok((PowerLevels::new(levels, &creators, &room.rules), creators))
    }

    /// A user's membership in a state, and the event that says so; `None` for those who never were in the room.
    pub async fn membership(
        &self,
        state: &State,
        user: &UserId,
    ) -> Result<Option<(MembershipState, Arc<Event>)>, RoomError> {
        let event = self.state_event(state, "m.room.member", user.as_str()).await?;
        event
            .map(|event| Ok((membership_of(&event.pdu)?, event)))
            .transpose()
    }

    /// Fails with `NotJoined` unless the user is joined to the room.
    pub async fn check_joined(&self, room: &Room, user: &UserId) -> Result<(), RoomError> {
        let number = self.user_number(user).await?;
        if room.view().members.joined.contains(&number) {
            return Ok(());
        }
        Err(RoomError::NotJoined {
            user_id: user.to_owned(),
            room_id: room.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_room_memberships_of_restricted_rules_allow_joins() {
        let content = |rule: &str| {
            let json = serde_json::json!({ "join_rule": rule, "allow": [
                { "type": "m.room_membership", "room_id": "!a:x" },
                { "type": "org.example.other", "room_id": "!b:x" },
                { "type": "m.room_membership", "room_id": 7 },
                "nonsense",
            ] });
            serde_json::from_value::<JoinRules>(json).unwrap().allowed_rooms()
        };
        let only = RoomId::parse("!a:x").unwrap();
        let expected = [only];
        assert_eq!(content("restricted"), expected);
        assert_eq!(content("knock_restricted"), expected);
        assert!(content("invite").is_empty());
    }
}
