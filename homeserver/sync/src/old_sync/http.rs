use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::get,
};
use echorift_rooms::{Reader, TimelineToken};
use echorift_web::{InPath, MatrixError, Session};
use ruma::{EventId, OwnedRoomId, RoomId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    events::EventStream,
    initial::{Overview, RoomOverview},
};
use crate::Syncs;

/// Messages of a room, if the client does not say how many.
const MESSAGES: usize = 10;

/// ruma knows no types for most of these.
pub(crate) fn router() -> Router<Syncs> {
    let mut router = Router::new();
    for version in ["r0", "v3"] {
        let path = |rest: &str| format!("/_matrix/client/{version}/{rest}");
        router = router
            .route(&path("events"), get(events))
            .route(&path("events/{event_id}"), get(event))
            .route(&path("initialSync"), get(initial_sync))
            .route(&path("rooms/{room_id}/initialSync"), get(room_initial_sync));
    }
    router
}

fn parameters<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, MatrixError> {
    query
        .map(|Query(parameters)| parameters)
        .map_err(|error| MatrixError::invalid_param(format!("A query parameter does not fit: {error}.")))
}

#[derive(Deserialize)]
struct EventsQuery {
    from: Option<String>,
    timeout: Option<u64>,
    room_id: Option<OwnedRoomId>,
}

/// `GET /_matrix/client/v3/events` (CS API § Syncing, deprecated; with `room_id` § Guest access): waits for events in
/// the reader's rooms, or in one room that they need not have joined.
async fn events(
    State(syncs): State<Syncs>,
    session: Session,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<EventStream>, MatrixError> {
    let query = parameters(query)?;
    let from = TimelineToken::parse_optional(query.from.as_deref())?;
    let timeout = Duration::from_millis(query.timeout.unwrap_or(0));
    let stream = syncs
        .event_stream(&session, from, query.room_id.as_deref(), timeout)
        .await?;
    Ok(Json(stream))
}

/// `GET /_matrix/client/v3/events/{eventId}` (CS API § Getting events for a room, deprecated).
async fn event(
    State(syncs): State<Syncs>,
    session: Session,
    InPath(event_id): InPath<String>,
) -> Result<Json<Box<RawValue>>, MatrixError> {
    let event_id =
        EventId::parse(event_id).map_err(|_| MatrixError::invalid_param("This is no event ID."))?;
    let reader = Reader::of_session(&session, syncs.accounts()).await?;
    Ok(Json(syncs.event_of_any_room(&reader, &event_id).await?))
}

#[derive(Deserialize)]
struct InitialSyncQuery {
    limit: Option<usize>,
    #[serde(default)]
    archived: bool,
}

/// `GET /_matrix/client/v3/initialSync` (CS API § Syncing, deprecated).
async fn initial_sync(
    State(syncs): State<Syncs>,
    session: Session,
    query: Result<Query<InitialSyncQuery>, QueryRejection>,
) -> Result<Json<Overview>, MatrixError> {
    let query = parameters(query)?;
    let reader = Reader::of_session(&session, syncs.accounts()).await?;
    let overview = syncs.overview(&reader, query.limit.unwrap_or(MESSAGES), query.archived);
    Ok(Json(overview.await?))
}

#[derive(Deserialize)]
struct RoomInitialSyncQuery {
    limit: Option<usize>,
}

/// `GET /_matrix/client/v3/rooms/{roomId}/initialSync` (CS API § Room previews).
async fn room_initial_sync(
    State(syncs): State<Syncs>,
    session: Session,
    InPath(room_id): InPath<String>,
    query: Result<Query<RoomInitialSyncQuery>, QueryRejection>,
) -> Result<Json<RoomOverview>, MatrixError> {
    let query = parameters(query)?;
    let room_id = RoomId::parse(room_id).map_err(|_| MatrixError::invalid_param("This is no room ID."))?;
    let reader = Reader::of_session(&session, syncs.accounts()).await?;
    let overview = syncs.overview_of_room(&reader, &room_id, query.limit.unwrap_or(MESSAGES));
    Ok(Json(overview.await?))
}
