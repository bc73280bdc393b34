use std::sync::Arc;

use axum::{Router, extract::State};
use echorift_storage::{RoomNumber, UserNumber};
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::{
    OwnedServerName, RoomOrAliasId, UInt, UserId,
    api::client::{
        knock::knock_room,
        membership::{
            ban_user, forget_room, get_mutual_rooms, invite_user, join_room_by_id, join_room_by_id_or_alias,
            joined_rooms, kick_user, leave_room, unban_user,
        },
    },
};

use super::RoomsApi;
use crate::{JoinRequest, MutualRooms, Room, RoomError};

/// How many shared rooms are named at a time.
const MUTUAL_PAGE: usize = 100;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<invite_user::v3::Request, _, _>(invite)
        .ruma::<join_room_by_id::v3::Request, _, _>(join_by_id)
        .ruma::<join_room_by_id_or_alias::v3::Request, _, _>(join_by_id_or_alias)
        .ruma::<knock_room::v3::Request, _, _>(knock)
        .ruma::<leave_room::v3::Request, _, _>(leave)
        .ruma::<forget_room::v3::Request, _, _>(forget)
        .ruma::<kick_user::v3::Request, _, _>(kick)
        .ruma::<ban_user::v3::Request, _, _>(ban)
        .ruma::<unban_user::v3::Request, _, _>(unban)
        .ruma::<joined_rooms::v3::Request, _, _>(list_joined)
        .ruma::<get_mutual_rooms::v1::Request, _, _>(list_mutual)
        .ruma::<get_mutual_rooms::unstable::Request, _, _>(list_mutual_unstable)
}

/// `POST /_matrix/client/v3/rooms/{roomId}/invite` (CS API § Joining rooms).
async fn invite(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<invite_user::v3::Request>,
) -> Result<Ruma<invite_user::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    let invite_user::v3::InvitationRecipient::UserId(invitee) = request.recipient else {
        return Err(MatrixError::forbidden(
            "There is no identity server here: invite users by their ID.",
        ));
    };
    api.limits.check_session(LimitKind::Invites, &session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms
        .invite(
            &api.accounts,
            &room,
            (&session.user_id, &invitee.user_id),
            invitee.reason,
        )
        .await?;
    Ok(Ruma(invite_user::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/join` (CS API § Joining rooms).
async fn join_by_id(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<join_room_by_id::v3::Request>,
) -> Result<Ruma<join_room_by_id::v3::Response>, MatrixError> {
    let how = JoinRequest {
        reason: request.reason,
        third_party_signed: request.third_party_signed,
    };
    let room = join(&api, &session, (&*request.room_id).into(), (&[], how)).await?;
    Ok(Ruma(join_room_by_id::v3::Response {
        room_id: room.id.clone(),
    }))
}

/// `POST /_matrix/client/v3/join/{roomIdOrAlias}` (CS API § Joining rooms).
async fn join_by_id_or_alias(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<join_room_by_id_or_alias::v3::Request>,
) -> Result<Ruma<join_room_by_id_or_alias::v3::Response>, MatrixError> {
    let how = JoinRequest {
        reason: request.reason,
        third_party_signed: request.third_party_signed,
    };
    let room = join(&api, &session, &request.room_id_or_alias, (&request.via, how)).await?;
    Ok(Ruma(join_room_by_id_or_alias::v3::Response {
        room_id: room.id.clone(),
    }))
}

async fn join(
    api: &RoomsApi,
    session: &Session,
    name: &RoomOrAliasId,
    (via, how): (&[OwnedServerName], JoinRequest),
) -> Result<Arc<Room>, MatrixError> {
    api.limits.check_session(LimitKind::Joins, session)?;
    let (id, via) = api.rooms.locate(name, via).await?;
    let user = UserNumber(session.user_number);
    let Some(room) = api.rooms.find_enterable(&id).await? else {
        api.check_may_act(session)?;
        // Whether the room welcomes guests is not known from outside.
        if api.accounts.is_guest(user) {
            return Err(RoomError::GuestsForbidden.into());
        }
        let room = api
            .rooms
            .join_elsewhere(&api.accounts, &id, &via, &session.user_id, how)
            .await?;
        return Ok(room);
    };
    api.check_may_speak(session, &room).await?;
    api.rooms.check_guest(&api.accounts, &room, user).await?;
    api.rooms
        .join(&api.accounts, &room, &session.user_id, how)
        .await?;
    Ok(room)
}

/// `POST /_matrix/client/v3/knock/{roomIdOrAlias}` (CS API § Knocking on rooms).
async fn knock(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<knock_room::v3::Request>,
) -> Result<Ruma<knock_room::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    api.limits.check_session(LimitKind::Joins, &session)?;
    let (rooms, user_id) = (&api.rooms, &session.user_id);
    let (room_id, via) = rooms.locate(&request.room_id_or_alias, &request.via).await?;
    match rooms.find_enterable(&room_id).await? {
        Some(room) => rooms.knock(&api.accounts, &room, user_id, request.reason).await?,
        None if api.accounts.is_guest(UserNumber(session.user_number)) => {
            return Err(RoomError::GuestsForbidden.into());
        }
        None => {
            rooms
                .knock_elsewhere(&api.accounts, &room_id, &via, user_id, request.reason)
                .await?;
        }
    }
    Ok(Ruma(knock_room::v3::Response { room_id }))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/leave` (CS API § Leaving rooms). Suspended users may.
async fn leave(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<leave_room::v3::Request>,
) -> Result<Ruma<leave_room::v3::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms.leave(&room, &session.user_id, request.reason).await?;
    Ok(Ruma(leave_room::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/forget` (CS API § Leaving rooms).
async fn forget(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<forget_room::v3::Request>,
) -> Result<Ruma<forget_room::v3::Response>, MatrixError> {
    match api.rooms.room(&request.room_id).await {
        Ok(room) => api.rooms.forget(&room, UserNumber(session.user_number)).await?,
        // As for every room that the user never was in.
        Err(RoomError::UnknownRoom(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Ruma(forget_room::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/kick` (CS API § Leaving rooms).
async fn kick(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<kick_user::v3::Request>,
) -> Result<Ruma<kick_user::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms
        .kick(&room, (&session.user_id, &request.user_id), request.reason)
        .await?;
    Ok(Ruma(kick_user::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/ban` (CS API § Banning users in a room).
async fn ban(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<ban_user::v3::Request>,
) -> Result<Ruma<ban_user::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms
        .ban(&room, (&session.user_id, &request.user_id), request.reason)
        .await?;
    Ok(Ruma(ban_user::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/unban` (CS API § Banning users in a room).
async fn unban(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<unban_user::v3::Request>,
) -> Result<Ruma<unban_user::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms
        .unban(&room, (&session.user_id, &request.user_id), request.reason)
        .await?;
    Ok(Ruma(unban_user::v3::Response {}))
}

/// `GET /_matrix/client/v1/mutual_rooms` (CS API § Mutual rooms).
async fn list_mutual(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_mutual_rooms::v1::Request>,
) -> Result<Ruma<get_mutual_rooms::v1::Response>, MatrixError> {
    if request.user_id == session.user_id {
        return Err(MatrixError::invalid_param("These are your own rooms."));
    }
    let page = mutual(&api, &session, &request.user_id, request.from.as_deref()).await?;
    Ok(Ruma(get_mutual_rooms::v1::Response {
        count: UInt::try_from(page.count).unwrap_or_default(),
        joined: page.rooms,
        next_batch: page.next.map(|room| room.to_string()),
    }))
}

/// The same before it was stable (MSC2666).
async fn list_mutual_unstable(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_mutual_rooms::unstable::Request>,
) -> Result<Ruma<get_mutual_rooms::unstable::Response>, MatrixError> {
    if request.user_id == session.user_id {
        return Err(MatrixError::invalid_param("These are your own rooms."));
    }
    let page = mutual(&api, &session, &request.user_id, request.from.as_deref()).await?;
    let next_batch = page.next.map(|room| room.to_string());
    Ok(Ruma(get_mutual_rooms::unstable::Response {
        joined: page.rooms,
        next_batch,
    }))
}

async fn mutual(
    api: &RoomsApi,
    session: &Session,
    other: &UserId,
    from: Option<&str>,
) -> Result<MutualRooms, MatrixError> {
    let unknown = |_| MatrixError::invalid_param("This `from` is not known.");
    let after = RoomNumber(from.map(str::parse).transpose().map_err(unknown)?.unwrap_or(0));
    let user = UserNumber(session.user_number);
    Ok(api
        .rooms
        .mutual_rooms(user, other, after, MUTUAL_PAGE)
        .await
        .map_err(RoomError::from)?)
}

/// `GET /_matrix/client/v3/joined_rooms` (CS API § Room membership).
async fn list_joined(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(_): Ruma<joined_rooms::v3::Request>,
) -> Result<Ruma<joined_rooms::v3::Response>, MatrixError> {
    let joined_rooms = api
        .rooms
        .joined_rooms(UserNumber(session.user_number))
        .await
        .map_err(RoomError::from)?;
    Ok(Ruma(joined_rooms::v3::Response { joined_rooms }))
}
