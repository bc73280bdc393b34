//! Other servers.

use std::time::Instant;

use axum::{Json, extract::State};
use echorift_federation::{DestinationOverview, Federation, Reachability};
use echorift_rooms::RoomError;
use echorift_web::{InPath, MatrixError};
use ruma::{OwnedServerName, ServerName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ReasonBody;
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
    paging::{Page, limit_of, place_of},
};

/// How many shared rooms are named.
const SHARED_ROOMS_MAX: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(retry))
        .routes(routes!(test))
}

/// Another server.
#[derive(Serialize, ToSchema)]
struct Destination {
    server: String,
    state: DestinationState,
    /// Events that wait for it; `null` in lists where they would have to be counted first.
    queued_pdus: Option<i64>,
    /// Receipts, presence and the like that wait for it.
    queued_edus: usize,
    /// When something last arrived there since this server started.
    last_success_ts: Option<i64>,
    failing_since_ts: Option<i64>,
    next_try_ts: Option<i64>,
    /// Why nothing arrives.
    failure: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DestinationState {
    /// It has everything.
    Ok,
    /// It is about to get what waits for it.
    Waiting,
    /// It does not answer; it is asked again later.
    Unreachable,
    /// It answers, and does not take what is sent; it is asked again later.
    Refused,
}

impl From<DestinationOverview> for Destination {
    fn from(server: DestinationOverview) -> Self {
        Self {
            server: server.server.to_string(),
            state: match server.reachability {
                Reachability::Ok => DestinationState::Ok,
                Reachability::Waiting => DestinationState::Waiting,
                Reachability::Unreachable => DestinationState::Unreachable,
                Reachability::Refused => DestinationState::Refused,
            },
            queued_pdus: server.queued_events.and_then(|queued| i64::try_from(queued).ok()),
            queued_edus: server.queued_edus,
            last_success_ts: server.last_success.map(|at| at.0),
            failing_since_ts: server.failing_since.map(|at| at.0),
            next_try_ts: server.next_attempt.map(|at| at.0),
            failure: server.failure,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of the name.
    search: Option<String>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// The servers that something was sent to since the start, that something waits for, or that fail, by name.
#[utoipa::path(get, path = "/federation/destinations", tag = "federation", params(ListQuery),
    responses((status = 200, body = Page<Destination>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<Destination>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = place_of(query.from.as_deref())?;
    let search = query.search.unwrap_or_default().trim().to_lowercase();
    let mut servers = admin.load_federation()?.destination_overviews();
    servers.retain(|server| server.server.as_str().to_lowercase().contains(&search));
    let total = i64::try_from(servers.len()).ok().filter(|_| after.is_none());
    if let Some(after) = after {
        servers.retain(|server| server.server.as_str() > after.as_str());
    }
    let page = Page::cut(servers, limit, |server| server.server.to_string());
    Ok(Json(page.with_total(total).map(Destination::from)))
}

/// Another server, with the rooms that it is in with us.
#[derive(Serialize, ToSchema)]
struct DestinationDetail {
    #[serde(flatten)]
    destination: Destination,
    /// 500 of them at most.
    rooms: Vec<SharedRoom>,
    /// How many there are.
    rooms_total: usize,
}

#[derive(Serialize, ToSchema)]
struct SharedRoom {
    room_id: String,
    name: Option<String>,
}

/// One other server.
#[utoipa::path(get, path = "/federation/destinations/{server}", tag = "federation", params(("server" = String, Path)),
    responses((status = 200, body = DestinationDetail)))]
async fn one(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(server): InPath<OwnedServerName>,
) -> Result<Json<DestinationDetail>, MatrixError> {
    let federation = admin.load_federation()?;
    let shared = federation.shared_rooms(&server).await.map_err(RoomError::from)?;
    let mut destination = load(federation, &server, !shared.is_empty())?;
    if destination.queued_pdus.is_none() {
        let backlog = federation.sender().backlog(&server).await;
        destination.queued_pdus = Some(backlog.map_err(RoomError::from)?);
    }
    let named = shared.iter().take(SHARED_ROOMS_MAX).copied();
    let mut rooms: Vec<SharedRoom> = admin
        .room_names(named)
        .await?
        .into_values()
        .map(|(room_id, name)| SharedRoom { room_id, name })
        .collect();
    rooms.sort_unstable_by(|one, other| (&one.name, &one.room_id).cmp(&(&other.name, &other.room_id)));
    Ok(Json(DestinationDetail {
        destination,
        rooms,
        rooms_total: shared.len(),
    }))
}

/// A server that nothing was sent to yet is known by the rooms that it shares with us. Error: `M_NOT_FOUND`.
fn load(
    federation: &Federation,
    server: &ServerName,
    shares_rooms: bool,
) -> Result<Destination, MatrixError> {
    let mut all = federation.destination_overviews().into_iter();
    match all.find(|known| known.server == server) {
        Some(known) => Ok(known.into()),
        None if shares_rooms => Ok(Destination {
            server: server.to_string(),
            state: DestinationState::Ok,
            queued_pdus: Some(0),
            queued_edus: 0,
            last_success_ts: None,
            failing_since_ts: None,
            next_try_ts: None,
            failure: None,
        }),
        None => Err(MatrixError::not_found("Nothing is known of this server.")),
    }
}

/// That it was done.
#[derive(Serialize, ToSchema)]
struct Done {}

/// Asks a server again now that is left alone for a while.
#[utoipa::path(post, path = "/federation/destinations/{server}/retry", tag = "federation",
    params(("server" = String, Path)), request_body = Option<ReasonBody>, responses((status = 200, body = Done)))]
async fn retry(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(server): InPath<OwnedServerName>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Done>, MatrixError> {
    let federation = admin.load_federation()?;
    let deed = Deed::new("federation.retry", &server, body.reason);
    administrator.note(&admin, deed).await?;
    federation.retry_now(&server).await;
    Ok(Json(Done {}))
}

/// What came of asking a server what it is.
#[derive(Serialize, ToSchema)]
struct Tested {
    ok: bool,
    elapsed_ms: u64,
    /// A sentence.
    detail: String,
    /// What it says that it is.
    version: Option<String>,
}

/// Asks a server what it is, to see whether it can be reached.
#[utoipa::path(post, path = "/federation/destinations/{server}/test", tag = "federation",
    params(("server" = String, Path)), request_body = Option<ReasonBody>, responses((status = 200, body = Tested)))]
async fn test(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(server): InPath<OwnedServerName>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Tested>, MatrixError> {
    let federation = admin.load_federation()?;
    let deed = Deed::new("federation.test", &server, body.reason);
    administrator.note(&admin, deed).await?;
    let started = Instant::now();
    let answer = federation.ask_version(&server).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(match answer {
        Ok(is) => {
            let names = [is.name, is.version].into_iter().flatten();
            let version = names.collect::<Vec<_>>().join(" ");
            Tested {
                ok: true,
                elapsed_ms,
                detail: "It answers.".to_owned(),
                version: Some(version).filter(|version| !version.is_empty()),
            }
        }
        Err(error) => Tested {
            ok: false,
            elapsed_ms,
            detail: format!("{error}."),
            version: None,
        },
    }))
}
