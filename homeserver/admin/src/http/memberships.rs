//! The rooms of one user.

use std::ops::Bound;

use axum::{Json, extract::State};
use echorift_rooms::RoomError;
use echorift_storage::RoomNumber;
use echorift_web::{InPath, MatrixError};
use ruma::OwnedUserId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::Administrator,
    extract::InQuery,
    paging::{Page, PageQuery, limit_of, number_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A room that a user has or had something to do with.
#[derive(Serialize, ToSchema)]
struct Membership {
    room_id: String,
    name: Option<String>,
    /// `join`, `invite`, `knock`, `leave` or `ban`.
    membership: String,
}

/// The rooms of a user, those that were left included, in the order in which this server came to know them.
#[utoipa::path(get, path = "/users/{user_id}/rooms", tag = "users", params(("user_id" = String, Path), PageQuery),
    responses((status = 200, body = Page<Membership>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Json<Page<Membership>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = number_of(query.from.as_deref())?;
    let user = admin.accounts().user_overview(&user_id).await?;
    let memberships = admin
        .rooms()
        .rooms_of(user.number)
        .await
        .map_err(RoomError::from)?;
    let begin = after.map_or(Bound::Unbounded, |after| Bound::Excluded(RoomNumber(after)));
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let page: Vec<_> = memberships
        .range((begin, Bound::Unbounded))
        .take(wanted)
        .map(|(room, mine)| (*room, mine.membership.to_string()))
        .collect();
    let total = i64::try_from(memberships.len()).ok().filter(|_| after.is_none());
    let page = Page::cut(page, limit, |(room, _)| room.to_string()).with_total(total);
    let names = admin.room_names(page.items.iter().map(|(room, _)| *room)).await?;
    Ok(Json(page.map(|(room, membership)| {
        let (room_id, name) = names.get(&room).cloned().unwrap_or_default();
        Membership {
            room_id,
            name,
            membership,
        }
    })))
}
