//! Declining invites and taking back knocks (SS API § Leaving Rooms).

use std::{sync::Arc, time::Duration};

use echorift_rooms::{OutsideMembership, Room, RoomError};
use ruma::{
    OwnedServerName, ServerName, UserId,
    api::federation::membership::{
        create_leave_event::v2 as send_leave, prepare_leave_event::v1 as make_leave,
    },
    events::room::member::MembershipState,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{handshake::text_of, templates::Wanted};
use crate::{Federation, FederationError};

/// How long the user waits for somebody to be told that they are not coming.
const TELLING_MAX: Duration = Duration::from_secs(20);
/// With what is written here then.
const TIME_MAX: Duration = Duration::from_secs(60);

impl Federation {
    /// Declines an invite or takes back a knock. See [`echorift_rooms::Peers::leave`].
    ///
    /// The user is rid of it in any case: if nobody takes the leave, it counts here alone.
    pub(crate) async fn leave_remote(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        let (federation, room, user) = (self.clone(), Arc::clone(room), user.to_owned());
        self.to_its_end(TIME_MAX, async move {
            let wanted = Wanted {
                room_id: &room.id,
                user: &user,
                membership: MembershipState::Leave,
                content: &content,
            };
            let via = federation.servers_that_wait(&room, &user).await?;
            // With nobody to tell, or nobody who may be told, it is a matter of this server alone.
            let servers = federation.servers_to_try(&wanted, &via).unwrap_or_default();
            let telling = federation.leave_by_any(servers, &wanted);
            match tokio::time::timeout(TELLING_MAX, telling).await {
                Ok(Ok(true)) => Ok(()),
                Ok(Err(error)) => Err(error),
                Ok(Ok(false)) | Err(_) => federation.rooms().leave_outside(&room, &user, content).await,
            }
        })
        .await
    }

    /// Whether one of these servers took the leave.
    async fn leave_by_any(
        &self,
        servers: Vec<OwnedServerName>,
        wanted: &Wanted<'_>,
    ) -> Result<bool, RoomError> {
        for server in servers {
            match self.leave_by(&server, wanted).await {
                Ok(()) => return Ok(true),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(room_id = %wanted.room_id, %server, %error, "a server did not take a leave");
                }
            }
        }
        Ok(false)
    }

    async fn leave_by(&self, server: &ServerName, wanted: &Wanted<'_>) -> Result<(), FederationError> {
        let request = make_leave::Request {
            room_id: wanted.room_id.to_owned(),
            user_id: wanted.user.to_owned(),
        };
        let answer = self.ask_quickly(server, request).await?;
        let made = self.make_event(server, wanted, (answer.room_version, &answer.event))?;
        let request = send_leave::Request {
            room_id: wanted.room_id.to_owned(),
            event_id: made.event.event_id.clone(),
            pdu: text_of(&made.event)?,
        };
        self.ask_quickly(server, request).await?;
        let outside = OutsideMembership {
            room_id: wanted.room_id.to_owned(),
            version: made.version,
            event: made.event,
            stripped_state: None,
        };
        Ok(self.rooms().record_outside(outside).await?)
    }

    /// Servers that may be in the room: the inviter's, those of the people whom the user was shown, the one that the
    /// room's ID names, and those that were in the room when this server last was.
    async fn servers_that_wait(&self, room: &Room, user: &UserId) -> Result<Vec<OwnedServerName>, RoomError> {
        #[derive(Deserialize)]
        struct Sent {
            sender: ruma::OwnedUserId,
        }
        let rooms = self.rooms();
        let mut servers = Vec::new();
        if let Some((_, event)) = rooms.membership(&room.view().state, user).await? {
            servers.push(event.pdu.sender.server_name().to_owned());
        }
        for event in rooms.stripped_state_outside(room, user).await? {
            if let Ok(Sent { sender }) = serde_json::from_str(event.get()) {
                servers.push(sender.server_name().to_owned());
            }
        }
        servers.extend(room.id.server_name().map(ToOwned::to_owned));
        servers.extend(rooms.servers_in(room));
        Ok(servers)
    }
}
