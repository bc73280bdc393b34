//! EDUs of other servers (SS API § EDUs): receipts, typing and presence here, those about devices in `encryption`.

mod presence;
mod receipts;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod typing;

use std::sync::Arc;

use echorift_rooms::Room;
use echorift_storage::{Timestamp, UserNumber};
use ruma::{
    RoomId, ServerName, api::federation::transactions::edu::Edu, presence::PresenceState, serde::Raw,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Federation, FederationError, encryption, policy::Crossing};

/// Larger EDUs are not read. Those with messages for the devices of many users are the largest.
const EDU_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Where typing and presence of other servers' users go. They are kept in memory only; its methods are quick.
pub trait EphemeralSink: Send + Sync {
    /// A user of another server, who is joined to the room, types there or no longer does.
    fn set_typing(&self, room: &Room, user: UserNumber, is_typing: bool);

    /// The presence of a user of another server, who shares a room with a local user.
    fn set_presence(&self, user: UserNumber, presence: ReceivedPresence);
}

/// What another server says of a user's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPresence {
    pub state: PresenceState,
    pub status_msg: Option<String>,
    pub last_active: Timestamp,
    pub is_currently_active: bool,
}

/// What became of an EDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    Taken,
    /// It says something that its origin may not say, or that cannot be read.
    Refused(&'static str),
    /// It is of no interest here.
    Ignored,
}

#[derive(Deserialize)]
struct EduParts<'a> {
    edu_type: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

impl Federation {
    /// Says where typing and presence of other servers' users go, once. Whether it was not said before.
    pub fn set_ephemeral_sink(&self, sink: Arc<dyn EphemeralSink>) -> bool {
        self.ephemeral_sink().set(sink).is_ok()
    }

    /// Takes one EDU of a transaction of `origin`. What must not be lost (messages to devices, changes of their lists) is
    /// durable before this returns. What cannot be read or believed is logged and counted, and no error: it would be no
    /// better the next time.
    ///
    /// Errors: `Storage`, and the server must try again.
    pub async fn receive_edu(&self, origin: &ServerName, edu: &Raw<Edu>) -> Result<(), FederationError> {
        let (edu_type, received) = match self.read_edu(edu) {
            Some(parts) => {
                let received = self.dispatch(origin, &parts).await?;
                (known_type(&parts.edu_type), received)
            }
            None => ("unreadable", Received::Refused("it cannot be read")),
        };
        let outcome = match received {
            Received::Taken => "taken",
            Received::Ignored => "ignored",
            Received::Refused(reason) => {
                tracing::debug!(%origin, edu_type, reason, "an EDU was refused");
                "refused"
            }
        };
        metrics::counter!("echorift_federation_edus_received_total", "type" => edu_type, "outcome" => outcome)
            .increment(1);
        Ok(())
    }

    fn read_edu<'a>(&self, edu: &'a Raw<Edu>) -> Option<EduParts<'a>> {
        let json = edu.json().get();
        if json.len() > EDU_BYTES_MAX {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    async fn dispatch(&self, origin: &ServerName, parts: &EduParts<'_>) -> Result<Received, FederationError> {
        match parts.edu_type.as_str() {
            "m.direct_to_device" => match content(parts) {
                Some(content) => encryption::receive_messages(self, origin, content).await,
                None => Ok(UNREADABLE),
            },
            "m.device_list_update" => match content(parts) {
                Some(content) => encryption::receive_device_list(self, origin, content).await,
                None => Ok(UNREADABLE),
            },
            "m.signing_key_update" => match content(parts) {
                Some(content) => encryption::receive_signing_keys(self, origin, content).await,
                None => Ok(UNREADABLE),
            },
            "m.receipt" => receipts::receive(self, origin, parts.content).await,
            "m.typing" => match content(parts) {
                Some(content) => typing::receive(self, origin, content).await,
                None => Ok(UNREADABLE),
            },
            "m.presence" => presence::receive(self, origin, parts.content).await,
            _ => Ok(Received::Ignored),
        }
    }

    /// The room that an EDU is about, if the server may say anything of it: it is known here, the operator lets the two
    /// meet, and the room does not keep the server out (MSC4163).
    async fn room_of_edu(
        &self,
        origin: &ServerName,
        room_id: &RoomId,
    ) -> Result<Option<Arc<Room>>, FederationError> {
        if !self.policy().allows(origin, Crossing::Room(room_id)) {
            return Ok(None);
        }
        let room = match self.rooms().room(room_id).await {
            Ok(room) => room,
            Err(echorift_rooms::RoomError::UnknownRoom(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_denied = self.rooms().is_denied(&room, origin).await?;
        Ok(Some(room).filter(|_| !is_denied))
    }
}

const UNREADABLE: Received = Received::Refused("its content cannot be read");

fn content<T: DeserializeOwned>(parts: &EduParts<'_>) -> Option<T> {
    serde_json::from_str(parts.content.get()).ok()
}

/// The type as a label: whatever else a server sends must not make labels without end.
fn known_type(edu_type: &str) -> &'static str {
    let known = [
        "m.direct_to_device",
        "m.device_list_update",
        "m.signing_key_update",
        "m.receipt",
        "m.typing",
        "m.presence",
    ];
    known
        .into_iter()
        .find(|known| *known == edu_type)
        .unwrap_or("other")
}
