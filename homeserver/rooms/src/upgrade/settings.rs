//! What a user has set up for a room goes on in its replacement (CS API § Room upgrades).

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::Accounts;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use serde::Deserialize;
use serde_json::Value;

use crate::{Room, RoomError, Rooms, membership::raw};

/// The rooms that a user marked, those that are direct chats, and what makes a sound.
const TAGS: &str = "m.tag";
const DIRECT: &str = "m.direct";
const PUSH_RULES: &str = "m.push_rules";

impl Rooms {
    /// Copies the user's tags, direct-chat mark and push rules from the room that this one replaces, if there is one and they
    /// were in it. A failure is logged and spoils nothing: the user has joined.
    pub(crate) async fn carry_over_settings(&self, accounts: &Accounts, room: &Room, user: &UserId) {
        if let Err(error) = self.try_carry_over(accounts, room, user).await {
            tracing::warn!(room_id = %room.id, user_id = %user, %error, "settings of a replaced room were not copied");
        }
    }

    async fn try_carry_over(&self, accounts: &Accounts, room: &Room, user: &UserId) -> Result<(), RoomError> {
        let Some(old) = self.find_predecessor(room).await? else {
            return Ok(());
        };
        let number = self.user_number(user).await?;
        if !self.rooms_of(number).await?.contains_key(&old.number) {
            return Ok(());
        }
        let data = accounts.room_account_data(number).await?;
        let tags = data.get(&old.number).and_then(|data| data.get(TAGS));
        let has_tags = data.get(&room.number).is_some_and(|data| data.contains_key(TAGS));
        if let Some(tags) = tags.filter(|_| !has_tags) {
            let content = tags.content.as_ref().to_owned();
            accounts
                .set_room_account_data(number, room.number, TAGS, content)
                .await?;
        }
        let global = accounts.global_account_data(number).await?;
        let direct = global.get(DIRECT);
        let direct = direct.and_then(|direct| serde_json::from_str::<Direct>(direct.content.get()).ok());
        if let Some(direct) = direct.and_then(|direct| with_successor(direct, &old, room)) {
            accounts
                .set_global_account_data(number, DIRECT, raw(&direct)?)
                .await?;
        }
        let rules = global.get(PUSH_RULES);
        let rules = rules.and_then(|rules| serde_json::from_str::<Value>(rules.content.get()).ok());
        if let Some(rules) = rules.and_then(|rules| with_rules_for(rules, &old.id, &room.id)) {
            accounts
                .set_global_account_data(number, PUSH_RULES, raw(&rules)?)
                .await?;
        }
        Ok(())
    }

    /// The room that this one says it replaces, if that room agrees.
    async fn find_predecessor(&self, room: &Room) -> Result<Option<Arc<Room>>, RoomError> {
        #[derive(Deserialize)]
        struct Create {
            predecessor: Option<Predecessor>,
        }
        #[derive(Deserialize)]
        struct Predecessor {
            room_id: OwnedRoomId,
        }
        #[derive(Deserialize)]
        struct Tombstone {
            replacement_room: OwnedRoomId,
        }
        let create: Option<Create> = self.state_content(&room.view().state, "m.room.create").await?;
        let Some(predecessor) = create.and_then(|create| create.predecessor) else {
            return Ok(None);
        };
        let old = match self.room(&predecessor.room_id).await {
            Ok(old) => old,
            Err(RoomError::UnknownRoom(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let tombstone: Option<Tombstone> = self.state_content(&old.view().state, "m.room.tombstone").await?;
        let agrees = tombstone.is_some_and(|tombstone| tombstone.replacement_room == room.id);
        Ok(Some(old).filter(|_| agrees))
    }
}

/// The content of `m.direct`.
type Direct = BTreeMap<OwnedUserId, Vec<OwnedRoomId>>;

/// Names the new room wherever the old one is named; `None` if that changes nothing.
fn with_successor(mut direct: Direct, old: &Room, new: &Room) -> Option<Direct> {
    let mut has_changed = false;
    for rooms in direct.values_mut() {
        if rooms.contains(&old.id) && !rooms.contains(&new.id) {
            rooms.push(new.id.clone());
            has_changed = true;
        }
    }
    has_changed.then_some(direct)
}

/// Repeats the user's rules about the old room (one in the `room` kind, or as clients mute rooms one in the `override`
/// kind that is named after the room) for the new one; `None` if there are none, or the new room has its own.
fn with_rules_for(mut content: Value, old: &RoomId, new: &RoomId) -> Option<Value> {
    let mut has_changed = false;
    for kind in ["override", "room"] {
        let rules = content
            .pointer_mut(&format!("/global/{kind}"))
            .and_then(Value::as_array_mut);
        let Some(rules) = rules else { continue };
        let place_of = |room: &RoomId| {
            rules
                .iter()
                .position(|rule| rule.get("rule_id").and_then(Value::as_str) == Some(room.as_str()))
        };
        let (Some(place), None) = (place_of(old), place_of(new)) else {
            continue;
        };
        if let Some(rule) = rules.get(place).map(|rule| renamed(rule.clone(), old, new)) {
            rules.insert(place, rule);
            has_changed = true;
        }
    }
    has_changed.then_some(content)
}

/// The rule with the new room wherever it names the old one.
fn renamed(mut rule: Value, old: &RoomId, new: &RoomId) -> Value {
    let rename = |field: Option<&mut Value>| {
        if let Some(field) = field
            && field.as_str() == Some(old.as_str())
        {
            *field = new.as_str().into();
        }
    };
    rename(rule.get_mut("rule_id"));
    let conditions = rule.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        rename(condition.get_mut("pattern"));
        rename(condition.get_mut("value"));
    }
    rule
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::room_id;
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_about_the_old_room_hold_for_the_new_one() {
        let (old, new) = (room_id!("!old:x"), room_id!("!new:x"));
        let mute = |room: &RoomId| {
            let condition = json!({ "kind": "event_match", "key": "room_id", "pattern": room });
            json!({ "rule_id": room, "conditions": [condition], "actions": [] })
        };
        let loud = |room: &RoomId| json!({ "rule_id": room, "actions": ["notify"] });
        let before = json!({ "global": { "override": [mute(old)], "room": [loud(old)] } });
        let after = with_rules_for(before, old, new).unwrap();
        let expected =
            json!({ "global": { "override": [mute(new), mute(old)], "room": [loud(new), loud(old)] } });
        assert_eq!(after, expected);
        assert_eq!(with_rules_for(after, old, new), None);
        assert_eq!(with_rules_for(json!({ "global": {} }), old, new), None);
    }
}
