//! The authorisation service, which others run beside the homeserver: tokens for whom an OpenID token vouches for.
//!
//! Open to any origin and without access tokens, so that users of other servers get in as well.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    routing::{MethodRouter, get, post},
};
use echorift_rooms::DelayId;
use echorift_web::{Body, ClientAddress, LimitKind, MatrixError};
use ruma::{OwnedRoomId, OwnedServerName, OwnedUserId, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::set_header::SetResponseHeaderLayer;

use super::CallsApi;
use crate::{CallError, MemberClaim, SeatClaim, Sfu, authorisation::OpenIdToken};

/// Where the service stands below the server's public address.
pub const SERVICE_PATH: &str = "/livekit/jwt";
/// No request of these holds more than some ids and a token.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// As clients of the service know it.
const ALLOWED_HEADERS: &str = "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token";

pub(super) fn routes() -> Router<CallsApi> {
    // One after the other, for the first SFU and for those with a name.
    let bases = [SERVICE_PATH.to_owned(), format!("{SERVICE_PATH}/{{sfu}}")];
    let router = bases.iter().fold(Router::new(), |router, base| {
        let at = |path: &str| format!("{base}{path}");
        router
            .route(&at("/sfu/get"), answers(post(sfu_get)))
            .route(&at("/get_token"), answers(post(get_token)))
            .route(
                &at("/delegate_delayed_leave"),
                answers(post(delegate_delayed_leave)),
            )
            .route(&at("/healthz"), get(healthz))
    });
    router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(fixed(header::ACCESS_CONTROL_ALLOW_METHODS, "POST"))
        .layer(fixed(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
}

/// Preflights are answered with 200, where the rest of the server says 204.
fn answers(route: MethodRouter<CallsApi>) -> MethodRouter<CallsApi> {
    route.options(async || StatusCode::OK)
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

#[derive(Deserialize)]
struct OpenIdAnswer {
    access_token: String,
    matrix_server_name: OwnedServerName,
}

/// The pair with which clients leave a delayed event to the service. How long it is delayed is known here.
#[derive(Deserialize)]
struct DelayPair {
    delay_id: Option<String>,
    delay_timeout: Option<u64>,
}

#[derive(Deserialize)]
struct SfuRequest {
    room: OwnedRoomId,
    openid_token: OpenIdAnswer,
    device_id: String,
    #[serde(flatten)]
    delay: DelayPair,
}

#[derive(Deserialize)]
struct TokenRequest {
    room_id: OwnedRoomId,
    slot_id: String,
    openid_token: OpenIdAnswer,
    member: Member,
    #[serde(flatten)]
    delay: DelayPair,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    claimed_user_id: OwnedUserId,
    claimed_device_id: String,
}

impl DelayPair {
    fn read(self) -> Result<Option<DelayId>, CallError> {
        match (self.delay_id, self.delay_timeout) {
            (None, None) => Ok(None),
            (Some(id), Some(1..)) if !id.is_empty() => Ok(Some(id.into())),
            _ => Err(CallError::Incomplete("`delay_id` or a `delay_timeout` over 0")),
        }
    }
}

impl From<OpenIdAnswer> for OpenIdToken {
    fn from(answer: OpenIdAnswer) -> Self {
        Self {
            access_token: answer.access_token,
            server: answer.matrix_server_name,
        }
    }
}

/// `POST {service}/sfu/get`: a token as a member of the state dialect.
async fn sfu_get(
    State(api): State<CallsApi>,
    sfu: Option<Path<String>>,
    address: ClientAddress,
    Body(request): Body<SfuRequest>,
) -> Result<Json<Value>, MatrixError> {
    let sfu = api.sfu_of(sfu)?;
    let device_id = filled(request.device_id, "a `device_id`")?;
    let delay = request.delay.read()?;
    let claim = SeatClaim::of_device(request.room, device_id);
    let openid = request.openid_token.into();
    let user = api.user_of(&openid, address).await?;
    api.token(sfu, &user, &claim, delay.as_ref()).await
}

/// `POST {service}/get_token`: a token as a member of the sticky dialect.
async fn get_token(
    State(api): State<CallsApi>,
    sfu: Option<Path<String>>,
    address: ClientAddress,
    Body(request): Body<TokenRequest>,
) -> Result<Json<Value>, MatrixError> {
    let sfu = api.sfu_of(sfu)?;
    let (openid, claim, claimed, delay) = request.read()?;
    let delay = delay.read()?;
    let user = api.user_who_claims(&claimed, &openid, address).await?;
    api.token(sfu, &user, &claim, delay.as_ref()).await
}

/// `POST {service}/delegate_delayed_leave`: as `get_token` with a delay, for who has a token already.
async fn delegate_delayed_leave(
    State(api): State<CallsApi>,
    sfu: Option<Path<String>>,
    address: ClientAddress,
    Body(request): Body<TokenRequest>,
) -> Result<Json<Value>, MatrixError> {
    let sfu = api.sfu_of(sfu)?;
    let (openid, claim, claimed, delay) = request.read()?;
    let delay = delay
        .read()?
        .ok_or(CallError::Incomplete("`delay_id` and `delay_timeout`"))?;
    let user = api.user_who_claims(&claimed, &openid, address).await?;
    api.calls.delegate(sfu, &user, &claim, &delay).await?;
    Ok(Json(json!({})))
}

/// `GET {service}/healthz`: whether the service answers, which says nothing of the SFU.
async fn healthz(State(api): State<CallsApi>, sfu: Option<Path<String>>) -> Result<Json<Value>, MatrixError> {
    api.sfu_of(sfu)?;
    Ok(Json(json!({})))
}

impl TokenRequest {
    fn read(self) -> Result<(OpenIdToken, SeatClaim, OwnedUserId, DelayPair), CallError> {
        let member = MemberClaim::Member {
            device_id: filled(self.member.claimed_device_id, "a `claimed_device_id`")?,
            member_id: filled(self.member.id, "the `id` of a `member`")?,
        };
        let claim = SeatClaim {
            room_id: self.room_id,
            slot_id: filled(self.slot_id, "a `slot_id`")?,
            member,
        };
        Ok((
            self.openid_token.into(),
            claim,
            self.member.claimed_user_id,
            self.delay,
        ))
    }
}

impl CallsApi {
    /// The SFU that a path of the service is about. Errors: `Off`, also for names that no SFU has.
    fn sfu_of(&self, name: Option<Path<String>>) -> Result<&Sfu, CallError> {
        let sfus = self.calls.sfus();
        let sfu = match name {
            Some(Path(name)) => sfus.by_name(&name),
            None => sfus.all().first(),
        };
        sfu.filter(|_| self.calls.is_on()).ok_or(CallError::Off)
    }

    /// What is answered to who is let in. Errors as [`crate::Calls::token_by_service`].
    async fn token(
        &self,
        sfu: &Sfu,
        user: &UserId,
        claim: &SeatClaim,
        delay: Option<&DelayId>,
    ) -> Result<Json<Value>, MatrixError> {
        let jwt = self.calls.token_by_service(sfu, user, claim, delay).await?;
        Ok(Json(json!({ "url": sfu.options().url, "jwt": jwt })))
    }

    /// Whose the token is, unless they ask too often. Errors: `M_UNAUTHORIZED`, `M_FORBIDDEN`, `M_LIMIT_EXCEEDED`.
    async fn user_of(
        &self,
        openid: &OpenIdToken,
        address: ClientAddress,
    ) -> Result<OwnedUserId, MatrixError> {
        let limits = self.calls.limits();
        if openid.server != *self.calls.server_name() {
            // Another server has to be asked, for who knows whom.
            limits.check(LimitKind::Federation, &address.key())?;
        }
        let user = self.calls.openid_user(openid).await?;
        limits.check(LimitKind::Calls, user.as_str())?;
        Ok(user)
    }

    /// As [`CallsApi::user_of`], if it is who they say they are.
    async fn user_who_claims(
        &self,
        claimed: &UserId,
        openid: &OpenIdToken,
        address: ClientAddress,
    ) -> Result<OwnedUserId, MatrixError> {
        let user = self.user_of(openid, address).await?;
        if user != claimed {
            return Err(CallError::BadOpenIdToken.into());
        }
        Ok(user)
    }
}

fn filled(text: String, what: &'static str) -> Result<String, CallError> {
    if text.is_empty() {
        Err(CallError::Incomplete(what))
    } else {
        Ok(text)
    }
}
