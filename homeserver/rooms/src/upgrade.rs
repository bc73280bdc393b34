//! Replacing a room by one of another version (CS API § Room upgrades).

mod levels;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use echorift_accounts::Accounts;
use echorift_events::rules_for;
use echorift_storage::{Change, EventNumber, Position};
use ruma::{
    OwnedUserId, RoomId, RoomVersionId, UserId,
    events::{StateEventType, room::member::MembershipState},
};
use serde_json::{Map, Value, json};

use self::levels::Levels;
pub(crate) use self::levels::read_levels;
use crate::{
    Event, EventDraft, Room, RoomError, Rooms,
    create::SLOT_TYPES,
    facts::CanonicalAlias,
    membership::{MemberContent, raw},
    store,
};

/// The state that a replacement takes over (CS API § Room upgrades, step 3). Power levels are handled apart, and so are
/// the slots of calls, which have state keys: in the new room people call each other as in the old one.
const TRANSFERRED: [&str; 8] = [
    "m.room.server_acl",
    "m.room.encryption",
    "m.room.name",
    "m.room.avatar",
    "m.room.topic",
    "m.room.guest_access",
    "m.room.history_visibility",
    "m.room.join_rules",
];
/// The most bans and children of a space that are taken over.
const TRANSFERRED_MAX: usize = 10_000;
/// What the old room allows only to those with more afterwards.
const CLOSED_LEVEL: i64 = 50;

/// How a room is to be replaced.
#[derive(Debug, Clone)]
pub struct UpgradeRequest {
    pub version: RoomVersionId,
    /// Creators beside the upgrading user, in versions that have them.
    pub additional_creators: Vec<OwnedUserId>,
}

impl Rooms {
    /// Makes the replacement of a room, moves its aliases and its directory entry, and closes the old room.
    ///
    /// The replacement is complete before the old room points to it, and what moves does so in one commit with the
    /// tombstone: an interruption leaves at worst a replacement that nothing points to.
    /// Errors: `UnsupportedVersion`, `NotJoined`, `Forbidden` to who may not send `m.room.tombstone`.
    pub async fn upgrade(
        &self,
        accounts: &Accounts,
        old: &Arc<Room>,
        user: &UserId,
        request: UpgradeRequest,
    ) -> Result<Arc<Room>, RoomError> {
        let rules = rules_for(&request.version)
            .ok_or_else(|| RoomError::UnsupportedVersion(request.version.clone()))?;
        self.check_joined(old, user).await?;
        let view = old.view();
        let (power, _) = self.power_levels(old, &view.state).await?;
        if !power.can_send_state(user, "m.room.tombstone") {
            return Err(RoomError::Forbidden("You may not upgrade this room.".to_owned()));
        }
        let state = self.transferable(old).await?;
        let additional: Vec<OwnedUserId> = if rules.authorization.additional_room_creators {
            request.additional_creators
        } else {
            Vec::new()
        };
        let levels =
            Levels::for_replacement(&read_levels(state.levels.as_deref()), (user, &additional), &rules);
        let profile = accounts.profile(user).await?;
        let mut then = vec![
            MemberContent::new(MembershipState::Join)
                .with_profile(profile.as_ref())
                .draft(user, user)?,
            levels.while_filling(user)?,
        ];
        for event in &state.events {
            then.push(copy_of(event, user));
        }
        then.push(levels.at_last(user)?);

        let create = self.successor_content(
            old,
            state.create.as_deref(),
            (user, &additional),
            &request.version,
        )?;
        let create = EventDraft::state(user, StateEventType::RoomCreate, "", raw(&create)?);
        let aliases = self
            .aliases_of(&[old.number])
            .await?
            .remove(&old.number)
            .unwrap_or_default();
        let is_published = self.is_published(old).await?;
        let (new, _) = self
            .create(&request.version, create, then, false, |_, _, _| {})
            .await?;
        let moves = |change: &mut Change| {
            for alias in &aliases {
                store::aliases::move_to(change, alias, new.number);
                self.tell_alias_made(alias, &new.id);
            }
            if is_published {
                store::directory::set_published(change, old.number, false);
                store::directory::set_published(change, new.number, true);
            }
        };
        self.close(old, user, &new.id, moves).await?;
        self.carry_over_settings(accounts, &new, user).await;
        Ok(new)
    }

    /// What the create event of the replacement says: where it comes from, and the type and reach of the old room.
    fn successor_content(
        &self,
        old: &Room,
        create: Option<&Event>,
        (user, additional): (&UserId, &[OwnedUserId]),
        version: &RoomVersionId,
    ) -> Result<Map<String, Value>, RoomError> {
        let old_content: Map<String, Value> = create
            .and_then(|create| create.pdu.content_as().ok())
            .unwrap_or_default();
        let mut content = Map::new();
        content.insert("room_version".to_owned(), version.as_str().into());
        let rules = rules_for(version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        if !rules.authorization.use_room_create_sender {
            content.insert("creator".to_owned(), user.as_str().into());
        }
        if !additional.is_empty() {
            content.insert("additional_creators".to_owned(), json!(additional));
        }
        for kept in ["type", "m.federate"] {
            if let Some(value) = old_content.get(kept) {
                content.insert(kept.to_owned(), value.clone());
            }
        }
        let last = old
            .latest(Position(i64::MAX), 1)
            .and_then(|(events, _)| events.into_iter().next());
        let predecessor = match last {
            // Clients of old versions look for where the old room ends.
            Some(last) if !rules.authorization.room_create_event_id_as_room_id => {
                json!({ "room_id": old.id, "event_id": last.pdu.event_id })
            }
            _ => json!({ "room_id": old.id }),
        };
        content.insert("predecessor".to_owned(), predecessor);
        Ok(content)
    }

    /// The state of a room that its replacement begins with.
    async fn transferable(&self, room: &Room) -> Result<Transferable, RoomError> {
        let state = room.view().state.clone();
        let named = TRANSFERRED
            .iter()
            .filter_map(|event_type| state.get(event_type, ""));
        let alias = state.get("m.room.canonical_alias", "");
        let children = state.of_type("m.space.child").map(|(_, number)| number);
        let slots = SLOT_TYPES.iter().flat_map(|slot| state.of_type(slot));
        let slots = slots.map(|(_, number)| number);
        let members = state.of_type("m.room.member").map(|(_, number)| number);
        let levels = state.get("m.room.power_levels", "");
        let create = state.get("m.room.create", "");
        let numbers: Vec<EventNumber> = named
            .chain(alias)
            .chain(children)
            .chain(slots)
            .chain(members)
            .chain(levels)
            .chain(create)
            .collect();
        let mut by_number: HashMap<EventNumber, Arc<Event>> = self
            .events(&numbers)
            .await?
            .into_iter()
            .map(|event| (event.number, event))
            .collect();
        let mut find = |number: Option<EventNumber>| number.and_then(|number| by_number.remove(&number));
        let (levels, create) = (find(levels), find(create));
        let events = numbers.iter().filter_map(|number| by_number.get(number));
        let kept = events.filter(|event| is_transferred(event)).take(TRANSFERRED_MAX);
        Ok(Transferable {
            events: kept.cloned().collect(),
            levels,
            create,
        })
    }

    /// Points the old room to its replacement, and closes it as far as the user may.
    async fn close(
        &self,
        old: &Arc<Room>,
        user: &UserId,
        replacement: &RoomId,
        moves: impl FnOnce(&mut Change),
    ) -> Result<(), RoomError> {
        let tombstone = json!({ "body": "This room has been replaced.", "replacement_room": replacement });
        let tombstone = EventDraft::state(
            user,
            StateEventType::from("m.room.tombstone"),
            "",
            raw(&tombstone)?,
        );
        self.append_with(old, vec![tombstone], |change, _| moves(change))
            .await?;

        let state = old.view().state.clone();
        let alias: Option<CanonicalAlias> = self.state_content(&state, "m.room.canonical_alias").await?;
        if alias.is_some_and(|alias| alias.alias.is_some() || !alias.alt_aliases.is_empty()) {
            self.append_if_allowed(old, CanonicalAlias::default().draft(user)?)
                .await?;
        }
        let levels = self.state_event(&state, "m.room.power_levels", "").await?;
        let mut levels = read_levels(levels.as_deref());
        let number = |levels: &Map<String, Value>, key| levels.get(key).and_then(Value::as_i64).unwrap_or(0);
        let closed = CLOSED_LEVEL.max(number(&levels, "users_default").saturating_add(1));
        for key in ["events_default", "invite"] {
            let level = closed.max(number(&levels, key));
            levels.insert(key.to_owned(), level.into());
        }
        let draft = EventDraft::state(user, StateEventType::RoomPowerLevels, "", raw(&levels)?);
        self.append_if_allowed(old, draft).await
    }

    /// Appends what the room's rules allow the user, and otherwise leaves the room as it is.
    async fn append_if_allowed(&self, room: &Arc<Room>, draft: EventDraft) -> Result<(), RoomError> {
        match self.append(room, draft).await {
            Ok(_) | Err(RoomError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

struct Transferable {
    events: Vec<Arc<Event>>,
    levels: Option<Arc<Event>>,
    create: Option<Arc<Event>>,
}

/// Of members only the bans are taken over; an emptied `m.space.child` names no child.
fn is_transferred(event: &Event) -> bool {
    let content: Value = event.pdu.content_as().unwrap_or_default();
    match event.pdu.event_type.to_string().as_str() {
        "m.room.member" => content.get("membership") == Some(&"ban".into()),
        "m.space.child" => content.get("via").is_some(),
        _ => true,
    }
}

/// The same state event, sent by the upgrading user.
fn copy_of(event: &Event, user: &UserId) -> EventDraft {
    let event_type = StateEventType::from(event.pdu.event_type.to_string());
    let state_key = event.pdu.state_key.as_deref().unwrap_or_default();
    EventDraft::state(user, event_type, state_key, event.pdu.content.clone())
}
