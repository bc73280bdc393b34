use std::sync::Arc;

use axum::{Router, extract::State, routing::put};
use echorift_web::{Body, InPath, MatrixError, MaybeSession, Routes as _, Ruma, Session};
use ruma::{
    RoomId, ServerName, UInt,
    api::client::{
        directory::{get_public_rooms, get_public_rooms_filtered, get_room_visibility},
        room::Visibility,
    },
    directory::{Filter, PublicRoomsChunk, RoomNetwork},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::RoomsApi;
use crate::{DirectoryPage, DirectoryToken, PeerDirectory, PeerDirectoryRequest, Room, RoomError};

/// How many rooms a page of the directory has, and may have at most.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_public_rooms::v3::Request, _, _>(list)
        .ruma::<get_public_rooms_filtered::v3::Request, _, _>(search)
        .ruma::<get_room_visibility::v3::Request, _, _>(visibility)
        .route(
            "/_matrix/client/v3/directory/list/room/{room_id}",
            put(set_visibility),
        )
        .route(
            "/_matrix/client/r0/directory/list/room/{room_id}",
            put(set_visibility),
        )
}

/// `GET /_matrix/client/v3/publicRooms` (CS API § Published room directory).
async fn list(
    State(api): State<RoomsApi>,
    MaybeSession(session): MaybeSession,
    Ruma(request): Ruma<get_public_rooms::v3::Request>,
) -> Result<Ruma<get_public_rooms::v3::Response>, MatrixError> {
    if session.is_none() && !api.rooms.options().directory_without_login {
        return Err(MatrixError::missing_token(
            "The room directory needs an access token here.",
        ));
    }
    if let Some(server) = other_server(&api, request.server.as_deref()) {
        if session.is_none() {
            return Err(MatrixError::missing_token(
                "The room directory of another server needs an access token here.",
            ));
        }
        let (filter, network) = (Filter::new(), RoomNetwork::Matrix);
        let page = ask(
            &api,
            server,
            (&filter, &network),
            request.since.as_deref(),
            request.limit,
        )
        .await?;
        return Ok(Ruma(get_public_rooms::v3::Response {
            chunk: page.chunk,
            next_batch: page.next,
            prev_batch: page.previous,
            total_room_count_estimate: page.total,
        }));
    }
    let wanted = (&Filter::new(), &RoomNetwork::Matrix);
    let page = page(&api, wanted, request.since.as_deref(), request.limit).await?;
    Ok(Ruma(get_public_rooms::v3::Response {
        next_batch: page.next.map(|token| token.to_string()),
        prev_batch: page.previous.map(|token| token.to_string()),
        total_room_count_estimate: UInt::try_from(page.total).ok(),
        chunk: chunk_of(page),
    }))
}

/// `POST /_matrix/client/v3/publicRooms` (CS API § Published room directory).
async fn search(
    State(api): State<RoomsApi>,
    _: Session,
    Ruma(request): Ruma<get_public_rooms_filtered::v3::Request>,
) -> Result<Ruma<get_public_rooms_filtered::v3::Response>, MatrixError> {
    if let Some(server) = other_server(&api, request.server.as_deref()) {
        let wanted = (&request.filter, &request.room_network);
        let page = ask(&api, server, wanted, request.since.as_deref(), request.limit).await?;
        return Ok(Ruma(get_public_rooms_filtered::v3::Response {
            chunk: page.chunk,
            next_batch: page.next,
            prev_batch: page.previous,
            total_room_count_estimate: page.total,
        }));
    }
    let wanted = (&request.filter, &request.room_network);
    let page = page(&api, wanted, request.since.as_deref(), request.limit).await?;
    Ok(Ruma(get_public_rooms_filtered::v3::Response {
        next_batch: page.next.map(|token| token.to_string()),
        prev_batch: page.previous.map(|token| token.to_string()),
        total_room_count_estimate: UInt::try_from(page.total).ok(),
        chunk: chunk_of(page),
    }))
}

/// The other server whose directory is asked for.
fn other_server<'a>(api: &RoomsApi, server: Option<&'a ServerName>) -> Option<&'a ServerName> {
    server.filter(|server| *server != api.rooms.server_name())
}

/// A page of another server's directory.
async fn ask(
    api: &RoomsApi,
    server: &ServerName,
    (filter, network): (&Filter, &RoomNetwork),
    since: Option<&str>,
    limit: Option<UInt>,
) -> Result<PeerDirectory, MatrixError> {
    let page = UInt::try_from(PAGE).unwrap_or_default();
    let request = PeerDirectoryRequest {
        filter,
        network,
        since,
        limit: limit.unwrap_or(page).clamp(UInt::from(1_u32), page),
    };
    Ok(api.rooms.peers()?.public_rooms(server, request).await?)
}

async fn page(
    api: &RoomsApi,
    (filter, network): (&Filter, &RoomNetwork),
    since: Option<&str>,
    limit: Option<UInt>,
) -> Result<DirectoryPage, MatrixError> {
    let from = since
        .map(str::parse)
        .transpose()?
        .unwrap_or(DirectoryToken::START);
    let limit = limit.map_or(PAGE, |limit| {
        usize::try_from(limit).unwrap_or(PAGE).clamp(1, PAGE)
    });
    Ok(api.rooms.directory(network, filter, from, limit).await?)
}

fn chunk_of(page: DirectoryPage) -> Vec<PublicRoomsChunk> {
    page.rooms.into_iter().map(|room| room.summary.into()).collect()
}

/// `GET /_matrix/client/v3/directory/list/room/{roomId}` (CS API § Published room directory). Needs no account.
async fn visibility(
    State(api): State<RoomsApi>,
    Ruma(request): Ruma<get_room_visibility::v3::Request>,
) -> Result<Ruma<get_room_visibility::v3::Response>, MatrixError> {
    let room = find_room(&api, &request.room_id).await?;
    let is_published = api.rooms.is_published(&room).await?;
    let visibility = if is_published {
        Visibility::Public
    } else {
        Visibility::Private
    };
    Ok(Ruma(get_room_visibility::v3::Response { visibility }))
}

/// What `PUT /directory/list/room/{roomId}` takes. ruma's type has no default.
#[derive(Deserialize)]
struct VisibilityBody {
    visibility: Option<Visibility>,
}

/// `PUT /_matrix/client/v3/directory/list/room/{roomId}` (CS API § Published room directory).
async fn set_visibility(
    State(api): State<RoomsApi>,
    session: Session,
    InPath(room_id): InPath<String>,
    Body(body): Body<VisibilityBody>,
) -> Result<axum::Json<Value>, MatrixError> {
    api.check_may_act(&session)?;
    let is_published = match body.visibility {
        None | Some(Visibility::Public) => true,
        Some(Visibility::Private) => false,
        Some(other) => {
            return Err(MatrixError::invalid_param(format!(
                "There is no visibility {:?}.",
                other.as_str()
            )));
        }
    };
    let room_id = RoomId::parse(room_id)
        .map_err(|error| MatrixError::invalid_param(format!("No room ID: {error}.")))?;
    let room = find_room(&api, &room_id).await?;
    api.rooms
        .set_published(&api.accounts, &room, &session.user_id, is_published)
        .await?;
    Ok(axum::Json(json!({})))
}

/// These endpoints answer 404 for a room that is not known here.
async fn find_room(api: &RoomsApi, room_id: &RoomId) -> Result<Arc<Room>, RoomError> {
    api.rooms.room(room_id).await.map_err(|error| match error {
        RoomError::UnknownRoom(id) => RoomError::NotFound(format!("The room {id} is not known here.")),
        error => error,
    })
}
