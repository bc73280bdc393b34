use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    EventId, RoomId, UInt,
    api::{
        Direction,
        client::{
            relations::{
                get_relating_events, get_relating_events_with_rel_type,
                get_relating_events_with_rel_type_and_event_type as get_relating_events_with_both,
            },
            threads::get_threads::{self, v1::IncludeThreads},
        },
    },
};
use serde_json::value::RawValue;

use super::{
    RoomsApi,
    timeline::{limit, order, raw, room_of_event},
};
use crate::{ChildrenRequest, TimelineToken};

/// How many events a page has that nobody has asked for a size of.
const DEFAULT_LIMIT: usize = 20;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_relating_events::v1::Request, _, _>(relations)
        .ruma::<get_relating_events_with_rel_type::v1::Request, _, _>(relations_of_type)
        .ruma::<get_relating_events_with_both::v1::Request, _, _>(relations_of_both_types)
        .ruma::<get_threads::v1::Request, _, _>(threads)
}

/// What the three forms of the endpoint have in common.
struct Asked<'a> {
    room_id: &'a RoomId,
    event_id: &'a EventId,
    rel_type: Option<String>,
    event_type: Option<String>,
    from: Option<String>,
    to: Option<String>,
    dir: Direction,
    limit: Option<UInt>,
    recurse: bool,
}

struct Answer {
    chunk: Vec<Box<RawValue>>,
    next_batch: Option<String>,
    prev_batch: Option<String>,
    recursion_depth: Option<UInt>,
}

async fn answer(api: &RoomsApi, session: &Session, asked: Asked<'_>) -> Result<Answer, MatrixError> {
    let room = room_of_event(api, asked.room_id, asked.event_id).await?;
    let reader = api.reader(session).await?;
    let request = ChildrenRequest {
        parent: asked.event_id,
        rel_type: asked.rel_type.as_deref(),
        event_type: asked.event_type.as_deref(),
        from: TimelineToken::parse_optional(asked.from.as_deref())?,
        to: TimelineToken::parse_optional(asked.to.as_deref())?,
        order: order(asked.dir),
        limit: asked.limit.map_or(DEFAULT_LIMIT, limit),
        recurse: asked.recurse,
    };
    let page = api.rooms.children(&room, &reader, request).await?;
    Ok(Answer {
        chunk: api.rooms.present(&room, &page.events, &reader).await?,
        next_batch: page.next.map(|token| token.to_string()),
        prev_batch: page.previous.map(|token| token.to_string()),
        recursion_depth: page.depth.and_then(|depth| UInt::try_from(depth).ok()),
    })
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}` (CS API § Relationships API).
async fn relations(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_relating_events::v1::Request>,
) -> Result<Ruma<get_relating_events::v1::Response>, MatrixError> {
    let asked = Asked {
        room_id: &request.room_id,
        event_id: &request.event_id,
        rel_type: None,
        event_type: None,
        from: request.from,
        to: request.to,
        dir: request.dir,
        limit: request.limit,
        recurse: request.recurse,
    };
    let Answer {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    } = answer(&api, &session, asked).await?;
    let chunk = raw(chunk);
    Ok(Ruma(get_relating_events::v1::Response {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    }))
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}` (CS API § Relationships API).
async fn relations_of_type(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_relating_events_with_rel_type::v1::Request>,
) -> Result<Ruma<get_relating_events_with_rel_type::v1::Response>, MatrixError> {
    let asked = Asked {
        room_id: &request.room_id,
        event_id: &request.event_id,
        rel_type: Some(request.rel_type.to_string()),
        event_type: None,
        from: request.from,
        to: request.to,
        dir: request.dir,
        limit: request.limit,
        recurse: request.recurse,
    };
    let Answer {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    } = answer(&api, &session, asked).await?;
    let chunk = raw(chunk);
    Ok(Ruma(get_relating_events_with_rel_type::v1::Response {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    }))
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}` (CS API § Relationships API).
async fn relations_of_both_types(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_relating_events_with_both::v1::Request>,
) -> Result<Ruma<get_relating_events_with_both::v1::Response>, MatrixError> {
    let asked = Asked {
        room_id: &request.room_id,
        event_id: &request.event_id,
        rel_type: Some(request.rel_type.to_string()),
        event_type: Some(request.event_type.to_string()),
        from: request.from,
        to: request.to,
        dir: request.dir,
        limit: request.limit,
        recurse: request.recurse,
    };
    let Answer {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    } = answer(&api, &session, asked).await?;
    let chunk = raw(chunk);
    Ok(Ruma(get_relating_events_with_both::v1::Response {
        chunk,
        next_batch,
        prev_batch,
        recursion_depth,
    }))
}

/// `GET /_matrix/client/v1/rooms/{roomId}/threads` (CS API § Querying threads in a room).
async fn threads(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_threads::v1::Request>,
) -> Result<Ruma<get_threads::v1::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let reader = api.reader(&session).await?;
    let only_participated = match request.include {
        IncludeThreads::All => false,
        IncludeThreads::Participated => true,
        // ruma's enum is open.
        _ => {
            return Err(MatrixError::invalid_param(
                "Threads are listed as `all` or `participated`.",
            ));
        }
    };
    let from = TimelineToken::parse_optional(request.from.as_deref())?;
    let limit = request.limit.map_or(DEFAULT_LIMIT, limit);
    let (roots, next) = api
        .rooms
        .threads(&room, &reader, only_participated, from, limit)
        .await?;
    let chunk = raw(api.rooms.present(&room, &roots, &reader).await?);
    Ok(Ruma(get_threads::v1::Response {
        chunk,
        next_batch: next.map(|token| token.to_string()),
    }))
}
