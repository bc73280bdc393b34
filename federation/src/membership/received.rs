//! Member events that other servers have signed, on their way in.

use std::sync::Arc;

use echorift_events::{EventError, Incoming, Pdu, RoomVersionRules};
use echorift_rooms::{Event, Outcome, Received, Reception, Room};
use echorift_storage::Change;
use echorift_web::MatrixError;
use ruma::{
    EventId, RoomId, ServerName, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::gate::refusal;
use crate::{Federation, FederationError};

/// What a member event has to be.
pub(super) struct Expected<'a> {
    pub origin: &'a ServerName,
    pub room_id: &'a RoomId,
    pub event_id: &'a EventId,
    pub membership: MembershipState,
}

/// The membership of a member event, and who vouches for it.
#[derive(Deserialize)]
pub(super) struct MemberContent {
    pub membership: MembershipState,
    pub join_authorised_via_users_server: Option<ruma::OwnedUserId>,
}

/// Reads a member event and checks that it is what it should be, signatures apart.
///
/// Errors: `M_INVALID_PARAM`, `M_TOO_LARGE`.
pub(super) fn read_member_event(
    rules: &RoomVersionRules,
    text: &RawValue,
    expected: &Expected<'_>,
) -> Result<(Pdu, MemberContent), MatrixError> {
    let wrong = |what: &str| MatrixError::invalid_param(format!("The event {what}."));
    let incoming = Incoming::parse(text.get(), rules).map_err(malformed)?;
    if !incoming.is_intact() {
        return Err(wrong("does not have the content hash that it claims"));
    }
    if incoming.room_id() != expected.room_id {
        return Err(wrong("is of another room"));
    }
    if incoming.event_id() != expected.event_id {
        return Err(wrong("has another ID"));
    }
    let pdu = incoming.into_pdu(rules).map_err(malformed)?;
    if pdu.event_type != TimelineEventType::RoomMember {
        return Err(wrong("is no member event"));
    }
    let content: MemberContent = pdu
        .content_as()
        .map_err(|error| wrong(&format!("has no membership: {error}")))?;
    if content.membership != expected.membership {
        return Err(wrong("has another membership"));
    }
    if pdu.sender.server_name() != expected.origin {
        return Err(wrong("is not sent by a user of your server"));
    }
    let is_about_sender = pdu.state_key.as_deref() == Some(pdu.sender.as_str());
    if expected.membership != MembershipState::Invite && !is_about_sender {
        return Err(wrong("is not about its sender"));
    }
    Ok((pdu, content))
}

/// The user whose membership the event is about. Errors: `M_INVALID_PARAM`.
pub(super) fn member_of(pdu: &Pdu) -> Result<&UserId, MatrixError> {
    let user = pdu
        .state_key
        .as_deref()
        .and_then(|user| <&UserId>::try_from(user).ok());
    user.ok_or_else(|| MatrixError::invalid_param("The event is about nobody."))
}

pub(super) fn malformed(error: EventError) -> MatrixError {
    match error {
        EventError::TooLarge { .. } | EventError::FieldTooLarge { .. } => {
            MatrixError::too_large(error.to_string())
        }
        error => MatrixError::invalid_param(error.to_string()),
    }
}

impl Federation {
    /// Checks that everybody whose signature the event needs has signed it. Errors: `M_INVALID_PARAM`.
    pub(super) async fn check_signatures(
        &self,
        rules: &RoomVersionRules,
        pdu: &Pdu,
    ) -> Result<(), MatrixError> {
        let text = RawValue::from_string(pdu.json().to_owned()).map_err(MatrixError::internal)?;
        match self.verify_pdus(rules, vec![text]).await.pop() {
            Some(Ok(_)) => Ok(()),
            Some(Err(FederationError::Event(error))) => Err(malformed(error)),
            Some(Err(error)) => Err(error.into()),
            None => Err(MatrixError::internal("an event could not be checked")),
        }
    }

    /// Appends an event that another server has us distribute, and returns it once it is committed.
    ///
    /// Errors: `M_FORBIDDEN` if the rules do not allow it; `M_INVALID_PARAM` if it is built upon what is not here.
    pub(super) async fn append_for_others(
        &self,
        room: &Arc<Room>,
        pdu: Pdu,
    ) -> Result<Arc<Event>, MatrixError> {
        let received = self.rooms().receive(room, Received::ours(pdu), |_| {}).await;
        let event = match received.map_err(refusal)? {
            Reception::Taken(event, commit) => {
                commit.done().await.map_err(FederationError::from)?;
                event
            }
            Reception::Known(event) => {
                // It may have come in twice at once: what was queued before this is written when this is.
                let flushed = self.database().writer().commit(Change::new()).await;
                flushed.map_err(FederationError::from)?;
                event
            }
            Reception::Missing(_) => {
                return Err(MatrixError::invalid_param(
                    "The event is built upon events that are not known here: ask for a new template.",
                ));
            }
        };
        match event.outcome {
            Outcome::Accepted => Ok(event),
            Outcome::SoftFailed | Outcome::Rejected | Outcome::Outlier => {
                Err(MatrixError::forbidden("The rules of the room do not allow this."))
            }
        }
    }
}
