use std::sync::Arc;

use axum::{Router, extract::State};
use echorift_rooms::{Event, MissingEvents, Order, Room};
use echorift_storage::Timestamp;
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    ServerName, UInt,
    api::{
        Direction,
        federation::{
            backfill::get_backfill,
            event::{get_event_by_timestamp, get_missing_events},
        },
    },
};
use serde_json::value::RawValue;

use super::{now, raw};
use crate::{Federation, Signed};

/// The most events of one `/backfill`, and of one `/get_missing_events`, whatever is asked for.
const BACKFILL_MAX: usize = 100;
const MISSING_MAX: usize = 50;
/// How many events one request may start from or stop at.
const EDGES_MAX: usize = 50;

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_backfill::v1::Request, _, _>(backfill)
        .ruma::<get_missing_events::v1::Request, _, _>(missing_events)
        .ruma::<get_event_by_timestamp::v1::Request, _, _>(event_by_timestamp)
}

/// `GET /_matrix/federation/v1/backfill/{roomId}` (SS API § Backfilling and retrieving missing events).
async fn backfill(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_backfill::v1::Request>,
) -> Result<Ruma<get_backfill::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    let mut from = request.v;
    from.truncate(EDGES_MAX);
    let limit = bounded(request.limit, BACKFILL_MAX);
    let events = federation.rooms().events_before(&room, &from, limit).await;
    let events = events.map_err(echorift_rooms::RoomError::from)?;
    if events.is_empty() {
        return Err(MatrixError::forbidden(
            "None of these events is known in this room.",
        ));
    }
    Ok(Ruma(get_backfill::v1::Response {
        origin: federation.rooms().server_name().to_owned(),
        origin_server_ts: now(&federation),
        pdus: shown(&federation, &room, &origin, &events).await?,
    }))
}

/// `POST /_matrix/federation/v1/get_missing_events/{roomId}` (SS API § Backfilling and retrieving missing events).
async fn missing_events(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_missing_events::v1::Request>,
) -> Result<Ruma<get_missing_events::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    if request.latest_events.len() > EDGES_MAX || request.earliest_events.len() > EDGES_MAX {
        return Err(MatrixError::invalid_param(format!(
            "At most {EDGES_MAX} events can be named on either side."
        )));
    }
    let wanted = MissingEvents {
        latest: &request.latest_events,
        earliest: &request.earliest_events,
        min_depth: request.min_depth.into(),
        limit: bounded(request.limit, MISSING_MAX),
    };
    let events = federation.rooms().missing_events(&room, wanted).await;
    let events = events.map_err(echorift_rooms::RoomError::from)?;
    Ok(Ruma(get_missing_events::v1::Response {
        events: shown(&federation, &room, &origin, &events).await?,
    }))
}

/// `GET /_matrix/federation/v1/timestamp_to_event/{roomId}` (SS API § Retrieving events).
async fn event_by_timestamp(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_event_by_timestamp::v1::Request>,
) -> Result<Ruma<get_event_by_timestamp::v1::Response>, MatrixError> {
    let room = federation.room_for(&origin, &request.room_id).await?;
    let order = match request.dir {
        Direction::Backward => Order::NewestFirst,
        Direction::Forward => Order::OldestFirst,
    };
    let ts = Timestamp(request.ts.get().into());
    let event = federation
        .rooms()
        .closest_event_for_server(&room, &origin, ts, order)
        .await?;
    Ok(Ruma(get_event_by_timestamp::v1::Response {
        event_id: event.pdu.event_id.clone(),
        origin_server_ts: event.pdu.origin_server_ts,
    }))
}

/// The events as the server may see them.
async fn shown(
    federation: &Federation,
    room: &Room,
    origin: &ServerName,
    events: &[Arc<Event>],
) -> Result<Vec<Box<RawValue>>, MatrixError> {
    let pdus = federation.shown_to(origin, room, events).await?;
    pdus.iter().map(|pdu| raw(pdu)).collect()
}

fn bounded(limit: UInt, max: usize) -> usize {
    usize::try_from(u64::from(limit)).unwrap_or(max).clamp(1, max)
}
