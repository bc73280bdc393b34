//! Knocking by way of other servers (SS API § Knocking upon a room).

use std::time::Duration;

use echorift_events::supported_versions;
use echorift_rooms::{OutsideMembership, RoomError};
use ruma::{
    OwnedServerName, RoomId, ServerName, UserId,
    api::federation::membership::{
        RawStrippedState, create_knock_event::v1 as send_knock, prepare_knock_event::v1 as make_knock,
    },
    events::room::member::MembershipState,
};
use serde_json::value::RawValue;

use super::{
    handshake::{most_telling, text_of},
    templates::Wanted,
};
use crate::{Federation, FederationError};

/// How long one user's knock may take, all servers together.
const TIME_MAX: Duration = Duration::from_secs(90);

impl Federation {
    /// Knocks for a local user by way of one of the servers `via`. See [`echorift_rooms::Peers::knock`].
    pub(crate) async fn knock_remote(
        &self,
        room_id: &RoomId,
        via: &[OwnedServerName],
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        let (federation, room_id, via, user) =
            (self.clone(), room_id.to_owned(), via.to_vec(), user.to_owned());
        self.to_its_end(TIME_MAX, async move {
            let wanted = Wanted {
                room_id: &room_id,
                user: &user,
                membership: MembershipState::Knock,
                content: &content,
            };
            federation.knock_in_turn(&via, &wanted).await
        })
        .await
    }

    async fn knock_in_turn(&self, via: &[OwnedServerName], wanted: &Wanted<'_>) -> Result<(), RoomError> {
        let mut failures = Vec::new();
        for server in self.servers_to_try(wanted, via)? {
            match self.knock_by(&server, wanted).await {
                Ok(()) => return Ok(()),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(room_id = %wanted.room_id, %server, %error, "a server did not take a knock");
                    failures.push(error);
                }
            }
        }
        Err(most_telling(failures))
    }

    async fn knock_by(&self, server: &ServerName, wanted: &Wanted<'_>) -> Result<(), FederationError> {
        let request = make_knock::Request {
            room_id: wanted.room_id.to_owned(),
            user_id: wanted.user.to_owned(),
            ver: supported_versions().collect(),
        };
        let answer = self.ask_quickly(server, request).await?;
        let made = self.make_event(server, wanted, (Some(answer.room_version), &answer.event))?;
        let request = send_knock::Request {
            room_id: wanted.room_id.to_owned(),
            event_id: made.event.event_id.clone(),
            pdu: text_of(&made.event)?,
        };
        let answer = self.ask_quickly(server, request).await?;
        let told = answer.knock_room_state.into_iter().map(text_of_state).collect();
        let shown = self.read_shown_state(wanted.room_id, &made.rules, told).await;
        let outside = OutsideMembership {
            room_id: wanted.room_id.to_owned(),
            version: made.version,
            event: made.event,
            stripped_state: Some(shown.stripped),
        };
        Ok(self.rooms().record_outside(outside).await?)
    }
}

#[expect(deprecated, reason = "servers of before v1.16 send stripped events")]
fn text_of_state(event: RawStrippedState) -> Box<RawValue> {
    match event {
        RawStrippedState::Stripped(event) => event.into_json(),
        RawStrippedState::Pdu(event) => event,
    }
}
