//! Templates of member events: made for other servers, and made into events of our own (SS API § Joining Rooms).

use std::collections::BTreeMap;

use echorift_events::{Draft, Pdu, RoomVersionRules, SigningKey, seal};
use echorift_rooms::{EventDraft, Room, RoomError};
use echorift_web::MatrixError;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, ServerName, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

use super::gate::refusal;
use crate::{Federation, FederationError};

impl Federation {
    /// An unsigned member event of a user of another server about themselves, upon the room's head, if the rules allow it.
    pub(super) async fn make_template(
        &self,
        room: &std::sync::Arc<Room>,
        user: &UserId,
        membership: MembershipState,
    ) -> Result<Box<RawValue>, MatrixError> {
        let mut content = json!({ "membership": membership });
        if membership == MembershipState::Join {
            let authoriser = self.rooms().find_authoriser(room, user).await.map_err(refusal)?;
            if let (Some(authoriser), Some(fields)) = (authoriser, content.as_object_mut()) {
                fields.insert(
                    "join_authorised_via_users_server".to_owned(),
                    authoriser.to_string().into(),
                );
            }
        }
        let content = to_raw_value(&content).map_err(MatrixError::internal)?;
        let draft = EventDraft::state(user, StateEventType::RoomMember, user.as_str(), content);
        let pdu = self.rooms().propose(room, draft).await.map_err(refusal)?;
        template_of(&pdu, self.server_name()).map_err(MatrixError::internal)
    }
}

/// The event without what its sender's server adds.
fn template_of(pdu: &Pdu, server: &ServerName) -> Result<Box<RawValue>, serde_json::Error> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(pdu.json())?;
    for added in ["event_id", "hashes", "signatures"] {
        fields.remove(added);
    }
    fields.insert("origin".to_owned(), to_raw_value(server)?);
    to_raw_value(&fields)
}

/// A template that another server made for a user of ours.
#[derive(Deserialize)]
pub(super) struct Template {
    room_id: OwnedRoomId,
    sender: OwnedUserId,
    state_key: OwnedUserId,
    r#type: TimelineEventType,
    content: TemplateContent,
    prev_events: Vec<Reference>,
    auth_events: Vec<Reference>,
    depth: u64,
}

#[derive(Deserialize)]
struct TemplateContent {
    membership: MembershipState,
    join_authorised_via_users_server: Option<OwnedUserId>,
}

/// An event's ID; in versions 1 and 2 a pair of it and its hashes.
struct Reference(OwnedEventId);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Id(OwnedEventId),
            Pair(OwnedEventId, IgnoredAny),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Id(id) | Either::Pair(id, _) => Self(id),
        })
    }
}

/// For which event of ours a template was asked.
pub(super) struct Wanted<'a> {
    pub room_id: &'a RoomId,
    pub user: &'a UserId,
    pub membership: MembershipState,
    /// What the event is to say, whatever the template does.
    pub content: &'a RawValue,
}

impl Template {
    /// Reads a template and checks that it is for what was asked.
    ///
    /// Errors: `BadAnswer`.
    pub fn read(server: &ServerName, text: &RawValue, wanted: &Wanted<'_>) -> Result<Self, FederationError> {
        let bad = |reason: String| FederationError::BadAnswer {
            server: server.to_owned(),
            reason,
        };
        let template: Self =
            serde_json::from_str(text.get()).map_err(|error| bad(format!("its template: {error}")))?;
        let is_wanted = template.room_id == wanted.room_id
            && template.sender == wanted.user
            && template.state_key == wanted.user
            && template.r#type == TimelineEventType::RoomMember
            && template.content.membership == wanted.membership;
        if is_wanted {
            Ok(template)
        } else {
            Err(bad("its template is for another event".to_owned()))
        }
    }

    /// The server whose signature a join into a restricted room needs beside ours.
    pub fn authorising_server(&self) -> Option<&ServerName> {
        let user = self.content.join_authorised_via_users_server.as_ref();
        user.map(|user| user.server_name())
    }

    /// The event that we make of it: what it says is ours, what it is built upon the template's.
    pub fn into_event(
        self,
        wanted: &Wanted<'_>,
        rules: &RoomVersionRules,
        key: &SigningKey,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Pdu, FederationError> {
        let unreadable = |error: serde_json::Error| RoomError::BadRequest(error.to_string());
        let mut content: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(wanted.content.get()).map_err(unreadable)?;
        if let Some(user) = self.content.join_authorised_via_users_server {
            let user = to_raw_value(&user).map_err(unreadable)?;
            content.insert("join_authorised_via_users_server".to_owned(), user);
        }
        let ids = |references: Vec<Reference>| references.into_iter().map(|reference| reference.0).collect();
        let draft = Draft {
            room_id: Some(self.room_id),
            sender: self.sender,
            event_type: TimelineEventType::RoomMember,
            state_key: Some(self.state_key.into()),
            content: to_raw_value(&content).map_err(unreadable)?,
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: now,
            prev_events: ids(self.prev_events),
            auth_events: ids(self.auth_events),
            depth: self.depth,
        };
        Ok(seal(draft, rules, key)?)
    }
}
