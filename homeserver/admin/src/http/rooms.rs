//! Rooms: the list, one of them, and what is done to them.

use std::sync::Arc;

use axum::{Json, extract::State};
use echorift_rooms::{MembersQuery, Room as LoadedRoom, RoomError, RoomOrder, RoomOverview, RoomsQuery};
use echorift_web::{InPath, MatrixError};
use ruma::{OwnedRoomId, RoomId, room::RoomType};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ReasonBody;
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
    paging::{Page, PageQuery, limit_of, place_of, unknown_page},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(members))
        .routes(routes!(block))
        .routes(routes!(unblock))
        .routes(routes!(delete))
}

/// A room that this server is or was in.
#[derive(Serialize, ToSchema)]
struct Room {
    room_id: String,
    name: Option<String>,
    canonical_alias: Option<String>,
    topic: Option<String>,
    avatar_url: Option<String>,
    version: String,
    creator: Option<String>,
    is_encrypted: bool,
    /// Whether it is in the room directory.
    is_public: bool,
    is_space: bool,
    room_type: Option<String>,
    joined_members: usize,
    joined_local_members: usize,
    /// `public`, `knock`, `invite`, `restricted` and so on.
    join_rule: String,
    is_blocked: bool,
}

impl From<RoomOverview> for Room {
    fn from(overview: RoomOverview) -> Self {
        let summary = overview.room.summary;
        Self {
            room_id: summary.room_id.to_string(),
            name: summary.name,
            canonical_alias: summary.canonical_alias.map(|alias| alias.to_string()),
            topic: summary.topic,
            avatar_url: summary.avatar_url.map(|url| url.to_string()),
            version: overview.room.room.version.to_string(),
            creator: overview.creator.map(|creator| creator.to_string()),
            is_encrypted: summary.encryption.is_some(),
            is_public: overview.is_published,
            is_space: summary.room_type == Some(RoomType::Space),
            room_type: summary.room_type.map(|room_type| room_type.to_string()),
            joined_members: overview.joined,
            joined_local_members: overview.joined_local,
            join_rule: overview.room.join_rules.join_rule,
            is_blocked: overview.is_blocked,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Name,
    Members,
    Newest,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of the name, of an alias of this server, or of the room ID.
    search: Option<String>,
    /// By name if left out.
    #[param(inline)]
    order: Option<Order>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before, in the same order.
    from: Option<String>,
}

/// The rooms that this server is or was in.
///
/// The first page of a list without `search` says how many there are.
#[utoipa::path(get, path = "/rooms", tag = "rooms", params(ListQuery), responses((status = 200, body = Page<Room>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<Room>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = place_of(query.from.as_deref())?;
    let after = after.map(|place| place.parse().map_err(|_| unknown_page()));
    let search = query.search.filter(|text| !text.trim().is_empty());
    let is_counted = query.from.is_none() && search.is_none();
    let wanted = RoomsQuery {
        search,
        order: match query.order {
            None | Some(Order::Name) => RoomOrder::Name,
            Some(Order::Members) => RoomOrder::Members,
            Some(Order::Newest) => RoomOrder::Newest,
        },
        after: after.transpose()?,
        limit: limit.saturating_add(1),
    };
    let rooms = admin.rooms().rooms_page(&wanted).await.map_err(RoomError::from)?;
    let total = match is_counted {
        true => Some(admin.rooms().count_rooms().await.map_err(RoomError::from)?),
        false => None,
    };
    let page = Page::cut(rooms, limit, |(place, _)| place.to_string()).with_total(total);
    Ok(Json(page.map(|(_, overview)| Room::from(overview))))
}

/// A room, with what else is known of it.
#[derive(Serialize, ToSchema)]
struct RoomDetail {
    #[serde(flatten)]
    room: Room,
    /// The servers that are in it, those with the most members first.
    servers: Vec<ServerInRoom>,
    /// How many events this server keeps of it.
    events: i64,
    /// How many of them are its state.
    state_events: usize,
    /// Its aliases on this server.
    aliases: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct ServerInRoom {
    name: String,
    members: usize,
}

/// One room.
#[utoipa::path(get, path = "/rooms/{room_id}", tag = "rooms", params(("room_id" = String, Path)),
    responses((status = 200, body = RoomDetail)))]
async fn one(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
) -> Result<Json<RoomDetail>, MatrixError> {
    let room = load(&admin, &room_id).await?;
    let view = room.view();
    let members_of = |server: &ruma::ServerName| match server == admin.rooms().server_name() {
        true => view.members.joined_local.len(),
        false => view.members.remote_servers.get(server).copied().unwrap_or(0),
    };
    let servers = admin.rooms().servers_in(&room).into_iter();
    let servers = servers.map(|server| ServerInRoom {
        members: members_of(&server),
        name: server.to_string(),
    });
    let aliases = admin
        .rooms()
        .local_aliases(&room)
        .await
        .map_err(RoomError::from)?;
    Ok(Json(RoomDetail {
        room: shown(&admin, &room).await?,
        servers: servers.collect(),
        events: admin.rooms().count_events(&room).await.map_err(RoomError::from)?,
        state_events: view.state.len(),
        aliases: aliases.iter().map(ToString::to_string).collect(),
    }))
}

/// A member of a room.
#[derive(Serialize, ToSchema)]
struct Member {
    user_id: String,
    /// `join`, `invite`, `knock` or `ban`.
    membership: String,
    displayname: Option<String>,
    avatar_url: Option<String>,
    is_local: bool,
}

/// Who is in a room, is invited to it, knocks at it or is banned from it, by user ID.
#[utoipa::path(get, path = "/rooms/{room_id}/members", tag = "rooms", params(("room_id" = String, Path), PageQuery),
    responses((status = 200, body = Page<Member>)))]
async fn members(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Json<Page<Member>>, MatrixError> {
    let limit = limit_of(query.limit);
    let room = load(&admin, &room_id).await?;
    let wanted = MembersQuery {
        after: place_of(query.from.as_deref())?,
        limit: limit.saturating_add(1),
    };
    let members = admin.rooms().member_overviews(&room, &wanted).await;
    let page = Page::cut(members.map_err(RoomError::from)?, limit, |member| {
        member.user_id.to_string()
    });
    Ok(Json(page.map(|member| Member {
        is_local: admin.rooms().is_local(&member.user_id),
        user_id: member.user_id.to_string(),
        membership: member.membership.to_string(),
        displayname: member.display_name,
        avatar_url: member.avatar_url,
    })))
}

/// Whether a room is closed to the users of this server.
#[derive(Serialize, ToSchema)]
struct Blocked {
    room_id: String,
    is_blocked: bool,
}

/// Keeps users of this server out of a room: they cannot enter it or be invited. Who is in it stays.
///
/// The room need not be known here.
#[utoipa::path(post, path = "/rooms/{room_id}/block", tag = "rooms", params(("room_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = Blocked)))]
async fn block(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Blocked>, MatrixError> {
    let deed = Deed::new("room.block", &room_id, body.reason);
    set_blocked(&admin, &administrator, room_id, true, deed).await
}

/// Lets users of this server into a room again.
#[utoipa::path(post, path = "/rooms/{room_id}/unblock", tag = "rooms", params(("room_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = Blocked)))]
async fn unblock(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Blocked>, MatrixError> {
    let deed = Deed::new("room.unblock", &room_id, body.reason);
    set_blocked(&admin, &administrator, room_id, false, deed).await
}

async fn set_blocked(
    admin: &Admin,
    administrator: &Administrator,
    room_id: OwnedRoomId,
    is_blocked: bool,
    deed: Deed,
) -> Result<Json<Blocked>, MatrixError> {
    let remember = administrator.audit(admin, deed).await?;
    let rooms = admin.rooms();
    rooms
        .set_blocked(&room_id, is_blocked, remember)
        .await
        .map_err(RoomError::from)?;
    Ok(Json(Blocked {
        room_id: room_id.to_string(),
        is_blocked,
    }))
}

#[derive(Deserialize, ToSchema)]
struct Deletion {
    /// Whether users of this server are kept out from then on.
    #[serde(default)]
    block: bool,
    /// Only tells what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Kept in the audit log, and shown in the room by those who leave.
    reason: Option<String>,
}

/// What happened, or would.
#[derive(Serialize, ToSchema)]
struct Deleted {
    /// How many users of this server have left.
    removed: usize,
    /// Who they are.
    members: Vec<String>,
    /// Who could not leave: the server's log says why.
    stayed: Vec<String>,
    /// The aliases that went.
    aliases: Vec<String>,
}

/// Takes a room away from this server: all its users leave, and the room's aliases and its place in the directory go.
///
/// Other servers in the room are not concerned; what the room held stays stored.
#[utoipa::path(post, path = "/rooms/{room_id}/delete", tag = "rooms", params(("room_id" = String, Path)),
    request_body = Option<Deletion>, responses((status = 200, body = Deleted)))]
async fn delete(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
    Told(body): Told<Deletion>,
) -> Result<Json<Deleted>, MatrixError> {
    let room = load(&admin, &room_id).await?;
    let texts = |users: Vec<ruma::OwnedUserId>| users.iter().map(ToString::to_string).collect::<Vec<_>>();
    let aliases = admin
        .rooms()
        .local_aliases(&room)
        .await
        .map_err(RoomError::from)?;
    let aliases = aliases.iter().map(ToString::to_string).collect();
    if body.dry_run {
        let members = admin
            .rooms()
            .local_members(&room)
            .await
            .map_err(RoomError::from)?;
        return Ok(Json(Deleted {
            removed: members.len(),
            members: texts(members),
            stayed: Vec::new(),
            aliases,
        }));
    }
    let deed = Deed::new("room.delete", &room_id, body.reason.clone()).with("block", body.block);
    let remember = administrator.audit(&admin, deed).await?;
    let closed = admin
        .rooms()
        .close_room(&room, body.block, body.reason, remember)
        .await?;
    Ok(Json(Deleted {
        removed: closed.left.len(),
        members: texts(closed.left),
        stayed: texts(closed.stayed),
        aliases,
    }))
}

/// Errors: `M_NOT_FOUND`.
async fn load(admin: &Admin, room_id: &RoomId) -> Result<Arc<LoadedRoom>, MatrixError> {
    match admin.rooms().room(room_id).await {
        Err(RoomError::UnknownRoom(_)) => Err(MatrixError::not_found("This server knows no such room.")),
        found => Ok(found?),
    }
}

async fn shown(admin: &Admin, room: &Arc<LoadedRoom>) -> Result<Room, MatrixError> {
    let overviews = admin.rooms().room_overviews(std::slice::from_ref(room)).await;
    let overview = overviews.map_err(RoomError::from)?.pop();
    let overview = overview.ok_or_else(|| MatrixError::not_found("This server knows no such room."))?;
    Ok(overview.into())
}
