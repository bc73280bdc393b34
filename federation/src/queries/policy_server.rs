//! Asking a room's policy server about events (SS API § Policy Servers).

use std::time::Duration;

use echorift_events::Pdu;
use echorift_rooms::{POLICY_KEY_ID, PolicyServer, Room, RoomError};
use ruma::api::federation::policy::sign_event;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::room_error;
use crate::Federation;

/// How long a policy server may think about one event: the event waits.
const TIME_MAX: Duration = Duration::from_secs(10);

/// What a room's policy server makes of an event.
#[derive(Debug, Clone)]
pub enum PolicyVerdict {
    /// The room has no policy server, or the event needs no recommendation.
    NotNeeded,
    /// The event bears the policy server's signature.
    Recommended,
    /// The policy server signed when it was asked: the same event, to be kept and sent in place of the other.
    Signed(Box<Pdu>),
    /// The policy server refuses, or cannot be asked. The event is soft-failed, or if it is ours not sent.
    NotRecommended(PolicyRefusal),
}

/// Why an event is not recommended, for the client that wanted to send it.
#[derive(Debug, Clone)]
pub enum PolicyRefusal {
    /// In the policy server's words.
    Refused {
        server: ruma::OwnedServerName,
        status: http::StatusCode,
        errcode: String,
        message: String,
    },
    /// It did not answer, or not with a signature that is good.
    Unreachable(String),
}

impl From<PolicyRefusal> for RoomError {
    fn from(refusal: PolicyRefusal) -> Self {
        match refusal {
            PolicyRefusal::Refused {
                server,
                status,
                errcode,
                message,
            } => Self::PeerRefused {
                server,
                status,
                errcode,
                message,
            },
            PolicyRefusal::Unreachable(reason) => Self::Unreachable(reason),
        }
    }
}

impl Federation {
    /// What the room's policy server makes of an event, received or about to be sent. It is asked if the event does not
    /// bear its signature yet. Bounded in time; must not be called with a room's lock held.
    ///
    /// Errors: those of storage alone.
    pub async fn check_policy_signature(&self, room: &Room, pdu: &Pdu) -> Result<PolicyVerdict, RoomError> {
        if !PolicyServer::judges(pdu) {
            return Ok(PolicyVerdict::NotNeeded);
        }
        let Some(policy) = self.rooms().policy_server(room).await? else {
            return Ok(PolicyVerdict::NotNeeded);
        };
        if policy.recommends(pdu, &room.rules) {
            return Ok(PolicyVerdict::Recommended);
        }
        let asked = timeout(TIME_MAX, self.ask_policy_server(room, &policy, pdu)).await;
        let late = || {
            Err(RoomError::Unreachable(
                "the policy server did not answer in time".to_owned(),
            ))
        };
        match asked.unwrap_or_else(|_| late()) {
            Ok(signed) => Ok(PolicyVerdict::Signed(Box::new(signed))),
            Err(RoomError::PeerRefused {
                server,
                status,
                errcode,
                message,
            }) => Ok(PolicyVerdict::NotRecommended(PolicyRefusal::Refused {
                server,
                status,
                errcode,
                message,
            })),
            Err(error @ RoomError::Storage(_)) => Err(error),
            Err(error) => Ok(PolicyVerdict::NotRecommended(PolicyRefusal::Unreachable(
                error.to_string(),
            ))),
        }
    }

    /// The event with the policy server's signature, which is good.
    async fn ask_policy_server(
        &self,
        room: &Room,
        policy: &PolicyServer,
        pdu: &Pdu,
    ) -> Result<Pdu, RoomError> {
        let unreachable = |reason: &str| RoomError::Unreachable(format!("{}: {reason}", policy.server));
        if policy.server == self.rooms().server_name() {
            return Err(unreachable("this server is none that judges events"));
        }
        let text =
            RawValue::from_string(pdu.json().to_owned()).map_err(|error| unreachable(&error.to_string()))?;
        let request = sign_event::v1::Request { pdu: text };
        let answer = self.client().send(&policy.server, request).await;
        let answer = answer.map_err(room_error)?;
        let signature = answer.ed25519_signature(&policy.server);
        let signature = signature.ok_or_else(|| unreachable("there is no signature in its answer"))?;
        let signed = pdu.with_signature(&policy.server, POLICY_KEY_ID, signature, &room.rules)?;
        if policy.recommends(&signed, &room.rules) {
            Ok(signed)
        } else {
            Err(unreachable("its signature is wrong"))
        }
    }
}
