//! What is checked of a client's event beyond the authorisation rules: relations and redactions.

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::Accounts;
use echorift_storage::{Change, StorageError, UserNumber};
use ruma::{EventId, OwnedEventId, UserId, events::TimelineEventType};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{Event, EventDraft, Room, RoomError, Rooms, Transaction, store};

/// How many of a user's annotations of one event are compared with a new one.
const ANNOTATIONS_MAX: i64 = 200;

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "m.relates_to")]
    relates_to: Option<RelatesTo>,
}

#[derive(Deserialize)]
struct RelatesTo {
    event_id: Option<OwnedEventId>,
    rel_type: Option<String>,
    key: Option<String>,
}

impl RelatesTo {
    fn of(content: &RawValue) -> Option<Self> {
        if !content.get().contains("m.relates_to") {
            return None;
        }
        serde_json::from_str::<Content>(content.get()).ok()?.relates_to
    }
}

impl Rooms {
    /// Appends a client's message event, once for each transaction; a sticky one, with a duration.
    ///
    /// Errors: those of [`Rooms::append`], `NoThreadRoot`, `DuplicateAnnotation`; for redactions those of
    /// [`Rooms::redact`].
    pub async fn send(
        &self,
        room: &Arc<Room>,
        sender: &Sender<'_>,
        draft: EventDraft,
        transaction: Transaction,
    ) -> Result<OwnedEventId, RoomError> {
        let draft = draft.with_transaction(Some(transaction.clone()));
        let draft = self.prepare(room, sender, draft).await?;
        self.send_once(room, draft, transaction).await
    }

    /// A client's message event as it can be appended, checked beyond the authorisation rules.
    pub(crate) async fn prepare(
        &self,
        room: &Arc<Room>,
        sender: &Sender<'_>,
        mut draft: EventDraft,
    ) -> Result<EventDraft, RoomError> {
        if draft.event_type == TimelineEventType::RoomRedaction {
            let (target, content) = take_redacts(draft.content, room.rules.redaction.content_field_redacts)?;
            self.check_redaction(room, sender, &target).await?;
            draft.content = content;
            draft.redacts = Some(target);
        } else {
            self.check_relation(room, sender.user_number, &draft).await?;
        }
        Ok(draft)
    }

    /// Sets a state event as its sender's client wants it. `also` is written in the same commit, if the event goes
    /// through this server's door alone and changes anything.
    ///
    /// Errors: those of [`Rooms::append`]; `BadAlias`; `BadRequest` for a list of servers without this one; for member
    /// events those of the endpoint of that membership, and `BadRequest` if one is to be sticky: not each way into a room
    /// goes through here.
    pub async fn set_state(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        draft: EventDraft,
        also: impl FnOnce(&mut Change, &EventId) + Send,
    ) -> Result<Arc<Event>, RoomError> {
        let state_key = draft.state_key.clone().unwrap_or_default();
        if draft.event_type == TimelineEventType::RoomMember {
            if draft.sticky_duration_ms.is_some() {
                return Err(RoomError::BadRequest("A membership cannot be sticky.".to_owned()));
            }
            let target = UserId::parse(&state_key).map_err(|_| {
                RoomError::BadRequest("The state key of a member event is a user ID.".to_owned())
            })?;
            return self
                .set_member_content(accounts, room, &target, draft, also)
                .await;
        }
        if draft.event_type == TimelineEventType::RoomCanonicalAlias && state_key.is_empty() {
            self.check_canonical_alias(room, draft.content.get()).await?;
        }
        if draft.event_type == TimelineEventType::RoomServerAcl && state_key.is_empty() {
            self.check_keeps_us_in(&draft.content)?;
        }
        if draft.event_type == TimelineEventType::RoomPowerLevels && state_key.is_empty() {
            self.check_no_creator_listed(room, &draft.content).await?;
        }
        let concerns_guests = draft.event_type == TimelineEventType::RoomGuestAccess;
        let mut events = self.append_with(room, vec![draft], also).await?;
        if concerns_guests {
            self.expel_guests(accounts, room).await?;
        }
        events
            .pop()
            .ok_or_else(|| StorageError::corrupt("append", "no event").into())
    }

    /// Where creators stand above all levels, a client that lists one is told so rather than that it may not.
    async fn check_no_creator_listed(&self, room: &Room, content: &RawValue) -> Result<(), RoomError> {
        #[derive(Deserialize)]
        struct Users {
            users: Option<BTreeMap<String, IgnoredAny>>,
        }
        if !room.rules.authorization.explicitly_privilege_room_creators {
            return Ok(());
        }
        let Ok(Users { users: Some(users) }) = serde_json::from_str(content.get()) else {
            return Ok(());
        };
        let (_, creators) = self.power_levels(room, &room.view().state).await?;
        let listed = creators
            .iter()
            .find(|creator| users.contains_key(creator.as_str()));
        match listed {
            Some(creator) => Err(RoomError::BadRequest(format!(
                "{creator} is a creator of the room, who has no level to be set."
            ))),
            None => Ok(()),
        }
    }

    /// Appends a redaction of `target`, once for each transaction.
    ///
    /// Everyone may redact their own events, those with the power to do so everyone's, and administrators of this
    /// server those of its users (CS API § Redactions). The authorisation rules alone would let every user of a server
    /// redact events of the others. Errors: `UnknownEvent`, `Forbidden`, those of [`Rooms::append`].
    pub async fn redact(
        &self,
        room: &Arc<Room>,
        sender: &Sender<'_>,
        target: OwnedEventId,
        content: Box<RawValue>,
        transaction: Transaction,
    ) -> Result<OwnedEventId, RoomError> {
        self.check_redaction(room, sender, &target).await?;
        let mut draft = EventDraft::message(sender.user_id, TimelineEventType::RoomRedaction, content);
        draft.redacts = Some(target);
        self.send_once(room, draft, transaction).await
    }

    async fn check_redaction(
        &self,
        room: &Room,
        sender: &Sender<'_>,
        target: &EventId,
    ) -> Result<(), RoomError> {
        self.check_joined(room, sender.user_id).await?;
        let event = self.event_by_id(room, target).await?;
        if event.pdu.sender != sender.user_id {
            if !sender.may_moderate {
                return Err(RoomError::Forbidden(
                    "This access token is for removing messages of its own: it does not have the scope `manage`."
                        .to_owned(),
                ));
            }
            let is_administered = sender.is_admin && self.is_local(&event.pdu.sender);
            let (levels, _) = self.power_levels(room, &room.view().state).await?;
            if !is_administered && !levels.user_level(sender.user_id).reaches(levels.redact()) {
                return Err(RoomError::Forbidden(
                    "You may not remove this message.".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// What the relationship types demand of new events: a thread starts from an event that relates to nothing
    /// (CS API § Validation of `m.thread` relationships), and nobody annotates twice the same (§ Avoiding duplicate
    /// annotations).
    async fn check_relation(
        &self,
        room: &Room,
        sender: UserNumber,
        draft: &EventDraft,
    ) -> Result<(), RoomError> {
        let Some(RelatesTo {
            event_id: Some(parent),
            rel_type: Some(rel_type),
            key,
        }) = RelatesTo::of(&draft.content)
        else {
            return Ok(());
        };
        match rel_type.as_str() {
            "m.thread" => match self.event_by_id(room, &parent).await {
                Ok(root) if root.relation.is_some() => Err(RoomError::NoThreadRoot(parent)),
                Ok(_) | Err(RoomError::UnknownEvent(_)) => Ok(()),
                Err(error) => Err(error),
            },
            "m.annotation" => {
                let Some(key) = key else { return Ok(()) };
                let is_same = |event: &Arc<Event>| {
                    // The request may be a repetition of the one that made the event.
                    (event.transaction.is_none() || event.transaction != draft.transaction)
                        && RelatesTo::of(&event.pdu.content)
                            .and_then(|relates_to| relates_to.key)
                            .as_ref()
                            == Some(&key)
                };
                let is_double = self
                    .annotations(room, &parent, sender, &draft.event_type)
                    .await?
                    .iter()
                    .any(is_same);
                if is_double {
                    Err(RoomError::DuplicateAnnotation(parent))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    async fn annotations(
        &self,
        room: &Room,
        parent: &EventId,
        sender: UserNumber,
        event_type: &TimelineEventType,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let event_type = event_type.to_string();
        let numbers = store::relations::annotations(
            self.database(),
            room.number,
            parent,
            sender,
            &event_type,
            ANNOTATIONS_MAX,
        )
        .await?;
        Ok(self.events(&numbers).await?)
    }
}

/// Who sends, by what right.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub user_id: &'a UserId,
    pub user_number: UserNumber,
    /// Whether they administer this server.
    pub is_admin: bool,
    /// Whether they may redact what others have sent, given the power: a program's token may not without its scope.
    pub may_moderate: bool,
}

/// The target in a redaction's content. Rooms before version 11 keep it outside of the content.
fn take_redacts(content: Box<RawValue>, stays: bool) -> Result<(OwnedEventId, Box<RawValue>), RoomError> {
    let bad = || RoomError::BadRequest("`redacts` must be the ID of an event.".to_owned());
    let mut fields: Map<String, Value> = serde_json::from_str(content.get()).map_err(|_| bad())?;
    let target = fields
        .get("redacts")
        .and_then(Value::as_str)
        .and_then(|id| EventId::parse(id).ok());
    let target = target.ok_or_else(bad)?;
    if stays {
        return Ok((target, content));
    }
    fields.remove("redacts");
    let content = to_raw_value(&fields).map_err(|_| bad())?;
    Ok((target, content))
}

#[cfg(test)]
mod tests;
