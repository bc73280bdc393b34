use std::sync::Arc;

use axum::{Json, Router, extract::State};
use echorift_storage::Timestamp;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, RoomId, UInt,
    api::{
        Direction,
        client::{
            context::get_context,
            message::get_message_events,
            room::{get_event_by_timestamp, get_room_event},
        },
    },
    events::AnyStateEvent,
    serde::Raw,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{FilterText, RoomsApi};
use crate::{
    ContextRequest, Event, EventMatcher, Order, PageRequest, Reader, Room, RoomError, TimelineToken,
};

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_message_events::v3::Request, _, _>(messages)
        .ruma::<get_context::v3::Request, _, _>(context)
        .ruma::<get_room_event::v3::Request, _, _>(event)
        .ruma::<get_event_by_timestamp::v1::Request, _, _>(event_by_timestamp)
}

pub(super) fn order(direction: Direction) -> Order {
    match direction {
        Direction::Backward => Order::NewestFirst,
        Direction::Forward => Order::OldestFirst,
    }
}

/// The room of an event that somebody asks for. Whether there is none, or none that they may see, is the same to
/// them: `M_NOT_FOUND`.
pub(super) async fn room_of_event(
    api: &RoomsApi,
    room: &RoomId,
    event: &EventId,
) -> Result<Arc<Room>, RoomError> {
    api.rooms.room(room).await.map_err(|error| match error {
        RoomError::UnknownRoom(_) => RoomError::UnknownEvent(event.to_owned()),
        error => error,
    })
}

/// A page size; what is too large for the machine is large.
pub(super) fn limit(wanted: ruma::UInt) -> usize {
    usize::try_from(u64::from(wanted)).unwrap_or(usize::MAX)
}

/// Texts of events as ruma's events of any kind.
pub(super) fn raw<T>(events: Vec<Box<RawValue>>) -> Vec<Raw<T>> {
    events.into_iter().map(Raw::from_json).collect()
}

fn plain<T>(api: &RoomsApi, events: &[Arc<Event>]) -> Vec<Raw<T>> {
    events
        .iter()
        .map(|event| Raw::from_json(api.rooms.present_plain(event)))
        .collect()
}

/// `GET /_matrix/client/v3/rooms/{roomId}/messages` (CS API § Getting events for a room).
async fn messages(
    State(api): State<RoomsApi>,
    session: Session,
    filter: FilterText,
    Ruma(request): Ruma<get_message_events::v3::Request>,
) -> Result<Ruma<get_message_events::v3::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let reader = api.reader(&session).await?;
    let access = api.rooms.access(&room, &reader).await?;
    let wanted = PageRequest {
        from: TimelineToken::parse_optional(request.from.as_deref())?,
        to: TimelineToken::parse_optional(request.to.as_deref())?,
        order: order(request.dir),
        limit: limit(
            request
                .filter
                .limit
                .map_or(request.limit, |limit| limit.min(request.limit)),
        ),
    };
    let matcher = EventMatcher::new(&request.filter).with_relations(filter.read()?);
    let page = api
        .rooms
        .page_of_all(&room, &reader, access, wanted, &matcher)
        .await?;
    let mut state = Vec::new();
    if !request.filter.lazy_load_options.is_disabled() {
        state = api.rooms.members_for(&room, &page).await?;
    }
    let chunk = api.rooms.present(&room, &page.events, &reader).await?;
    Ok(Ruma(get_message_events::v3::Response {
        start: page.start.to_string(),
        // Clients take a page that ends where it began for the last one. This one waits at a gap.
        end: page.end.map(|end| match end == page.start {
            true => end.other_text(),
            false => end.to_string(),
        }),
        chunk: raw(chunk),
        state: plain(&api, &state),
    }))
}

/// What surrounds an event. With its lists also where they are empty, unlike ruma's: not all clients look before they
/// read them.
#[derive(Serialize)]
struct ContextAnswer {
    start: String,
    end: String,
    events_before: Vec<Box<RawValue>>,
    event: Box<RawValue>,
    events_after: Vec<Box<RawValue>>,
    state: Vec<Raw<AnyStateEvent>>,
}

/// `GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}` (CS API § Event context).
async fn context(
    State(api): State<RoomsApi>,
    session: Session,
    filter: FilterText,
    Ruma(request): Ruma<get_context::v3::Request>,
) -> Result<Json<ContextAnswer>, MatrixError> {
    let room = room_of_event(&api, &request.room_id, &request.event_id).await?;
    let reader = api.reader(&session).await?;
    let wanted = ContextRequest {
        limit: limit(request.limit),
        matcher: &EventMatcher::new(&request.filter).with_relations(filter.read()?),
        lazy_members: !request.filter.lazy_load_options.is_disabled(),
    };
    let context = api
        .rooms
        .context(&room, &reader, &request.event_id, wanted)
        .await?;
    let present =
        async |events: &[Arc<Event>], reader: &Reader| api.rooms.present(&room, events, reader).await;
    Ok(Json(ContextAnswer {
        start: context.start.to_string(),
        end: context.end.to_string(),
        events_before: present(&context.before, &reader).await?,
        event: api.rooms.present_one(&room, &context.event, &reader).await?,
        events_after: present(&context.after, &reader).await?,
        state: plain(&api, &context.state),
    }))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}` (CS API § Getting events for a room).
async fn event(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_room_event::v3::Request>,
) -> Result<Ruma<get_room_event::v3::Response>, MatrixError> {
    let room = room_of_event(&api, &request.room_id, &request.event_id).await?;
    let reader = api.reader(&session).await?;
    let event = api.rooms.visible_event(&room, &reader, &request.event_id).await?;
    let event = api.rooms.present_one(&room, &event, &reader).await?;
    Ok(Ruma(get_room_event::v3::Response {
        event: Raw::from_json(event),
    }))
}

/// `GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event` (CS API § Getting events for a room).
async fn event_by_timestamp(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_event_by_timestamp::v1::Request>,
) -> Result<Ruma<get_event_by_timestamp::v1::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let reader = api.reader(&session).await?;
    let ts = Timestamp(request.ts.get().into());
    let (event_id, sent) = api
        .rooms
        .closest_event_anywhere(&room, &reader, ts, order(request.dir))
        .await?;
    let sent = UInt::try_from(sent.0).unwrap_or_default();
    Ok(Ruma(get_event_by_timestamp::v1::Response {
        event_id,
        origin_server_ts: MilliSecondsSinceUnixEpoch(sent),
    }))
}
