use std::str::FromStr;

use axum::{Router, extract::State, routing::get};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, MaybeSession, Routes as _, Ruma, Session};
use ruma::{
    api::client::{
        room::get_summary,
        space::{SpaceHierarchyRoomsChunk, get_hierarchy},
    },
    events::room::member::MembershipState,
    serde::Raw,
};

use super::RoomsApi;
use crate::{HierarchyQuery, HierarchyRoom, RoomError, membership::raw};

/// Where clients looked for summaries before they were stable (MSC3266), beside the path that ruma knows.
const OLDER_SUMMARY: &str = "/_matrix/client/unstable/im.nheko.summary/summary/{room_id_or_alias}";
/// How many rooms a page of a hierarchy has, and may have at most.
const PAGE: usize = 50;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_hierarchy::v1::Request, _, _>(hierarchy)
        .ruma::<get_summary::v1::Request, _, _>(summary)
        .route(OLDER_SUMMARY, get(summary))
}

/// `GET /_matrix/client/v1/rooms/{roomId}/hierarchy` (CS API § Querying the rooms in a space).
async fn hierarchy(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_hierarchy::v1::Request>,
) -> Result<Ruma<get_hierarchy::v1::Response>, MatrixError> {
    let query = query_of(&request)?;
    let (rooms, has_more) = api
        .rooms
        .hierarchy_of(&request.room_id, UserNumber(session.user_number), query)
        .await?;
    let next = query.skip.saturating_add(rooms.len());
    let token = Token {
        skip: next,
        depth_max: query.depth_max,
        is_suggested_only: query.is_suggested_only,
    };
    let chunk = rooms.into_iter().map(chunk_of).collect::<Result<_, _>>()?;
    Ok(Ruma(get_hierarchy::v1::Response {
        next_batch: has_more.then(|| token.to_string()),
        rooms: chunk,
    }))
}

fn query_of(request: &get_hierarchy::v1::Request) -> Result<HierarchyQuery, MatrixError> {
    let asked = Token {
        skip: 0,
        depth_max: request.max_depth.map(u64::from),
        is_suggested_only: request.suggested_only,
    };
    let token = match request.from.as_deref() {
        None => asked,
        Some(from) => {
            let token: Token = from
                .parse()
                .map_err(|()| MatrixError::invalid_param("This `from` is not known."))?;
            // Clients may leave out what must not change.
            let is_same_depth = request.max_depth.is_none() || asked.depth_max == token.depth_max;
            let is_same_kind = !request.suggested_only || token.is_suggested_only;
            if !is_same_depth || !is_same_kind {
                return Err(MatrixError::invalid_param(
                    "`max_depth` and `suggested_only` cannot change between pages.",
                ));
            }
            token
        }
    };
    let limit = request
        .limit
        .map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE).min(PAGE));
    if limit == 0 {
        return Err(MatrixError::invalid_param("`limit` must be greater than zero."));
    }
    let (depth_max, is_suggested_only) = (token.depth_max, token.is_suggested_only);
    Ok(HierarchyQuery {
        skip: token.skip,
        limit,
        depth_max,
        is_suggested_only,
    })
}

fn chunk_of(room: HierarchyRoom) -> Result<SpaceHierarchyRoomsChunk, RoomError> {
    let children = room
        .children
        .iter()
        .map(|child| raw(child).map(Raw::from_json))
        .collect::<Result<_, _>>()?;
    Ok(SpaceHierarchyRoomsChunk {
        summary: room.summary,
        children_state: children,
    })
}

/// A pagination token: how far the client is, and what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    skip: usize,
    depth_max: Option<u64>,
    is_suggested_only: bool,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "h{}.{}.", self.skip, u8::from(self.is_suggested_only))?;
        self.depth_max.map_or(Ok(()), |depth| write!(f, "{depth}"))
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.strip_prefix('h').ok_or(())?.splitn(3, '.');
        let mut part = || parts.next().ok_or(());
        let skip = part()?.parse().map_err(|_| ())?;
        let is_suggested_only = match part()? {
            "0" => false,
            "1" => true,
            _ => return Err(()),
        };
        let depth_max = match part()? {
            "" => None,
            depth => Some(depth.parse().map_err(|_| ())?),
        };
        Ok(Self {
            skip,
            depth_max,
            is_suggested_only,
        })
    }
}

/// `GET /_matrix/client/v1/room_summary/{roomIdOrAlias}` (CS API § Room previews). Needs no account for rooms that
/// everyone may look at.
async fn summary(
    State(api): State<RoomsApi>,
    MaybeSession(session): MaybeSession,
    Ruma(request): Ruma<get_summary::v1::Request>,
) -> Result<Ruma<get_summary::v1::Response>, MatrixError> {
    let user = session.map(|session| UserNumber(session.user_number));
    let onlooker = api.rooms.onlooker(user).await.map_err(RoomError::from)?;
    let (summary, membership) = api
        .rooms
        .summary_of(&request.room_id_or_alias, &request.via, &onlooker)
        .await?;
    Ok(Ruma(get_summary::v1::Response {
        summary,
        membership: user.map(|_| membership.unwrap_or(MembershipState::Leave)),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tokens_read_back_as_they_were_written() {
        for (skip, depth_max, is_suggested_only) in
            [(0, None, false), (50, Some(0), true), (7, Some(3), false)]
        {
            let token = Token {
                skip,
                depth_max,
                is_suggested_only,
            };
            assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
        }
        for nonsense in ["", "h", "h1", "h1.2.", "hx.0.", "h1.0.x", "s1.0."] {
            assert!(nonsense.parse::<Token>().is_err(), "{nonsense}");
        }
    }
}
