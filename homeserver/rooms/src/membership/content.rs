//! The content of `m.room.member` events.

use echorift_accounts::Profile;
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, room::member::MembershipState},
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{EventDraft, RoomError};

/// What a member event says (CS API § `m.room.member`).
#[derive(Debug, Serialize)]
pub(crate) struct MemberContent {
    membership: MembershipState,
    #[serde(skip_serializing_if = "Option::is_none")]
    displayname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_direct: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_authorised_via_users_server: Option<OwnedUserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_invite: Option<Value>,
}

impl MemberContent {
    pub fn new(membership: MembershipState) -> Self {
        Self {
            membership,
            displayname: None,
            avatar_url: None,
            reason: None,
            is_direct: None,
            join_authorised_via_users_server: None,
            third_party_invite: None,
        }
    }

    /// Names the user as their profile does. Remote users and those who never logged in have none here.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<&Profile>) -> Self {
        self.displayname = profile.and_then(|profile| profile.display_name.clone());
        self.avatar_url = profile.and_then(|profile| profile.avatar_url.as_ref().map(ToString::to_string));
        self
    }

    #[must_use]
    pub fn with_reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// Marks an invite to a direct chat.
    #[must_use]
    pub fn with_direct(mut self, is_direct: bool) -> Self {
        self.is_direct = is_direct.then_some(true);
        self
    }

    /// Names the user whose server vouches for a restricted join.
    #[must_use]
    pub fn with_authoriser(mut self, authoriser: Option<OwnedUserId>) -> Self {
        self.join_authorised_via_users_server = authoriser;
        self
    }

    #[must_use]
    pub fn with_third_party_invite(mut self, invite: Value) -> Self {
        self.third_party_invite = Some(invite);
        self
    }

    /// The event that `sender` sends about `target`.
    pub fn draft(&self, sender: &UserId, target: &UserId) -> Result<EventDraft, RoomError> {
        Ok(EventDraft::state(
            sender,
            StateEventType::RoomMember,
            target.as_str(),
            raw(self)?,
        ))
    }
}

/// A value of ours as event content.
pub(crate) fn raw(content: &impl Serialize) -> Result<Box<RawValue>, RoomError> {
    serde_json::value::to_raw_value(content).map_err(|error| RoomError::BadRequest(error.to_string()))
}
