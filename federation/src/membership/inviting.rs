//! Inviting users of other servers (SS API § Inviting to a room).

use std::{sync::Arc, time::Duration};

use echorift_events::{Incoming, Pdu};
use echorift_rooms::{EventDraft, Outcome, Received, Reception, Room, RoomError};
use http::{Method, StatusCode};
use ruma::{
    RoomVersionId, ServerName, UserId,
    api::federation::membership::{RawStrippedState, create_invite::v2 as send_invite},
    events::StateEventType,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::handshake::{bad_answer, text_of, told_to_client};
use crate::{
    CanonicalBody, Federation, FederationError, SendOptions, ValidAt, client::path_segment, policy::Crossing,
};

/// How long the inviter waits for the other server, its keys included.
const TIME_MAX: Duration = Duration::from_secs(60);

impl Federation {
    /// Invites a user of another server, who has to agree. See [`echorift_rooms::Peers::invite`].
    pub(crate) async fn invite_remote(
        &self,
        room: &Arc<Room>,
        inviter: &UserId,
        invitee: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        let server = invitee.server_name();
        let is_allowed = self.policy().allows(server, Crossing::Room(&room.id))
            && self.policy().allows(server, Crossing::User(inviter));
        if !is_allowed {
            return Err(RoomError::Forbidden(format!(
                "This server does not share this room with {server}."
            )));
        }
        let draft = EventDraft::state(inviter, StateEventType::RoomMember, invitee.as_str(), content);
        let pdu = self.rooms().propose(room, draft).await?;
        let (federation, room, server) = (self.clone(), Arc::clone(room), server.to_owned());
        self.to_its_end(TIME_MAX, async move {
            let sent = federation.send_invite(&room, &server, pdu).await;
            sent.map_err(told_to_client)
        })
        .await
    }

    async fn send_invite(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        pdu: Pdu,
    ) -> Result<(), FederationError> {
        let shown = self.shown_state(room, Some(&pdu.sender)).await?;
        let request = send_invite::Request {
            room_id: room.id.clone(),
            event_id: pdu.event_id.clone(),
            room_version: room.version.clone(),
            event: text_of(&pdu)?,
            invite_room_state: shown.iter().cloned().map(RawStrippedState::Pdu).collect(),
        };
        let signed = match self.ask_quickly(server, request).await {
            Ok(answer) => answer.event,
            Err(error) if is_older(&error) && is_first_format(&room.version) => {
                self.send_invite_v1(room, server, &pdu, &shown).await?
            }
            Err(error) => return Err(error),
        };
        let signed = pdu
            .with_signatures_of(server, signed.get(), &room.rules)
            .map_err(|error| bad_answer(server, error.to_string()))?;
        self.check_signed_by(room, server, &signed).await?;
        let event = match self.rooms().receive(room, Received::ours(signed), |_| {}).await? {
            Reception::Known(event) => event,
            Reception::Taken(event, commit) => {
                commit.done().await?;
                event
            }
            Reception::Missing(_) => {
                return Err(RoomError::Forbidden("The room has changed: try again.".to_owned()).into());
            }
        };
        match event.outcome {
            Outcome::Accepted => Ok(()),
            _ => Err(RoomError::Forbidden("The room does not allow this invite any more.".to_owned()).into()),
        }
    }

    /// As servers took invites that know only the first format of events.
    async fn send_invite_v1(
        &self,
        room: &Room,
        server: &ServerName,
        pdu: &Pdu,
        shown: &[Box<RawValue>],
    ) -> Result<Box<RawValue>, FederationError> {
        #[derive(Deserialize)]
        struct Signed {
            event: Box<RawValue>,
        }
        let unusable = |error: serde_json::Error| FederationError::BadRequest(error.to_string());
        let mut body: Value = serde_json::from_str(pdu.json()).map_err(unusable)?;
        if let Some(fields) = body.as_object_mut() {
            fields.insert("unsigned".to_owned(), json!({ "invite_room_state": shown }));
        }
        let body = CanonicalBody::new(&body).map_err(unusable)?;
        let path = format!(
            "/_matrix/federation/v1/invite/{}/{}",
            path_segment(room.id.as_str()),
            path_segment(pdu.event_id.as_str())
        );
        let options = SendOptions {
            even_backing_off: true,
            ..SendOptions::default()
        };
        let mut answer = self
            .client()
            .send_raw(server, Method::PUT, &path, Some(&body), options)
            .await?;
        let (_, Signed { event }): (u16, Signed) = serde_json::from_slice(&answer.bytes().await?)
            .map_err(|error| bad_answer(server, error.to_string()))?;
        Ok(event)
    }

    /// Errors: `BadAnswer` unless this server has signed the event.
    async fn check_signed_by(
        &self,
        room: &Room,
        server: &ServerName,
        pdu: &Pdu,
    ) -> Result<(), FederationError> {
        let incoming = Incoming::parse(pdu.json(), &room.rules)?;
        let ids = incoming.key_ids_of(server).map(ToOwned::to_owned).collect();
        let at = match room.rules.enforce_key_validity {
            true => ValidAt::Time(pdu.origin_server_ts),
            false => ValidAt::Any,
        };
        let keys = self.keys().valid_at(&[(server.to_owned(), ids, at)]).await?;
        incoming
            .verify_signed_by(server, &keys)
            .map_err(|error| bad_answer(server, error.to_string()))
    }
}

/// Whether a server does not know the second version of the endpoint.
fn is_older(error: &FederationError) -> bool {
    matches!(
        error,
        FederationError::Refused { status, errcode, .. }
            if errcode == "M_UNRECOGNIZED" || (*status == StatusCode::NOT_FOUND && errcode != "M_NOT_FOUND")
    )
}

fn is_first_format(version: &RoomVersionId) -> bool {
    matches!(version, RoomVersionId::V1 | RoomVersionId::V2)
}
