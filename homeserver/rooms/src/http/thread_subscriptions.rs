use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State};
use echorift_storage::Position;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    RoomId, UInt,
    api::client::threads::{
        get_thread_subscription, get_thread_subscriptions_changes, subscribe_thread, unsubscribe_thread,
    },
};

use super::RoomsApi;
use crate::{Room, RoomError, Subscription, TimelineToken};

/// The changes of one page, unless the client says.
const LIMIT: usize = 100;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_thread_subscription::unstable::Request, _, _>(subscription)
        .ruma::<subscribe_thread::unstable::Request, _, _>(subscribe)
        .ruma::<unsubscribe_thread::unstable::Request, _, _>(unsubscribe)
        .ruma::<get_thread_subscriptions_changes::unstable::Request, _, _>(changes)
}

/// `GET …/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription` (MSC4306 § Retrieving thread subscription).
async fn subscription(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_thread_subscription::unstable::Request>,
) -> Result<Ruma<get_thread_subscription::unstable::Response>, MatrixError> {
    let room = find_room(&api, &request.room_id).await?;
    let reader = api.reader(&session).await?;
    let found = api
        .rooms
        .thread_subscription(&room, &reader, &request.thread_root)
        .await?;
    let automatic = match found {
        Some(Subscription::Manual) => false,
        Some(Subscription::Automatic) => true,
        Some(Subscription::Ended) | None => {
            return Err(MatrixError::not_found("You do not follow this thread."));
        }
    };
    Ok(Ruma(get_thread_subscription::unstable::Response { automatic }))
}

/// `PUT …/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription` (MSC4306 § Subscribing to a thread).
async fn subscribe(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<subscribe_thread::unstable::Request>,
) -> Result<Ruma<subscribe_thread::unstable::Response>, MatrixError> {
    let room = find_room(&api, &request.room_id).await?;
    let reader = api.reader(&session).await?;
    let cause = request.automatic.as_deref();
    api.rooms
        .subscribe_thread(&room, &reader, &request.thread_root, cause)
        .await?;
    Ok(Ruma(subscribe_thread::unstable::Response {}))
}

/// `DELETE …/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription` (MSC4306 § Unsubscribing from a thread).
async fn unsubscribe(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<unsubscribe_thread::unstable::Request>,
) -> Result<Ruma<unsubscribe_thread::unstable::Response>, MatrixError> {
    let room = find_room(&api, &request.room_id).await?;
    let reader = api.reader(&session).await?;
    api.rooms
        .unsubscribe_thread(&room, &reader, &request.thread_root)
        .await?;
    Ok(Ruma(unsubscribe_thread::unstable::Response {}))
}

/// A room that is not known has no thread that could be found.
async fn find_room(api: &RoomsApi, id: &RoomId) -> Result<Arc<Room>, MatrixError> {
    match api.rooms.room(id).await {
        Err(RoomError::UnknownRoom(_)) => Err(MatrixError::not_found(
            "This thread does not exist, or you may not see it.",
        )),
        other => Ok(other?),
    }
}

/// `GET …/io.element.msc4308/thread_subscriptions` (MSC4308 § Companion endpoint): backwards from `from` to `to`.
async fn changes(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_thread_subscriptions_changes::unstable::Request>,
) -> Result<Ruma<get_thread_subscriptions_changes::unstable::Response>, MatrixError> {
    let limit = match request.limit.map(u64::from) {
        None => LIMIT,
        Some(0) => return Err(MatrixError::invalid_param("`limit` must be greater than zero.")),
        Some(limit) => usize::try_from(limit).unwrap_or(LIMIT).min(LIMIT),
    };
    let from = TimelineToken::parse_optional(request.from.as_deref())?;
    let to = TimelineToken::parse_optional(request.to.as_deref())?;
    let range = (
        to.map_or(Position(i64::MIN), |token| token.0),
        from.map_or(Position(i64::MAX), |token| token.0),
    );
    let reader = api.reader(&session).await?;
    let page = api
        .rooms
        .thread_changes(reader.user, range, limit)
        .await
        .map_err(RoomError::from)?;
    let mut response = get_thread_subscriptions_changes::unstable::Response {
        subscribed: BTreeMap::new(),
        unsubscribed: BTreeMap::new(),
        end: page.next.map(|token| token.to_string()),
    };
    for change in page.changes {
        let bump_stamp = UInt::try_from(change.position.0).unwrap_or(UInt::MAX);
        let subscribed = |automatic| get_thread_subscriptions_changes::unstable::ThreadSubscription {
            automatic,
            bump_stamp,
        };
        let ended = get_thread_subscriptions_changes::unstable::ThreadUnsubscription { bump_stamp };
        let (room, root) = (change.room, change.root);
        match change.subscription {
            Subscription::Manual => {
                let of_room = response.subscribed.entry(room).or_default();
                of_room.insert(root, subscribed(false));
            }
            Subscription::Automatic => {
                let of_room = response.subscribed.entry(room).or_default();
                of_room.insert(root, subscribed(true));
            }
            Subscription::Ended => {
                response.unsubscribed.entry(room).or_default().insert(root, ended);
            }
        }
    }
    Ok(Ruma(response))
}
