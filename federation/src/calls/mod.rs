//! Calls across the border (MSC4195): tokens for the SFUs of other servers, and for ours to their users.

mod http;

use std::time::Duration;

use ::http::{Method, StatusCode};
use echorift_calls::{CallError, CallPeers, MemberClaim, PeerTokenRequest};
use echorift_web::BoxFuture;
use ruma::{OwnedUserId, ServerName, api::federation::openid::get_openid_userinfo};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::http::routes;
use crate::{CanonicalBody, Federation, FederationError, SendOptions, policy::Crossing};

/// Under which name the proposal has the endpoint until it is accepted.
const TOKEN_PATH: &str = "/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token";

/// How servers are asked on behalf of somebody who waits to enter a call.
const OPTIONS: SendOptions = SendOptions {
    timeout: Some(Duration::from_secs(10)),
    answer_bytes_max: 64 * 1024,
    even_backing_off: false,
};

#[derive(Deserialize)]
struct TokenAnswer {
    jwt: String,
}

impl CallPeers for Federation {
    fn may_call(&self, server: &ServerName) -> bool {
        self.may_cross(server, Crossing::Calls)
    }

    fn is_partner(&self, server: &ServerName) -> bool {
        self.policy().is_partner(server)
    }

    fn openid_user<'a>(
        &'a self,
        server: &'a ServerName,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<OwnedUserId>, CallError>> {
        Box::pin(async move {
            let request = get_openid_userinfo::v1::Request::new(token.to_owned());
            match self.client().send_unsigned(server, request, OPTIONS).await {
                Ok(answer) => Ok(Some(answer.sub)),
                Err(FederationError::Refused { status, .. }) if status.is_client_error() => Ok(None),
                Err(error) => Err(peer(server, &error)),
            }
        })
    }

    fn livekit_token<'a>(
        &'a self,
        server: &'a ServerName,
        request: PeerTokenRequest,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        Box::pin(async move {
            let body = token_body(&request).map_err(|error| peer(server, &error))?;
            let asked = self
                .client()
                .send_raw(server, Method::POST, TOKEN_PATH, Some(&body), OPTIONS);
            match asked.await {
                Ok(mut answer) => {
                    let bytes = answer.bytes().await.map_err(|error| peer(server, &error))?;
                    let answer: Result<TokenAnswer, _> = serde_json::from_slice(&bytes);
                    answer
                        .map(|answer| answer.jwt)
                        .map_err(|error| peer(server, &error))
                }
                Err(error) => Err(refusal(server, error)),
            }
        })
    }
}

fn peer(server: &ServerName, reason: &dyn std::fmt::Display) -> CallError {
    CallError::Peer {
        server: server.to_owned(),
        reason: reason.to_string(),
    }
}

/// What the user is told: the other server's refusals where they are about the user, and otherwise that it failed.
fn refusal(server: &ServerName, error: FederationError) -> CallError {
    match error {
        FederationError::Refused { status, errcode, .. }
            if (status == StatusCode::FORBIDDEN && errcode == "M_FORBIDDEN")
                || (status == StatusCode::BAD_REQUEST && errcode == "M_INVALID_PARAM") =>
        {
            CallError::PeerRefused {
                server: server.to_owned(),
                status,
                errcode,
            }
        }
        error => peer(server, &error),
    }
}

/// The member in the words in which the client gave it: published packages and the newest draft differ.
fn token_body(request: &PeerTokenRequest) -> Result<CanonicalBody, FederationError> {
    let mut body = json!({
        "user_id": request.user_id,
        "url": request.url,
        "room_id": request.room_id,
        "slot_id": request.slot_id,
    });
    let (name, member): (_, Value) = match &request.member {
        MemberClaim::Member { device_id, member_id } => (
            "member",
            json!({ "id": member_id, "claimed_device_id": device_id }),
        ),
        MemberClaim::MemberAlone { member_id } => ("member_id", member_id.as_str().into()),
        MemberClaim::Device { .. } => {
            let reason = "members of the state dialect have tokens by OpenID alone";
            return Err(FederationError::BadRequest(reason.to_owned()));
        }
    };
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), member);
    }
    CanonicalBody::from_json(body.to_string().as_bytes())
        .map_err(|error| FederationError::BadRequest(error.to_string()))
}
