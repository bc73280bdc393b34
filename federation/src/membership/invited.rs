//! Invites of users of ours by users of other servers (SS API § Inviting to a room).

use echorift_events::{Pdu, rules_for};
use echorift_rooms::{OutsideMembership, Room, RoomError};
use echorift_web::MatrixError;
use ruma::{
    RoomVersionId, ServerName, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};
use serde_json::value::RawValue;

use super::{
    gate::incompatible,
    received::{Expected, malformed, member_of, read_member_event},
};
use crate::{Federation, policy::Crossing};

/// An invite as either version of the endpoint brings it.
pub(super) struct Invite {
    pub version: RoomVersionId,
    pub event: Box<RawValue>,
    pub room_state: Vec<Box<RawValue>>,
}

impl Federation {
    /// Checks an invite, shows it to its user, and returns the event with our signature.
    ///
    /// In a room that this server is in, the event counts once it comes by transaction like all others.
    pub(super) async fn take_invite(
        &self,
        expected: &Expected<'_>,
        invite: Invite,
    ) -> Result<Pdu, MatrixError> {
        let rules = rules_for(&invite.version).ok_or_else(|| incompatible(invite.version.as_str()))?;
        let room = match self.rooms().room(expected.room_id).await {
            Ok(room) => Some(room),
            Err(RoomError::UnknownRoom(_)) => None,
            Err(error) => return Err(error.into()),
        };
        // Outside of a room nobody knows its version: an earlier invite may have told a wrong one.
        let room = room.filter(|room| self.rooms().is_in(room));
        if room.as_ref().is_some_and(|room| room.version != invite.version) {
            return Err(MatrixError::invalid_param("The room has another version."));
        }
        let (pdu, _) = read_member_event(&rules, &invite.event, expected)?;
        let invitee = member_of(&pdu)?.to_owned();
        if !self.rooms().is_local(&invitee) {
            return Err(MatrixError::invalid_param(
                "The invited user is not of this server.",
            ));
        }
        self.check_may_invite(expected, room.as_deref(), &invitee).await?;
        self.check_signatures(&rules, &pdu).await?;
        let shown = self
            .read_shown_state(expected.room_id, &rules, invite.room_state)
            .await;
        // From version 12 on the room's ID is that of its create event: there is no excuse for not having it.
        let names_its_room = rules.event_format.require_room_create_room_id || shown.has_create_event;
        if !names_its_room {
            return Err(MatrixError::invalid_param(
                "`invite_room_state` lacks the `m.room.create` event of this room as a signed PDU.",
            ));
        }
        let key = &self.rooms().options().signing_key;
        let signed = pdu.cosigned(key, &rules).map_err(malformed)?;
        let outside = OutsideMembership {
            room_id: expected.room_id.to_owned(),
            version: invite.version,
            event: signed.clone(),
            stripped_state: Some(shown.stripped),
        };
        self.rooms().record_outside(outside).await?;
        metrics::counter!("echorift_federation_invites_received_total").increment(1);
        Ok(signed)
    }

    /// `room` is given if this server is in it. Errors: `M_FORBIDDEN`, `M_INVITE_BLOCKED`.
    async fn check_may_invite(
        &self,
        expected: &Expected<'_>,
        room: Option<&Room>,
        invitee: &UserId,
    ) -> Result<(), MatrixError> {
        let Expected { origin, room_id, .. } = *expected;
        let member = TimelineEventType::RoomMember;
        let crossings = [
            Crossing::Room(room_id),
            Crossing::Event(room_id, &member),
            Crossing::User(invitee),
        ];
        if !crossings
            .into_iter()
            .all(|crossing| self.policy().allows(origin, crossing))
        {
            return Err(MatrixError::forbidden("Your server may not invite this user."));
        }
        if let Some(room) = room {
            let is_denied = self.rooms().is_denied(room, origin).await;
            if is_denied.map_err(RoomError::from)? {
                return Err(MatrixError::forbidden(
                    "The room's access list keeps your server out.",
                ));
            }
        }
        if !self.accounts().can_exist(invitee).await? {
            return Err(MatrixError::forbidden("There is no such user."));
        }
        let number = self.rooms().user_number(invitee).await.map_err(RoomError::from)?;
        if self.accounts().is_guest(number) {
            return Err(MatrixError::forbidden(
                "Guests cannot be invited by other servers.",
            ));
        }
        self.rooms()
            .check_invitee(self.accounts(), Some(room_id), invitee)
            .await?;
        Ok(())
    }
}

/// What a received invite has to be.
pub(super) fn expected_invite<'a>(
    origin: &'a ServerName,
    room_id: &'a ruma::RoomId,
    event_id: &'a ruma::EventId,
) -> Expected<'a> {
    Expected {
        origin,
        room_id,
        event_id,
        membership: MembershipState::Invite,
    }
}
