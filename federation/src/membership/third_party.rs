//! Invites of people who are known by an address (SS API § Third-party invites).

use std::{sync::Arc, time::Duration};

use echorift_rooms::{EventDraft, Room, RoomError};
use echorift_web::MatrixError;
use futures_util::{StreamExt as _, stream};
use ruma::{
    ServerName, UserId,
    api::federation::thirdparty::{
        bind_callback::v1::{self as bind_callback, ThirdPartyInvite},
        exchange_invite::v1 as exchange_invite,
    },
    events::StateEventType,
    serde::Raw,
};
use serde::Deserialize;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

use super::gate::refusal;
use crate::{Federation, FederationError};

/// An address can have so many invites waiting; nobody signs what an identity server sends.
const INVITES_MAX: usize = 20;
const AT_ONCE: usize = 4;
const TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Content {
    membership: String,
    third_party_invite: ThirdParty,
}

#[derive(Deserialize)]
struct ThirdParty {
    signed: Box<RawValue>,
}

impl Federation {
    /// `exchange_third_party_invite`: makes the invite of a user of ours real, now that the invited one is known.
    pub(super) async fn exchange(
        &self,
        origin: &ServerName,
        request: exchange_invite::Request,
    ) -> Result<(), MatrixError> {
        let room = self.room_near(origin, &request.room_id).await?;
        if request.kind != StateEventType::RoomMember {
            return Err(MatrixError::invalid_param("This is no member event."));
        }
        let content: Content = serde_json::from_str(request.content.json().get())
            .map_err(|error| MatrixError::invalid_param(format!("The content does not fit: {error}.")))?;
        if content.membership != "invite" {
            return Err(MatrixError::invalid_param("This is no invite."));
        }
        if !self.rooms().is_local(&request.sender) {
            return Err(MatrixError::forbidden(
                "The invite was not sent from this server.",
            ));
        }
        self.issue(
            &room,
            (&request.sender, &request.state_key),
            &content.third_party_invite.signed,
        )
        .await
        .map_err(refusal)
    }

    /// Sends the invite that an identity server's signature stands for.
    async fn issue(
        &self,
        room: &Arc<Room>,
        (sender, invitee): (&UserId, &UserId),
        signed: &RawValue,
    ) -> Result<(), RoomError> {
        let rooms = self.rooms();
        let content = rooms
            .third_party_invite_content(room, (sender, invitee), signed)
            .await?;
        if !rooms.is_local(invitee) {
            return self.invite_remote(room, sender, invitee, content).await;
        }
        // Whoever is in the room may send it: the identity server's signature counts, not that of the sender's server.
        let draft = EventDraft::state(sender, StateEventType::RoomMember, invitee.as_str(), content);
        rooms.append(room, draft).await?;
        Ok(())
    }

    /// `3pid/onbind`: an address belongs to a user of ours now, who takes over the invites that wait for it.
    pub(super) async fn take_bound(&self, request: bind_callback::Request) -> Result<(), MatrixError> {
        if request.invites.len() > INVITES_MAX {
            let message = format!("At most {INVITES_MAX} invites are taken at a time.");
            return Err(MatrixError::invalid_param(message));
        }
        if !self.accounts().user_exists(&request.mxid).await? {
            return Err(MatrixError::not_found("There is no such user."));
        }
        let invites = request
            .invites
            .into_iter()
            .filter(|invite| invite.mxid == request.mxid);
        let taking = stream::iter(invites).for_each_concurrent(AT_ONCE, |invite| async move {
            let room_id = invite.room_id.clone();
            if let Err(error) = self.take_bound_invite(invite).await {
                tracing::info!(%room_id, %error, "an invite by address was not taken");
            }
        });
        if tokio::time::timeout(TIME_MAX, taking).await.is_err() {
            tracing::info!(user_id = %request.mxid, "invites by address took too long");
        }
        Ok(())
    }

    async fn take_bound_invite(&self, invite: ThirdPartyInvite) -> Result<(), FederationError> {
        // The inviter's server is the one to make it, and to tell the others of it.
        let asked = match self.rooms().is_local(&invite.sender) {
            true => None,
            false => Some(self.ask_for_exchange(&invite).await),
        };
        let room = self.rooms().find_enterable(&invite.room_id).await?;
        match (asked, room.filter(|room| self.rooms().is_in(room))) {
            (Some(Ok(())), _) | (None, None) => Ok(()),
            (_, Some(room)) => {
                let people = (&*invite.sender, &*invite.mxid);
                Ok(self.issue(&room, people, invite.signed.json()).await?)
            }
            (Some(refused), None) => refused,
        }
    }

    /// Has the inviter's server make the invite.
    async fn ask_for_exchange(&self, invite: &ThirdPartyInvite) -> Result<(), FederationError> {
        let unusable = |error: serde_json::Error| FederationError::BadRequest(error.to_string());
        let content = json!({
            "membership": "invite",
            "third_party_invite": { "display_name": invite.address, "signed": invite.signed },
        });
        let request = exchange_invite::Request {
            room_id: invite.room_id.clone(),
            kind: StateEventType::RoomMember,
            sender: invite.sender.clone(),
            state_key: invite.mxid.clone(),
            content: Raw::from_json(to_raw_value(&content).map_err(unusable)?),
        };
        self.ask_quickly(invite.sender.server_name(), request).await?;
        Ok(())
    }
}
