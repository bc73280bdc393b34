//! What becomes of the invites and knocks of our users in rooms that this server is not in.

use echorift_events::Pdu;
use echorift_rooms::{Event, OutsideMembership, RoomError};
use ruma::{
    RoomId, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};

use super::received::MemberContent;
use crate::{Federation, FederationError};

impl Federation {
    /// Takes an event of a room that this server is not in, its hash and signatures checked: one that ends the invite or
    /// the knock of a user of ours. Whether it was one.
    pub(crate) async fn receive_outside(&self, room_id: &RoomId, pdu: Pdu) -> Result<bool, FederationError> {
        let rooms = self.rooms();
        let room = match rooms.room(room_id).await {
            Ok(room) => room,
            Err(RoomError::UnknownRoom(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let user = pdu
            .state_key
            .as_deref()
            .filter(|_| pdu.event_type == TimelineEventType::RoomMember && pdu.room_id == room_id)
            .and_then(|user| <&UserId>::try_from(user).ok())
            .filter(|user| rooms.is_local(user) && **user != pdu.sender);
        let Some(user) = user else { return Ok(false) };
        let ends = pdu
            .content_as::<MemberContent>()
            .is_ok_and(|content| matches!(content.membership, MembershipState::Leave | MembershipState::Ban));
        let standing = rooms.membership(&room.view().state, user).await?;
        let Some((MembershipState::Invite | MembershipState::Knock, standing)) = standing else {
            return Ok(false);
        };
        if !ends || !may_end(&pdu, &standing) {
            return Ok(false);
        }
        rooms
            .record_outside(OutsideMembership {
                room_id: room_id.to_owned(),
                version: room.version.clone(),
                event: pdu,
                stripped_state: None,
            })
            .await?;
        Ok(true)
    }
}

/// Whether an event may end the standing invite or knock. Who may remove people from the room is not known outside of
/// it: the inviter's server is believed, and whoever knows the very event that is ended, as only those do who are in
/// the room.
fn may_end(pdu: &Pdu, standing: &Event) -> bool {
    pdu.sender.server_name() == standing.pdu.sender.server_name()
        || pdu.auth_events.contains(&standing.pdu.event_id)
}
