//! What we do as the server that is in the room for one whose user wants to come in, go, or knock.

use std::sync::Arc;

use echorift_rooms::{Event, Room, RoomError};
use echorift_web::MatrixError;
use ruma::{
    EventId, OwnedServerName, RoomId, RoomVersionId, ServerName, UserId,
    events::room::member::MembershipState,
};
use serde_json::value::RawValue;

use super::{
    gate::{check_complete, incompatible, refusal},
    received::{Expected, read_member_event},
};
use crate::Federation;

impl Federation {
    /// `make_join`, `make_knock` and `make_leave`: the room's version and the template. `versions` are those that the
    /// other server speaks, if it says.
    pub(super) async fn make_for(
        &self,
        origin: &ServerName,
        (room_id, user): (&RoomId, &UserId),
        membership: MembershipState,
        versions: Option<&[RoomVersionId]>,
    ) -> Result<(RoomVersionId, Box<RawValue>), MatrixError> {
        let room = self.room_to_enter(origin, room_id, user).await?;
        if versions.is_some_and(|versions| !versions.contains(&room.version)) {
            return Err(incompatible(room.version.as_str()));
        }
        if membership != MembershipState::Leave {
            check_complete(&room)?;
        }
        let template = self.make_template(&room, user, membership).await?;
        Ok((room.version.clone(), template))
    }

    /// `send_join`: the room, the event, and the servers that were in the room before it.
    pub(super) async fn take_join(
        &self,
        expected: &Expected<'_>,
        text: &RawValue,
    ) -> Result<(Arc<Room>, Arc<Event>, Vec<OwnedServerName>), MatrixError> {
        let room = self.room_near(expected.origin, expected.room_id).await?;
        check_complete(&room)?;
        let (mut pdu, content) = read_member_event(&room.rules, text, expected)?;
        let ours = content
            .join_authorised_via_users_server
            .filter(|user| self.rooms().is_local(user));
        if let Some(authoriser) = ours {
            self.check_authorised(&room, &pdu.sender, &authoriser, &pdu.event_id)
                .await?;
            let key = &self.rooms().options().signing_key;
            pdu = pdu
                .cosigned(key, &room.rules)
                .map_err(super::received::malformed)?;
        }
        self.check_signatures(&room.rules, &pdu).await?;
        let servers = self.rooms().servers_in(&room);
        let event = self.append_for_others(&room, pdu).await?;
        metrics::counter!("echorift_federation_joins_served_total").increment(1);
        Ok((room, event, servers))
    }

    /// Whether the user may still join by the word of this server; the rules say whether the one named may give it.
    async fn check_authorised(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        authoriser: &UserId,
        event_id: &EventId,
    ) -> Result<(), MatrixError> {
        // Sent again, it was authorised before.
        let known = self.rooms().held_ids(&[event_id]).await.map_err(refusal)?;
        if known.contains(event_id) {
            return Ok(());
        }
        self.rooms().check_joined(room, authoriser).await.map_err(|_| {
            MatrixError::new(
                ::http::StatusCode::BAD_REQUEST,
                "M_UNABLE_TO_GRANT_JOIN",
                "Who is named as authorising the join is not in the room any more.",
            )
        })?;
        self.rooms().find_authoriser(room, user).await.map_err(refusal)?;
        Ok(())
    }

    /// `send_leave` and `send_knock`.
    pub(super) async fn take_other(
        &self,
        expected: &Expected<'_>,
        text: &RawValue,
    ) -> Result<Arc<Room>, MatrixError> {
        let room = self.room_near(expected.origin, expected.room_id).await?;
        let (pdu, _) = read_member_event(&room.rules, text, expected)?;
        self.check_signatures(&room.rules, &pdu).await?;
        self.append_for_others(&room, pdu).await?;
        Ok(room)
    }

    /// What somebody who knocks is shown of the room.
    pub(super) async fn shown_to_knocker(&self, room: &Room) -> Result<Vec<Box<RawValue>>, RoomError> {
        self.shown_state(room, None).await
    }
}
