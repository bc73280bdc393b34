use std::sync::Arc;

use axum::{Router, extract::State};
use echorift_events::Pdu;
use echorift_rooms::{Event, Outcome, Room, RoomError};
use echorift_storage::EventNumber;
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    EventId, OwnedEventId, ServerName,
    api::federation::{
        authorization::get_event_authorization,
        event::{get_event, get_room_state, get_room_state_ids},
    },
};
use serde_json::value::RawValue;

use super::{now, raw};
use crate::{Federation, Signed};

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_room_state::v1::Request, _, _>(state)
        .ruma::<get_room_state_ids::v1::Request, _, _>(state_ids)
        .ruma::<get_event_authorization::v1::Request, _, _>(event_auth)
        .ruma::<get_event::v1::Request, _, _>(event)
}

/// `GET /_matrix/federation/v1/state/{roomId}` (SS API § Retrieving the room state before an event).
async fn state(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_room_state::v1::Request>,
) -> Result<Ruma<get_room_state::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    let (state, chain) = state_before(&federation, &room, &request.event_id).await?;
    Ok(Ruma(get_room_state::v1::Response {
        auth_chain: texts(&chain)?,
        pdus: texts(&state)?,
    }))
}

/// `GET /_matrix/federation/v1/state_ids/{roomId}` (SS API § Retrieving the room state before an event).
async fn state_ids(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_room_state_ids::v1::Request>,
) -> Result<Ruma<get_room_state_ids::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    let (state, chain) = state_before(&federation, &room, &request.event_id).await?;
    Ok(Ruma(get_room_state_ids::v1::Response {
        auth_chain_ids: ids(&chain),
        pdu_ids: ids(&state),
    }))
}

/// The room's state as the event met it, and why that state was allowed.
async fn state_before(
    federation: &Federation,
    room: &Room,
    id: &EventId,
) -> Result<(Vec<Arc<Event>>, Vec<Arc<Event>>), RoomError> {
    let rooms = federation.rooms();
    let event = known_event(federation, room, id).await?;
    let numbers: Vec<EventNumber> = rooms.state_before_event(room, &event).await?.events().collect();
    let state = rooms.events(&numbers).await?;
    let chain = rooms.auth_chain(&numbers).await?;
    Ok((state, chain))
}

/// An event of this room, whatever became of it. Errors: `UnknownEvent`.
async fn known_event(federation: &Federation, room: &Room, id: &EventId) -> Result<Arc<Event>, RoomError> {
    let event = federation.rooms().find_event(id).await?;
    let event = event.filter(|event| event.room == room.number);
    event.ok_or_else(|| RoomError::UnknownEvent(id.to_owned()))
}

/// `GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}` (SS API § Retrieving event authorisation information).
async fn event_auth(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_event_authorization::v1::Request>,
) -> Result<Ruma<get_event_authorization::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    let event = known_event(&federation, &room, &request.event_id).await?;
    let chain = federation.rooms().auth_chain(&[event.number]).await;
    Ok(Ruma(get_event_authorization::v1::Response {
        auth_chain: texts(&chain.map_err(RoomError::from)?)?,
    }))
}

/// `GET /_matrix/federation/v1/event/{eventId}` (SS API § Retrieving events).
async fn event(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_event::v1::Request>,
) -> Result<Ruma<get_event::v1::Response>, MatrixError> {
    let pdu = seen_event(&federation, &origin, &request.event_id).await?;
    Ok(Ruma(get_event::v1::Response {
        origin: federation.rooms().server_name().to_owned(),
        origin_server_ts: now(&federation),
        pdu: raw(&pdu)?,
    }))
}

/// An event of a room that the server is in, redacted if none of its users may see it: other servers need what an event
/// is built upon, whatever it says. State is shown by `/state` as well. Errors: `M_NOT_FOUND`, `M_FORBIDDEN`.
async fn seen_event(
    federation: &Federation,
    origin: &ServerName,
    id: &EventId,
) -> Result<Arc<Pdu>, MatrixError> {
    let rooms = federation.rooms();
    let unknown = || RoomError::UnknownEvent(id.to_owned());
    let event = rooms.find_event(id).await.map_err(RoomError::from)?;
    let event = event
        .filter(|event| event.outcome != Outcome::Rejected)
        .ok_or_else(unknown)?;
    let room = rooms.load(&[event.room]).await.map_err(RoomError::from)?.pop();
    let room = federation.room_for(origin, &room.ok_or_else(unknown)?.id).await?;
    if event.pdu.is_state() {
        return Ok(Arc::clone(&event.pdu));
    }
    let shown = federation
        .shown_to(origin, &room, std::slice::from_ref(&event))
        .await?;
    Ok(shown.into_iter().next().ok_or_else(unknown)?)
}

fn ids(events: &[Arc<Event>]) -> Vec<OwnedEventId> {
    events.iter().map(|event| event.pdu.event_id.clone()).collect()
}

fn texts(events: &[Arc<Event>]) -> Result<Vec<Box<RawValue>>, MatrixError> {
    events.iter().map(|event| raw(&event.pdu)).collect()
}
