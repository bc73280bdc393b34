//! The endpoints: each takes a signed request apart, asks the domain once, and answers.

use axum::{
    Router,
    extract::{FromRequest, FromRequestParts as _, RawPathParams, Request, State},
    response::{IntoResponse, Response},
    routing::put,
};
use echorift_web::{ClientAddress, LimitKind, MatrixError, Routes as _, Ruma, read_body};
use http::header;
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, OwnedServerName, RoomId, RoomVersionId, ServerName,
    api::federation::{
        membership::{
            RawStrippedState, create_join_event::v2 as send_join, create_knock_event::v1 as send_knock,
            create_leave_event::v2 as send_leave, prepare_join_event::v1 as make_join,
            prepare_knock_event::v1 as make_knock, prepare_leave_event::v1 as make_leave,
        },
        thirdparty::{bind_callback::v1 as bind_callback, exchange_invite::v1 as exchange_invite},
    },
    events::room::member::MembershipState,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    gate::incompatible,
    invited::{Invite, expected_invite},
    join_answer::Wanted,
    received::Expected,
};
use crate::{Federation, Signed, origin::admit};

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<make_join::Request, _, _>(prepare_join)
        .ruma::<send_join::Request, _, _>(join)
        .ruma::<make_leave::Request, _, _>(prepare_leave)
        .ruma::<send_leave::Request, _, _>(leave)
        .ruma::<make_knock::Request, _, _>(prepare_knock)
        .ruma::<send_knock::Request, _, _>(knock)
        .ruma::<exchange_invite::Request, _, _>(exchange)
        .ruma::<bind_callback::Request, _, _>(bound)
        .route(
            "/_matrix/federation/v1/send_join/{room_id}/{event_id}",
            put(join_v1),
        )
        .route(
            "/_matrix/federation/v1/send_leave/{room_id}/{event_id}",
            put(leave_v1),
        )
        .route(
            "/_matrix/federation/v1/invite/{room_id}/{event_id}",
            put(invite_v1),
        )
        .route("/_matrix/federation/v2/invite/{room_id}/{event_id}", put(invite))
}

/// A signed `PUT` about an event of a room, for endpoints that ruma's types do not fit.
struct SignedPut {
    origin: OwnedServerName,
    room_id: OwnedRoomId,
    event_id: OwnedEventId,
    body: Box<RawValue>,
}

impl FromRequest<Federation> for SignedPut {
    type Rejection = MatrixError;

    async fn from_request(request: Request, federation: &Federation) -> Result<Self, MatrixError> {
        let (mut parts, body) = read_body(request, federation).await?;
        let origin = admit(federation, &parts, &body).await?;
        let unusable = || MatrixError::invalid_param("The path does not name a room and an event.");
        let arguments = RawPathParams::from_request_parts(&mut parts, federation)
            .await
            .map_err(|_| unusable())?;
        let mut arguments = arguments.iter().map(|(_, value)| value);
        let (Some(room_id), Some(event_id)) = (arguments.next(), arguments.next()) else {
            return Err(unusable());
        };
        Ok(Self {
            origin,
            room_id: RoomId::parse(room_id).map_err(|_| unusable())?,
            event_id: EventId::parse(event_id).map_err(|_| unusable())?,
            body: serde_json::from_slice(&body)
                .map_err(|_| MatrixError::not_json("The request body is not JSON."))?,
        })
    }
}

/// A body that is JSON already.
struct Json(String);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// `GET /_matrix/federation/v1/make_join/{roomId}/{userId}` (SS API § Joining Rooms).
async fn prepare_join(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<make_join::Request>,
) -> Result<Ruma<make_join::Response>, MatrixError> {
    let (version, event) = federation
        .make_for(
            &origin,
            (&request.room_id, &request.user_id),
            MembershipState::Join,
            Some(&request.ver),
        )
        .await?;
    Ok(Ruma(make_join::Response {
        room_version: Some(version),
        event,
    }))
}

/// `PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}` (SS API § Joining Rooms).
async fn join(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<send_join::Request>,
) -> Result<Json, MatrixError> {
    let about = (&*request.room_id, &*request.event_id);
    join_with(&federation, &origin, about, &request.pdu, request.omit_members)
        .await
        .map(Json)
}

/// `PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}` (SS API § Joining Rooms).
async fn join_v1(State(federation): State<Federation>, put: SignedPut) -> Result<Json, MatrixError> {
    let about = (&*put.room_id, &*put.event_id);
    let body = join_with(&federation, &put.origin, about, &put.body, false).await?;
    Ok(Json(format!("[200,{body}]")))
}

async fn join_with(
    federation: &Federation,
    origin: &ServerName,
    (room_id, event_id): (&RoomId, &EventId),
    pdu: &RawValue,
    omit_members: bool,
) -> Result<String, MatrixError> {
    let expected = Expected {
        origin,
        room_id,
        event_id,
        membership: MembershipState::Join,
    };
    let (room, event, servers) = federation.take_join(&expected, pdu).await?;
    let wanted = Wanted {
        omit_members,
        servers,
    };
    Ok(federation.join_answer(&room, &event, wanted).await?)
}

/// `GET /_matrix/federation/v1/make_leave/{roomId}/{userId}` (SS API § Leaving Rooms).
async fn prepare_leave(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<make_leave::Request>,
) -> Result<Ruma<make_leave::Response>, MatrixError> {
    let about = (&*request.room_id, &*request.user_id);
    let (version, event) = federation
        .make_for(&origin, about, MembershipState::Leave, None)
        .await?;
    Ok(Ruma(make_leave::Response {
        room_version: Some(version),
        event,
    }))
}

/// `PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}` (SS API § Leaving Rooms).
async fn leave(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<send_leave::Request>,
) -> Result<Ruma<send_leave::Response>, MatrixError> {
    let expected = Expected {
        origin: &origin,
        room_id: &request.room_id,
        event_id: &request.event_id,
        membership: MembershipState::Leave,
    };
    federation.take_other(&expected, &request.pdu).await?;
    Ok(Ruma(send_leave::Response {}))
}

/// `PUT /_matrix/federation/v1/send_leave/{roomId}/{eventId}` (SS API § Leaving Rooms).
async fn leave_v1(State(federation): State<Federation>, put: SignedPut) -> Result<Json, MatrixError> {
    let expected = Expected {
        origin: &put.origin,
        room_id: &put.room_id,
        event_id: &put.event_id,
        membership: MembershipState::Leave,
    };
    federation.take_other(&expected, &put.body).await?;
    Ok(Json("[200,{}]".to_owned()))
}

/// `GET /_matrix/federation/v1/make_knock/{roomId}/{userId}` (SS API § Knocking upon a room).
async fn prepare_knock(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<make_knock::Request>,
) -> Result<Ruma<make_knock::Response>, MatrixError> {
    let (room_version, event) = federation
        .make_for(
            &origin,
            (&request.room_id, &request.user_id),
            MembershipState::Knock,
            Some(&request.ver),
        )
        .await?;
    Ok(Ruma(make_knock::Response { room_version, event }))
}

/// `PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}` (SS API § Knocking upon a room).
async fn knock(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<send_knock::Request>,
) -> Result<Ruma<send_knock::Response>, MatrixError> {
    let expected = Expected {
        origin: &origin,
        room_id: &request.room_id,
        event_id: &request.event_id,
        membership: MembershipState::Knock,
    };
    let room = federation.take_other(&expected, &request.pdu).await?;
    let shown = federation.shown_to_knocker(&room).await?;
    Ok(Ruma(send_knock::Response {
        knock_room_state: shown.into_iter().map(RawStrippedState::Pdu).collect(),
    }))
}

/// `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}` (SS API § Inviting to a room).
async fn invite(State(federation): State<Federation>, put: SignedPut) -> Result<Json, MatrixError> {
    #[derive(Deserialize)]
    struct Body {
        room_version: String,
        event: Box<RawValue>,
        #[serde(default)]
        invite_room_state: Vec<Box<RawValue>>,
    }
    let body: Body = read(&put.body)?;
    // What is not even written like a version is one that we do not speak either.
    let version = RoomVersionId::try_from(&*body.room_version);
    let invite = Invite {
        version: version.map_err(|_| incompatible(&body.room_version))?,
        event: body.event,
        room_state: body.invite_room_state,
    };
    let expected = expected_invite(&put.origin, &put.room_id, &put.event_id);
    let signed = federation.take_invite(&expected, invite).await?;
    Ok(Json(format!("{{\"event\":{}}}", signed.json())))
}

/// `PUT /_matrix/federation/v1/invite/{roomId}/{eventId}` (SS API § Inviting to a room). The body is the event, of a
/// room of version 1 or 2, which have one format.
async fn invite_v1(State(federation): State<Federation>, put: SignedPut) -> Result<Json, MatrixError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Body {
        unsigned: Unsigned,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Unsigned {
        invite_room_state: Vec<Box<RawValue>>,
    }
    let body: Body = read(&put.body)?;
    let known = federation.rooms().room(&put.room_id).await;
    let version = known.map_or(RoomVersionId::V1, |room| room.version.clone());
    let invite = Invite {
        version,
        event: put.body,
        room_state: body.unsigned.invite_room_state,
    };
    let expected = expected_invite(&put.origin, &put.room_id, &put.event_id);
    let signed = federation.take_invite(&expected, invite).await?;
    Ok(Json(format!("[200,{{\"event\":{}}}]", signed.json())))
}

fn read<'t, T: Deserialize<'t>>(body: &'t RawValue) -> Result<T, MatrixError> {
    serde_json::from_str(body.get())
        .map_err(|error| MatrixError::bad_json(format!("The request body does not fit: {error}.")))
}

/// `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}` (SS API § Third-party invites).
async fn exchange(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<exchange_invite::Request>,
) -> Result<Ruma<exchange_invite::Response>, MatrixError> {
    federation.exchange(&origin, request).await?;
    Ok(Ruma(exchange_invite::Response {}))
}

/// `PUT /_matrix/federation/v1/3pid/onbind` (SS API § Third-party invites). Identity servers do not sign it.
async fn bound(
    State(federation): State<Federation>,
    address: ClientAddress,
    Ruma(request): Ruma<bind_callback::Request>,
) -> Result<Ruma<bind_callback::Response>, MatrixError> {
    federation.limits().check(LimitKind::Federation, &address.key())?;
    federation.take_bound(request).await?;
    Ok(Ruma(bind_callback::Response {}))
}
