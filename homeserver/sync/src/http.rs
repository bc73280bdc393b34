use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State};
use echorift_rooms::{FilterText, Room};
use echorift_storage::UserNumber;
use echorift_web::{Body, InPath, MatrixError, Routes as _, Ruma, Session};
use ruma::{
    OwnedRoomId, OwnedUserId,
    api::client::{
        presence::{get_presence, set_presence},
        sync::sync_events,
        typing::create_typing_event,
    },
    presence::PresenceState,
};
use serde::Deserialize;

use crate::{Syncs, presence, typing::TIMEOUT_MAX, v2::Answer};

/// The routes of this crate.
pub(crate) fn router() -> Router<Syncs> {
    Router::new()
        .merge(crate::sliding::router())
        .ruma::<sync_events::v3::Request, _, _>(sync)
        .ruma::<create_typing_event::v3::Request, _, _>(set_typing)
        .ruma::<get_presence::v3::Request, _, _>(read_presence)
        .ruma::<set_presence::v3::Request, _, _>(write_presence)
        .merge(crate::old_sync::router())
}

/// `GET /_matrix/client/v3/sync` (CS API § Syncing).
async fn sync(
    State(syncs): State<Syncs>,
    session: Session,
    filter: FilterText,
    Ruma(request): Ruma<sync_events::v3::Request>,
) -> Result<Json<Answer>, MatrixError> {
    let response = syncs.sync(&session, request, &filter).await?;
    Ok(Json(Answer(response)))
}

/// How long somebody types who does not say it, and says no more.
const TYPING_TIMEOUT: Duration = Duration::from_secs(30);

/// ruma's type asks for a timeout, which the specification does not.
#[derive(Deserialize)]
struct TypingBody {
    typing: bool,
    /// In milliseconds.
    timeout: Option<u64>,
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId}` (CS API § Typing notifications).
async fn set_typing(
    State(syncs): State<Syncs>,
    session: Session,
    InPath((room_id, user_id)): InPath<(OwnedRoomId, OwnedUserId)>,
    Body(body): Body<TypingBody>,
) -> Result<Ruma<create_typing_event::v3::Response>, MatrixError> {
    if user_id != session.user_id {
        return Err(MatrixError::forbidden("You can tell of your own typing only."));
    }
    let room: Arc<Room> = syncs.rooms().room(&room_id).await?;
    syncs.rooms().check_joined(&room, &session.user_id).await?;
    let user = UserNumber(session.user_number);
    let now = syncs.clock().now();
    let until = body.typing.then(|| {
        let timeout = body.timeout.map_or(TYPING_TIMEOUT, Duration::from_millis);
        let timeout = timeout.min(TIMEOUT_MAX);
        now.plus_ms(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX))
    });
    let news = syncs.typing().set(room.number, user, until, now);
    if let Some(version) = news.version {
        syncs.tell_typing(&room, version);
    }
    if news.is_for_servers {
        syncs.tell_servers_of_typing(&room, &session.user_id, until.is_some());
    }
    Ok(Ruma(create_typing_event::v3::Response::new()))
}

/// `GET /_matrix/client/v3/presence/{userId}/status` (CS API § Presence). Only of oneself and of those one shares a
/// room with.
async fn read_presence(
    State(syncs): State<Syncs>,
    session: Session,
    Ruma(request): Ruma<get_presence::v3::Request>,
) -> Result<Ruma<get_presence::v3::Response>, MatrixError> {
    let unknown = || MatrixError::not_found("The presence of this user is not known.");
    let forbidden = || MatrixError::forbidden("You share no room with this user.");
    let user = syncs
        .rooms()
        .users()
        .find(request.user_id.as_str())
        .await
        .map_err(MatrixError::internal)?;
    let user = UserNumber(user.ok_or_else(unknown)?);
    let reader = UserNumber(session.user_number);
    if user != reader {
        let rooms = presence::joined_rooms(syncs.rooms(), reader)
            .await
            .map_err(MatrixError::internal)?;
        if !rooms
            .iter()
            .any(|room| room.view().members.joined.contains(&user))
        {
            return Err(forbidden());
        }
    }
    // Of somebody who was not about yet nothing is known but that.
    let Some(known) = syncs.presence().ok_or_else(unknown)?.of(user) else {
        return Ok(Ruma(get_presence::v3::Response::new(PresenceState::Offline)));
    };
    let silent = syncs.clock().now().0.saturating_sub(known.last_active.0);
    let mut response = get_presence::v3::Response::new(known.state.clone());
    response.currently_active = Some(known.is_currently_active());
    response.last_active_ago = Some(Duration::from_millis(u64::try_from(silent).unwrap_or(0)));
    response.status_msg = known.status_msg;
    Ok(Ruma(response))
}

/// `PUT /_matrix/client/v3/presence/{userId}/status` (CS API § Presence).
async fn write_presence(
    State(syncs): State<Syncs>,
    session: Session,
    Ruma(request): Ruma<set_presence::v3::Request>,
) -> Result<Ruma<set_presence::v3::Response>, MatrixError> {
    if request.user_id != session.user_id {
        return Err(MatrixError::forbidden("You can set your own presence only."));
    }
    if !matches!(
        request.presence,
        PresenceState::Online | PresenceState::Unavailable | PresenceState::Offline
    ) {
        return Err(MatrixError::invalid_param(
            "A presence is online, unavailable or offline.",
        ));
    }
    syncs.set_presence(
        UserNumber(session.user_number),
        request.presence,
        Some(request.status_msg),
    );
    Ok(Ruma(set_presence::v3::Response::new()))
}
