//! What groups of the directory do to rooms.

use axum::{Json, extract::State};
use echorift_appservice_ldap::mapping::{Change, Drift, GroupSync, MappingError, Plan, Stop};
use echorift_web::MatrixError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::directory::DomainQuery;
use crate::{Admin, administrator::Administrator, extract::InQuery};

/// Longer lists are cut; `total` says how long they are.
const ITEMS_MAX: usize = 10_000;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(drift))
}

/// What the last run over the mapped groups came to.
#[derive(Serialize, ToSchema)]
pub(super) struct GroupsDetail {
    /// Absent before the first run.
    ended_ts: Option<i64>,
    /// How many changes it made.
    done: usize,
    /// How much of what is wished is out of reach: the plan says why.
    not_possible: usize,
    /// In how many places people have made it different.
    drift: usize,
    /// Where nothing is done before an administrator approves.
    stops: Vec<StopDetail>,
    /// What failed; the next run tries again.
    failures: Vec<String>,
}

impl GroupsDetail {
    pub(super) fn of(groups: &GroupSync) -> Self {
        let status = groups.status();
        let failures = status.outcome.failures.into_iter().chain(status.failure);
        Self {
            ended_ts: status.ended.map(|at| at.0),
            done: status.outcome.done,
            not_possible: status.outcome.not_possible,
            drift: status.outcome.drift,
            stops: status.outcome.stops.iter().map(StopDetail::from).collect(),
            failures: failures.take(ITEMS_MAX).collect(),
        }
    }
}

/// So many people would be removed at once that it looks like a mistake in the directory.
#[derive(Serialize, ToSchema)]
struct StopDetail {
    /// Absent where it is about who administers the server.
    room: Option<String>,
    removals: usize,
    /// How many the directory brought in.
    mirrored: usize,
}

impl From<&Stop> for StopDetail {
    fn from(stop: &Stop) -> Self {
        Self {
            room: stop.room.as_ref().map(ToString::to_string),
            removals: stop.removals,
            mirrored: stop.mirrored,
        }
    }
}

/// What the next run would do in rooms.
#[derive(Serialize, ToSchema)]
pub(super) struct RoomsPlan {
    /// In the order in which they are made, the first 10,000.
    changes: Vec<ChangeDetail>,
    total: usize,
    stops: Vec<StopDetail>,
    /// People of mapped groups who have no account yet: they come in with it.
    without_account: usize,
}

impl RoomsPlan {
    /// What the directory wishes now; `None` before it was read. Error: what could not be read, as `M_UNKNOWN`.
    pub(super) async fn load(groups: &GroupSync) -> Result<Option<Self>, MatrixError> {
        Ok(load(groups).await?.map(|plan| Self {
            changes: plan.changes().take(ITEMS_MAX).map(ChangeDetail::from).collect(),
            total: plan.changes().count(),
            stops: plan.stops().map(StopDetail::from).collect(),
            without_account: plan.without_account,
        }))
    }
}

async fn load(groups: &GroupSync) -> Result<Option<Plan>, MatrixError> {
    groups.plan().await.map_err(|error| match error {
        MappingError::Room(error) => error.into(),
        MappingError::Account(error) => error.into(),
        MappingError::Storage(error) => MatrixError::internal(error),
        error @ MappingError::BadAccount(_) => MatrixError::internal(error),
    })
}

#[derive(Serialize, ToSchema)]
struct ChangeDetail {
    /// `create_space`, `create_channel`, `add_child`, `enter`, `join`, `remove`, `set_power`, `reset_power`,
    /// `grant_administrator`, `revoke_administrator`, `forget`, or `not_possible`, which is only told.
    kind: &'static str,
    /// An alias or an ID, as the settings name it.
    room: Option<String>,
    user_ids: Vec<String>,
    /// All of it, for people.
    sentence: String,
}

impl From<&Change> for ChangeDetail {
    fn from(change: &Change) -> Self {
        Self {
            kind: change.name(),
            room: change.room().map(ToString::to_string),
            user_ids: change
                .users()
                .iter()
                .take(ITEMS_MAX)
                .map(ToString::to_string)
                .collect(),
            sentence: change.to_string(),
        }
    }
}

/// Where people have made rooms different from what the directory wishes.
#[derive(Serialize, ToSchema)]
struct DriftList {
    /// The first 10,000.
    items: Vec<DriftDetail>,
    total: usize,
}

#[derive(Serialize, ToSchema)]
struct DriftDetail {
    /// `left`, `banned`, `added_by_hand`, `power` or `no_administrator`.
    kind: &'static str,
    room: Option<String>,
    user_id: String,
    sentence: String,
}

impl From<&Drift> for DriftDetail {
    fn from(drift: &Drift) -> Self {
        Self {
            kind: drift.kind.name(),
            room: drift.room.as_ref().map(ToString::to_string),
            user_id: drift.user.to_string(),
            sentence: drift.to_string(),
        }
    }
}

/// Where people have made rooms different from what the directory's groups say. It stays so, unless a mapping says
/// `enforce`.
#[utoipa::path(get, path = "/directory/drift", tag = "directory", params(DomainQuery), responses((status = 200, body = DriftList)))]
async fn drift(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<DomainQuery>,
) -> Result<Json<DriftList>, MatrixError> {
    let plan = load(query.load(&admin)?.load_groups()?)
        .await?
        .unwrap_or_default();
    Ok(Json(DriftList {
        items: plan.drift().take(ITEMS_MAX).map(DriftDetail::from).collect(),
        total: plan.drift().count(),
    }))
}
