//! Power levels (CS API § `m.room.power_levels`) as each room version understands them.

use std::collections::BTreeMap;

use ruma::{OwnedUserId, UserId, events::TimelineEventType, room_version_rules::RoomVersionRules};
use serde_json::value::RawValue;

use crate::json::{Json, Numbers, Object, parse_object, write_object};

/// The level of a room's creator in versions 1 to 11 while the room has no power levels event.
const CREATOR_LEVEL_WITHOUT_EVENT: i64 = 100;

/// How much a user may do. Creators of version 12 rooms stand above every number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A number out of the power levels event, or a default.
    Int(i64),
    /// A creator of the room, in version 12 and up.
    Creator,
}

impl Level {
    /// Whether the user reaches the required level.
    pub fn reaches(self, required: i64) -> bool {
        self >= Self::Int(required)
    }
}

/// The power levels in force in a room, with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerLevels {
    creators: Vec<OwnedUserId>,
    users: BTreeMap<OwnedUserId, i64>,
    users_default: i64,
    events: BTreeMap<String, i64>,
    events_default: i64,
    state_default: i64,
    ban: i64,
    kick: i64,
    invite: i64,
    redact: i64,
    notifications: BTreeMap<String, i64>,
}

impl PowerLevels {
    /// The levels that the content of a room's `m.room.power_levels` event, if it has one, gives.
    ///
    /// `creators` are the sender of the create event (before version 11 its `content.creator`) and, in version 12,
    /// its `additional_creators`. What is not a level is left out, as if absent: the authorisation rules keep such
    /// content out of rooms, and a reader of the past must not fail over it.
    pub fn new(content: Option<&RawValue>, creators: &[OwnedUserId], rules: &RoomVersionRules) -> Self {
        let has_event = content.is_some();
        let has_infinite_creators = rules.authorization.explicitly_privilege_room_creators;
        let content = content.and_then(|content| parse_object(content.get(), Numbers::Lenient).ok());
        let reader = Reader {
            content: content.unwrap_or_default(),
            integers_only: rules.authorization.integer_power_levels,
        };
        let mut users: BTreeMap<OwnedUserId, i64> = reader
            .map("users")
            .into_iter()
            .filter_map(|(user, level)| Some((UserId::parse(user).ok()?, level)))
            .collect();
        if !has_event && !has_infinite_creators {
            users.extend(
                creators
                    .iter()
                    .map(|creator| (creator.clone(), CREATOR_LEVEL_WITHOUT_EVENT)),
            );
        }
        Self {
            creators: if has_infinite_creators {
                creators.to_vec()
            } else {
                Vec::new()
            },
            users,
            users_default: reader.level("users_default", 0),
            events: reader.map("events"),
            events_default: reader.level("events_default", 0),
            state_default: reader.level("state_default", 50),
            ban: reader.level("ban", 50),
            kick: reader.level("kick", 50),
            invite: reader.level("invite", 0),
            redact: reader.level("redact", 50),
            notifications: reader.map("notifications"),
        }
    }

    /// The user's level.
    pub fn user_level(&self, user: &UserId) -> Level {
        if self.creators.iter().any(|creator| creator == user) {
            return Level::Creator;
        }
        Level::Int(self.users.get(user).copied().unwrap_or(self.users_default))
    }

    /// The users whose level the event gives explicitly.
    pub fn users(&self) -> &BTreeMap<OwnedUserId, i64> {
        &self.users
    }

    /// The level of users that are not listed.
    pub fn users_default(&self) -> i64 {
        self.users_default
    }

    /// What it takes to send a state event of this type.
    pub fn level_for_state(&self, event_type: &str) -> i64 {
        self.events.get(event_type).copied().unwrap_or(self.state_default)
    }

    /// What it takes to send a message event of this type.
    pub fn level_for_message(&self, event_type: &str) -> i64 {
        self.events
            .get(event_type)
            .copied()
            .unwrap_or(self.events_default)
    }

    /// What it takes to invite.
    pub fn invite(&self) -> i64 {
        self.invite
    }

    /// What it takes to kick, and together with [`PowerLevels::ban`] to lift a ban.
    pub fn kick(&self) -> i64 {
        self.kick
    }

    /// What it takes to ban.
    pub fn ban(&self) -> i64 {
        self.ban
    }

    /// What it takes to redact the events of others.
    pub fn redact(&self) -> i64 {
        self.redact
    }

    /// What it takes to notify the whole room.
    pub fn notifications_room(&self) -> i64 {
        self.notifications.get("room").copied().unwrap_or(50)
    }

    /// The levels for notifications of all kinds that the event lists.
    pub fn notifications(&self) -> &BTreeMap<String, i64> {
        &self.notifications
    }

    /// Whether the user may send state events of this type.
    pub fn can_send_state(&self, user: &UserId, event_type: &str) -> bool {
        self.user_level(user).reaches(self.level_for_state(event_type))
    }

    /// Whether the user may send message events of this type.
    pub fn can_send_message(&self, user: &UserId, event_type: &str) -> bool {
        self.user_level(user).reaches(self.level_for_message(event_type))
    }

    /// Whether the user may invite.
    pub fn can_invite(&self, user: &UserId) -> bool {
        self.user_level(user).reaches(self.invite)
    }

    /// Whether the user may remove the target from the room.
    pub fn can_kick(&self, user: &UserId, target: &UserId) -> bool {
        let level = self.user_level(user);
        level.reaches(self.kick) && level > self.user_level(target)
    }

    /// Whether the user may ban the target.
    pub fn can_ban(&self, user: &UserId, target: &UserId) -> bool {
        let level = self.user_level(user);
        level.reaches(self.ban) && level > self.user_level(target)
    }

    /// Whether the user may redact an event of this sender: their own, those of their own server's users
    /// (rooms § Handling redactions), or with the redact level everyone's.
    pub fn can_redact(&self, user: &UserId, sender: &UserId) -> bool {
        user.server_name() == sender.server_name() || self.user_level(user).reaches(self.redact)
    }

    /// Whether the user may notify the whole room.
    pub fn can_notify_room(&self, user: &UserId) -> bool {
        self.user_level(user).reaches(self.notifications_room())
    }
}

struct Reader {
    content: Object,
    integers_only: bool,
}

impl Reader {
    fn level(&self, key: &str, default: i64) -> i64 {
        self.content
            .get(key)
            .and_then(|value| self.read(value))
            .unwrap_or(default)
    }

    fn map(&self, key: &str) -> BTreeMap<String, i64> {
        let entries = self
            .content
            .get(key)
            .and_then(Json::as_object)
            .into_iter()
            .flatten();
        entries
            .filter_map(|(key, value)| Some((key.clone(), self.read(value)?)))
            .collect()
    }

    fn read(&self, value: &Json) -> Option<i64> {
        match value {
            Json::Number(text) => match text.parse() {
                Ok(number) => Some(number),
                Err(_) if self.integers_only => None,
                Err(_) => truncate(text),
            },
            Json::String(text) if !self.integers_only => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// A float without what follows its decimal point (rooms version 1 § accept values as floats).
fn truncate(text: &str) -> Option<i64> {
    let truncated = text.parse::<f64>().ok()?.trunc();
    format!("{truncated:.0}").parse().ok()
}

/// Rewrites a power levels event's content with its floats truncated, for rules that only know integers.
///
/// `None` if that changes nothing: other types, versions 6 and up, and nearly every event of older ones.
pub(crate) fn without_floats(
    event_type: &TimelineEventType,
    content: &RawValue,
    rules: &RoomVersionRules,
) -> Option<Box<RawValue>> {
    if *event_type != TimelineEventType::RoomPowerLevels || rules.authorization.strict_canonical_json {
        return None;
    }
    let mut content = parse_object(content.get(), Numbers::Lenient).ok()?;
    let mut has_changed = false;
    for value in content.values_mut() {
        if let Json::Object(levels) = value {
            levels
                .values_mut()
                .for_each(|level| has_changed |= truncate_in_place(level));
        } else {
            has_changed |= truncate_in_place(value);
        }
    }
    if !has_changed {
        return None;
    }
    let mut text = String::new();
    write_object(&mut text, &content);
    RawValue::from_string(text).ok()
}

fn truncate_in_place(value: &mut Json) -> bool {
    let Json::Number(text) = value else { return false };
    if !text.contains(['.', 'e']) {
        return false;
    }
    let Some(truncated) = truncate(text) else {
        return false;
    };
    *value = Json::Number(truncated.to_string().into());
    true
}

#[cfg(test)]
mod tests;
