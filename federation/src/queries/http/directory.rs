use axum::{Router, extract::State};
use echorift_rooms::{DirectoryPage, DirectoryToken};
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    RoomId, ServerName, UInt,
    api::federation::{
        directory::{get_public_rooms, get_public_rooms_filtered},
        query::get_room_information,
    },
    directory::{Filter, PublicRoomsChunk, RoomNetwork},
};

use crate::{Federation, Signed, policy::Crossing};

/// How many rooms a page of the directory has at most. Asking for 0 asks for all.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_public_rooms::v1::Request, _, _>(list)
        .ruma::<get_public_rooms_filtered::v1::Request, _, _>(search)
        .ruma::<get_room_information::v1::Request, _, _>(alias)
}

/// `GET /_matrix/federation/v1/publicRooms` (SS API § Published room directory).
async fn list(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_public_rooms::v1::Request>,
) -> Result<Ruma<get_public_rooms::v1::Response>, MatrixError> {
    let since = request.since.as_deref();
    let page = page(
        &federation,
        &request.room_network,
        &Filter::new(),
        since,
        request.limit,
    )
    .await?;
    Ok(Ruma(get_public_rooms::v1::Response {
        next_batch: page.next.map(|token| token.to_string()),
        prev_batch: page.previous.map(|token| token.to_string()),
        total_room_count_estimate: UInt::try_from(page.total).ok(),
        chunk: chunk(&federation, &origin, page),
    }))
}

/// `POST /_matrix/federation/v1/publicRooms` (SS API § Published room directory).
async fn search(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_public_rooms_filtered::v1::Request>,
) -> Result<Ruma<get_public_rooms_filtered::v1::Response>, MatrixError> {
    let since = request.since.as_deref();
    let page = page(
        &federation,
        &request.room_network,
        &request.filter,
        since,
        request.limit,
    )
    .await?;
    Ok(Ruma(get_public_rooms_filtered::v1::Response {
        next_batch: page.next.map(|token| token.to_string()),
        prev_batch: page.previous.map(|token| token.to_string()),
        total_room_count_estimate: UInt::try_from(page.total).ok(),
        chunk: chunk(&federation, &origin, page),
    }))
}

async fn page(
    federation: &Federation,
    network: &RoomNetwork,
    filter: &Filter,
    since: Option<&str>,
    limit: Option<UInt>,
) -> Result<DirectoryPage, MatrixError> {
    if !federation.options().public_directory {
        return Err(MatrixError::forbidden(
            "This server does not show its room directory to other servers.",
        ));
    }
    let from = since
        .map(str::parse)
        .transpose()?
        .unwrap_or(DirectoryToken::START);
    let limit = limit.and_then(|limit| usize::try_from(u64::from(limit)).ok());
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(PAGE).min(PAGE);
    Ok(federation.rooms().directory(network, filter, from, limit).await?)
}

/// The rooms of a page that the operator's policy lets the server take part in.
fn chunk(federation: &Federation, origin: &ServerName, page: DirectoryPage) -> Vec<PublicRoomsChunk> {
    let is_open = |room: &RoomId| federation.may_cross(origin, Crossing::Room(room));
    let rooms = page.rooms.into_iter().filter(|room| is_open(&room.room.id));
    rooms.map(|room| room.summary.into()).collect()
}

/// `GET /_matrix/federation/v1/query/directory` (SS API § Querying for information): aliases of this server alone.
async fn alias(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_room_information::v1::Request>,
) -> Result<Ruma<get_room_information::v1::Response>, MatrixError> {
    let alias = &request.room_alias;
    let unknown = || MatrixError::not_found(format!("The alias {alias} stands for no room of this server."));
    if alias.server_name() != federation.rooms().server_name() {
        return Err(unknown());
    }
    let (room_id, servers) = federation.rooms().resolve_alias(alias).await?;
    if !federation.policy().allows(&origin, Crossing::Room(&room_id)) {
        return Err(unknown());
    }
    Ok(Ruma(get_room_information::v1::Response { room_id, servers }))
}
